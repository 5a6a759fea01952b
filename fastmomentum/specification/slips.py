"""Common slips in a line of TOML, such as numbers in another notation, and what to write instead.

The TOML parser's own messages say where it stopped, not what to do.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Callable
from decimal import Decimal
from typing import Final

POWER: Final = r"(?:[eE][+-]?\d+)"
NUMBER: Final = rf"[+-]?(?:\d[\d_]*(?:\.[\d_]*)?|\.\d+){POWER}?"
WORD: Final = r"[A-Za-z_][\w./-]*"
KEY: Final = r"[A-Za-z_][\w.-]*"

WORDS: Final = {"true": "true", "false": "false", "inf": "inf", "infinity": "inf", "yes": "true"}
"""TOML's spelling of words that other languages write differently."""
NOTHING: Final = ("none", "null", "nil", "nan")

LONGEST: Final = 500
"""Longest text that is searched: the time grows with the square of its length."""

UNCLOSED: Final = "close the quotes"

Slip = tuple[str, Callable[[re.Match[str]], str]]


def _plain(text: str) -> str:
    """A number as TOML wants it: digits on both sides of the point, no leading zeros."""
    sign = text[0] if text[0] in "+-" else ""
    mantissa, mark, exponent = text.lstrip("+-").partition("e" if "e" in text else "E")
    whole, point, rest = mantissa.partition(".")
    whole = whole.lstrip("0") or "0"
    return f"{sign}{whole}{point}{rest or '0' * bool(point)}{mark}{exponent}"


def _share(match: re.Match[str]) -> str:
    return f"write {Decimal(match[1].replace('_', '')) / 100:f}"


def _power(match: re.Match[str]) -> str:
    factor = (match[1] or "1").rstrip("* ")
    return f"write {factor}e{match[2]}"


def _ratio(match: re.Match[str]) -> str:
    below = float(match[2])
    return f"write {float(match[1]) / below:.6g}" if below else "write a number"


def _capital(match: re.Match[str]) -> str:
    if match[1].lower() == "nan":
        return "write a finite number"
    if match[1].lower() in NOTHING:
        return f"leave the key out; {match[1]} is not known"
    return f"write {WORDS[match[1].lower()]}"


# Tried in this order, on the value with its quoted texts removed.
VALUES: Final[tuple[Slip, ...]] = (
    (r"[\u2018\u2019\u201c\u201d]", lambda _: 'write straight quotes, "'),
    (r"[\u2212\u2013]", lambda _: "write the minus sign -"),
    (rf"({NUMBER})\s*%", _share),
    (r"(\d[\d.]*\s*\*\s*)?\b10\s*(?:\^|\*\*)\s*\(?([+-]?\d+)\)?", _power),
    (rf"({NUMBER})\s*/\s*({NUMBER})", _ratio),
    (r"^\s*([+-]?\d+),(0\d*)\s*$", lambda m: f"write {m[1]}.{m[2]}"),
    (rf"^\s*({NUMBER}),(\d+)\s*$", lambda m: f"write {m[1]}.{m[2]}, or [{m[1]}, {m[2]}] for two"),
    (r"(?<![\w.])([+-]?\.\d[\deE+-]*)", lambda m: f"write {_plain(m[1])}"),
    (rf"(?<![\w.])([+-]?\d+\.{POWER}?)(?![\d\w])", lambda m: f"write {_plain(m[1])}"),
    (rf"(?<![\w.+-])([+-]?0\d[\d.]*{POWER}?)(?![\w.:-])", lambda m: f"write {_plain(m[1])}"),
    (rf"(?i)(?<![\w.])({'|'.join([*WORDS, *NOTHING])})(?![\w.])", _capital),
    (rf"[{{,]\s*(?:{KEY}|\"\")\s*:", lambda _: "write = between key and value, not :"),
    (r"[;,]\s*$", lambda m: f"drop the {m[0].strip()} at the end"),
    (rf"^\s*({WORD}(?: {WORD})*)\s*$", lambda m: f'write "{m[1]}", in quotes'),
    (rf"[\[,]\s*({NUMBER})\s+({NUMBER})", lambda m: f"write {m[1]}, {m[2]}"),
)  # fmt: skip

TEXTS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|' + r"'[^']*'")


def slip_in_value(value: str) -> str | None:
    """Say what to write instead of a value that is not valid TOML.

    Parameters
    ----------
    value : str
        The text after the equals sign.

    Returns
    -------
    str or None
        Advice; None where no common slip is found.

    Examples
    --------
    >>> slip_in_value(".001"), slip_in_value("90%"), slip_in_value("True")
    ('write 0.001', 'write 0.9', 'write true')
    """
    with contextlib.suppress(ValueError, RecursionError):
        tomllib.loads(f"value = {value}")
        return None
    if len(value) > LONGEST:
        return None
    bare = TEXTS.sub('""', value)
    quote, _, comment = bare.partition("#")
    if comment and quote.count('"') % 2 == 0:
        bare = quote
    if "\\" in value and '"' in value:
        return "write texts with a backslash in single quotes"
    if bare.replace('""', "").count('"') % 2 or bare.count("'") % 2:
        return UNCLOSED
    for pattern, advice in VALUES:
        if (match := re.search(pattern, bare)) and advice(match) != f"write {match[0].strip()}":
            return advice(match)
    return None


def slip_in_line(line: str) -> str | None:
    """Say what to write instead of a line that is not valid TOML.

    Parameters
    ----------
    line : str
        The line at which the parser stopped.

    Returns
    -------
    str or None
        Advice; None where no common slip is found.

    Examples
    --------
    >>> slip_in_line("steps 100")
    'write steps = 100'
    >>> slip_in_line("[grid")
    'write [grid]'
    """
    line = line.strip()
    if len(line) > LONGEST:
        return None
    if match := re.fullmatch(rf"\[\s*({KEY})\s*[^\]]?|({KEY})\s*\]", line):
        return f"write [{match[1] or match[2]}]"
    if line.startswith(("//", "%", ";", "--")):
        return "begin comments with #"
    before, equals, value = line.partition("=")
    if equals and value.startswith("="):
        return f"write {before.strip()} = {value[1:].strip()}"
    if equals and re.fullmatch(rf"[\s\"']*{KEY}[\s\"']*", before):
        return slip_in_value(value) if value.strip() else f"write a value after {before.strip()} ="
    if match := re.fullmatch(rf"({KEY})(?:\s*:=?\s*|\s+)(\S.*)", line):
        return f"write {match[1]} = {match[2]}"
    if re.fullmatch(KEY, line):
        return f"write {line} = and its value"
    return None
