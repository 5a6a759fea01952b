"""What a schedule does: the factor on the learning rate, and the momentum, against the update."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.plots.arguments import AXES, Kind, takes
from fastmomentum.plots.style import COLOURS, grid_colour
from fastmomentum.schedules import Scheduled, values_of
from fastmomentum.specification.numbers import whole

MOST_DRAWN: Final = 20_000
"""Most updates that are drawn; of more, evenly spaced ones."""


class ScheduleCurve(NamedTuple):
    """Artists of `schedule_curve`."""

    line: Line2D


SCHEDULES: Final = Kind(
    "a list of schedules, such as [fastmomentum.schedules.Cosine(steps=100)]",
    lambda given: (
        isinstance(given, list | tuple)
        and bool(given)
        and all(isinstance(one, Scheduled) for one in given)
    ),
)


@takes(ax=AXES, schedules=SCHEDULES)
def schedule_curve(
    ax: Axes, schedules: Sequence[Scheduled], steps: int, label: str, colour: str = COLOURS[0]
) -> ScheduleCurve:
    """Draw what schedules that follow each other give at each update.

    Parameters
    ----------
    ax : Axes
        Gets limits, labels and a grid too.
    schedules : sequence of Scheduled
        Of a `fastmomentum.schedules.Schedule`: its ``lr`` or its ``momentum``.
    steps : int
        Updates of a run.
    label : str
        What the values are, for the axis.
    colour : str
        Of the line.

    Returns
    -------
    ScheduleCurve
        Its line.

    Raises
    ------
    InputError
        An argument is something else.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum.schedules import Cosine
    >>> drawn = schedule_curve(Figure().add_subplot(), [Cosine(steps=4)], 4, "factor")
    >>> drawn.line.get_ydata().round(12).tolist()
    [1.0, 0.853553390593, 0.5, 0.146446609407]
    """
    steps = whole(steps, "steps", least=1)
    t = np.unique(np.linspace(0, steps - 1, min(steps, MOST_DRAWN)).astype(np.int64))
    values = _values(schedules, t, steps)
    (line,) = ax.plot(t, values, color=colour, linewidth=2.0, drawstyle="steps-post")
    ax.set(xlim=(0, max(steps - 1, 1)), ylabel=label)
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low) or 0.05 * (abs(high) or 1.0)
    ax.set_ylim(min(low, 0.0) - (room if low < 0 else 0.0), high + room)
    ax.grid(color=grid_colour(ax.get_facecolor()), linewidth=0.8)
    ax.set_axisbelow(True)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    return ScheduleCurve(line)


def _values(
    schedules: Sequence[Scheduled], t: NDArray[np.int64], steps: int
) -> NDArray[np.float64]:
    if t.size == steps:
        return values_of(schedules, 0, steps)
    return np.concatenate([values_of(schedules, int(one), 1) for one in t])
