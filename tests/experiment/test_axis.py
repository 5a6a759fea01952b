"""Axes: what makes one, what does not, and the same values on every machine."""

from __future__ import annotations

import decimal
import math
import sys
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.experiment.axis import LONGEST
from fastmomentum.experiment.ranges import geometric, stepped, steps_within
from fastmomentum.specification.base import Specification

TINY = 5e-324
HUGE = sys.float_info.max
FINITE = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=TINY, allow_infinity=False)


class Holder(Specification):
    axis: fm.Axis


def refused(given: Any) -> str:
    """What is said of an axis in a table."""
    with pytest.raises(fm.InputError) as caught:
        Holder.parse({"axis": given})
    message = str(caught.value)
    assert "\n" not in message
    return message


NUMBER = "axis must be a number, a list of numbers, or a table with linspace, logspace or arange: "
TWO = "must be a list of two finite numbers, the first and the last value: "
THREE = "must be a list of three finite numbers, the first value, the end and the step: "


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, NUMBER + "got nothing"),
        (True, NUMBER + "got true"),
        ("0.9", NUMBER + "got '0.9'; write it without quotes"),
        ("linspace", NUMBER + "got 'linspace'"),
        (b"1", NUMBER + "got b'1'"),
        (1j, NUMBER + "got 1j"),
        ({1.0}, NUMBER + "got {1.0}"),
        (math.nan, "axis must be a finite number: got nan"),
        (-math.inf, "axis must be a finite number: got -inf"),
        (10**400, "axis must be a finite number: got 1.00e+400"),
        ([], "axis is empty; give at least one number"),
        ({"values": []}, "axis is empty; give at least one number"),
        (np.array([]), "axis is empty; give at least one number"),
        ([0.1, True], "axis must be a number: got true (entry 1)"),
        ([0.1, "0.9"], "axis must be a number: got '0.9' (entry 1); write it without quotes"),
        ([0.1, None], "axis must be a number: got nothing (entry 1)"),
        ([[0.1]], "axis must be a number: got [0.1] (entry 0)"),
        ([0.1, math.nan, math.inf], "axis must be a finite number: got nan (entry 1); drop it"),
        ([1, 10**400], "axis must be a number that float64 can hold: got 1.00e+400 (entry 1)"),
        (
            np.array([True]),
            "axis must be plain numbers: got truth values, such as True; convert them with "
            "astype(float)",
        ),
        (np.ones((3, 4)), "axis must be one-dimensional: got an array of shape (3, 4)"),
        (
            [0.3, 0.1, 0.2, 0.1],
            "axis has 0.1 more than once (entries 1 and 3); list each value once",
        ),
        ([0.0, -0.0], "axis has 0.0 more than once (entries 0 and 1); list each value once"),
        ({}, "axis needs a list of numbers, or one of linspace, logspace, arange"),
        (
            {"num": 3},
            "axis needs a list of numbers, or one of linspace, logspace, arange: got num alone",
        ),
        (
            {"include": [1]},
            "axis needs a list of numbers, or one of linspace, logspace, arange: got include alone",
        ),
        ({"linspace": [0, 1]}, "axis needs num, the number of values, beside linspace; add it"),
        ({"linspace": [0, 1], "nmu": 3}, "axis.nmu: no such key; did you mean 'num'?"),
        ({"linspace": [0, 1], "num": 0}, "axis.num must be at least 1: got 0"),
        ({"linspace": [0, 1], "num": -3}, "axis.num must be at least 1: got -3"),
        ({"linspace": [0, 1], "num": 2.5}, "axis.num must be a whole number: got 2.5"),
        ({"linspace": [0, 1], "num": True}, "axis.num must be a whole number: got true"),
        (
            {"linspace": [0, 1], "num": 10**12},
            "axis.num must be at most 1000000: got 1000000000000",
        ),
        ({"linspace": 1, "num": 2}, f"axis.linspace {TWO}got 1"),
        ({"linspace": [1], "num": 2}, f"axis.linspace {TWO}got [1]"),
        ({"linspace": [1, 2, 3], "num": 2}, f"axis.linspace {TWO}got [1, 2, 3]"),
        ({"linspace": [1, "2"], "num": 2}, f"axis.linspace {TWO}got [1, '2']"),
        ({"linspace": [1, math.nan], "num": 2}, f"axis.linspace {TWO}got [1, nan]"),
        ({"logspace": [True, 2], "num": 2}, f"axis.logspace {TWO}got [true, 2]"),
        ({"arange": [0, 1]}, f"axis.arange {THREE}got [0, 1]"),
        ({"arange": [0, math.inf, 1]}, f"axis.arange {THREE}got [0, inf, 1]"),
        (
            {"logspace": [-6, -3], "num": 3},
            "axis.logspace takes the first and the last value themselves, both positive, "
            "not exponents: got [-6.0, -3.0]",
        ),
        (
            {"logspace": [0, 1], "num": 3},
            "axis.logspace takes the first and the last value themselves, both positive, "
            "not exponents: got [0.0, 1.0]",
        ),
        (
            {"linspace": [1, 1], "num": 3},
            "axis.linspace has no room for 3 different values: got [1.0, 1.0]; "
            "move its ends apart, or ask for fewer",
        ),
        (
            {"logspace": [TINY, 3 * TINY], "num": 9},
            "axis.logspace has no room for 9 different values: got [5e-324, 1.5e-323]; "
            "move its ends apart, or ask for fewer",
        ),
        (
            {"linspace": [-HUGE, HUGE], "num": 3},
            "axis.linspace spans more than a float64 can hold; move its ends together",
        ),
        (
            {"linspace": [0, 1], "logspace": [1, 2], "num": 3},
            "axis takes one of a list, linspace, logspace and arange: got linspace and logspace; "
            "keep one, and name further values in include",
        ),
        (
            {"values": [1], "linspace": [0, 1], "num": 3},
            "axis takes one of a list, linspace, logspace and arange: got values and linspace; "
            "keep one, and name further values in include",
        ),
        (
            {"values": [1], "num": 3},
            "axis takes num beside linspace or logspace, not beside a list; drop it",
        ),
        (
            {"arange": [0, 1, 0.5], "num": 3},
            "axis takes num beside linspace or logspace, not beside arange; drop it",
        ),
        ({"arange": [0, 1, 0]}, "axis.arange needs a step other than 0: got [0.0, 1.0, 0.0]"),
        (
            {"arange": [0, 1, -0.5]},
            "axis.arange is empty: a step of -0.5 leads away from 1.0, the end: "
            "got [0.0, 1.0, -0.5]; turn the step's sign",
        ),
        (
            {"arange": [1, 1, 1]},
            "axis.arange is empty: a step of 1.0 leads nowhere from 1.0, the end: "
            "got [1.0, 1.0, 1.0]; move the end",
        ),
        (
            {"arange": [0, 1, 1e-12]},
            "axis has 1,000,000,000,000 values, and may have 1,000,000; take a larger step",
        ),
        (
            {"arange": [-HUGE, HUGE, TINY]},
            "axis has more than 10^18 values, and may have 1,000,000; take a larger step",
        ),
        (
            {"linspace": [0, 1], "num": LONGEST, "include": [2, 3]},
            "axis has 1,000,002 values, and may have 1,000,000; lower num",
        ),
        (
            np.arange(LONGEST + 1.0),
            "axis has 1,000,001 values, and may have 1,000,000; shorten the list",
        ),
        (
            {"linspace": [0, 1], "num": 2, "include": 3},
            "axis.include must be a list: got 3; write [3]",
        ),
        (
            {"linspace": [0, 1], "num": 2, "include": [3, math.inf]},
            "axis.include must be a finite number: got inf (entry 1); drop it",
        ),
        (
            {"linspace": [0, 1], "num": 2, "include": [3, 4, 3]},
            "axis.include has 3.0 more than once (entries 0 and 2); list each value once",
        ),
    ],
)
def test_refused(given: Any, message: str) -> None:
    assert refused(given) == message


