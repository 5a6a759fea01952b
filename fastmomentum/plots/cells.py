"""The cells of a map: where they lie, which are drawn, and how the axes around them look."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from numpy.typing import NDArray

from fastmomentum.plots.geometry import Floats, Window
from fastmomentum.plots.style import CONVERGED, DIVERGED, NEVER, NOT_RUN, ink, legend_ground

MOST_CELLS: Final = 1024
"""Most cells drawn along an axis of a map: more than a screen shows would only cost time."""

EVERYWHERE: Final[Window] = ((-np.inf, np.inf), (-np.inf, np.inf))

ENDS: Final = ListedColormap([NOT_RUN, CONVERGED, DIVERGED, NEVER])
"""Colours of the four values of `Status`."""


@dataclass(frozen=True)
class Cells:
    """The cells around the values of two axes.

    Attributes
    ----------
    x, y : ndarray, shape (nx,) and (ny,)
        Values, ascending.
    log_x, log_y : bool
        Whether the axis is drawn on a log scale.
    bounds : ((x_low, x_high), (y_low, y_high))
        What values there can be: the axes end there, also in the midst of a cell.
    """

    x: Floats
    y: Floats
    log_x: bool
    log_y: bool
    bounds: Window = EVERYWHERE

    @cached_property
    def edges(self) -> tuple[Floats, Floats]:
        """Edges of the cells, shape (nx + 1,) and (ny + 1,)."""
        return _edges(self.x, self.log_x), _edges(self.y, self.log_y)

    @cached_property
    def corners(self) -> tuple[Floats, Floats]:
        """Edges of the cells that are drawn; the outermost are the map's."""
        chosen = _thinned(self.x.size), _thinned(self.y.size)
        x, y = (e[np.append(i, e.size - 1)] for e, i in zip(self.edges, chosen, strict=True))
        return x, y

    def drawn(self, values: NDArray[Any]) -> NDArray[Any]:
        """The values that are drawn, of an array (nx, ny, ...), with rows along y."""
        shown = values[np.ix_(_thinned(self.x.size), _thinned(self.y.size))]
        return np.swapaxes(shown, 0, 1)

    def frame(self, ax: Axes) -> None:
        """Give axes the map's scales and limits."""
        logs = (self.log_x, self.log_y)
        for name, log, edge, bound in zip("xy", logs, self.edges, self.bounds, strict=True):
            ends = max(edge[0], bound[0]), min(edge[-1], bound[1])
            ax.set(**{f"{name}scale": "log" if log else "linear", f"{name}lim": ends})


def cells_of(x: Floats, y: Floats, unsure: bool = True, bounds: Window = EVERYWHERE) -> Cells:
    """The cells of two axes, on a log scale where their values are spaced more evenly on it.

    Parameters
    ----------
    x, y : ndarray, shape (nx,) and (ny,)
        Values, ascending.
    unsure : bool
        Whether two values a decade apart on the x axis are a log scale.
    bounds : ((x_low, x_high), (y_low, y_high))
        Beyond which there are no values.

    Returns
    -------
    Cells
        To draw with.

    Examples
    --------
    >>> cells = cells_of(np.array([0.01, 0.1, 1.0]), np.array([0.0, 0.5]))
    >>> cells.log_x, cells.log_y
    (True, False)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    return Cells(x, y, is_geometric(x, unsure), is_geometric(y, unsure=False), bounds)


def draw_ends(ax: Axes, cells: Cells, status: NDArray[Any]) -> QuadMesh:
    """Colour the cells by how their runs ended."""
    return ax.pcolormesh(
        *cells.corners, cells.drawn(status), cmap=ENDS, vmin=-0.5, vmax=3.5, rasterized=True
    )


def swatch(colour: Any, label: str) -> Patch:
    """An entry of a legend for an area."""
    return Patch(facecolor=colour, edgecolor=ink(legend_ground()), linewidth=0.6, label=label)


def is_geometric(values: Floats, unsure: bool) -> bool:
    """Whether the values of an axis are spaced more evenly in their logarithms."""
    if values[0] <= 0 or values[-1] < 10 * values[0]:
        return False
    if values.size == 2:
        return unsure
    plain, logarithmic = np.diff(values), np.diff(np.log(values))
    return bool(logarithmic.std() / logarithmic.mean() < plain.std() / plain.mean())


def _edges(values: Floats, log: bool) -> Floats:
    """Edges of the cells around an axis' values: midpoints, and half a cell beyond the ends."""
    values = np.log(values) if log else values
    if values.size == 1:
        return np.asarray(values[0] + np.array([-0.5, 0.5]) * (abs(values[0]) or 1.0))
    middle = (values[:-1] + values[1:]) / 2
    edges = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.asarray(np.exp(edges) if log else edges)


def _thinned(size: int) -> NDArray[np.int64]:
    """Choose the cells of an axis that are drawn."""
    return np.arange(0, size, -(-size // MOST_CELLS))
