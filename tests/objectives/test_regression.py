"""Linear regression: the form without data against the plain sum, and how data come in."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmomentum.datasets import noisy_line
from fastmomentum.errors import InputError
from fastmomentum.objectives import MSE, AnyObjective, Statistics
from fastmomentum.specification.base import Specification
from fastmomentum.specification.messages import explain

FAITHFUL = Path(__file__).parents[2] / "data" / "faithful.csv"
LINE = {"num_points": 50, "x_mid": 5, "x_range": 5, "y_weight": 10, "noise_range": 5, "seed": 0}
EPS = float(np.finfo(float).eps)
SEEDS = st.integers(0, 2**32)
Reduction = Literal["mean", "half_sum"]


class Holder(Specification):
    objective: AnyObjective


def line(reduction: Reduction) -> MSE:
    return MSE.parse({"data": LINE, "reduction": reduction})


def data_of(mse: MSE) -> tuple[Any, Any]:
    observations = mse.observations()
    assert observations is not None
    return observations


def plain(
    x: Any, y: Any, a: float, b: float, reduction: Reduction
) -> tuple[np.longdouble, np.longdouble, np.longdouble]:
    """Loss and gradient as plain sums over the data, in extended precision."""
    x, y = x.astype(np.longdouble), y.astype(np.longdouble)
    residual = np.longdouble(a) * x + np.longdouble(b) - y
    share = np.longdouble(2) / x.size if reduction == "mean" else np.longdouble(1)
    half = share / 2
    return (
        half * (residual * residual).sum(),
        share * (residual * x).sum(),
        share * residual.sum(),
    )


@given(
    seed=SEEDS,
    offset=st.sampled_from([0.0, 5.0, -300.0, 1e6]),
    reduction=st.sampled_from(["mean", "half_sum"]),
)
def test_loss_and_gradient_are_the_plain_sums(
    seed: int, offset: float, reduction: Reduction
) -> None:
    random = np.random.default_rng(seed)
    x = offset + random.normal(size=40)
    y = 3.0 * x + random.normal(size=40)
    mse = MSE.from_arrays(x, y, reduction)
    a_best, b_best = mse.minimisers[0].tolist()
    x_mean = float(x.mean())
    points = [(a, b) for a, b in random.uniform(-50.0, 50.0, (5, 2)).tolist()]
    for da, dc in random.normal(size=(5, 2)).tolist():  # down in the valley
        points.append((a_best + da, b_best - da * x_mean + dc))
    for a, b in points:
        value, ga, gb = plain(x, y, a, b, reduction)
        assert abs(mse.value(a, b) - value) <= 1e-9 * value
        # Where the two parts of a gradient cancel, their rounding is left.
        c = 2 * EPS * (abs((a - a_best) * x_mean) + abs(b - b_best)) * mse.constants[-1]
        got_a, got_b = mse.gradient(a, b).tolist()
        assert abs(got_a - ga) <= 1e-9 * abs(ga) + c * (1.0 + abs(x_mean))
        assert abs(got_b - gb) <= 1e-9 * abs(gb) + c


@given(seed=SEEDS, offset=st.sampled_from([0.0, 1e3, 1e6]))
def test_least_squares_of_badly_scaled_data(seed: int, offset: float) -> None:
    random = np.random.default_rng(seed)
    x = offset + random.normal(size=30)
    y = 2.0 * x - 7.0 + random.normal(size=30)
    dx, dy = (v.astype(np.longdouble) - v.astype(np.longdouble).mean() for v in (x, y))
    slope = (dx * dy).sum() / (dx * dx).sum()
    residual = ((dy - slope * dx) ** 2).mean()
    statistics = MSE.from_arrays(x, y).statistics
    assert statistics is not None
    assert abs(statistics.slope - slope) <= 1e-14 * abs(slope)
    assert abs(statistics.residual - residual) <= 1e-14 * residual


@given(SEEDS)
def test_statistics_do_not_depend_on_the_order_of_the_points(seed: int) -> None:
    x, y = noisy_line(101, 5, 5, 10, 5)
    order = np.random.default_rng(seed).permutation(x.size)
    first, other = Statistics.of(x, y), Statistics.of(x[order], y[order])
    assert first.model_dump(exclude={"sha256"}) == other.model_dump(exclude={"sha256"})


@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
def test_nothing_is_below_the_minimum(reduction: Reduction) -> None:
    mse = line(reduction)
    a, b = mse.minimisers[0]
    around = np.linspace(-1e-7, 1e-7, 201)
    assert mse.value(a + around[:, None], b + around).min() >= mse.f_min
    assert mse.value(a, b) == pytest.approx(mse.f_min, rel=1e-15)


def test_a_perfect_line_has_no_residual() -> None:
    mse = MSE.from_arrays(np.arange(5.0), 2.0 * np.arange(5.0) + 1.0)
    assert mse.f_min == 0.0
    assert mse.minimisers.tolist() == [[2.0, 1.0]]


@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
def test_old_faithful(reduction: Reduction) -> None:
    mse = MSE(data=str(FAITHFUL), x="eruptions", y="waiting", reduction=reduction)
    assert mse.statistics is not None
    assert mse.statistics.points == 272
    assert mse.minimisers[0] == pytest.approx([10.7296414, 33.4743970], abs=5e-8)
    x, y = data_of(mse)
    assert mse.value(0.0, 0.0) == pytest.approx(float(plain(x, y, 0.0, 0.0, reduction)[0]))


@pytest.mark.parametrize("seed", range(3))
def test_minimiser_is_the_least_squares_line(seed: int) -> None:
    x, y = noisy_line(50, 5, 5, 10, 5, seed=seed)
    slope, intercept = np.polyfit(x, y, 1)
    assert MSE.from_arrays(x, y).minimisers[0] == pytest.approx([slope, intercept], rel=1e-9)


@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
def test_the_box_holds_the_ellipse_of_one_variance_of_y(reduction: Reduction) -> None:
    mse = line(reduction)
    (a_low, a_high), (b_low, b_high) = mse.box
    _, y = data_of(mse)
    assert mse.f_min is not None
    rise = float(y.var()) * (1.0 if reduction == "mean" else y.size / 2)
    b = np.linspace(b_low, b_high, 100_001)
    assert mse.value(a_low, b).min() - mse.f_min == pytest.approx(rise, rel=1e-6)
    a = np.linspace(a_low, a_high, 100_001)
    assert mse.value(a, b_high).min() - mse.f_min == pytest.approx(rise, rel=1e-6)


def test_the_box_of_constant_y_is_not_empty() -> None:
    (a_low, a_high), (b_low, b_high) = MSE.from_arrays([0.0, 1.0], [5.0, 5.0]).box
    assert a_low < 0.0 < a_high
    assert b_low < 5.0 < b_high


def written(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "data.csv").write_text("x,y\n1,2\n2,3\n4,4\n")
    return folder


def from_file(folder: Path) -> MSE:
    return MSE.model_validate(
        {"name": "mse", "data": "data.csv", "x": "x", "y": "y"}, context={"folder": folder}
    )


def test_a_path_is_relative_to_the_folder_of_the_experiment(tmp_path: Path) -> None:
    mse = from_file(written(tmp_path))
    assert mse.data == "data.csv"
    assert mse.statistics is not None
    assert mse.statistics.points == 3


def test_a_path_is_else_relative_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(written(tmp_path))
    assert MSE(data="data.csv", x="x", y="y") == from_file(tmp_path)
    assert MSE.parse({"data": Path("data.csv"), "x": "x", "y": "y"}) == from_file(tmp_path)


def test_rebuilt_without_the_data(tmp_path: Path) -> None:
    files = from_file(written(tmp_path))
    (tmp_path / "data.csv").unlink()
    x, y = noisy_line(50, 5, 5, 10, 5)
    for mse in (files, line("half_sum"), MSE.from_arrays(x, y)):
        fields = json.loads(json.dumps(mse.model_dump(mode="json", exclude_none=True)))
        rebuilt = MSE.parse(fields)
        assert rebuilt == mse
        assert hash(rebuilt) == hash(mse)
        assert rebuilt.observations() is None
        assert mse.observations() is not None
        assert rebuilt.constants == mse.constants
        assert rebuilt.f_min == mse.f_min


def test_a_pickle_is_small() -> None:
    mse = MSE.from_arrays(*noisy_line(10_000, 5, 5, 10, 5))
    pickled = pickle.dumps(mse)
    assert len(pickled) < 2_000
    assert pickle.loads(pickled) == mse
    assert pickle.loads(pickled).observations() is None
    assert mse.observations() is not None


def test_other_data_or_another_reduction_is_another_objective() -> None:
    mse = MSE.from_arrays([0.0, 1.0], [1.0, 2.0])
    assert mse != MSE.from_arrays([0.0, 1.0], [1.0, 2.0], "half_sum")
    assert mse != MSE.from_arrays([0.0, 1.0], [1.0, 3.0])
    assert mse != "mse"


def test_data_in_memory_are_copied_and_read_only() -> None:
    given_x = np.array([0.0, 1.0, 2.0])
    mse = MSE.from_arrays(given_x, [1, 2, 4])
    given_x[0] = 100.0
    for objective in (mse, line("mean")):
        for column in data_of(objective):
            assert not column.flags.writeable
    assert data_of(mse)[0].tolist() == [0.0, 1.0, 2.0]
    assert mse.data == "arrays"


def test_columns_of_a_table_need_not_be_contiguous() -> None:
    table = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]])
    assert MSE.from_arrays(table[:, 0], table[:, 1]).minimisers.tolist() == [[2.0, 1.0]]


LARGE = "has numbers too large for float64 once squared; rescale them"


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([1.0, 2.0], [1.0], "x and y must be of one length: got 2 and 1"),
        ([[1.0, 2.0]], [1.0, 2.0], "x must be one-dimensional: got the shape (1, 2)"),
        (["a", "b"], [1.0, 2.0], "x must be plain numbers: got text, such as 'a'; convert"),
        ([1.0, 2.0], [1.0, np.nan], "y must be a finite number: got nan (entry 1); drop it"),
        ([-np.inf, 2.0], [1.0, 2.0], "x must be a finite number: got -inf (entry 0); drop it"),
        ([], [], "data needs two points that differ in x, or no line is best: got 0 points"),
        ([3.0], [1.0], "got 1 points"),
        ([3.0, 3.0], [1.0, 2.0], "got 2 points, all with x = 3.0"),
        ([1e200, 2e200], [1.0, 2.0], f"data {LARGE}"),
        ([1e308, 1.1e308], [1.0, 2.0], f"data {LARGE}"),
        ([0.0, 1.0, 2.0], [1e200, -1e200, 1e200], f"data {LARGE}"),
        ([1e-200, 2e-200], [1.0, 2.0], "data has x too close together for float64; rescale x"),
    ],
)
def test_bad_arrays(x: Any, y: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        MSE.from_arrays(x, y)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({}, "objective.data is missing; add it"),
        ({"data": 5}, "objective.data must be the path of a CSV file or a table of num_points,"),
        (
            {"data": "no.csv", "x": "x", "y": "y"},
            "objective.data {folder}/no.csv: no such file; correct the path or create it",
        ),
        ({"data": ".", "x": "x", "y": "y"}, "objective.data {folder} is a directory"),
        (
            {"data": "data.csv", "x": "x", "y": "z"},
            "objective.data {folder}/data.csv has no column 'z'; known are x, y",
        ),
        ({"data": "data.csv", "y": "y"}, "objective.x is missing; name a column of data.csv"),
        ({"data": "data.csv", "x": "x"}, "objective.y is missing; name a column of data.csv"),
        ({"data": LINE, "x": "x"}, "objective.x names a column of a file, and data is not one"),
        ({"data": LINE, "y": "y"}, "objective.y names a column of a file, and data is not one"),
        (
            {"data": LINE, "reduction": "sum"},
            "objective.reduction must be 'mean' or 'half_sum': got 'sum'",
        ),
        ({"data": LINE | {"num_points": 1}}, "objective.data.num_points must be at least 2: got 1"),
        ({"data": LINE | {"sed": 1}}, "objective.data.sed: no such key; did you mean 'seed'?"),
        ({"data": {"num_points": 5}}, "objective.data.x_mid is missing; add it"),
        ({"data": LINE | {"x_range": 0}}, "objective.data needs two points that differ in x"),
        ({"data": LINE | {"x_range": 1e200}}, f"objective.data {LARGE}"),
        ({"data": LINE | {"x_mid": 1e308, "x_range": 1e308}}, f"objective.data {LARGE}"),
        ({"data": LINE, "colour": 1}, "objective.colour: no such key; known are name, data"),
        ({"data": LINE, "statistics": {}}, "objective.statistics.points is missing; add it"),
    ],
)
def test_bad_tables(tmp_path: Path, fields: dict[str, Any], text: str) -> None:
    table = {"objective": {"name": "mse"} | fields}
    with pytest.raises(ValueError, match="objective") as caught:
        Holder.model_validate(table, context={"folder": written(tmp_path)})
    message = explain(caught.value, Holder)  # type: ignore[arg-type]
    assert message.startswith(text.format(folder=tmp_path))


def test_a_bad_file_in_python(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^data .*none\.csv: no such file"):
        MSE(data=str(tmp_path / "none.csv"), x="x", y="y")
