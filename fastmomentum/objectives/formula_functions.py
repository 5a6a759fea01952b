"""From a formula's text to its tree and its plain functions; both are cached."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fastmomentum.objectives import generated
from fastmomentum.objectives.base import Functions
from fastmomentum.objectives.grammar import Node, parse
from fastmomentum.objectives.tokens import FormulaError
from fastmomentum.objectives.trees import specialise, uses, weigh
from fastmomentum.specification.messages import Fault, faults


@functools.lru_cache(maxsize=256)
def parsed(formula: str, names: tuple[str, ...]) -> Node:
    """The formula's tree."""
    return parse(formula, names)


@functools.lru_cache(maxsize=256)
def functions(
    formula: str, variables: tuple[str, str], constants: tuple[tuple[str, float], ...]
) -> Functions:
    """Value, gradient and Hessian.

    Raises
    ------
    FormulaError
        It depends on no variable, or is too large.
    """
    names = [name for name, _ in constants]
    tree = _specialised(formula, variables, constants)
    weigh(tree, variables)
    if not uses(tree, variables):
        raise FormulaError(f"must depend on {variables[0]} or {variables[1]}, and does not")

    def write() -> str:
        from fastmomentum.objectives.derivation import derive  # SymPy is slow to import

        return derive(tree, variables, names)

    return generated.functions(f"{variables} {names} {tree.spelt()}", write)


def formula_faults(
    formula: str,
    variables: tuple[str, str],
    constants: tuple[tuple[str, float], ...],
    expressions: Sequence[str],
) -> list[Fault]:
    """Faults of a formula's constants.

    Parameters
    ----------
    formula : str
        Its text.
    variables : (str, str)
        Names of its variables.
    constants : tuple of (str, float)
        By name.
    expressions : sequence of str
        Coordinates of minimisers that are computed from the constants.

    Returns
    -------
    list of (str, str)
        Key and message for each constant that nothing uses.

    Raises
    ------
    ValidationError
        A constant has a variable's name, the formula cannot be derived, or an expression is none.
    """
    names = tuple(name for name, _ in constants)
    taken = [name for name in names if name in variables]
    if taken:
        raise faults([("constants", f"has {taken[0]!r}, which is a variable; rename one")])
    try:
        trees = [parsed(formula, (*variables, *names))]
        functions(formula, variables, constants)
    except FormulaError as error:
        raise faults([("formula", str(error))]) from None
    try:
        trees += [parsed(text, names) for text in expressions]
    except FormulaError as error:
        raise faults([("minimisers", str(error))]) from None
    return [
        ("constants", f"has {name}, which the formula does not; drop it")
        for name in names
        if not any(uses(tree, [name]) for tree in trees)
    ]


def degree(
    formula: str, variables: tuple[str, str], constants: tuple[tuple[str, float], ...]
) -> int | None:
    """Degree of a formula as a polynomial in its variables; larger where its terms cancel.

    None where it has anything but sums, products and whole powers of them.
    """
    return _degree(_specialised(formula, variables, constants), variables)


def _degree(node: Node, variables: tuple[str, str]) -> int | None:
    if not uses(node, variables):
        return 0
    if node.kind == "name":
        return 1
    if node.kind == "power":
        base, power = _degree(node.parts[0], variables), node.parts[1].number
        is_whole = power > 0 and power == int(power)  # 0 stands for exponents that vary
        return base * int(power) if is_whole and base is not None else None
    parts = [_degree(part, variables) for part in node.parts]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts) or node.kind not in ("sum", "negative", "product"):
        return None
    return sum(known) if node.kind == "product" else max(known)


def _specialised(
    formula: str, variables: tuple[str, str], constants: tuple[tuple[str, float], ...]
) -> Node:
    names = [name for name, _ in constants]
    return specialise(parsed(formula, (*variables, *names)), variables, dict(constants))
