"""The base of all schedules: a function of the step, with checked parameters."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fastmomentum.elementary import haversine_turns
from fastmomentum.errors import InputError
from fastmomentum.specification.base import Specification, Whole

Floats = NDArray[np.float64]
Steps = NDArray[np.int64]

LAST_STEP: Final = 2**31 - 1
"""Last update that a schedule has a value for, counted from 0."""

Length = Annotated[Whole, Field(ge=1, le=LAST_STEP)]
"""A number of updates."""
Factor = Annotated[float, Field(ge=0.0)]
"""A factor on the learning rate."""
Momentum = Annotated[float, Field(ge=0.0, lt=1.0)]
Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Scheduled(Specification):
    """A schedule of one kind.

    With t the updates done before (0 for the first), `values` gives the value for update t. Each
    value depends on its t alone, so stretches can be computed in any order with the same bits.

    Attributes
    ----------
    kind : str
        Its name in files and in the registry.
    title : str
        Its name for people.
    equation : str
        The value at t, in one line.
    source : str
        Where it comes from, and which libraries compute the same.
    has_end : bool
        Whether it lasts a fixed number of updates, `steps`, so that another may follow in a list.
    """

    kind: str
    title: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    has_end: ClassVar[bool] = False

    @abstractmethod
    def values(self, t: Steps) -> Floats:
        """Values at the given steps, each a function of that step alone.

        Parameters
        ----------
        t : ndarray of int64
            Updates done before, from 0 on.

        Returns
        -------
        ndarray of float64
            Of the shape of `t`.
        """

    def plain(self) -> dict[str, Any]:
        """The table that gives this schedule in a file, without defaults."""
        given = self.model_dump(exclude={"kind"}, exclude_defaults=True)
        return {"kind": self.kind} | {
            key: list(value) if isinstance(value, tuple) else value for key, value in given.items()
        }


def stretch(first: int, count: int) -> Steps:
    """Numbers of the updates of a stretch.

    Raises
    ------
    InputError
        There is no such stretch.
    """
    if first < 0 or count < 0 or first + count > LAST_STEP + 1:
        raise InputError(
            f"a stretch must lie between step 0 and step {LAST_STEP:,}: got {count:,} steps from "
            f"step {first:,} on"
        )
    return np.arange(first, first + count, dtype=np.int64)


def along_cosine(first: float, last: float, done: Any, steps: Any) -> Floats:
    """Half a period of the cosine, from `first` at 0 to `last` at `steps` and after."""
    return last + (first - last) * falling(done, steps)


def falling(done: Any, steps: Any) -> Floats:
    """``(1 + cos(pi done/steps))/2``, which falls from 1 to 0; 0 from `steps` on."""
    left = np.maximum(np.subtract(steps, done), 0)
    wave = np.asarray(haversine_turns(left / np.multiply(2.0, steps)))
    return np.where(left == steps, 1.0, wave)


def along_line(first: float, last: float, t: Steps, steps: int) -> Floats:
    """A straight line from `first` at 0 to `last` at `steps`, then `last`."""
    return np.where(t < steps, first + (last - first) * (t / steps), last)
