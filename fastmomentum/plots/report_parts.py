"""Parts of reports: panels, a header, and what is fixed in each panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine, TightLayoutEngine
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, NullFormatter
from numpy.typing import NDArray

from fastmomentum.objectives import MSE, Objective
from fastmomentum.plots.animated import Animated, Pinned
from fastmomentum.plots.curves import squared_distance
from fastmomentum.plots.fields import Field
from fastmomentum.plots.geometry import Floats, within
from fastmomentum.plots.runs import Run, outside
from fastmomentum.plots.scatter import data_and_line
from fastmomentum.plots.style import DASHED, MANY, START, STYLE, ink, point
from fastmomentum.plots.surfaces import fill_axes, lift, surface
from fastmomentum.text import printable

Data = tuple[Floats, Floats]

LOSSES: Final = {"mean": "mean of squares", "half_sum": "sum of squares / 2"}
HEADER: Final = 0.95
"""Inches above the panels, for three lines of text of the house style."""


@dataclass(frozen=True)
class Report:
    """The panels of `run_report` or `runs_report`, at one of their frames.

    Attributes
    ----------
    figure : Figure
        Where they are.
    axes : dict of Axes
        By what they show: "surface", "contour", "progress", and for a regression "data".
    runs : tuple of Run
        What is shown; of `run_report` one.
    steps : ndarray, shape (n_frames,)
        After how many updates each frame shows them.
    parts : tuple of Animated
        What changes from frame to frame.
    """

    figure: Figure
    axes: dict[str, Any]
    runs: tuple[Run, ...]
    steps: NDArray[np.int64]
    parts: tuple[Animated, ...]

    @property
    def run(self) -> Run:
        """The first run."""
        return self.runs[0]

    @property
    def artists(self) -> list[Artist]:
        """Everything that changes, in drawing order."""
        artists = [artist for part in self.parts for artist in part.artists]
        return sorted(artists, key=Artist.get_zorder)

    def show(self, frame: int) -> None:
        """Set all panels to a frame."""
        for part in self.parts:
            part.show(frame)


def text_scale() -> float:
    """Size of the style's letters, as a factor on that of the house style."""
    return float(matplotlib.rcParams["font.size"]) / float(STYLE["font.size"])


def panels_of(figure: Figure, with_data: bool) -> dict[str, Any]:
    """Make the axes of a report, with room for three lines above them."""
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine | TightLayoutEngine):
        above = max(1.0 - HEADER * text_scale() / figure.get_figheight(), 0.1)
        engine.set(rect=(0.01, 0.0, 0.98, above))
    below = ["data", "progress"] if with_data else ["progress", "progress"]
    panels: dict[str, Any] = figure.subplot_mosaic(
        [["surface", "contour", "contour"], ["surface", *below]],
        per_subplot_kw={"surface": {"projection": "3d"}},
        width_ratios=[2.0, 1.0, 1.0],
        height_ratios=[1.4, 1.0],
    )
    return panels


def three_lines(figure: Figure, heading: str, below: str) -> Text:
    """Write a heading and a line below it; give the text of a third, which is empty."""
    inch = text_scale() / figure.get_figheight()
    first, _, third = (
        figure.text(0.02, 1.0 - down * inch, text, va="top", in_layout=False)
        for down, text in ((0.12, heading), (0.46, below), (0.70, ""))
    )
    first.set(fontsize="x-large", weight="bold")
    return third


def above_paths(what: str, runs: Sequence[Run], field: Field) -> str:
    """Title of the contours, with a line about points that lie outside of them."""
    return "\n".join(filter(None, [what, outside(runs, field.window)]))


def draw_surface(ax: Any, runs: Sequence[Run], field: Field, tilts: Sequence[float]) -> Any:
    """Draw the surface of a report, and return its minima."""
    drawn = surface(ax, field, runs, tilts)
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
    return drawn.minima


def pinned_marks(ax: Axes, runs: Sequence[Run], field: Field, minima: Artist) -> Pinned:
    """Draw the starts, and have them and the minima stay above what moves."""
    starts = within(np.unique([run.start for run in runs], axis=0), field.window)
    marks = [minima, *ax.plot(*lift(ax, starts, field), **START)]
    for mark in marks:
        mark.set_clip_on(False)
        mark.set_in_layout(False)
    return Pinned(marks)


def draw_data(ax: Axes, objective: Objective, data: Data) -> None:
    """Draw data with the least-squares line, and name the columns."""
    a, b = own_lines(objective, objective.minimisers)[0]
    x, y = (
        shorten(printable(getattr(objective, axis, None) or axis), 40, placeholder=" ...")
        for axis in ("x", "y")
    )
    drawn = data_and_line(ax, *data, a, b)
    ax.set_xlabel(x, parse_math=False)
    ax.set_ylabel(y, parse_math=False)
    drawn.line.set(color=ink(ax.get_facecolor()), **DASHED)


def own_lines(objective: Objective, points: Floats) -> Floats:
    """Lines (a, b) in the data's own units, of points that may be in standardised ones."""
    if not isinstance(objective, MSE):
        return points
    return np.stack(objective.own_line(*points.T), axis=-1)


def progress_of(run: Run, objective: Objective, values: Floats) -> tuple[str, Floats]:
    """Choose what tells the progress of a run, by the values of the objective; and its title."""
    reduction = getattr(objective, "reduction", None)
    if reduction is not None:
        return f"Loss: {LOSSES[reduction]}", values
    if not len(objective.minimisers):
        return "Objective", values
    where = point(objective.minimisers[0])
    if objective.has_valley_floor:
        where = MANY
    elif len(objective.minimisers) > 1:
        where = "the nearest minimum"
    return f"Squared distance to {where}", squared_distance(run.points, objective)


def draw_least(ax: Axes, objective: Objective) -> None:
    """Draw the least loss of a regression, which its curve comes down to."""
    if getattr(objective, "reduction", None) is not None and objective.f_min:
        ax.axhline(objective.f_min, color=ink(ax.get_facecolor()), **DASHED)
