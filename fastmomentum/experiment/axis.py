"""One axis of a grid: a number, a list or a range, and its values."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, ValidationInfo, field_validator, model_validator

from fastmomentum.experiment.ranges import Values, geometric, stepped, steps_within
from fastmomentum.specification.base import Specification, Whole
from fastmomentum.specification.messages import fault
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import shown

Numbers = Annotated[tuple[float, ...], Field(strict=False, fail_fast=True)]

LONGEST: Final = 1_000_000
"""Values on one axis, at most: axes are held in memory, their product never is."""

ENDS: Final = {
    "linspace": "two finite numbers, the first and the last value",
    "logspace": "two finite numbers, the first and the last value",
    "arange": "three finite numbers, the first value, the end and the step",
}
"""The kinds of ranges, and the numbers that each takes."""


class Axis(Specification):
    """Sorted values without duplicates.

    Exactly one of `values`, `linspace`, `logspace` and `arange` is given. A number, a list, an
    array or a mapping of these keys may be used instead of an Axis.

    Parameters
    ----------
    values : sequence of float, optional
        The values themselves.
    linspace, logspace : (float, float), optional
        First and last value, both included, evenly spaced or evenly spaced in the logarithm;
        with `num` values in all. If `num` is 1, only the first.
    arange : (float, float, float), optional
        First value, end (not included) and step.
    num : int, optional
        How many, for `linspace` and `logspace`.
    include : sequence of float
        Further values.

    Raises
    ------
    InputError
        There are no values, too many, one that is not finite, or one twice. Entries of lists are
        counted from 0.

    Examples
    --------
    >>> Axis(linspace=(0.0, 1.0), num=3, include=(0.9,)).points
    array([0. , 0.5, 0.9, 1. ])
    """

    values: Numbers | None = None
    linspace: Numbers | None = None
    logspace: Numbers | None = None
    arange: Numbers | None = None
    num: Whole | None = Field(default=None, ge=1, le=LONGEST)
    include: Numbers = ()

    unwritten: ClassVar[frozenset[str]] = frozenset({"values"})

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            values: ArrayLike | None = None,
            linspace: ArrayLike | None = None,
            logspace: ArrayLike | None = None,
            arange: ArrayLike | None = None,
            num: int | None = None,
            include: ArrayLike = (),
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _table(cls, given: Any) -> Any:
        """Turn a number or a list into a table with `values`."""
        if isinstance(given, Axis | dict):
            return given
        if hasattr(given, "__array__"):  # NumPy's, also a scalar, a column of pandas', ...
            given = numbers(given)
            if given.ndim > 1:
                raise ValueError(f"must be one-dimensional: got an array of shape {given.shape}")
            given = given.tolist()
        if isinstance(given, range):
            given = list(given)
        if isinstance(given, list | tuple):
            return {"values": given}
        if isinstance(given, int | float) and not isinstance(given, bool):
            if not _is_finite(given):
                raise ValueError(f"must be a finite number: got {shown(given)}")
            return {"values": (given,)}
        raise ValueError(
            "must be a number, a list of numbers, or a table with linspace, logspace or arange: "
            f"got {shown(given)}{_unquoted(given)}"
        )

    @field_validator("values", "include", mode="before")
    @classmethod
    def _numbers(cls, given: Any) -> Any:
        return numbers(given).tolist() if hasattr(given, "__array__") else given

    @field_validator(*ENDS, mode="before")
    @classmethod
    def _ends(cls, given: Any, info: ValidationInfo) -> Any:
        given = numbers(given).tolist() if hasattr(given, "__array__") else given
        what = ENDS[str(info.field_name)]
        length = 3 if what.startswith("three") else 2
        fits = isinstance(given, list | tuple) and len(given) == length
        if given is not None and not (fits and all(map(_is_finite, given))):
            raise ValueError(f"must be a list of {what}: got {shown(given)}")
        return given

    @model_validator(mode="after")
    def _sensible(self) -> Axis:
        kinds = [key for key in ("values", *ENDS) if getattr(self, key) is not None]
        if not kinds:
            alone = next(
                (f": got {key} alone" for key in ("num", "include") if _has(self, key)), ""
            )
            raise ValueError(
                f"needs a list of numbers, or one of linspace, logspace, arange{alone}"
            )
        if len(kinds) > 1:
            raise ValueError(
                f"takes one of a list, linspace, logspace and arange: got {' and '.join(kinds)}; "
                "keep one, and name further values in include"
            )
        kind = kinds[0]
        if kind in ("linspace", "logspace") and self.num is None:
            raise ValueError(f"needs num, the number of values, beside {kind}; add it")
        if kind in ("values", "arange") and self.num is not None:
            beside = "a list" if kind == "values" else kind
            raise ValueError(f"takes num beside linspace or logspace, not beside {beside}; drop it")
        if self.logspace is not None and min(self.logspace) <= 0:
            raise fault(
                "logspace",
                "takes the first and the last value themselves, both positive, not exponents: "
                f"got {shown(self.logspace)}",
            )
        count = self._count() + len(self.include)
        if count > LONGEST:
            advice = {"values": "shorten the list", "arange": "take a larger step"}
            number = f"{count:,}" if count < 10**18 else "more than 10^18"
            raise ValueError(
                f"has {number} values, and may have {LONGEST:,}; {advice.get(kind, 'lower num')}"
            )
        for key, listed in (("values", self.values or ()), ("include", self.include)):
            _refuse_duplicates(key, listed)
        _ = self.points  # so that a fault of the range is reported now
        return self

    def _count(self) -> int:
        """How many values the list or the range has, without computing them."""
        if self.values is not None:
            if not self.values:
                raise ValueError("is empty; give at least one number")
            return len(self.values)
        if self.arange is None:
            return int(self.num or 0)
        first, end, step = self.arange
        if step == 0:
            raise fault("arange", f"needs a step other than 0: got {shown(self.arange)}")
        count = steps_within(first, end, step)
        if count == 0:
            away = "away from" if end != first else "nowhere from"
            advice = "turn the step's sign" if end != first else "move the end"
            raise fault(
                "arange",
                f"is empty: a step of {step!r} leads {away} {end!r}, the end: "
                f"got {shown(self.arange)}; {advice}",
            )
        return count

    @functools.cached_property
    def points(self) -> Values:
        """The values: float64, sorted, without duplicates, read-only."""
        with np.errstate(over="ignore", invalid="ignore"):
            values = self._laid_out()
        kind = next(key for key in ("values", *ENDS) if getattr(self, key) is not None)
        if not np.isfinite(values).all():
            raise fault(kind, "spans more than a float64 can hold; move its ends together")
        if np.unique(values).size < values.size:
            raise fault(
                kind,
                f"has no room for {values.size:,} different values: got "
                f"{shown(getattr(self, kind))}; move its ends apart, or ask for fewer",
            )
        points = np.unique(np.concatenate([values, np.array(self.include, float)]))
        points += 0.0  # -0.0 and 0.0 are one value
        points.setflags(write=False)
        return points

    def _laid_out(self) -> Values:
        if self.linspace is not None:
            first, last = self.linspace
            return np.linspace(first, last, self._count())
        if self.logspace is not None:
            first, last = self.logspace
            return geometric(first, last, self._count())
        if self.arange is not None:
            first, end, step = self.arange
            return stepped(first, end, step)
        return np.array(self.values, float)

    def require(
        self, is_bad: Callable[[Values], NDArray[np.bool_]], must: str, above: bool
    ) -> None:
        """Refuse some values; the message names where the user gave them.

        Parameters
        ----------
        is_bad : callable
            Returns a mask over values.
        must : str
            What values must do, to follow "must".
        above : bool
            Whether the refused values lie above the others, or below.

        Raises
        ------
        pydantic.ValidationError
            For a validator to pass on; ValueError if the range has such values.
        """
        for key, listed in (("values", self.values or ()), ("include", self.include)):
            for entry in np.flatnonzero(is_bad(np.array(listed, float)))[:1]:
                message = f"must {must}: got {listed[entry]!r}"
                many = len(listed) > 1 or key == "include"
                raise fault(key, message + (f" (entry {entry}); drop it" if many else ""))
        bad = self.points[is_bad(self.points)]
        if bad.size:
            first, end, *_ = self.linspace or self.logspace or self.arange or (0.0, 0.0)
            verb = "lower" if above else "raise"
            which = "end" if above == (first <= end) else "start"
            value = float(bad[-1 if above else 0])
            raise ValueError(f"must {must}: got {value!r}; {verb} the range's {which}")


AxisLike = Axis | ArrayLike | Mapping[str, Any]
"""Values that can be converted to an axis."""


def _refuse_duplicates(key: str, listed: Sequence[float]) -> None:
    values = np.array(listed, float)
    order = np.argsort(values, kind="stable")
    twice = np.flatnonzero(values[order][1:] == values[order][:-1])
    if twice.size:
        one, other = sorted(order[twice[0] : twice[0] + 2].tolist())
        raise fault(
            key,
            f"has {listed[other]!r} more than once (entries {one} and {other}); "
            "list each value once",
        )


def _is_finite(number: object) -> bool:
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    return abs(number) <= sys.float_info.max


def _has(axis: Axis, key: str) -> bool:
    return getattr(axis, key) not in (None, ())


def _unquoted(given: object) -> str:
    if not isinstance(given, str):
        return ""
    try:
        float(given)
    except ValueError:
        return ""
    return "; write it without quotes"
