"""All about one run on a page: the surface, the contours, and how it got on, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from fastmomentum.objectives import Objective
from fastmomentum.plots.animated import (
    DOTS,
    HEAD,
    Animated,
    AnimatedCurve,
    AnimatedLine,
    AnimatedPath,
    AnimatedText,
    Pinned,
    line_style,
)
from fastmomentum.plots.arguments import FIGURE, takes
from fastmomentum.plots.curves import against_step, on_edge, squared_distance
from fastmomentum.plots.fields import FIELD, Field, colour_bar, contour, minima_of
from fastmomentum.plots.geometry import Floats, clip, within
from fastmomentum.plots.labels import label_levels
from fastmomentum.plots.runs import RUN, Run
from fastmomentum.plots.scatter import data_and_line, equation
from fastmomentum.plots.style import DASHED, STAR, START, number, point
from fastmomentum.plots.surfaces import fill_axes, lift, surface
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.status import Status
from fastmomentum.text import printable
from fastmomentum.theory import RuleLike

Data = tuple[Floats, Floats]

LOSSES: Final = {"mean": "mean of squares", "half_sum": "sum of squares / 2"}
FROM_THE_SIDE: Final = (40.0, 50.0)
FROM_ABOVE: Final = (60.0,)
HEADER: Final = 0.95
"""Inches above the panels, for three lines of text."""


@dataclass(frozen=True)
class Report:
    """The panels of `run_report`, at one of its frames.

    Attributes
    ----------
    figure : Figure
        Where they are.
    axes : dict of Axes
        By what they show: "surface", "contour", "progress", and for a regression "data".
    run : Run
        What is shown.
    frames : ndarray, shape (n_frames,)
        Indices into the run's points.
    parts : tuple of Animated
        What changes from frame to frame.
    """

    figure: Figure
    axes: dict[str, Any]
    run: Run
    frames: NDArray[np.int64]
    parts: tuple[Animated, ...]

    @property
    def artists(self) -> list[Artist]:
        """Everything that changes, in the order in which to draw it."""
        artists = [artist for part in self.parts for artist in part.artists]
        return sorted(artists, key=Artist.get_zorder)

    def show(self, frame: int) -> None:
        """Set all panels to a frame."""
        for part in self.parts:
            part.show(frame)


@takes(figure=FIGURE, run=RUN, field=FIELD)
def run_report(
    figure: Figure,
    run: Run,
    field: Field,
    rule: RuleLike,
    data: Data | None = None,
    title: str = "",
    frames: Sequence[int] | None = None,
) -> Report:
    """Draw all about one run.

    Linear regression with its data has four panels: the loss as a surface with the iterates on it,
    its contours with the path, the data with the line, and the loss against the step. Every other
    objective has three: the surface seen from above, the contours, and the squared distance to the
    nearest minimiser against the step (the objective itself, where it has none).

    Parameters
    ----------
    figure : Figure
        Empty, about 12.8 by 7.2 inches, with constrained layout.
    run : Run
        With all steps that are to be seen.
    field : Field
        What it descended, sampled over a window; see `sample` and `window`.
    rule : str
        How.
    data : (x, y), optional
        Behind linear regression.
    title : str
        Of the experiment.
    frames : sequence of int, optional
        Indices into the run's points that will be shown; the last alone without.

    Returns
    -------
    Report
        Set to its last frame.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> from fastmomentum import plots
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=100,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.9, start=[(-1.2, 1)]), record=fm.Record(every=1)))
    >>> run = plots.run_of(fm.select_cell(ds))
    >>> field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), [run]), points=51)
    >>> figure = Figure(figsize=(12.8, 7.2), layout="constrained")
    >>> sorted(run_report(figure, run, field, "momentum").axes)
    ['contour', 'progress', 'surface']
    """
    at = np.array([len(run.points) - 1] if frames is None else frames, dtype=np.int64)
    values = field.objective.value(*run.points.T)
    axes = _panels(figure, data is not None)
    what = field.objective.words if field.objective.settings or not title else ""
    parts: list[Animated] = [_header(figure, run, values, at, rule, title, what)]
    parts += _surface(axes["surface"], run, field, at, FROM_THE_SIDE if data else FROM_ABOVE)
    parts += _contours(axes["contour"], run, field, at)
    if data is not None:
        parts += _data(axes["data"], run, field.objective, data, at)
    parts += _progress(axes["progress"], run, field.objective, values, at)
    _legend(figure, field, data is not None, "last step" if frames is None else "now")
    return Report(figure, axes, run, at, tuple(parts))


def _panels(figure: Figure, with_data: bool) -> dict[str, Any]:
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine | TightLayoutEngine):
        above = 1.0 - HEADER / figure.get_figheight()
        engine.set(rect=(0.01, 0.0, 0.98, above))
    below = ["data", "progress"] if with_data else ["progress", "progress"]
    panels: dict[str, Any] = figure.subplot_mosaic(
        [["surface", "contour", "contour"], ["surface", *below]],
        per_subplot_kw={"surface": {"projection": "3d"}},
        width_ratios=[2.0, 1.0, 1.0],
        height_ratios=[1.4, 1.0],
    )
    return panels


def _header(
    figure: Figure,
    run: Run,
    values: Floats,
    frames: NDArray[np.int64],
    rule: RuleLike,
    title: str,
    what: str,
) -> AnimatedText:
    """Write the title, and the line below it that tells how the run stands."""
    found = UpdateRule.parse(rule)
    rates = f"learning rate {number(run.lr)}"
    if found.rule.uses_momentum:
        momentum = "by schedule" if run.is_momentum_scheduled else number(run.momentum)
        rates += f", momentum {momentum}"
    rates += "".join(f", {name} {number(value)}" for name, value in found.said().items())
    escaped = shorten(title, 100, placeholder=" ...").replace("$", r"\$")
    start = f"start at {point(run.start)}"
    if run.velocity is not None:
        start += f", velocity {point(run.velocity)}"
    start += f"; {what}" if what else ""
    lines = {
        0.12: f"{found.rule.title}: {rates}",
        0.46: f"{escaped}; {start}" if title else start,
        0.70: "",
    }
    inch = 1.0 / figure.get_figheight()
    heading, _, standing = (
        figure.text(0.02, 1.0 - down * inch, text, va="top", in_layout=False)
        for down, text in lines.items()
    )
    heading.set(fontsize="x-large", weight="bold")
    ends = {Status.CONVERGED: ", converged", Status.DIVERGED: ", diverged"}
    words = [
        f"step {run.steps[frame]:,} of {run.n_steps:,}"
        + (ends.get(run.status, "") if run.steps[frame] == run.n_steps else "")
        + f": f = {number(values[frame])} at {point(run.points[frame])}"
        for frame in frames
    ]
    return AnimatedText(standing, words)


def _surface(
    ax: Any, run: Run, field: Field, frames: NDArray[np.int64], tilts: Sequence[float]
) -> list[Animated]:
    drawn = surface(ax, field, [run], tilts)
    ax.set_zlabel("")  # the colour bar beside says it
    fill_axes(ax, 0.97)
    ax.set_title("Surface" if ax.elev < 55 else "Surface from above", loc="left")
    ax.set_anchor("NW")
    drawn.surface.set_clip_on(False)
    drawn.surface.set_in_layout(False)
    if not field.is_log and field.heights[1] >= 1e4:
        ax.zaxis.set_major_formatter(NullFormatter())  # long ones would lie upon the surface
    if ax.elev > 55:  # the axis is short
        ax.zaxis.set_major_locator(MaxNLocator(2, integer=field.is_log))
    return _way(ax, run, field, frames, drawn.minima)


def _contours(ax: Axes, run: Run, field: Field, frames: NDArray[np.int64]) -> list[Animated]:
    drawn = contour(ax, field)
    colour_bar(ax, field, drawn.lines)
    ax.set_title("Contours and path", loc="left")
    parts = _way(ax, run, field, frames, drawn.minima)
    avoid = [clip(run.points, field.window)[0], minima_of(field)]
    if run.status == Status.DIVERGED:
        text = ax.text(
            0.5, 0.92, "", transform=ax.transAxes, ha="center", va="center", zorder=8,
            weight="bold", bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "black"},
        )  # fmt: skip
        said = f"diverged at step {run.n_steps:,}"
        parts.append(AnimatedText(text, [""] * (len(frames) - 1) + [said]))
        low, high = np.array(field.window).T
        avoid.append(low + (high - low) * [[0.3, 0.92], [0.7, 0.92]])
    label_levels(ax, drawn.lines, avoid)
    return parts


def _way(
    ax: Axes, run: Run, field: Field, frames: NDArray[np.int64], minima: Artist
) -> list[Animated]:
    """Draw the path, and above it start and minima."""
    start = within(run.points[:1], field.window)
    marks = [minima, *ax.plot(*lift(ax, start, field), **START)]
    for mark in marks:
        mark.set_clip_on(False)
        mark.set_in_layout(False)
    return [AnimatedPath(ax, run, field, frames), Pinned(marks)]


def _data(
    ax: Axes, run: Run, objective: Objective, data: Data, frames: NDArray[np.int64]
) -> list[Animated]:
    a, b = objective.minimisers[0]
    x, y = (
        shorten(printable(getattr(objective, axis, None) or axis), 40, placeholder=" ...")
        for axis in ("x", "y")
    )
    drawn = data_and_line(ax, *data, a, b)
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    drawn.line.set(**DASHED)
    line = ax.plot([], [], color=HEAD["markerfacecolor"], linewidth=2.2, zorder=2.5)[0]
    said = ax.set_title("", loc="left")
    lines = [equation(*run.points[frame]) for frame in frames]
    words = ["Data and line" if "$" in line else line for line in lines]  # no long ones
    return [AnimatedLine(ax, line, run.points[frames]), AnimatedText(said, words)]


def _progress(
    ax: Axes, run: Run, objective: Objective, values: Floats, frames: NDArray[np.int64]
) -> list[Animated]:
    """Draw the loss of a regression, else the distance to the minimum, against the step."""
    reduction = getattr(objective, "reduction", None)
    if reduction is not None:
        title = f"Loss: {LOSSES[reduction]}"
    elif not len(objective.minimisers):
        title = "Objective"
    else:
        values = squared_distance(run.points, objective)
        several = len(objective.minimisers) > 1
        where = "the nearest minimum" if several else point(objective.minimisers[0])
        title = f"Squared distance to {where}"
    ax.set_title(title, loc="left")
    steps, values = against_step(ax, run.steps, values)
    if reduction is not None and objective.f_min:
        ax.axhline(objective.f_min, **DASHED)
    start = on_edge(ax, values[0], **START)
    return [AnimatedCurve(ax, steps, values, frames), Pinned([start])]


def _legend(figure: Figure, field: Field, with_data: bool, head_is: str) -> None:
    """Explain the marks, in a row below everything."""
    path = Line2D([], [], **line_style(1.8)), Line2D([], [], **DOTS)
    start, star, head = (Line2D([], [], **style) for style in (START, STAR, HEAD))
    handles: dict[str, Any] = {"start": start, "path and its updates": path, head_is: head}
    if len(minima_of(field)):
        handles["minimum"] = star
    if with_data:
        handles["least squares"] = Line2D([], [], **DASHED)
    figure.legend(
        handles=list(handles.values()),
        labels=list(handles),
        handler_map={tuple: HandlerTuple(ndivide=1)},
        loc="outside lower center",
        ncols=5,
        frameon=False,
    )
