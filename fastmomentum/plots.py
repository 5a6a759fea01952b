"""Pictures: functions that take an Axes and data, draw, and return the artists.

No pyplot and no global state: whoever calls owns the figure. ``STYLE`` holds the rcParams that the
project's own figures are made with; use it as ``with matplotlib.rc_context(STYLE): ...``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from matplotlib import colormaps, patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.contour import QuadContourSet
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import (
    FuncFormatter,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
)
from numpy.typing import ArrayLike, NDArray

from fastmomentum.objectives import Objective
from fastmomentum.status import Status

Floats = NDArray[np.float64]
Window = tuple[tuple[float, float], tuple[float, float]]
Scale = Literal["auto", "log", "linear"]

STYLE: Final[dict[Any, Any]] = {
    "font.size": 12,
    "axes.titlesize": 13,
    "figure.titlesize": 15,
    "legend.fontsize": 11.5,
    "legend.framealpha": 1.0,
    "savefig.dpi": 200,
    # Without chunks Agg refuses a long zigzag; with a fixed salt the same picture is the same file.
    "agg.path.chunksize": 10_000,
    "svg.hashsalt": "fastmomentum",
}

# Okabe and Ito's colours, those that stand out from viridis first.
COLOURS: Final = ("#D55E00", "#56B4E9", "#000000", "#E69F00", "#CC79A7", "#0072B2", "#F0E442")
LINES: Final = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
MARKERS: Final = ("s", "^", "D", "v", "P", "X", "p", "h")
DIVERGED, NEVER, NOT_RUN = "#dcdcdc", "#8c8c8c", "#ffffff"

LOG_DECADES: Final = 3.0
"""A field that spans more decades than this is drawn on a log scale."""

MOST_CELLS: Final = 1024
"""Cells of a map drawn along an axis; more than a screen shows only cost time."""

_BOX: Final = (4.0, 4.0, 2.2)  # sides of a surface's box: steep walls hide less in a flat one
_MOST_SIGHTED: Final = 50_000  # points of a path up to which what is hidden is found out


@dataclass(frozen=True)
class Run:
    """One run, as the drawing functions want it.

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
    """

    points: Floats
    steps: NDArray[np.int64]
    lr: float
    momentum: float
    status: Status
    n_steps: int
    final_loss: float

    @property
    def start(self) -> tuple[float, float]:
        """The point it left from."""
        return float(self.points[0, 0]), float(self.points[0, 1])

    @property
    def label(self) -> str:
        """The run in a line of a legend."""
        ends = {
            Status.NOT_RUN: "not run",
            Status.CONVERGED: f"converged in {_counted(self.n_steps)}",
            Status.DIVERGED: f"diverged at step {self.n_steps:,}",
            Status.MAX_STEPS: f"f = {_number(self.final_loss)} after {_counted(self.n_steps)}",
        }
        x, y = self.start
        cell = f"lr {_number(self.lr)}, momentum {_number(self.momentum)}"
        return f"{cell}, from ({_number(x)}, {_number(y)}): {ends[self.status]}"


def run_of(cell: xr.Dataset, trajectory: xr.DataArray | None = None) -> Run:
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
    """
    path = cell["trajectory"] if trajectory is None else trajectory
    n_steps = int(cell["n_steps"])
    steps = path["step"].values.astype(np.int64)
    made = steps <= n_steps
    points, steps = path.values.astype(np.float64)[made], steps[made]
    if steps.size == 0 or steps[0] > 0:
        start = np.array([[float(cell[f"start_{name}"]) for name in cell["parameter"].values]])
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
    )


