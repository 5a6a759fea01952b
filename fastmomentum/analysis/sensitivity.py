"""How uncertain the end of a run is if its settings, or its start, are not known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.analysis.class_maps import OVER
from fastmomentum.analysis.summaries import basin
from fastmomentum.analysis.trajectories import Floats
from fastmomentum.errors import InputError
from fastmomentum.execution.runner import run
from fastmomentum.experiment.arithmetic import warn_of_other
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.results.dataset import experiment_of, runnable
from fastmomentum.specification.numbers import number, whole

DECADES: Final = (-7.0, -2.0)
"""Default distances, as fractions of the map's side."""
FEWEST: Final = 10
"""Uncertain points that a distance needs to be fitted; fewer say too little."""
POINTS_AT_ONCE: Final = 100_000

Points = tuple[Floats, Floats]
Classify = Callable[[Points], NDArray[Any]]


class Uncertainty(NamedTuple):
    """What `uncertainty_exponent` found.

    Attributes
    ----------
    exponent : float
        Slope of log(share of uncertain points) over log(distance): 1 for a smooth boundary, closer
        to 0 the rougher it is.
    error : float
        Its standard error, from the number of points and how well they fit a line.
    scales : (float, float)
        Smallest and largest distance of the fit, as fractions of the map's side.
    distances, shares : ndarray
        All distances, and the share of points whose neighbour ends differently.
    """

    exponent: float
    error: float
    scales: tuple[float, float]
    distances: Floats
    shares: Floats

    @property
    def dimension(self) -> float:
        """Dimension of the boundary on a map of two axes: 2 minus the exponent."""
        return 2.0 - self.exponent


def uncertainty_exponent(
    ds: xr.Dataset,
    *,
    variable: str = "status",
    over: tuple[str, str] = OVER,
    scales: tuple[float, float] | None = None,
    sample: int = 20_000,
    seed: int = 0,
    n_jobs: int | None = None,
) -> Uncertainty:
    """How the end becomes more certain as the point is known better.

    Random points of the map, and for each a neighbour in a random direction at each distance, are
    run. The share of points whose neighbour ends differently is a power of the distance.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, with one start and one value of all other axes.
    variable : {"status", "basin"}
        What counts as the end: the status, or the minimiser reached.
    over : (str, str)
        ("lr", "momentum"), with distances along lr in its logarithm if the map is spaced so, or
        the two axes of a mesh of starts, such as ("start_x", "start_y").
    scales : (float, float), optional
        Smallest and largest distance, as fractions of the map's side; by default 1e-7 to 1e-2.
    sample : int
        Points.
    seed : int
        Seed of the points and directions.
    n_jobs : int, optional
        Workers.

    Returns
    -------
    Uncertainty
        ``exponent``, ``error`` and ``scales``; ``dimension`` is that of the boundary.

    Raises
    ------
    InputError
        There is no boundary, another dimension is left, or an argument is out of range.

    References
    ----------
    Grebogi, McDonald, Ott and Yorke, "Final state sensitivity: an obstruction to predictability",
    1983.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Booth(), rule="momentum", steps=500,
    ...     grid=fm.Grid(lr=np.linspace(0.1, 0.4, 9), momentum=np.linspace(0, 0.9, 9),
    ...     start=[(1, 1)])))
    >>> found = uncertainty_exponent(ds.isel(start=0), scales=(1e-2, 0.2), sample=5000)
    >>> abs(found.exponent - 1.0) < 3 * found.error
    True
    """
    if variable not in ("status", "basin"):
        raise InputError(f"variable must be status or basin: got {variable!r}")
    sample, seed = whole(sample, "sample", least=100), whole(seed, "seed", least=0)
    plan = experiment_of(ds)
    warn_of_other(plan, ds.attrs)
    classify, ends, logs = _runs(ds, variable, over, n_jobs)
    return measured(classify, ends, logs, scales, sample, seed)


def measured(
    classify: Classify,
    ends: Sequence[tuple[float, float]],
    logs: Sequence[bool] = (False, False),
    scales: tuple[float, float] | None = None,
    sample: int = 20_000,
    seed: int = 0,
) -> Uncertainty:
    """The same for classes of any function of the plane; see `uncertainty_exponent`.

    Parameters
    ----------
    classify : callable
        Takes two arrays of coordinates, shape (n,), and returns the classes.
    ends : two of (float, float)
        Ends of the map's axes.
    logs : two of bool
        Whether an axis is drawn and perturbed in its logarithm.
    scales, sample, seed
        As for `uncertainty_exponent`.
    """
    smallest, largest = scales if scales else (10.0 ** DECADES[0], 10.0 ** DECADES[1])
    smallest, largest = number(smallest, "scales"), number(largest, "scales")
    if not 0 < smallest < largest < 0.5:
        raise InputError(
            f"scales must be two distances between 0 and 0.5: got {smallest:g} and {largest:g}"
        )
    random = np.random.default_rng(seed)
    low, side = _box(ends, logs)
    place = random.random((2, sample))
    angle = 2.0 * np.pi * random.random(sample)
    way = np.stack([np.cos(angle), np.sin(angle)])
    count = round(2 * float(np.log10(largest / smallest))) + 1
    distances = np.geomspace(smallest, largest, max(count, 3))
    before = _classes(classify, place, low, side, logs)
    shares = []
    for distance in distances:
        beside = place + distance * way
        outside = (beside < 0) | (beside > 1)
        beside = np.where(outside, place - distance * way, beside)  # back into the map
        shares.append(np.mean(_classes(classify, beside, low, side, logs) != before))
    return _line(distances, np.array(shares), sample)


