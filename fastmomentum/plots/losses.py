"""Loss or distance of some runs against the step, with the rates that theory predicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.plots.arguments import AXES, OBJECTIVE, takes
from fastmomentum.plots.curves import against_step, squared_distance
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.marks import FEW, Key, keys_of, marks_of
from fastmomentum.plots.runs import RUNS, Run
from fastmomentum.plots.style import MANY, is_dark
from fastmomentum.plots.visible import is_seen
from fastmomentum.status import Status
from fastmomentum.theory import RuleLike, predicted_rate
from fastmomentum.theory.linear import known as find_rule

Quantity = Literal["loss", "distance"]
Steps = Literal["auto", "log", "linear"]

LABELS: Final = {
    "loss": "f \N{MINUS SIGN} minimum",
    "distance": "distance from the nearest minimum",
}
POWERS: Final = {"loss": 2, "distance": 1}
"""A loss falls as the square of the distance, and so as the square of the rate."""

ROUNDING: Final = 1e-12
"""Distance from a minimiser of size 1 below which rounding bends the line of a path."""

LEAST: Final = 1e-14
"""Least fraction of the first distance that is drawn: towards (0, 0) there is no end to it."""

MOST: Final = 1e4
"""Largest multiple of the first value that is drawn."""

ALIKE: Final = 10
"""Runs whose lengths differ by less than this factor are drawn on a linear axis."""


class LossCurves(NamedTuple):
    """Artists of `loss_curves`."""

    runs: list[Line2D]
    predicted: list[Line2D]
    keys: Sequence[Key] = ()

    @property
    def handles(self) -> list[Line2D]:
        """For a legend besides ``keys``: the runs, where they are few, and a prediction."""
        seen = [line for line in self.predicted if is_seen(line)][:1]
        return [*(line for line in self.runs if not self.keys and is_seen(line)), *seen]


@takes(ax=AXES, runs=RUNS, objective=OBJECTIVE)
def loss_curves(
    ax: Axes,
    runs: Sequence[Run],
    objective: Objective,
    rule: RuleLike,
    quantity: Quantity = "loss",
    steps: Steps = "auto",
    theory: bool = True,
    among: Sequence[Run] | None = None,
) -> LossCurves:
    """Draw the loss or the distance of runs against the step, on a log axis.

    A predicted rate is a straight line where steps are on a linear axis. It is laid to the last
    half of a run that comes near the minimum, from above; to the start of any other. There is none
    where the minimum is a valley's floor.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits, labels and a grid too.
    runs : sequence of Run
        At least one, of every step.
    objective : Objective
        With a minimum.
    rule : str or UpdateRule
        Which; `UpdateRule` where it has a dampening.
    quantity : {"loss", "distance"}
        What is drawn: the loss above the minimum, or the distance from the nearest minimiser.
    steps : {"auto", "log", "linear"}
        The axis of steps; "auto" is linear where the runs are of similar lengths.
    theory : bool
        Whether predicted rates are drawn.
    among : sequence of Run, optional
        Runs that the scales and limits are for, as those of other panels; `runs` without.

    Returns
    -------
    LossCurves
        ``runs`` and ``predicted``, labelled, and ``keys``, legends of the axes along which runs
        vary where they are more than six.

    Raises
    ------
    InputError
        The objective has no minimum.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastmomentum as fm
    >>> from fastmomentum.plots import run_of
    >>> bowl = fm.Quadratic(1.0, 0.0, 10.0)
    >>> ds = fm.run(fm.Experiment(objective=bowl, rule="momentum", steps=200,
    ...     grid=fm.Grid(lr=0.1, momentum=0.5, start=[(1, 1)]), record={"every": 1}))
    >>> ax = Figure().add_subplot()
    >>> drawn = loss_curves(ax, [run_of(fm.select_cell(ds))], bowl, "momentum")
    >>> ax.get_yscale(), ax.get_xscale(), len(drawn.predicted)
    ('log', 'linear', 1)
    """
    if objective.f_min is None or not len(objective.minimisers):
        raise InputError(
            f"{objective.words} has no minimum to measure from; draw its paths instead, with "
            "plot contour or fm.plots.pages.contour"
        )
    curves = [_quantity(run, objective, quantity) for run in runs]
    if among is None:
        log = _frame(ax, runs, curves, quantity, steps)
    else:
        all_curves = [_quantity(run, objective, quantity) for run in among]
        log = _frame(ax, among, all_curves, quantity, steps)
    is_floor = quantity == "distance" and objective.has_valley_floor
    ax.set(ylabel=f"distance from {MANY}" if is_floor else LABELS[quantity])
    lines: list[Line2D] = []
    predicted: list[Line2D] = []
    on_dark = is_dark(ax.get_facecolor())
    marks = marks_of(runs, on_dark)
    for i, (run, values, mark) in enumerate(zip(runs, curves, marks, strict=True)):
        at = np.where(run.steps > 0, run.steps, np.nan) if log else run.steps
        style: dict[str, Any] = {
            "color": mark.colour, "linewidth": 2.8, "alpha": 0.85 if on_dark else 0.65,
            "zorder": 3, "label": run.label,
            "marker": mark.marker, "markersize": 8,
            "markeredgecolor": "black" if on_dark else "white",
            "linestyle": mark.dashes if len(runs) > FEW else "-",
            "markevery": _marked(run, ax.get_xlim()[1], log, i),
        }  # fmt: skip
        lines.append(ax.plot(at, np.where(values > 0, values, np.nan), **style)[0])
        bound = _bound(run, values, objective, rule, quantity) if theory else None
        if bound is not None:
            label = "as fast as theory at the minimum predicts"
            dashes: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 1.5, "zorder": 4}
            predicted.append(ax.plot(*bound, color=mark.colour, label=label, **dashes)[0])
    return LossCurves(lines, predicted, keys_of(runs, [is_seen(line) for line in lines], on_dark))


def _quantity(run: Run, objective: Objective, quantity: Quantity) -> Floats:
    if quantity == "distance":
        return np.sqrt(squared_distance(run.points, objective))
    x, y = run.points.T
    return objective.value(x, y) - (objective.f_min or 0.0)


def _frame(
    ax: Axes, runs: Sequence[Run], curves: Sequence[Floats], quantity: Quantity, steps: Steps
) -> bool:
    """Give axes scales and limits; tell whether steps are on a log axis."""
    highest = max(max(float(values[0]) for values in curves), 1e-250)
    low = highest * LEAST ** POWERS[quantity]
    with np.errstate(invalid="ignore"):
        seen = [np.isfinite(v) & (v > low) for v in curves]
    pairs = list(zip(runs, seen, strict=True))
    lasts = [int(run.steps[some].max(initial=1)) for run, some in pairs]
    some = np.concatenate([v[s] for v, s in zip(curves, seen, strict=True)])
    some = some[some <= MOST * highest]  # a run that diverges would flatten the others
    against_step(ax, np.array([0, max(lasts)]), some if some.size else np.ones(1))
    if some.size and ax.get_yscale() != "log":
        ax.set(yscale="log", ylim=(some.min() / 1.5, some.max() * 1.5))
    linear = max(lasts) < ALIKE * min(lasts) if steps == "auto" else steps == "linear"
    if linear:
        ax.set(xscale="linear", xlim=(0, max(lasts) * 1.02))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda step, _: f"{step:,.0f}"))
    elif ax.get_xscale() != "log":
        ax.set(xscale="log", xlim=(1, max(lasts) ** 1.03 * 1.01))
    return not linear


def _marked(run: Run, last: float, log: bool, turn: int) -> list[int]:
    """Points that get a curve's marker: evenly along the axis, between those of the others."""
    share = np.arange(0.05 + 0.03 * (turn % 4), 1.0, 0.13)
    at = last**share if log else last * share
    places = np.searchsorted(run.steps, at)
    return [int(place) for place in np.unique(places[places < run.steps.size])]


