"""The protocol of a run: which steps are stored, and when it ends before its last update."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator, model_validator

from fastmomentum.axis import Numbers
from fastmomentum.explanation import fault, shown
from fastmomentum.plain_numbers import numbers
from fastmomentum.ranges import geometric
from fastmomentum.specification import Specification, Whole

MOST_STEPS: Final = 2**31 - 2
LARGEST: Final = float(np.finfo(np.float64).max)


class Record(Specification):
    """Which steps of a trajectory are stored.

    Exactly one of `every`, `log` and `steps` is given. The last step is always stored besides,
    and with `every` and `log` the start, which is step 0.

    Parameters
    ----------
    every : int, optional
        Each so-manieth step.
    log : int, optional
        About so many steps, evenly spaced in the logarithm.
    steps : sequence of int, optional
        These steps.
    dtype : {"float64", "float32"}
        As what they are stored.

    Examples
    --------
    >>> Record(every=40).recorded(100)
    array([  0,  40,  80, 100])
    """

    every: Whole | None = Field(default=None, ge=1, le=MOST_STEPS)
    log: Whole | None = Field(default=None, ge=2, le=1_000_000)
    steps: Annotated[tuple[Whole, ...], Field(strict=False, fail_fast=True)] | None = None
    dtype: Literal["float64", "float32"] = "float64"

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            every: int | None = None,
            log: int | None = None,
            steps: ArrayLike | None = None,
            dtype: Literal["float64", "float32"] = "float64",
        ) -> None: ...

    @field_validator("steps", mode="before")
    @classmethod
    def _list(cls, given: Any) -> Any:
        if isinstance(given, range):
            return tuple(given)
        return numbers(given).tolist() if hasattr(given, "__array__") else given

    @model_validator(mode="after")
    def _one_kind(self) -> Record:
        kinds = [key for key in ("every", "log", "steps") if getattr(self, key) is not None]
        if not kinds:
            raise ValueError("needs one of every, log and steps; add one, such as every = 10")
        if len(kinds) > 1:
            raise ValueError(
                f"takes one of every, log and steps: got {' and '.join(kinds)}; keep one"
            )
        if self.steps is not None:
            if not self.steps:
                raise fault("steps", "is empty; leave [record] out to store summaries only")
            _refuse_twice(self.steps)
        return self

    def count(self, steps: int) -> int:
        """How many steps are stored, at most, without laying them out."""
        if self.every is not None:
            return steps // self.every + 2
        return (self.log or len(self.steps or ())) + 2

    def recorded(self, steps: int) -> NDArray[np.int64]:
        """The stored steps, ascending, for runs of so many updates."""
        if self.every is not None:
            chosen = np.arange(0, steps + self.every, self.every, dtype=np.int64)
            chosen[-1] = steps
            return chosen
        if self.log is not None:
            chosen = np.rint(geometric(1.0, float(steps), self.log)).astype(np.int64)
            chosen = np.append(chosen, 0)
        else:
            chosen = np.array(self.steps, dtype=np.int64)
        return np.unique(np.append(chosen, steps))


class Stop(Specification):
    """When a run ends before its last update.

    Parameters
    ----------
    targets : float or sequence of float
        On f - f_min, positive and decreasing; a run stops as converged at the last.
    bound : float or None
        A run stops as diverged where f > bound or f is not finite. With None (in a file: false)
        f is not looked at on the way: each run takes all its updates.

    Examples
    --------
    >>> Stop(targets=[1e-2, 1e-8]).bound
    1e+20
    """

    targets: Numbers = ()
    bound: float | None = Field(default=1e20, allow_inf_nan=True)

    if TYPE_CHECKING:

        def __init__(self, *, targets: ArrayLike = (), bound: float | None = 1e20) -> None: ...

    @field_validator("targets", mode="before")
    @classmethod
    def _list(cls, given: Any) -> Any:
        if hasattr(given, "__array__"):
            return np.atleast_1d(numbers(given)).tolist()
        if isinstance(given, int | float) and not isinstance(given, bool):
            return (given,)
        if not isinstance(given, list | tuple):
            raise ValueError(f"must be a number or a list of numbers: got {shown(given)}")
        return given

    @field_validator("targets")
    @classmethod
    def _decreasing(cls, targets: tuple[float, ...]) -> tuple[float, ...]:
        for entry, target in enumerate(targets):
            if target <= 0:
                raise ValueError(f"must be positive: got {target!r} (entry {entry}); drop it")
            if entry and target >= targets[entry - 1]:
                raise ValueError(
                    f"must decrease: got {target!r} after {targets[entry - 1]!r} (entry {entry}); "
                    "list the largest first, and each once"
                )
        return targets

    @field_validator("bound", mode="before")
    @classmethod
    def _number_or_false(cls, bound: Any) -> Any:
        if bound is None or bound is False:
            return None
        if isinstance(bound, bool) or not isinstance(bound, int | float) or bound != bound:
            raise ValueError(f"must be a number, or false for none: got {shown(bound)}")
        # f > inf never holds, and f = inf is not finite anyway.
        return float(max(min(bound, LARGEST), -LARGEST))

    def levels(self, f_min: float) -> NDArray[np.float64]:
        """The largest f that meets each target; comparing with it saves a subtraction an update.

        Parameters
        ----------
        f_min : float
            The objective's smallest value.

        Returns
        -------
        ndarray, shape (n_targets,)
            Each the largest f <= bound for which ``f - f_min <= target``, as rounded.

        Examples
        --------
        >>> Stop(targets=[1.0]).levels(-78.0)
        array([-77.])
        """
        bound = LARGEST if self.bound is None else self.bound
        return np.array([_level(target, f_min, bound) for target in self.targets])

    @model_validator(mode="after")
    def _targets_need_looks(self) -> Stop:
        if self.bound is None and self.targets:
            raise fault(
                "targets",
                "are looked for only where bound is a number: got bound = false; "
                "give a bound, or drop the targets",
            )
        return self


@functools.lru_cache
def _level(target: float, f_min: float, bound: float) -> float:
    low, high = f_min, bound
    if high - f_min <= target:
        return high
    while low < (middle := 0.5 * low + 0.5 * high) < high:
        low, high = (middle, high) if middle - f_min <= target else (low, middle)
    return low


def _refuse_twice(steps: Iterable[int]) -> None:
    first: dict[int, int] = {}
    for entry, step in enumerate(steps):
        if step in first:
            raise fault(
                "steps",
                f"has {step} more than once (entries {first[step]} and {entry}); "
                "list each step once",
            )
        first[step] = entry
