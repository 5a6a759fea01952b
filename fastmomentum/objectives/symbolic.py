"""SymPy's view of formulas: opaque functions, each known only by its name and derivative.

SymPy's own elementary functions are not used: they would search for simplifications.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import sympy

PI: Final = sympy.Symbol("pi")
E: Final = sympy.Symbol("e")


class _Called(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """An opaque function: nothing is evaluated or simplified."""

    @classmethod
    def eval(cls, *_: Any) -> None:
        return None


def _function(name: str, slope: Callable[[Any], Any]) -> Any:
    """A function of one argument, defined by its derivative as a function of the call itself."""
    return type(name, (_Called,), {"fdiff": lambda self, _index=1: slope(self)})


Sin: Any = _function("Sin", lambda f: Cos(f.args[0]))
Cos: Any = _function("Cos", lambda f: -Sin(f.args[0]))
SinTurns: Any = _function("SinTurns", lambda f: 2 * PI * CosTurns(f.args[0]))
CosTurns: Any = _function("CosTurns", lambda f: -2 * PI * SinTurns(f.args[0]))
Tan: Any = _function("Tan", lambda f: 1 + f**2)
Exp: Any = _function("Exp", lambda f: f)
Log: Any = _function("Log", lambda f: 1 / f.args[0])
Tanh: Any = _function("Tanh", lambda f: 1 - f**2)
Abs: Any = _function("Abs", lambda f: Sign(f.args[0]))


class Sign(_Called):
    """-1, 0 or 1; its derivative is that of a branch, 0."""

    def _eval_derivative(self, _symbol: Any) -> Any:
        return sympy.S.Zero


class Condition(_Called):
    """A comparison, or conditions joined; the first argument names the operator."""

    def _eval_derivative(self, _symbol: Any) -> Any:
        return sympy.S.Zero


class Select(_Called):
    """One of two values: the derivative is that of the branch taken."""

    def _eval_derivative(self, symbol: Any) -> Any:
        condition, then, otherwise = self.args
        then, otherwise = then.diff(symbol), otherwise.diff(symbol)
        return then if then == otherwise else Select(condition, then, otherwise)


class Raised(_Called):
    """A power that is neither whole nor half: exp(p log u)."""

    def _eval_derivative(self, symbol: Any) -> Any:
        base, power = self.args
        return power * raised(base, power - 1) * base.diff(symbol)


def raised(base: Any, power: Any) -> Any:
    """A power with a number as exponent."""
    if base.is_Rational and base.is_positive and not (2 * power).is_Integer:
        # An expression that cancelled to a number: use the float64 nearest to its power.
        return sympy.Rational(float((base**power).evalf(40)))
    return base**power if power.is_Rational and (2 * power).is_Integer else Raised(base, power)


FUNCTIONS: Final = {
    "sin": Sin, "cos": Cos, "tan": Tan, "exp": Exp, "log": Log, "tanh": Tanh, "abs": Abs,
}  # fmt: skip
