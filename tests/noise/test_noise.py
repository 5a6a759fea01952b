"""Noise: the generator's published vectors, keys, the Gaussian's statistics, rows of batches.

Statistical tests have fixed seeds, so they pass always or never; what is stated is how often one
of them would refuse a perfect generator over all choices of the seed.
"""

from __future__ import annotations

import itertools
import math
import sys
from typing import Any

import numpy as np
import pytest
from numba import njit
from numba.extending import overload

from fastmomentum.errors import InputError
from fastmomentum.kernels import bits as kernel_bits
from fastmomentum.noise import (
    NOTHING,
    absorbed,
    batch_rows,
    drawn_row,
    epoch_keys,
    epoch_order,
    gaussian_pair,
    key_of,
    position_bits,
    shuffled_row,
    threefry,
    uniform,
)
from fastmomentum.noise.gaussian import LARGEST
from fastmomentum.noise.keys import MOST_SEEDS
from fastmomentum.noise.rows import scrambled

N = 1_000_000
"""Draws of a statistical test."""
FIVE_SIGMA = 5.0
"""A perfect generator is off by more in one case of 1.7 million."""

VECTORS = [
    ("00000000 00000000 00000000 00000000", "9d1c5ec6 8bd50731"),
    ("ffffffff ffffffff ffffffff ffffffff", "fd36d048 2d17272c"),
    ("243f6a88 85a308d3 13198a2e 03707344", "ba3e4725 f27d669e"),
]
"""Counter and key, and what comes of them: threefry2x32 of 13 rounds in Random123's kat_vectors."""


def words(text: str) -> list[np.uint64]:
    return [np.uint64(int(word, 16)) for word in text.split()]


@pytest.mark.parametrize(("given", "expected"), VECTORS)
def test_vectors_of_the_authors(given: str, expected: str) -> None:
    assert list(threefry(*words(given))) == words(expected)


def test_arrays_give_what_numbers_give() -> None:
    counters, keys = np.array([words(given) for given, _ in VECTORS]).T.reshape(2, 2, -1)
    mixed = np.stack(threefry(*counters, *keys), axis=-1)
    assert mixed.tolist() == [[int(word) for word in words(expected)] for _, expected in VECTORS]


@pytest.fixture(scope="module")
def compiled() -> Any:
    """A loop as a kernel has it, over the plain functions."""
    for name in ("threefry", "keys", "gaussian", "rows"):
        module = sys.modules[f"fastmomentum.noise.{name}"]
        for function in vars(module).values():
            if callable(function) and getattr(function, "__module__", "") == module.__name__:
                overload(function, jit_options=kernel_bits.INLINED, strict=False)(
                    lambda *_, form=function: form
                )

    @njit(error_model="numpy")  # type: ignore[untyped-decorator, unused-ignore]
    def fill(seeds, steps, numbers, rows, n_rows, low, high):  # type: ignore[no-untyped-def]
        for i in range(seeds.size):
            state_0, state_1 = absorbed(0.1 * i, NOTHING, NOTHING)
            key_0, key_1 = key_of(seeds[i], state_0, state_1)
            for t in range(steps):
                numbers[i, t, 0], numbers[i, t, 1] = gaussian_pair(t, i, key_0, key_1)
            keys = epoch_keys(i, key_0, key_1)
            for place in range(n_rows):
                rows[0, i, place] = shuffled_row(place, n_rows, low, high, keys)
                rows[1, i, place] = drawn_row(i, place, n_rows, key_0, key_1)

    return fill


@pytest.mark.parametrize("n_rows", [1, 2, 64, 65, 1000])
def test_kernels_give_the_same_bits(n_rows: int, compiled: Any) -> None:
    seeds = np.array([0, 1, 2**31, 2**63 - 1])
    numbers, rows = np.empty((4, 100, 2)), np.empty((2, 4, n_rows), np.int64)
    low, high = position_bits(n_rows)
    compiled(seeds, 100, numbers, rows, n_rows, low, high)
    i = np.arange(4)
    key = key_of(seeds, *absorbed(0.1 * i, NOTHING, NOTHING))
    steps = np.arange(100)
    key_column = (key[0][:, None], key[1][:, None])
    expected = np.stack(gaussian_pair(steps, i[:, None], *key_column), axis=-1)
    assert numbers.tobytes() == expected.tobytes()
    places = np.arange(n_rows)
    drawn = drawn_row(i[:, None], places, n_rows, *key_column)
    assert (rows[1] == drawn).all()
    for j in range(4):
        keys = epoch_keys(j, key[0][j], key[1][j])
        alone = [int(shuffled_row(place, n_rows, low, high, keys)) for place in places]
        assert rows[0, j].tolist() == alone
        assert sorted(alone) == list(range(n_rows))


