"""Text for people: numbers with units, durations, suggestions for misspelt words."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path


def suggest(word: str, known: Iterable[str]) -> str:
    """Suggest the closest known word, or list all of them.

    Parameters
    ----------
    word : str
        The unknown word.
    known : iterable of str
        All valid words.

    Returns
    -------
    str
        The end of a message.

    Examples
    --------
    >>> suggest("momentun", ["lr", "momentum"])
    "did you mean 'momentum'?"
    """
    known = list(map(printable, known))
    near = _nearest(word, known)
    return f"did you mean '{near}'?" if near else "known are " + ", ".join(known)


def _nearest(word: str, known: Iterable[str]) -> str | None:
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[near[0]] if near else None


def no_such_number(kind: str, count: int, got: int, also: str = "") -> str:
    """Say which numbers there are, where another was asked for.

    Parameters
    ----------
    kind : str
        The argument.
    count : int
        How many things have a number; at least 1.
    got : int
        A number that none of them has.
    also : str
        What else may be given, such as ", or a point".

    Returns
    -------
    str
        A message.

    Examples
    --------
    >>> no_such_number("start", 4, 7)
    'start must be a number from 0 to 3: got 7'
    >>> no_such_number("start", 1, 7, ", or a point")
    'start must be 0, the only one, or a point: got 7'
    """
    numbers = f"a number from 0 to {count - 1}" if count > 1 else "0, the only one"
    return f"{kind} must be {numbers}{also}: got {got}"


def near_file(path: Path, suffix: str) -> Path | None:
    """Find the file that a misspelt name probably meant.

    Parameters
    ----------
    path : path
        The name, which no file has.
    suffix : str
        Suffix of such files, such as ".toml".

    Returns
    -------
    path or None
        A file in the same folder with a similar name.
    """
    try:
        stems = [entry.stem for entry in path.parent.iterdir() if entry.suffix == suffix]
    except (OSError, ValueError):
        return None
    near = difflib.get_close_matches(path.stem, stems, n=1, cutoff=0.75)
    return path.with_name(near[0] + suffix) if near else None


def printable(said: object) -> str:
    r"""The first line of something from a file, short and without control characters.

    Parameters
    ----------
    said : object
        A message or a text.

    Returns
    -------
    str
        Fit for a terminal.

    Examples
    --------
    >>> printable("red: \x1b[31m")
    'red: \\x1b[31m'
    """
    line = next(iter(str(said).splitlines()), "")
    return without_controls(line if len(line) <= 200 else line[:197] + "...")


def without_controls(text: str) -> str:
    r"""Escape control characters, so that none of them acts on a terminal.

    Parameters
    ----------
    text : str
        Of any length; its line breaks are kept.

    Returns
    -------
    str
        Fit for a terminal.

    Examples
    --------
    >>> without_controls("red: \x1b[31m")
    'red: \\x1b[31m'
    """
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def shown(value: object) -> str:
    """Format a value as in an experiment file, cut short where it is long.

    Parameters
    ----------
    value : object
        Anything.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> shown({"lr": [True, 10**30, "x"]})
    "{ lr = [true, 1.00e+30, 'x'] }"
    """
    text = _written(value)
    return text if len(text) <= 60 else text[:57] + "..."


def kind_of(given: object) -> str:
    """What a wrong argument is, for the end of a message.

    Parameters
    ----------
    given : object
        Anything.

    Returns
    -------
    str
        Its type, with an article; a class by its own name.

    Examples
    --------
    >>> kind_of(3), kind_of(None), kind_of(dict)
    ('an int', 'nothing', 'the class dict')
    """
    if given is None:
        return "nothing"
    if isinstance(given, type):
        return f"the class {given.__name__}"
    kind = type(given).__name__
    return f"{'an' if kind[0] in 'aeiouAEIOU' else 'a'} {kind}"


def _written(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and abs(value) >= 10**20:
        return f"{Decimal(value):.2e}"
    if isinstance(value, dict):
        inside = (f"{key} = {_written(entry)}" for key, entry in list(value.items())[:20])
        return "{ " + ", ".join(inside) + " }" if value else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_written(entry) for entry in value[:20]) + "]"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return " ".join(repr(value).split())


def in_units(n_bytes: float) -> str:
    """Format a number of bytes with a readable unit.

    Examples
    --------
    >>> in_units(1_500_000)
    '1.5 MB'
    """
    if n_bytes < 1000:
        return f"{n_bytes:.0f} bytes"
    for unit in ("kB", "MB", "GB", "TB"):
        n_bytes /= 1000
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
    return f"{n_bytes / 1000:,.0f} PB"


def duration(seconds: float) -> str:
    """Format a duration with a readable unit.

    Examples
    --------
    >>> duration(5400)
    '90 minutes'
    """
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "minutes"), (172_800, 3600, "hours")):
        if seconds < limit:
            return f"{max(seconds, 0.1) / size:.2g} {unit}"
    days = seconds / 86_400
    return f"{days:.0f} days" if days < 730 else f"{days / 365.25:,.0f} years"


def short(number: float) -> str:
    """Format a number or a rate to three digits.

    Examples
    --------
    >>> short(2_300_000)
    '2.3M'
    """
    for unit in ("", "k", "M"):
        if number < 999.5:
            return f"{number:.3g}{unit}"
        number /= 1000
    return f"{number:,.3g}G" if number < 1000 else f"{number:,.0f}G"
