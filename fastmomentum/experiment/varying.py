"""The objectives of a grid whose axes are constants of the objective."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.named_axes import NAMED, AxesByName
from fastmomentum.objectives import Objective


class Variants:
    """The objectives of a grid: one for each combination of constants, in C order.

    Parameters
    ----------
    objective : Objective
        With the constants that all runs share.
    axes : mapping of Axis
        The constants that vary, by name.

    Examples
    --------
    >>> from fastmomentum.experiment.axis import Axis
    >>> from fastmomentum.objectives import Rosenbrock
    >>> each = Variants(Rosenbrock(), {"b": Axis(values=[1.0, 10.0])})
    >>> len(each), each[1].constants
    (2, (1.0, 10.0))
    """

    def __init__(self, objective: Objective, axes: AxesByName) -> None:
        self._objective = objective
        self._points = {name: axis.points for name, axis in axes.items()}
        self._known: dict[int, Objective] = {}

    def __len__(self) -> int:
        """How many objectives."""
        return math.prod(points.size for points in self._points.values())

    def __getitem__(self, number: int) -> Objective:
        """The objective of a combination; each is made once."""
        if number not in self._known:
            shape = [points.size for points in self._points.values()]
            at = np.unravel_index(number, shape) if shape else ()
            pairs = zip(self._points.items(), at, strict=True)
            values = {name: float(points[i]) for (name, points), i in pairs}
            self._known[number] = self._objective.with_constants(values)
        return self._known[number]

    def of(self, values: Mapping[str, float]) -> Objective:
        """The objective of the combination nearest to these constants."""
        shape = [points.size for points in self._points.values()]
        at = [int(np.abs(points - values[n]).argmin()) for n, points in self._points.items()]
        return self[int(np.ravel_multi_index(at, shape))] if at else self[0]

    def __iter__(self) -> Iterator[Objective]:
        """All objectives, in order."""
        return (self[number] for number in range(len(self)))

    def __getstate__(self) -> dict[str, Any]:
        """Pickle without the objectives, which can be made again."""
        return {**self.__dict__, "_known": {}}

    @functools.cached_property
    def f_min(self) -> NDArray[np.float64]:
        """Smallest value of each objective, shape (n_variants,); NaN where there is none."""
        return np.array([np.nan if one.f_min is None else one.f_min for one in self])


def variants_of(grid: Grid, runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Which combination of the objective's constants each run has, in C order.

    Parameters
    ----------
    grid : Grid
        All runs.
    runs : ndarray of int
        Numbers of the wanted runs.

    Returns
    -------
    ndarray of int
        0 where no constant is an axis.

    Examples
    --------
    >>> grid = Grid(lr=0.1, start=[(1, 1), (2, 2)], objective={"b": [1.0, 10.0]})
    >>> variants_of(grid, np.arange(4)).tolist()
    [0, 0, 1, 1]
    """
    axes = [NAMED["objective"].prefix + name for name in grid.objective or {}]
    if not axes:
        return np.zeros(np.shape(runs), np.int64)
    cells = dict(zip(grid.axes, np.unravel_index(runs, grid.shape), strict=True))
    sizes = [grid.axes[name].size for name in axes]
    return np.asarray(np.ravel_multi_index([cells[name] for name in axes], sizes), np.int64)
