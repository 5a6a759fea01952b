"""What takes numbers takes plain finite real ones; anything else is a line, and never a number."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import theory
from fastmomentum.specification.numbers import number, numbers, require_flag, whole, workers

MASKED = np.ma.masked_equal([1.0, 2.0, 3.0], 2.0)


class Sparse:
    """As SciPy's sparse arrays are: no `__array__`, so NumPy takes one for an object."""

    def toarray(self) -> Any:
        return np.eye(2)


NOT_PLAIN: list[tuple[Any, str]] = [
    (MASKED, "got a masked array, 1 of whose 3 entries is masked; drop or fill it"),
    ([MASKED, MASKED], "got a masked array, 1 of whose 3 entries is masked; drop or fill it"),
    ([1.0, np.ma.masked], "got a masked array, 1 of whose 1 entries is masked; drop or fill it"),
    (np.array([1 + 2j, 0]), "got complex numbers, such as (1+2j); give their real part"),
    ([1.0, 2j], "got complex numbers, such as (1+0j); give their real part"),
    (
        np.array(["2020-01-02"], "M8[D]"),
        "got dates, such as 2020-01-02; give the time since a date, as a number",
    ),
    (np.array([1], "m8[s]"), "got spans of time, such as 1 seconds; divide them by a unit"),
    (["1", 2], "got text, such as '1'; convert it with astype(float)"),
    ([True, 1.0], "got True; write 1 or 0 if that is meant"),
    (np.array([True]), "got truth values, such as True; convert them with astype(float)"),
    ([1.0, None], "got None (entry 1); drop or fill what is missing"),
    (np.array([[1, "x"]], object), "got 'x' (entry 0, 1); convert it to float"),
    ([Decimal("0.1")], "got 0.1 (entry 0); convert it to float"),
    ([[1, 2], [3]], "got a list whose rows differ in length; even them out"),
    (Sparse(), "got a Sparse; convert it with toarray()"),
    ({1.0}, "got a set; make a list of it"),
    ({"a": 1}, "got a dict"),
    (None, "got nothing"),
    (np.array([(1, 2.5)], "i4,f8"), "got records, such as (1, 2.5); give one of their fields"),
    ([10**400], "got a whole number that float64 cannot hold; rescale it"),
    (pd.Series(["a"]), "got 'a' (entry 0); convert it to float"),
    (pd.NA, "got a NAType"),
]


