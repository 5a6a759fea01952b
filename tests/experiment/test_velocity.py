"""Initial velocities as a part of the grid, and rules with constants, from file to picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum import analysis, plots, theory
from fastmomentum.cli import app
from fastmomentum.errors import InputError
from fastmomentum.reference import descend
from fastmomentum.results.fingerprint import digest
from fastmomentum.results.info import info_lines, info_of
from fastmomentum.results.zoom import zoomed
from tests.helpers import same_bits

FILE = """
steps = 300
objective = "rosenbrock"
rule = { name = "pytorch", dampening = 0.25 }
record = { every = 100 }
[grid]
lr = [1e-4, 1e-3]
momentum = [0.5, 0.9]
start = [[-1.2, 1.0], [0.0, 0.0], [2.0, 2.0]]
velocity = { x = { linspace = [-100.0, 100.0], num = 5 }, y = [0.0, 50.0] }
"""
LISTED = [(0.0, 0.0), (0.1, -0.2)]


def experiment(**changes: Any) -> fm.Experiment:
    fields: dict[str, Any] = {
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": 200,
        "grid": grid(),
        "stop": fm.Stop(targets=[1e-3]),
    }
    return fm.Experiment(**fields | changes)


def grid(**changes: Any) -> fm.Grid:
    fields: dict[str, Any] = {
        "lr": [1e-4, 1e-3, 2e-3],
        "momentum": [0.5, 0.9],
        "start": [(-1.2, 1.0), (0.0, 0.0)],
        "velocity": LISTED,
    }
    return fm.Grid(**fields | changes)


def test_from_an_experiment_file_to_labels(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(FILE)
    plan = fm.load(tmp_path / "e.toml")
    with fm.run(plan, tmp_path / "o.h5") as ds:
        assert ds.status.dims == ("lr", "momentum", "start", "velocity_x", "velocity_y")
        assert ds.status.shape == plan.grid.shape == (2, 2, 3, 5, 2)
        assert ds.velocity_x.values.tolist() == [-100.0, -50.0, 0.0, 50.0, 100.0]
        assert ds.velocity_y.attrs["long_name"] == "y of the initial velocity"
        cell = fm.select_cell(ds, 1e-3, 0.9, start=1, velocity=(60.0, 45.0))
        assert (cell.velocity_x, cell.velocity_y) == (50.0, 50.0)
        want = descend(plan.objective, plan.rule, 1e-3, 0.9, (0.0, 0.0), 300, velocity=(50.0, 50.0))
        assert cell.final.values.tolist() == want.final.tolist()
        assert fm.experiment_of(ds) == plan
    stock = xr.open_dataset(tmp_path / "o.h5", engine="h5netcdf")
    with stock:
        assert stock.final.dims[-3:] == ("velocity_x", "velocity_y", "parameter")
    said = "\n".join(info_lines(info_of(tmp_path / "o.h5")))
    assert "pytorch with dampening 0.25 on rosenbrock" in said
    assert "120 = 2 lr x 2 momentum x 3 start x 5 velocity_x x 2 velocity_y" in said
    assert "velocity (" in said


def test_listed_velocities_are_one_dimension() -> None:
    ds = fm.run(experiment())
    assert ds.status.dims == ("lr", "momentum", "start", "velocity")
    assert list(zip(ds.velocity_x.values, ds.velocity_y.values, strict=True)) == LISTED
    assert ds.velocity_x.dims == ("velocity",)
    with pytest.warns(fm.OutsideGridWarning, match="the nearest, \\(0.1, -0.2\\), is taken"):
        cell = fm.select_cell(ds, velocity=(1.0, -1.0))
    assert int(cell.velocity) == 1


def test_numbers_and_points_choose_a_velocity() -> None:
    listed = fm.run(experiment(grid=grid(velocity=[(0.0, 9.0), (1.0, 0.0), (3.0, 3.0)])))
    assert int(fm.select_cell(listed, velocity=(0.2, 0.1)).velocity) == 1  # not the nearest in x
    mesh = fm.run(experiment(grid=grid(velocity={"x": [-1.0, 0.0, 1.0], "y": [5.0, 6.0]})))
    for number in range(6):
        cell = fm.select_velocity(mesh, number)
        assert (cell.velocity_x, cell.velocity_y) == ([-1, 0, 1][number // 2], 5 + number % 2)


def test_a_mesh_holds_the_listed_runs() -> None:
    listed = fm.run(experiment())
    mesh = {"x": [0.0, 0.1], "y": [-0.2, 0.0]}
    ds = fm.run(experiment(grid=grid(velocity=mesh)))
    for number, (vx, vy) in enumerate(LISTED):
        one = ds.sel(velocity_x=vx, velocity_y=vy)
        for name in ("status", "n_steps", "final", "hit_step"):
            assert one[name].values.tobytes() == listed[name].isel(velocity=number).values.tobytes()


def test_at_rest_is_what_is_left_out() -> None:
    resting, plain = (
        fm.run(experiment(grid=grid(velocity=velocity))) for velocity in ([(0.0, 0.0)], None)
    )
    assert plain.status.dims == ("lr", "momentum", "start")
    assert resting.final.values.tobytes() == plain.final.values.tobytes()
    assert "velocity" not in fm.experiment_of(plain).canonical


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_blocks_and_backends_have_no_say(backend: str, tmp_path: Path) -> None:
    plan = experiment(rule=fm.UpdateRule(name="pytorch", dampening=0.5))
    whole = fm.run(plan, n_jobs=1)
    with fm.run(plan, tmp_path / "o.h5", n_jobs=2, backend=backend, block_runs=5) as ds:
        same_bits(ds, whole)
        assert digest(ds) == digest(whole)


def test_replay_walks_the_same_run() -> None:
    ds = fm.run(experiment())
    for velocity in (0, 1):
        again = fm.replay(ds, 1e-3, 0.9, start=1, velocity=velocity)
        cell = fm.select_cell(ds, 1e-3, 0.9, start=1, velocity=velocity)
        ended = int(cell.n_steps)
        assert again.trajectory.values[ended].tolist() == cell.final.values.tolist()


def test_a_zoom_keeps_the_velocity() -> None:
    window = zoomed(fm.run(experiment()), (1e-4, 1e-3), (0.1, 0.2), num=4, start=1, velocity=1)
    assert window.grid.velocity == (LISTED[1],)
    assert window.grid.shape == (4, 4, 1, 1)


def test_analysis_walks_with_the_velocity() -> None:
    bowl = fm.Quadratic(1.0, 0.0, 4.0)
    settings = grid(lr=[0.1], momentum=[0.9], start=[(1.0, 1.0)], velocity=[(0, 0), (-300, 0)])
    plan = experiment(objective=bowl, steps=2000, grid=settings, stop=fm.Stop())
    ds = fm.run(plan)
    growth = analysis.classify(ds).behaviour.squeeze().values
    assert growth[0] != growth[1]  # thrown out far, it comes back: a transient
    one = analysis.classify(ds.isel(velocity=1)).behaviour
    assert one.squeeze().item() == growth[1]
    rates = analysis.measured_rate(ds).rate
    np.testing.assert_allclose(rates.squeeze(), np.sqrt(0.9), rtol=1e-3)


def test_predictions_know_of_the_dampening() -> None:
    bowl = fm.Quadratic(1.0, 0.0, 4.0)
    rule = fm.UpdateRule(name="pytorch", dampening=0.5)
    ds = fm.run(experiment(objective=bowl, rule=rule, steps=3))
    got = analysis.predicted_rate(ds)
    lr, m = ds.lr.values[:, np.newaxis], ds.momentum.values
    np.testing.assert_array_equal(got, theory.predicted_rate(bowl, rule, lr, m))
    assert (np.abs(got - theory.predicted_rate(bowl, "pytorch", lr, m)) > 1e-6).all()


def test_pictures_know_of_the_dampening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bowl, drawn = fm.Quadratic(1.0, 0.0, 4.0), []
    rule = fm.UpdateRule(name="pytorch", dampening=0.5)
    plan = experiment(objective=bowl, rule=rule, steps=3, grid=grid(lr=[0.1, 2.0], velocity=None))

    real = plots.theory_lines

    def watched(*arguments: Any, **named: Any) -> plots.TheoryLines:
        drawn.append(real(*arguments, **named))
        return drawn[-1]

    monkeypatch.setattr("fastmomentum.plots.boundaries.theory_lines", watched)
    plots.save_phase_map(fm.run(plan).isel(start=0), tmp_path / "map.svg")
    lr, momentum = drawn[0].stability.get_xydata().T
    np.testing.assert_allclose(lr, 2 * (1 + momentum) / (0.5 * 4.0))
    assert drawn[0].oscillation.get_label().startswith("rate \N{SQUARE ROOT}momentum inside")


def test_summaries_know_of_velocities() -> None:
    bowl = fm.Quadratic(1.0, 0.0, 4.0)
    settings = grid(lr=[0.1], momentum=[0.5], velocity=[(0.0, 0.0), (-0.5, -2.0), (3e5, 0.0)])
    ds = fm.run(experiment(objective=bowl, steps=30, grid=settings))
    assert analysis.fraction_converged(ds).dims == ("lr", "momentum", "target")
    assert 0 < analysis.fraction_converged(ds).item() < 1
    found = analysis.best(ds)
    hit = ds.hit_step.sel(velocity=1 if found.velocity_x == -0.5 else 0)
    assert found.hit_step.item() == hit.where(hit >= 0).min()


def test_scripts_draw_one_velocity(tmp_path: Path, script: Callable[..., Any]) -> None:
    mesh = {"x": [-0.5, 0.0, 0.5], "y": [0.0, 1.0]}
    plan = experiment(rule={"name": "pytorch", "dampening": 0.25}, grid=grid(velocity=mesh))
    fm.run(plan, tmp_path / "o.h5").close()
    for name, words in (
        ("plot_phase", []),
        ("plot_phase", ["--show", "rate", "--start", "1"]),
        ("plot_contour", ["--lr", "1e-3", "--momentum", "0.9"]),
        ("plot_report", []),
        ("plot_loss", ["--lr", "1e-3", "--momentum", "0.9"]),
        ("plot_duel", [str(tmp_path / "o.h5")]),
        (
            "animate_zoom",
            ["--lr", "1e-3:2e-3", "--momentum", "0.5:0.6", "--frames", "2", "--num", "8"],
        ),
    ):
        picture = tmp_path / (f"{name}.gif" if name.startswith("animate") else f"{name}.svg")
        words = ["-o", str(picture), "--velocity", "0.4,0.9", *words]
        if name == "plot_duel":
            words = words[-1:] + words[:-1]
        status, said, wrong = script(name, str(tmp_path / "o.h5"), *words)
        assert (status, wrong) == (0, "")
        assert picture.stat().st_size > 1000
        if name == "plot_contour":
            assert "velocity (0.5, 1)" in said
    status, _, wrong = script("plot_phase", str(tmp_path / "o.h5"), "--velocity", "6")
    assert (status, "velocity must be a number from 0 to 5, or a point: got 6" in wrong) == (
        2,
        True,
    )


def test_the_command_zooms_at_one_velocity(tmp_path: Path) -> None:
    fm.run(experiment(), tmp_path / "o.h5").close()
    words = ["zoom", str(tmp_path / "o.h5"), "--lr", "1e-4:1e-3", "--momentum", "0.5:0.6"]
    done = CliRunner().invoke(app, [*words, "--num", "8", "--velocity", "1"])
    assert done.exit_code == 0, done.output
    with fm.open(tmp_path / "o_zoom.h5") as ds:
        assert fm.experiment_of(ds).grid.velocity == (LISTED[1],)
    assert (tmp_path / "o_zoom.png").exists()


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"velocity": [0.0, 0.0]}, "velocity must be a list of points, or a table of the axes"),
        ({"velocity": []}, "velocity is empty; give at least one point, such as [[0.0, 0.0]]"),
        ({"velocity": [(1, 2), (1, 2)]}, "velocity has [1.0, 2.0] more than once"),
        ({"velocity": {"x": 0.0}}, "velocity needs two axes, x and y (a and b for mse): got x"),
        ({"velocity": [(np.nan, 0.0)]}, "velocity must be a finite number: got nan"),
    ],
)
def test_velocities_that_make_no_sense(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        grid(**fields)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"rule": "sgd", "grid": grid(momentum=None, velocity=[(0.0, 1.0)])},
            "grid.velocity must be left out, as the rule sgd has none",
        ),
        (
            {"rule": "sgd", "grid": grid(momentum=None)},
            "grid.velocity must be left out, as the rule sgd has none; drop it, or take the rule "
            "momentum",
        ),
        (
            {"grid": grid(velocity={"a": 0.0, "b": 1.0})},
            "grid.velocity needs the axes x and y, which are the parameters of rosenbrock: got a "
            "and b; rename them",
        ),
        (
            {"rule": {"name": "ema", "dampening": 0.5}},
            "rule.dampening must be left out, as the rule ema has none: got 0.5; drop it, or take "
            "the rule pytorch",
        ),
        ({"rule": {"name": "pytorch", "dampening": 1.0}}, "rule.dampening must lie in [0, 1)"),
        ({"rule": {"name": "pytorch", "damping": 0.1}}, "did you mean 'dampening'?"),
    ],
)
def test_experiments_that_make_no_sense(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        experiment(**fields)
    assert text in str(caught.value)


def test_no_velocity_to_select() -> None:
    ds = fm.run(experiment(grid=grid(velocity=None)))
    with pytest.raises(InputError, match="all runs start at rest: got the velocity 1"):
        fm.select_cell(ds, velocity=1)
    with pytest.raises(InputError, match="velocity must be a number from 0 to 1: got 2"):
        fm.select_cell(fm.run(experiment()), velocity=2)


def test_no_dampening_is_said_in_one_way() -> None:
    said = {
        experiment(rule=rule).sha256
        for rule in ("pytorch", {"name": "pytorch"}, {"name": "pytorch", "dampening": 0.0})
    }
    assert len(said) == 1
    dampened = experiment(rule={"name": "pytorch", "dampening": 0.5})
    assert fm.Experiment.from_canonical(dampened.canonical) == dampened
    assert (
        experiment(rule="pytorch").difference(dampened) == "rule.dampening is left out and not 0.5"
    )


def test_dampening_is_a_smaller_learning_rate_but_for_the_first_step() -> None:
    bowl = fm.Quadratic(1.0, 0.3, 2.0)
    settings = {"momentum": 0.8, "start": [(1.0, -1.0)], "velocity": None}
    rule = fm.UpdateRule(name="pytorch", dampening=0.5)
    ds = fm.run(
        experiment(
            objective=bowl, rule=rule, record=fm.Record(every=1), stop=fm.Stop(),
            grid=grid(lr=0.2, **settings),
        )
    )  # fmt: skip
    path = ds.trajectory.squeeze().values
    first = path[0] - 0.2 * np.array(bowl.gradient(*path[0]))
    np.testing.assert_allclose(path[1], first, rtol=1e-15)
    other = theory.convert(rule, "momentum", 0.2, 0.8, path[0], gradient=bowl.gradient(*path[0]))
    assert float(other.lr) == pytest.approx(0.1)
    same = descend(bowl, "momentum", 0.1, 0.8, path[0], 200, velocity=other.velocity)
    np.testing.assert_allclose(same.trajectory, path, rtol=1e-9, atol=1e-12)
