"""Theory at a minimiser of any objective, through its Hessian."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective, require_objective
from fastmomentum.specification.numbers import numbers
from fastmomentum.theory.linear import Floats, RuleLike, known, spectral_radius, stable_limit


def eigenvalues(objective: Objective, point: ArrayLike | None = None) -> Floats:
    """Curvatures of an objective at a point.

    Parameters
    ----------
    objective : Objective
        Any.
    point : array_like, shape (..., 2), optional
        The point; the first minimiser if left out.

    Returns
    -------
    ndarray, shape (..., 2)
        Eigenvalues of the Hessian, the smaller first.

    Raises
    ------
    InputError
        The objective has no minimiser, and no point is given.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> eigenvalues(Rosenbrock()).round(6).tolist()
    [0.399361, 1001.600639]
    >>> from fastmomentum.theory.settings import optimum
    >>> best = optimum(*eigenvalues(Rosenbrock()))
    >>> [round(float(number), 8) for number in best]
    [0.00383877, 0.92322457, 0.96084576]
    """
    require_objective(objective)
    if point is None:
        if not len(objective.minimisers):
            raise InputError(f"{objective.words} has no minimiser; give the point")
        point = objective.minimisers[0]
    point = numbers(point, "point")
    if not point.ndim or point.shape[-1] != 2:
        raise InputError(f"point must be of the shape (..., 2): got the shape {point.shape}")
    return np.asarray(np.linalg.eigvalsh(objective.hessian(point[..., 0], point[..., 1])), float)


def predicted_rate(
    objective: Objective,
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    point: ArrayLike | None = None,
) -> Floats:
    """Rate near a minimiser: the largest spectral radius over the Hessian's eigenvalues.

    Parameters
    ----------
    objective : Objective
        Any.
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    lr, momentum : array_like
        Shapes that broadcast, such as (n, 1) and (m,) for a grid.
    point : array_like, shape (2,), optional
        A minimiser; the first if left out.

    Returns
    -------
    ndarray, shape (...)
        At least 1 where the minimiser does not attract.

    Raises
    ------
    InputError
        There is no such rule; or no point is given, and there is no minimiser, or the rule decays
        and so settles elsewhere.

    References
    ----------
    Polyak 1964: near a minimiser of nonsingular Hessian the quadratic's rate holds.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> predicted_rate(Rosenbrock(), "momentum", [[1e-3], [4e-3]], [0.0, 0.9]).round(6)
    array([[0.999601, 0.995851],
           [3.006403, 1.510621]])
    """
    found = known(rule)
    if point is None and found.options and found.is_linear:
        raise InputError(
            f"the rule {found.words} does not settle at a minimiser: give the point where it does"
        )
    rates = [spectral_radius(rule, lr, momentum, e) for e in eigenvalues(objective, point)]
    return np.asarray(np.maximum(*rates))


def largest_stable_lr(
    objective: Objective, rule: RuleLike, momentum: ArrayLike, point: ArrayLike | None = None
) -> Floats:
    """Learning rate above which no minimiser attracts: `stable_limit` over the curvature.

    On a quadratic, and so for mse, runs above it diverge; on other objectives they cannot settle.

    Parameters
    ----------
    objective : Objective
        Any.
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    momentum : array_like
        Momenta.
    point : array_like, shape (2,), optional
        A minimiser; if left out, the one that allows most.

    Returns
    -------
    ndarray, shape of `momentum`
        Runs are stable below it; inf where the Hessian has no positive eigenvalue.

    Raises
    ------
    InputError
        There is no such rule, or no minimiser and no point; or the objective is none.

    Examples
    --------
    >>> from fastmomentum.objectives import Quadratic
    >>> largest_stable_lr(Quadratic(1.0, 0.0, 10.0), "momentum", [0.0, 0.5]).tolist()
    [0.2, 0.3]
    """
    require_objective(objective)
    if point is None and len(objective.minimisers):
        point = objective.minimisers
    curvature = float(np.min(eigenvalues(objective, point)[..., 1]))
    limit = stable_limit(rule, momentum)
    return np.asarray(limit / curvature if curvature > 0 else np.full_like(limit, np.inf))
