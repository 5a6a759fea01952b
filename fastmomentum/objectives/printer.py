"""From SymPy's expressions to the source of plain functions; common subexpressions get a name."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import sympy

from fastmomentum.objectives.symbolic import PI, Condition, E, Log, Raised, Sign
from fastmomentum.objectives.tokens import FormulaError
from fastmomentum.objectives.trees import ELEMENTARY

_SUM, _PRODUCT, _SIGN, _ATOM = range(1, 5)
"""How tightly a written expression binds."""


class Writer:
    """Writes expressions as Python; a subexpression that is needed twice gets a name."""

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
        """Count how often each subexpression is needed."""
        left = [whole]
        while left:
            one = left.pop()
            self.uses[one] = self.uses.get(one, 0) + 1
            if self.uses[one] == 1:
                left += self.needed(one)

    def needed(self, one: Any) -> list[Any]:
        """The subexpressions that an expression is written with, each as often as it occurs."""
        if is_number(one):
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
        """An expression's text and how tightly it binds; its name where it is needed twice."""
        if one in self.known:
            return self.known[one]
        said = self.spelt_out(one)
        if self.uses.get(one, 0) > 1 and not one.is_Atom and not is_number(one):
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
        if is_number(one):
            return _digits(value_of(one))
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
        """The terms of a sum, each without its sign, and whether that is a minus."""
        found = []
        for term in sorted(one.args, key=self.order):
            coefficient, _ = term.as_coeff_Mul()
            minus = bool(coefficient < 0)
            found.append((-term if minus else term, minus))
        first = next((i for i, (_, minus) in enumerate(found) if not minus), 0)
        return [found[first], *found[:first], *found[first + 1 :]]  # a minus only if all have one

    def order(self, one: Any) -> tuple[int, str]:
        """A sort key for operands that does not depend on SymPy's own order.

        Shallow ones come first, so that few operations have to wait for the deepest, which is ready
        last; constants stand together, and are computed once.
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
        """A product's number, and its other factors, constants first."""
        number, factors = sympy.S.One, []
        for factor in one.args:
            if is_number(factor):
                number *= factor
            else:
                factors.append(factor)
        return number, sorted(factors, key=self.order)

    def product(self, one: Any) -> tuple[str, int]:
        number, factors = self.split(one)
        over = [f for f in factors if not _is_divisor(f)]
        value = value_of(number)
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
        """A whole power by products; large ones by squaring, through names."""
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
            return f"exp({_digits(exact(one.args[1]))[0]} * {log})", _ATOM
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


def is_number(one: Any) -> bool:
    """Whether it has only numbers, pi and e and no functions, so that it is computed here."""
    return bool(one.is_Number or (one.free_symbols <= {PI, E} and not one.has(sympy.Function)))


def _is_divisor(factor: Any) -> bool:
    return bool(factor.is_Pow and factor.args[1] < 0)


def _digits(number: float) -> tuple[str, int]:
    """A number as Python reads it back."""
    if not math.isfinite(number):
        raise FormulaError("has numbers that float64 cannot hold; rescale it")
    return repr(number), _ATOM if number >= 0 else _SIGN


def exact(number: Any) -> float:
    """The float64 nearest to a number."""
    if number.is_Rational:
        try:
            return int(number.p) / int(number.q)
        except (OverflowError, ZeroDivisionError):
            return math.inf
    return float(number) if number.is_Float else math.nan


def value_of(one: Any) -> float:
    """The float64 nearest to a product of numbers, pi and e."""
    if one.is_Number:
        return exact(one)
    number = one.subs({PI: sympy.pi, E: sympy.E}, simultaneous=True).evalf(40)
    return float(number) if number.is_Float or number.is_Rational else math.nan
