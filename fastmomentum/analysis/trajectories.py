"""Runs with all their steps, some runs at a time: stored paths, or runs that are run again."""

from __future__ import annotations

import functools
import itertools
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.arithmetic import warn_of_other
from fastmomentum.experiment.blocks import Box, cut
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.labels import labels_of_grid, values_of
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.recording import Record
from fastmomentum.kernels.block import run_block
from fastmomentum.objectives import Objective
from fastmomentum.results.dataset import runnable
from fastmomentum.results.selection import require_labels
from fastmomentum.schema import block_arrays, dimensions
from fastmomentum.specification.numbers import workers
from fastmomentum.status import Status
from fastmomentum.theory.linear import RuleLike

Floats = NDArray[np.float64]

TRAJECTORY_BYTES: Final = 2 * 2**20
"""Bytes of paths in memory at a time, per worker: they fit into a core's cache."""
TILE: Final = 32
"""Fewest runs at a time, unless they take over eight times that: the kernel's tile."""
AHEAD: Final = 256
"""Boxes given to the workers at a time: a list of all could outgrow the results."""
MOST_STEPS_HELD: Final = 2**24 - 4
"""Most updates of a run, whose path then takes 256 MiB."""


@dataclass(frozen=True)
class Trajectories:
    """Some runs, step by step.

    Attributes
    ----------
    experiment : Experiment
        The plan.
    runs : ndarray of int, shape (n_runs,)
        Numbers of the runs in its grid.
    lr, momentum : ndarray, shape (n_runs,)
        Settings.
    status : ndarray of uint8, shape (n_runs,)
        How each run ended.
    n_steps : ndarray of int, shape (n_runs,)
        Updates made until then.
    x, y : ndarray, shape (n_runs, steps + 1)
        The point after each update; NaN after the end.
    """

    experiment: Experiment
    runs: NDArray[np.int64]
    lr: Floats
    momentum: Floats
    status: NDArray[np.uint8]
    n_steps: NDArray[np.int32]
    x: Floats
    y: Floats

    def of(self, chosen: NDArray[np.bool_]) -> Trajectories:
        """The runs for which `chosen` holds."""
        if chosen.all():
            return self
        return Trajectories(
            self.experiment,
            self.runs[chosen],
            self.lr[chosen],
            self.momentum[chosen],
            self.status[chosen],
            self.n_steps[chosen],
            self.x[chosen],
            self.y[chosen],
        )

    @functools.cached_property
    def objective(self) -> Objective:
        """The objective, which all must share: see `by_objective`."""
        (objective, _), *_ = self.experiment.by_objective(self.runs[:1])
        return objective

    @functools.cached_property
    def rule(self) -> RuleLike:
        """The rule, with the parameters of each run."""
        own = {label.what: v for label, v in values_of(self.experiment.grid, self.runs, ("rule",))}
        return self.experiment.rule.varying(**own) if own else self.experiment.rule

    def by_objective(self) -> Iterator[tuple[Trajectories, NDArray[np.bool_]]]:
        """The runs of each objective, and which they are."""
        for _, those in self.experiment.by_objective(self.runs):
            yield self.of(those), those

    def ends(self) -> tuple[Floats, Floats]:
        """The last points, shapes (n_runs,) and (n_runs,)."""
        rows = np.arange(self.n_steps.size)
        return self.x[rows, self.n_steps], self.y[rows, self.n_steps]


Look = Callable[[Trajectories], dict[str, NDArray[Any]]]
"""A function of some runs on one objective: arrays by name, with one entry per run."""