def test_known_bits() -> None:
    """Words that no version may change, for files say only the seed."""
    state = absorbed(-1.5, *absorbed(0.25, NOTHING, NOTHING))
    assert [int(word) for word in key_of(7, *state)] == KEY
    assert [int(word) for word in key_of(MOST_SEEDS - 1, NOTHING, NOTHING)] == LAST_KEY
    assert epoch_order(seed=3, epoch=2, n_rows=12).tolist() == ORDER
    assert batch_rows(3, 2, 12, 6, "replacement").tolist() == DRAWN


KEY = [3526634980, 2367975039]
LAST_KEY = [184539139, 3414221894]
ORDER = [1, 3, 2, 10, 7, 9, 0, 8, 5, 4, 6, 11]
DRAWN = [9, 7, 11, 1, 5, 0]


def test_keys_differ() -> None:
    keys = set()
    values = (0.0, 1.0, math.nextafter(1.0, 2.0), -1.0, math.inf)
    for lr, momentum, seed in itertools.product(values, values, (0, 1, 2**32)):
        state = absorbed(momentum, *absorbed(lr, NOTHING, NOTHING))
        keys.add(tuple(int(word) for word in key_of(seed, *state)))
    assert len(keys) == len(values) ** 2 * 3
    assert absorbed(-0.0, NOTHING, NOTHING) == absorbed(0.0, NOTHING, NOTHING)


def test_uniform_numbers_never_reach_the_ends() -> None:
    ends = uniform(np.array([0, 1, 2**32 - 1], np.uint64))
    assert ends.tolist() == [2.0**-33, 3 * 2.0**-33, 1 - 2.0**-33]


def test_no_number_is_larger() -> None:
    assert math.sqrt(-2 * math.log(2.0**-33)) == LARGEST


