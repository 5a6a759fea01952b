"""From a formula's text to its tree and its plain functions; both are cached."""

from __future__ import annotations

import functools

from fastmomentum.objectives import generated
from fastmomentum.objectives.base import Functions
from fastmomentum.objectives.grammar import Node, parse
from fastmomentum.objectives.tokens import FormulaError
from fastmomentum.objectives.trees import specialise, uses, weigh


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
    tree = specialise(parsed(formula, (*variables, *names)), variables, dict(constants))
    weigh(tree, variables)
    if not uses(tree, variables):
        raise FormulaError(f"must depend on {variables[0]} or {variables[1]}, and does not")

    def write() -> str:
        from fastmomentum.objectives.derivation import derive  # SymPy is slow to import

        return derive(tree, variables, names)

    return generated.functions(f"{variables} {names} {tree.spelt()}", write)
