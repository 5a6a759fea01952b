"""From a formula's tree to plain functions: SymPy differentiates, and what is shared is named.

SymPy is given each node by itself, and never a text. Its own elementary functions, which look for
simplifications as long as there are any, are not used: functions stand as names with a derivative.
This module is imported where a formula is new; known ones lie in the cache as source.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

import sympy
from sympy.core.parameters import distribute

from fastmomentum.objectives.grammar import FormulaError, Node
from fastmomentum.objectives.trees import ELEMENTARY, elementary

MOST_OPERATIONS: Final = 3_000
"""Operations that value, gradient and Hessian together may take, once what they share is shared."""

PI: Final = sympy.Symbol("pi")
E: Final = sympy.Symbol("e")


class _Called(sympy.Function):  # type: ignore[misc]  # SymPy has no types
    """A function that stands for itself: nothing is evaluated or looked for."""

    @classmethod
    def eval(cls, *_: Any) -> None:
        return None


def _function(name: str, slope: Callable[[Any], Any]) -> Any:
    """A function of one argument, by its derivative, which is given the function as it stands."""
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
    """A comparison, or conditions joined; which one is its first argument."""

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
        # What cancelled to a number has the float64 that is nearest to its power.
        return sympy.Rational(float((base**power).evalf(40)))
    return base**power if power.is_Rational and (2 * power).is_Integer else Raised(base, power)


_FUNCTIONS: Final = {
    "sin": Sin, "cos": Cos, "tan": Tan, "exp": Exp, "log": Log, "tanh": Tanh, "abs": Abs,
}  # fmt: skip


def derive(node: Node, variables: Sequence[str], constants: Sequence[str]) -> str:
    """Source of a formula's value, gradient and Hessian.

    Parameters
    ----------
    node : Node
        The formula, weighed.
    variables : sequence of str
        The two that it is derived by.
    constants : sequence of str
        In the order in which the functions are to read them.

    Returns
    -------
    str
        A module with the functions ``value_at``, ``gradient_at`` and ``hessian_at`` of
        ``(x, y, constants)``, made of + - * /, sqrt, abs, `select` and the elementary functions.

    Raises
    ------
    FormulaError
        The formula depends on no variable, divides by 0, or is too large once derived.
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
        writer = _Writer(spelt)
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
        if _is_number(base):
            return Exp(exponent * sympy.Float(elementary("log")(_value(base)), precision=53))
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
        turns = inner / (2 * PI)  # by whole turns the reduction is exact
        return SinTurns(turns) if word == "sin" else CosTurns(turns)
    return _FUNCTIONS[word](inner)


_SUM, _PRODUCT, _SIGN, _ATOM = range(1, 5)
"""How tightly what was written holds together."""


