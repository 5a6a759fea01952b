"""Arguments of commands as numbers, ranges and points."""

from __future__ import annotations

import math
from collections.abc import Iterable

from fastmomentum.errors import InputError
from fastmomentum.results.selection import Start
from fastmomentum.results.zoom import Range


def parse_range(name: str, text: str) -> Range:
    """Parse a range.

    Parameters
    ----------
    name : str
        Name of the option.
    text : str
        Such as "1e-3:2e-3".

    Returns
    -------
    (float, float)
        Its ends.

    Raises
    ------
    InputError
        It is not a range.

    Examples
    --------
    >>> parse_range("--lr", "1e-3:2e-3")
    (0.001, 0.002)
    """
    try:
        first, last = (float(part) for part in text.split(":"))
    except ValueError:
        raise InputError(f"{name} must be a range A:B of two numbers: got {text!r}") from None
    return first, last


def parse_named(name: str, texts: Iterable[str]) -> dict[str, str]:
    """Parse options of the form NAME=VALUE, each name once.

    Parameters
    ----------
    name : str
        Name of the option.
    texts : iterable of str
        Such as "nu=0.7".

    Returns
    -------
    dict of str
        Values by name, as text.

    Raises
    ------
    InputError
        One has another form, or a name appears twice.

    Examples
    --------
    >>> parse_named("--at", ["nu=0.7", "objective_b=10"])
    {'nu': '0.7', 'objective_b': '10'}
    """
    found: dict[str, str] = {}
    for text in texts:
        key, _, value = (part.strip() for part in text.partition("="))
        if not key or not value:
            raise InputError(f"{name} takes NAME=VALUE, such as nu=0.7: got {text!r}")
        if key in found:
            raise InputError(f"{name} names {key} twice; leave one out")
        found[key] = value
    return found


def parse_at(texts: Iterable[str]) -> dict[str, float]:
    """Parse the values of ``--at``, which selects parameters, constants and seeds.

    Parameters
    ----------
    texts : iterable of str
        Such as "nu=0.7".

    Returns
    -------
    dict of float
        Values by name.

    Raises
    ------
    InputError
        One is not a finite number, or has another form.

    Examples
    --------
    >>> parse_at(["nu=0.7"])
    {'nu': 0.7}
    """
    found: dict[str, float] = {}
    for key, value in parse_named("--at", texts).items():
        if key == "seed" and value.strip().isdecimal():  # all digits of a long one count
            found[key] = int(value)
            continue
        (found[key],) = parse_numbers("--at", value, 1, f"a number for {key}")
    return found


def parse_point(name: str, text: str) -> Start:
    """Parse a start point or an initial velocity.

    Parameters
    ----------
    name : str
        Name of the option.
    text : str
        Such as "0" for the first, or "-1.2,1".

    Returns
    -------
    int or (float, float)
        Its number, or the point.

    Raises
    ------
    InputError
        It is neither.

    Examples
    --------
    >>> parse_point("--start", "-1.2,1")
    (-1.2, 1.0)
    """
    try:
        return int(text)
    except ValueError:
        x, y = parse_numbers(name, text, 2, "a number, or a point X,Y")
        return x, y


def parse_size(text: str) -> tuple[float, float]:
    """Parse the width and the height of a picture.

    Parameters
    ----------
    text : str
        Such as "16x9".

    Returns
    -------
    (float, float)
        Inches.

    Raises
    ------
    InputError
        It has another form.

    Examples
    --------
    >>> parse_size("16x9")
    (16.0, 9.0)
    """
    try:
        width, height = parse_numbers("--size", text.lower().replace("x", ","), 2, "")
    except InputError:
        wanted = "--size must be WIDTHxHEIGHT in inches, such as 16x9"
        raise InputError(f"{wanted}: got {text!r}") from None
    return width, height


def parse_numbers(name: str, text: str, count: int, wanted: str) -> tuple[float, ...]:
    """Parse finite numbers, separated by commas.

    Parameters
    ----------
    name : str
        Name of the option.
    text : str
        Such as "-1.2,1", in brackets or not.
    count : int
        How many are needed.
    wanted : str
        What is expected, for the message.

    Returns
    -------
    tuple of float
        The numbers.

    Raises
    ------
    InputError
        There are more or fewer, or they are not finite numbers.

    Examples
    --------
    >>> parse_numbers("--window", "-2,2,-1,3", 4, "X0,X1,Y0,Y1")
    (-2.0, 2.0, -1.0, 3.0)
    """
    try:
        parts = tuple(float(part) for part in text.strip("()[]").split(","))
    except ValueError:
        parts = ()
    if len(parts) != count or not all(map(math.isfinite, parts)):
        raise InputError(f"{name} must be {wanted}: got {text!r}")
    return parts
