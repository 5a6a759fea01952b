"""A formula's tree: how large its derivatives get, and its value where it has no variables."""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

import numpy as np

from fastmomentum.objectives.grammar import Node
from fastmomentum.objectives.tokens import FormulaError, refuse

ELEMENTARY: Final = "fastmomentum.elementary"
"""The module with sin, cos, tan, exp, log, sqrt, tanh and select, for kernels and for NumPy."""

LARGEST_POWER: Final = 1000
"""The largest whole exponent: a power is computed by products."""
MOST_PARTS: Final = 40_000
"""Most nodes of formula, gradient and Hessian together, if no subexpression were shared."""
MOST_BITS: Final = 20_000
"""Most bits of a formula's exact numbers, multiplied out."""


def elementary(name: str) -> Callable[[Any], Any]:
    """The function that a formula calls by this name."""
    function: Callable[[Any], Any] = getattr(importlib.import_module(ELEMENTARY), name)
    return function


def uses(node: Node, names: Collection[str]) -> bool:
    """Whether any of these names occurs."""
    if node.kind == "name":
        return node.word in names
    return any(uses(part, names) for part in node.parts)


def specialise(node: Node, variables: Collection[str], constants: Mapping[str, float]) -> Node:
    """Replace constants in exponents, and expressions without names, by their values.

    Which products make a power, and what its derivative is, depends on the exponent's value.

    Parameters
    ----------
    node : Node
        A formula.
    variables : collection of str
        Names of the variables.
    constants : mapping of str to float
        Values of the constants.

    Returns
    -------
    Node
        The same, with numbers for all constant exponents.

    Raises
    ------
    FormulaError
        A number in it is too large or not finite.
    """
    if node.kind in ("number", "name"):
        return node
    parts = tuple(specialise(part, variables, constants) for part in node.parts)
    made = replace(node, parts=parts)
    if node.kind == "power":
        base, exponent = parts
        if not uses(exponent, variables):
            exponent = _power(base, _evaluated(exponent, constants), exponent.column)
            made = replace(node, parts=(base, exponent))
            if not exponent.number:
                return Node("number", number=Fraction(1), column=node.column)
            if exponent.number == 1:
                return base
        elif not uses(base, [*variables, *constants]) and not evaluate(base, {}) > 0.0:
            refuse(node.column, "only a positive number has a power that varies")
    is_irrational = node.kind == "call" or (
        node.kind == "power" and _whole(made.parts[1].number) is None
    )
    if not made.is_condition and not uses(made, [*variables, *constants]):
        number = _evaluated(made, {})
        return number if is_irrational else made
    return made


def _whole(number: Fraction | float) -> int | None:
    """A number as an integer; None where it is none."""
    whole = math.isfinite(number) and number == int(number)
    return int(number) if whole else None


def _power(base: Node, exponent: Node, column: int) -> Node:
    whole = _whole(exponent.number)
    if whole is not None and abs(whole) > LARGEST_POWER:
        what = f"a whole exponent may be {LARGEST_POWER:,} at most"
        refuse(column, f"{what}: got {float(exponent.number):g}")
    return exponent


def _evaluated(node: Node, constants: Mapping[str, float]) -> Node:
    """A number in place of a tree without variables; exact for multiples of one half."""
    if node.kind == "number":
        return node
    value = evaluate(node, constants)
    if not math.isfinite(value):
        refuse(node.column, f"this is {value}, and must be a finite number")
    number = Fraction(value) if 2 * value == round(2 * value) and abs(value) < 2**31 else value
    return Node("number", number=number, column=node.column)


def evaluate(node: Node, values: Mapping[str, float]) -> float:
    """The value of a formula without variables.

    Parameters
    ----------
    node : Node
        The tree.
    values : mapping of str to float
        Of the constants.

    Returns
    -------
    float
        In float64 arithmetic; may be inf or NaN.
    """
    with np.errstate(all="ignore"):
        return float(_value(node, values))


def _value(node: Node, values: Mapping[str, float]) -> Any:
    if node.kind == "number":
        return np.float64(float(node.number))
    if node.kind == "name":
        known = {"pi": math.pi, "e": math.e}
        return np.float64(known[node.word] if node.word in known else values[node.word])
    parts = [_value(part, values) for part in node.parts]
    if node.kind == "power":
        whole = _whole(parts[1])
        if whole is not None:
            return _raised(parts[0], whole, node.column)
        return _real_power(*parts)
    if node.kind == "call":
        return _called(node.word, parts)
    if node.kind == "compare":
        return _COMPARED[node.word](*parts)
    return _FOLDED[node.kind](parts)