KEYS: dict[str, Any] = {
    "steps": lambda: gaussian_pair(np.arange(N // 2), 0, *key_of(1, NOTHING, NOTHING)),
    "coordinates": lambda: gaussian_pair(9, np.arange(N // 2), *key_of(1, NOTHING, NOTHING)),
    "seeds": lambda: gaussian_pair(0, 0, *key_of(np.arange(N // 2), NOTHING, NOTHING)),
    "runs": lambda: gaussian_pair(
        0, 0, *key_of(0, *absorbed(np.linspace(0, 1, N // 2), NOTHING, NOTHING))
    ),
}
"""What goes from draw to draw."""


@pytest.fixture(scope="module", params=KEYS)
def pairs(request: pytest.FixtureRequest) -> Any:
    return np.array(KEYS[request.param]())


def test_moments(pairs: Any) -> None:
    """Of 10^6 draws, against the normal distribution's; false alarm: 4 in 1.7 million."""
    z = pairs.ravel()
    assert z.size == N
    for power, mean, variance in [(1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)]:
        assert abs((z**power).mean() - mean) < FIVE_SIGMA * math.sqrt(variance / N), power


def test_distribution(pairs: Any) -> None:
    """Kolmogorov and Smirnov's distance of 10^6 draws; false alarm: 1 in 10^6."""
    z = np.sort(pairs.ravel())
    below = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in z[::10]])
    rank = np.arange(N)[::10]
    # The distance over every tenth draw is at most that over all, and nearer than 10/N to it.
    distance = max((below - rank / N).max(), ((rank + 1) / N - below).max())
    assert distance < math.sqrt(-0.5 * math.log(0.5e-6) / N)


def test_tails(pairs: Any) -> None:
    """Draws beyond 4, 63.3 of 10^6 on average; false alarm: 2 in 10^5."""
    assert 32 < (np.abs(pairs) > 4).sum() < 101


def test_no_correlation(pairs: Any) -> None:
    """In a pair, and with the next draws, signed and squared; false alarm: 18 in 1.7 million."""
    x, y = pairs
    n = x.size
    for lag in (0, 1, 2, 4, 1024):
        for first, second in ((x, y), (x, x), (y, y), (x**2 - 1, y**2 - 1)):
            if lag == 0 and first is second:
                continue
            variance = 4 if first is not x and first is not y else 1
            covariance = (first[: n - lag] * second[lag:]).mean()
            assert abs(covariance) < FIVE_SIGMA * math.sqrt(variance / (n - lag)), lag


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("seeds", [key_of(0, NOTHING, NOTHING), key_of(1, NOTHING, NOTHING)]),
        ("far seeds", [key_of(0, NOTHING, NOTHING), key_of(2**32, NOTHING, NOTHING)]),
        (
            "neighbouring learning rates",
            [key_of(0, *absorbed(lr, NOTHING, NOTHING)) for lr in (0.1, math.nextafter(0.1, 1.0))],
        ),
    ],
)
def test_neighbours_walk_by_themselves(one: str, other: Any) -> None:
    """No correlation of two keys' numbers, step by step; false alarm: 1 in 1.7 million."""
    steps = np.arange(N)
    (a, _), (b, _) = (gaussian_pair(steps, 0, *key) for key in other)
    assert abs((a * b).mean()) < FIVE_SIGMA / math.sqrt(N)


@pytest.mark.parametrize("n_rows", [1, 2, 3, 5, 63, 64, 65, 1000, 4097])
def test_each_row_comes_once_an_epoch(n_rows: int) -> None:
    orders = [epoch_order(seed, epoch, n_rows) for seed in (0, 1) for epoch in (0, 1, 2)]
    for order in orders:
        assert np.sort(order).tolist() == list(range(n_rows))
    if n_rows > 60:
        assert len({order.tobytes() for order in orders}) == len(orders)


@pytest.mark.parametrize("n_rows", [2, 3, 4, 5])
def test_all_orders_are_as_likely(n_rows: int) -> None:
    """Chi-squared over all n! orders of 12,000 epochs; false alarm: 1 in 10^5."""
    epochs = 12_000
    low, high = (np.uint64(bits) for bits in position_bits(n_rows))
    epoch = np.arange(epochs)[:, None]
    keys = epoch_keys(epoch, *key_of(5, NOTHING, NOTHING))
    orders = scrambled(np.arange(n_rows, dtype=np.uint64), low, high, keys)
    while (outside := orders >= n_rows).any():  # of all epochs at once, as one by one takes long
        orders = np.where(outside, scrambled(orders, low, high, keys), orders)
    assert orders[7].tolist() == epoch_order(5, 7, n_rows).tolist()
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    n_orders = math.factorial(n_rows)
    expected = epochs / n_orders
    distance = ((counts - expected) ** 2 / expected).sum() + (n_orders - counts.size) * expected
    assert distance < chi_squared_limit(n_orders - 1)


def chi_squared_limit(degrees: int) -> float:
    """Passed in one case of 10^5, nearly (Wilson and Hilferty 1931)."""
    ninth = 2 / (9 * degrees)
    return float(degrees * (1 - ninth + 4.27 * math.sqrt(ninth)) ** 3)


@pytest.mark.parametrize("n_rows", [64, 100, 1000])
def test_a_row_is_anywhere_and_beside_anything(n_rows: int) -> None:
    """Places of rows, and steps from row to row; false alarm: 2 in 10^5."""
    orders = np.array([epoch_order(11, epoch, n_rows) for epoch in range(400)])
    cells = 16
    places = np.arange(n_rows) * cells // n_rows
    table = np.zeros((cells, cells))
    np.add.at(table, (np.broadcast_to(places, orders.shape), orders * cells // n_rows), 1)
    sizes = np.bincount(places)
    expected = 400 * np.outer(sizes, sizes) / n_rows
    # Each order's table has fixed margins; for n rows its cells vary n/(n - 1) times as much.
    distance = ((table - expected) ** 2 / expected).sum() * (n_rows - 1) / n_rows
    assert distance < chi_squared_limit((cells - 1) ** 2)
    strides = (np.diff(orders, axis=1) % n_rows).ravel()
    counts = np.bincount(strides, minlength=n_rows)[1:]
    expected_count = strides.size / (n_rows - 1)
    assert ((counts - expected_count) ** 2 / expected_count).sum() < chi_squared_limit(n_rows - 2)


def test_batches_of_an_epoch() -> None:
    batches = [batch_rows(seed=2, step=t, n_rows=10, size=4) for t in range(6)]
    assert [batch.size for batch in batches] == [4, 4, 2, 4, 4, 2]
    first, second = np.concatenate(batches[:3]), np.concatenate(batches[3:])
    assert sorted(first) == sorted(second) == list(range(10))
    assert first.tolist() != second.tolist()
    assert batch_rows(2, 5, 10, 10).tolist() == epoch_order(2, 5, 10).tolist()


def test_replacement_draws_each_row_as_often() -> None:
    """Chi-squared of 10^6 draws of 1,000 rows; false alarm: 1 in 10^5."""
    rows = drawn_row(np.arange(1000)[:, None], np.arange(1000), 1000, *key_of(4, NOTHING, NOTHING))
    counts = np.bincount(np.asarray(rows, np.int64).ravel(), minlength=1000)
    assert counts.size == 1000
    assert ((counts - 1000.0) ** 2 / 1000.0).sum() < chi_squared_limit(999)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"n_rows": 0}, "n_rows must be from 1 to 268,435,456: got 0"),
        ({"size": 0}, "size must be from 1 to the 10 rows: got 0"),
        ({"size": 11}, "size must be from 1 to the 10 rows: got 11"),
        ({"draw": "shufle"}, "no 'shufle'; did you mean 'shuffle'?"),
    ],
)
def test_what_makes_no_sense_is_a_line(fields: dict[str, Any], text: str) -> None:
    given: dict[str, Any] = {"seed": 0, "step": 0, "n_rows": 10, "size": 2} | fields
    with pytest.raises(InputError) as caught:
        batch_rows(**given)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)