def test_an_axis_by_itself_says_the_same() -> None:
    with pytest.raises(fm.InputError, match=r"^axis needs num, the number of values, beside linsp"):
        fm.Axis(linspace=(0, 1))
    with pytest.raises(fm.InputError, match=r"^num must be at least 1: got 0$"):
        fm.Axis(linspace=(0, 1), num=0)


def test_a_huge_axis_is_refused_before_it_is_laid_out() -> None:
    begun = time.perf_counter()
    refused({"arange": [0, 1, 1e-15]})
    refused({"linspace": [0, 1], "num": 10**15})
    refused(np.full(LONGEST, np.nan))
    assert time.perf_counter() - begun < 5.0


@pytest.mark.parametrize(
    ("given", "points"),
    [
        (0.9, [0.9]),
        (1, [1.0]),
        ([0.9, 0.1], [0.1, 0.9]),
        ((2, 1.5), [1.5, 2.0]),
        (range(3), [0.0, 1.0, 2.0]),
        (np.array([3, 1]), [1.0, 3.0]),
        (np.float32(0.5), [0.5]),
        (np.array(0.5), [0.5]),
        ([np.float32(0.5), np.int64(2)], [0.5, 2.0]),
        ([-0.0], [0.0]),
        ({"values": [2, 1], "include": [3]}, [1.0, 2.0, 3.0]),
        ({"linspace": [0, 1], "num": 3}, [0.0, 0.5, 1.0]),
        ({"linspace": [1, 0], "num": 3}, [0.0, 0.5, 1.0]),
        ({"linspace": np.array([0, 1]), "num": np.int64(3)}, [0.0, 0.5, 1.0]),
        ({"linspace": [1, 2], "num": 1}, [1.0]),
        ({"linspace": [1, 1], "num": 1.0}, [1.0]),
        ({"linspace": [0, 1], "num": 2, "include": [0.5, 1]}, [0.0, 0.5, 1.0]),
        ({"logspace": [1, 100], "num": 3}, [1.0, 10.0, 100.0]),
        ({"logspace": [100, 1], "num": 3}, [1.0, 10.0, 100.0]),
        ({"arange": [0, 1, 0.25]}, [0.0, 0.25, 0.5, 0.75]),
        ({"arange": [1, 0, -0.5]}, [0.5, 1.0]),
        ({"arange": [1, 1.3, 0.1]}, [1.0, 1.1, 1.2]),
    ],
)
def test_accepted(given: Any, points: list[float]) -> None:
    axis = Holder(axis=given).axis
    assert axis.points.tolist() == points
    assert axis.points.dtype == np.float64
    assert not np.signbit(axis.points[axis.points == 0]).any()
    assert not axis.points.flags.writeable


