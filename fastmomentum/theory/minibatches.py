"""Least squares in batches of rows: the noise that batches add, and where a rule settles.

A batch has a Hessian and a gradient of its own. At the minimiser its gradient is the noise of
`minibatch_covariance`; away from it the batch's Hessian adds noise that grows with the distance. So
the second moments obey a linear map (`second_moment_map`) with a source, and where rows are drawn
independently both are exact. As long as the mean is not at the minimiser there is a third part: the
two kinds of noise come from the same rows, and so are correlated.

Of batches by "shuffle" there is no such theory: those of an epoch depend on each other, and over
the epoch their noise nearly cancels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.objectives import MSE, Objective, require_objective
from fastmomentum.specification.numbers import whole
from fastmomentum.theory import checks
from fastmomentum.theory.linear import RuleLike, response_of
from fastmomentum.theory.mean_square import mean_and_spread, mean_map, radius_of, second_map
from fastmomentum.theory.moments import minibatch_covariance

Floats = NDArray[np.float64]


class RowTerms(NamedTuple):
    """Each row's part of a least-squares problem; the problem is their mean.

    Attributes
    ----------
    hessians : ndarray, shape (n, 2, 2)
        Second derivatives.
    gradients : ndarray, shape (n, 2)
        Gradients at the minimiser; their mean is 0.
    """

    hessians: Floats
    gradients: Floats


def row_terms(objective: Objective) -> RowTerms:
    """Each row's Hessian, and its gradient at the minimiser.

    Parameters
    ----------
    objective : MSE
        With its data.

    Returns
    -------
    RowTerms
        Such that means over a batch are the batch's Hessian and gradient.

    Raises
    ------
    InputError
        The objective is no mse, or its data are not known.

    Examples
    --------
    >>> terms = row_terms(MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 3.0, 5.5]))
    >>> terms.hessians[1].tolist(), bool(abs(terms.gradients.sum(axis=0)).max() < 1e-12)
    ([[2.0, 2.0], [2.0, 2.0]], True)
    """
    require_objective(objective)
    if not isinstance(objective, MSE):
        raise InputError(f"objective must be an mse, a sum over rows: got {objective.name}")
    x, rest = objective.rows
    scale = objective.constants[-1]
    direction = np.stack([x, np.ones_like(x)], axis=-1)
    hessians = scale * direction[:, :, np.newaxis] * direction[:, np.newaxis]
    return RowTerms(hessians, scale * rest[:, np.newaxis] * direction)


def batch_stationary_covariance(
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    row_hessians: ArrayLike,
    row_gradients: ArrayLike,
    size: int,
    noise_covariance: ArrayLike | None = None,
) -> Floats:
    """Covariance of the point in the long run, with batches of rows drawn independently.

    Exact in the learning rate and in the noise that grows with the distance; without the latter it
    is `stationary_covariance` with `minibatch_covariance`.

    Parameters
    ----------
    rule : str or UpdateRule
        One that is a linear map on a quadratic.
    lr, momentum : array_like
        Shapes that broadcast.
    row_hessians : array_like, shape (n, d, d)
        Of each row; see `row_terms`.
    row_gradients : array_like, shape (n, d)
        Of each row, at the minimiser.
    size : int
        Rows of a batch, drawn independently ("replacement").
    noise_covariance : array_like, shape (d, d), optional
        Covariance of further noise on the gradient.

    Returns
    -------
    ndarray, shape (..., d, d)
        NaN where the rule is not stable in the mean square; see `mean_square_radius`.

    Raises
    ------
    InputError
        There is no such rule; Hessians, gradients and covariance do not go together; the size is no
        whole positive number, or a number is not plain and finite.

    References
    ----------
    Ziyin, Liu, Mori and Ueda, "Strength of minibatch noise in SGD", 2022.

    Examples
    --------
    >>> rows = [[[1.0]], [[1.0]]], [[0.5], [-0.5]]
    >>> batch_stationary_covariance("sgd", 1.0, 0.0, *rows, size=1).tolist()
    [[0.25]]
    """
    lr, momentum = checks.settings(lr, momentum)
    rows = _Rows.of(row_hessians, row_gradients, size, noise_covariance)
    d = len(rows.mean)
    with np.errstate(over="ignore", invalid="ignore"):
        without, change = response_of(rule, lr, momentum)
        second = second_map(without, change, rows.mean, rows.spread)
        source = _source(change, rows.noise)
    moments = np.full(source.shape, np.nan)
    stable = radius_of(second) < 1.0 - checks.ROUNDING  # at the limit itself there is no solution
    if stable.any():
        left = np.eye(4 * d * d) - second[stable]
        moments[stable] = np.linalg.solve(left, source[stable][..., np.newaxis])[..., 0]
    whole_matrix = moments.reshape(*moments.shape[:-1], 2, d, 2, d)
    return np.asarray(whole_matrix[..., 0, :, 0, :])


def batch_expected_loss(
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    row_hessians: ArrayLike,
    row_gradients: ArrayLike,
    size: int,
    start: ArrayLike,
    steps: int,
    noise_covariance: ArrayLike | None = None,
) -> Floats:
    """Expected loss above the minimum with batches of rows, before the first update and after each.

    Mean and second moments together obey a linear map: the mean goes as under the full gradient,
    and adds to the second moments what the correlation between a batch's Hessian and its gradient
    makes of it.

    Parameters
    ----------
    rule : str or UpdateRule
        One that is a linear map on a quadratic; its velocity begins at 0.
    lr, momentum : array_like
        Shapes that broadcast.
    row_hessians : array_like, shape (n, d, d)
        Of each row; see `row_terms`.
    row_gradients : array_like, shape (n, d)
        Of each row, at the minimiser.
    size : int
        Rows of a batch, drawn independently ("replacement").
    start : array_like, shape (d,)
        The first point, relative to the minimiser.
    steps : int
        Updates.
    noise_covariance : array_like, shape (d, d), optional
        Covariance of further noise on the gradient.

    Returns
    -------
    ndarray, shape (..., steps + 1)
        Of ``w^T hessian w/2`` with the mean of the Hessians, exact; inf where it overflows. In the
        long run half the trace of the Hessian times `batch_stationary_covariance`.

    Raises
    ------
    InputError
        There is no such rule; Hessians, gradients, start and covariance do not go together; size or
        steps are no whole numbers, or a number is not plain and finite.

    References
    ----------
    Bach and Moulines, "Non-strongly-convex smooth stochastic approximation with convergence rate
    O(1/n)", 2013: the recursion of the second moments of least squares, there for sgd.

    Examples
    --------
    >>> rows = [[[1.0]], [[1.0]]], [[0.5], [-0.5]]
    >>> batch_expected_loss("sgd", 1.0, 0.0, *rows, size=1, start=[2.0], steps=2).tolist()
    [2.0, 0.125, 0.125]
    """
    lr, momentum = checks.settings(lr, momentum)
    rows = _Rows.of(row_hessians, row_gradients, size, noise_covariance)
    d, steps = len(rows.mean), whole(steps, "steps", least=0)
    point = checks.point(start, "start", d)
    z = np.concatenate([point, np.zeros(d)])
    state = np.concatenate([np.outer(z, z).ravel(), z, [1.0]])
    of_points = np.zeros((2, d, 2, d))
    of_points[0, :, 0, :] = 0.5 * rows.mean
    weights = of_points.ravel()
    with np.errstate(over="ignore", invalid="ignore"):
        step = _lifted(*response_of(rule, lr, momentum, first=True), rows)
        later = _lifted(*response_of(rule, lr, momentum), rows)
        found = np.empty((*later.shape[:-2], steps + 1))
        for t in range(steps + 1):
            found[..., t] = state[..., : weights.size] @ weights
            state = (step @ state[..., np.newaxis])[..., 0]
            step = later  # the first update may differ, as it is not dampened
    return np.where(np.isnan(found), np.inf, found)


class _Rows(NamedTuple):
    """What a batch is drawn from, checked, and its moments.

    Attributes
    ----------
    mean : ndarray, shape (d, d)
        Mean Hessian.
    spread : ndarray, shape (d, d, d, d)
        Covariance of the entries of a batch's Hessian.
    joint : ndarray, shape (d, d, d)
        Covariance of the entries of its Hessian with those of its gradient at the minimiser.
    noise : ndarray, shape (d, d)
        Covariance of its gradient there, and of further noise.
    """

    mean: Floats
    spread: Floats
    joint: Floats
    noise: Floats

    @classmethod
    def of(
        cls,
        row_hessians: ArrayLike,
        row_gradients: ArrayLike,
        size: int,
        noise_covariance: ArrayLike | None,
    ) -> _Rows:
        hessians = checks.hessians(row_hessians)
        gradients = checks.gradients(row_gradients, hessians)
        size = whole(size, "size", least=1)
        noise = minibatch_covariance(gradients, size)
        if noise_covariance is not None:
            noise = noise + checks.covariance(noise_covariance, "noise_covariance", len(noise))
        mean, spread = mean_and_spread(hessians, size)
        off = gradients - gradients.mean(axis=0)
        joint = np.tensordot(hessians - mean, off, (0, 0)) / (float(len(off)) * size)
        return cls(mean, spread, joint, noise)


def _source(change: Floats, noise: Floats) -> Floats:
    """What the noise at the minimiser adds to the second moments, shape (..., (2 d)^2)."""
    kick = change[..., 0]
    source = np.einsum("...p,...q,ij->...piqj", kick, kick, noise)
    return np.asarray(source.reshape(*kick.shape[:-1], -1))


def _lifted(without: Floats, change: Floats, rows: _Rows) -> Floats:
    """The linear map of (second moments, mean, 1), one matrix for each setting."""
    d = len(rows.mean)
    width, before = 2 * d, without.shape[:-2]
    many = width**2
    found = np.zeros((*before, many + width + 1, many + width + 1))
    found[..., :many, :many] = second_map(without, change, rows.mean, rows.spread)
    cross = np.einsum("...pq,...r,ijk->...pirkqj", change, change[..., 0], rows.joint)
    cross = cross.reshape(*before, width, width, width)
    both = cross + np.swapaxes(cross, -3, -2)
    found[..., :many, many:-1] = both.reshape(*before, many, width)
    found[..., :many, -1] = _source(change, rows.noise)
    found[..., many:-1, many:-1] = mean_map(without, change, rows.mean)
    found[..., -1, -1] = 1.0
    return found