def _raised(base: Any, power: int, column: int) -> Any:
    if abs(power) > LARGEST_POWER:
        what = f"a whole exponent may be {LARGEST_POWER:,} at most"
        refuse(column, f"{what}: got {float(power):g}")
    product = np.float64(1.0)
    for bit in bin(abs(power))[2:]:
        product = product * product * (base if bit == "1" else 1.0)
    return product if power >= 0 else 1.0 / product


def _real_power(base: Any, power: Any) -> Any:
    if power == 0.5:
        return elementary("sqrt")(base)
    return elementary("exp")(power * elementary("log")(base))


def _called(word: str, parts: list[Any]) -> Any:
    if word == "where":
        return parts[1] if parts[0] else parts[2]
    if word in ("min", "max"):
        return functools.reduce(np.minimum if word == "min" else np.maximum, parts)
    return abs(parts[0]) if word == "abs" else elementary(word)(parts[0])


_COMPARED: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}
_FOLDED: Final[dict[str, Callable[[list[Any]], Any]]] = {
    "sum": lambda parts: functools.reduce(lambda a, b: a + b, parts),
    "product": lambda parts: functools.reduce(lambda a, b: a * b, parts),
    "negative": lambda parts: -parts[0],
    "inverse": lambda parts: np.float64(1.0) / parts[0],
    "and": all,
    "or": any,
    "not": lambda parts: not parts[0],
}


class Weight(NamedTuple):
    """How large a formula and its derivatives can become.

    Attributes
    ----------
    parts, first, second : int
        Nodes of the formula, of a first and of a second derivative, if nothing were shared.
    bits : int
        Bits of its exact numbers, multiplied out.
    """

    parts: int
    first: int
    second: int
    bits: int


def weigh(node: Node, variables: Collection[str]) -> Weight:
    """Bound the size of a formula's derivatives before they are computed.

    Parameters
    ----------
    node : Node
        From `specialise`.
    variables : collection of str
        The variables to differentiate by.

    Returns
    -------
    Weight
        Upper bounds.

    Raises
    ------
    FormulaError
        They are too large.
    """
    weight = _weight(node, frozenset(variables))
    whole = weight.parts + 2 * weight.first + 3 * weight.second
    if whole > MOST_PARTS:
        raise FormulaError(
            f"is too large: with gradient and Hessian it may have {MOST_PARTS:,} parts, and has up "
            f"to {whole:,.3g}; write it with fewer factors in a product, or less nested"
        )
    return weight


def _weight(node: Node, variables: frozenset[str]) -> Weight:
    if node.kind == "name":
        return Weight(1, int(node.word in variables), 0, 1)
    if node.kind == "number":
        exact = node.number if isinstance(node.number, Fraction) else Fraction(1)
        return Weight(1, 0, 0, exact.numerator.bit_length() + exact.denominator.bit_length())
    inner = [_weight(part, variables) for part in node.parts]
    # min and max choose between two at a time, and the condition has both as well.
    again = 2 ** (len(inner) - 1) if node.word in ("min", "max") else 1
    parts = 1 + again * sum(w.parts for w in inner)
    first = again * sum(w.first for w in inner)
    second = again * sum(w.second for w in inner)
    bits = sum(w.bits for w in inner)
    if node.kind == "power":
        whole = _whole(node.parts[1].number) if node.parts[1].kind == "number" else None
        bits = inner[0].bits * abs(whole) if whole is not None else bits
    if bits > MOST_BITS:
        refuse(node.column, "its numbers become too large; write them rounded")
    varying = sum(w.first > 0 for w in inner)
    if not varying or node.is_condition:
        return Weight(parts, 0, 0, bits)
    if node.kind in ("sum", "negative") or node.word in ("where", "min", "max"):
        flat = parts if node.kind == "call" else 1
        return Weight(parts, first + flat, second + flat, bits)
    # The chain rule: each derivative contains the formula again, once for each part that varies.
    once = first + varying * (parts + 3)
    return Weight(parts, once, second + 2 * varying * once, bits)


def in_exponents(node: Node) -> set[str]:
    """Names that occur in exponents."""
    found = {name for part in node.parts for name in in_exponents(part)}
    return found | names_in(node.parts[1]) if node.kind == "power" else found


def names_in(node: Node) -> set[str]:
    """Variables and constants of a tree."""
    own = {node.word} if node.kind == "name" else set()
    return own.union(*(names_in(part) for part in node.parts))
