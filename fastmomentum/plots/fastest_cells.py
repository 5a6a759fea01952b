"""Marks of a map's fastest cells: one that is fast with its neighbours, and a lone one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.plots.cells import Cells
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import STAR, counted, number
from fastmomentum.results.neighbours import NEVER_MET, robust_cell

LONE: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "o", "markersize": 7, "markerfacecolor": "white",
    "markeredgecolor": "black", "markeredgewidth": 1.4, "zorder": 6,
}  # fmt: skip
"""Of a cell that is fast by itself."""

MEDIAN: Final = "fastest in a 3 x 3 median"
"""How the best cell is judged: together with its neighbours."""


def fastest(
    ax: Axes, cells: Cells, steps: NDArray[Any], names: tuple[str, str]
) -> tuple[Line2D, Line2D | None]:
    """Mark the cell that is fast together with its neighbours, and a faster one that is alone."""
    counts = np.where(steps >= 0, steps, NEVER_MET).astype(np.int32)
    robust, single = robust_cell(counts), int(counts.argmin())
    if counts.flat[single] == counts.flat[robust]:
        return _spot(ax, cells, counts, robust, names, "fastest: {} ({})", STAR), None
    star = _spot(ax, cells, counts, robust, names, f"{MEDIAN}: {{}}\n({{}})", STAR)
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
