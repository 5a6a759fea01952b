"""Which steps of a run's trajectory are stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator, model_validator

from fastmomentum.experiment.ranges import geometric
from fastmomentum.specification.base import Specification, Whole
from fastmomentum.specification.messages import fault
from fastmomentum.specification.numbers import numbers

MOST_STEPS: Final = 2**31 - 2


class Record(Specification):
    """Which steps of a trajectory are stored.

    Exactly one of `every`, `log` and `steps` is given. The last step is always stored as well, and
    with `every` and `log` the start, which is step 0.

    Parameters
    ----------
    every : int, optional
        Every k-th step.
    log : int, optional
        About this many steps, evenly spaced in the logarithm.
    steps : sequence of int, optional
        The steps themselves.
    dtype : {"float64", "float32"}
        Type in which they are stored.

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
        """How many steps are stored, at most, without computing them."""
        if self.every is not None:
            return steps // self.every + 2
        return (self.log or len(self.steps or ())) + 2

    def recorded(self, steps: int) -> NDArray[np.int64]:
        """The stored steps, ascending, for runs of `steps` updates."""
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
