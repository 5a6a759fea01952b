"""Second moments against closed forms, and against runs of plain NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.theory.linear import spectral_radius
from fastmomentum.theory.mean_square import mean_square_radius
from fastmomentum.theory.minibatches import batch_expected_loss, batch_stationary_covariance
from fastmomentum.theory.moments import (
    expected_loss,
    minibatch_covariance,
    stationary_covariance,
)

HESSIAN = np.array([[2.0, 0.6], [0.6, 1.0]])
NOISE = np.array([[0.5, -0.2], [-0.2, 0.3]])
START = np.array([1.5, -1.0])
ROWS = np.array([[[1.0, 0.3], [0.3, 0.4]], [[0.5, 0.0], [0.0, 2.0]], [[3.0, -1.0], [-1.0, 1.0]]])
PULLS = np.array([[0.7, -0.2], [-0.9, 0.6], [0.2, -0.4]])
"""Gradients of the rows at the minimiser, of mean 0."""
Gradient = Callable[[np.ndarray], np.ndarray]


def sgd(w: np.ndarray, v: np.ndarray, g: Gradient, lr: float, m: float) -> tuple[np.ndarray, ...]:
    return w - lr * g(w), v


def heavy(w: np.ndarray, v: np.ndarray, g: Gradient, lr: float, m: float) -> tuple[np.ndarray, ...]:
    v = m * v - lr * g(w)
    return w + v, v


def ema(w: np.ndarray, v: np.ndarray, g: Gradient, lr: float, m: float) -> tuple[np.ndarray, ...]:
    v = m * v + (1 - m) * g(w)
    return w - lr * v, v


def nesterov(
    w: np.ndarray, v: np.ndarray, g: Gradient, lr: float, m: float
) -> tuple[np.ndarray, ...]:
    v = m * v - lr * g(w + m * v)
    return w + v, v


RULES = {"sgd": sgd, "momentum": heavy, "ema": ema, "sutskever": nesterov}


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("lr", [0.01, 0.5, 1.9])
def test_the_heavy_ball(lr: float, momentum: float) -> None:
    found = stationary_covariance("momentum", lr, momentum, [[1.0]], [[0.09]])
    m = momentum
    expected = lr * 0.09 * (1 + m) / ((1 - m) * (2 * (1 + m) - lr))
    np.testing.assert_allclose(found, [[expected]], rtol=1e-10)


@pytest.mark.parametrize("rule", RULES)
def test_a_simulation_settles_and_goes_there_as_told(rule: str) -> None:
    """20,000 runs: a variance is good to 1% (one standard deviation), so 5% is five of them."""
    random = np.random.default_rng(7)
    factor = np.linalg.cholesky(NOISE)
    w = np.tile(START, (20_000, 1))
    v = np.zeros_like(w)
    lr, m, steps = 0.3, 0.6, 150

    def gradient(at: np.ndarray) -> np.ndarray:
        return at @ HESSIAN + random.standard_normal(at.shape) @ factor.T

    losses = [0.5 * np.einsum("ni,ij,nj->n", w, HESSIAN, w).mean()]
    for _ in range(steps):
        w, v = RULES[rule](w, v, gradient, lr, m)
        losses.append(0.5 * np.einsum("ni,ij,nj->n", w, HESSIAN, w).mean())
    told = expected_loss(rule, lr, m, HESSIAN, NOISE, START, steps)
    np.testing.assert_allclose(losses, told, rtol=0.05)
    settled = stationary_covariance(rule, lr, m, HESSIAN, NOISE)
    np.testing.assert_allclose(w.T @ w / len(w), settled, atol=0.05 * settled.max())
    np.testing.assert_allclose(told[-1], 0.5 * np.trace(HESSIAN @ settled), rtol=1e-6)


def test_settings_broadcast_and_what_is_unstable_is_nan() -> None:
    lr, momentum = np.array([[0.1], [5.0]]), np.array([0.0, 0.5, 0.9])
    found = stationary_covariance("momentum", lr, momentum, HESSIAN, NOISE)
    assert found.shape == (2, 3, 2, 2)
    assert np.isnan(found[1]).all()
    alone = stationary_covariance("momentum", 0.1, 0.9, HESSIAN, NOISE)
    np.testing.assert_allclose(found[0, 2], alone, rtol=1e-12)
    assert expected_loss("momentum", lr, momentum, HESSIAN, NOISE, START, 4).shape == (2, 3, 5)


@pytest.mark.parametrize("replacement", [True, False])
def test_covariance_of_batches(replacement: bool) -> None:
    """40,000 batches: 5% is five standard deviations and more."""
    random = np.random.default_rng(3)
    rows = random.standard_normal((12, 2)) @ [[1.0, 0.5], [0.0, 2.0]]
    order = random.random((40_000, 12)).argsort(axis=1)[:, :5]
    drawn = random.integers(0, 12, (40_000, 5)) if replacement else order
    means = rows[drawn].mean(axis=1)
    told = minibatch_covariance(rows, 5, replacement)
    np.testing.assert_allclose(np.cov(means.T, bias=True), told, atol=0.05 * told.max())


@pytest.mark.parametrize("rule", ["sgd", "momentum", "sutskever"])
def test_second_moments_of_batches_grow_as_told(rule: str) -> None:
    """All batches of one row out of three, step by step: the exact sum over all 3^7 sequences."""
    rows = ROWS
    lr, m = 0.4, 0.5
    w, v = np.tile(START, (1, 1)), np.zeros((1, 2))
    sizes = []
    for _ in range(9):
        parts = [RULES[rule](w, v, lambda at, h=h: at @ h, lr, m) for h in rows]
        w, v = (np.concatenate(part) for part in zip(*parts, strict=True))
        sizes.append(np.square(w).sum() / len(w))
    radius = mean_square_radius(rule, lr, m, rows, 1)
    np.testing.assert_allclose(sizes[-1] / sizes[-2], radius, rtol=0.05)
    same = np.tile(HESSIAN, (3, 1, 1))
    plain = max(spectral_radius(rule, lr, m, value) for value in np.linalg.eigvalsh(HESSIAN))
    np.testing.assert_allclose(mean_square_radius(rule, lr, m, same, 1), plain**2, rtol=1e-6)


@pytest.mark.parametrize(("size", "steps"), [(1, 7), (2, 4)])
@pytest.mark.parametrize("rule", RULES)
def test_the_expected_loss_of_batches_is_the_mean_over_all_of_them(
    rule: str, size: int, steps: int
) -> None:
    """Every sequence of batches, step by step: nothing is left to chance."""
    lr, m = 0.3, 0.5
    drawn = list(itertools.product(range(3), repeat=size))
    batches = [(ROWS[list(one)].mean(axis=0), PULLS[list(one)].mean(axis=0)) for one in drawn]
    mean = ROWS.mean(axis=0)
    w, v = np.tile(START, (1, 1)), np.zeros((1, 2))
    losses = [0.5 * np.einsum("ni,ij,nj->n", w, mean, w).mean()]
    for _ in range(steps):
        parts = [
            RULES[rule](w, v, lambda at, h=h, g=g: at @ h + g, lr, m)  # one batch for all points
            for h, g in batches
        ]
        w, v = (np.concatenate(part) for part in zip(*parts, strict=True))
        losses.append(0.5 * np.einsum("ni,ij,nj->n", w, mean, w).mean())
    told = batch_expected_loss(rule, lr, m, ROWS, PULLS, size, START, steps)
    np.testing.assert_allclose(told, losses, rtol=1e-12)


def test_the_expected_loss_of_batches_ends_where_they_settle_and_broadcasts() -> None:
    lr, m = np.array([[0.05], [0.2]]), np.array([0.0, 0.4, 0.6])
    told = batch_expected_loss("momentum", lr, m, ROWS, PULLS, 2, START, 4000, 0.01 * np.eye(2))
    assert told.shape == (2, 3, 4001)
    settled = batch_stationary_covariance("momentum", lr, m, ROWS, PULLS, 2, 0.01 * np.eye(2))
    ends = 0.5 * np.einsum("ij,...ji->...", ROWS.mean(axis=0), settled)
    np.testing.assert_allclose(told[..., -1], ends, rtol=1e-9)
    first = 0.5 * START @ ROWS.mean(axis=0) @ START
    np.testing.assert_allclose(told[..., 0], first, rtol=1e-14)
    wild = batch_expected_loss("sgd", 1e3, 0.0, ROWS, PULLS, 1, START, 200)
    assert wild[-1] == np.inf


def test_rows_that_are_all_the_same_are_added_noise() -> None:
    same = np.tile(HESSIAN, (3, 1, 1))
    noise = minibatch_covariance(PULLS, 2)
    rule = fm.UpdateRule(name="pytorch", dampening=0.3)  # whose first update is not dampened
    told = batch_expected_loss(rule, 0.2, 0.6, same, PULLS, 2, START, 30)
    plain = expected_loss(rule, 0.2, 0.6, HESSIAN, noise, START, 30)
    np.testing.assert_allclose(told, plain, rtol=1e-11)


def test_a_tiny_learning_rate_keeps_its_digits() -> None:
    """Of data in the hundred thousands: lr times curvature is all that counts."""
    big = 1e11
    plain = stationary_covariance("momentum", 0.3, 0.6, HESSIAN, NOISE)
    found = stationary_covariance("momentum", 0.3 / big, 0.6, big * HESSIAN, big**2 * NOISE)
    np.testing.assert_allclose(found, plain, rtol=1e-10)


def test_the_region_grows_with_the_batch() -> None:
    rows = np.array([[[0.5]], [[1.5]]])
    lr = np.linspace(0.01, 3.5, 500)
    stable = [
        (mean_square_radius("momentum", lr, 0.5, rows, size) < 1).sum() for size in (1, 4, 64)
    ]
    assert stable[0] < stable[1] < stable[2] <= (lr < 3).sum()


def test_what_makes_no_sense_is_a_line() -> None:
    with pytest.raises(InputError, match="hessian must be symmetric"):
        stationary_covariance("sgd", 0.1, 0.0, [[1.0, 2.0], [0.0, 1.0]], NOISE)
    with pytest.raises(InputError, match="noise_covariance must have the shape of the hessian"):
        stationary_covariance("sgd", 0.1, 0.0, [[1.0]], NOISE)
    with pytest.raises(InputError, match="size must be from 1 to the 2 rows: got 3"):
        minibatch_covariance([[1.0], [2.0]], 3, replacement=False)
