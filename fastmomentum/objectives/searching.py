"""Minimisers by search: descent from many starts at once, then Newton's method to the last bit.

Everything is deterministic, so the same formula has the same minimisers each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.objectives.base import Box, Constants, Functions

Floats = NDArray[np.float64]

STARTS: Final = 1024
"""Number of starts: a low-discrepancy set, so no part of the box is left out."""
SAMPLES: Final = 257
"""Points per side of the lattice, edges included, on which f must not be below a minimum."""
STEPS: Final = 120
SAME: Final = 1e-9
"""Minima count as equal if they differ by less than this part of |f| plus this part of 1 (or of how
much f varies in the box, if that is less)."""
APART: Final = 1e-5
"""Minimisers closer than this part of the box's diagonal count as one."""
MOST: Final = 64
"""Minimisers that are kept, at most."""
MOST_FLAT: Final = 16
"""More minimisers than this without curvature are a valley's floor, and one represents it."""
RING: Final = tuple((math.cos(k * math.pi / 8), math.sin(k * math.pi / 8)) for k in range(16))


class Landscape:
    """A function of points, with derivatives; NaN counts as infinitely high.

    Parameters
    ----------
    value, gradient, hessian : callable
        Elementwise functions of ``(x, y)``.
    box : Box
        Where to search for minimisers.
    """

    def __init__(
        self,
        value: Callable[[Floats, Floats], Any],
        gradient: Callable[[Floats, Floats], tuple[Any, Any]],
        hessian: Callable[[Floats, Floats], tuple[Any, Any, Any]],
        box: Box,
    ) -> None:
        self._value, self._gradient, self._hessian = value, gradient, hessian
        self.low, self.high = np.array(box).T
        self.diagonal = float(np.hypot(*(self.high - self.low)))

    def value(self, points: Floats) -> Floats:
        """Values at points, shape (2, n); infinite where they are NaN."""
        value: Floats = np.broadcast_to(self._value(*points), points.shape[1:])
        return np.where(np.isnan(value), np.inf, value)

    def slope(self, points: Floats) -> tuple[Floats, Floats]:
        """Gradients, shape (2, n), and Hessians, shape (3, n); 0 where they are not finite."""
        parts = [*self._gradient(*points), *self._hessian(*points)]
        found = np.stack([np.broadcast_to(part, points.shape[1:]) for part in parts])
        found = np.where(np.isfinite(found), found, 0.0)
        return found[:2], found[2:]

    def inside(self, points: Floats) -> NDArray[np.bool_]:
        """Whether points lie in the box, edges included."""
        low, high = self.low[:, None], self.high[:, None]
        inside: NDArray[np.bool_] = ((points >= low) & (points <= high)).all(axis=0)
        return inside


def landscape_of(functions: Functions, constants: Constants, box: Box) -> Landscape:
    """The landscape of plain functions of ``(x, y, constants)``."""
    return Landscape(
        lambda x, y: functions.value(x, y, constants),
        lambda x, y: functions.gradient(x, y, constants),
        lambda x, y: functions.hessian(x, y, constants),
        box,
    )


def minimisers(landscape: Landscape) -> Floats:
    """The global minimisers in a box.

    Parameters
    ----------
    landscape : Landscape
        The function and the box.

    Returns
    -------
    ndarray, shape (n_minimisers, 2)
        Points with nothing lower around them or in the box, edges included; sorted. Empty where
        there is none: the lowest point lies on an edge and the function falls further outside, or
        there is no lowest value.
    """
    with np.errstate(all="ignore"):
        sampled = lattice(landscape)
        heights = landscape.value(sampled)
        finite = np.isfinite(heights)
        if not finite.any() or (heights == -np.inf).any():
            return np.empty((0, 2))
        lowest = sampled[:, np.argsort(heights, kind="stable")[:MOST]]
        points = _descend(landscape, np.concatenate([_starts(landscape), lowest], axis=1))
        points = _rounded(landscape, _polish(landscape, points))
        values = landscape.value(points)
        good = landscape.inside(points) & np.isfinite(values)
        floor = min(values[good].min(initial=np.inf), heights.min())
        varies = variation(heights)
        rounding = SAME * (min(1.0, varies) + abs(floor))
        points = points[:, good & (values <= floor + rounding)]
        points = points[:, _is_lowest_around(landscape, points, 1e-3 * rounding)]
        points = points[:, _is_no_pole(landscape, points, varies)]
        return _merged(landscape, points)


