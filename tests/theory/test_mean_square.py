"""The limit of stability in the mean square: where the radius of the second moments is 1."""

from __future__ import annotations

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.theory import mean_square_limit, mean_square_radius, row_terms, stable_limit

RULES = [name for name, rule in fm.RULES.items() if rule.form]
ROWS = np.array([[[1.0, 0.3], [0.3, 0.4]], [[0.5, 0.0], [0.0, 2.0]], [[3.0, -1.0], [-1.0, 1.0]]])
MOMENTA = np.array([0.0, 0.3, 0.6, 0.9, 0.99])


@pytest.mark.parametrize("size", [1, 3, 50])
def test_of_sgd_it_has_a_closed_form(size: int) -> None:
    x_squared = np.array([0.1, 1.0, 2.0, 7.0])
    mean, variance = x_squared.mean(), x_squared.var()
    found = mean_square_limit("sgd", 0.0, x_squared[:, None, None], size)
    np.testing.assert_allclose(found, 2.0 * mean / (mean**2 + variance / size), rtol=1e-9)


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("rule", RULES)
def test_below_it_all_is_stable_and_above_it_nothing(rule: str, size: int) -> None:
    """Also far below and above: the stable learning rates are one interval."""
    limit = mean_square_limit(rule, MOMENTA, ROWS, size)
    assert limit.shape == MOMENTA.shape
    assert np.all(limit > 0)
    np.testing.assert_allclose(mean_square_radius(rule, limit, MOMENTA, ROWS, size), 1.0, rtol=1e-8)
    shares = np.concatenate([np.geomspace(1e-3, 0.9, 25), [1 - 1e-6]])[:, np.newaxis]
    assert np.all(mean_square_radius(rule, shares * limit, MOMENTA, ROWS, size) < 1.0)
    shares = np.concatenate([[1 + 1e-6], np.geomspace(1.01, 50.0, 60)])[:, np.newaxis]
    assert np.all(mean_square_radius(rule, shares * limit, MOMENTA, ROWS, size) > 1.0)


@pytest.mark.parametrize("rule", RULES)
def test_of_rows_that_are_all_the_same_it_is_that_of_the_full_gradient(rule: str) -> None:
    same = np.tile([[2.0, 0.6], [0.6, 1.0]], (3, 1, 1))
    high = float(np.linalg.eigvalsh(same[0])[-1])
    found = mean_square_limit(rule, MOMENTA, same, 1)
    # At a double root on the circle half of the digits are right.
    np.testing.assert_allclose(found, stable_limit(rule, MOMENTA) / high, rtol=1e-6)


def test_it_takes_a_parameter_for_each_cell() -> None:
    nu = np.array([0.0, 0.3, 1.0])
    together = mean_square_limit(fm.UpdateRule(name="qhm").varying(nu=nu), 0.6, ROWS, 1)
    for k, one in enumerate(nu.tolist()):
        alone = mean_square_limit(fm.UpdateRule(name="qhm", nu=one), 0.6, ROWS, 1)
        np.testing.assert_allclose(together[k], alone, rtol=1e-10)  # halved as often as all need


def test_data_far_from_1_lose_no_digits() -> None:
    """Of x in the hundred thousands, and of x that differ by a hundred-thousandth."""
    for scale in (1e5, 1e-5):
        rows = ROWS * scale**2
        found = mean_square_limit("momentum", MOMENTA, rows, 2)
        plain = mean_square_limit("momentum", MOMENTA, ROWS, 2)
        np.testing.assert_allclose(found * scale**2, plain, rtol=1e-9)
    random = np.random.default_rng(5)
    x = random.uniform(20_000.0, 240_000.0, 30)
    rows = row_terms(fm.MSE.from_arrays(x, 2.0 * x + random.standard_normal(30))).hessians
    limit = mean_square_limit("sgd", 0.0, rows, 1)
    # The condition number is 10^10, and the slow direction hardly counts.
    fast = 2.0 * np.square(x)
    expected = 2.0 * fast.mean() / (fast.mean() ** 2 + fast.var())
    np.testing.assert_allclose(limit, expected, rtol=1e-6)


def test_what_has_no_limit_gets_none() -> None:
    assert mean_square_limit("sgd", 0.0, [[[0.0]], [[0.0]]], 1) == np.inf


def test_what_overflows_is_not_stable() -> None:
    found = mean_square_radius("momentum", [0.1, 1e200, 1e307], 0.5, ROWS, 1)
    assert found[0] < 1.0
    assert found[1:].tolist() == [np.inf, np.inf]