def window(objective: Objective, runs: Sequence[Run] = (), margin: float = 0.05) -> Window:
    """Choose the part of the plane worth drawing.

    The objective's usual box, widened to hold minimisers and starts, and the paths of runs that did
    not diverge as far as they stay within reach (once more the width of all that, on each side).

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
    calm = [run.points for run in runs if run.status != Status.DIVERGED]
    if calm:
        points, reach = np.concatenate(calm), high - low
        with np.errstate(invalid="ignore"):
            near = np.all((points >= low - reach) & (points <= high + reach), axis=1)
        low, high = _join(np.stack([low, high]), points[near], margin)
    return (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))


def _join(box: Floats, points: Floats, margin: float) -> tuple[Floats, Floats]:
    """Widen a box, shape (2, 2) as low and high, to hold points; room is left only around these."""
    points = points[np.all(np.isfinite(points), axis=1)]
    both = np.concatenate([box, points])
    room = margin * (both.max(axis=0) - both.min(axis=0))
    outside_low, outside_high = both.min(axis=0) < box[0], both.max(axis=0) > box[1]
    low = np.where(outside_low, both.min(axis=0) - room, box[0])
    return low, np.where(outside_high, both.max(axis=0) + room, box[1])


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
        """Levels between which colours change, increasing."""
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
        """Value to colour."""
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

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> sample(Rosenbrock(), ((-2, 2), (-1, 3))).is_log
    True
    """
    x, y = (np.linspace(low, high, points) for low, high in window)
    values = objective.value(x[np.newaxis, :], y[:, np.newaxis])
    is_log = False
    if objective.f_min is not None and scale != "linear":
        excess = values - objective.f_min
        low, high = np.quantile(excess[np.isfinite(excess)], [0.01, 1.0])
        is_log = scale == "log" or bool(high > 10.0**LOG_DECADES * max(low, 0.0))
        values = excess if is_log else values
    return Field(objective, window, x, y, values, is_log)


