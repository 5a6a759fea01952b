"""Polylines in a window of the plane: cutting, measuring, refining."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import numbers

Floats = NDArray[np.float64]
Window = tuple[tuple[float, float], tuple[float, float]]


def ends_of(window: Window) -> Floats:
    """The ends of a window's sides, shape (2, 2), if it is one.

    Raises
    ------
    InputError
        It is no pair of pairs of finite numbers.

    Examples
    --------
    >>> ends_of(((-1, 1), (0, 2))).tolist()
    [[-1.0, 1.0], [0.0, 2.0]]
    """
    ends = numbers(window, "window")
    if ends.shape != (2, 2):
        raise InputError(
            "window must be ((x_low, x_high), (y_low, y_high)): got numbers of the shape "
            f"{ends.shape}"
        )
    return ends


def clip(points: Floats, window: Window) -> tuple[Floats, NDArray[np.int64]]:
    """Cut a polyline at the edges of a window.

    Matplotlib clips too, but overflows on the numbers that a diverging run reaches, and does not
    clip at all in three dimensions.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
        May hold inf and NaN: segments to and from there are dropped.
    window : ((x_low, x_high), (y_low, y_high))
        What to keep.

    Returns
    -------
    points : ndarray, shape (m, 2)
        Finite but for rows of NaN where the line was cut.
    source : ndarray, shape (m,)
        For each row its index in the given points; -1 where it is a cut or on the edge.

    Raises
    ------
    InputError
        The points or the window are something else.

    References
    ----------
    Liang and Barsky, "A new concept and method for line clipping", 1984.

    Examples
    --------
    >>> clip(np.array([[0.0, 0.0], [4.0, 0.0]]), ((-1, 1), (-1, 1)))[0].tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    points = numbers(points, "points", finite=False)
    if points.ndim != 2 or points.shape[1] != 2:
        raise InputError(f"points must have the shape (n, 2): got {points.shape}")
    low, high = ends_of(window).T
    inside = np.asarray(np.all((points >= low) & (points <= high), axis=1))
    if len(points) == 1:
        return points[inside], np.flatnonzero(inside)
    # Beyond 1e100 the difference of two points could overflow; nobody sees that far.
    here, there = (np.clip(part, -1e100, 1e100) for part in (points[:-1], points[1:]))
    along = there - here
    divisor = np.where(along == 0.0, 1e-200, along)
    to_edges = np.sort(np.stack([(low - here) / divisor, (high - here) / divisor]), axis=0)
    enter, leave = to_edges[0].max(axis=1), to_edges[1].min(axis=1)
    finite = np.asarray(np.isfinite(points).all(axis=1))
    kept = finite[:-1] & finite[1:] & (np.maximum(enter, 0.0) <= np.minimum(leave, 1.0))
    enter, leave = enter.clip(0.0, 1.0), leave.clip(0.0, 1.0)

    first, last = here + enter[:, np.newaxis] * along, here + leave[:, np.newaxis] * along
    first[inside[:-1]], last[inside[1:]] = points[:-1][inside[:-1]], points[1:][inside[1:]]
    index = np.arange(len(points))
    sources = [np.where(inside[:-1], index[:-1], -1), np.where(inside[1:], index[1:], -1)]
    cut = np.full_like(first, np.nan)
    rows = np.stack([first, last, cut], axis=1)
    source = np.stack([*sources, np.full(len(here), -1)], axis=1)
    # A row for the first point only where a piece begins, a cut only where one ends before the last
    begins = kept & ~(np.append(False, kept[:-1]) & inside[:-1])
    ends = kept & ~(np.append(kept[1:], False) & inside[1:])
    ends &= np.cumsum(kept) < kept.sum()
    wanted = np.stack([begins, kept, ends], axis=1)
    return rows[wanted], source[wanted]


def length_of(points: Floats, window: Window) -> float:
    """Length of a polyline, in widths of the window."""
    steps = np.diff(points, axis=0) / np.ptp(np.array(window), axis=1)
    return float(np.nansum(np.linalg.norm(steps, axis=1)))


def refine(
    points: Floats, source: NDArray[np.int64], window: Window
) -> tuple[Floats, NDArray[np.int64]]:
    """Insert points into a polyline, so that it follows the surface that it is lifted onto."""
    if len(points) < 2:
        return points, source
    width = np.ptp(np.array(window), axis=1)
    length = np.linalg.norm(np.diff(points, axis=0) / width, axis=1)
    pieces = np.ceil(np.nan_to_num(length) * 100).astype(np.int64).clip(1)
    at = np.concatenate([[0], np.cumsum(pieces)])
    everywhere = np.arange(at[-1] + 1)
    refined = np.stack([np.interp(everywhere, at, part) for part in points.T], axis=1)
    origin = np.full(len(everywhere), -1)
    origin[at] = source
    return refined, origin


def within(points: Floats, window: Window) -> Floats:
    """The points, shape (n, 2), that lie in a window."""
    low, high = np.array(window).T
    return points[np.all((points >= low) & (points <= high), axis=1)]
