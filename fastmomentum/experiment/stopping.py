"""When a run ends before its last update: all targets reached, or diverged."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator, model_validator

from fastmomentum.experiment.axis import Numbers
from fastmomentum.specification.base import Specification
from fastmomentum.specification.messages import fault
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import shown

LARGEST: Final = float(np.finfo(np.float64).max)


class Stop(Specification):
    """When a run ends before its last update.

    Parameters
    ----------
    targets : float or sequence of float
        Targets for f - f_min, positive and decreasing; a run stops as converged at the last.
    bound : float or None
        A run stops as diverged where f > bound or f is not finite. With None (in a file: false)
        f is not checked on the way: each run makes all its updates.

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
        """The largest f that meets each target; comparing with it saves a subtraction per update.

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
