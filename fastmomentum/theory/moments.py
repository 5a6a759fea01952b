"""Second moments of a noisy rule on a quadratic: where it settles, and how it gets there.

Along eigenvectors i of the Hessian a rule is ``z_i' = M_i z_i + b n_i``, with z = (w, v) and n the
noise of the gradient. The matrices of second moments, ``C_ij = E[z_i z_j^T]``, so obey exactly

    C_ij' = M_i C_ij M_j^T + S_ij b b^T

with S the covariance of the noise. M_i is `iteration_matrix`, which is M at 0 plus the eigenvalue
times ``b (1, l)``: so b is the first column of what `response_of` gives. Of batches, whose noise
grows with the distance, there is more in `mean_square` and `minibatches`.

References
----------
Mandt, Hoffman and Blei, "Stochastic gradient descent as approximate Bayesian inference", 2017.
Liu, Ziyin and Ueda, "Noise and fluctuation of finite learning rate stochastic gradient descent",
2021: exact in the learning rate, with momentum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import require_flag, whole
from fastmomentum.theory import checks
from fastmomentum.theory.linear import RuleLike, is_stable, iteration_matrix, response_of

Floats = NDArray[np.float64]


def stationary_covariance(
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    hessian: ArrayLike,
    noise_covariance: ArrayLike,
) -> Floats:
    """Covariance of the point in the long run, under noise that is independent of it.

    Parameters
    ----------
    rule : str or UpdateRule
        One that is a linear map on a quadratic.
    lr, momentum : array_like
        Shapes that broadcast.
    hessian : array_like, shape (d, d)
        Symmetric.
    noise_covariance : array_like, shape (d, d)
        Of what is added to the gradient at each update; symmetric, without negative eigenvalue.

    Returns
    -------
    ndarray, shape (..., d, d)
        For the heavy ball, curvature L and noise of standard deviation s it is
        ``lr s^2 (1 + m)/(L (1 - m)(2(1 + m) - lr L))``; NaN where the rule is not stable.

    Raises
    ------
    InputError
        There is no such rule, a matrix is not symmetric, or a number is not plain and finite.

    Examples
    --------
    >>> stationary_covariance("sgd", 1.0, 0.0, [[1.0]], [[0.25]]).tolist()
    [[0.25]]
    """
    eigenvalues, basis, noise = _along(hessian, noise_covariance)
    lr, momentum = checks.settings(lr, momentum)
    maps = iteration_matrix(rule, lr[..., None], momentum[..., None], eigenvalues)
    kick = response_of(rule, lr, momentum)[1][..., 0]
    size = eigenvalues.size
    moments = np.full((*lr.shape, size, size), np.nan)
    stable = is_stable(rule, lr[..., None], momentum[..., None], eigenvalues).all(axis=-1)
    if stable.any():
        maps, kick = maps[stable], kick[stable]
        pairs = np.einsum("nipq,njrs->nijprqs", maps, maps).reshape(-1, size, size, 4, 4)
        source = np.einsum("ij,np,nr->nijpr", noise, kick, kick).reshape(-1, size, size, 4, 1)
        moments[stable] = np.linalg.solve(np.eye(4) - pairs, source)[..., 0, 0]
    return np.asarray(basis @ moments @ basis.T)


def expected_loss(
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    hessian: ArrayLike,
    noise_covariance: ArrayLike,
    start: ArrayLike,
    steps: int,
) -> Floats:
    """Expected loss above the minimum, before the first update and after each.

    Parameters
    ----------
    rule : str or UpdateRule
        One that is a linear map on a quadratic; its velocity begins at 0.
    lr, momentum : array_like
        Shapes that broadcast.
    hessian : array_like, shape (d, d)
        Symmetric.
    noise_covariance : array_like, shape (d, d)
        Of what is added to the gradient at each update; symmetric, without negative eigenvalue.
    start : array_like, shape (d,)
        The first point, relative to the minimiser.
    steps : int
        Updates.

    Returns
    -------
    ndarray, shape (..., steps + 1)
        Of ``w^T hessian w/2``, exact; inf where it overflows.

    Raises
    ------
    InputError
        There is no such rule, a matrix is not symmetric, the start is of another size, or a number
        is not plain and finite.

    Examples
    --------
    >>> expected_loss("sgd", 0.5, 0.0, [[1.0]], [[0.0]], [2.0], steps=2).tolist()
    [2.0, 0.5, 0.125]
    """
    eigenvalues, basis, noise = _along(hessian, noise_covariance)
    lr, momentum = checks.settings(lr, momentum)
    steps = whole(steps, "steps", least=0)
    given = lr[..., None], momentum[..., None], eigenvalues
    point = basis.T @ checks.point(start, "start", eigenvalues.size)
    moments = np.zeros((*lr.shape, eigenvalues.size, 2, 2))
    moments[..., 0, 0] = np.square(point)
    loss = np.empty((*lr.shape, steps + 1))
    loss[..., 0] = 0.5 * (moments[..., 0, 0] @ eigenvalues)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(steps):
            if t < 2:  # the first update may differ, as it is not dampened
                maps = iteration_matrix(rule, *given, first=t == 0)
                kick = response_of(rule, lr, momentum, first=t == 0)[1][..., 0]
                source = np.einsum("i,...p,...q->...ipq", np.diag(noise), kick, kick)
            moments = maps @ moments @ np.swapaxes(maps, -1, -2) + source
            loss[..., t + 1] = 0.5 * (moments[..., 0, 0] @ eigenvalues)
    return np.where(np.isnan(loss), np.inf, loss)


def minibatch_covariance(row_gradients: ArrayLike, size: int, replacement: bool = True) -> Floats:
    """Covariance of a batch's mean gradient, from the gradients of the rows.

    For a least-squares problem ``mean((y - x w)^2)/2`` the gradient of a row is ``x (x w - y)``; at
    its minimiser this is the noise that batches bring.

    Parameters
    ----------
    row_gradients : array_like, shape (n, d)
        Of each row, at one point.
    size : int
        Rows of a batch.
    replacement : bool
        Whether a row may be drawn twice. If not, the batches of an epoch are not independent of
        each other, and this is the covariance of a single batch.

    Returns
    -------
    ndarray, shape (d, d)
        The rows' covariance over `size`, without replacement times ``(n - size)/(n - 1)``.

    Raises
    ------
    InputError
        The size is not from 1 to the number of rows, or the gradients make no table of numbers.

    References
    ----------
    Cochran, "Sampling techniques", 1977, theorem 2.2.

    Examples
    --------
    >>> minibatch_covariance([[1.0], [-1.0]], size=2).tolist()
    [[0.5]]
    >>> minibatch_covariance([[1.0], [-1.0]], size=2, replacement=False).tolist()
    [[0.0]]
    """
    gradients = checks.gradients(row_gradients)
    require_flag(replacement, "replacement")
    n_rows, size = len(gradients), whole(size, "size", least=1)
    if size > n_rows and not replacement:
        raise InputError(f"size must be from 1 to the {n_rows:,} rows: got {size!r}")
    off = gradients - gradients.mean(axis=0)
    left = 1.0 if replacement else (n_rows - size) / max(n_rows - 1, 1)
    return np.asarray(off.T @ off * (left / (n_rows * size)))


def _along(hessian: ArrayLike, noise_covariance: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues, eigenvectors as columns, and the noise along them."""
    curvature = checks.symmetric(hessian, "hessian")
    noise = checks.covariance(noise_covariance, "noise_covariance", len(curvature))
    eigenvalues, basis = np.linalg.eigh(curvature)
    return eigenvalues, basis, basis.T @ noise @ basis
