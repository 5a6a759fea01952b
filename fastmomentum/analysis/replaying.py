"""Running a cell of finished results again, for its whole trajectory."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from fastmomentum.execution.runner import run
from fastmomentum.experiment.arithmetic import warn_of_other
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.experiment.recording import Record
from fastmomentum.results.dataset import runnable
from fastmomentum.results.selection import Start, select_cell


def replay(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    every: int = 1,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Run one cell again and keep its whole trajectory: the same bits as in the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results; summaries suffice.
    lr, momentum, start
        Which cell; see `select_cell`.
    every : int
        Keep every k-th step.
    velocity, at
        Which cell; see `select_cell`.

    Returns
    -------
    xarray.Dataset
        The cell, with its labels and ``trajectory`` (step, parameter).

    Raises
    ------
    InputError
        As for `select_cell`.

    Warns
    -----
    UserWarning
        The results were made by a version whose objective has other last digits.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=[1e-5, 1.5e-5], momentum=[0.5, 0.9], start=[(-5, -5)]))
    >>> ds = fm.run(experiment)
    >>> fm.replay(ds, lr=1.5e-5, momentum=0.9).trajectory.values[-1]
    array([0.95019026, 0.90265616])
    """
    cell = select_cell(ds, lr, momentum, start, velocity, at)
    plan = runnable(ds)
    warn_of_other(plan, ds.attrs)
    here = {label.name: [cell[label.name].item()] for label in plan.labels}
    grid = narrowed(plan.grid, here, plan.objective.parameters)
    one = run(plan.with_grid(grid, Record(every=every)), n_jobs=1, backend="threads")
    one = one.isel(dict.fromkeys(grid.axes, 0))
    return one.assign_coords({k: cell[k] for k in ("start", "velocity") if k in cell.coords})
