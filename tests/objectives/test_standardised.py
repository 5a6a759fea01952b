"""A line through data that are standardised first: x and y by their means and spreads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum.datasets import load_csv
from fastmomentum.errors import InputError
from fastmomentum.results.estimate import plan_lines, plan_of
from fastmomentum.results.info import info_lines, info_of
from tests.helpers import same_bits
from tests.storing import command

CARS = Path(__file__).parents[1] / "data" / "unscaled.csv"


def cars(standardise: bool = True) -> fm.MSE:
    return fm.MSE(data=str(CARS), x="km", y="price", standardise=standardise)


def plan(objective: fm.MSE, **fields: object) -> fm.Experiment:
    grid = fm.Grid(lr=[0.01, 0.1, 0.5], momentum=[0.0, 0.9], start=[(0, 0), (1, -1)])
    return fm.Experiment(
        **({"objective": objective, "rule": "momentum", "steps": 50, "grid": grid} | fields)
    )


@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
def test_value_and_gradient_are_those_of_standardised_data(reduction: str) -> None:
    x, y = load_csv(CARS, "km", "price")
    mse = fm.MSE.from_arrays(x, y, reduction, standardise=True)  # type: ignore[arg-type]
    zx, zy = (x - x.mean()) / x.std(), (y - y.mean()) / y.std()
    by_hand = fm.MSE.from_arrays(zx, zy, reduction)  # type: ignore[arg-type]
    a, b = np.random.default_rng(0).normal(size=(2, 100))
    assert mse.value(a, b) == pytest.approx(by_hand.value(a, b), rel=1e-13)
    assert mse.gradient(a, b) == pytest.approx(by_hand.gradient(a, b), rel=1e-12, abs=1e-12)
    assert mse.minimisers == pytest.approx(by_hand.minimisers, abs=1e-13)


def test_a_condition_number_of_ten_to_the_eleven_becomes_one() -> None:
    low, high = fm.theory.eigenvalues(cars(False))
    assert high / low > 1e11
    assert fm.theory.eigenvalues(cars()).tolist() == [2.0, 2.0]
    assert fm.theory.largest_stable_lr(cars(), "sgd", 0.0) == 1.0


def test_the_line_in_the_datas_own_units_is_that_of_least_squares() -> None:
    assert cars().own_line(*cars().minimisers[0]) == pytest.approx(cars(False).minimisers[0])
    assert cars(False).own_line(3.0, 4.0) == (3.0, 4.0)


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**-40, 2.0**40, 2.0**900])
def test_units_of_the_data_change_no_bit(unit: float) -> None:
    x, y = np.random.default_rng(1).normal(5.0, 2.0, (2, 30))
    usual = fm.MSE.from_arrays(x, y, standardise=True)
    other = fm.MSE.from_arrays(x * unit, y / unit, standardise=True)
    assert other.constants == usual.constants
    assert usual.scaling is not None
    assert other.scaling is not None
    assert other.scaling.x_spread == usual.scaling.x_spread * unit


def test_an_offset_costs_no_digits() -> None:
    x, y = np.random.default_rng(2).integers(-50, 50, (2, 30)) / 8.0
    usual = fm.MSE.from_arrays(x, y, standardise=True)
    other = fm.MSE.from_arrays(x + 2.0**40, y - 2.0**30, standardise=True)
    assert other.constants == pytest.approx(usual.constants, rel=1e-14)


def test_plans_without_it_are_what_they_were() -> None:
    never, no = fm.MSE.from_arrays([0.0, 1.0], [1.0, 2.0]), cars(False)
    for objective in (never, no):
        text = plan(objective).canonical
        assert "standardise" not in text
        assert "scaling" not in text
    assert cars(False) == fm.MSE(data=str(CARS), x="km", y="price")
    assert plan(cars()).difference(plan(cars(False))) == (
        "objective.standardise is true and not left out"
    )


def test_the_file_keeps_means_and_spreads_and_needs_no_data(tmp_path: Path) -> None:
    (tmp_path / "cars.csv").write_bytes(CARS.read_bytes())
    (tmp_path / "cars.toml").write_text(
        "steps = 50\n[objective]\nname = 'mse'\ndata = 'cars.csv'\nx = 'km'\ny = 'price'\n"
        "standardise = true\n[rule]\nname = 'momentum'\n[grid]\nlr = [0.01, 0.1, 0.5]\n"
        "momentum = [0.0, 0.9]\nstart = [[0, 0], [1, -1]]\n"
    )
    path = tmp_path / "cars.h5"
    with fm.run(str(tmp_path / "cars.toml"), path) as ds:
        whole = ds.load()
    (tmp_path / "cars.csv").unlink()
    assert command("verify", path)[0] == 0
    with fm.open(path) as ds:
        objective = fm.experiment_of(ds).objective
        assert isinstance(objective, fm.MSE)
        assert objective.scaling == cars().scaling
        assert ds.data_x.values.tolist() == load_csv(CARS, "km", "price")[0].tolist()
        one = fm.replay(ds, lr=0.1, momentum=0.9, start=1)
        cell = fm.select_cell(ds, lr=0.1, momentum=0.9, start=1)
        assert one.trajectory.values[-1].tobytes() == cell.final.values.tobytes()
    same_bits(whole, fm.run(plan(cars())))
    said = info_of(path)
    assert said["standardised"]["x_mean"] == pytest.approx(138080.625)
    line = "standardised  x by mean 138081 and spread 65586.4, y by mean 6240.08 and spread 1319.35"
    assert line in info_lines(said)
    assert "mse, standardise = true" in info_lines(said)[0]
    assert line in plan_lines(plan_of(plan(cars()), tmp_path))


def test_damaged_data_of_a_standardised_line_are_found(tmp_path: Path) -> None:
    path = tmp_path / "cars.h5"
    fm.run(plan(cars()), path).close()
    values = load_csv(CARS, "km", "price")[0].astype("<f8").tobytes()
    content = bytearray(path.read_bytes())
    content[content.index(values) + 3] ^= 1
    path.write_bytes(content)
    status, said = command("verify", path)
    assert status == 3
    assert "data_x or data_y is damaged" in said


@pytest.mark.parametrize("given", [{"standardise": True}, {}])
def test_statistics_that_say_otherwise_are_refused(given: dict[str, bool]) -> None:
    of = cars(standardise=not given).statistics
    assert of is not None
    with pytest.raises(InputError, match="standardise does not go with the statistics"):
        fm.MSE(data="none.csv", x="km", y="price", statistics=of, **given)


def test_a_stranger_may_not_divide_by_zero() -> None:
    tree = json.loads(plan(cars()).canonical)
    tree["objective"]["statistics"]["scaling"]["y_spread"] = 0.0
    with pytest.raises(InputError, match="y_spread must be greater than 0"):
        fm.Experiment.from_canonical(json.dumps(tree))


@pytest.mark.parametrize(
    ("x", "y", "text"),
    [
        ([1.0, 2.0], [3.0, 3.0], "data has y = 3.0 at every point, which has no spread"),
        ([1.0, 1.0], [3.0, 4.0], "all with x = 1.0"),
        ([-1.7e308, 1.7e308, 1.7e308], [1.0, 2.0, 4.0], None),
    ],
)
def test_data_without_a_spread(x: list[float], y: list[float], text: str | None) -> None:
    if text is None:  # too large to be squared as they are, and no trouble in their own units
        assert fm.MSE.from_arrays(x, y, standardise=True).scaling is not None
        return
    with pytest.raises(InputError) as caught:
        fm.MSE.from_arrays(x, y, standardise=True)
    assert text in str(caught.value)


def test_what_is_neither_true_nor_false() -> None:
    with pytest.raises(InputError, match="standardise must be True or False: got 'yes'"):
        fm.MSE.from_arrays([1, 2], [1, 2], standardise="yes")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"give standardise to fm\.MSE\.from_arrays"):
        fm.MSE.from_arrays([1, 2], [1, 2]).model_copy(update={"standardise": True})


def test_where_everything_diverges_it_is_named(tmp_path: Path) -> None:
    lines = plan_lines(plan_of(plan(cars(False)), tmp_path))
    assert any(
        "all runs lie above it" in line
        and line.endswith("standardise = true in [objective] brings the condition number from "
                          "1.3e+11 to 1")
        for line in lines
    )  # fmt: skip
    assert not any("standardise" in line for line in plan_lines(plan_of(
        plan(cars(False), grid=fm.Grid(lr=1e-12, momentum=0.0, start=[(0, 0)])), tmp_path
    )))  # fmt: skip


def test_the_data_panel_draws_the_line_in_the_datas_units() -> None:
    page = fm.plots.report(fm.run(plan(cars(), steps=500)), lr=0.1, momentum=0.0, start=0)
    assert isinstance(page, Figure)
    ax = next(ax for ax in page.axes if ax.get_label() == "data")
    slope, intercept = np.polyfit(*load_csv(CARS, "km", "price"), 1)
    moving = ax.lines[-1]
    x, y = moving.get_data()
    assert np.asarray(y) == pytest.approx(slope * np.asarray(x) + intercept, rel=1e-9)
    assert ax.get_title(loc="left").startswith("y = \N{MINUS SIGN}0.0198 x + 8969")
    assert any(line.startswith("in the data's own units: a = -0.01976") for line in page.said)
