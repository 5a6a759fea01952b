"""Elementary functions: how far they are off, what IEEE 754 asks, and the same bits in kernels."""

from __future__ import annotations

import importlib.util
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

import fastmomentum
from fastmomentum import elementary

INF, NAN = float("inf"), float("nan")


def script() -> ModuleType:
    """``experiments/measure_elementary.py``, which makes the tables in the docstrings."""
    path = Path(fastmomentum.__file__).parents[1] / "experiments" / "measure_elementary.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


measuring = script()

MOST = {
    "sin": 1.0,
    "cos": 1.0,
    "tan": 2.5,
    "exp": 1.0,
    "decay": 2.0,
    "short_decay": 12.0,
    "log": 1.0,
    "tanh": 1.0,
    "sin_turns": 3.5,
    "cos_turns": 4.0,
    "haversine_turns": 7.0,
}
"""Units in the last place that each may be off, as its docstring says."""


@pytest.mark.parametrize("name", measuring.MEASURED)
def test_errors_stay_below_what_is_stated(name: str) -> None:
    measured = measuring.MEASURED[name]
    for seed, where in enumerate(measured.ranges):
        error, x = measuring.largest_error(measured, where.points(1500, 100 + seed))
        assert error <= MOST[name], (where.words, x)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_no_digits_are_lost_beside_multiples_of_a_quarter_turn(name: str) -> None:
    x = measuring.near_multiples(63_662, 61)
    error, where = measuring.largest_error(measuring.MEASURED[name], x)
    assert error <= MOST[name], where


@pytest.mark.parametrize("name", measuring.MEASURED)
def test_the_docstring_states_the_bound(name: str) -> None:
    text = getattr(elementary, name).__doc__
    assert f"{MOST[name]:g} ulp" in text.replace("units in the last place", "ulp")


SPECIAL: dict[str, list[tuple[float, float]]] = {
    "sin": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (INF, NAN),
        (-INF, NAN),
        (NAN, NAN),
        (5e-324, 5e-324),
        (-1e-310, -1e-310),
    ],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (5e-324, 1.0)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (NAN, NAN), (-5e-324, -5e-324)],
    "exp": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (INF, INF),
        (-INF, 0.0),
        (NAN, NAN),
        (709.79, INF),
        (1e308, INF),
        (-745.2, 0.0),
        (-745.1, 5e-324),
        (-1e308, 0.0),
        (5e-324, 1.0),
    ],
    "log": [
        (0.0, -INF),
        (-0.0, -INF),
        (1.0, 0.0),
        (INF, INF),
        (-INF, NAN),
        (NAN, NAN),
        (-1.0, NAN),
        (-5e-324, NAN),
        (5e-324, -744.4400719213812),
        (1.7976931348623157e308, 709.782712893384),
    ],
    "tanh": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (INF, 1.0),
        (-INF, -1.0),
        (NAN, NAN),
        (1e308, 1.0),
        (-1e308, -1.0),
        (5e-324, 5e-324),
        (-1e-310, -1e-310),
    ],
    "sqrt": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (INF, INF),
        (-1.0, NAN),
        (NAN, NAN),
        (5e-324, 2.2227587494850775e-162),
    ],
    "sin_turns": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (0.25, 1.0),
        (-0.25, -1.0),
        (0.5, 0.0),
        (7.25, 1.0),
        (1e300, 0.0),
        (INF, NAN),
        (NAN, NAN),
    ],
    "cos_turns": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (0.25, 0.0),
        (0.5, -1.0),
        (9.5, -1.0),
        (1e300, 1.0),
        (-INF, NAN),
    ],
    "haversine_turns": [
        (0.0, 0.0),
        (0.5, 1.0),
        (-0.5, 1.0),
        (3.0, 0.0),
        (1e300, 0.0),
        (INF, NAN),
        (NAN, NAN),
    ],
    "decay": [(0.0, 1.0), (INF, 3.307553003638408e-308), (NAN, NAN)],
    "short_decay": [(0.0, 1.0), (NAN, NAN)],
}


@pytest.mark.parametrize(
    ("name", "x", "wanted"),
    [(name, x, wanted) for name, cases in SPECIAL.items() for x, wanted in cases],
)
def test_zeros_infinities_nan_and_the_ends(name: str, x: float, wanted: float) -> None:
    with np.errstate(all="ignore"):
        got = float(getattr(elementary, name)(x))
    np.testing.assert_array_equal(got, wanted)
    assert np.isnan(wanted) or np.signbit(got) == np.signbit(wanted)


@pytest.mark.parametrize("name", ["exp", "log", "tanh"])
def test_nothing_is_warned_of_that_is_no_overflow(name: str) -> None:
    """Both sides of a select are computed: what is not taken must not be told."""
    x = np.array([0.0, 5e-324, 1e-310, 1.0, 700.0, NAN])
    getattr(elementary, name)(x)
    if name != "exp":
        getattr(elementary, name)(np.array([1e308, INF, -0.0]))


@pytest.mark.parametrize("name", ["sin", "cos"])
def test_beyond_the_stated_range_the_error_grows_slowly_and_never_leaves_one(name: str) -> None:
    measured = measuring.MEASURED[name]
    rng = np.random.default_rng(3)
    x = 10.0 ** rng.uniform(5, 300, 5000) * rng.choice([-1, 1], 5000)
    assert (np.abs(measured.function(x)) <= 1.0).all()
    for at in x[np.abs(x) < 1e14][:200].tolist():
        assert abs(measured.function(at) - float(measured.exact(at))) <= abs(at) * 2.0**-52


def everything() -> NDArray[np.float64]:
    """Numbers of all kinds and sizes, and patterns at random: NaNs, infinities, subnormals."""
    rng = np.random.default_rng(11)
    patterns = rng.integers(0, 2**64, 20_000, np.uint64, endpoint=False).view(np.float64)
    ends = [0.0, 5e-324, 1e-310, 2.0**-1022, 0.25, 0.5, 0.85, 1.0, 22.0, 708.0, 709.79, 745.2, INF]
    return np.concatenate(
        [patterns, rng.uniform(-3, 3, 5000), rng.uniform(-1e5, 1e5, 5000), ends, np.negative(ends)]
    )


@pytest.mark.parametrize("name", [name for name in elementary.__all__ if name != "select"])
def test_numbers_arrays_and_compiled_loops_give_the_same_bits(name: str) -> None:
    function: Callable[[Any], Any] = getattr(elementary, name)

    @njit(error_model="numpy")
    def compiled(x, out):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            out[i] = function(x[i])

    x = everything()
    out = np.empty_like(x)
    compiled(x, out)
    with np.errstate(all="ignore"):
        from_array = function(x)
        from_numbers = np.array([function(number) for number in x[-2000:].tolist()])
    for got, wanted in ((out, from_array), (from_numbers, from_array[-2000:])):
        np.testing.assert_array_equal(got, wanted)  # NaN aside, whose bits mean nothing
        zero = wanted == 0.0
        np.testing.assert_array_equal(np.signbit(got[zero]), np.signbit(wanted[zero]))


def test_select_takes_what_the_condition_says() -> None:
    for condition, one, other in itertools.product([True, False], [1.0, NAN], [2.0, INF]):
        np.testing.assert_array_equal(
            elementary.select(condition, one, other), one if condition else other
        )
    assert elementary.select(np.array([True, False]), 1.0, np.array([3.0, 4.0])).tolist() == [1, 4]
