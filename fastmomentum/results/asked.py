"""Checks of what is asked for in results: values, and points by number or coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.points import Point
from fastmomentum.specification.numbers import numbers

Start = int | Point
"""Number of a point, or its coordinates."""


def number_asked(name: str, given: object) -> float | None:
    """A number of any type; None stays None.

    Raises
    ------
    InputError
        It is not a number.
    """
    if given is None:
        return None
    found = _numbers(given)
    if found is None or found.ndim:
        raise InputError(f"{name} must be a number: got {given!r}")
    return float(found)


def lr_asked(given: object) -> float | None:
    """A learning rate; None stays None.

    Raises
    ------
    InputError
        It is not a positive number.
    """
    rate = number_asked("lr", given)
    if rate is not None and rate <= 0:
        raise InputError(f"lr must be positive: got {given!r}")
    return rate


def setting_asked(name: str, given: object) -> float:
    """A value along an axis, by the axis's name.

    Raises
    ------
    InputError
        It is not a number, or a learning rate that is not positive.
    """
    value = lr_asked(given) if name == "lr" else number_asked(name, given)
    if value is None:
        raise InputError(f"{name} must be a number: got None")
    return value


def place_asked(kind: str, given: object) -> Start | None:
    """The number of a point, or a point, of any type; None stays None.

    Raises
    ------
    InputError
        It is neither.
    """
    if given is None:
        return None
    found = _numbers(given)
    if found is not None and found.shape == (2,):
        return float(found[0]), float(found[1])
    if found is not None and found.ndim == 0 and found.dtype.kind in "iu":
        return int(found)
    got = " ".join(repr(given).split())
    raise InputError(f"{kind} must be a whole number, or a point of two finite numbers: got {got}")


def _numbers(given: object) -> NDArray[Any] | None:
    """Finite numbers as an array; None where it holds anything else."""
    try:
        found = numbers(given)
    except InputError:
        return None
    # The type tells an index from a coordinate.
    return np.asarray(given) if np.asarray(given).dtype.kind in "iu" else found