def over_trajectories(ds: xr.Dataset, look: Look, n_jobs: int = -1) -> dict[str, xr.DataArray]:
    """Look at every run of results, step by step, in bounded memory.

    If every step is stored in double precision it is read; otherwise the cells are run again, with
    the same bits.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them along the grid's dimensions.
    look : callable
        Takes `Trajectories`, returns arrays by name, with one entry per run.
    n_jobs : int
        Threads; -1 for one per core.

    Returns
    -------
    dict of DataArray
        What `look` returned, with the dimensions and labels of ``ds.status``.

    Raises
    ------
    InputError
        The selection is not a grid, the runs are too long, or `n_jobs` is out of range.
    """
    n_jobs = workers(n_jobs)
    plan = _plan(ds)
    shape = plan.grid.shape
    size = 16 * (plan.steps + 1)
    runs = max(TRAJECTORY_BYTES // size, min(TILE, 8 * TRAJECTORY_BYTES // size), 1)
    read = _stored if _holds_every_step(ds, plan) else _walked
    if read is _walked:
        warn_of_other(plan, ds.attrs)
    found: dict[str, NDArray[Any]] = {}

    def do(box: Box) -> None:
        with np.errstate(all="ignore"):
            whole = read(ds, plan, box)
            for walks, those in whole.by_objective():
                for name, part in look(walks).items():
                    if name not in found:  # the first box, before there are threads
                        found[name] = np.empty(shape, part.dtype)
                    place = found[name][box]
                    place[those.reshape(place.shape)] = part

    boxes = cut(shape, runs)
    do(next(boxes))
    with ThreadPoolExecutor(os.cpu_count() if n_jobs == -1 else n_jobs) as pool:
        try:
            while some := list(itertools.islice(boxes, AHEAD)):
                for _ in pool.map(do, some):
                    pass
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return {name: _labelled(ds, plan, values) for name, values in found.items()}


def _plan(ds: xr.Dataset) -> Experiment:
    """The experiment of the selected runs, with every step recorded."""
    whole = runnable(ds)
    if whole.steps > MOST_STEPS_HELD:
        raise InputError(
            f"runs of {whole.steps:,} updates are too long to use every step: {MOST_STEPS_HELD:,} "
            "at most; look at trajectories of fewer steps with fm.replay"
        )
    strange = [str(dim) for dim in ds.status.dims if dim not in dimensions(whole)]
    if strange:
        raise InputError(
            f"results must be selected along the grid's dimensions: got {', '.join(strange)}"
        )
    return whole.with_grid(_grid(ds, whole), Record(every=1))


def _grid(ds: xr.Dataset, whole: Experiment) -> Grid:
    """The grid of a selection; an axis that is whole keeps its range."""
    require_labels(ds)
    grid, parameters = whole.grid, whole.objective.parameters
    labels = {label.name: np.atleast_1d(ds[label.name].values) for label in whole.labels}
    if tuple(ds.status.sizes.get(dim, 1) for dim in grid.axes) != grid.shape:
        grid = narrowed(grid, labels, parameters)
    kept = labels_of_grid(grid, parameters)
    if not all(np.array_equal(label.values, labels[label.name]) for label in kept):
        raise InputError("results must be selected in the grid's order; sort them by their labels")
    return grid


def _holds_every_step(ds: xr.Dataset, plan: Experiment) -> bool:
    if "trajectory" not in ds or ds.trajectory.dtype != np.float64 or "step" not in ds.dims:
        return False
    return np.array_equal(ds.step.values, np.arange(plan.steps + 1))


def _stored(ds: xr.Dataset, plan: Experiment, box: Box) -> Trajectories:
    dims = tuple(plan.grid.axes)
    chosen = {d: part for d, part in zip(dims, box, strict=True) if d in ds.status.dims}
    here = ds[["status", "n_steps", "trajectory"]].isel(chosen)
    order = [dim for dim in dims if dim in chosen]
    path = here.trajectory.transpose(*order, "step", "parameter").values
    status, n_steps = (here[v].transpose(*order).values.ravel() for v in ("status", "n_steps"))
    return _walks(plan, box, status, n_steps, path.reshape(-1, plan.steps + 1, 2))


def _walked(_: xr.Dataset, plan: Experiment, box: Box) -> Trajectories:
    first = plan.grid.run_of(tuple(part.start for part in box))
    count = math.prod(part.stop - part.start for part in box)
    arrays = block_arrays(plan, count)
    run_block(plan, range(first, first + count), arrays)
    return _walks(plan, box, arrays["status"], arrays["n_steps"], arrays["trajectory"])


def _walks(
    plan: Experiment,
    box: Box,
    status: NDArray[np.uint8],
    n_steps: NDArray[np.int32],
    path: Floats,
) -> Trajectories:
    """Add the settings to paths that were read or run again."""
    first = plan.grid.run_of(tuple(part.start for part in box))
    runs = np.arange(first, first + status.size)
    settings = {label.name: at for label, at in values_of(plan.grid, runs, ("lr", "momentum"))}
    ran = np.where(status == Status.NOT_RUN, 0, n_steps)
    return Trajectories(
        plan,
        runs,
        settings["lr"],
        settings["momentum"],
        status,
        ran,
        np.ascontiguousarray(path[..., 0]),
        np.ascontiguousarray(path[..., 1]),
    )


def _labelled(ds: xr.Dataset, plan: Experiment, values: NDArray[Any]) -> xr.DataArray:
    """An array over the whole grid as one over the selection's dimensions."""
    dims = tuple(plan.grid.axes)
    gone = tuple(axis for axis, dim in enumerate(dims) if dim not in ds.status.dims)
    left = [dim for dim in dims if dim in ds.status.dims]
    found = xr.DataArray(np.squeeze(values, gone), dims=left).transpose(*ds.status.dims)
    return found.assign_coords(ds.status.coords)