def variation(heights: Floats) -> float:
    """How much f varies in the box, from its values on the lattice: the median above the least."""
    return float(np.median(heights[np.isfinite(heights)]) - heights.min())


def is_flat(landscape: Landscape, points: Floats) -> NDArray[np.bool_]:
    """Whether f has no curvature in some direction at points, shape (n, 2)."""
    _, (hxx, hxy, hyy) = landscape.slope(points.T)
    flat: NDArray[np.bool_] = np.abs(hxx * hyy - hxy * hxy) <= 1e-6 * np.square(hxx + hyy)
    return flat


def lattice(landscape: Landscape) -> Floats:
    """Points over the whole box, edges included, shape (2, `SAMPLES`^2)."""
    axes = [np.linspace(*ends, SAMPLES) for ends in zip(landscape.low, landscape.high, strict=True)]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])


def _starts(landscape: Landscape) -> Floats:
    """A low-discrepancy set: multiples of two numbers that fractions approximate badly.

    Roberts, "The unreasonable effectiveness of quasirandom sequences", 2018.
    """
    plastic = 1.32471795724474602596
    steps = np.array([[1.0 / plastic], [1.0 / plastic**2]])
    parts = np.mod(0.5 + steps * np.arange(1, STARTS + 1), 1.0)
    low, high = landscape.low[:, None], landscape.high[:, None]
    points: Floats = low + parts * (high - low)
    return points


def _descend(landscape: Landscape, points: Floats) -> Floats:
    """Newton's method modified to descend, within a trust radius that shrinks where it fails."""
    value = landscape.value(points)
    points = points[:, np.isfinite(value)]
    value = value[np.isfinite(value)]
    reach = np.full(points.shape[1], 0.05 * landscape.diagonal)
    moving = np.arange(points.shape[1])
    for _ in range(STEPS):
        here = points[:, moving]
        step = _downhill(*landscape.slope(here), reach[moving])
        there = here + step
        height = landscape.value(there)
        better = height < value[moving]
        points[:, moving] = np.where(better, there, here)
        value[moving] = np.where(better, height, value[moving])
        reach[moving] *= np.where(better, 2.0, 0.25)
        near = 1e-3 * np.finfo(float).eps * (landscape.diagonal + np.abs(here).max(axis=0))
        left = (reach[moving] > near) & (np.hypot(*step) > 0.0)
        moving = moving[left & _is_near(landscape, points[:, moving])]
        if not moving.size:
            break
    return points


def _is_near(landscape: Landscape, points: Floats) -> NDArray[np.bool_]:
    """Whether points are still near the box; those that are not do not return."""
    middle = 0.5 * (landscape.low + landscape.high)[:, None]
    near: NDArray[np.bool_] = np.hypot(*(points - middle)) <= 2.0 * landscape.diagonal
    return near


