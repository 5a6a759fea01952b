"""Which runs of a results file are drawn: those asked for, or telling ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.plots.runs import Run, run_of
from fastmomentum.plots.style import point
from fastmomentum.results.chosen import rule_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import L, Labelled
from fastmomentum.results.nearest import nearest
from fastmomentum.results.selection import (
    BY_NAME,
    Start,
    labels_of,
    select_at,
    select_cell,
    select_velocity,
)
from fastmomentum.results.slices import with_all_axes
from fastmomentum.status import Status

Several = Any
"""One value, or a list of them."""

At = Mapping[str, float]
"""Where to stay along axes of parameters and constants, by name."""

MOST_POINTS = 20_000
"""Most points of a replayed path; a longer one is thinned."""


def chosen(ds: L, velocity: Start | None, at: At | None, free: Sequence[str] = ()) -> L:
    """Select the one initial velocity and the parameters that are asked for, else the first.

    Along axes that are `free` all values are kept.

    Raises
    ------
    InputError
        A value is asked for along an axis that is free, or not in the grid.
    """
    for name in at or ():
        if name in free:
            raise InputError(f"--at {name}: all of its values are drawn; leave it out")
    one = select_at(select_velocity(with_all_axes(ds), velocity), at)
    others = labels_of(one, BY_NAME)
    return one.isel({name: 0 for name in others if name in one.dims and name not in free})


@dataclass(frozen=True)
class Cell:
    """Which cell is asked for; None where the first will do."""

    lr: float | None
    momentum: float | None
    start: Start | None

    def of(self, ds: L) -> L:
        """Select the nearest cell of the grid."""
        return select_cell(ds, self.lr, self.momentum, self.start)


def chosen_runs(
    ds: Labelled, lr: Several, momentum: Several, start: Several, replayed: bool
) -> tuple[list[Run], list[str]]:
    """Read the runs that are asked for, or telling ones, and say a line of each."""
    cells = _cells(ds, listed(lr), listed(momentum), listed(start))
    read = [_run(ds, wanted, replayed) for wanted in cells]
    return [run for run, _ in read], [said for _, said in read]


def whole_run(
    ds: Labelled, lr: float | None, momentum: float | None, start: Start | None
) -> tuple[Run, str]:
    """Read all steps of the one run that is asked for, or of the best, and say a line of it."""
    first = int(ds["start"].values[0]) if "start" in ds.dims else 0
    wanted = _cells(ds, listed(lr), listed(momentum), [first if start is None else start])[0]
    cell = wanted.of(ds)
    every_step = np.arange(int(cell["n_steps"]) + 1)
    recorded = "trajectory" in cell and cell["trajectory"].dtype == np.float64
    whole = recorded and np.array_equal(cell["step"].values[: every_step.size], every_step)
    return _run(ds, wanted, replayed=not whole)


def listed(values: Several) -> list[Any] | None:
    """Make a list of one value; a point is one. None stays: nothing was asked for."""
    if values is None or isinstance(values, list):
        return values or None
    if isinstance(values, np.ndarray | range):
        return list(values)
    return [values]


def _run(ds: Labelled, wanted: Cell, replayed: bool) -> tuple[Run, str]:
    cell = wanted.of(ds)
    path = None
    if replayed or "trajectory" not in cell:
        from fastmomentum.analysis.replaying import replay  # brings the compiler
        from fastmomentum.results.backend import as_dataset

        every = max(1, int(cell["n_steps"]) // MOST_POINTS)
        path = replay(as_dataset(ds), wanted.lr, wanted.momentum, wanted.start, every).trajectory
    run = run_of(cell, path)
    momentum = "schedule" if run.is_momentum_scheduled else f"{run.momentum:.6g}"
    said = (
        f"cell lr={run.lr:.6g} momentum={momentum} "
        + "".join(f"{name}={_said(cell[name])} " for name in labels_of(cell, BY_NAME))
        + f"start=({run.start[0]:.6g}, {run.start[1]:.6g}){_velocity(run)}: "
        f"{run.status.words} "
        f"after {run.n_steps} step{'s' * (run.n_steps != 1)}, f = {run.final_loss:.3g}"
    )
    return run, said


def _velocity(run: Run) -> str:
    return "" if run.velocity is None else ", velocity ({:.3g}, {:.3g})".format(*run.velocity)


def _said(value: Any) -> str:
    """A label's value in words; of a seed every digit counts."""
    number = value.item()
    return str(number) if isinstance(number, int) else f"{number:.6g}"


def _cells(
    ds: Labelled,
    lrs: list[float] | None,
    momenta: list[float] | None,
    starts: list[Start] | None,
) -> list[Cell]:
    several = ds["lr"].size * ds["momentum"].size > 1
    if lrs is None and momenta is None:
        starts = starts or _telling_starts(ds, several)
        if len(starts) == 1 and several:
            settings = _Settings.of(ds, starts[0]).telling()
            return [Cell(lr, momentum, starts[0]) for lr, momentum in settings]
    lists: list[list[Any]] = [lrs or [None], momenta or [None], starts or [None]]
    count = max(len(part) for part in lists)
    if any(len(part) not in (1, count) for part in lists):
        raise InputError(
            "--lr, --momentum and --start must be given equally often, or once: got "
            + ", ".join(str(len(part)) for part in lists)
        )
    asked = [Cell(*(part[i % len(part)] for part in lists)) for i in range(count)]
    return [_filled_in(ds, cell, asked[0].start) for cell in asked]


