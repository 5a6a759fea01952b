"""The grammar of formulas: our own, so that no text is ever run as Python.

A text becomes tokens, tokens become a tree, and the tree's size is bounded before anything is done
with it. Every refusal names the column. Limits keep untrusted formulas from taking time or memory.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, NoReturn

from fastmomentum.objectives.tokens import (
    ALLOWED,
    CONNECTIVES,
    FUNCTIONS,
    LONGEST,
    LONGEST_NUMBER,
    NUMBERS,
    FormulaError,
    Token,
    given_as,
    is_free,
    refuse,
    tokens,
)
from fastmomentum.text import suggest

DEEPEST: Final = 50
"""Deepest nesting of parentheses, calls, signs and powers."""
_LEVELS: Final = {
    "or": 1, "and": 2,
    "<": 4, "<=": 4, ">": 4, ">=": 4, "==": 4, "!=": 4,
    "+": 5, "-": 5, "*": 6, "/": 6, "^": 8, "**": 8,
}  # fmt: skip
"""How tightly each operator binds."""
_COMPARISON, _POWER = 4, 8
_CONDITIONS: Final = frozenset({"compare", "and", "or", "not"})


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A part of a formula.

    Attributes
    ----------
    kind : str
        "number", "name"; "sum" and "product" (of any number of parts), "negative", "inverse",
        "power", "call"; or a condition: "compare", "and", "or", "not".
    parts : tuple of Node
        Its operands.
    word : str
        For a name, a call or a comparison: which one.
    number : Fraction or float
        For a number: its value, exact where it is short.
    column : int
        Where it begins, from 1.
    """

    kind: str
    parts: tuple[Node, ...] = ()
    word: str = ""
    number: Fraction | float = 0.0
    column: int = 0

    @property
    def is_condition(self) -> bool:
        """Whether it is a condition rather than a number."""
        return self.kind in _CONDITIONS

    def spelt(self) -> str:
        """The tree as text, the same for formulas that differ only in blanks and parentheses."""
        if not self.parts:
            return self.word or str(self.number)
        return (
            f"({' '.join([self.kind + ':' + self.word, *(part.spelt() for part in self.parts)])})"
        )


def parse(text: str, names: Collection[str]) -> Node:
    """Read a formula.

    Parameters
    ----------
    text : str
        Such as ``"(a - x)^2 + b*(y - x^2)^2"``.
    names : collection of str
        Known variables and constants.

    Returns
    -------
    Node
        The tree, whose value is a number, not a condition.

    Raises
    ------
    FormulaError
        The text is no formula, is too long, or is nested too deeply.

    Examples
    --------
    >>> parse("2*x + 1", ["x", "y"]).spelt()
    '(sum: (product: 2 x) 1)'
    """
    if len(text) > LONGEST:
        raise FormulaError(f"must have {LONGEST:,} characters at most: got {len(text):,}")
    return _Parser(list(tokens(text)), names).whole()


