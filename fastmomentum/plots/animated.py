"""Artists that follow a run: drawn once, then set to its state after some of its steps.

Each is made for the whole run, so that limits and colours stay fixed, and has ``show(frame)``. The
frames are given as indices into the run's points; a still picture has one frame, the last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.plots.casing import cased
from fastmomentum.plots.fields import Field
from fastmomentum.plots.geometry import Floats, Window, clip, length_of, refine
from fastmomentum.plots.runs import Run
from fastmomentum.plots.scatter import line_within
from fastmomentum.plots.style import COLOURS
from fastmomentum.plots.surfaces import in_sight, lift, view_of

APART: Final = 0.012
"""Updates closer together than this fraction of the window share a dot."""

HEAD: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "o", "markersize": 7.5, "markerfacecolor": COLOURS[0],
    "markeredgecolor": "white", "markeredgewidth": 1.4, "zorder": 7,
}  # fmt: skip
DOTS: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "o", "markersize": 2.6, "markerfacecolor": "black",
    "markeredgewidth": 0, "zorder": 4,
}  # fmt: skip
_MOST_SIGHTED: Final = 100_000  # points; of longer paths the hidden parts are not worked out


class Animated(Protocol):
    """Artists that follow a run."""

    @property
    def artists(self) -> Sequence[Artist]:
        """The artists that change, in drawing order."""

    def show(self, frame: int) -> None:
        """Set the artists to a frame."""


def line_style(width: float, colour: str = COLOURS[0]) -> dict[str, Any]:
    """Style of a run's line: cased in white, to stand out from the field."""
    return {
        "color": colour,
        "linewidth": width,
        "solid_capstyle": "round",
        "solid_joinstyle": "round",
        "path_effects": cased(width + 1.2),
        "zorder": 3,
    }


def head_style(colour: str) -> dict[str, Any]:
    """Style of the dot where a run is."""
    return HEAD | {"markerfacecolor": colour}


@dataclass(frozen=True)
class Pinned:
    """Artists that stay fixed, and are drawn above those that move."""

    artists: Sequence[Artist]

    def show(self, frame: int) -> None:
        """Do nothing."""


class AnimatedPath:
    """The path of a run over contours or on a surface, a dot for each update, and its last point.

    Parameters
    ----------
    ax : Axes or Axes3D
        Where the field was drawn.
    run : Run
        Whose way.
    field : Field
        What it walks on.
    frames : ndarray, shape (n_frames,)
        Indices into the run's points, ascending.
    colour : str, optional
        Of one of several runs, whose updates have no dots; without, it is the only run.
    """

    def __init__(
        self,
        ax: Axes,
        run: Run,
        field: Field,
        frames: NDArray[np.int64],
        colour: str | None = None,
    ) -> None:
        self._is_solid = ax.name == "3d"
        rows, self._ends = _rows(run.points, frames, field.window, self._is_solid)
        self._way, self._way_hidden = self._lifted(ax, rows, field)
        dots = _spread(run.points[: 0 if colour else None], field.window)
        self._dots, dots_hidden = self._lifted(ax, run.points[dots], field)
        self._dots = np.where(dots_hidden, np.nan, self._dots)
        self._dot_ends = np.searchsorted(dots, frames, side="right")
        heads = run.points[frames].copy()
        low, high = np.array(field.window).T
        heads[~np.all((heads >= low) & (heads <= high), axis=1)] = np.nan
        self._heads, _ = self._lifted(ax, heads, field)

        length = length_of(rows, field.window)
        width = 1.8 if length < 4 else 1.2 if length < 8 else 0.8
        style = line_style(width, colour or COLOURS[0])
        empty: list[list[float]] = [[]] * len(self._way)
        self.artists: list[Line2D] = []
        if self._is_solid:
            self.artists += ax.plot(*empty, **style | {"alpha": 0.35, "path_effects": None})
        self.artists += ax.plot(*empty, **style)
        self.artists += ax.plot(*empty, **DOTS)
        self.artists += ax.plot(*empty, **head_style(colour or COLOURS[0]))
        for artist in self.artists:
            artist.set_clip_on(False)  # already clipped to the window
            artist.set_in_layout(False)
        self.show(len(frames) - 1)

    def show(self, frame: int) -> None:
        """Set the artists to a frame."""
        end = self._ends[frame]
        way, hidden = self._way[:, :end], self._way_hidden[:end]
        *faint, line, dots, head = self.artists
        if faint:
            self._set(faint[0], np.where(hidden, way, np.nan))
        self._set(line, np.where(hidden, np.nan, way))
        self._set(dots, self._dots[:, : self._dot_ends[frame]])
        self._set(head, self._heads[:, frame : frame + 1])

    def _set(self, line: Any, values: Floats) -> None:
        (line.set_data_3d if self._is_solid else line.set_data)(*values)

    def _lifted(self, ax: Axes, points: Floats, field: Field) -> tuple[Floats, NDArray[np.bool_]]:
        """Coordinates to plot, one in a row, and which points the surface hides."""
        hidden = np.zeros(len(points), bool)
        if self._is_solid and len(points) <= _MOST_SIGHTED:
            hidden = ~in_sight(points, field, *view_of(ax))
        return np.stack(lift(ax, points, field)), hidden