def _line(distances: Floats, shares: Floats, sample: int) -> Uncertainty:
    """A weighted line through the shares that have enough points."""
    used = (shares * sample >= FEWEST) & (shares < 0.5)
    if used.sum() < 3:
        raise InputError(
            f"only {int(used.sum())} of {shares.size} distances have between {FEWEST} and half of "
            f"{sample:,} points uncertain, and a line needs 3; take other scales, or more points"
        )
    x, y = np.log(distances[used]), np.log(shares[used])
    weight = sample * shares[used] / (1.0 - shares[used])  # 1 / variance of y
    mean = (weight * x).sum() / weight.sum()
    spread = (weight * (x - mean) ** 2).sum()
    height = (weight * y).sum() / weight.sum()
    slope = (weight * (x - mean) * (y - height)).sum() / spread
    left = (weight * (y - height - slope * (x - mean)) ** 2).sum() / (used.sum() - 2)
    error = np.sqrt(max(left, 1.0) / spread)
    ends = distances[used][[0, -1]]
    scales = float(ends[0]), float(ends[1])
    return Uncertainty(float(slope), float(error), scales, distances, shares)


def _box(ends: Sequence[tuple[float, float]], logs: Sequence[bool]) -> tuple[Floats, Floats]:
    edges = np.array([np.log(e) if log else e for e, log in zip(ends, logs, strict=True)], float)
    return edges[:, :1], edges[:, 1:] - edges[:, :1]


def _classes(
    classify: Classify, place: Floats, low: Floats, side: Floats, logs: Sequence[bool]
) -> NDArray[Any]:
    both = low + side * place
    x, y = (np.exp(part) if log else part for part, log in zip(both, logs, strict=True))
    return classify((x, y))


def _runs(
    ds: xr.Dataset, variable: str, over: tuple[str, str], n_jobs: int | None
) -> tuple[Classify, list[tuple[float, float]], list[bool]]:
    """A function that says how runs at any settings, or from any starts, end; and its map."""
    plan = runnable(ds)
    starts = tuple(f"start_{name}" for name in plan.objective.parameters)
    over = (str(over[0]), str(over[1]))
    if over not in (OVER, starts):
        known, got = (" and ".join(names) for names in (OVER, over))
        raise InputError(f"over must be {known}, or {' and '.join(starts)}: got {got}")
    more = [str(dim) for dim in ds.status.dims if dim not in (*over, "cell") and ds.sizes[dim] > 1]
    if more:
        raise InputError(
            f"{more[0]} is left: select one value of it first, with isel, to see how the rest "
            "depends on it"
        )
    values = {label.name: np.atleast_1d(ds[label.name].values) for label in plan.labels}
    few = [name for name in over if values[name].size < 2]
    if few:
        raise InputError(f"a map needs at least two values of {few[0]}: got one")
    ends = [(float(values[name].min()), float(values[name].max())) for name in over]
    logs = [name == "lr" and plan.grid.lr.linspace is None for name in over]
    fixed = {name: found[:1] for name, found in values.items() if name not in over}
    one = plan.grid.model_copy(update={"cells": None})

    def classify(points: Points) -> NDArray[Any]:
        found = []
        for first in range(0, points[0].size, POINTS_AT_ONCE):
            x, y = (part[first : first + POINTS_AT_ONCE] for part in points)
            both = np.unique(x, return_inverse=True), np.unique(y, return_inverse=True)
            if over == OVER:
                cell = both[0][1] * both[1][0].size + both[1][1]
                settings = {name: axis for name, (axis, _) in zip(over, both, strict=True)}
                grid = narrowed(one, {**fixed, **settings}, plan.objective.parameters, meshes=False)
            else:
                cell = np.arange(x.size)
                grid = narrowed(one, fixed, plan.objective.parameters, meshes=False)
                grid = grid.model_copy(update={"start": np.stack([x, y], axis=-1)})
            cells, back = np.unique(cell, return_inverse=True)
            if over == OVER:
                grid = grid.model_copy(update={"cells": cells})
            results = run(plan.with_grid(grid), n_jobs=n_jobs)
            classes = results.status if variable == "status" else basin(results)
            found.append(classes.values.ravel()[back])
        return np.concatenate(found)

    return classify, ends, logs
