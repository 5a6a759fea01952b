"""An objective sampled over a window, its contours and its colour bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, get_args

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm, Normalize
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullLocator,
)
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.plots.arguments import AXES, OBJECTIVE, Kind, takes
from fastmomentum.plots.geometry import Floats, Window, ends_of, within
from fastmomentum.plots.style import MANY, STAR, field_map, number
from fastmomentum.specification.numbers import whole
from fastmomentum.text import shown

Scale = Literal["auto", "log", "linear"]

LOG_DECADES: Final = 3.0
"""A field that spans more decades than this is drawn on a log scale."""


@dataclass(frozen=True)
class Field:
    """An objective sampled over a window, with the levels and colours to draw it in.

    Attributes
    ----------
    objective : Objective
        What was sampled.
    window : ((x_low, x_high), (y_low, y_high))
        Where.
    x : ndarray, shape (n,)
        First parameter.
    y : ndarray, shape (n,)
        Second parameter.
    values : ndarray, shape (n, n)
        Objective, rows along y; on a log scale what it exceeds its minimum by.
    is_log : bool
        Whether levels, colours and height are on a log scale.
    """

    objective: Objective
    window: Window
    x: Floats
    y: Floats
    values: Floats
    is_log: bool

    @cached_property
    def levels(self) -> Floats:
        """Levels at which the colour changes, increasing."""
        finite = self.values[np.isfinite(self.values)]
        if not self.is_log:
            return np.asarray(MaxNLocator(24).tick_values(finite.min(), finite.max()))
        low = np.floor(np.log10(np.quantile(finite[finite > 0.0], 0.001)))
        high = np.ceil(4.0 * np.log10(finite.max())) / 4.0
        per_decade = 4 if high - low <= 8 else 2
        return np.asarray(10.0 ** np.arange(low, high + 0.5 / per_decade, 1.0 / per_decade))

    @cached_property
    def lines(self) -> Floats:
        """Levels that get a line: the decades, or every other level; all, where there are few."""
        finite = self.values[np.isfinite(self.values)]
        within = self.levels[(self.levels > finite.min()) & (self.levels < finite.max())]
        decades = np.log10(within) if self.is_log else np.arange(within.size) / 2
        chosen = within[np.isclose(decades, np.round(decades))]
        return np.asarray(chosen if chosen.size > 1 else within)

    @property
    def heights(self) -> tuple[float, float]:
        """Lowest and highest level, as `height` gives them."""
        low, high = float(self.levels[0]), float(self.levels[-1])
        return (float(np.log10(low)), float(np.log10(high))) if self.is_log else (low, high)

    @property
    def norm(self) -> Normalize:
        """From values to colours."""
        ends = float(self.levels[0]), float(self.levels[-1])
        return LogNorm(*ends) if self.is_log else Normalize(*ends)

    @property
    def label(self) -> str:
        """What the colours mean."""
        name = "f({}, {})".format(*self.objective.parameters)
        return f"{name} \N{MINUS SIGN} minimum" if self.is_log and self.objective.f_min else name

    def height(self, x: ArrayLike, y: ArrayLike) -> Floats:
        """Height of the surface: the value, or log10 of what exceeds the minimum.

        Parameters
        ----------
        x, y : array_like
            Points; shapes that broadcast.

        Returns
        -------
        ndarray
            Never below the lowest level on a log scale, where the minimum itself would be -inf.
        """
        value = self.objective.value(x, y)
        if not self.is_log:
            return value
        excess = value - (self.objective.f_min or 0.0)
        return np.asarray(np.log10(np.maximum(excess, self.levels[0])))


FIELD: Final = Kind(
    "a Field, such as fm.plots.sample(objective, window)", lambda given: isinstance(given, Field)
)


@takes(objective=OBJECTIVE)
def sample(objective: Objective, window: Window, points: int = 401, scale: Scale = "auto") -> Field:
    """Sample an objective over a window.

    Parameters
    ----------
    objective : Objective
        What is descended.
    window : ((x_low, x_high), (y_low, y_high))
        Where.
    points : int
        Samples along each axis.
    scale : {"auto", "log", "linear"}
        "auto": log where all but a hundredth of the window spans more than three decades above the
        minimum. An objective without a minimum is always linear.

    Returns
    -------
    Field
        To be handed to `contour` or `surface`.

    Raises
    ------
    InputError
        An argument is something else, or a side of the window has no length.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> sample(Rosenbrock(), ((-2, 2), (-1, 3))).is_log
    True
    """
    ends, points = ends_of(window), whole(points, "points", least=2)
    if not (ends[:, 0] < ends[:, 1]).all():
        raise InputError(
            "window must be ((x_low, x_high), (y_low, y_high)), the lower ends first: got "
            f"{ends.tolist()}"
        )
    if scale not in get_args(Scale):
        raise InputError(f"scale must be one of {', '.join(get_args(Scale))}: got {shown(scale)}")
    x, y = (np.linspace(low, high, points) for low, high in ends)
    values = objective.value(x[np.newaxis, :], y[:, np.newaxis])
    is_log = False
    if objective.f_min is not None and scale != "linear":
        excess = values - objective.f_min
        low, high = np.quantile(excess[np.isfinite(excess)], [0.01, 1.0])
        is_log = scale == "log" or bool(high > 10.0**LOG_DECADES * max(low, 0.0))
        values = excess if is_log else values
    (left, right), (bottom, top) = ends.tolist()
    return Field(objective, ((left, right), (bottom, top)), x, y, values, is_log)


class Contours(NamedTuple):
    """Artists of `contour`."""

    filled: QuadContourSet
    lines: QuadContourSet
    minima: Line2D


@takes(ax=AXES, field=FIELD)
def contour(ax: Axes, field: Field) -> Contours:
    """Draw filled and line contours, and the minimisers as stars.

    Parameters
    ----------
    ax : Axes
        Gets limits and labels too.
    field : Field
        From `sample`.

    Returns
    -------
    Contours
        ``filled``, ``lines`` and ``minima``.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum.objectives import Rosenbrock
    >>> ax = Figure().add_subplot()
    >>> contour(ax, sample(Rosenbrock(), ((-2, 2), (-1, 3)))).minima.get_label()
    'minimum'
    """
    values = np.ma.masked_invalid(field.values)
    if field.is_log:  # no log scale reaches the minimum; the arrow at the colour bar says so
        values = np.ma.maximum(values, field.levels[0] / 2)
    extend = "min" if field.is_log else "neither"
    filled = ax.contourf(
        field.x, field.y, values, field.levels, norm=field.norm, cmap=field_map(), extend=extend
    )
    filled.set_rasterized(True)  # in a PDF, polygons would show seams and weigh more
    lines = ax.contour(
        field.x, field.y, values, field.lines, colors="black", linewidths=0.7, alpha=0.45
    )
    minima = ax.plot(*minima_of(field).T, **star_of(field))[0]
    ax.set(xlim=field.window[0], ylim=field.window[1])
    ax.set(xlabel=field.objective.parameters[0], ylabel=field.objective.parameters[1])
    return Contours(filled, lines, minima)


@takes(ax=AXES, field=FIELD)
def colour_bar(
    ax: Axes, field: Field, lines: QuadContourSet | None = None, beside: Sequence[Axes] = ()
) -> Colorbar:
    """Draw the colour bar of a field beside its axes.

    Parameters
    ----------
    ax : Axes
        Where the field was drawn.
    field : Field
        What was drawn.
    lines : QuadContourSet, optional
        Line contours, to be marked on the bar.
    beside : sequence of Axes
        More axes where the field was drawn, which the bar is for as well.

    Returns
    -------
    Colorbar
        Labelled; on a log scale with ticks at decades.
    """
    mappable = ScalarMappable(field.norm, field_map())
    extend = "min" if field.is_log else "neither"
    place = {"shrink": 0.75, "pad": 0.11} if ax.name == "3d" else {}
    bar = bar_beside([ax, *beside], mappable, extend=extend, label=field.label, **place)
    if field.is_log:
        bar.ax.yaxis.set_major_locator(LogLocator(numticks=12))
        bar.ax.yaxis.set_major_formatter(LogFormatterSciNotation())
        bar.ax.yaxis.set_minor_locator(NullLocator())  # over several decades they say nothing
    else:
        bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    if lines is not None:
        bar.add_lines(lines)
    return bar


def bar_beside(ax: Axes | Sequence[Axes], mappable: ScalarMappable, **options: Any) -> Colorbar:
    """Draw a colour bar beside axes, or several that share it."""
    axes = [ax] if isinstance(ax, Axes) else list(ax)
    figure = axes[0].get_figure()
    if figure is None:
        raise InputError("the axes belong to no figure: they were removed from theirs")
    return figure.colorbar(mappable, ax=axes, aspect=24, **options)


def minima_of(field: Field) -> Floats:
    """Minimisers in the window, shape (n, 2)."""
    return within(field.objective.minimisers.reshape(-1, 2), field.window)


def star_of(field: Field) -> dict[str, Any]:
    """Style of the minima; without one in the window, nothing for a legend."""
    if not len(minima_of(field)):
        return STAR | {"label": "_none"}
    return STAR | {"label": MANY} if field.objective.has_valley_floor else STAR
