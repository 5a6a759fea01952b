"""Levels written on contours, where there is room."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.text import Text

from fastmomentum.plots.casing import cased
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import STYLE, number

LETTER: Final = np.array([0.05, 0.11])
"""Half the width of a letter and half the height of a line, in inches, at `POINTS`."""

POINTS: Final = 10.0
"""Size of the letters at `STYLE`'s font size; it scales with the style's."""

_PLACES: Final = 400  # points tried of each contour, and of each line to avoid


def label_levels(ax: Axes, lines: QuadContourSet, avoid: Sequence[Floats] = ()) -> list[Text]:
    """Write the level on each contour, at the place that is the farthest from everything else.

    Matplotlib's own labels avoid each other only, and so end up under a path.

    Parameters
    ----------
    ax : Axes
        Where the contours were drawn; with its limits, and about as large as it will be.
    lines : QuadContourSet
        The contours.
    avoid : sequence of ndarray, shape (n, 2)
        Points and polylines not to be covered.

    Returns
    -------
    list of Text
        At most one a level; none where there is no room.
    """
    size = _size(ax)
    usual = matplotlib.rcParams["font.size"]
    points = max(POINTS * usual / STYLE["font.size"], min(POINTS, usual))
    letter = LETTER * points / POINTS
    halo = cased(2.5, 0.8)
    taken = [_dense(_inches(ax, points)) for points in avoid]
    texts = []
    for level, path in zip(lines.levels, lines.get_paths(), strict=True):
        spots = np.asarray(path.vertices, np.float64)
        spots = spots[:: len(spots) // _PLACES + 1]
        places, text = _inches(ax, spots), number(level)
        half = letter * (len(re.sub(r"\\times|[${}^ ]", "", text)) + 1, 1.0)
        room = (np.minimum(places, size - places) / half).min(axis=1, initial=np.inf)
        for others in taken:
            if len(others):
                away = (np.abs(places[:, np.newaxis] - others) / half).max(axis=2)
                room = np.minimum(room, away.min(axis=1))
        if not len(room) or room.max() < 1.4:
            continue
        best = room.argmax()
        taken.append(places[best] + half * [[-1, 0], [0, 0], [1, 0]])
        texts.append(
            ax.text(
                spots[best, 0], spots[best, 1], text, fontsize=points, ha="center", va="center",
                color="black", path_effects=halo, zorder=2.5, in_layout=False, clip_on=True,
            )
        )  # fmt: skip
    return texts


def _inches(ax: Axes, points: Floats) -> Floats:
    points = points[np.isfinite(points).all(axis=1)]
    low = np.array([ax.get_xlim()[0], ax.get_ylim()[0]])
    high = np.array([ax.get_xlim()[1], ax.get_ylim()[1]])
    return np.asarray((points - low) / (high - low) * _size(ax))


def _size(ax: Axes) -> Floats:
    return np.array([ax.bbox.width, ax.bbox.height]) / ax.figure.dpi


def _dense(points: Floats) -> Floats:
    """Points evenly along a polyline."""
    if len(points) < 2:
        return points
    at = np.append(0.0, np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1)))
    even = np.linspace(0.0, at[-1], _PLACES)
    return np.stack([np.interp(even, at, part) for part in points.T], axis=1)
