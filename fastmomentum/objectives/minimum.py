"""Whether runs fell below an objective's stated minimum, which is then wrong."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.objectives.base import Objective

Floats = NDArray[np.float64]

SHARE: Final = 1e-9
"""Relative tolerance (absolute below 1) by which a loss may lie below the stated minimum: minima
given in decimals are no more accurate."""
ROUNDINGS: Final = 64.0
"""Further tolerance, in units of the loss's change from one float64 to the next."""


def below_minimum(objective: Objective, final: Floats, final_loss: Floats) -> NDArray[np.bool_]:
    """Which losses lie below the stated minimum by more than rounding explains.

    Parameters
    ----------
    objective : Objective
        Whose `f_min` is checked.
    final : ndarray, shape (..., 2)
        Where runs ended.
    final_loss : ndarray, shape (...)
        The objective there.

    Returns
    -------
    ndarray of bool, shape (...)
        All False where no minimum is stated.

    Examples
    --------
    >>> from fastmomentum.objectives import Quadratic
    >>> below_minimum(Quadratic(), np.zeros((2, 2)), np.array([-1e-12, -0.5])).tolist()
    [False, True]
    """
    loss = np.asarray(final_loss, float)
    below: NDArray[np.bool_] = np.zeros(loss.shape, bool)
    f_min = objective.f_min
    if f_min is None:
        return below
    with np.errstate(all="ignore"):
        suspect = np.isfinite(loss) & (loss < f_min - SHARE * max(1.0, abs(f_min)))
        if not suspect.any():
            return below
        x, y = np.moveaxis(np.asarray(final, float)[suspect], -1, 0)
        there = objective.value(x, y)
        up, down = np.inf, -np.inf
        next_to = [(np.nextafter(x, to), y) for to in (up, down)]
        next_to += [(x, np.nextafter(y, to)) for to in (up, down)]
        changes = [np.abs(objective.value(*point) - there) for point in next_to]
        below[suspect] = loss[suspect] < f_min - ROUNDINGS * np.max(changes, axis=0)
    return below


def fallen(objective: Objective, loss: float, count: int) -> str:
    """The message about runs below the stated minimum.

    Parameters
    ----------
    objective : Objective
        Whose minimum it is.
    loss : float
        The lowest loss.
    count : int
        How many runs ended below.

    Returns
    -------
    str
        A line.

    Examples
    --------
    >>> from fastmomentum.objectives import Quadratic
    >>> fallen(Quadratic(), -0.5, 3)
    'quadratic falls below the stated minimum: f = -0.5 < f_min = 0; 3 runs ended there, and have \
not converged, whatever their status says'
    """
    runs = "1 run ended there, and has" if count == 1 else f"{count:,} runs ended there, and have"
    its = "its" if count == 1 else "their"
    return (
        f"{objective.name} falls below the stated minimum: f = {loss:.6g} < f_min = "
        f"{objective.f_min:.6g}; {runs} not converged, whatever {its} status says"
    )