def _rows(
    points: Floats, frames: NDArray[np.int64], window: Window, refined: bool
) -> tuple[Floats, NDArray[np.int64]]:
    """Cut a path at a window, and say how many rows of it each frame shows."""
    parts, ends = [np.empty((0, 2))], []
    at, count = 0, 0
    for frame in frames:
        part, source = clip(points[at : frame + 1], window)
        if refined:
            part, _ = refine(part, source, window)
        if count and len(part) and np.array_equal(part[0], parts[-1][-1]):
            part = part[1:]
        elif count and len(part):
            part = np.concatenate([[[np.nan, np.nan]], part])
        if len(part):
            parts.append(part)
        count += len(part)
        ends.append(count)
        at = int(frame)
    return np.concatenate(parts), np.array(ends)


def _spread(points: Floats, window: Window) -> NDArray[np.int64]:
    """Choose points in a window that lie apart from each other, in the order of the path."""
    low, high = np.array(window, dtype=np.float64).T
    with np.errstate(invalid="ignore", over="ignore"):
        places = (points - low) / (high - low)
        inside = np.flatnonzero(np.all((places >= 0) & (places <= 1), axis=1))
    taken: set[tuple[int, int]] = set()
    chosen = []
    cells = np.floor(places[inside] / APART).astype(np.int64)
    for index, cell in zip(inside.tolist(), map(tuple, cells.tolist()), strict=True):
        if cell not in taken:
            taken.add(cell)
            chosen.append(index)
    return np.array(chosen, dtype=np.int64)


class AnimatedLine:
    """The line ``y = a x + b`` through data, as the run's point (a, b) moves.

    Parameters
    ----------
    ax : Axes
        Where `data_and_line` drew.
    line : Line2D
        What it drew.
    points : ndarray, shape (n_frames, 2)
        Slope and intercept of each frame.
    """

    def __init__(self, ax: Axes, line: Line2D, points: Floats) -> None:
        self._window, self._points = (ax.get_xlim(), ax.get_ylim()), points
        self.artists = [line]
        self.show(len(points) - 1)

    def show(self, frame: int) -> None:
        """Set the line to a frame."""
        a, b = self._points[frame]
        self.artists[0].set_data(*line_within(self._window, a, b))


class AnimatedCurve:
    """A curve up to where the run is, and a dot at its end.

    Parameters
    ----------
    ax : Axes
        Where to draw; with its scales and limits set.
    x, y : ndarray, shape (n_points,)
        The whole curve.
    frames : ndarray, shape (n_frames,)
        Indices into it, ascending.
    colour : str
        Of the curve.
    """

    def __init__(
        self,
        ax: Axes,
        x: Floats,
        y: Floats,
        frames: NDArray[np.int64],
        colour: str = COLOURS[0],
    ) -> None:
        self._x, self._y, self._frames = x, y, frames
        head = ax.plot([], [], clip_on=False, **head_style(colour))
        self.artists = [*ax.plot([], [], **line_style(1.8, colour)), *head]
        self.show(len(frames) - 1)

    def show(self, frame: int) -> None:
        """Set the artists to a frame."""
        end = self._frames[frame] + 1
        curve, head = self.artists
        curve.set_data(self._x[:end], self._y[:end])
        head.set_data(self._x[end - 1 : end], self._y[end - 1 : end])


class AnimatedText:
    """A text that changes.

    Parameters
    ----------
    text : matplotlib.text.Text
        What to change.
    words : sequence of str
        For each frame; nothing is shown where it is empty.
    """

    def __init__(self, text: Any, words: Sequence[str]) -> None:
        self.artists, self._words = [text], words
        self.show(len(words) - 1)

    def show(self, frame: int) -> None:
        """Set the text to a frame."""
        self.artists[0].set_text(self._words[frame])
        self.artists[0].set_visible(bool(self._words[frame]))
