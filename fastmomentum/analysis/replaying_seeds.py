"""Running one cell of finished results again for all of its seeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import xarray as xr

from fastmomentum.errors import InputError
from fastmomentum.execution.runner import run
from fastmomentum.experiment.arithmetic import warn_of_other
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.experiment.recording import Record
from fastmomentum.results.dataset import runnable
from fastmomentum.results.selection import Start, select_cell

STEPS: Final = 400
"""Recorded steps per run, roughly, evenly spaced in the logarithm."""


def replay_seeds(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
    most: int | None = None,
) -> xr.Dataset:
    """Run one cell again for all seeds, and keep some steps of each: the same bits as in the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results with seeds; summaries suffice.
    lr, momentum, start, velocity, at
        Which cell; see `select_cell`. `at` may not have a seed.
    most : int, optional
        Only this many seeds, the first ones.

    Returns
    -------
    xarray.Dataset
        The cell, with its labels, and ``trajectory`` (seed, step, parameter).

    Raises
    ------
    InputError
        As for `select_cell`, or there are no seeds.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 1.0), rule="sgd", steps=100,
    ...     grid=fm.Grid(lr=[0.1, 0.5], start=[(1, 1)], seed=100), noise={"gaussian": 0.1}))
    >>> dict(replay_seeds(ds, lr=0.5).trajectory.isel(step=0).sizes)
    {'seed': 100, 'parameter': 2}
    """
    if "seed" not in ds.dims:
        raise InputError("there are no seeds: give the grid some, such as seed = 16")
    if "seed" in (at or {}):
        raise InputError("at has seed, but all seeds are run; take it out")
    cell = select_cell(ds, lr, momentum, start, velocity, at)
    plan = runnable(ds)
    warn_of_other(plan, ds.attrs)
    here = {label.name: [cell[label.name].item()] for label in plan.labels if label.kind != "seed"}
    seeds = ds["seed"].values[:most]
    grid = narrowed(plan.grid, here | {"seed": seeds}, plan.objective.parameters)
    every = plan.steps < STEPS
    record = Record(every=1) if every else Record(log=STEPS)
    some = run(plan.with_grid(grid, record), backend="threads")
    some = some.isel({name: 0 for name in grid.axes if name != "seed"})
    kept = [name for name in ("start", "velocity") if name in cell.coords]
    return some.assign_coords({name: cell[name].variable for name in kept})
