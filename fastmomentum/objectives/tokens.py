"""Tokens of a formula, and the names that it may use; every refusal names the column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword
from typing import Final, NoReturn

from fastmomentum.errors import InputError

LONGEST: Final = 10_000
"""Characters of a formula, at most."""
LONGEST_NAME: Final = 30
LONGEST_NUMBER: Final = 40

FUNCTIONS: Final = {
    "sin": 1, "cos": 1, "tan": 1, "exp": 1, "log": 1, "sqrt": 1, "tanh": 1, "abs": 1,
    "min": 2, "max": 2, "where": 3,
}  # fmt: skip
"""How many arguments each function takes; min and max take more as well."""
NUMBERS: Final = ("pi", "e")
CONNECTIVES: Final = ("and", "or", "not")
RESERVED: Final = frozenset(
    {*FUNCTIONS, *NUMBERS, *CONNECTIVES, "formula", "constants", "box", "label", "minimisers"}
    | {"variables", "name", "found", "self"}
)
"""Names that neither a variable nor a constant may have."""
ALLOWED: Final = (
    "allowed are numbers, variables, constants, pi, e, + - * / ^ **, parentheses, "
    f"{' '.join(FUNCTIONS)}, and in where < <= > >= == != and or not"
)

_TOKEN: Final = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>\*\*|<=|>=|==|!=|[-+*/^(),<>])"
)


class FormulaError(InputError):
    """A formula that is refused; the message says at which column, and what is allowed.

    The message is written to follow the formula's key.
    """


def refuse(column: int, what: str) -> NoReturn:
    """Refuse a formula.

    Parameters
    ----------
    column : int
        Where, from 1.
    what : str
        What is wrong, and what to do.
    """
    raise FormulaError(f"is refused at column {column}: {what}")


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign of a formula.

    Attributes
    ----------
    kind : str
        "number", "name", "sign" or "end".
    text : str
        As written.
    column : int
        Where it begins, from 1.
    """

    kind: str
    text: str
    column: int

    def __str__(self) -> str:
        """The token as quoted in messages."""
        if self.kind == "end":
            return "the end"
        return repr(self.text if len(self.text) <= 40 else self.text[:37] + "...")


def is_free(name: str) -> bool:
    """Whether a variable or a constant may have this name."""
    return len(name) <= LONGEST_NAME and name not in RESERVED


def given_as(name: str, in_python: bool = False) -> str:
    """How a constant is given its value, in a file or as an argument in Python.

    Examples
    --------
    >>> given_as("a"), given_as("a", in_python=True)
    ('constants = { a = 1.0 }', 'a=1.0')
    """
    if not in_python:
        return f"constants = {{ {name} = 1.0 }}"
    return f"constants={{{name!r}: 1.0}}" if iskeyword(name) else f"{name}=1.0"


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text; the last one is its end.

    Raises
    ------
    FormulaError
        A character has no meaning.
    """
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            refuse(at + 1, f"{text[at]!r} has no meaning here; {ALLOWED}")
        kind = found.lastgroup or ""
        if kind != "blank":
            yield Token(kind, found[0], at + 1)
        at = found.end()
    yield Token("end", "", len(text) + 1)