def _telling_starts(ds: Labelled, several: bool) -> list[Start]:
    """Up to four starts that lie apart; one of a list, where lr and momentum vary."""
    if "start" in ds.dims:
        count = 1 if several else min(4, ds.sizes["start"])
        places = np.linspace(0, ds.sizes["start"] - 1, count).astype(int)
        return [int(number) for number in ds["start"].values[places]]
    x, y = (ds[name].values for name in start_names(ds))
    quarters = [(a[a.size // 4], a[a.size * 3 // 4]) for a in (x, y)]
    return list(dict.fromkeys((float(a), float(b)) for a in quarters[0] for b in quarters[1]))


def _filled_in(ds: Labelled, cell: Cell, start: Start | None) -> Cell:
    """Put the best lr and momentum where none was asked for."""
    if cell.lr is not None and cell.momentum is not None:
        return cell
    found = _Settings.of(ds, start)
    near = cell.of(ds)
    allowed = np.ones(found.lr.shape, bool)
    if cell.lr is not None:
        allowed &= found.lr == float(near["lr"])
    if cell.momentum is not None:
        allowed &= found.momentum == float(near["momentum"])
    # Where all diverged, the lowest learning rate and momentum did so the most gently.
    best = found.best(allowed)
    lr, momentum = found.at(_first(allowed) if best is None else best)
    return Cell(lr, momentum, cell.start)


@dataclass(frozen=True)
class _Settings:
    """How the runs of one start ended at each setting, of a whole grid or of a list of cells."""

    lr: Any
    momentum: Any
    status: Any
    scores: dict[Status, Any]

    @classmethod
    def of(cls, ds: Labelled, start: Start | None) -> _Settings:
        found = plane(ds, start)
        status, steps, losses = (found[name].values.ravel() for name in SUMMARIES[:3])
        lr, momentum = (_along(found[name], found["status"]) for name in ("lr", "momentum"))
        return cls(lr, momentum, status, {Status.CONVERGED: steps, Status.MAX_STEPS: losses})

    def at(self, place: int) -> tuple[float, float]:
        return float(self.lr[place]), float(self.momentum[place])

    def best(self, allowed: Any) -> int | None:
        """Find the run that converged soonest, else the one with the lowest loss."""
        for code, score in self.scores.items():
            those = allowed & (self.status == code)
            if those.any():
                scores = np.where(those, score, np.inf)
                return _first(scores == scores.min())
        return None

    def telling(self) -> list[tuple[float, float]]:
        """The best of all, without momentum and near 0.9, and one beside the best that diverged."""
        momenta = np.unique(self.momentum)
        usual = momenta[np.abs(momenta - 0.9).argmin()]
        best = self.best(np.ones(self.lr.shape, bool))
        cells = [best, *(self.best(self.momentum == value) for value in (momenta[0], usual))]
        diverged = self.status == Status.DIVERGED
        if best is not None:
            diverged &= self.momentum == self.momentum[best]
        if diverged.any():
            cells.append(_first(diverged))
        different = dict.fromkeys(cell for cell in cells if cell is not None)
        return [self.at(cell) for cell in different or [0]]


def _along(label: Any, runs: Any) -> Any:
    """The value of a label for each of the runs, in their order."""
    size = dict(zip(label.dims, label.values.shape, strict=True))
    shape = [size.get(dim, 1) for dim in runs.dims]
    return np.broadcast_to(label.values.reshape(shape), runs.values.shape).ravel()


SUMMARIES = ("status", "n_steps", "final_loss", "hit_step")


def plane(
    ds: L,
    start: Start | None,
    variables: Sequence[str] = SUMMARIES,
    free: Sequence[str] = (),
) -> L:
    """Select the summaries of one start over all settings; along `free` axes all values stay."""
    point = select_cell(ds, start=start)
    names = ["start"] if "start" in ds.dims else start_names(ds)
    names = [name for name in names if name in ds.dims and name not in free]
    where = {name: _first(ds[name].values == point[name].item()) for name in names}
    kept = [*variables, "data_x", "data_y"]  # rows of data, which batches are drawn from
    chosen: L = ds[[name for name in kept if name in ds]]
    return chosen.isel(where)


def has_theory(ds: Labelled) -> bool:
    """Whether there is a theory: the rule is a linear map, and nothing is scheduled."""
    return rule_of(ds).form is not None and experiment_of(ds).schedule is None


def at_target(results: L, target: float | None) -> L:
    """Keep only the target nearest to the one asked for; all where none is asked for."""
    if target is None:
        return results
    if "target" not in results.dims:
        raise InputError("--target: the experiment has no target; leave it out")
    if not 0 < target < np.inf:
        raise InputError(f"--target must be positive: got {target}")
    targets = results["target"].values
    place = nearest("target", targets, target, by_ratio=True, listed=True)
    return results.isel({"target": [place]})


def start_names(ds: Labelled) -> list[str]:
    """Name the coordinates of the starts."""
    return [f"start_{name}" for name in experiment_of(ds).objective.parameters]


def start_of(results: Labelled) -> str:
    """Write down the one start of results, and the initial velocity."""
    start = [results[name].item() for name in start_names(results)]
    return f"{point(start)}{velocity_of(results)}"


def velocity_of(results: Labelled) -> str:
    """Write down the one initial velocity of results; nothing where there is none."""
    names = [f"velocity_{name}" for name in experiment_of(results).objective.parameters]
    if names[0] not in results.coords:
        return ""
    return f", velocity {point([results[name].item() for name in names])}"


def _first(where: Any) -> int:
    return int(np.flatnonzero(where)[0])
