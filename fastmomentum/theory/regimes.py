"""How a rule approaches a minimiser along an eigenvector: from one side, or around it."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.theory.linear import RuleLike, invariants, is_stable


class Regime(IntEnum):
    """How a rule approaches the minimiser of a quadratic, along one eigenvector.

    Overdamped: from one side, or crossing it once. Oscillating: around it, with complex roots.
    Alternating: changing sides at each update in the long run. Unstable: not at all.

    Examples
    --------
    >>> Regime(2).name
    'OSCILLATING'
    """

    UNSTABLE = 0
    OVERDAMPED = 1
    OSCILLATING = 2
    ALTERNATING = 3


def regime(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike
) -> NDArray[np.uint8]:
    """Which of the regimes a setting is in, along one eigenvector.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    lr, momentum, eigenvalue : array_like
        Shapes that broadcast.

    Returns
    -------
    ndarray of uint8, shape (...)
        Values of `Regime`.

    Raises
    ------
    InputError
        There is no such rule.

    References
    ----------
    Goh 2017, "The dynamics of momentum".

    Examples
    --------
    >>> [Regime(r).name for r in regime("momentum", [0.01, 1.0, 2.95, 3.1], 0.5, 1.0)]
    ['OVERDAMPED', 'OSCILLATING', 'ALTERNATING', 'UNSTABLE']
    """
    with np.errstate(over="ignore", invalid="ignore"):
        trace, _, discriminant = invariants(rule, lr, momentum, eigenvalue)
    found = np.where(trace < 0, Regime.ALTERNATING, Regime.OVERDAMPED)
    found = np.where(discriminant < 0, Regime.OSCILLATING, found)
    stable = is_stable(rule, lr, momentum, eigenvalue)
    return np.where(stable, found, Regime.UNSTABLE).astype(np.uint8)
