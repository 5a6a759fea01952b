"""Second moments of a noisy rule on a quadratic: where it settles, and how it gets there.

Along eigenvectors i of the Hessian a rule is ``z_i' = M_i z_i + b n_i``, with z = (w, v) and n the
noise of the gradient. The matrices of second moments, ``C_ij = E[z_i z_j^T]``, so obey exactly

    C_ij' = M_i C_ij M_j^T + S_ij b b^T

with S the covariance of the noise. M_i is `iteration_matrix`, which is M at 0 plus the eigenvalue
times ``b (1, l)``: so b is the change of its first column from eigenvalue 0 to 1.

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
from fastmomentum.theory.linear import RuleLike, entries, is_stable, iteration_matrix

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
        Of what is added to the gradient at each update; symmetric.

    Returns
    -------
    ndarray, shape (..., d, d)
        For the heavy ball, curvature L and noise of standard deviation s it is
        ``lr s^2 (1 + m)/(L (1 - m)(2(1 + m) - lr L))``; NaN where the rule is not stable.

    Raises
    ------
    InputError
        There is no such rule, or a matrix is not symmetric.

    Examples
    --------
    >>> stationary_covariance("sgd", 1.0, 0.0, [[1.0]], [[0.25]]).tolist()
    [[0.25]]
    """
    eigenvalues, basis, noise = _along(hessian, noise_covariance)
    lr, momentum = np.broadcast_arrays(np.asarray(lr, float), np.asarray(momentum, float))
    maps = iteration_matrix(rule, lr[..., None], momentum[..., None], eigenvalues)
    kick = kick_of(rule, lr, momentum)
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
        Of what is added to the gradient at each update; symmetric.
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
        There is no such rule, or a matrix is not symmetric.

    Examples
    --------
    >>> expected_loss("sgd", 0.5, 0.0, [[1.0]], [[0.0]], [2.0], steps=2).tolist()
    [2.0, 0.5, 0.125]
    """
    eigenvalues, basis, noise = _along(hessian, noise_covariance)
    lr, momentum = np.broadcast_arrays(np.asarray(lr, float), np.asarray(momentum, float))
    given = lr[..., None], momentum[..., None], eigenvalues
    point = basis.T @ np.asarray(start, float)
    moments = np.zeros((*lr.shape, eigenvalues.size, 2, 2))
    moments[..., 0, 0] = np.square(point)
    loss = np.empty((*lr.shape, steps + 1))
    loss[..., 0] = 0.5 * (moments[..., 0, 0] @ eigenvalues)
    with np.errstate(over="ignore", invalid="ignore"):
        for t in range(steps):
            if t < 2:  # the first update may differ, as it is not dampened
                parts = np.broadcast_arrays(*entries(rule, *given, first=t == 0))
                maps = np.stack(parts, axis=-1).reshape(*parts[0].shape, 2, 2)
                kick = kick_of(rule, lr, momentum, first=t == 0)
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
        The size is not from 1 to the number of rows.

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
    gradients = np.asarray(row_gradients, float)
    n_rows = len(gradients)
    if size < 1 or (size > n_rows and not replacement):
        raise InputError(f"size must be from 1 to the {n_rows:,} rows: got {size!r}")
    off = gradients - gradients.mean(axis=0)
    left = 1.0 if replacement else (n_rows - size) / max(n_rows - 1, 1)
    return np.asarray(off.T @ off * (left / (n_rows * size)))


def mean_square_radius(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, row_hessians: ArrayLike, size: int
) -> Floats:
    """Factor by which an update shrinks second moments in the long run, with batches of rows.

    A batch has a Hessian of its own, so noise grows with the distance. Below 1 a rule is stable in
    the mean square: a smaller region than that of the full gradient.

    Parameters
    ----------
    rule : str or UpdateRule
        One that is a linear map on a quadratic.
    lr, momentum : array_like
        Shapes that broadcast.
    row_hessians : array_like, shape (n, d, d)
        Of each row: for ``(y - x w)^2/2`` the outer product of x with itself.
    size : int
        Rows of a batch, drawn independently ("replacement").

    Returns
    -------
    ndarray, shape (...)
        Spectral radius of the map of ``E[z z^T]``; with rows that are all the same, the square of
        `spectral_radius`.

    Raises
    ------
    InputError
        There is no such rule.

    References
    ----------
    Ma, Bassily and Belkin, "The power of interpolation", 2018; Jury 1964 for the limit of one.

    Examples
    --------
    >>> mean_square_radius("sgd", 0.5, 0.0, [[[1.0]], [[3.0]]], size=1).round(12).item()
    0.25
    """
    second = second_moment_map(rule, lr, momentum, row_hessians, size)
    return np.asarray(np.abs(np.linalg.eigvals(second)).max(axis=-1))


def second_moment_map(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, row_hessians: ArrayLike, size: int
) -> Floats:
    """The linear map of ``E[z z^T]`` that an update with a batch of rows makes.

    Parameters
    ----------
    rule, lr, momentum, row_hessians, size
        As for `mean_square_radius`.

    Returns
    -------
    ndarray, shape (..., (2 d)^2, (2 d)^2)
        On the entries of the matrix in C order, z being (w, v) with d coordinates each.

    Raises
    ------
    InputError
        There is no such rule.
    """
    rows = np.asarray(row_hessians, float)
    if size < 1:
        raise InputError(f"size must be at least 1: got {size!r}")
    lr, momentum = np.broadcast_arrays(np.asarray(lr, float), np.asarray(momentum, float))
    without = iteration_matrix(rule, lr, momentum, 0.0)
    change = iteration_matrix(rule, lr, momentum, 1.0) - without
    mean, size_of_point = rows.mean(axis=0), rows.shape[-1]
    width = 2 * size_of_point
    one = np.einsum("...pq,ij->...piqj", without, np.eye(size_of_point))
    one = (one + np.einsum("...pq,ij->...piqj", change, mean)).reshape(*lr.shape, width, width)
    second = np.einsum("...ab,...cd->...acbd", one, one).reshape(*lr.shape, width**2, width**2)
    spread = np.einsum("nij,nkl->ijkl", rows - mean, rows - mean) / (len(rows) * size)
    noise = np.einsum("...pq,...rs,ijkl->...pirkqjsl", change, change, spread)
    return np.asarray(second + noise.reshape(second.shape))


def _along(hessian: ArrayLike, noise_covariance: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """Eigenvalues, eigenvectors as columns, and the noise along them."""
    matrices = []
    for name, given in (("hessian", hessian), ("noise_covariance", noise_covariance)):
        matrix = np.asarray(given, float)
        if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
            raise InputError(f"{name} must be a square matrix: got the shape {matrix.shape}")
        if not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0.0):
            raise InputError(f"{name} must be symmetric: got {matrix.tolist()}")
        matrices.append(matrix)
    if matrices[0].shape != matrices[1].shape:
        raise InputError(
            f"noise_covariance must have the shape of the hessian, {matrices[0].shape}: got "
            f"{matrices[1].shape}"
        )
    eigenvalues, basis = np.linalg.eigh(matrices[0])
    return eigenvalues, basis, basis.T @ matrices[1] @ basis


def kick_of(rule: RuleLike, lr: Floats, momentum: Floats, first: bool = False) -> Floats:
    """What a gradient of 1 does to (w, v), shape (..., 2)."""
    at_1 = entries(rule, lr, momentum, 1.0, first)
    at_0 = entries(rule, lr, momentum, 0.0, first)
    to_point, to_velocity = np.broadcast_arrays(at_1[0] - at_0[0], at_1[2] - at_0[2])
    return np.stack([to_point + 0.0 * lr, to_velocity + 0.0 * lr], axis=-1)
