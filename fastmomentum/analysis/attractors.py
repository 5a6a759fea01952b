"""Where runs go: the minimum near their last point, and how close rounding lets them get."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmomentum.analysis.trajectories import Floats, Trajectories
from fastmomentum.objectives import Objective
from fastmomentum.theory import spectral_radius
from fastmomentum.theory.linear import known

EPS: Final = float(np.finfo(float).eps)
TINY: Final = 1e-150
"""Below this, the square of a distance underflows."""
CLOSE: Final = 1e-11
"""Fraction of a run's scale within which the loss at a minimum differs only by rounding."""
DIRECTIONS: Final = ((1.0, 0.6), (-0.7, 1.0), (0.9, -0.8), (-0.6, -1.0), (0.1, 0.5), (-0.3, 0.2))
NEWTON_STEPS: Final = 12
MISSED: Final = 0.25
"""Newton's first step may miss the minimum by this fraction of the distance. Far out on a
polynomial of degree n it misses by (n - 2)/(n - 1): too early to say where a run will go."""
FLAT: Final = 1e-12
"""An eigenvalue below this fraction of the other counts as 0."""


class Attractors(NamedTuple):
    """Points where runs may come to rest, and the rounding there; each of shape (n,).

    Attributes
    ----------
    x, y : ndarray
        The points.
    is_near : ndarray of bool
        Whether there is a minimum that attracts under the run's settings, and Newton's first step
        from the last point lands near it.
    level : ndarray
        The objective there.
    floor : ndarray
        Distances below this are rounding.
    noise : ndarray
        Losses that exceed `level` by less are rounding.
    """

    x: Floats
    y: Floats
    is_near: NDArray[np.bool_]
    level: Floats
    floor: Floats
    noise: Floats


