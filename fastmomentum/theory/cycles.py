"""Where the heavy ball cycles forever on some strongly convex function, and where on none."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import numbers
from fastmomentum.theory.linear import Floats

LONGEST: Final = 25
"""Longest period that is tried by default; longer ones add only slivers."""


def has_cycle(
    lr: ArrayLike,
    momentum: ArrayLike,
    mu: ArrayLike,
    L: ArrayLike,  # noqa: N803  # as every paper writes it
    period: ArrayLike,
) -> NDArray[np.bool_]:
    """Whether the heavy ball cycles through roots of unity on some mu-strongly convex function.

    With g = lr*mu, k = mu/L and p = cos(2 pi/period), it does if and only if
    ``g^2 - 2(m - p + k(1 - m p)) g + 2 k (1 - p)(1 + m^2 - 2 m p) <= 0``. False proves no
    convergence: there are other cycles.

    Derivation: on the cycle w_t, the period-th roots of unity in order, the update needs the
    gradients g_t = c w_t with the complex number
    ``c = ((1 + m)(1 - p) - i (1 - m) sin(2 pi/period))/lr``. Averaged over rotations, a function
    that has them has one value on the whole cycle. Between w_t and its two neighbours the
    conditions of interpolation by a mu-strongly convex L-smooth function are then
    ``Re((L - c*)(c - mu)(u - 1)) <= 0`` for u = exp(i 2 pi/period) and its conjugate c* and u*.
    Written out and divided by 1 - p, this is the line above. That they suffice is shown by
    `fastmomentum.PolygonCycle`, which is such a function.

    Parameters
    ----------
    lr, momentum, mu, L, period : array_like
        Learning rates, momenta in [0, 1), smallest and largest curvature with 0 < mu < L, and whole
        periods from 2; shapes that broadcast.

    Returns
    -------
    ndarray of bool, shape (...)
        For period 2: ``2(1 + m)/L <= lr <= 2(1 + m)/mu``, where runs alternate on a parabola of
        some curvature from mu to L.

    Raises
    ------
    InputError
        Curvatures are not 0 < mu < L, or a period is not a whole number from 2.

    References
    ----------
    Goujaud, Taylor and Dieuleveut, "Provable non-accelerations of the heavy-ball method", 2023.

    Examples
    --------
    >>> has_cycle(1 / 9, 4 / 9, 1.0, 25.0, [2, 3, 4]).tolist()  # Polyak's pair for 1 to 25
    [False, True, False]
    """
    g = np.multiply(numbers(lr, "lr"), numbers(mu, "mu"))
    half, product = _coefficients(momentum, mu, L, period)
    return np.asarray((g - 2.0 * half) * g + product <= 0.0)


def cycle_range(
    momentum: ArrayLike,
    mu: ArrayLike,
    L: ArrayLike,  # noqa: N803
    period: ArrayLike,
) -> tuple[Floats, Floats]:
    """Between which learning rates `has_cycle` holds.

    Parameters
    ----------
    momentum, mu, L, period : array_like
        As for `has_cycle`.

    Returns
    -------
    low, high : ndarray, shape (...)
        NaN where no learning rate has such a cycle.

    Raises
    ------
    InputError
        As for `has_cycle`.

    Examples
    --------
    >>> [float(edge) for edge in cycle_range(0.5, 1.0, 10.0, 2)]
    [0.3, 3.0]
    """
    half, product = _coefficients(momentum, mu, L, period)
    inside = np.square(half) - product
    there = (inside >= 0.0) & (half > 0.0)
    high = np.where(there, half + np.sqrt(np.where(there, inside, 0.0)), np.nan)
    return product / high / numbers(mu, "mu"), high / numbers(mu, "mu")


def shortest_cycle(
    lr: ArrayLike,
    momentum: ArrayLike,
    mu: ArrayLike,
    L: ArrayLike,  # noqa: N803
    longest: int = LONGEST,
) -> NDArray[np.int64]:
    """The union of `has_cycle` over periods: the shortest period that has a cycle.

    Parameters
    ----------
    lr, momentum, mu, L : array_like
        As for `has_cycle`.
    longest : int
        The longest period to try.

    Returns
    -------
    ndarray of int, shape (...)
        From 2 to `longest`; 0 where there is none of these.

    Raises
    ------
    InputError
        As for `has_cycle`.

    Examples
    --------
    >>> shortest_cycle([0.05, 1 / 9], 4 / 9, 1.0, 25.0).tolist()
    [0, 3]
    """
    if isinstance(longest, bool) or not isinstance(longest, int) or longest < 2:
        raise InputError(f"longest must be a whole number from 2: got {longest!r}")
    named = {"lr": lr, "momentum": momentum, "mu": mu, "L": L}
    shape = np.broadcast_shapes(*(numbers(part, name).shape for name, part in named.items()))
    found = np.zeros(shape, np.int64)
    for period in range(longest, 1, -1):
        found = np.where(has_cycle(lr, momentum, mu, L, period), period, found)
    return found


def converging_momentum(
    lr: ArrayLike,
    mu: ArrayLike,
    L: ArrayLike,  # noqa: N803
) -> Floats:
    """Momentum below which the heavy ball is proved to converge on every function of the class.

    Parameters
    ----------
    lr, mu, L : array_like
        Learning rates, smallest and largest curvature with 0 < mu < L; shapes that broadcast.

    Returns
    -------
    ndarray, shape (...)
        ``(mu lr/2 + sqrt(mu^2 lr^2/4 + 4(1 - lr L/2)))/2``, at most 1, for 0 < lr < 2/L; NaN for
        others. Above it nothing is proved: the condition is sufficient, not necessary.

    Raises
    ------
    InputError
        Curvatures are not 0 < mu < L.

    References
    ----------
    Ghadimi, Feyzmahdavian and Johansson, "Global convergence of the heavy-ball method for convex
    optimization", 2015, on strongly convex functions.

    Examples
    --------
    >>> converging_momentum([1.0, 2.0], 0.1, 1.0).round(6).tolist()
    [0.732549, nan]
    """
    rate, low, high = numbers(lr, "lr"), numbers(mu, "mu"), numbers(L, "L")
    _check(low, high)
    with np.errstate(invalid="ignore"):
        half = 0.5 * low * rate
        edge = 0.5 * (half + np.sqrt(np.square(half) + 4.0 - 2.0 * high * rate))
    return np.where((rate > 0.0) & (rate * high < 2.0), np.minimum(edge, 1.0), np.nan)


def _check(mu: Floats, high: Floats) -> None:
    if not ((mu > 0.0) & (mu < high)).all():
        raise InputError(
            "mu and L must be the smallest and the largest curvature, 0 < mu < L: got "
            f"mu = {mu.tolist()}, L = {high.tolist()}"
        )


def _coefficients(
    momentum: ArrayLike, mu: ArrayLike, largest: ArrayLike, period: ArrayLike
) -> tuple[Floats, Floats]:
    """Half the sum and the product of the roots, between which lr*mu has a cycle."""
    low, high = numbers(mu, "mu"), numbers(largest, "L")
    _check(low, high)
    m, n = numbers(momentum, "momentum"), numbers(period, "period")
    if not ((n >= 2) & (n == np.rint(n))).all():
        raise InputError(f"period must be a whole number from 2: got {n.tolist()}")
    k, p = low / high, np.cos(2.0 * np.pi / n)
    half = m - p + k * (1.0 - m * p)
    return half, 2.0 * k * (1.0 - p) * (1.0 + m * m - 2.0 * m * p)
