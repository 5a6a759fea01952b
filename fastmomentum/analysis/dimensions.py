"""How rough the boundary between classes is: box counting, basin entropy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from fastmomentum.analysis.class_maps import OVER, classes_of
from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import whole

FEWEST_BOXES: Final = 8
"""Boxes along an axis at the largest scale."""
FINEST: Final = 2
"""Smallest box in spacings of the grid: below it, the grid decides what the boundary looks like."""

Results = xr.Dataset | xr.DataArray | ArrayLike


class Dimension(NamedTuple):
    """What `boundary_dimension` found.

    Attributes
    ----------
    dimension : float
        Minus the slope of log(count) over log(size); 0 for single points, 1 for a smooth line.
    error : float
        Standard error of the slope: the spread of the slopes between neighbouring scales, over the
        root of their number.
    scales : (float, float)
        Smallest and largest boxes, as fractions of the map's side.
    sizes, counts : ndarray
        Sizes of boxes in spacings of the grid, and how many boxes the boundary crosses.
    """

    dimension: float
    error: float
    scales: tuple[float, float]
    sizes: NDArray[np.int64]
    counts: NDArray[np.float64]


class Entropy(NamedTuple):
    """What `basin_entropy` found.

    Attributes
    ----------
    entropy, error : float
        Mean entropy of the boxes, in nats, and its standard error.
    boundary_entropy, boundary_error : float
        The same over boxes with several classes only; NaN if there is none. Above log 2 the
        boundary is fractal.
    scales : (float, float)
        The boxes' side along each axis, as fractions of the map's.
    boxes, boundary_boxes : int
        How many there are.
    """

    entropy: float
    error: float
    boundary_entropy: float
    boundary_error: float
    scales: tuple[float, ...]
    boxes: int
    boundary_boxes: int


def boundary_dimension(
    results: Results,
    *,
    variable: str = "status",
    over: Sequence[str] = OVER,
    scales: tuple[int, int] | None = None,
) -> Dimension:
    """Dimension of the boundary between classes, by counting boxes.

    A box of k spacings of the grid counts if its points, edges included, are of several
    classes. Sizes are powers of two times the smallest.

    Parameters
    ----------
    results : Dataset, DataArray or array_like
        Results, also of a refined map; or classes themselves over one axis or two, such as those
        of `basin`.
    variable : str
        The variable of results that holds the classes.
    over : sequence of str
        One axis or two of results, evenly spaced, perhaps in the logarithm.
    scales : (int, int), optional
        Smallest and largest boxes, in spacings of the grid; from 2 to an eighth of the shorter side
        if left out.

    Returns
    -------
    Dimension
        ``dimension``, ``error``, ``scales``, and the counts.

    Raises
    ------
    InputError
        There is no boundary, or the map is too small for two scales.

    References
    ----------
    Grebogi, McDonald, Ott and Yorke, "Final state sensitivity: an obstruction to predictability",
    1983.

    Examples
    --------
    >>> x, y = np.mgrid[:513, :513]
    >>> found = boundary_dimension(x + 2 * y > 700)
    >>> abs(found.dimension - 1) < 3 * found.error + 0.01
    True
    """
    classes = classes_of(results, variable, over)
    sides = [size - 1 for size in classes.shape]
    first, last = _scales(scales, min(sides))
    sizes = first * 2 ** np.arange(int(np.log2(last / first)) + 1)
    counts = np.array([_count(classes, int(size)) for size in sizes])
    if not counts.all():
        raise InputError("there is no boundary: all classes agree")
    steps = np.diff(np.log(counts)) / np.diff(np.log(sizes))
    x, y = np.log(sizes), np.log(counts)
    x = x - x.mean()
    slope = float((x * (y - y.mean())).sum() / (x * x).sum())
    error = float(steps.std(ddof=1) / np.sqrt(steps.size)) if steps.size > 1 else float("nan")
    part = sizes[[0, -1]] / max(sides)
    return Dimension(-slope + 0.0, error, (float(part[0]), float(part[1])), sizes, counts)


def _scales(scales: tuple[int, int] | None, side: int) -> tuple[int, int]:
    """Smallest and largest boxes."""
    if scales is None:
        first, last = FINEST, side // FEWEST_BOXES
        if last < 2 * first:
            raise InputError(
                f"the map has {side} spacings along an axis, and two scales need "
                f"{2 * FINEST * FEWEST_BOXES}; refine it, or give scales"
            )
        return first, last
    first, last = (whole(one, "scales", least=1) for one in scales)
    if not 2 * first <= last <= side:
        raise InputError(
            f"scales must be two sizes, the second at least twice the first and at most {side}: "
            f"got {first} and {last}"
        )
    return first, last


def _count(classes: NDArray[np.int64], size: int) -> float:
    """Boxes with several classes, scaled up for those that would not fit on the map."""
    low, high = classes, classes
    covered = 1.0
    for axis in range(classes.ndim):
        low, high = _ends(low, size, axis, np.minimum), _ends(high, size, axis, np.maximum)
        covered *= low.shape[axis] * size / (classes.shape[axis] - 1)
    return float((low != high).sum()) / covered


def _ends(values: NDArray[np.int64], size: int, axis: int, least: np.ufunc) -> NDArray[np.int64]:
    """The smallest (or largest) class of each box of some spacings along an axis, ends included.

    Neighbours share the points on the edge between them.
    """
    values = np.moveaxis(values, axis, 0)
    n = (values.shape[0] - 1) // size
    within = least.reduce(values[: n * size].reshape(n, size, *values.shape[1:]), axis=1)
    return np.moveaxis(least(within, values[size : n * size + 1 : size]), 0, axis)


def basin_entropy(
    results: Results,
    *,
    variable: str = "status",
    over: Sequence[str] = OVER,
    box: int = 5,
) -> Entropy:
    """How uncertain the class is within boxes of the map, and within boxes on the boundary.

    Parameters
    ----------
    results, variable, over
        As for `boundary_dimension`.
    box : int
        Cells along a box's side; 5 as in the reference, which is 25 cells per box.

    Returns
    -------
    Entropy
        ``entropy``, ``boundary_entropy``, their errors and ``scales``.

    Raises
    ------
    InputError
        The box is larger than the map, or a single cell.

    References
    ----------
    Daza, Wagemakers, Georgeot, Guery-Odelin and Sanjuan, "Basin entropy: a new tool to analyze
    uncertainty in dynamical systems", 2016: where the entropy of the boundary is above log 2, the
    boundary is fractal.

    Examples
    --------
    >>> found = basin_entropy(np.arange(100) >= 52)
    >>> found.boxes, found.boundary_boxes, round(found.boundary_entropy, 4)
    (20, 1, 0.673)
    """
    classes = classes_of(results, variable, over)
    box = whole(box, "box", least=2)
    counts = [size // box for size in classes.shape]
    if not all(counts):
        raise InputError(f"box must be {min(classes.shape)} cells at most: got {box}")
    cells = classes[tuple(slice(n * box) for n in counts)]
    if cells.ndim == 1:
        cells = cells.reshape(counts[0], box)
    else:
        cells = cells.reshape(counts[0], box, counts[1], box).swapaxes(1, 2)
        cells = cells.reshape(counts[0] * counts[1], box * box)
    total = np.zeros(len(cells))
    for one in range(int(classes.max()) + 1):
        share = (cells == one).mean(axis=1)
        total -= share * np.log(np.where(share > 0, share, 1.0))
    edge = total[(cells != cells[:, :1]).any(axis=1)]
    parts = tuple(box / size for size in classes.shape)
    several = float(edge.mean()) if edge.size else float("nan")
    return Entropy(
        float(total.mean()), _of_mean(total), several, _of_mean(edge), parts, total.size, edge.size
    )


def _of_mean(values: NDArray[np.float64]) -> float:
    """Standard error of a mean."""
    if values.size < 2:
        return float("nan")
    return float(values.std(ddof=1) / np.sqrt(values.size))
