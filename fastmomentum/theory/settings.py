"""Settings that theory singles out: where roots are complex, critical damping, the optimum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.specification.numbers import numbers
from fastmomentum.theory.conversion import method, scale
from fastmomentum.theory.linear import Floats, RuleLike, known


def oscillating_range(rule: RuleLike, momentum: ArrayLike) -> tuple[Floats, Floats]:
    """Between which values of lr*L the roots are complex.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    momentum : array_like
        Momenta.

    Returns
    -------
    low, high : ndarray, shape of `momentum`
        ``(1 - sqrt m)^2`` and ``(1 + sqrt m)^2``, between which the heavy ball's rate is sqrt m
        whatever the learning rate; ``((1 - m)/(1 + m))^2`` and 1 for Nesterov's rule; for other
        forms of these, divided by `scale`.

    Raises
    ------
    InputError
        The rule has no oscillating regime, or its range has no closed form here.

    References
    ----------
    Polyak 1964; Goh 2017. For Nesterov's rule the discriminant is
    ``(1 - a) ((1 - m)^2 - a (1 + m)^2)``.

    Examples
    --------
    >>> low, high = oscillating_range("momentum", 0.25)
    >>> float(low), float(high)
    (0.25, 2.25)
    """
    m, each = numbers(momentum, "momentum"), scale(rule, momentum)
    if method(rule) == "momentum":
        return np.square(1 - np.sqrt(m)) / each, np.square(1 + np.sqrt(m)) / each
    if method(rule) == "nesterov":
        return np.square((1 - m) / (1 + m)) / each, 1 / each
    raise _no_closed_form(rule, "range of complex roots")


def critical_momentum(lr: ArrayLike, eigenvalue: ArrayLike, rule: RuleLike = "momentum") -> Floats:
    """The momentum of critical damping: the best one for a learning rate and an eigenvalue.

    Parameters
    ----------
    lr, eigenvalue : array_like
        Shapes that broadcast.
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.

    Returns
    -------
    ndarray, shape (...)
        ``(1 - sqrt(lr*L))^2`` for the heavy ball; ``(1 - sqrt(lr*L))/(1 + sqrt(lr*L))`` for
        Nesterov's rule; ``((1 - lr*L)/(1 + lr*L))^2`` for the average of gradients. NaN where lr*L
        is negative, or beyond the reach of any momentum below 1.

    Raises
    ------
    InputError
        The rule has no momentum, or no closed form here.

    References
    ----------
    Goh 2017, "The critical damping coefficient".

    Examples
    --------
    >>> critical_momentum(0.01, 1.0).round(12).item()
    0.81
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        product = np.multiply(numbers(lr, "lr"), numbers(eigenvalue, "eigenvalue"))
        form = known(rule).form
        if form is not None and form.critical is not None:
            return np.asarray(form.critical(product))
        root = np.sqrt(product * scale(rule, 0.5))
    if method(rule) == "momentum":
        return np.where(root < 2, np.square(1 - root), np.nan)
    if method(rule) == "nesterov":
        return np.where(root <= 1, (1 - root) / (1 + root), np.nan)
    raise _no_closed_form(rule, "critical momentum")


class Optimum(NamedTuple):
    """The best constant settings for quadratics; see `optimum`."""

    lr: Floats
    momentum: Floats
    rate: Floats


def optimum(smallest: ArrayLike, largest: ArrayLike, rule: RuleLike = "momentum") -> Optimum:
    """The settings of the best worst rate over eigenvalues from `smallest` to `largest`.

    Parameters
    ----------
    smallest, largest : array_like
        Extreme eigenvalues L1 and Ln, positive; shapes that broadcast. k = Ln/L1.
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.

    Returns
    -------
    Optimum
        ``lr``, ``momentum`` and ``rate``, each of shape (...). For the heavy ball
        ``(2/(sqrt L1 + sqrt Ln))^2``, ``((sqrt k - 1)/(sqrt k + 1))^2`` and the momentum's square
        root; for sgd ``2/(L1 + Ln)``, 0 and ``(k - 1)/(k + 1)``; for Nesterov's rule
        ``4/(L1 + 3 Ln)``, ``(sqrt(3k + 1) - 2)/(sqrt(3k + 1) + 2)`` and ``1 - 2/sqrt(3k + 1)``. For
        other forms of these, the learning rate divided by `scale`.

    Raises
    ------
    InputError
        An eigenvalue is not positive, or the rule has no closed form here.

    References
    ----------
    Polyak 1964; Lessard, Recht and Packard 2016, proposition 1.

    Examples
    --------
    >>> best = optimum(1.0, 25.0)
    >>> (best.lr * 9).round(12).item(), (best.momentum * 9).round(12).item()
    (1.0, 4.0)
    """
    low, high = numbers(smallest, "smallest"), numbers(largest, "largest")
    if not ((low > 0).all() and (high >= low).all()):
        raise InputError(
            "optimum takes the smallest and the largest eigenvalue, both positive: got "
            f"{smallest!r} and {largest!r}; at a saddle nothing is optimal"
        )
    k, form = high / low, method(rule)
    root = np.sqrt(k if form == "momentum" else 3 * k + 1)
    if form == "sgd":
        return Optimum(2 / (low + high), np.zeros_like(k), (k - 1) / (k + 1))
    if form == "momentum":
        lr, rate = np.square(2 / (np.sqrt(low) + np.sqrt(high))), (root - 1) / (root + 1)
        momentum = np.square(rate)
    elif form == "nesterov":
        lr, rate = 4 / (low + 3 * high), 1 - 2 / root
        momentum = (root - 2) / (root + 2)
    else:
        raise _no_closed_form(rule, "optimum")
    return Optimum(lr / scale(rule, momentum), momentum, rate)


def _no_closed_form(rule: RuleLike, what: str) -> InputError:
    return InputError(f"no closed form of the {what} for the rule {known(rule).name}")
