"""The kind of each run: monotone, oscillating, transient, periodic, diverged or undecided."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.analysis.attractors import Attractors, attractors
from fastmomentum.analysis.trajectories import Floats, Trajectories, over_trajectories
from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import number, whole
from fastmomentum.status import Status

PARTS: Final = 8
"""Parts of a run's last half, from each to the next of which the largest distance must fall."""
SMALLEST_CYCLE: Final = 1e-8
"""Cycles smaller than this fraction of 1 + |w| may be due to rounding."""


class Behaviour(IntEnum):
    """The kind of a run.

    Undecided: it neither converged nor cycled nor diverged within its steps; it may be slow,
    chaotic, or stuck at a saddle. Monotone: it converged and the loss never rose. Oscillating: it
    converged and the loss rose on the way. Transient: it converged after the loss had grown well
    beyond its first value. Periodic: it follows a cycle. Diverged: it ended with that status.

    Examples
    --------
    >>> Behaviour(4).name
    'PERIODIC'
    """

    UNDECIDED = 0
    MONOTONE = 1
    OSCILLATING = 2
    TRANSIENT = 3
    PERIODIC = 4
    DIVERGED = 5


@dataclass(frozen=True)
class Thresholds:
    """The arguments of `classify`; see there."""

    rise: float
    growth: float
    approach: float
    contraction: float
    steady: float
    repeat: float
    longest_period: int

    def check(self) -> None:
        """Refuse values out of range."""
        for name, low, high in (
            ("rise", 0.0, np.inf),
            ("growth", 1.0, np.inf),
            ("approach", 0.0, 1.0),
            ("contraction", 0.0, 1.0),
            ("steady", 0.0, 1.0),
            ("repeat", 0.0, 1.0),
            ("longest_period", 2, 10**6),
        ):
            value = number(getattr(self, name), name, finite=False)
            if not low <= value <= high:
                raise InputError(f"{name} must lie in [{low}, {high}]: got {value!r}")
        whole(self.longest_period, "longest_period")


def classify(
    ds: xr.Dataset,
    *,
    rise: float = 1e-9,
    growth: float = 2.0,
    approach: float = 0.1,
    contraction: float = 0.5,
    steady: float = 0.995,
    repeat: float = 1e-6,
    longest_period: int = 64,
    n_jobs: int = -1,
) -> xr.Dataset:
    """Classify the runs of a grid by what they did.

    Every step of every run counts. Stored paths are used if each step is stored in double
    precision; otherwise the runs are run again, some at a time, so that memory stays bounded.

    A run that met its last target has converged. A run that took all its steps has converged if it
    gets closer and closer to the minimum that Newton's method finds from its last point, or has
    reached it to rounding. A run that only stands still, as at a saddle, or stays near a minimum,
    as on a small cycle, or still has far to go, has not. Rises of the loss that are below the
    rounding at the minimum do not count.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them along the grid's dimensions.
    rise : float
        The loss rises where it exceeds the one before by more than this fraction.
    growth : float
        A run is transient if the loss above the minimum exceeds its first value times this.
    approach : float
        A run that took all its steps may have converged if the largest distance from the minimum
        in its last quarter is at most this fraction of the first distance,
    contraction : float
        and at most this fraction of the largest distance in the quarter before,
    steady : float
        or if the largest distance falls to this fraction or less from each sixteenth of the run to
        the next, all through its last half, without slowing down by more than a half.
    repeat : float
        A run is periodic if points a period apart differ by at most this fraction of the cycle's
        size, all through its last quarter, and so do points half a run apart.
    longest_period : int
        Longest period, in updates.
    n_jobs : int
        Threads; -1 for one per core.

    Returns
    -------
    xarray.Dataset
        With the dimensions of ``ds.status``: ``behaviour`` (uint8, values of `Behaviour`),
        ``period`` (int32, 0 where the run is not periodic) and ``growth`` (the largest loss above
        the minimum, as a multiple of the first, for runs that converged; NaN for others).

    Raises
    ------
    InputError
        A threshold is out of range, or the selection is not a grid.

    References
    ----------
    Lessard, Recht and Packard, "Analysis and design of optimization algorithms via integral
    quadratic constraints", 2016, for a cycle. O'Donoghue and Candes, "Adaptive restart for
    accelerated gradient schemes", 2015, for oscillation.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.HeavyBallCycle(), rule="momentum", steps=500,
    ...     grid=fm.Grid(lr=[0.001, 1/9, 0.3], momentum=4/9, start=[(3.3, 0.0)])))
    >>> found = classify(ds).squeeze()
    >>> [Behaviour(b).name for b in found.behaviour.values], found.period.values.tolist()
    (['MONOTONE', 'PERIODIC', 'DIVERGED'], [0, 3, 0])
    """
    thresholds = Thresholds(rise, growth, approach, contraction, steady, repeat, longest_period)
    thresholds.check()
    found = over_trajectories(ds, lambda walks: _look(walks, thresholds), n_jobs)
    found["behaviour"].attrs = {
        "long_name": "kind of run",
        "flag_values": np.array([int(b) for b in Behaviour], np.uint8),
        "flag_meanings": " ".join(b.name.lower() for b in Behaviour),
    }
    found["period"].attrs = {"long_name": "period of the cycle, 0 for none", "units": "1"}
    found["growth"].attrs = {"long_name": "largest loss above the minimum over the first"}
    return xr.Dataset(found, attrs=ds.attrs)