def nearest(objective: Objective, x: Floats, y: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The nearest of the minimisers that the objective names.

    Parameters
    ----------
    objective : Objective
        Has at least one.
    x, y : ndarray, shape (...)
        Points.

    Returns
    -------
    index : ndarray of int, shape (...)
        Row of the nearest minimiser.
    distance : ndarray, shape (...)
        Distance to it; NaN where the point is NaN.
    """
    index = np.zeros(np.shape(x), np.int64)
    least = np.full(np.shape(x), np.inf)
    for i, (mx, my) in enumerate(objective.minimisers):
        square = np.square(x - mx) + np.square(y - my)
        index = np.where(square < least, i, index)
        least = np.minimum(least, square)
    return index, np.sqrt(least)


def attractors(walks: Trajectories) -> Attractors:
    """The minima near the last points of runs, as found by Newton's method.

    Where it finds no minimum, the objective's nearest minimiser is used instead, so that distances
    can be measured, or NaN if it has none; `is_near` is false there.

    Parameters
    ----------
    walks : Trajectories
        Runs; only their last points are used.

    Returns
    -------
    Attractors
        One for each run.
    """
    objective, (x, y) = walks.objective, walks.ends()
    cx, cy, found = minima(objective, x, y)
    if len(objective.minimisers):
        named = objective.minimisers[nearest(objective, x, y)[0]]
        # If Newton's method found one of the objective's minimisers, use that one's exact bits.
        mx, my = objective.minimisers[nearest(objective, cx, cy)[0]].T
        same = found & (np.hypot(cx - mx, cy - my) <= 1e-9 * (1.0 + np.hypot(mx, my)))
        cx = np.where(found, np.where(same, mx, cx), named[:, 0])
        cy = np.where(found, np.where(same, my, cy), named[:, 1])
    else:
        cx, cy = np.where(found, cx, np.nan), np.where(found, cy, np.nan)
    once_x, once_y = _newton_step(objective, x, y)
    missed = np.hypot(once_x - cx, once_y - cy)
    level = objective.value(cx, cy)
    low, high = _eigenvalues(objective, cx, cy)
    low = np.where(low > FLAT * high, low, high)
    rate = np.maximum(_rate(walks, low), _rate(walks, high))
    # A gradient is wrong by some eps*high*|c|, which moves the fixed point by that over low; an
    # update of lr*low*d is lost in w where it is below eps*|c|; and each error lasts 1/(1 - rate).
    size = np.maximum(np.abs(cx), np.abs(cy))
    lasting = np.where(rate < 1.0, 1.0 / np.maximum(1.0 - rate, EPS), 1.0)
    times = high / low + 1.0 / (walks.lr * low) + lasting
    floor = 16.0 * EPS * size * times + TINY
    # How much the loss of nearby points, on the run's scale, differs although it should not.
    near = CLOSE * np.maximum(size, np.hypot(walks.x[:, 0] - cx, walks.y[:, 0] - cy))
    noise = np.maximum(high * np.square(floor), EPS * np.abs(level))
    for to_x, to_y in DIRECTIONS:
        spread = objective.value(cx + to_x * near, cy + to_y * near) - level
        noise = np.maximum(noise, np.abs(spread))
    # A minimum need not attract: growth away from it may still be too small to be seen.
    is_near = found & (rate < 1.0) & (missed <= MISSED * np.hypot(x - cx, y - cy) + floor)
    return Attractors(cx, cy, is_near, level, floor, 16.0 * noise)


def _rate(walks: Trajectories, eigenvalue: Floats) -> Floats:
    """Rate near a minimum, along one eigenvector; NaN if there is none.

    A rule that is not a linear map has no theory, and is assumed to be attracted.
    """
    rule = walks.rule
    if walks.experiment.form is None or known(rule).form is None:
        return np.where(np.isfinite(eigenvalue), 0.0, np.nan)
    finite = np.isfinite(eigenvalue)
    rates = spectral_radius(rule, walks.lr, walks.momentum, np.where(finite, eigenvalue, 0.0))
    return np.where(finite, rates, np.nan)


def minima(objective: Objective, x: Floats, y: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """The critical points that Newton's method finds, and where they are minima.

    Parameters
    ----------
    objective : Objective
        Any.
    x, y : ndarray, shape (n,)
        First points.

    Returns
    -------
    x, y : ndarray, shape (n,)
        Last points.
    found : ndarray of bool, shape (n,)
        Whether it arrived at a strict local minimum, or at the smallest value.
    """
    for _ in range(NEWTON_STEPS):
        before_x, before_y = x, y
        x, y = _newton_step(objective, x, y)
        step = np.hypot(x - before_x, y - before_y)
        if not (step > 4.0 * EPS * (1.0 + np.hypot(x, y))).any():  # NaN are finished, too
            break
    low, high = _eigenvalues(objective, x, y)
    strict = low > FLAT * high
    if objective.f_min is not None:
        near = objective.value(x, y) - objective.f_min <= FLAT * (1.0 + abs(objective.f_min))
        strict |= near & (low >= -FLAT * high)
    return x, y, strict & (step <= 1e-8 * (1.0 + np.hypot(x, y)))


def _newton_step(objective: Objective, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    gx, gy = objective.gradient_at(x, y, objective.constants)
    hxx, hxy, hyy = objective.hessian_at(x, y, objective.constants)
    determinant, trace = hxx * hyy - hxy * hxy, hxx + hyy
    flat = np.abs(determinant) <= FLAT * np.square(trace)  # arrived, by the pseudo-inverse
    scale = np.where(flat, np.square(trace), determinant)
    dx = np.where(flat, hxx * gx + hxy * gy, hyy * gx - hxy * gy) / scale
    dy = np.where(flat, hxy * gx + hyy * gy, hxx * gy - hxy * gx) / scale
    return x - dx, y - dy


def _eigenvalues(objective: Objective, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Eigenvalues of the Hessian, the smaller first."""
    hxx, hxy, hyy = objective.hessian_at(x, y, objective.constants)
    middle = 0.5 * (hxx + hyy) + np.zeros_like(x)
    radius = np.hypot(0.5 * (hxx - hyy), hxy)
    return middle - radius, middle + radius
