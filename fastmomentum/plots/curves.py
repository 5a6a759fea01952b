"""A quantity of a run against the step."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from fastmomentum.objectives import Objective
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import grid_colour, is_dark

FEW_STEPS: Final = 20
"""Runs of up to this many steps are drawn on a linear axis."""


def squared_distance(points: Floats, objective: Objective) -> Floats:
    """Squared distance to the nearest minimiser.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        May hold inf and NaN.
    objective : Objective
        With at least one minimiser.

    Returns
    -------
    ndarray, shape (n,)
        Inf where it overflows.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> squared_distance(np.array([[-5.0, -5.0], [1.0, 3.0]]), Rosenbrock())
    array([72.,  4.])
    """
    with np.errstate(over="ignore", invalid="ignore"):
        away = (points - objective.minimisers[:, np.newaxis]) ** 2
        return np.asarray(away.sum(axis=-1).min(axis=0))


def against_step(ax: Axes, steps: NDArray[np.int64], values: Floats) -> tuple[Floats, Floats]:
    """Give axes scales, limits, ticks and a grid for a curve against the step.

    The step is on a log axis unless there are few; values are on one where they span a decade or
    more, and where some are negative and others large on one that is linear about zero.

    Parameters
    ----------
    ax : Axes
        Where the curve will be drawn.
    steps : ndarray, shape (n,)
        Ascending; the first is 0, the start.
    values : ndarray, shape (n,)
        May hold inf and NaN.

    Returns
    -------
    steps, values : ndarray, shape (n,)
        What can be drawn on such axes; NaN where there is no place for it.
    """
    shown = np.where(np.isfinite(values), values, np.nan)
    some = shown[np.isfinite(shown)]
    positive = some[some > 0]
    if positive.size and some.min() >= 0 and positive.max() >= 10 * positive.min():
        shown = np.where(shown > 0, shown, np.nan)
        low, high = positive.min(), positive.max()
        room = (high / low) ** 0.07
        ax.set(yscale="log", ylim=(low / room, high * room))
        ax.yaxis.set_major_locator(LogLocator(numticks=7))
        ax.yaxis.set_minor_formatter(NullFormatter())
    elif some.size and some.min() < 0 and np.abs(some).max() > 1e4:
        ax.set_yscale("symlog", linthresh=1.0)
    elif some.size:
        room = 0.07 * float(np.ptp(some)) or 1.0
        ax.set(ylim=(some.min() - room, some.max() + room))
    ax.set(xlabel="step")
    dark = is_dark(ax.get_facecolor())
    ax.grid(color=grid_colour(ax.get_facecolor()), linewidth=0.8)
    ax.set_axisbelow(True)
    last = int(steps[-1])
    if last <= FEW_STEPS:
        ax.set(xlim=(0, max(last, 1) * 1.03))
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=True))
        return steps.astype(np.float64), shown
    ax.set(xscale="log", xlim=(1, last**1.03))
    ax.grid(axis="x", which="minor", color="#262626" if dark else "#ececec", linewidth=0.6)
    ax.xaxis.set_major_formatter(FuncFormatter(_plain))
    ax.xaxis.set_minor_formatter(NullFormatter())
    return np.where(steps > 0, steps, np.nan), shown


def on_edge(ax: Axes, value: float, **style: Any) -> Any:
    """Mark the value at the start on the left edge of axes: a log axis has no place for step 0."""
    edge: Any = ax.get_yaxis_transform()
    return ax.plot([0.0], [value], transform=edge, clip_on=False, **style)[0]


def _plain(step: float, _: Any) -> str:
    return f"{step:,.0f}"