class Contours(NamedTuple):
    """Artists of `contour`."""

    filled: QuadContourSet
    lines: QuadContourSet
    minima: Line2D


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
    >>> objective = Rosenbrock()
    >>> ax = Figure().add_subplot()
    >>> contour(ax, sample(objective, window(objective))).minima.get_label()
    'minimum'
    """
    values = np.ma.masked_invalid(field.values)
    if field.is_log:  # which has no place for the minimum; the arrow at the colour bar says so
        values = np.ma.maximum(values, field.levels[0] / 2)
    extend = "min" if field.is_log else "neither"
    filled = ax.contourf(
        field.x, field.y, values, field.levels, norm=field.norm, cmap=_field_map(), extend=extend
    )
    filled.set_rasterized(True)  # in a PDF, polygons would show seams and weigh more
    lines = ax.contour(
        field.x, field.y, values, field.lines, colors="black", linewidths=0.7, alpha=0.45
    )
    minima = ax.plot(*_minima(field).T, **_star(field))[0]
    ax.set(xlim=field.window[0], ylim=field.window[1])
    ax.set(xlabel=field.objective.parameters[0], ylabel=field.objective.parameters[1])
    return Contours(filled, lines, minima)


class Surface(NamedTuple):
    """Artists of `surface`."""

    surface: Any
    minima: Any


def surface(ax: Any, field: Field, runs: Sequence[Run] = ()) -> Surface:
    """Draw the objective as a surface, and the minimisers as stars on it.

    Parameters
    ----------
    ax : Axes3D
        Gets limits, labels, ticks and a view from above.
    field : Field
        From `sample`; 201 points along an axis are enough.
    runs : sequence of Run
        What `paths` will draw: the view is turned to where most of it is seen.

    Returns
    -------
    Surface
        ``surface`` (a Poly3DCollection) and ``minima``.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum.objectives import Rosenbrock
    >>> objective = Rosenbrock()
    >>> ax = Figure().add_subplot(projection="3d")
    >>> artists = surface(ax, sample(objective, window(objective), points=51))
    """
    x, y = np.meshgrid(field.x, field.y)
    height = field.height(x, y)
    ax.computed_zorder = False  # else a path is drawn behind the whole surface or before it
    drawn = ax.plot_surface(
        x, y, height, norm=Normalize(*field.heights), cmap=_field_map(), rstride=1, cstride=1,
        linewidth=0, antialiased=False, rasterized=True, zorder=1,
    )  # fmt: skip
    ax.set(xlim=field.window[0], ylim=field.window[1], zlim=field.heights)
    ax.set(xlabel=field.objective.parameters[0], ylabel=field.objective.parameters[1])
    ax.zaxis.set_rotate_label(False)
    ax.set_zlabel(field.label, labelpad=12, rotation=90)
    ax.set_box_aspect(_BOX, zoom=0.97)
    ax.set_proj_type("ortho")  # what is in sight is then the same question for every point
    ax.view_init(*_best_view(field, runs))
    for axis, most in ((ax.xaxis, 6), (ax.yaxis, 6), (ax.zaxis, 5)):
        prune = "both" if axis is not ax.zaxis else None  # else numbers meet at the corners
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], prune=prune))
    if field.is_log:
        ax.zaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.zaxis.set_major_formatter(FuncFormatter(lambda power, _: f"$10^{{{power:.0f}}}$"))
    minima = _minima(field)
    seen = _in_sight(minima, field, *_view(ax))
    faint = {"alpha": 0.4, "label": "_hidden"}
    ax.plot(*_lift(ax, minima[~seen], field), **_star(field) | faint)
    return Surface(drawn, ax.plot(*_lift(ax, minima[seen], field), **_star(field))[0])


def _bar(ax: Axes, mappable: ScalarMappable, **options: Any) -> Colorbar:
    figure = ax.get_figure()
    if figure is None:
        raise ValueError("the axes belong to no figure")
    return figure.colorbar(mappable, ax=ax, aspect=24, **options)


def _best_view(field: Field, runs: Sequence[Run]) -> tuple[float, float]:
    """Elevation and azimuth from which most of the paths, and then of the surface, is in sight."""
    x, y = np.meshgrid(field.x[::10], field.y[::10])
    parts = [np.stack([x.ravel(), y.ravel()], axis=1), _minima(field)]
    for run in runs:  # as drawn, and as walked: slow stretches count
        path = clip(run.points, field.window)
        for points, _ in (path, _refine(*path, field.window)):
            points = points[np.isfinite(points).all(axis=1)]
            parts.append(points[:: len(points) // 300 + 1])
    sizes = np.array([len(part) for part in parts])
    weights = np.array([1.0, 1.0, *[1.5 / max(len(runs), 1)] * (2 * len(runs))])
    weight = np.repeat(weights / np.maximum(sizes, 1), sizes)
    spots = np.concatenate(parts)

    def seen(view: tuple[float, float]) -> float:
        return float(weight @ _in_sight(spots, field, *view)) - view[0] / 100

    # Never along an axis, where tick labels would meet; of equals the first is taken.
    sides = [turn + side for turn in (-90.0, 0.0, 90.0, 180.0) for side in (30.0, 45.0, 60.0)]
    return max([(tilt, side) for tilt in (40.0, 52.0, 64.0) for side in sides], key=seen)


def _view(ax: Any) -> tuple[float, float]:
    return ax.elev, ax.azim


def _in_sight(points: Floats, field: Field, elevation: float, azimuth: float) -> NDArray[np.bool_]:
    """Whether the surface leaves the sight free from far away to points on it, shape (n, 2)."""
    low, high = np.array([*field.window, field.heights]).T
    turn, tilt = np.radians([azimuth, elevation])
    to_eye = [np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)]
    step = np.array(to_eye) * (high - low) / _BOX
    ray = np.column_stack([points, field.height(*points.T)])
    ray = ray + np.linspace(0.06, max(_BOX), 60)[:, np.newaxis, np.newaxis] * step
    inside = np.all((ray >= low) & (ray <= high), axis=-1)
    with np.errstate(invalid="ignore"):
        hidden = inside & (field.height(ray[..., 0], ray[..., 1]) > ray[..., 2])
    return np.asarray(~hidden.any(axis=0))


def colour_bar(ax: Axes, field: Field, lines: QuadContourSet | None = None) -> Colorbar:
    """Draw the colour bar of a field beside its axes.

    Parameters
    ----------
    ax : Axes
        Where the field was drawn.
    field : Field
        What was drawn.
    lines : QuadContourSet, optional
        Line contours, to be marked on the bar.

    Returns
    -------
    Colorbar
        Labelled; on a log scale with ticks at decades.
    """
    mappable = ScalarMappable(field.norm, _field_map())
    extend = "min" if field.is_log else "neither"
    place = {"shrink": 0.75, "pad": 0.11} if ax.name == "3d" else {}
    bar = _bar(ax, mappable, extend=extend, label=field.label, **place)
    if field.is_log:
        bar.ax.yaxis.set_major_locator(LogLocator(numticks=12))
        bar.ax.yaxis.set_major_formatter(LogFormatterSciNotation())
    if lines is not None:
        bar.add_lines(lines)
    return bar


class Paths(NamedTuple):
    """Artists of `paths`."""

    runs: list[Line2D]
    starts: Line2D
    hidden: list[Line2D]


def paths(ax: Axes, runs: Sequence[Run], field: Field) -> Paths:
    """Draw runs as lines with sparse markers: at steps 1, 10, 100, ... and at the end.

    Parameters
    ----------
    ax : Axes
        Where the field was drawn by `contour`, or (an Axes3D) by `surface`: then the paths are
        lifted onto it, and faint where the surface hides them.
    runs : sequence of Run
        What to draw.
    field : Field
        What they walk on; paths are clipped at its window.

    Returns
    -------
    Paths
        ``runs`` (one line each, labelled), ``starts``, and ``hidden``, the faint lines.
    """
    lines, hidden = [], []
    for i, run in enumerate(runs):
        points, source = clip(run.points, field.window)
        cut = bool(np.any(source < 0)) or len(source) < len(run.points)
        if ax.name == "3d":
            points, source = _refine(points, source, field.window)
        style = _line_style(run, i, _length(points, field.window))
        style["markevery"] = np.flatnonzero(np.isin(source, _telling(run))).tolist()
        away = cut and run.status != Status.DIVERGED
        style["label"] = run.label + (", leaves the window" if away else "")
        if ax.name == "3d" and len(points) <= _MOST_SIGHTED:
            covered = ~_in_sight(points, field, *_view(ax))[:, np.newaxis]
            faint = {"alpha": 0.35, "path_effects": None, "label": "_hidden"}
            hidden += ax.plot(*_lift(ax, np.where(covered, points, np.nan), field), **style | faint)
            points = np.where(covered, np.nan, points)
        lines += ax.plot(*_lift(ax, points, field), **style)
    starts = _within(np.unique([run.start for run in runs], axis=0), field.window)
    return Paths(lines, ax.plot(*_lift(ax, starts, field), **_START)[0], hidden)


def _line_style(run: Run, i: int, length: float) -> dict[str, Any]:
    width = 1.8 if length < 12 else 1.0  # a long zigzag would be a blot
    casing = patheffects.Stroke(linewidth=width + 1.4, foreground="white")
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": LINES[i % len(LINES)],
        "linewidth": width,
        "marker": MARKERS[i % len(MARKERS)],
        "markersize": 6.5,
        "path_effects": [casing, patheffects.Normal()],
        "zorder": 2 if run.status == Status.DIVERGED else 3,
    }


def _telling(run: Run) -> NDArray[np.int64]:
    """Find the points that get a marker: at each power of ten (or soon after), and the last."""
    powers = 10 ** np.arange(int(np.log10(max(run.n_steps, 1))) + 1)
    last = np.flatnonzero(np.isfinite(run.points).all(axis=1))[-1]
    return np.append(np.searchsorted(run.steps, powers), last).astype(np.int64)


def _lift(ax: Axes, points: Floats, field: Field) -> tuple[Floats, ...]:
    """Coordinates to plot: two, or on an Axes3D three."""
    x, y = points.T
    return (x, y, field.height(x, y)) if ax.name == "3d" else (x, y)


def clip(points: Floats, window: Window) -> tuple[Floats, NDArray[np.int64]]:
    """Cut a polyline at the edges of a window.

    Matplotlib clips too, but overflows on the numbers that a diverging run reaches, and does not
    clip at all in three dimensions.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        May hold inf and NaN: segments to and from there are dropped.
    window : ((x_low, x_high), (y_low, y_high))
        What to keep.

    Returns
    -------
    points : ndarray, shape (m, 2)
        Finite but for rows of NaN where the line was cut.
    source : ndarray, shape (m,)
        For each row its index in the given points; -1 where it is a cut or on the edge.

    References
    ----------
    Liang and Barsky, "A new concept and method for line clipping", 1984.

    Examples
    --------
    >>> clip(np.array([[0.0, 0.0], [4.0, 0.0]]), ((-1, 1), (-1, 1)))[0].tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    low, high = np.array(window, dtype=np.float64).T
    inside = np.asarray(np.all((points >= low) & (points <= high), axis=1))
    if len(points) == 1:
        return points[inside], np.flatnonzero(inside)
    # Beyond 1e100 the difference of two points could overflow; nobody sees that far.
    here, there = (np.clip(part, -1e100, 1e100) for part in (points[:-1], points[1:]))
    along = there - here
    divisor = np.where(along == 0.0, 1e-200, along)
    to_edges = np.sort(np.stack([(low - here) / divisor, (high - here) / divisor]), axis=0)
    enter, leave = to_edges[0].max(axis=1), to_edges[1].min(axis=1)
    finite = np.asarray(np.isfinite(points).all(axis=1))
    kept = finite[:-1] & finite[1:] & (np.maximum(enter, 0.0) <= np.minimum(leave, 1.0))
    enter, leave = enter.clip(0.0, 1.0), leave.clip(0.0, 1.0)

    first, last = here + enter[:, np.newaxis] * along, here + leave[:, np.newaxis] * along
    first[inside[:-1]], last[inside[1:]] = points[:-1][inside[:-1]], points[1:][inside[1:]]
    index = np.arange(len(points))
    sources = [np.where(inside[:-1], index[:-1], -1), np.where(inside[1:], index[1:], -1)]
    cut = np.full_like(first, np.nan)
    rows = np.stack([first, last, cut], axis=1)
    source = np.stack([*sources, np.full(len(here), -1)], axis=1)
    # A row for the first point only where a piece begins, a cut only where one ends before the last
    begins = kept & ~(np.append(False, kept[:-1]) & inside[:-1])
    ends = kept & ~(np.append(kept[1:], False) & inside[1:])
    ends &= np.cumsum(kept) < kept.sum()
    wanted = np.stack([begins, kept, ends], axis=1)
    return rows[wanted], source[wanted]


