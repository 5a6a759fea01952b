"""Running a cell of finished results again, for its whole trajectory."""

from __future__ import annotations

import xarray as xr

from fastmomentum.experiment import Experiment
from fastmomentum.grid import Grid
from fastmomentum.results import Start, experiment_of, one_cell, select_cell
from fastmomentum.runner import run
from fastmomentum.schema import dimensions


def replay(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    every: int = 1,
    velocity: Start | None = None,
) -> xr.Dataset:
    """Run one cell again and keep its whole trajectory: the same bits as in the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results; summaries suffice.
    lr, momentum, start
        Which cell: see `select_cell`.
    every : int
        Keep each so-manieth step.
    velocity
        Which cell, too.

    Returns
    -------
    xarray.Dataset
        The cell, with ``trajectory`` (step, parameter).

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=[1e-5, 1.5e-5], momentum=[0.5, 0.9], start=[(-5, -5)]))
    >>> ds = fm.run(experiment)
    >>> fm.replay(ds, lr=1.5e-5, momentum=0.9).trajectory.values[-1]
    array([0.95019026, 0.90265616])
    """
    cell = select_cell(ds, lr, momentum, start, velocity)
    plan = experiment_of(ds)
    rate = float(cell.momentum) if plan.grid.momentum is not None else None
    grid = Grid(lr=float(cell.lr), momentum=rate, **one_cell(ds, cell))
    fields = {name: getattr(plan, name) for name in ("title", "objective", "rule", "stop", "steps")}
    again = Experiment(grid=grid, record={"every": every}, **fields)
    one = run(again, n_jobs=1, backend="threads")
    return one.isel(dict.fromkeys(dimensions(again), 0))
