"""Pictures of selections: they name start and velocity, and refuse what they cannot show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import analysis, plots
from fastmomentum.errors import InputError

MESH = {"x": [-5.0, 0.0, 5.0], "y": [-5.0, 5.0]}


def plan(**changes: Any) -> fm.Experiment:
    grid: dict[str, Any] = {
        "lr": [1e-3, 1e-2, 0.1],
        "momentum": [0.0, 0.5, 0.9],
        "start": [(-4.0, 1.0), (2.0, 2.0)],
        "velocity": [(0.0, 0.0), (0.25, -0.5)],
    }
    grid |= changes.pop("grid", {})
    fields: dict[str, Any] = {
        "objective": fm.Himmelblau(),
        "rule": "momentum",
        "steps": 300,
        "stop": fm.Stop(targets=[1e-6]),
    }
    return fm.Experiment(**fields | changes, grid=fm.Grid(**grid))


def axes() -> Axes:
    return Figure().add_subplot()


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return fm.run(plan())


@pytest.fixture(scope="module")
def mesh() -> xr.Dataset:
    return fm.run(plan(grid={"start": MESH}))


# What is named


def test_a_run_says_its_velocity(ds: xr.Dataset) -> None:
    moving, resting = fm.replay(ds, velocity=1), fm.replay(fm.run(plan(grid={"velocity": None})))
    run = plots.run_of(moving)
    assert run.velocity == (0.25, -0.5)
    assert "from (\N{MINUS SIGN}4, 1), velocity (0.25, \N{MINUS SIGN}0.5): " in run.label
    assert plots.run_of(resting).velocity is None
    assert "velocity" not in plots.run_of(resting).label


def test_a_report_says_the_velocity(ds: xr.Dataset) -> None:
    run = plots.run_of(fm.replay(ds, velocity=1))
    objective = fm.Himmelblau()
    field = plots.sample(objective, plots.window(objective, [run]), points=21)
    figure = Figure(figsize=(12.8, 7.2), layout="constrained")
    plots.run_report(figure, run, field, "momentum", title="T")
    said = [text.get_text() for text in figure.texts]
    assert "T; start at (\N{MINUS SIGN}4, 1), velocity (0.25, \N{MINUS SIGN}0.5)" in said


def test_a_phase_map_says_start_and_velocity(
    ds: xr.Dataset, unrendered: list[Figure], tmp_path: Path
) -> None:
    plots.save_phase_map(ds.isel(start=1, velocity=1), tmp_path / "m.png")
    title = unrendered[0].axes[0].get_title()
    assert title.endswith("rule momentum, from (2, 2), velocity (0.25, \N{MINUS SIGN}0.5)")


def test_basins_say_the_velocity(
    script: Callable[..., Any], mesh: xr.Dataset, unrendered: list[Figure], tmp_path: Path
) -> None:
    fm.run(fm.experiment_of(mesh), tmp_path / "o.h5").close()
    for words in ([], ["--over", "momentum"]):
        status, out, err = script("plot_basins", tmp_path / "o.h5", "--velocity", 1, *words)
        assert (status, err) == (0, "")
        assert "velocity (0.25, \N{MINUS SIGN}0.5): minimum at" in out
        assert "velocity (0.25, \N{MINUS SIGN}0.5)" in unrendered[-1].get_suptitle()


def test_frames_of_a_zoom_say_what_they_show(
    script: Callable[..., Any], ds: xr.Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[Figure] = []
    add = Figure.add_axes
    monkeypatch.setattr(Figure, "add_axes", lambda s, *a, **k: (made.append(s), add(s, *a, **k))[1])
    fm.run(fm.experiment_of(ds), tmp_path / "o.h5").close()
    words = ["--lr", "1e-2:0.1", "--momentum", "0.8:0.9", "--frames", 2, "--num", 8]
    status, _, err = script(
        "animate_zoom", tmp_path / "o.h5", *words, "--start", 1, "--velocity", 1
    )
    assert (status, err) == (0, "")
    for figure in made:
        title = figure.axes[0].get_title()
        for part in (
            "himmelblau",
            "rule momentum",
            "from (2, 2), velocity (0.25, \N{MINUS SIGN}0.5)",
        ):
            assert part in title
        (legend,) = figure.legends
        assert any("diverged" in text.get_text() for text in legend.get_texts())
        assert (
            legend.get_title()
            .get_text()
            .startswith("yellow (few) to violet, by rank: steps until f")
        )


# What is refused


def test_maps_want_one_start_and_one_velocity(ds: xr.Dataset, tmp_path: Path) -> None:
    rates = analysis.measured_rate(ds.isel(start=0)).rate
    first = "a map is drawn over lr and momentum, and"
    then = "select one start and one velocity first, with isel or fm.select_velocity"
    for draw, left in (
        (lambda: plots.phase_map(axes(), ds), "start, velocity"),
        (lambda: plots.status_map(axes(), ds.isel(velocity=0)), "start"),
        (lambda: plots.rate_map(axes(), rates), "velocity"),
        (lambda: plots.rate_map(axes(), rates.isel(velocity=0), ds.status), "start, velocity"),
        (lambda: plots.duel_map(axes(), ds.isel(start=0), ds, ("a", "b")), "velocity"),
        (lambda: plots.save_phase_map(ds.isel(start=0), tmp_path / "m.png"), "velocity"),
    ):
        with pytest.raises(InputError) as caught:
            draw()
        assert str(caught.value) == f"{first} {left} is left: {then}"
    with pytest.raises(InputError, match="over lr and momentum, and lr was selected: keep it"):
        plots.phase_map(axes(), ds.isel(lr=0, start=0, velocity=0))


def test_a_maps_folder_must_be_there(ds: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none: no such folder; make it first, or choose another"):
        plots.save_phase_map(ds.isel(start=1, velocity=1), tmp_path / "none" / "m.png")
    assert list(tmp_path.iterdir()) == []


def test_basins_want_one_cell_and_one_velocity(mesh: xr.Dataset) -> None:
    with pytest.raises(InputError, match="and velocity is left: select one lr, one momentum and"):
        plots.basin_map(axes(), mesh.isel(lr=0, momentum=0))
    drawn = plots.basin_map(axes(), mesh.isel(lr=0, momentum=0, velocity=1))
    assert drawn.cells.get_array().shape[:2] == (mesh.sizes["start_y"], mesh.sizes["start_x"])


def test_a_run_wants_a_trajectory(ds: xr.Dataset) -> None:
    with pytest.raises(InputError, match=r"holds no trajectory; take it with fm.replay"):
        plots.run_of(fm.select_cell(ds))


def test_the_best_wants_the_steps(ds: xr.Dataset) -> None:
    with pytest.raises(InputError, match="hit_step was not selected; keep it"):
        analysis.best(ds[["status"]])
    with pytest.raises(InputError, match="status was not selected; keep it"):
        analysis.best(ds[["hit_step"]])


# Duels


def chosen(start: int = 0, velocity: int = 0, **changes: Any) -> xr.Dataset:
    return fm.select_velocity(fm.run(plan(**changes)), velocity).isel(start=start)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda: chosen(1), "start: got (-4.0, 1.0) and (2.0, 2.0)"),
        (lambda: chosen(0, 1), "velocity: got (0.0, 0.0) and (0.25, -0.5)"),
        (lambda: chosen(objective=fm.Rosenbrock()), "objective: got himmelblau and rosenbrock"),
    ],
)
def test_a_duel_is_fair(other: Callable[[], xr.Dataset], message: str) -> None:
    with pytest.raises(InputError) as caught:
        plots.duel_map(axes(), chosen(), other(), ("a", "b"))
    assert str(caught.value) == f"a duel takes two results of the same {message}"


def test_a_duel_of_two_bowls_is_none() -> None:
    steep = chosen(objective=fm.Quadratic(1.0, 0.0, 10.0))
    with pytest.raises(InputError, match="same objective: got two kinds of quadratic"):
        plots.duel_map(axes(), chosen(objective=fm.Quadratic(1.0, 0.0, 2.0)), steep, ("a", "b"))


def test_velocities_of_a_duel_are_of_one_unit() -> None:
    def drawn(first: str, second: str, velocity: int) -> tuple[int, ...]:
        both = (chosen(0, velocity, rule=rule) for rule in (first, second))
        return shape_of(plots.duel_map(axes(), *both, (first, second)))

    def shape_of(duel: Any) -> tuple[int, ...]:
        return tuple(duel.ends.get_array().shape[:2])

    resting = chosen(grid={"velocity": None})
    cells = (resting.sizes["momentum"], resting.sizes["lr"])
    assert drawn("momentum", "nesterov", 1) == cells
    assert drawn("pytorch", "ema", 1) == cells
    assert drawn("momentum", "ema", 0) == cells
    with pytest.raises(InputError, match="that of momentum and that of ema have different units"):
        drawn("momentum", "ema", 1)
    assert shape_of(plots.duel_map(axes(), resting, chosen(), ("a", "b"))) == cells


def test_the_script_refuses_an_unfair_duel(script: Callable[..., Any], tmp_path: Path) -> None:
    fm.run(plan(), tmp_path / "a.h5").close()
    fm.run(plan(grid={"start": [(0.5, 0.5)]}), tmp_path / "b.h5").close()
    status, _, err = script("plot_duel", tmp_path / "a.h5", tmp_path / "b.h5")
    assert (status, err.count("\n")) == (2, 1)
    assert "of the same start: got (-4.0, 1.0) and (0.5, 0.5)" in err
    assert not list(tmp_path.glob("*.png"))