class _Writer:
    """Writes expressions as Python; whatever is needed twice gets a name."""

    def __init__(self, spelt: dict[Any, str]) -> None:
        self.spelt = spelt
        self.operations = 0
        self.called: set[str] = set()
        self.orders: dict[Any, tuple[int, str]] = {}

    def imports(self) -> str:
        names = ", ".join(sorted(self.called))
        return f"from {ELEMENTARY} import {names}" if names else ""

    def function(self, name: str, results: Sequence[Any]) -> str:
        self.lines: list[str] = []
        self.known: dict[Any, tuple[str, int]] = {}
        self.uses: dict[Any, int] = {}
        for result in results:
            self.count(result)
        said = [self.write(result)[0] for result in results]
        # New arrays: an update in place must not change the point itself.
        said = [f"1.0 * {one}" if one in ("x", "y") else one for one in said]
        body = [f"def {name}(x, y, constants):", *self.lines, f"    return {', '.join(said)}"]
        return "\n".join(body) + "\n"

    def count(self, whole: Any) -> None:
        """How often each part is needed."""
        left = [whole]
        while left:
            one = left.pop()
            self.uses[one] = self.uses.get(one, 0) + 1
            if self.uses[one] == 1:
                left += self.needed(one)

    def needed(self, one: Any) -> list[Any]:
        """The parts that writing an expression takes, each as often as it is written."""
        if _is_number(one):
            return []
        if one.is_Add:
            return [part for part, _ in self.terms(one)]
        if one.is_Mul:
            _, factors = self.split(one)
            return factors
        if one.is_Pow:
            base, power = one.args
            return [base] * (2 if abs(power) > 1 else 1)
        if isinstance(one, Condition):
            return list(one.args[1:])
        if isinstance(one, Raised):
            return [Log(one.args[0])]
        if isinstance(one, Sign):
            return [one.args[0]] * 2
        return list(one.args)

    def write(self, one: Any) -> tuple[str, int]:
        """An expression and how tightly it holds together; with a name where it is shared."""
        if one in self.known:
            return self.known[one]
        said = self.spelt_out(one)
        if self.uses.get(one, 0) > 1 and not one.is_Atom and not _is_number(one):
            name = f"t{len(self.lines)}"
            self.lines.append(f"    {name} = {said[0]}")
            said = (name, _ATOM)
            self.known[one] = said
        return said

    def inside(self, one: Any, level: int) -> str:
        text, own = self.write(one)
        return text if own >= level else f"({text})"

    def spelt_out(self, one: Any) -> tuple[str, int]:
        self.operations += 1
        if _is_number(one):
            return _digits(_value(one))
        if one.is_Symbol:
            return self.spelt[one], _ATOM
        if one.is_Add:
            return self.sum(one)
        if one.is_Mul:
            return self.product(one)
        if one.is_Pow:
            return self.power(*one.args)
        return self.call(one)

    def sum(self, one: Any) -> tuple[str, int]:
        text = ""
        for part, minus in self.terms(one):
            said = self.inside(part, _PRODUCT)
            if text:
                text += f" {'-' if minus else '+'} {said}"
            else:
                text = f"-{said}" if minus else said
            self.operations += 1
        return text, _SUM

    def terms(self, one: Any) -> list[tuple[Any, bool]]:
        """What a sum is made of, each without its sign, and whether that is a minus."""
        found = []
        for term in sorted(one.args, key=self.order):
            coefficient, _ = term.as_coeff_Mul()
            minus = bool(coefficient < 0)
            found.append((-term if minus else term, minus))
        first = next((i for i, (_, minus) in enumerate(found) if not minus), 0)
        return [found[first], *found[:first], *found[first + 1 :]]  # a minus only if all have one

    def order(self, one: Any) -> tuple[int, str]:
        """What parts are ordered by, whatever SymPy's own order is.

        The shallow ones come first, so that the deepest, which is ready last, has to wait for as
        few operations as can be; what does not vary stands together, and is computed once.
        """
        known = self.orders.get(one)
        if known is None:
            inner = [self.order(part) for part in one.args]
            inner = sorted(inner) if one.is_Add or one.is_Mul else inner
            head = type(one).__name__ if one.args else str(one)
            text = f"{head}({','.join(text for _, text in inner)})" if inner else head
            if len(text) > 200:
                text = f"{len(text)}:{text[:150]}"
            varies = any(str(symbol).startswith("v_") for symbol in one.free_symbols)
            deepest = max((depth for depth, _ in inner), default=0)
            known = (deepest + 1 if varies else -1, text)
            self.orders[one] = known
        return known

    def split(self, one: Any) -> tuple[Any, list[Any]]:
        """A product's number, and its factors: those that do not vary first."""
        number, factors = sympy.S.One, []
        for factor in one.args:
            if _is_number(factor):
                number *= factor
            else:
                factors.append(factor)
        return number, sorted(factors, key=self.order)

    def product(self, one: Any) -> tuple[str, int]:
        number, factors = self.split(one)
        over = [f for f in factors if not _is_divisor(f)]
        value = _value(number)
        said = []
        if abs(value) != 1.0 or not over:
            said.append(_digits(abs(value))[0])
        said += [self.inside(factor, _SIGN) for factor in over]
        text = " * ".join(said)
        for factor in factors:
            if _is_divisor(factor):
                base, power = factor.args
                text += f" / {self.inside_power(base, -power)}"
        self.operations += len(factors)
        return (f"-{text}", _SIGN) if value < 0 else (text, _PRODUCT)

    def inside_power(self, base: Any, power: Any) -> str:
        text, level = self.write(base) if power == 1 else self.power(base, power)
        return text if level >= _ATOM else f"({text})"

    def power(self, base: Any, power: Any) -> tuple[str, int]:
        if power < 0:
            return f"1.0 / {self.inside_power(base, -power)}", _PRODUCT
        whole, half = divmod(power, 1)
        said = self.inside(base, _ATOM)
        parts = [self.squared(said, int(whole))] if whole else []
        if half:
            self.called.add("sqrt")
            parts.append(f"sqrt({self.write(base)[0]})")
        return " * ".join(parts), _PRODUCT if len(parts) > 1 or whole > 1 else _ATOM

    def squared(self, said: str, power: int) -> str:
        """A whole power by products; long ones through names."""
        self.operations += power.bit_length()
        if power <= 3:
            return " * ".join([said] * power)
        if not said.isalnum():
            said = self.named(said)
        half = self.named(self.squared(said, power // 2))
        return f"{half} * {half}" + (f" * {said}" if power % 2 else "")

    def named(self, text: str) -> str:
        if text.isalnum():
            return text
        for line in self.lines:
            name, _, known = line.strip().partition(" = ")
            if known == text:
                return name
        name = f"t{len(self.lines)}"
        self.lines.append(f"    {name} = {text}")
        return name

    def call(self, one: Any) -> tuple[str, int]:
        if isinstance(one, Condition):
            return self.condition(one)
        if isinstance(one, Sign):
            said = self.inside(one.args[0], _SUM)
            return f"1.0 * ({said} > 0.0) - 1.0 * ({said} < 0.0)", _SUM
        if isinstance(one, Raised):
            self.called.add("exp")
            log = self.inside(Log(one.args[0]), _PRODUCT)
            return f"exp({_digits(_exact(one.args[1]))[0]} * {log})", _ATOM
        name = type(one).__name__.replace("Turns", "_turns").lower()
        if name != "abs":
            self.called.add(name)
        return f"{name}({', '.join(self.write(part)[0] for part in one.args)})", _ATOM

    def condition(self, one: Any) -> tuple[str, int]:
        word, parts = str(one.args[0]), [self.inside(part, _SUM) for part in one.args[1:]]
        if word == "not":
            return f"({parts[0]} ^ True)", _ATOM
        sign = {"and": "&", "or": "|"}.get(word, word)
        return f"({f' {sign} '.join(parts)})", _ATOM


def _is_number(one: Any) -> bool:
    """Whether it is made of numbers, pi and e alone."""
    return bool(one.is_Number or one.free_symbols <= {PI, E})


def _is_divisor(factor: Any) -> bool:
    return bool(factor.is_Pow and factor.args[1] < 0)


def _digits(number: float) -> tuple[str, int]:
    """A number as Python reads it back."""
    if not math.isfinite(number):
        raise FormulaError("has numbers that float64 cannot hold; rescale it")
    return repr(number), _ATOM if number >= 0 else _SIGN


def _exact(number: Any) -> float:
    """The float64 nearest to a number."""
    if number.is_Rational:
        try:
            return int(number.p) / int(number.q)
        except (OverflowError, ZeroDivisionError):
            return math.inf
    return float(number) if number.is_Float else math.nan


def _value(one: Any) -> float:
    """The float64 nearest to a product of numbers, pi and e."""
    if one.is_Number:
        return _exact(one)
    number = one.subs({PI: sympy.pi, E: sympy.E}, simultaneous=True).evalf(40)
    return float(number) if number.is_Float or number.is_Rational else math.nan