def _look(walks: Trajectories, thresholds: Thresholds) -> dict[str, NDArray[Any]]:
    behaviour = np.full(walks.status.size, Behaviour.UNDECIDED, np.uint8)
    period = np.zeros(behaviour.size, np.int32)
    growth = np.full(behaviour.size, np.nan)
    behaviour[walks.status == Status.DIVERGED] = Behaviour.DIVERGED

    around = attractors(walks)
    met, walked = walks.status == Status.CONVERGED, walks.status == Status.MAX_STEPS
    settled = met | (walked & _settled(walks, around, thresholds))
    if settled.any():
        named = walks.objective.f_min
        level = around.level if named is None else np.where(met, named, around.level)
        kinds, growth[settled] = _rises(
            walks.of(settled), level[settled], around.noise[settled], thresholds
        )
        behaviour[settled] = kinds
    unsettled = walked & ~settled
    if unsettled.any():
        period[unsettled] = _period(walks.of(unsettled), thresholds)
        behaviour[period > 0] = Behaviour.PERIODIC
    return {"behaviour": behaviour, "period": period, "growth": growth}


def _rises(
    walks: Trajectories, level: Floats, noise: Floats, thresholds: Thresholds
) -> tuple[NDArray[np.uint8], Floats]:
    """How the loss above its level at the end rose, and how far it grew."""
    objective = walks.objective
    loss = np.asarray(objective.value_at(walks.x, walks.y, objective.constants))
    loss -= level[:, None]
    largest = np.maximum(np.fmax.reduce(loss, axis=1), noise)
    growth = largest / np.maximum(loss[:, 0], noise)
    rises = (loss[:, 1:] > (1.0 + thresholds.rise) * loss[:, :-1] + noise[:, None]).any(axis=1)
    found = np.where(rises, Behaviour.OSCILLATING, Behaviour.MONOTONE).astype(np.uint8)
    found[growth > thresholds.growth] = Behaviour.TRANSIENT
    return found, growth


def _settled(walks: Trajectories, around: Attractors, thresholds: Thresholds) -> NDArray[np.bool_]:
    """Whether runs that took all steps get closer and closer to a minimum, or have reached it."""
    steps = walks.experiment.steps
    if steps < 2 * PARTS:
        return np.zeros(walks.status.size, np.bool_)

    def away(part: slice) -> Floats:
        dx, dy = walks.x[:, part] - around.x[:, None], walks.y[:, part] - around.y[:, None]
        return np.asarray(dx * dx + dy * dy)

    length = steps // 2 // PARTS
    begins = np.arange(PARTS) * length
    parts = np.sqrt(np.maximum.reduceat(away(slice(-PARTS * length, None)), begins, axis=1))
    half = PARTS // 2
    first = np.sqrt(away(slice(0, 1))[:, 0])
    before, last = parts[:, :half].max(axis=1), parts[:, half:].max(axis=1)
    fast = last <= thresholds.contraction * before
    fall = np.log(parts[:, :-1] / parts[:, 1:])
    steady = (fall >= -np.log(thresholds.steady)).all(axis=1)
    steady &= fall[:, half:].sum(axis=1) >= 0.5 * fall[:, : half - 1].sum(axis=1)
    near = (last <= thresholds.approach * first) & (fast | steady)
    return np.asarray(around.is_near & (near | (last <= around.floor)))


def _period(walks: Trajectories, thresholds: Thresholds) -> NDArray[np.int32]:
    """Periods of runs that took all steps; 0 for those that are not periodic."""
    x, y, steps = walks.x, walks.y, walks.experiment.steps
    period = np.zeros(walks.status.size, np.int32)
    longest = min(thresholds.longest_period, steps // 4)
    if longest < 2:
        return period
    recent_x, recent_y = x[:, -longest - 1 :], y[:, -longest - 1 :]
    size = np.maximum(np.ptp(recent_x, axis=1), np.ptp(recent_y, axis=1))
    scale = 1.0 + np.maximum(np.abs(x[:, -1]), np.abs(y[:, -1]))
    allowed = np.where(size > SMALLEST_CYCLE * scale, thresholds.repeat * size, -1.0)
    gap = np.abs(recent_x - recent_x[:, -1:])
    np.maximum(gap, np.abs(recent_y - recent_y[:, -1:]), out=gap)
    returns = gap[:, :-1] <= allowed[:, None]  # to the last point, from `longest` updates ago to 1
    left = np.asarray(returns.any(axis=1))
    for p in range(2, longest + 1):
        runs = np.flatnonzero(left & returns[:, longest - p])
        if runs.size:
            again = _repeats(x[runs], p, allowed[runs]) & _repeats(y[runs], p, allowed[runs])
            period[runs[again]] = p
            left[runs[again]] = False
    return period


def _repeats(path: Floats, period: int, allowed: Floats) -> NDArray[np.bool_]:
    """Whether paths repeat all through their last quarter, and over half a run."""
    steps = path.shape[1] - 1
    last = max(steps // 4, 2 * period)
    ago = max(steps // 2 // period, 1) * period
    near = np.abs(path[:, -last:] - path[:, -last - period : -period]).max(axis=1)
    far = np.abs(path[:, -period:] - path[:, -period - ago : -ago]).max(axis=1)
    return np.asarray((near <= allowed) & (far <= allowed))
