"""Least squares in batches of rows: the noise that batches add, and where a rule settles.

A batch has a Hessian and a gradient of its own. At the minimiser its gradient is the noise of
`minibatch_covariance`; away from it the batch's Hessian adds noise that grows with the distance. So
the second moments obey a linear map (`second_moment_map`) with a source, and where rows are drawn
independently both are exact.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.objectives import MSE, Objective
from fastmomentum.theory.linear import RuleLike
from fastmomentum.theory.moments import kick_of, minibatch_covariance, second_moment_map

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
        There is no such rule.

    References
    ----------
    Ziyin, Liu, Mori and Ueda, "Strength of minibatch noise in SGD", 2022.

    Examples
    --------
    >>> rows = [[[1.0]], [[1.0]]], [[0.5], [-0.5]]
    >>> batch_stationary_covariance("sgd", 1.0, 0.0, *rows, size=1).tolist()
    [[0.25]]
    """
    lr, momentum = np.broadcast_arrays(np.asarray(lr, float), np.asarray(momentum, float))
    noise = minibatch_covariance(row_gradients, size)
    if noise_covariance is not None:
        noise = noise + np.asarray(noise_covariance, float)
    d = noise.shape[0]
    second = second_moment_map(rule, lr, momentum, row_hessians, size)
    kick = kick_of(rule, lr, momentum)
    source = np.einsum("...p,...q,ij->...piqj", kick, kick, noise).reshape(*lr.shape, 4 * d * d, 1)
    moments = np.full(source.shape[:-1], np.nan)
    stable = np.abs(np.linalg.eigvals(second)).max(axis=-1) < 1.0
    if stable.any():
        left = np.eye(4 * d * d) - second[stable]
        moments[stable] = np.linalg.solve(left, source[stable])[..., 0]
    whole = moments.reshape(*lr.shape, 2, d, 2, d)
    return np.asarray(whole[..., 0, :, 0, :])
