"""One update as a linear map along an eigenvector: its rate, its stability."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.rules import RULES, Rule
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.rules.modifiers import decayed, taken_off
from fastmomentum.rules.varying import VaryingRule
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import suggest
from fastmomentum.theory.checks import require_broadcast

RuleLike = str | Rule | UpdateRule | VaryingRule
Floats = NDArray[np.float64]
Entries = tuple[Floats, Floats, Floats, Floats]


def iteration_matrix(
    rule: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    eigenvalue: ArrayLike,
    *,
    first: bool = False,
) -> Floats:
    """Matrix of one update of (w, v) on the quadratic of an eigenvalue.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    lr, momentum, eigenvalue : array_like
        Shapes that broadcast; a rule without momentum ignores it.
    first : bool
        Whether it is the first update, which is not dampened.

    Returns
    -------
    ndarray, shape (..., 2, 2)
        ``(w', v') = matrix @ (w, v)``. A rule without momentum leaves the velocity's row and
        column 0.

    Raises
    ------
    InputError
        There is no such rule.

    References
    ----------
    Polyak 1964; Goh 2017, "The dynamics of momentum".

    Examples
    --------
    >>> iteration_matrix("momentum", 0.5, 0.25, 1.0)
    array([[ 0.5 ,  0.25],
           [-0.5 ,  0.25]])
    """
    parts = np.broadcast_arrays(*entries(rule, lr, momentum, eigenvalue, first))
    return np.stack(parts, axis=-1).reshape(*parts[0].shape, 2, 2)


def spectral_radius(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike
) -> Floats:
    """Factor by which an update shrinks the distance in the long run.

    ``(|T| + sqrt(T^2 - 4D))/2`` where the roots are real, ``sqrt(D)`` where they are complex: for
    the heavy ball, sqrt(momentum).

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    lr, momentum, eigenvalue : array_like
        Shapes that broadcast.

    Returns
    -------
    ndarray, shape (...)
        At least 1 where the rule is not stable. At a double root half of its digits are right:
        the settings do not determine it any better.

    Raises
    ------
    InputError
        There is no such rule.

    References
    ----------
    Polyak 1964; Goh 2017.

    Examples
    --------
    >>> spectral_radius("momentum", [0.1, 1.0], 0.81, 1.0).round(12).tolist()
    [0.9, 0.9]
    """
    with np.errstate(over="ignore", invalid="ignore"):
        trace, determinant, discriminant = invariants(rule, lr, momentum, eigenvalue)
        real = 0.5 * (np.abs(trace) + np.sqrt(np.fmax(discriminant, 0.0)))  # NaN where it overflows
        return np.where(discriminant < 0, np.sqrt(np.maximum(determinant, 0.0)), real)


def stable_limit(rule: RuleLike, momentum: ArrayLike) -> Floats:
    """The limit of stability: a rule is stable for 0 < lr*L < limit.

    The conditions of Jury, 1 - T + D > 0, 1 + T + D > 0 and D < 1, are linear in lr*L.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    momentum : array_like
        Momenta.

    Returns
    -------
    ndarray, shape of `momentum`
        2 for sgd, 2(1 + m) for the heavy ball, 2(1 + m)/(1 + 2m) for Nesterov's rule in either
        form, 2(1 + m)/(1 - dampening) for PyTorch's, 2(1 + m)/(1 - m) for the average of gradients;
        0 where nothing is stable.

    Raises
    ------
    InputError
        There is no such rule, or it has weight decay: then no limit for lr*L alone exists.

    References
    ----------
    Polyak 1964; Jury, "Theory and application of the z-transform method", 1964.

    Examples
    --------
    >>> stable_limit("momentum", [0.0, 0.5]).tolist()
    [2.0, 3.0]
    >>> stable_limit("nesterov", 0.5).item()
    1.5
    """
    without_options(rule)
    trace_0, determinant_0, _ = invariants(rule, 0.0, momentum, 1.0)
    trace_1, determinant_1, _ = invariants(rule, 1.0, momentum, 1.0)
    alternating = _zero(1 + trace_0 + determinant_0, 1 + trace_1 + determinant_1)
    turning = _zero(1 - determinant_0, 1 - determinant_1)
    return np.asarray(np.minimum(alternating, turning))


def _zero(at_0: Floats, at_1: Floats) -> Floats:
    """Where a line falls to 0: inf if it never does, 0 if it is not positive at 0."""
    falls = at_0 - at_1 > 16.0 * np.finfo(float).eps  # by more than rounding
    where = np.where(falls, at_0 / np.where(falls, at_0 - at_1, 1.0), np.inf)
    return np.where(at_0 > 0, where, 0.0)


def is_stable(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike
) -> NDArray[np.bool_]:
    """Whether a rule converges on the quadratic of an eigenvalue, from every start.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    lr, momentum, eigenvalue : array_like
        Shapes that broadcast.

    Returns
    -------
    ndarray of bool, shape (...)
        ``0 < lr*L < stable_limit``; for a rule with decay, whether `spectral_radius` is below 1.

    Raises
    ------
    InputError
        There is no such rule.

    Examples
    --------
    >>> is_stable("sgd", [0.1, 0.3], 0.0, 10.0).tolist()
    [True, False]
    """
    if known(rule).options:
        with np.errstate(over="ignore", invalid="ignore"):
            trace, determinant, _ = invariants(rule, lr, momentum, eigenvalue)
        return np.asarray((np.abs(trace) < 1 + determinant) & (determinant < 1))
    a = np.multiply(numbers(lr, "lr"), numbers(eigenvalue, "eigenvalue"))
    return np.asarray((a > 0) & (a < stable_limit(rule, momentum)))


def known(rule: RuleLike) -> UpdateRule | VaryingRule:
    """The rule of this name, with its parameters: numbers, or arrays where they vary.

    Raises
    ------
    InputError
        There is no such rule.
    """
    if isinstance(rule, VaryingRule):
        return rule
    if isinstance(rule, str) and rule not in RULES:
        raise InputError(f"rule must name a rule of fm.RULES: got {rule!r}; {suggest(rule, RULES)}")
    return UpdateRule.parse(rule)


def entries(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike, first: bool = False
) -> Entries:
    """Entries of the iteration matrix, row by row, each of the shape that its formula gives.

    With `first` of the first update, which is not dampened.
    """
    found = known(rule)
    if found.rule.form is None:
        raise InputError(
            f"there is no theory of the rule {found.name}, which is not a linear map of point and "
            "velocity; take one of "
            + ", ".join(name for name, other in RULES.items() if other.form is not None)
        )
    if not found.is_linear:
        raise InputError(
            f"there is no theory of the rule {found.words}, which is not a linear map of point and "
            "velocity; drop clip and restart"
        )
    decay, decoupled = (
        numbers(found.options.get(name, 0.0), name)
        for name in ("weight_decay", "decoupled_weight_decay")
    )
    update, gradient_point = found.rule.update, found.rule.gradient_point
    eta, m = numbers(lr, "lr"), numbers(momentum, "momentum")
    curvature = numbers(eigenvalue, "eigenvalue")
    require_broadcast(lr=eta.shape, momentum=m.shape, eigenvalue=curvature.shape)
    one, zero = np.ones(()), np.zeros(())

    def column(w: Floats, v: Floats) -> tuple[ArrayLike, ArrayLike]:
        at = gradient_point(w, (v,), m)
        gradient = decayed(curvature * at, at, decay)
        made = 0.0 if first else 1.0
        to, (v,) = update(w, (v,), gradient, eta, m, found.parameters, (), made)
        return taken_off(to, w, eta * decoupled), v

    with np.errstate(over="ignore", invalid="ignore"):
        (ww, vw), (wv, vv) = column(one, zero), column(zero, one)
    if not found.rule.uses_momentum:
        wv, vw, vv = zero, zero, np.zeros_like(m)
    return np.asarray(ww), np.asarray(wv), np.asarray(vw), np.asarray(vv)


def response_of(
    rule: RuleLike, lr: Floats, momentum: Floats, first: bool = False
) -> tuple[Floats, Floats]:
    """The matrix without curvature, and what a curvature of 1 adds to it; both (..., 2, 2).

    The first column of the latter is what a gradient of 1 does to (w, v). It is computed at a
    curvature of the size of 1/lr: at 1 a small learning rate would lose its digits beside the 1 of
    "w stays".
    """
    unit = 1.0 / np.clip(np.abs(lr), 1e-150, 1e150)
    flat = iteration_matrix(rule, lr, momentum, 0.0, first=first)
    curved = iteration_matrix(rule, lr, momentum, unit, first=first)
    flat, curved = np.broadcast_arrays(flat, curved)
    return flat, (curved - flat) / unit[..., np.newaxis, np.newaxis]


def without_options(rule: RuleLike) -> UpdateRule | VaryingRule:
    """The rule, if it has no options: closed forms are known only without.

    Raises
    ------
    InputError
        It has options, or is not a linear map.
    """
    found = known(rule)
    if found.form is None and found.rule.form is not None:
        raise InputError(f"the rule {found.words} has no closed form with its options; drop them")
    return found


def discriminant_of(matrix: Entries) -> Floats:
    """``T^2 - 4D``, without the cancellation between the two."""
    first, second, third, fourth = matrix
    return np.asarray(np.square(first - fourth) + 4.0 * (second * third))


def invariants(
    rule: RuleLike, lr: ArrayLike, momentum: ArrayLike, eigenvalue: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    """Trace, determinant and discriminant of the iteration matrix."""
    matrix = entries(rule, lr, momentum, eigenvalue)
    first, second, third, fourth = matrix
    return first + fourth, first * fourth - second * third, discriminant_of(matrix)