def test_what_looks_like_an_array_is_one() -> None:
    import pandas as pd
    import xarray as xr

    assert Holder(axis=pd.Series([2.0, 1.0])).axis.points.tolist() == [1.0, 2.0]
    assert Holder(axis=xr.DataArray([2.0, 1.0])).axis.points.tolist() == [1.0, 2.0]


def test_linspace_is_numpys() -> None:
    found = fm.Axis(linspace=(0.0, 0.99), num=64).points
    np.testing.assert_array_equal(found, np.linspace(0.0, 0.99, 64))


@given(
    st.one_of(
        st.lists(FINITE, min_size=1, max_size=20),
        st.fixed_dictionaries(
            {
                "linspace": st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
                "num": st.integers(1, 50),
            },
            optional={"include": st.lists(FINITE, max_size=5)},
        ),
        st.fixed_dictionaries(
            {"logspace": st.tuples(POSITIVE, POSITIVE), "num": st.integers(1, 50)},
            optional={"include": st.lists(FINITE, max_size=5)},
        ),
        st.fixed_dictionaries(
            {"arange": st.tuples(st.floats(-9, 9), st.floats(-9, 9), st.floats(0.1, 9))}
        ),
    )
)
def test_points_are_sorted_and_unique_or_it_is_said_why_not(given: Any) -> None:
    try:
        points = Holder(axis=given).axis.points
    except fm.InputError as error:
        assert str(error).startswith("axis")  # noqa: PT017  (either is right)
        return
    assert np.isfinite(points).all()
    assert (points[1:] > points[:-1]).all()  # a difference may overflow
    if isinstance(given, dict):
        for key in ("linspace", "logspace"):
            if key in given and given["num"] > 1:
                assert set(given[key]) <= set(points.tolist())
        assert set(given.get("include", ())) <= set(points.tolist())


