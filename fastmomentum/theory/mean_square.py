"""Batches of rows drawn independently: whether second moments shrink, and up to which lr.

A batch has a Hessian of its own, so the noise of its gradient grows with the distance. The second
moments of (w, v) obey a linear map all the same, and where its spectral radius is below 1 they
shrink: the rule is stable in the mean square. That takes a smaller learning rate than stability
under the full gradient, often much smaller.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from fastmomentum.specification.numbers import numbers, whole
from fastmomentum.theory import checks
from fastmomentum.theory.linear import Floats, RuleLike, known, response_of, stable_limit

HALVINGS: Final = 50
"""Most halvings of the interval in which a limit is sought."""

PRECISION: Final = 1e-11
"""Relative width at which it has been found."""


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
        `spectral_radius`. inf where the map overflows.

    Raises
    ------
    InputError
        There is no such rule, the Hessians are not symmetric matrices, the size is no whole
        positive number, or a number is not plain and finite.

    References
    ----------
    Ma, Bassily and Belkin, "The power of interpolation", 2018; Jury 1964 for the limit of one.

    Examples
    --------
    >>> mean_square_radius("sgd", 0.5, 0.0, [[[1.0]], [[3.0]]], size=1).round(12).item()
    0.25
    """
    return radius_of(second_moment_map(rule, lr, momentum, row_hessians, size))


def mean_square_limit(
    rule: RuleLike, momentum: ArrayLike, row_hessians: ArrayLike, size: int
) -> Floats:
    """Learning rate up to which a rule is stable in the mean square, with batches of rows.

    Where `mean_square_radius` is 1, found by halving the interval below the limit of the full
    gradient: what is stable in the mean square is stable in the mean.

    Parameters
    ----------
    rule : str or UpdateRule
        One that is a linear map on a quadratic.
    momentum : array_like
        Momenta.
    row_hessians : array_like, shape (n, d, d)
        Of each row; see `row_terms`.
    size : int
        Rows of a batch, drawn independently ("replacement").

    Returns
    -------
    ndarray, shape of `momentum`
        To a relative 1e-10; 0 where nothing is stable, inf where nothing is unstable.

    Raises
    ------
    InputError
        As for `mean_square_radius`; or the rule has weight decay.

    References
    ----------
    Ma, Bassily and Belkin, "The power of interpolation", 2018: for sgd and rows of one coordinate
    that have x^2 = h, ``2 mean(h)/(mean(h)^2 + var(h)/size)``.

    Examples
    --------
    >>> mean_square_limit("sgd", 0.0, [[[1.0]], [[3.0]]], size=1).round(9).item()
    0.8
    """
    rows, size = checks.hessians(row_hessians), whole(size, "size", least=1)
    mean, spread = mean_and_spread(rows, size)
    momentum, curvature = numbers(momentum, "momentum"), float(np.linalg.eigvalsh(mean)[-1])
    full = stable_limit(rule, momentum)
    if curvature <= 0.0:
        return np.full_like(full, np.inf)
    bounded = np.isfinite(full) & (full > 0.0)
    low, high = np.zeros_like(full), np.where(bounded, full, 1.0) / curvature
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        stable = radius_of(_map(rule, middle, momentum, mean, spread)) < 1.0
        low, high = np.where(stable, middle, low), np.where(stable, high, middle)
        if np.all(high - low <= PRECISION * high):
            break
    return np.asarray(np.where(bounded, 0.5 * (low + high), full))


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
        As for `mean_square_radius`.
    """
    rows, size = checks.hessians(row_hessians), whole(size, "size", least=1)
    return _map(rule, *checks.settings(lr, momentum), *mean_and_spread(rows, size))


def mean_map(without: Floats, change: Floats, hessian: Floats) -> Floats:
    """The map of (w, v) under a Hessian, shape (..., 2 d, 2 d), from `response_of`."""
    whole_map = np.einsum("...pq,ij->...piqj", without, np.eye(len(hessian)))
    whole_map = whole_map + np.einsum("...pq,ij->...piqj", change, hessian)
    width = 2 * len(hessian)
    return np.asarray(whole_map.reshape(*without.shape[:-2], width, width))


def second_map(without: Floats, change: Floats, mean: Floats, spread: Floats) -> Floats:
    """The map of second moments, from `response_of`; `spread` is that of a batch's Hessian."""
    one = mean_map(without, change, mean)
    shape = (*one.shape[:-2], one.shape[-1] ** 2, one.shape[-1] ** 2)
    second = np.einsum("...ab,...cd->...acbd", one, one).reshape(shape)
    noise = np.einsum("...pq,...rs,ijkl->...pirkqjsl", change, change, spread)
    return np.asarray(second + noise.reshape(shape))


def radius_of(second: Floats) -> Floats:
    """The spectral radius of a map of second moments; inf where it overflows.

    That of symmetric matrices: the map keeps them without negative eigenvalue, so one of these
    belongs to its largest eigenvalue (Krein and Rutman, 1948), and the others need not be looked
    at.
    """
    width = int(np.sqrt(second.shape[-1]))
    i, j = np.triu_indices(width)
    upper, lower = i * width + j, j * width + i
    rows = second[..., upper, :]
    small = rows[..., upper] + np.where(i == j, 0.0, rows[..., lower])
    fits = np.asarray(np.isfinite(small).all(axis=(-2, -1)))
    safe = np.where(fits[..., np.newaxis, np.newaxis], small, 0.0)
    radius = np.abs(np.linalg.eigvals(safe)).max(axis=-1)
    return np.asarray(np.where(fits, radius, np.inf))


def mean_and_spread(rows: Floats, size: int) -> tuple[Floats, Floats]:
    """Mean of a batch's Hessian, and the covariance of its entries, shape (d, d, d, d)."""
    mean = rows.mean(axis=0)
    flat = (rows - mean).reshape(len(rows), -1)
    spread = flat.T @ flat / (float(len(rows)) * size)
    return mean, spread.reshape(*mean.shape, *mean.shape)


def _map(rule: RuleLike, lr: Floats, momentum: Floats, mean: Floats, spread: Floats) -> Floats:
    with np.errstate(over="ignore", invalid="ignore"):
        return second_map(*response_of(known(rule), lr, momentum), mean, spread)
