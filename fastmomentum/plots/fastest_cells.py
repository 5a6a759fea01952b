"""Marks of the fastest cells of a map: the one that is fast with its neighbours, and a lone one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.plots.cells import Cells
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import STAR, counted, number

NEVER_MET: Final = np.iinfo(np.int32).max
"""Steps of a run that did not meet the target, where they are compared."""

MEDIANS_AT_ONCE: Final = 2**20
"""Cells."""

LONE: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "o", "markersize": 7, "markerfacecolor": "white",
    "markeredgecolor": "black", "markeredgewidth": 1.4, "zorder": 6,
}  # fmt: skip
"""Of a cell that is fast by itself."""


def fastest(
    ax: Axes, cells: Cells, steps: NDArray[Any], names: tuple[str, str]
) -> tuple[Line2D, Line2D | None]:
    """Mark the cell that is fast together with its neighbours, and a faster one that is alone."""
    reached = steps >= 0
    counts = np.where(reached, steps, NEVER_MET).astype(np.int32)
    around = np.where(reached, medians(counts), NEVER_MET)
    chosen = np.where(around == around.min(), counts, NEVER_MET)
    robust, single = int(chosen.argmin()), int(counts.argmin())
    alone = counts.flat[single] < counts.flat[robust]
    if not alone:
        return _spot(ax, cells, counts, robust, names, "fastest: {} ({})", STAR), None
    star = _spot(ax, cells, counts, robust, names, "fastest in a 3 x 3 median: {}\n({})", STAR)
    lone = _spot(ax, cells, counts, single, names, "lone fastest cell: {}\n({})", LONE)
    return star, lone


def _spot(
    ax: Axes,
    cells: Cells,
    counts: NDArray[Any],
    cell: int,
    names: tuple[str, str],
    label: str,
    style: dict[str, Any],
) -> Line2D:
    i, j = np.unravel_index(cell, counts.shape)
    place: tuple[Floats, Floats] = (cells.x[i], cells.y[j])
    said = (
        f"{name.removeprefix('objective_').replace('_', ' ')} {number(float(value))}"
        for name, value in zip(names, place, strict=True)
    )
    label = label.format(counted(int(counts[i, j])), ", ".join(said))
    return ax.plot(*place, clip_on=False, **(style | {"label": label}))[0]


def medians(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Median of each cell and the eight around it; beyond the edge stands the edge once more.

    Parameters
    ----------
    counts : ndarray of int32, shape (n, m)
        Of all cells.

    Returns
    -------
    ndarray of int32, shape (n, m)
        In parts, so that the nine copies of a large map are not in memory at once.

    Examples
    --------
    >>> medians(np.array([[9, 9, 9], [9, 1, 9], [9, 9, 9]], np.int32)).tolist()
    [[9, 9, 9], [9, 9, 9], [9, 9, 9]]
    """
    padded = np.pad(counts, 1, mode="edge")
    found = np.empty_like(counts)
    rows = max(1, MEDIANS_AT_ONCE // counts.shape[1])
    for first in range(0, len(counts), rows):
        part = padded[first : first + rows + 2]
        nine = np.lib.stride_tricks.sliding_window_view(part, (3, 3))
        flat = nine.reshape(*nine.shape[:2], 9)
        found[first : first + rows] = np.partition(flat, 4, axis=-1)[..., 4]
    return found