class _Parser:
    """Precedence climbing, by recursion as deep as the formula is nested."""

    def __init__(self, tokens: Sequence[Token], names: Collection[str]) -> None:
        self.tokens, self.names = tokens, names
        self.at = self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def take(self) -> Token:
        token = self.tokens[self.at]
        self.at += 1
        return token

    def whole(self) -> Node:
        node = self.expression(1)
        if self.token.kind != "end":
            self.unexpected()
        return _number(node)

    def unexpected(self) -> NoReturn:
        token, before = self.token, self.tokens[self.at - 1]
        if token.kind == "end":
            refuse(token.column, f"the formula ends where a number has to follow; {ALLOWED}")
        if token.text in _LEVELS or token.text == ",":
            refuse(token.column, f"got {token}, which cannot stand here; {ALLOWED}")
        if before.kind in ("number", "name") or before.text == ")":
            advice = "a product is written with *, and only functions are called"
            refuse(token.column, f"expected an operator, got {token}; {advice}")
        refuse(token.column, f"got {token}, which cannot stand here; {ALLOWED}")

    def expression(self, lowest: int) -> Node:
        """An expression whose operators bind at least as tightly as `lowest`."""
        left = self.operand()
        while (level := _LEVELS.get(self.token.text, 0)) >= lowest:
            if level == _POWER:
                left = self.power(left)
            elif level == _COMPARISON:
                left = self.comparison(left)
            else:
                left = self.chain(left, level)
        return left

    def chain(self, first: Node, level: int) -> Node:
        """A chain of operands of +, of *, of "and" or of "or"."""
        parts = [first]
        while _LEVELS.get(self.token.text) == level:
            sign = self.take()
            part = self.expression(level + 1)
            if sign.text in ("-", "/"):
                kind = "negative" if sign.text == "-" else "inverse"
                part = Node(kind, (_number(part),), column=sign.column)
            parts.append(part)
        kind = {5: "sum", 6: "product", 2: "and", 1: "or"}[level]
        check = _condition if level <= 2 else _number
        return Node(kind, tuple(map(check, parts)), column=first.column)

    def power(self, base: Node) -> Node:
        sign = self.take()
        with_in = self.nested(lambda: self.expression(_POWER), sign.column)
        return Node("power", (_number(base), _number(with_in)), column=base.column)

    def comparison(self, left: Node) -> Node:
        """One comparison, or several in a row, all of which have to hold."""
        found = []
        while _LEVELS.get(self.token.text) == _COMPARISON:
            sign = self.take()
            right = self.expression(_COMPARISON + 1)
            pair = (_number(left), _number(right))
            found.append(Node("compare", pair, sign.text, column=sign.column))
            left = right
        return found[0] if len(found) == 1 else Node("and", tuple(found), column=found[0].column)

    def operand(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return _literal(token)
        if token.text in ("-", "+"):
            inner = _number(self.nested(lambda: self.expression(_POWER), token.column))
            return Node("negative", (inner,), column=token.column) if token.text == "-" else inner
        if token.text == "not":
            inner = self.nested(lambda: self.expression(_COMPARISON), token.column)
            return Node("not", (_condition(inner),), column=token.column)
        if token.text == "(":
            inner = self.nested(lambda: self.expression(1), token.column)
            self.close(token)
            return inner
        if token.kind == "name" and token.text not in CONNECTIVES:
            return self.call(token) if token.text in FUNCTIONS else self.name(token)
        self.at -= 1
        return self.unexpected()

    def nested(self, inner: Callable[[], Node], column: int) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            refuse(column, f"nested more than {DEEPEST} deep; write it flatter")
        node = inner()
        self.depth -= 1
        return node

    def name(self, token: Token) -> Node:
        if token.text not in self.names and token.text not in NUMBERS:
            known = [*self.names, *NUMBERS, *FUNCTIONS]
            advice = suggest(token.text[:40], known)
            if self.token.text != "(" and is_free(token.text):
                advice += " If" if advice.endswith("?") else "; if"
                advice += f" it is a constant, give it a value: {given_as(token.text)}"
            refuse(token.column, f"{token} is not known; {advice}")
        if self.token.text == "(":
            advice = f"functions are {' '.join(FUNCTIONS)}; a product is written with *"
            refuse(token.column, f"{token} is not a function; {advice}")
        return Node("name", word=token.text, column=token.column)

    def call(self, token: Token) -> Node:
        if self.token.text != "(":
            what = f"the function {token.text} needs its argument in parentheses"
            refuse(self.token.column, f"{what}, got {self.token}; write {token.text}(...)")
        opening, parts = self.take(), []
        while True:
            parts.append(self.nested(lambda: self.expression(1), opening.column))
            if self.token.text != ",":
                break
            self.take()
        self.close(opening)
        takes, word = FUNCTIONS[token.text], token.text
        more = word in ("min", "max") and len(parts) > takes
        if len(parts) != takes and not more:
            few = f"{takes} argument{'s' * (takes > 1)}"
            refuse(token.column, f"{word} takes {few}: got {len(parts)}")
        first = _condition(parts[0], "where takes a condition first") if word == "where" else None
        rest = tuple(_number(part) for part in (parts[1:] if first else parts))
        return Node("call", (first, *rest) if first else rest, word, column=token.column)

    def close(self, opening: Token) -> None:
        if self.token.text != ")":
            if self.token.kind == "end":
                refuse(opening.column, "this parenthesis is not closed; add )")
            self.unexpected()
        self.take()


def _literal(token: Token) -> Node:
    if len(token.text) > LONGEST_NUMBER:
        refuse(token.column, f"a number may have {LONGEST_NUMBER} characters at most: got {token}")
    value = float(token.text)
    if value in (float("inf"), 0.0) and any(digit in "123456789" for digit in _digits(token.text)):
        refuse(token.column, f"{token} is no number that float64 can hold")
    mantissa, _, exponent = token.text.lower().partition("e")
    is_short = len(mantissa) <= 18 and abs(int(exponent or "0")) <= 15
    number = Fraction(token.text) if is_short else value
    return Node("number", number=number, column=token.column)


def _digits(number: str) -> str:
    return number.lower().partition("e")[0]


def _number(node: Node) -> Node:
    if node.is_condition:
        advice = "write where(condition, then, otherwise)"
        refuse(node.column, f"a condition stands where a number has to; {advice}")
    return node


def _condition(node: Node, what: str = "and, or and not join conditions") -> Node:
    if not node.is_condition:
        refuse(node.column, f"a number stands where a condition has to, for {what}, such as x < 1")
    return node