def _length(points: Floats, window: Window) -> float:
    """Length of a polyline, in widths of the window."""
    steps = np.diff(points, axis=0) / np.ptp(np.array(window), axis=1)
    return float(np.nansum(np.linalg.norm(steps, axis=1)))


def _refine(
    points: Floats, source: NDArray[np.int64], window: Window
) -> tuple[Floats, NDArray[np.int64]]:
    """Put points between those of a polyline, so that lifted it follows the surface."""
    if len(points) < 2:
        return points, source
    width = np.ptp(np.array(window), axis=1)
    length = np.linalg.norm(np.diff(points, axis=0) / width, axis=1)
    pieces = np.ceil(np.nan_to_num(length) * 100).astype(np.int64).clip(1)
    at = np.concatenate([[0], np.cumsum(pieces)])
    everywhere = np.arange(at[-1] + 1)
    refined = np.stack([np.interp(everywhere, at, part) for part in points.T], axis=1)
    origin = np.full(len(everywhere), -1)
    origin[at] = source
    return refined, origin


_STAR: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "*", "markersize": 15, "markerfacecolor": "white",
    "markeredgecolor": "black", "markeredgewidth": 1.2, "label": "minimum", "zorder": 6,
}  # fmt: skip
_START: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "o", "markersize": 10, "markerfacecolor": "white",
    "markeredgecolor": "black", "markeredgewidth": 1.6, "label": "start", "zorder": 5,
}  # fmt: skip


