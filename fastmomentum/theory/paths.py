"""The exact path on a quadratic."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import numbers
from fastmomentum.theory import checks
from fastmomentum.theory.linear import Floats, RuleLike, discriminant_of, entries, known


def residual(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike, step: ArrayLike
) -> Floats:
    """Part of the distance along an eigenvector that is left after some updates from rest.

    With r1, r2 the roots and s_k = (r1^k - r2^k)/(r1 - r2), a power of the iteration matrix M is
    ``M^k = s_k M - D s_(k-1)``, so that ``p_k = s_k M_11 - D s_(k-1)``. s_k is evaluated so that a
    double root costs no digits. If the first update has another matrix F, ``M^(k-1) F`` takes the
    place of the power.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
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
    return responses(rule, lr, momentum, eigenvalue, step)[0]


def responses(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike, step: ArrayLike
) -> tuple[Floats, Floats]:
    """How a point after some updates depends on its first distance and velocity.

    Parameters
    ----------
    rule, lr, momentum, eigenvalue, step
        As for `residual`.

    Returns
    -------
    p, q : ndarray, shape (...)
        In ``w_k = p_k w_0 + q_k v_0``.

    Raises
    ------
    InputError
        There is no such rule.

    Examples
    --------
    >>> p, q = responses("momentum", 0.25, 0.25, 1.0, [0, 1, 2])
    >>> p.tolist(), q.tolist()
    ([1.0, 0.75, 0.5], [0.0, 0.25, 0.25])
    """
    k = numbers(step, "step")
    with np.errstate(all="ignore"):
        matrix = entries(rule, lr, momentum, eigenvalue)
        ww, wv, vw, vv = matrix
        trace, determinant = ww + vv, ww * vv - wv * vw
        discriminant = discriminant_of(matrix)

        def row(power: Floats) -> tuple[Floats, Floats]:
            """First row of a power of the matrix."""
            now, before = (
                _power_sum(trace, determinant, discriminant, n) for n in (power, power - 1)
            )
            return np.where(power == 0, 1.0, ww * now - determinant * before), wv * now

        found = known(rule)
        form = found.rule.form
        if form is None or not np.any(form.only_first(found.parameters)):
            return row(k)
        first_ww, first_wv, first_vw, first_vv = entries(rule, lr, momentum, eigenvalue, first=True)
        from_w, from_v = row(np.maximum(k - 1, 0))
        p = from_w * first_ww + from_v * first_vw
        q = from_w * first_wv + from_v * first_vv
        return np.where(k == 0, 1.0, p), np.where(k == 0, 0.0, q)


def iterate(
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    hessian: ArrayLike,
    start: ArrayLike,
    step: ArrayLike,
    minimiser: ArrayLike = (0.0, 0.0),
    velocity: ArrayLike = (0.0, 0.0),
) -> Floats:
    """The exact point after some updates on a quadratic.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    lr, momentum : array_like
        Shapes that broadcast.
    hessian : array_like, shape (2, 2)
        Symmetric.
    start : array_like, shape (2,)
        The first point.
    step : array_like of int
        Updates made; broadcasts with the settings.
    minimiser : array_like, shape (2,)
        Where the gradient is 0.
    velocity : array_like, shape (2,)
        The first velocity, in the sense of the rule's equation.

    Returns
    -------
    ndarray, shape (..., 2)
        ``w_k = w* + sum_i (p_k(L_i) u_i u_i' (w_0 - w*) + q_k(L_i) u_i u_i' v_0)`` over the
        eigenvectors u_i.

    Raises
    ------
    InputError
        There is no such rule, it decays and the minimiser is not 0, or an argument is of another
        shape.

    Examples
    --------
    >>> iterate("momentum", 0.25, 0.25, [[1, 0], [0, 4]], (1.0, 1.0), [0, 1, 2]).tolist()
    [[1.0, 1.0], [0.75, 0.0], [0.5, -0.25]]
    """
    matrix = numbers(hessian, "hessian")
    if matrix.shape != (2, 2):
        raise InputError(f"hessian must be of the shape (2, 2): got the shape {matrix.shape}")
    values, vectors = np.linalg.eigh(matrix)
    centre = checks.point(minimiser, "minimiser", 2)
    if known(rule).options and centre.any():
        raise InputError(
            f"the rule {known(rule).words} settles between the minimiser and 0; "
            "leave minimiser at (0, 0)"
        )
    away = vectors.T @ (checks.point(start, "start", 2) - centre)
    speed = vectors.T @ checks.point(velocity, "velocity", 2)
    lr, momentum = numbers(lr, "lr")[..., None], numbers(momentum, "momentum")[..., None]
    step = numbers(step, "step")[..., None]
    p, q = responses(rule, lr, momentum, values, step)
    return np.asarray(centre + (p * away + q * speed) @ vectors.T)


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
