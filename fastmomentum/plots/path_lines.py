"""The paths of runs over contours or on a surface, and their legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.plots.arguments import ARTIST, AXES, FIGURE, drawn_by, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.fields import FIELD, Field
from fastmomentum.plots.geometry import clip, length_of, refine, within
from fastmomentum.plots.marks import Key, Mark, draw_keys, keys_of, marks_of
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.runs import RUNS, Run
from fastmomentum.plots.style import START
from fastmomentum.plots.surfaces import in_sight, lift, view_of
from fastmomentum.status import Status

_MOST_SIGHTED: Final = 50_000  # points; of longer paths the hidden parts are not worked out


class Paths(NamedTuple):
    """Artists of `paths`."""

    runs: list[Line2D]
    starts: Line2D
    hidden: list[Line2D]
    keys: Sequence[Key] = ()
    outside: int = 0


@takes(ax=AXES, runs=RUNS, field=FIELD)
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
        ``runs`` (one line each, labelled), ``starts``, ``hidden`` (the faint lines), ``keys``
        (legends of the axes that vary, where there are more than six runs), and how many runs lie
        ``outside`` of the window altogether.
    """
    lines, hidden, shown = [], [], []
    for mark, run in zip(marks_of(runs), runs, strict=True):
        points, source = clip(run.points, field.window)
        cut = bool(np.any(source < 0)) or len(source) < len(run.points)
        if ax.name == "3d":
            points, source = refine(points, source, field.window)
        shown.append(bool(np.isfinite(points).any()))
        style = _line_style(run, mark, length_of(points, field.window))
        style["markevery"] = np.flatnonzero(np.isin(source, _telling(run))).tolist()
        away = cut and run.status != Status.DIVERGED
        style["label"] = run.label + (", leaves the window" if away else "")
        if not shown[-1]:
            style["label"] = "_outside"
        if ax.name == "3d" and len(points) <= _MOST_SIGHTED:
            covered = ~in_sight(points, field, *view_of(ax))[:, np.newaxis]
            faint = {"alpha": 0.35, "path_effects": None, "label": "_hidden"}
            hidden += ax.plot(*lift(ax, np.where(covered, points, np.nan), field), **style | faint)
            points = np.where(covered, np.nan, points)
        lines += ax.plot(*lift(ax, points, field), **style)
    starts = within(np.unique([run.start for run in runs], axis=0), field.window)
    drawn = START if len(starts) else START | {"label": "_none"}
    marked = ax.plot(*lift(ax, starts, field), **drawn)[0]
    return Paths(lines, marked, hidden, keys_of(runs, shown), shown.count(False))


def _line_style(run: Run, mark: Mark, length: float) -> dict[str, Any]:
    width = 1.8 if length < 12 else 1.0  # a long zigzag would be a blot
    return {
        "color": mark.colour,
        "linestyle": mark.dashes,
        "linewidth": width,
        "marker": mark.marker,
        "markersize": 6.5,
        "path_effects": cased(width + 1.4),
        "zorder": 2 if run.status == Status.DIVERGED else 3,
    }


def _telling(run: Run) -> NDArray[np.int64]:
    """Find the points that get a marker: at each power of ten (or soon after), and the last."""
    powers = 10 ** np.arange(int(np.log10(max(run.n_steps, 1))) + 1)
    last = np.flatnonzero(np.isfinite(run.points).all(axis=1))[-1]
    return np.append(np.searchsorted(run.steps, powers), last).astype(np.int64)


PATHS: Final = drawn_by(Paths, "fm.plots.paths")


@takes(figure=FIGURE, drawn=PATHS, minima=ARTIST)
def legend(figure: Figure, drawn: Paths, minima: Artist, named: bool = True) -> Legend:
    """Draw a legend below everything: a row for each run, and one for start and minimum.

    More than six runs have a legend at the right, of the axes along which they vary.

    Parameters
    ----------
    figure : Figure
        With constrained layout, which makes room.
    drawn : Paths
        From `paths`.
    minima : Artist
        From `contour` or `surface`.
    named : bool
        Whether each run has a row; without where titles name them.

    Returns
    -------
    Legend
        What was drawn.

    Raises
    ------
    InputError
        An argument is something else.
    """
    marks = [mark for mark in (drawn.starts, minima) if not str(mark.get_label()).startswith("_")]
    seen = [line for line in drawn.runs if not str(line.get_label()).startswith("_")]
    said = [", ".join(str(mark.get_label()) for mark in marks)]
    if seen:
        said.append("markers: after 1, 10, 100, ... steps (or the next recorded) and the last")
    rows: list[tuple[Any, str]] = []
    if named and not drawn.keys:
        rows += [(line, str(line.get_label())) for line in seen]
    if drawn.outside:
        count = "1 run lies" if drawn.outside == 1 else f"{drawn.outside} runs lie"
        rows.append((_nothing(), f"{count} outside of this picture"))
    if any(said):  # a tuple is drawn side by side
        rows.append((tuple(marks) or _nothing(), "; ".join(filter(None, said))))
    draw_keys(figure, drawn.keys)
    return legend_below(
        figure,
        handles=[handle for handle, _ in rows],
        labels=[label for _, label in rows],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.6)},
        handlelength=3.2,
    )


def _nothing() -> Line2D:
    """A handle for a row that explains no mark."""
    return Line2D([], [], linestyle="none")
