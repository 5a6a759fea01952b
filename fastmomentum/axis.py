"""One axis of a grid: a number, a list, or a range, and the values that it stands for."""

from __future__ import annotations

import functools
from decimal import Context
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from fastmomentum.specification import Specification

Values = NDArray[np.float64]
Range = Literal["linspace", "logspace", "arange"]

LONGEST: Final = 1_000_000
"""Values on one axis, at most: axes are held in memory, their product never is."""

_CONTEXT: Final = Context(prec=50)


class Axis(Specification):
    """Sorted values without duplicates.

    Exactly one of `values`, `linspace`, `logspace` and `arange` is given.

    Parameters
    ----------
    values : tuple of float, optional
        The values themselves.
    linspace, logspace : (float, float), optional
        First and last value, both included, evenly spaced or evenly spaced in the logarithm;
        with `num` values in all.
    arange : (float, float, float), optional
        First value, end (not included) and step.
    num : int, optional
        How many, for `linspace` and `logspace`.
    include : tuple of float
        Further values.

    Examples
    --------
    >>> Axis(linspace=(0.0, 1.0), num=3, include=(0.9,)).points
    array([0. , 0.5, 0.9, 1. ])
    """

    values: tuple[float, ...] | None = None
    linspace: tuple[float, float] | None = None
    logspace: tuple[float, float] | None = None
    arange: tuple[float, float, float] | None = None
    num: int | None = None
    include: tuple[float, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        """A number or a list stands for the table with `values`."""
        if isinstance(given, Axis | dict):
            return given
        if isinstance(given, bool | str) or given is None:
            raise ValueError(
                "must be a number, a list of numbers, or a table with linspace, logspace or "
                f"arange: got {given!r}"
            )
        if isinstance(given, np.ndarray):
            if given.ndim > 1:
                raise ValueError(f"must be one-dimensional: got an array of shape {given.shape}")
            given = given.tolist()
        if isinstance(given, int | float | np.number):
            return {"values": (given,)}
        return {"values": tuple(given)}

    @model_validator(mode="after")
    def _one_kind(self) -> Axis:
        kinds = [k for k in ("values", "linspace", "logspace", "arange") if getattr(self, k)]
        if self.values is not None and not self.values:
            raise ValueError("is empty; give at least one value")
        if len(kinds) != 1:
            got = " and ".join(kinds) or "none"
            raise ValueError(f"needs one of linspace, logspace, arange or a list: got {got}")
        if kinds[0] in ("linspace", "logspace"):
            if self.num is None:
                raise ValueError(f"needs num, the number of values, beside {kinds[0]}")
            if self.num < 1:
                raise ValueError(f"is empty; num must be at least 1: got {self.num}")
        elif self.num is not None:
            raise ValueError(f"takes num only with linspace or logspace: got {kinds[0]}")
        if self.logspace is not None and min(self.logspace) <= 0:
            raise ValueError(
                "logspace takes the end values themselves, which must be positive, not "
                f"exponents: got {list(self.logspace)}"
            )
        count = self._count() + len(self.include)
        if count > LONGEST:
            raise ValueError(f"has {count:,} values; an axis may have {LONGEST:,} at most")
        if count == 0:
            raise ValueError(f"is empty; arange {list(self.arange or ())} holds no value")
        for given in (self.values or (), self.include):
            _refuse_duplicates(np.array(given, float))
        with np.errstate(over="ignore", invalid="ignore"):
            generated = self._generated()
        if not np.isfinite(generated).all():
            raise ValueError("spans more than a double can hold; bring its ends closer")
        _refuse_duplicates(generated)
        return self

    def _count(self) -> int:
        if self.values is not None:
            return len(self.values)
        if self.arange is not None:
            first, end, step = self.arange
            if step == 0:
                raise ValueError("arange needs a step other than 0")
            return max(0, int(min(np.ceil((end - first) / step), 2.0**62)))
        return int(self.num or 0)

    def _generated(self) -> Values:
        if self.linspace is not None:
            return np.linspace(*self.linspace, int(self.num or 0))
        if self.logspace is not None:
            return geometric(*self.logspace, int(self.num or 0))
        if self.arange is not None:
            first, _, step = self.arange
            return first + step * np.arange(self._count(), dtype=float)
        return np.array(self.values, float)

    @functools.cached_property
    def points(self) -> Values:
        """The values: float64, sorted, without duplicates, read-only."""
        points = np.unique(np.concatenate([self._generated(), np.array(self.include, float)]))
        points += 0.0  # -0.0 and 0.0 are one value
        points.setflags(write=False)
        return points


def geometric(first: float, last: float, num: int) -> Values:
    """Values evenly spaced in the logarithm, the ends exact, the same bits on every machine.

    ``numpy.geomspace`` goes through powers, whose last bit depends on the machine; fifty decimal
    digits do not.

    Parameters
    ----------
    first, last : float
        Ends, positive.
    num : int
        How many values.

    Returns
    -------
    ndarray, shape (num,)
        From `first` to `last`.

    Examples
    --------
    >>> geometric(1.0, 100.0, 3)
    array([  1.,  10., 100.])
    """
    if num == 1:
        return np.array([first])
    c = _CONTEXT
    value, end = c.create_decimal_from_float(first), c.create_decimal_from_float(last)
    logarithm = c.divide(c.ln(c.divide(end, value)), c.create_decimal(num - 1))
    ratio = c.exp(logarithm)
    values = np.empty(num)
    for i in range(num):
        values[i] = float(value)
        value = c.multiply(value, ratio)
    values[-1] = last
    return values


def _refuse_duplicates(values: Values) -> None:
    ordered = np.sort(values)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if twice.size:
        raise ValueError(f"has {float(twice[0])!r} more than once; list each value once")