def _minima(field: Field) -> Floats:
    return _within(field.objective.minimisers.reshape(-1, 2), field.window)


def _star(field: Field) -> dict[str, Any]:
    """Style of the minima; without one in the window, nothing for a legend."""
    return _STAR if len(_minima(field)) else _STAR | {"label": "_none"}


def _within(points: Floats, window: Window) -> Floats:
    low, high = np.array(window).T
    return points[np.all((points >= low) & (points <= high), axis=1)]


def _field_map() -> Colormap:
    """Viridis mixed with white: its order of lightness stays, and paths stand out from it."""
    colours = colormaps["viridis"](np.linspace(0.0, 1.0, 256))
    colours[:, :3] = 0.7 * colours[:, :3] + 0.3
    return ListedColormap(colours, "light viridis")


def _number(value: float) -> str:
    """Write a number for a legend: 0.9, 5000, or 1.5 x 10^-5 as mathtext."""
    text = f"{value:.3g}"
    if "e" not in text:
        return text.replace("-", "\N{MINUS SIGN}")
    digits, power = text.split("e")
    sign, times = "-" if digits == "-1" else "", rf"{digits}\times"
    return f"${sign if digits in ('1', '-1') else times}10^{{{int(power)}}}$"


def legend(figure: Figure, drawn: Paths, minima: Artist) -> Legend:
    """Draw a legend below everything: a row for each run, and one for start and minimum.

    Parameters
    ----------
    figure : Figure
        With constrained layout, which makes room.
    drawn : Paths
        From `paths`.
    minima : Artist
        From `contour` or `surface`.

    Returns
    -------
    Legend
        What was drawn.
    """
    marks = [mark for mark in (drawn.starts, minima) if not str(mark.get_label()).startswith("_")]
    names = ", ".join(str(mark.get_label()) for mark in marks)
    handles: list[Any] = [*drawn.runs, tuple(marks)]  # a tuple is drawn side by side
    return figure.legend(
        handles=handles,
        labels=[
            *(str(line.get_label()) for line in drawn.runs),
            f"{names}; markers: first record from step 1, 10, 100, ... on, and the last",
        ],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.6)},
        handlelength=3.2,
        loc="outside lower center",
    )


