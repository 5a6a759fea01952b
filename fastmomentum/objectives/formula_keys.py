"""Checks of a formula's keys: each value is converted to plain data, or refused in one line."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.objectives.tokens import LONGEST_NAME, RESERVED, given_as
from fastmomentum.specification.base import plain
from fastmomentum.text import shown, suggest

KEYS: Final = ("formula", "constants", "box", "label", "minimisers", "variables", "name", "found")
MOST_CONSTANTS: Final = 50
MOST_MINIMISERS: Final = 256


def arguments(formula: Sequence[str], given: dict[str, Any]) -> dict[str, Any]:
    """The keys of a call: the formula may come first, and constants by their own names.

    Parameters
    ----------
    formula : sequence of str
        What was given without a name.
    given : dict
        What was given by name; what is none of `KEYS` is a constant.

    Returns
    -------
    dict
        By `KEYS`.

    Raises
    ------
    InputError
        More than the formula has no name, or a constant is no number or comes twice.
    """
    if len(formula) > 1:
        raise InputError(
            "a formula is one text; the rest goes by name, such as a=1.0 for a constant"
        )
    fields = {key: value for key, value in given.items() if key in KEYS}
    each = {key: value for key, value in given.items() if key not in KEYS}
    if formula:
        fields["formula"] = formula[0]
    if not each:
        return fields
    own = fields.get("constants") or {}
    both = sorted(each.keys() & own.keys())
    if both:
        raise InputError(f"the constant {both[0]} comes twice; drop it in constants")
    for key, value in each.items():
        if not isinstance(plain(value), int | float):
            advice = suggest(key, KEYS[:6])
            raise InputError(f"{key} is no number, as a constant must be; {advice}")
    return {**fields, "constants": {**own, **each}}


def in_python(message: str) -> str:
    """A message about an experiment file's keys, in the words of a call.

    Examples
    --------
    >>> in_python("give it a value: constants = { a = 1.0 }")
    'give it a value: a=1.0'
    """
    as_in_a_file = re.escape(given_as("NAME")).replace("NAME", r"(\w+)")
    return re.sub(as_in_a_file, lambda found: given_as(found[1], in_python=True), message)


def one_line(given: Any) -> Any:
    """The formula, without line breaks and repeated blanks."""
    return " ".join(given.split()) if isinstance(given, str) else given


def short(label: str | None) -> str | None:
    """A label of one line."""
    if label and any(unicodedata.category(c) in ("Cc", "Cs") for c in label):
        raise ValueError(f"must be one line of text: got {label[:50]!r}")
    return label or None


def two_names(given: Any) -> Any:
    """The names of the two variables."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise ValueError(f'must be two names, such as ["u", "v"]: got {shown(given)}')
    for name in given:
        if why := _unfit(name):
            raise ValueError(f"has {shown(name)}, which {why}; choose another name")
    if given[0] == given[1]:
        raise ValueError(f"must be two names that differ: got {shown(given)}")
    return tuple(given)


def named_numbers(given: Any) -> Any:
    """The constants, by name."""
    if not isinstance(given, Mapping):
        raise ValueError(f"must be a table such as {{ a = 1.0 }}: got {shown(given)}")
    if len(given) > MOST_CONSTANTS:
        raise ValueError(f"may be {MOST_CONSTANTS} at most: got {len(given)}")
    found = []
    for name, value in given.items():
        if why := _unfit(name):
            raise ValueError(f"has {shown(name)}, which {why}; choose another name")
        found.append((name, _number(value, f"has {name} = {shown(value)}, and")))
    return tuple(sorted(found))  # JSON sorts its keys too


def corners(given: Any, info: Any) -> Any:
    """The box: a pair of ends for each variable."""
    names = info.data.get("variables", ("x", "y"))
    if isinstance(given, Mapping):
        if set(given) != set(names):
            raise ValueError(
                f"needs {names[0]} and {names[1]}, which are the variables: got {shown(given)}"
            )
        given = [given[name] for name in names]
    try:
        (x_low, x_high), (y_low, y_high) = given
        sides = [(x_low, x_high), (y_low, y_high)]
    except (TypeError, ValueError):
        example = f"{{ {names[0]} = [-2, 2], {names[1]} = [-1, 3] }}"
        raise ValueError(f"must be a table such as {example}: got {shown(given)}") from None
    found = []
    for low, high in sides:
        low, high = (_number(end, "has ends that") for end in (low, high))
        if not low < high or math.isinf(high - low):
            raise ValueError(f"must go from a lower to a higher number: got [{low}, {high}]")
        found.append((low, high))
    return tuple(found)


def points(given: Any) -> Any:
    """The minimisers, as numbers or as expressions in the constants."""
    if given is None:
        return None
    given = given.tolist() if isinstance(given, np.ndarray) else given
    if not isinstance(given, list | tuple):
        raise ValueError(f"must be a list of points, such as [[1, 1]]: got {shown(given)}")
    if len(given) > MOST_MINIMISERS:
        raise ValueError(f"may be {MOST_MINIMISERS} at most: got {len(given)}")
    found = []
    for point in given:
        point = point.tolist() if isinstance(point, np.ndarray) else point
        if not isinstance(point, list | tuple) or len(point) != 2:
            raise ValueError(f"must be points of two numbers: got {shown(point)}")
        found.append(
            tuple(
                part if isinstance(part, str) else _number(part, "has coordinates that")
                for part in point
            )
        )
    return tuple(found)


def _number(value: Any, what: str) -> float:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} must be a number: got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} must be a finite number: got {shown(value)}")
    return number + 0.0


def _unfit(name: Any) -> str | None:
    """Why this cannot be a name in a formula."""
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier():
        return "must be made of letters, digits and _"
    if len(name) > LONGEST_NAME:
        return f"has more than {LONGEST_NAME} characters"
    return "means something else" if name in RESERVED else None
