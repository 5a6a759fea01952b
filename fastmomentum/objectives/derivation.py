"""From a formula's tree to plain functions: SymPy differentiates; common subexpressions get a name.

SymPy gets each node separately, never text. This module is imported only for a new formula; the
source of known ones is in the cache.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Final

import sympy
from sympy.core.parameters import distribute

from fastmomentum.objectives.grammar import Node
from fastmomentum.objectives.printer import Writer, is_number, value_of
from fastmomentum.objectives.symbolic import (
    FUNCTIONS,
    PI,
    Condition,
    CosTurns,
    E,
    Exp,
    Log,
    Select,
    SinTurns,
    raised,
)
from fastmomentum.objectives.tokens import FormulaError
from fastmomentum.objectives.trees import elementary

MOST_OPERATIONS: Final = 3_000
"""Most operations of value, gradient and Hessian together, common subexpressions counted once."""


def derive(node: Node, variables: Sequence[str], constants: Sequence[str]) -> str:
    """Source of a formula's value, gradient and Hessian.

    Parameters
    ----------
    node : Node
        The formula, weighed.
    variables : sequence of str
        The two variables to differentiate by.
    constants : sequence of str
        In the order in which the functions read them.

    Returns
    -------
    str
        A module with the functions ``value_at``, ``gradient_at`` and ``hessian_at`` of
        ``(x, y, constants)``, made of + - * /, sqrt, abs, `select` and the elementary functions.

    Raises
    ------
    FormulaError
        The formula depends on no variable, divides by 0, or has too large derivatives.
    """
    symbols = {name: sympy.Symbol(f"v_{name}") for name in variables}
    names = symbols | {name: sympy.Symbol(f"c_{name}") for name in constants}
    names |= {"pi": PI, "e": E}
    x, y = symbols.values()
    with distribute(False):
        value = _symbolic(node, names)
        gradient = [value.diff(x), value.diff(y)]
        hessian = [gradient[0].diff(x), gradient[0].diff(y), gradient[1].diff(y)]
        if not value.has(x, y):
            raise FormulaError(f"must depend on {variables[0]} or {variables[1]}, and does not")
        spelt = {x: "x", y: "y", PI: "pi", E: "e"}
        spelt |= {names[name]: f"constants[{i}]" for i, name in enumerate(constants)}
        writer = Writer(spelt)
        bodies = [
            writer.function("value_at", [value]),
            writer.function("gradient_at", gradient),
            writer.function("hessian_at", hessian),
        ]
    if writer.operations > MOST_OPERATIONS:
        raise FormulaError(
            f"is too large: with gradient and Hessian it may take {MOST_OPERATIONS:,} operations, "
            f"and takes {writer.operations:,}; write it shorter"
        )
    return "\n\n".join([writer.imports(), *bodies])


def _symbolic(node: Node, names: dict[str, Any]) -> Any:
    if node.kind == "number":
        if isinstance(node.number, Fraction):
            return sympy.Rational(node.number.numerator, node.number.denominator)
        return sympy.Float(node.number, precision=53)
    if node.kind == "name":
        return names[node.word]
    parts = [_symbolic(part, names) for part in node.parts]
    if node.kind == "sum":
        return sympy.Add(*parts)
    if node.kind == "product":
        return sympy.Mul(*parts)
    if node.kind == "negative":
        return -parts[0]
    if node.kind == "inverse":
        return 1 / parts[0]
    if node.kind == "power":
        base, exponent = parts
        if exponent.is_number:
            return raised(base, exponent)
        if base == E:
            return Exp(exponent)
        if is_number(base):
            return Exp(exponent * sympy.Float(elementary("log")(value_of(base)), precision=53))
        return Exp(exponent * Log(base))
    if node.kind == "call":
        return _call(node.word, parts)
    return Condition(sympy.Symbol(node.word or node.kind), *parts)


def _call(word: str, parts: list[Any]) -> Any:
    if word == "where":
        return Select(*parts)
    if word in ("min", "max"):
        sign = sympy.Symbol("<=" if word == "min" else ">=")
        return functools.reduce(lambda a, b: Select(Condition(sign, a, b), a, b), parts)
    if word == "sqrt":
        return parts[0] ** sympy.Rational(1, 2)
    inner = parts[0]
    if word in ("sin", "cos") and inner.is_Mul and PI in inner.args:
        turns = inner / (2 * PI)  # in turns the reduction is exact
        return SinTurns(turns) if word == "sin" else CosTurns(turns)
    return FUNCTIONS[word](inner)