@pytest.mark.parametrize(("bad", "message"), NOT_PLAIN, ids=lambda case: str(case)[:30])
def test_not_plain(bad: Any, message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        numbers(bad, "lr")
    assert str(caught.value) == f"lr must be plain numbers: {message}"


@pytest.mark.parametrize(
    "bad",
    [
        [1.0, np.nan],
        np.array([1, np.inf]),
        pd.Series([1, None], dtype="Float64"),
        pd.Series([1.0, None]),
        np.array([0, np.finfo(np.longdouble).max]),
    ],
    ids=str,
)
def test_not_finite(bad: Any) -> None:
    with pytest.raises(fm.InputError, match=r"lr must be a finite number: got \w+ \(entry 1\)"):
        numbers(bad, "lr")
    assert not np.isfinite(numbers(bad, "lr", finite=False)[1])


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_plain_numbers_keep_their_bits(listed: list[float]) -> None:
    expected = np.array(listed).tobytes()
    for same in (
        listed,
        tuple(listed),
        np.array(listed),
        np.ma.masked_array(listed, mask=False),
        pd.Series(listed),
        pd.Series(listed, dtype="Float64"),
        np.array(listed, object),
    ):
        assert numbers(same).tobytes() == expected


def test_kinds_of_plain_numbers() -> None:
    whole_ones = ([1, 2], range(1, 3), np.array([1, 2], np.uint8), pd.array([1, 2], dtype="Int64"))
    for listed in whole_ones:
        assert numbers(listed).tolist() == [1.0, 2.0]
    assert numbers(np.float32(0.5)).shape == ()


EDGES: dict[str, Callable[[Any], Any]] = {
    "from_arrays": lambda bad: fm.MSE.from_arrays(bad, [1.0, 2.0, 4.0]),
    "axis": lambda bad: fm.Axis(values=bad),
    "include": lambda bad: fm.Axis(values=[5.0], include=bad),
    "linspace": lambda bad: fm.Axis(linspace=bad, num=3),
    "lr": lambda bad: fm.Grid(lr=bad, start=[(1, 1)]),
    "start": lambda bad: fm.Grid(lr=0.1, start=np.ma.stack([bad, bad], axis=-1)),
    "mesh": lambda bad: fm.Grid(lr=0.1, start={"x": bad, "y": 1.0}),
    "record": lambda bad: fm.Record(steps=bad),
    "targets": lambda bad: fm.Stop(targets=bad),
    "value": lambda bad: fm.Rosenbrock().value(bad, 1.0),
    "gradient": lambda bad: fm.Rosenbrock().gradient(1.0, bad),
    "hessian": lambda bad: fm.Rosenbrock().hessian(1.0, bad),
    "spectral_radius": lambda bad: theory.spectral_radius("momentum", bad, 0.5, 1.0),
    "stable_limit": lambda bad: theory.stable_limit("momentum", bad),
    "is_stable": lambda bad: theory.is_stable("momentum", 0.1, 0.5, bad),
    "regime": lambda bad: theory.regime("momentum", 0.1, 0.5, bad),
    "residual": lambda bad: theory.residual("momentum", 0.1, 0.5, 1.0, bad),
    "iterate": lambda bad: theory.iterate("momentum", bad, 0.5, np.eye(2), (1, 1), 3),
    "convert": lambda bad: theory.convert("momentum", "ema", bad, 0.5),
    "optimum": lambda bad: theory.optimum(bad, 10.0),
    "critical_momentum": lambda bad: theory.critical_momentum(bad, 1.0),
    "oscillating_range": lambda bad: theory.oscillating_range("momentum", bad),
    "eigenvalues": lambda bad: theory.eigenvalues(fm.Rosenbrock(), bad[:2]),
    "descend": lambda bad: fm.reference.descend(fm.Rosenbrock(), "sgd", bad, 0.0, (1, 1), 2),
    "data_and_line": lambda bad: fm.plots.data_and_line(Figure().subplots(), bad, bad, 1.0, 0.0),
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("bad", [MASKED, np.array([0.1 + 1j, 0.2, 0.3])], ids=["masked", "complex"])
def test_every_edge_refuses_what_is_not_plain(edge: str, bad: Any) -> None:
    with pytest.raises(fm.InputError, match=r"must be plain numbers: got (a masked|complex)"):
        EDGES[edge](bad)


@pytest.mark.parametrize(
    "bad",
    [np.timedelta64(5, "s"), np.datetime64("2020-01-01", "ns"), np.complex128(1 + 2j)],
    ids=str,
)
def test_scalars_that_pydantic_would_convert(bad: Any) -> None:
    with pytest.raises(fm.InputError, match="a must be a number: got"):
        fm.Rosenbrock(a=bad)
    with pytest.raises(fm.InputError, match="steps must be a whole number"):
        fm.Record(steps=[bad])
    with pytest.raises(fm.InputError, match="must be a number"):
        fm.Axis(values=[1.0, bad])
    with pytest.raises(fm.InputError, match="must be a number"):
        fm.Axis(values=[1.0, np.array([bad])])
    with pytest.raises(fm.InputError, match="start must"):
        fm.Grid(lr=0.1, start=[(1.0, bad)])


def test_single_numbers() -> None:
    assert number(np.array([0.5]), "tail") == 0.5
    assert whole(np.int64(3), "least") == whole(3.0, "least") == 3
    assert workers(np.int64(2)) == 2
    for refused, message in (
        (lambda: number("2", "tail"), "tail must be a number: got '2'; write it without quotes"),
        (lambda: number([1, 2], "tail"), "tail must be one number: got 2 of them"),
        (lambda: whole(2.5, "least"), "least must be a whole number: got 2.5"),
        (lambda: whole(0, "every", least=1), "every must be positive: got 0"),
        (lambda: whole(1, "least", least=3), "least must be at least 3: got 1"),
        (lambda: whole(9, "least", most=3), "least must be at most 3: got 9"),
        (lambda: workers("2"), "n_jobs must be a number: got '2'; write it without quotes"),
        (lambda: workers(0), "n_jobs must be positive, or -1 for one per core: got 0"),
        (lambda: workers(1.5), "n_jobs must be a whole number: got 1.5"),
        (lambda: require_flag("no", "overwrite"), "overwrite must be True or False: got 'no'"),
    ):
        with pytest.raises(fm.InputError) as caught:
            refused()
        assert str(caught.value) == message


def test_thresholds_of_the_analysis() -> None:
    ds = fm.run(
        fm.Experiment(
            objective=fm.Quadratic(),
            rule="sgd",
            steps=20,
            grid=fm.Grid(lr=0.1, start=[(1, 1)]),
        )
    )
    for refused in (
        lambda: fm.analysis.measured_rate(ds, tail="0.5"),
        lambda: fm.analysis.measured_rate(ds, least=np.ma.masked),
        lambda: fm.analysis.measured_rate(ds, n_jobs="2"),
        lambda: fm.analysis.classify(ds, growth=2j),
        lambda: fm.analysis.classify(ds, longest_period=2.5),
        lambda: fm.analysis.basin(ds, radius=[1.0, 2.0]),
        lambda: fm.select_cell(ds, lr=np.ma.masked),
        lambda: fm.select_cell(ds, lr=True),
    ):
        with pytest.raises(fm.InputError, match="must be"):
            refused()