def _counted(steps: int) -> str:
    return "1 step" if steps == 1 else f"{steps:,} steps"


class PhaseMap(NamedTuple):
    """Artists of `phase_map`."""

    steps: QuadMesh | None
    ends: QuadMesh
    best: Line2D | None
    target: float | None
    legend: list[Patch]


def phase_map(ax: Axes, results: xr.Dataset) -> PhaseMap:
    """Map the steps to the last target over learning rate and momentum.

    Without a target, map how the runs ended.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    results : xarray.Dataset
        With dims lr and momentum (and target): one start was selected.

    Returns
    -------
    PhaseMap
        ``steps`` (None where there is no target or none was reached), ``ends`` (the other cells by
        status), ``best`` (the fastest cell), ``target`` and ``legend`` (handles with shares).
    """
    status = results["status"].transpose("lr", "momentum").values
    steps = np.full(status.shape, -1, np.int32)
    target = None
    if "target" in results.dims:
        hit = results["hit_step"].isel(target=-1)
        steps, target = hit.transpose("lr", "momentum").values, float(hit["target"])
    axes = [results[name].values.astype(np.float64) for name in ("lr", "momentum")]
    logs = [_is_geometric(axes[0], unsure=True), _is_geometric(axes[1], unsure=False)]
    edges = [_edges(values, log) for values, log in zip(axes, logs, strict=True)]
    thin = [_thinned(values.size) for values in axes]
    corners = [edge[np.append(i, edge.size - 1)] for edge, i in zip(edges, thin, strict=True)]
    shown = np.ix_(*thin)

    colours = ListedColormap([NOT_RUN, *_CONVERGED_ONLY, DIVERGED, NEVER])
    ends = ax.pcolormesh(
        *corners, status[shown].T, cmap=colours, vmin=-0.5, vmax=3.5, rasterized=True
    )
    reached = steps >= 0
    mesh, best = None, None
    if reached.any():
        low = np.quantile(steps[reached], 0.005)  # a few lucky cells would take half the colours
        norm = LogNorm(max(1.0, low), max(2.0, steps.max()))
        drawn = np.ma.masked_less(steps[shown], 0).clip(1)
        mesh = ax.pcolormesh(*corners, drawn.T, norm=norm, cmap="viridis_r", rasterized=True)
        best = _fastest(ax, axes, steps, reached)
    for name, log, edge in zip("xy", logs, edges, strict=True):
        ax.set(**{f"{name}scale": "log" if log else "linear", f"{name}lim": (edge[0], edge[-1])})
    ax.set(xlabel="learning rate", ylabel="momentum")
    return PhaseMap(mesh, ends, best, target, _shares(status, reached, target is not None))