@given(POSITIVE, POSITIVE, st.integers(2, 60))
def test_geometric_is_monotonic_between_its_ends(first: float, last: float, num: int) -> None:
    found = geometric(first, last, num)
    assert (found[0], found[-1]) == (first, last)
    assert (np.diff(found) >= 0).all() if first <= last else (np.diff(found) <= 0).all()


@given(st.floats(1e-9, 1e3), st.floats(1e-9, 1e3), st.integers(2, 60))
def test_geometric_is_geomspace_but_for_its_last_digits(
    first: float, last: float, num: int
) -> None:
    np.testing.assert_allclose(
        geometric(first, last, num), np.geomspace(first, last, num), rtol=1e-14
    )


@pytest.mark.parametrize("ends", [(1e-6, 1e-3), (1e-3, 1e-6), (0.3, 0.7), (1e-12, 1e12)])
def test_geometric_agrees_with_the_exact_power(ends: tuple[float, float]) -> None:
    first, last = (decimal.Decimal(end) for end in ends)
    context = decimal.Context(prec=80)
    for i, found in enumerate(geometric(*ends, 64)):
        power = context.divide(decimal.Decimal(i), decimal.Decimal(63))
        exact = context.multiply(first, context.power(context.divide(last, first), power))
        assert found == float(exact)


def test_geometric_does_not_depend_on_anyones_decimal_context() -> None:
    wanted = geometric(1e-6, 1e-3, 100)
    odd = decimal.Context(prec=3, rounding=decimal.ROUND_UP, traps=[decimal.Inexact])
    before = decimal.DefaultContext.traps[decimal.Inexact]
    decimal.DefaultContext.traps[decimal.Inexact] = True
    try:
        with decimal.localcontext(odd):
            found = geometric(1e-6, 1e-3, 100)
    finally:
        decimal.DefaultContext.traps[decimal.Inexact] = before
    assert found.tobytes() == wanted.tobytes()


def test_geometric_at_the_edges() -> None:
    assert geometric(3.0, 3.0, 4).tolist() == [3.0] * 4
    assert geometric(3.0, 5.0, 1).tolist() == [3.0]
    assert geometric(TINY, HUGE, 2).tolist() == [TINY, HUGE]
    found = geometric(TINY, HUGE, 2099)
    assert np.isfinite(found).all()
    assert (np.diff(found) > 0).sum() > 2000


@given(st.floats(-100, 100), st.floats(-100, 100), st.floats(-9, 9).filter(lambda s: abs(s) > 0.01))
def test_stepped_stays_before_its_end(first: float, end: float, step: float) -> None:
    found = stepped(first, end, step)
    assert found.size in (steps_within(first, end, step), steps_within(first, end, step) - 1)
    assert (found < end).all() if step > 0 else (found > end).all()
    if found.size:
        assert found[0] == first
        assert abs(found[-1] + step - end) <= abs(step) + 1e-9
