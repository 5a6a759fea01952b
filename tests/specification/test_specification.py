"""Specifications: strict about types, at ease with NumPy, frozen, and plain in what they say."""

from __future__ import annotations

import copy
import datetime
import pickle
from typing import Any

import numpy as np
import pytest
from pydantic import Field

import fastmomentum as fm
from fastmomentum.specification.base import Specification, Whole, plain
from fastmomentum.specification.messages import MOST_LINES, faults
from fastmomentum.text import shown, suggest


class Inner(Specification):
    size: float
    count: Whole = Field(default=1, ge=0, le=10)


class Outer(Specification):
    inner: Inner
    name: str = "x"
    flag: bool = False


def experiment(**changes: Any) -> fm.Experiment:
    fields: dict[str, Any] = {
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": 100,
        "grid": fm.Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1)]),
    }
    return fm.Experiment(**(fields | changes))


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "inner is missing; add it"),
        ({"inner": {"size": 1}, "nmae": "y"}, "nmae: no such key; did you mean 'name'?"),
        ({"inner": {"size": 1}, "zz": 1}, "zz: no such key; known are inner, name, flag"),
        ({"inner": {"siez": 1}}, "inner.siez: no such key; did you mean 'size'?"),
        (
            {"inner": {"size": 1}, "\x1b[31m": 1},
            r"\x1b[31m: no such key; known are inner, name, flag",
        ),
        ({"inner": {"SIZE": 1}}, "inner.SIZE: no such key; did you mean 'size'?"),
        ({"inner": 5}, "inner must be a table with the keys size, count: got 5"),
        (
            {"inner": [{"size": 1}]},
            "inner must be a table with the keys size, count: got [{ size = 1 }]; "
            "write [inner], not [[inner]]",
        ),
        (
            {"inner": {"size": "1.5"}},
            "inner.size must be a number: got '1.5'; write it without quotes",
        ),
        ({"inner": {"size": "a"}}, "inner.size must be a number: got 'a'"),
        ({"inner": {"size": True}}, "inner.size must be a number: got true"),
        ({"inner": {"size": None}}, "inner.size must be a number: got nothing"),
        ({"inner": {"size": float("nan")}}, "inner.size must be a finite number: got nan"),
        (
            {"inner": {"size": -(10**400)}},
            "inner.size must be a number that float64 can hold: got -1.00e+400",
        ),
        ({"inner": {"size": 1, "count": 1.5}}, "inner.count must be a whole number: got 1.5"),
        ({"inner": {"size": 1, "count": True}}, "inner.count must be a whole number: got true"),
        (
            {"inner": {"size": 1, "count": "3"}},
            "inner.count must be a whole number: got '3'; write it without quotes",
        ),
        ({"inner": {"size": 1, "count": -1}}, "inner.count must be at least 0: got -1"),
        ({"inner": {"size": 1, "count": 1e300}}, "inner.count must be at most 10: got 1.00e+300"),
        ({"inner": {"size": 1}, "name": 5}, "name must be text, in quotes: got 5"),
        ({"inner": {"size": 1}, "flag": 1}, "flag must be true or false: got 1"),
    ],
)
def test_each_fault_is_told_in_a_line(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        Outer.parse(fields)
    assert str(caught.value) == message
    with pytest.raises(fm.InputError) as caught:
        Outer(**fields)
    assert str(caught.value) == message


def test_all_faults_are_told_at_once_but_no_more_than_a_few() -> None:
    with pytest.raises(fm.InputError) as caught:
        Inner.parse({"count": -1})
    assert str(caught.value) == "size is missing; add it\ncount must be at least 0: got -1"
    with pytest.raises(fm.InputError) as caught:
        Inner.parse({"size": 1} | {f"{letter}{letter}": 1 for letter in "abcdefgh"})
    lines = str(caught.value).splitlines()
    assert len(lines) == MOST_LINES
    assert lines[-1] == "and 4 more faults"
    with pytest.raises(fm.InputError) as caught:
        Inner.parse({"size": 1} | {f"key{i}": 1 for i in range(100_000)})
    assert str(caught.value).splitlines()[-1] == "and 99,996 more faults"


def test_what_is_no_table_is_told_of_the_whole() -> None:
    with pytest.raises(fm.InputError, match=r"^inner must be a table with the keys size, count"):
        Inner.parse([1, 2])


@pytest.mark.parametrize(
    "number", [2, 2.0, np.float64(2), np.float32(2), np.int8(2), np.array(2), np.array(2.0)]
)
def test_numbers_of_any_kind_are_numbers(number: Any) -> None:
    inner = Inner(size=number, count=number)
    assert inner == Inner(size=2.0, count=2)
    assert (type(inner.size), type(inner.count)) == (float, int)


def test_numpys_truth_is_no_number() -> None:
    with pytest.raises(fm.InputError, match="size must be a number: got true"):
        Inner(size=np.True_)


def test_plain_goes_into_lists() -> None:
    found = plain([np.float32(0.5), (np.int64(1), [np.array([1, 2]), np.longdouble(3)]), "x", None])
    assert found == [0.5, [1, [[1, 2], 3.0]], "x", None]


def test_frozen() -> None:
    found = experiment()
    with pytest.raises(fm.InputError, match=r"^steps cannot be changed; make a new Experiment$"):
        found.steps = 5
    with pytest.raises(fm.InputError, match=r"^num cannot be changed; make a new Axis$"):
        found.grid.lr.num = 5
    with pytest.raises(fm.InputError, match=r"^steps cannot be taken away"):
        del found.steps
    assert found == experiment()


def test_copies() -> None:
    found = experiment()
    assert found.sha256  # computed once and kept; a changed copy must not keep it
    changed = found.model_copy(update={"steps": 7})
    assert changed == experiment(steps=7)
    assert changed.sha256 == experiment(steps=7).sha256 != found.sha256
    with pytest.raises(fm.InputError, match="stepz: no such key; did you mean 'steps'"):
        found.model_copy(update={"stepz": 7})
    with pytest.raises(fm.InputError, match="steps must be at least 1: got 0"):
        found.model_copy(update={"steps": 0})
    for same in (
        found.model_copy(),
        found.model_copy(deep=True),
        copy.copy(found),
        copy.deepcopy(found),
        pickle.loads(pickle.dumps(found)),
    ):
        assert same == found
        assert same.sha256 == found.sha256
    assert hash(experiment()) == hash(experiment())


def test_a_copy_with_other_data_reads_them(tmp_path: Any) -> None:
    (tmp_path / "a.csv").write_text("u,v\n1,2\n2,4\n")
    mse = fm.MSE(data=str(tmp_path / "a.csv"), x="u", y="v")
    swapped = mse.model_copy(update={"x": "v", "y": "u"})
    assert mse.minimisers.tolist() == [[2.0, 0.0]]
    assert swapped.minimisers.tolist() == [[0.5, 0.0]]
    assert mse.model_copy(update={"reduction": "half_sum"}).statistics == mse.statistics


def test_it_shows_what_was_given() -> None:
    assert repr(experiment().grid.lr) == "Axis(values=(0.1, 0.2))"
    assert repr(fm.Rosenbrock(a=2)) == "Rosenbrock(a=2.0)"
    assert repr(fm.Booth()) == "Booth()"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        (True, "true"),
        (12, "12"),
        pytest.param(10**5000, "1.00e+5000", id="huge"),
        (0.1, "0.1"),
        ("a\nb", r"'a\nb'"),
        ([1, [True]], "[1, [true]]"),
        ({}, "{}"),
        ({"a": 1, "b": [2]}, "{ a = 1, b = [2] }"),
        (datetime.date(2020, 1, 2), "2020-01-02"),
        (fm.Rosenbrock, "the class Rosenbrock"),
        ("a" * 100, "'" + "a" * 56 + "..."),
        (list(range(10**6)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16..."),
    ],
)
def test_shown(value: object, text: str) -> None:
    assert shown(value) == text


def test_suggest() -> None:
    assert suggest("Nestrov", fm.RULES) == "did you mean 'nesterov'?"
    assert suggest("zzz", ["sgd", "ema"]) == "known are sgd, ema"


def test_faults_lie_where_they_are_put() -> None:
    found = faults([("a.b", "is odd"), ("c", "is even")]).errors()
    assert [fault["loc"] for fault in found] == [("a", "b"), ("c",)]
