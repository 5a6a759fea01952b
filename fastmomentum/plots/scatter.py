"""Data as dots with a line through them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import AXES, takes
from fastmomentum.plots.geometry import Floats, Window, clip
from fastmomentum.plots.style import COLOURS, number
from fastmomentum.specification.numbers import number as one_number
from fastmomentum.specification.numbers import numbers

MOST_DOTS: Final = 20_000
"""Most data points that are drawn; of more, evenly spaced ones, as dots on dots say nothing."""


class DataAndLine(NamedTuple):
    """Artists of `data_and_line`."""

    data: Line2D
    line: Line2D


@takes(ax=AXES)
def data_and_line(ax: Axes, x: ArrayLike, y: ArrayLike, a: float, b: float) -> DataAndLine:
    """Draw data as dots, and the line ``y = a x + b`` across the axes.

    Parameters
    ----------
    ax : Axes
        Gets limits, a tenth wider than the data on each side, and labels.
    x, y : array_like, shape (n,)
        Data.
    a, b : float
        Slope and intercept.

    Returns
    -------
    DataAndLine
        ``data`` and ``line``, which is labelled with its equation.

    Raises
    ------
    InputError
        An argument is something else.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> drawn = data_and_line(Figure().add_subplot(), [0, 1, 2], [1, 2.9, 5], 2.0, 1.0)
    >>> drawn.line.get_label()
    'y = 2 x + 1'
    """
    x, y = numbers(x, "x"), numbers(y, "y")
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise InputError(
            f"x and y must be lists of equal length: got the shapes {x.shape} and {y.shape}"
        )
    a, b = one_number(a, "a"), one_number(b, "b")
    seen = np.linspace(0, x.size - 1, min(x.size, MOST_DOTS)).astype(np.int64)
    data = ax.plot(
        x[seen], y[seen], linestyle="none", marker="o", markersize=5, markeredgewidth=0.5,
        markerfacecolor="#0072B2", markeredgecolor="white", alpha=0.8, label="data",
        rasterized=x.size > 2000, zorder=3,
    )[0]  # fmt: skip
    ax.set(xlim=_padded(x), ylim=_padded(y), xlabel="x", ylabel="y")
    line = ax.plot(
        *line_within((ax.get_xlim(), ax.get_ylim()), a, b),
        color=COLOURS[0], linewidth=2.2, label=equation(a, b), zorder=2.5,
    )[0]  # fmt: skip
    return DataAndLine(data, line)


def line_within(window: Window, a: float, b: float) -> Floats:
    """Ends of a line in a window, shape (2, n): x and y; n is 0 where it passes by.

    Examples
    --------
    >>> line_within(((0, 1), (0, 1)), 2.0, 0.0).tolist()
    [[0.0, 0.5], [0.0, 1.0]]
    """
    x = np.array(window[0], dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        ends = np.stack([x, a * x + b], axis=1)
    return clip(ends, window)[0].T


def equation(a: float, b: float) -> str:
    """Write the equation of a line."""
    sign = "\N{MINUS SIGN}" if b < 0 else "+"
    return f"y = {number(a)} x {sign} {number(abs(b))}"


def _padded(values: Floats) -> tuple[float, float]:
    room = 0.1 * float(np.ptp(values)) or 1.0
    return float(values.min()) - room, float(values.max()) + room
