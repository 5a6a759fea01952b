"""Runs that start on a cycle of the heavy ball, each on the function made for its settings."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum import theory
from fastmomentum.errors import InputError
from fastmomentum.objectives import PolygonCycle
from fastmomentum.specification.numbers import numbers

ON_IT: Final = 1e-6
"""Largest distance from its cycle that a run may have at the end."""


class Cycling(NamedTuple):
    """What `measured_cycles` found.

    Attributes
    ----------
    periods : ndarray of int
        Points of each run's cycle: the shortest of the closed form; where it has none, the one that
        comes closest.
    foretold, measured : ndarray of bool
        Whether the closed form has a cycle there, and whether the run is on its cycle at the end.
    """

    periods: NDArray[np.int64]
    foretold: NDArray[np.bool_]
    measured: NDArray[np.bool_]


def measured_cycles(
    lr: ArrayLike,
    momentum: ArrayLike,
    mu: float,
    L: float,  # noqa: N803  # as every paper writes it
    longest: int = 25,
    steps: int = 2000,
) -> Cycling:
    """Run the heavy ball at each setting from a cycle, on the `PolygonCycle` of those settings.

    Parameters
    ----------
    lr, momentum : array_like, broadcast to the results' shape
        Positive learning rates, and momenta in [0, 1).
    mu, L : float
        Smallest and largest curvature, 0 < mu < L.
    longest : int
        The longest cycle to try, of 2 or more points.
    steps : int
        Updates per run, 1 or more.

    Returns
    -------
    Cycling
        Of the settings' shape.

    Raises
    ------
    InputError
        A number is out of its range.

    Examples
    --------
    >>> found = measured_cycles([0.05, 1 / 9], 4 / 9, mu=1.0, L=25.0)
    >>> found.foretold.tolist(), found.measured.tolist(), found.periods.tolist()
    ([False, True], [False, True], [3, 3])
    """
    for name, given, least in (("longest", longest, 2), ("steps", steps, 1)):
        if given < least:
            raise InputError(f"{name} must be {least} or more: got {given}")
    rates, momenta = np.broadcast_arrays(numbers(lr), numbers(momentum))
    found = theory.shortest_cycle(rates, momenta, mu, L, longest)
    periods = np.where(found > 0, found, _nearest(rates, momenta, mu, L, longest))
    measured = _goes_round(rates.ravel(), momenta.ravel(), mu, L, periods.ravel(), steps)
    return Cycling(periods, np.asarray(found > 0), measured.reshape(rates.shape))


def _nearest(
    lr: NDArray[np.float64], momentum: NDArray[np.float64], mu: float, top: float, longest: int
) -> NDArray[np.int64]:
    """The period whose range each learning rate exceeds by the smallest factor."""
    nearest, lacking = np.full(lr.shape, 2), np.full(lr.shape, np.inf)
    for period in range(2, longest + 1):
        low, high = theory.cycle_range(momentum, mu, top, period)
        missing = np.nan_to_num(np.maximum(low / lr, lr / high), nan=np.inf)  # NaN: no range
        nearest = np.where(missing < lacking, period, nearest)
        lacking = np.minimum(missing, lacking)
    return nearest


def _goes_round(
    lr: NDArray[np.float64],
    momentum: NDArray[np.float64],
    mu: float,
    top: float,
    periods: NDArray[np.int64],
    steps: int,
) -> NDArray[np.bool_]:
    """Whether each run that starts on its cycle is still on it at the end."""
    functions = [
        PolygonCycle(period=n, mu=mu, L=top, lr=a, momentum=m)
        for n, a, m in zip(periods.tolist(), lr.tolist(), momentum.tolist(), strict=True)
    ]
    # The plain functions take arrays of constants as well: one entry per run.
    constants = tuple(np.array([f.constants for f in functions]).T)
    ends = np.array([f.cycle[steps % f.period] for f in functions]).T
    x, y = np.ones(lr.shape), np.zeros(lr.shape)
    vx, vy = np.array([f.cycle[0] - f.cycle[-1] for f in functions]).T
    for _ in range(steps):
        gx, gy = PolygonCycle.gradient_at(x, y, constants)
        vx, vy = momentum * vx - lr * gx, momentum * vy - lr * gy
        x, y = x + vx, y + vy
    return np.asarray(np.hypot(x - ends[0], y - ends[1]) < ON_IT)
