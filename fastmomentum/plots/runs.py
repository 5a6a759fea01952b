"""One run as the drawing functions take it, and the part of the plane that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.plots.arguments import ARRAY, OBJECTIVE, Kind, each, takes
from fastmomentum.plots.geometry import Floats, Window
from fastmomentum.plots.style import counted, number
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import Labelled, LabelledArray
from fastmomentum.status import Status


@dataclass(frozen=True)
class Run:
    """One run, as the drawing functions take it.

    Attributes
    ----------
    points : ndarray, shape (n_points, 2)
        Where it was; the first is the start. May hold inf or NaN.
    steps : ndarray, shape (n_points,)
        After how many updates.
    lr, momentum : float
        Its cell.
    status : Status
        How it ended.
    n_steps : int
        Updates made.
    final_loss : float
        Objective at the end.
    velocity : (float, float), optional
        What it left with; None where the grid has no initial velocities.
    is_momentum_scheduled : bool
        Whether its momentum is that of a schedule; `momentum` is 0 then.
    """

    points: Floats
    steps: NDArray[np.int64]
    lr: float
    momentum: float
    status: Status
    n_steps: int
    final_loss: float
    velocity: tuple[float, float] | None = None
    is_momentum_scheduled: bool = False

    @property
    def start(self) -> tuple[float, float]:
        """The point it left from."""
        return float(self.points[0, 0]), float(self.points[0, 1])

    @property
    def label(self) -> str:
        """The run in a line of a legend."""
        return f"{self.cell}, {self.departure}: {self.ending}"

    @property
    def cell(self) -> str:
        """Its learning rate and momentum."""
        momentum = "by schedule" if self.is_momentum_scheduled else number(self.momentum)
        return f"lr {number(self.lr)}, momentum {momentum}"

    @property
    def departure(self) -> str:
        """Where it left from, and with what velocity."""
        x, y = self.start
        where = f"from ({number(x)}, {number(y)})"
        if self.velocity is None:
            return where
        vx, vy = self.velocity
        return f"{where}, velocity ({number(vx)}, {number(vy)})"

    @property
    def ending(self) -> str:
        """How it ended."""
        ends = {
            Status.NOT_RUN: "not run",
            Status.CONVERGED: f"converged in {counted(self.n_steps)}",
            Status.DIVERGED: f"diverged at step {self.n_steps:,}",
            Status.MAX_STEPS: f"f = {number(self.final_loss)} after {counted(self.n_steps)}",
        }
        return ends[self.status]


ONE_CELL: Final = Kind(
    "one cell of results, from fm.select_cell or fm.replay",
    lambda given: isinstance(given, Labelled),
)
RUN: Final = Kind(
    "a Run, such as fm.plots.run_of(fm.replay(ds))", lambda given: isinstance(given, Run)
)
WIDEST: Final = 4.0
"""Most that the window gets wider, along either axis, for a converged run to be drawn whole."""

RUNS: Final = each(RUN, "a list of Runs, such as [fm.plots.run_of(fm.replay(ds))]")


@takes(cell=ONE_CELL, trajectory=ARRAY)
def run_of(cell: Labelled, trajectory: LabelledArray | None = None) -> Run:
    """One cell of a results file as a `Run`.

    Parameters
    ----------
    cell : xarray.Dataset
        Results whose lr, momentum and start are scalars.
    trajectory : xarray.DataArray, dims (step, parameter), optional
        Its path; the recorded one without.

    Returns
    -------
    Run
        With the start and the final point added where they were not recorded.

    Raises
    ------
    InputError
        There is no trajectory.
    """
    if trajectory is None and "trajectory" not in cell:
        raise InputError("this cell holds no trajectory; take it with fm.replay")
    parameters = [str(name) for name in cell["parameter"].values]
    n_steps = int(cell["n_steps"])
    path = cell["trajectory"] if trajectory is None else trajectory
    recorded = cell["step"] if trajectory is None else trajectory["step"]
    steps = recorded.values.astype(np.int64)
    made = steps <= n_steps
    points, steps = path.values.astype(np.float64)[made], steps[made]
    if steps.size == 0 or steps[0] > 0:
        start = np.array([[float(cell[f"start_{name}"]) for name in parameters]])
        points, steps = np.concatenate([start, points]), np.concatenate([[0], steps])
    if steps[-1] < n_steps:
        points = np.concatenate([points, cell["final"].values.astype(np.float64)[np.newaxis]])
        steps = np.append(steps, n_steps)
    return Run(
        points=points,
        steps=steps,
        lr=float(cell["lr"]),
        momentum=float(cell["momentum"]),
        status=Status(int(cell["status"])),
        n_steps=n_steps,
        final_loss=float(cell["final_loss"]),
        velocity=_velocity(cell, parameters),
        is_momentum_scheduled=_has_momentum_schedule(cell),
    )


def _has_momentum_schedule(cell: Labelled) -> bool:
    return "experiment" in cell.attrs and experiment_of(cell).has_momentum_schedule


def _velocity(cell: Labelled, parameters: Sequence[str]) -> tuple[float, float] | None:
    names = [f"velocity_{name}" for name in parameters]
    if not all(name in cell.coords for name in names):
        return None
    vx, vy = (float(cell[name]) for name in names)
    return vx, vy


@takes(objective=OBJECTIVE, runs=RUNS)
def window(objective: Objective, runs: Sequence[Run] = (), margin: float = 0.05) -> Window:
    """Choose the part of the plane worth drawing.

    The objective's usual box, widened to hold minimisers and starts, and the paths of runs that did
    not diverge as far as they stay within reach (once more the width of all that, on each side). A
    run that converged is held whole where the window gets at most `WIDEST` times as wide by it;
    `outside` says what is not in it.

    Parameters
    ----------
    objective : Objective
        What is descended.
    runs : sequence of Run
        What will be drawn on it.
    margin : float
        Space left around points that lie at the edge, as a part of the width.

    Returns
    -------
    ((x_low, x_high), (y_low, y_high))
        Finite.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> window(Rosenbrock())
    ((-2.0, 2.0), (-1.0, 3.0))
    """
    box = np.array(objective.box, dtype=np.float64).T
    fixed = np.array([run.start for run in runs]).reshape(-1, 2)
    low, high = _join(box, np.concatenate([fixed, objective.minimisers.reshape(-1, 2)]), margin)
    reach = high - low
    near = [run.points[_within(run.points, low - reach, high + reach)] for run in _calm(runs)]
    for run in runs:
        if run.status == Status.CONVERGED and np.isfinite(run.points).all():
            both = np.stack([low, high, run.points.min(axis=0), run.points.max(axis=0)])
            if np.all(np.ptp(both, axis=0) <= WIDEST * reach):
                near.append(run.points)
    if near:
        low, high = _join(np.stack([low, high]), np.concatenate(near), margin)
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def outside(runs: Sequence[Run], window: Window) -> str:
    """Say how many points of runs that did not diverge lie outside of a window.

    Parameters
    ----------
    runs : sequence of Run
        What is drawn in it.
    window : ((x_low, x_high), (y_low, y_high))
        Of the plane.

    Returns
    -------
    str
        A line; empty where all lie in it.

    Examples
    --------
    >>> path = np.array([[1.0, 1.0], [4.0, 0.5], [0.0, 0.0]])
    >>> run = Run(path, np.arange(3), 0.1, 0.5, Status.CONVERGED, 2, 0.0)
    >>> outside([run], ((-2.0, 2.0), (-2.0, 2.0)))
    'outside of this picture: 1 of 3 points'
    """
    low, high = np.array(window, dtype=np.float64).T
    seen = [_within(run.points, low, high) for run in _calm(runs)]
    count, away = sum(each.size for each in seen), sum(int((~each).sum()) for each in seen)
    return f"outside of this picture: {away:,} of {count:,} points" if away else ""


def _calm(runs: Sequence[Run]) -> list[Run]:
    """Those whose points are worth room: a diverged run leaves every window."""
    return [run for run in runs if run.status != Status.DIVERGED]


def _within(points: Floats, low: Floats, high: Floats) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.all((points >= low) & (points <= high), axis=1))


def _join(box: Floats, points: Floats, margin: float) -> tuple[Floats, Floats]:
    """Widen a box, shape (2, 2) as low and high, to hold points; room is left only around these."""
    points = points[np.all(np.isfinite(points), axis=1)]
    both = np.concatenate([box, points])
    room = margin * (both.max(axis=0) - both.min(axis=0))
    outside_low, outside_high = both.min(axis=0) < box[0], both.max(axis=0) > box[1]
    low = np.where(outside_low, both.min(axis=0) - room, box[0])
    return low, np.where(outside_high, both.max(axis=0) + room, box[1])