def steps_bar(ax: Axes, phases: PhaseMap) -> Colorbar | None:
    """Draw the colour bar of a phase map beside its axes.

    Parameters
    ----------
    ax : Axes
        Where the map was drawn.
    phases : PhaseMap
        From `phase_map`.

    Returns
    -------
    Colorbar or None
        None where no cell has steps.
    """
    if phases.steps is None or phases.target is None:
        return None
    label = (
        f"steps until f \N{MINUS SIGN} minimum \N{LESS-THAN OR EQUAL TO} {_number(phases.target)}"
    )
    bar = _bar(ax, phases.steps, label=label, extend="min")
    low, high = phases.steps.get_clim()
    subs = (1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return bar


_CONVERGED_ONLY: Final = ("#35b779",)


def _fastest(ax: Axes, axes: list[Floats], steps: NDArray[np.int32], reached: Any) -> Line2D:
    best = np.argmin(np.where(reached, steps, np.iinfo(np.int32).max))
    i, j = np.unravel_index(best, steps.shape)
    lr, momentum = axes[0][i], axes[1][j]
    label = f"fastest: {_counted(steps[i, j])} (lr {_number(lr)}, momentum {_number(momentum)})"
    return ax.plot(lr, momentum, **(_STAR | {"label": label}))[0]


def _shares(status: Any, reached: Any, has_target: bool) -> list[Patch]:
    """Legend of the cells that have no step, with their shares of the map."""
    never = "target not reached" if has_target else "ran all its steps"
    kinds = [
        (Status.CONVERGED, _CONVERGED_ONLY[0], "converged"),
        (Status.DIVERGED, DIVERGED, "diverged"),
        (Status.MAX_STEPS, NEVER, never),
        (Status.NOT_RUN, NOT_RUN, "not run"),
    ]
    shares = [(np.mean((status == code) & ~reached), *rest) for code, *rest in kinds]
    return [
        Patch(facecolor=colour, edgecolor="black", linewidth=0.6, label=f"{name} ({share:.1%})")
        for share, colour, name in shares
        if share > 0
    ]


def _is_geometric(values: Floats, unsure: bool) -> bool:
    """Whether an axis is more even in its logarithms than in itself."""
    if values[0] <= 0 or values[-1] < 10 * values[0]:
        return False
    if values.size == 2:
        return unsure
    plain, logarithmic = np.diff(values), np.diff(np.log(values))
    return bool(logarithmic.std() / logarithmic.mean() < plain.std() / plain.mean())


def _edges(values: Floats, log: bool) -> Floats:
    """Edges of cells around the values of an axis: midpoints, and as much at the ends."""
    values = np.log(values) if log else values
    if values.size == 1:
        return np.asarray(values[0] + np.array([-0.5, 0.5]) * (abs(values[0]) or 1.0))
    middle = (values[:-1] + values[1:]) / 2
    edges = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.asarray(np.exp(edges) if log else edges)


def _thinned(size: int) -> NDArray[np.int64]:
    """Choose the cells of an axis that are drawn."""
    return np.arange(0, size, -(-size // MOST_CELLS))
