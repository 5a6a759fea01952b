"""The exact path on a quadratic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fastmomentum.theory.linear import Floats, discriminant_of, entries


def residual(
    rule: str, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike, step: ArrayLike
) -> Floats:
    """What is left, after so many updates from rest, of the distance along an eigenvector.

    With r1, r2 the roots and s_k = (r1^k - r2^k)/(r1 - r2), a power of the iteration matrix M is
    ``M^k = s_k M - D s_(k-1)``, so that ``p_k = s_k M_11 - D s_(k-1)``. s_k is evaluated so that a
    double root costs no digits.

    Parameters
    ----------
    rule : str
        Name of the rule.
    lr, momentum, eigenvalue : array_like
        Shapes that broadcast.
    step : array_like of int
        Updates made; broadcasts too.

    Returns
    -------
    ndarray, shape (...)
        ``p_k`` in ``w_k = p_k w_0``; 1 at step 0.

    Raises
    ------
    InputError
        There is no such rule.

    References
    ----------
    Goh 2017, "The dynamics of momentum"; O'Donoghue and Candes, "Adaptive restart for accelerated
    gradient schemes", 2015.

    Examples
    --------
    >>> residual("momentum", 0.25, 0.25, 1.0, [0, 1, 2, 3]).tolist()
    [1.0, 0.75, 0.5, 0.3125]
    """
    k = np.asarray(step, float)
    with np.errstate(all="ignore"):
        matrix = entries(rule, lr, momentum, eigenvalue)
        first, second, third, fourth = matrix
        trace, determinant = first + fourth, first * fourth - second * third
        discriminant = discriminant_of(matrix)
        now, before = (_power_sum(trace, determinant, discriminant, n) for n in (k, k - 1))
        return np.where(k == 0, 1.0, first * now - determinant * before)


def iterate(
    rule: str,
    lr: ArrayLike,
    momentum: ArrayLike,
    hessian: ArrayLike,
    start: ArrayLike,
    step: ArrayLike,
    minimiser: ArrayLike = (0.0, 0.0),
) -> Floats:
    """The exact point after so many updates on a quadratic.

    Parameters
    ----------
    rule : str
        Name of the rule.
    lr, momentum : array_like
        Shapes that broadcast.
    hessian : array_like, shape (2, 2)
        Symmetric.
    start : array_like, shape (2,)
        The first point, at rest.
    step : array_like of int
        Updates made; broadcasts with the settings.
    minimiser : array_like, shape (2,)
        Where the gradient is 0.

    Returns
    -------
    ndarray, shape (..., 2)
        ``w_k = w* + sum_i p_k(L_i) u_i u_i' (w_0 - w*)`` over the eigenvectors u_i.

    Raises
    ------
    InputError
        There is no such rule.

    Examples
    --------
    >>> iterate("momentum", 0.25, 0.25, [[1, 0], [0, 4]], (1.0, 1.0), [0, 1, 2]).tolist()
    [[1.0, 1.0], [0.75, 0.0], [0.5, -0.25]]
    """
    values, vectors = np.linalg.eigh(np.asarray(hessian, float))
    centre = np.asarray(minimiser, float)
    parts = vectors.T @ (np.asarray(start, float) - centre)
    lr, momentum, step = (np.asarray(part)[..., None] for part in (lr, momentum, step))
    left = residual(rule, lr, momentum, values, step) * parts
    return np.asarray(centre + left @ vectors.T)


def _power_sum(trace: Floats, determinant: Floats, discriminant: Floats, k: Floats) -> Floats:
    """``(r1^k - r2^k)/(r1 - r2)``, without dividing by the difference of roots that may be one."""
    root = np.sqrt(np.abs(discriminant))
    side = np.where(trace < 0, -1.0, 1.0)
    # Real: r1 the larger, q = r2/r1 = 1 - d in [-1, 1], and (1 - q^k)/(1 - q).
    large = 0.5 * (np.abs(trace) + root)
    d = np.where(large > 0, root / large, 0.0)
    many = np.where(d < 1, -np.expm1(k * np.log1p(-d)), 1.0 - np.power(1.0 - d, k))
    real = np.power(large, k - 1) * np.where(d > 0, many / d, k)
    # Complex: radius sqrt(D), angle phi from the real axis on the trace's side.
    phi = np.arctan2(root, np.abs(trace))
    turning = np.power(np.sqrt(np.maximum(determinant, 0.0)), k - 1) * np.sin(k * phi) / np.sin(phi)
    found = np.where(discriminant < 0, turning, real) * np.power(side, k - 1)
    return np.where(k <= 0, 0.0, np.where(k == 1, 1.0, found))
