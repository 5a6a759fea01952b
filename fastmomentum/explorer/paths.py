"""The path of a cell: as stored in the file, or else by running it again."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.analysis.replaying import replay
from fastmomentum.errors import OutsideGridWarning
from fastmomentum.execution.runner import run
from fastmomentum.explorer.view import Cell, View
from fastmomentum.objectives import Objective
from fastmomentum.plots.runs import Run, run_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import select_cell
from fastmomentum.status import Status

MOST_POINTS: Final = 20_000
"""Most points of a path on a page; of longer runs, every k-th."""


@dataclass(frozen=True)
class Path:
    """A run with what the page draws of it.

    Attributes
    ----------
    run : Run
        Points and outcome.
    cell : (float, float)
        Its coordinates on the map.
    is_stored : bool
        Whether its trajectory comes from the file.
    excess : ndarray, shape (n_points,)
        f above its minimum, or f itself where there is none.
    """

    run: Run
    cell: Cell
    is_stored: bool
    excess: NDArray[np.float64]

    def told(self, x: str, y: str) -> dict[str, Any]:
        """The run in words and numbers, for the page."""
        run = self.run
        updates = "1 update" if run.n_steps == 1 else f"{run.n_steps:,} updates"
        ends = {
            Status.CONVERGED: f"converged after {updates}",
            Status.DIVERGED: f"diverged after {updates}",
        }
        last = ends.get(run.status, f"f = {run.final_loss:.3g} after {updates}")
        words = f"{x} {self.cell[0]:.6g}, {y} {self.cell[1]:.6g}: {last}"
        return {"words": words, "points": len(run.points), "stored": self.is_stored}


def computed_path_of(view: View, cell: Cell) -> Path:
    """Run a cell, and record its path.

    Parameters
    ----------
    view : View
        Of the map.
    cell : (float, float)
        Values along its axes.

    Returns
    -------
    Path
        Equal to that of `fm.replay`, to the bit.

    Examples
    --------
    >>> from fastmomentum.explorer.view import first_view
    >>> computed_path_of(first_view(), (1e-3, 0.9)).run.n_steps
    836
    """
    every = -(-view.steps // MOST_POINTS)
    results = run(view.experiment_at(cell, every), n_jobs=1, backend="threads")
    return _path(
        results, results.isel(dict.fromkeys(results["status"].dims, 0)), view.x, view.y, False
    )


def stored_path_of(results: xr.Dataset, x: str, y: str, cell: Cell) -> Path:
    """The path of a file's cell nearest to a point on the map; the stored one, if there is one.

    Parameters
    ----------
    results : xarray.Dataset
        Results of the map, with or without trajectories.
    x, y : str
        Axes of the map.
    cell : (float, float)
        Values along them.

    Returns
    -------
    Path
        Equal to that of `fm.replay`, to the bit.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=[1e-5, 1.5e-5], momentum=[0.5, 0.9], start=[(-5, -5)])))
    >>> path = stored_path_of(ds, "lr", "momentum", (1.6e-5, 0.95))
    >>> path.cell, path.run.n_steps, path.run.points[-1]
    ((1.5e-05, 0.9), 5000, array([0.95019026, 0.90265616]))
    """
    asked = {x: cell[0], y: cell[1]}
    which = _asked(results, asked)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OutsideGridWarning)  # by half a cell at most
        one = select_cell(results, **which)
        is_stored = "trajectory" in results
        if not is_stored:
            every = -(-experiment_of(results).steps // MOST_POINTS)
            one = replay(results, **which, every=every)
    return _path(results, one, x, y, is_stored)


def _path(results: xr.Dataset, one: xr.Dataset, x: str, y: str, is_stored: bool) -> Path:
    run = run_of(one)
    objective = _objective(results, one)
    excess = objective.value(*run.points.T)
    if objective.f_min is not None:
        with np.errstate(invalid="ignore"):
            excess = excess - objective.f_min
    return Path(run, (float(one[x]), float(one[y])), is_stored, excess)


def _asked(results: xr.Dataset, asked: dict[str, float]) -> dict[str, Any]:
    """The keywords that choose a cell."""
    which: dict[str, Any] = {k: asked[k] for k in ("lr", "momentum") if k in asked}
    starts = [f"start_{name}" for name in experiment_of(results).objective.parameters]
    if any(name in asked for name in starts):
        which["start"] = tuple(asked.get(n, float(results[n].values.flat[0])) for n in starts)
    rest = {k: v for k, v in asked.items() if k not in which and not k.startswith("start_")}
    return which | ({"at": rest} if rest else {})


def _objective(results: xr.Dataset, one: xr.Dataset) -> Objective:
    """The objective of a cell: constants may be axes."""
    experiment = experiment_of(results)
    names = experiment.grid.objective or {}
    return experiment.variants.of({name: float(one[f"objective_{name}"]) for name in names})
