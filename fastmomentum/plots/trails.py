"""The paths of runs over contours or on a surface, and their legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib import patheffects
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.plots.arguments import AXES, takes
from fastmomentum.plots.fields import FIELD, Field
from fastmomentum.plots.geometry import clip, length_of, refine, within
from fastmomentum.plots.runs import RUNS, Run
from fastmomentum.plots.style import COLOURS, LINES, MARKERS, START
from fastmomentum.plots.surfaces import in_sight, lift, view_of
from fastmomentum.status import Status

_MOST_SIGHTED: Final = 50_000  # points of a path up to which what is hidden is found out


class Paths(NamedTuple):
    """Artists of `paths`."""

    runs: list[Line2D]
    starts: Line2D
    hidden: list[Line2D]


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
        ``runs`` (one line each, labelled), ``starts``, and ``hidden``, the faint lines.
    """
    lines, hidden = [], []
    for i, run in enumerate(runs):
        points, source = clip(run.points, field.window)
        cut = bool(np.any(source < 0)) or len(source) < len(run.points)
        if ax.name == "3d":
            points, source = refine(points, source, field.window)
        style = _line_style(run, i, length_of(points, field.window))
        style["markevery"] = np.flatnonzero(np.isin(source, _telling(run))).tolist()
        away = cut and run.status != Status.DIVERGED
        style["label"] = run.label + (", leaves the window" if away else "")
        if ax.name == "3d" and len(points) <= _MOST_SIGHTED:
            covered = ~in_sight(points, field, *view_of(ax))[:, np.newaxis]
            faint = {"alpha": 0.35, "path_effects": None, "label": "_hidden"}
            hidden += ax.plot(*lift(ax, np.where(covered, points, np.nan), field), **style | faint)
            points = np.where(covered, np.nan, points)
        lines += ax.plot(*lift(ax, points, field), **style)
    starts = within(np.unique([run.start for run in runs], axis=0), field.window)
    return Paths(lines, ax.plot(*lift(ax, starts, field), **START)[0], hidden)


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
            f"{names}; markers: after 1, 10, 100, ... steps (or the next recorded) and the last",
        ],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0.6)},
        handlelength=3.2,
        loc="outside lower center",
    )