def _bound(
    run: Run, values: Floats, objective: Objective, rule: RuleLike, quantity: Quantity
) -> tuple[Floats, Floats] | None:
    """Steps and values of the line of the predicted rate."""
    if find_rule(rule).form is None:
        return None  # no linear map, no theory
    if objective.has_valley_floor:
        return None  # along the floor nothing shrinks, and the rate of a single point would be 1
    away = np.sqrt(squared_distance(run.points, objective))
    near = objective.minimisers[_nearest(run, objective)]
    rate = float(predicted_rate(objective, rule, run.lr, run.momentum, near))
    real = np.isfinite(values) & (values > 0) & (away > ROUNDING * (1.0 + np.abs(near).max()))
    if not (0.0 < rate < np.inf) or real.sum() < 2:
        return None
    if run.status == Status.DIVERGED and rate < 1.0:
        return None  # it never came near enough for theory at the minimum to apply
    slope = POWERS[quantity] * np.log(rate)
    last = run.steps[real][-1]
    tail = real & (run.steps >= last / 2)
    height = np.log(values[real][0]) - slope * run.steps[real][0]
    half = values[tail].size // 2
    if run.status != Status.DIVERGED and half:
        first, second = values[tail][:half].max(), values[tail][half:].max()
        if second < 0.5 * first or away[real][-1] < 1e-3 * away[0]:
            height = float(np.max(np.log(values[tail]) - slope * run.steps[tail]))
    at = np.geomspace(1.0, max(float(last), 2.0), 400)
    with np.errstate(over="ignore", under="ignore"):
        return at, np.exp(np.minimum(height + slope * at, 700.0))


def _nearest(run: Run, objective: Objective) -> int:
    ends = run.points[np.isfinite(run.points).all(axis=1)]
    return int(np.hypot(*(objective.minimisers - ends[-1]).T).argmin())