def _downhill(gradient: Floats, hessian: Floats, reach: Floats) -> Floats:
    """A Newton step with the absolute eigenvalues of the Hessian, no longer than the reach."""
    (gx, gy), (hxx, hxy, hyy) = gradient, hessian
    middle, half = 0.5 * (hxx + hyy), 0.5 * (hxx - hyy)
    radius = np.sqrt(half * half + hxy * hxy)
    # The eigenvector of the larger eigenvalue, from whichever column does not cancel.
    ex = np.where(half >= 0.0, radius + half, np.abs(hxy))
    ey = np.where(half >= 0.0, hxy, np.copysign(radius - half, hxy))
    norm = np.sqrt(ex * ex + ey * ey)
    ex, ey = np.where(norm > 0.0, ex / norm, 1.0), np.where(norm > 0.0, ey / norm, 0.0)
    along, across = gx * ex + gy * ey, gy * ex - gx * ey
    # Where there is no curvature the step is as long as the reach.
    least = np.sqrt(gx * gx + gy * gy) / (2.0 * reach) + 1e-300
    along = along / np.maximum(np.abs(middle + radius), least)
    across = across / np.maximum(np.abs(middle - radius), least)
    dx, dy = -(along * ex - across * ey), -(along * ey + across * ex)
    shorter = np.minimum(1.0, reach / (np.sqrt(dx * dx + dy * dy) + 1e-300))
    return np.stack([dx * shorter, dy * shorter])


def _polish(landscape: Landscape, points: Floats) -> Floats:
    """Plain Newton steps, while they are short and make the gradient smaller."""
    for _ in range(6):
        gradient, (hxx, hxy, hyy) = landscape.slope(points)
        gx, gy = gradient
        scale = hxx * hyy - hxy * hxy
        step = np.stack([hxy * gy - hyy * gx, hxy * gx - hxx * gy]) / scale
        there = points + step
        slope, _ = landscape.slope(there)
        better = np.hypot(*slope) < np.hypot(*gradient)
        better &= np.hypot(*step) <= 1e-4 * landscape.diagonal
        better &= np.isfinite(landscape.value(there))
        points = np.where(better, there, points)
    return points


def _rounded(landscape: Landscape, points: Floats) -> Floats:
    """Round a point to nine decimals where that is as good a minimum up to rounding."""
    short = np.round(points, 9) + 0.0
    value, slope = landscape.value(points), np.hypot(*landscape.slope(points)[0])
    same = landscape.value(short) <= value + 1e-3 * SAME * np.abs(value)
    same &= np.hypot(*landscape.slope(short)[0]) <= slope
    return np.where(same, short, points)


def _is_lowest_around(landscape: Landscape, points: Floats, rounding: float) -> NDArray[np.bool_]:
    """Whether nothing on circles around a point is lower, as at saddles and on slopes."""
    value = landscape.value(points)
    lowest = np.ones(points.shape[1], bool)
    for part in (1e-3, 1e-4, 1e-5):
        radius = part * landscape.diagonal
        for to_x, to_y in RING:
            around = points + radius * np.array([[to_x], [to_y]])
            # An infinite or undefined value beside it is not lower.
            lowest &= landscape.value(around) >= value - rounding
    return lowest


def _is_no_pole(landscape: Landscape, points: Floats, varies: float) -> NDArray[np.bool_]:
    """Whether the function has nearly the same values beside a point."""
    value = landscape.value(points)
    beside = value
    for to_x, to_y in RING:
        around = points + 1e-9 * landscape.diagonal * np.array([[to_x], [to_y]])
        height = landscape.value(around)
        beside = np.where(np.isfinite(height), np.maximum(beside, height), beside)
    continuous: NDArray[np.bool_] = beside - value <= 0.1 * np.abs(value) + varies
    return continuous


def _merged(landscape: Landscape, points: Floats) -> Floats:
    """The lowest of all points that count as one; sorted."""
    order = np.argsort(landscape.value(points), kind="stable")
    kept: list[Floats] = []
    for point in points[:, order].T:
        close = APART * landscape.diagonal
        if all(math.hypot(*(point - other)) > close for other in kept):
            kept.append(point)
        if len(kept) > 4 * MOST:
            break
    found = np.array(kept).reshape(-1, 2)
    flat = is_flat(landscape, found)
    if flat.sum() > MOST_FLAT:
        middle = 0.5 * (landscape.low + landscape.high)
        central = found[flat][np.hypot(*(found[flat] - middle).T).argmin()]
        found = np.concatenate([found[~flat], central[None]])
    found = found[:MOST]
    return found[np.lexsort((found[:, 1], found[:, 0]))]
