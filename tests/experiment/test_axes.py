"""Axes of a rule's parameters and of an objective's constants, from the grid to the analysis."""

from __future__ import annotations

import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum import plots, theory
from fastmomentum.analysis import (
    basin,
    best,
    classify,
    distance,
    excess,
    fraction_converged,
    loss,
    measured_rate,
    predicted_rate,
)
from fastmomentum.cli.commands import app
from fastmomentum.experiment.axis import Axis
from fastmomentum.experiment.describing import place_of
from fastmomentum.experiment.labels import KINDS, values_of
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.toml import load
from fastmomentum.kernels.block import run_block
from fastmomentum.objectives import OBJECTIVES
from fastmomentum.reference.descending import descend
from fastmomentum.results.chosen import by_objective, objective_of, rule_of
from fastmomentum.results.selection import select_at
from fastmomentum.results.stability import in_words, stability_of
from fastmomentum.results.zoom import zoomed
from fastmomentum.rules import RULES
from fastmomentum.schema import block_arrays
from fastmomentum.store.untrusted import LackingError, require_known
from fastmomentum.store.untrusted import parsed_experiment as experiment_in_file

NU = [0.0, 0.3, 0.7, 1.0]
B = [1.0, 10.0, 100.0]
STARTS = [(-1.2, 1.0), (0.5, 0.5), (3.0, 3.0)]


def grid(**changes: Any) -> fm.Grid:
    fields: dict[str, Any] = {
        "lr": [1e-4, 1e-3],
        "momentum": [0.5, 0.9],
        "start": STARTS,
        "rule": {"nu": NU},
        "objective": {"b": B},
    }
    return fm.Grid(**(fields | changes))


def experiment(**changes: Any) -> fm.Experiment:
    fields: dict[str, Any] = {
        "objective": "rosenbrock",
        "rule": "qhm",
        "steps": 400,
        "grid": grid(),
        "stop": fm.Stop(targets=[1e-1, 1e-2]),
        "record": fm.Record(every=100),
    }
    return fm.Experiment(**(fields | changes))


def test_the_tables_of_axes_are_fields_of_the_grid_and_parts_of_the_experiment() -> None:
    tables = {
        name
        for name, one in fm.Grid.model_fields.items()
        if one.annotation == dict[str, Axis] | None
    }
    assert tables == set(NAMED)
    assert set(NAMED) <= set(fm.Experiment.model_fields)
    assert set(NAMED) <= set(KINDS)


def singles(ds: xr.Dataset) -> Any:
    """Each value of parameter and constant: (nu, b, the cells, the same as an experiment)."""
    plan = fm.experiment_of(ds)
    for nu, b in itertools.product(NU, B):
        one = plan.model_copy(
            update={
                "objective": fm.Rosenbrock(b=b),
                "rule": fm.UpdateRule(name="qhm", nu=nu),
                "grid": grid(rule=None, objective=None),
            }
        )
        yield nu, b, ds.sel(nu=nu, objective_b=b), one


def same(one: xr.DataArray, other: xr.DataArray) -> None:
    assert one.dims == other.dims
    assert one.values.tobytes() == other.values.tobytes()


def test_the_dimensions_stand_in_the_order_of_the_registry() -> None:
    quadratic = fm.Experiment(
        objective="quadratic",
        rule="adam",
        steps=2,
        grid=fm.Grid(
            lr=0.1,
            momentum=0.9,
            start={"x": [1.0, 2.0], "y": 1.0},
            velocity=[(0, 0), (1, 1)],
            rule={"eps": [1e-8, 1e-4, 1e-3], "beta2": [0.9, 0.99]},
            objective={"hyy": [1.0, 2.0], "hxx": [3.0, 4.0, 5.0]},
        ),
    )
    ds = fm.run(quadratic)
    dims = ("lr", "momentum", "beta2", "eps", "objective_hxx", "objective_hyy")
    assert ds.status.dims == (*dims, "start_x", "start_y", "velocity")
    assert ds.status.shape == quadratic.grid.shape == (1, 1, 2, 3, 3, 2, 2, 1, 2)
    assert ds.beta2.attrs["long_name"] == RULES["adam"].parameters[0].meaning
    assert ds.objective_hxx.attrs == {"long_name": "constant hxx of the objective", "units": "1"}


def test_axes_are_where_xarray_selects(tmp_path: Path) -> None:
    fm.run(experiment(), tmp_path / "out.h5")
    with fm.open(tmp_path / "out.h5") as ds:
        assert ds.status.dims == ("lr", "momentum", "nu", "objective_b", "start")
        assert ds.sel(nu=0.7, objective_b=10.0).status.dims == ("lr", "momentum", "start")
        assert fm.results.digest(ds) == fm.results.digest(fm.run(experiment()))
    assert fm.verify(tmp_path / "out.h5").sound


def test_each_value_gives_the_bits_of_an_experiment_of_its_own() -> None:
    ds = fm.run(experiment())
    for _, _, cells, one in singles(ds):
        alone = fm.run(one)
        for name in ("status", "n_steps", "hit_step", "final", "final_loss", "trajectory"):
            same(cells[name], alone[name])


@pytest.mark.parametrize(
    ("name", "checked"),
    [*((name, True) for name, rule in RULES.items() if rule.parameters), ("adam", False)],
)
def test_the_kernel_is_the_reference_with_every_parameter_an_axis(name: str, checked: bool) -> None:
    rule = RULES[name]
    axes = {p.name: [p.default, 0.9 * p.default + 1e-3, 0.8 * p.default + 2e-3]
            for p in rule.parameters}  # fmt: skip
    plan = fm.Experiment(
        objective="quadratic",
        rule=name,
        steps=60,
        stop=fm.Stop(targets=[1.0, 1e-3]) if checked else fm.Stop(bound=None),
        record=fm.Record(every=1),
        grid=fm.Grid(
            lr=[0.01, 0.3],
            momentum=[0.0, 0.9] if rule.uses_momentum else None,
            start=[(1.0, 1.0), (-2.0, 0.5)],
            rule=axes,
            objective={"hxx": [0.5, 2.0], "hyy": [1.0, 10.0]},
        ),
    )
    arrays = block_arrays(plan, plan.grid.n_runs)
    run_block(plan, range(plan.grid.n_runs), arrays)
    for run in range(0, plan.grid.n_runs, 7):
        at = {label.name: float(v[0]) for label, v in values_of(plan.grid, np.array([run]))}
        wanted = descend(
            fm.Quadratic(at["objective_hxx"], 0.0, at["objective_hyy"]),
            fm.UpdateRule(name=name, **{p.name: at[p.name] for p in rule.parameters}),
            at["lr"],
            at["momentum"],
            (at["start_x"], at["start_y"]),
            plan.steps,
            plan.stop.targets,
            plan.stop.bound,
        )
        for variable in arrays:
            got, expected = arrays[variable][run], getattr(wanted, variable)
            assert np.array_equal(got, expected, equal_nan=got.dtype.kind == "f"), variable


@pytest.mark.parametrize("block_runs", [1, 7, 32, 41])
def test_blocks_of_any_size_give_the_same_bits(block_runs: int) -> None:
    plan = experiment()
    whole = block_arrays(plan, plan.grid.n_runs)
    run_block(plan, range(plan.grid.n_runs), whole)
    for runs in map(plan.blocks(block_runs).runs, range(len(plan.blocks(block_runs)))):
        part = block_arrays(plan, len(runs))
        run_block(plan, runs, part)
        for name, values in part.items():
            assert values.tobytes() == whole[name][runs.start : runs.stop].tobytes()


def test_processes_give_the_same_bits() -> None:
    one, two = (fm.run(experiment(), n_jobs=n, backend="processes") for n in (1, 2))
    assert (
        fm.results.digest(one) == fm.results.digest(two) == fm.results.digest(fm.run(experiment()))
    )


def test_levels_belong_to_the_value_of_the_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fm.Rosenbrock, "f_min", property(lambda self: -self.b / 50))
    plan = experiment(stop=fm.Stop(targets=[4.0, 2.0]), record=None)
    assert plan.levels.shape == (len(B), 2)
    ds = fm.run(plan)
    assert len({cells.hit_step.values.tobytes() for _, _, cells, _ in singles(ds)}) > 1
    for _, _, cells, one in singles(ds):
        same(cells.hit_step, fm.run(one).hit_step)
        same(cells.status, fm.run(one).status)


def test_the_canonical_form_reads_back() -> None:
    plan = experiment(grid=grid(objective={"b": B, "a": [0.5, 1.0]}))
    again = fm.Experiment.from_canonical(plan.canonical)
    assert again == plan
    assert again.canonical == plan.canonical
    assert list(again.grid.axes) == list(plan.grid.axes)
    assert list(again.grid.axes)[2:5] == ["nu", "objective_a", "objective_b"]


def test_a_file_names_them_with_dots(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        'steps = 5\nobjective = { name = "rosenbrock" }\nrule = { name = "qhm" }\n[grid]\n'
        "lr = 0.1\nmomentum = 0.9\nstart = [[1.0, 2.0]]\n"
        "rule.nu = { linspace = [0.0, 1.0], num = 5 }\nobjective.b = [1.0, 10.0]\n",
        encoding="utf-8",
    )
    plan = load(path)
    assert plan.grid.shape == (1, 1, 5, 2, 1)
    assert load(path, ["grid.rule.nu.num=3"]).grid.shape == (1, 1, 3, 2, 1)
    assert plan.summary["runs"] == "10 = 1 lr x 1 momentum x 5 nu x 2 objective_b x 1 start"
    assert place_of(plan.grid, 9) == "lr 0.1, momentum 0.9, nu 1, objective_b 10, start (1, 2)"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"rule": fm.UpdateRule(name="qhm", nu=0.5)},
            "grid.rule.nu is an axis, and rule.nu = 0.5 is fixed; drop one",
        ),
        (
            {"rule": fm.UpdateRule(name="qhm", nu=0.7)},  # its default, but said
            "grid.rule.nu is an axis, and rule.nu = 0.7 is fixed; drop one",
        ),
        (
            {"objective": fm.Rosenbrock(b=3.0)},
            "grid.objective.b is an axis, and objective.b = 3 is fixed; drop one",
        ),
        (
            {"objective": fm.Rosenbrock(b=100.0)},
            "grid.objective.b is an axis, and objective.b = 100 is fixed; drop one",
        ),
        (
            {"rule": "momentum"},
            "grid.rule.nu must be left out, as the rule momentum has none; "
            "drop it, or take the rule qhm",
        ),
        (
            {"grid": grid(rule={"mu": 0.5})},
            "grid.rule.mu is no parameter of the rule qhm; "
            "known are nu, weight_decay, decoupled_weight_decay, clip",
        ),
        (
            {"grid": grid(rule={"zeta": 0.5}), "rule": "ema"},
            "grid.rule.zeta is no parameter of the rule ema; "
            "known are weight_decay, decoupled_weight_decay, clip",
        ),
        (
            {"grid": grid(rule={"nu": [0.5, 1.5]})},
            "grid.rule.nu must lie in [0, 1]: got 1.5 (entry 1); drop it",
        ),
        (
            {"grid": grid(rule={"nu": {"linspace": [-1, 1], "num": 3}})},
            "grid.rule.nu must lie in [0, 1]: got -1.0; raise the range's start",
        ),
        (
            {"grid": grid(rule={"nu": {"linspace": [0, 1], "num": 3, "include": [2]}})},
            "grid.rule.nu.include must lie in [0, 1]: got 2.0 (entry 0); drop it",
        ),
        (
            {"grid": grid(objective={"b": [-1.0, 1.0]})},
            "grid.objective.b must be greater than 0: got -1.0",
        ),
        (
            {"grid": grid(objective={"c": 1.0})},
            "grid.objective.c is no constant of rosenbrock; known are a, b",
        ),
        (
            {"objective": "himmelblau"},
            "grid.objective.b must be left out, as himmelblau has no such constants; drop it",
        ),
        (
            {"objective": fm.MSE.from_arrays([0, 1, 2], [1, 3, 5])},
            "grid.objective.b must be left out, as mse has no such constants; drop it",
        ),
        (
            {"objective": "quadratic", "grid": grid(objective={"hxx": [-1.0, 1.0]})},
            "stop.targets must be left out, as quadratic has no smallest value where hxx = -1; "
            "drop them",
        ),
        (
            {
                "grid": grid(
                    objective={name: {"linspace": [1, 2], "num": 300} for name in ("a", "b")}
                )
            },
            "grid.objective makes 90,000 combinations of constants, and may make 65,536; "
            "make an axis shorter",
        ),
    ],
)
def test_what_makes_no_sense_gets_a_line(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(fm.InputError) as raised:
        experiment(**changes)
    assert str(raised.value) == line


@pytest.mark.parametrize(
    ("axes", "line"),
    [
        ({"rule": 5}, "rule must be a table of axes by name, such as nu = [0.5, 0.7]: got 5"),
        (
            {"objective": [1.0]},
            "objective must be a table of axes by name, such as b = [1.0, 100.0]: got [1.0]",
        ),
        ({"rule": {"nu": []}}, "rule.nu is empty; give at least one number"),
        ({"rule": {"nu": "x"}}, "rule.nu must be a number, a list of numbers, or a table with "
                                "linspace, logspace or arange: got 'x'"),
        ({"rule": {"nu": {"linspace": [0, 1]}}},
         "rule.nu needs num, the number of values, beside linspace; add it"),
        ({"rule": {"nu": {"linspace": [0, 1], "nun": 2}}},
         "rule.nu.nun: no such key; did you mean 'num'?"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_gets_a_line(axes: dict[str, Any], line: str) -> None:
    with pytest.raises(fm.InputError) as raised:
        grid(**axes)
    assert str(raised.value) == line


def test_searched_minimisers_allow_fewer_combinations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fm.Rosenbrock, "searches_minimisers", property(lambda self: True))
    experiment(grid=grid(objective={"b": {"linspace": [1, 2], "num": 256}}))
    with pytest.raises(fm.InputError, match="makes 257 combinations of constants, each of which"):
        experiment(grid=grid(objective={"b": {"linspace": [1, 2], "num": 257}}))


def test_combinations_are_counted_once_each_constant_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fm.Rosenbrock, "searches_minimisers", property(lambda self: True))
    many = {"linspace": [1, 2], "num": 257}
    with pytest.raises(fm.InputError) as raised:
        experiment(grid=grid(objective={"zeta": [1.0], "b": many}))
    assert str(raised.value).startswith("grid.objective.zeta is no constant of rosenbrock")
    assert "combinations" not in str(raised.value)


def test_a_file_that_needs_a_parameter_of_a_later_version_says_so() -> None:
    tree = json.loads(experiment().canonical)
    require_known(tree, "9.0")
    tree["grid"]["rule"]["zeta"] = {"values": [1.0]}
    with pytest.raises(
        LackingError, match=r"needs the key grid\.rule\.zeta, which this installation"
    ):
        require_known(tree, "9.0")


@pytest.mark.parametrize("kind", ["rule", "objective"])
def test_forged_axes_are_never_laid_out(kind: str) -> None:
    tree = json.loads(experiment().canonical)
    axis = {"linspace": [0.0, 1.0], "num": 10**6, "include": []}
    tree["grid"][kind] = dict.fromkeys(tree["grid"][kind], axis)
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    with pytest.raises(fm.FileError, match="more runs than the file has bytes"):
        experiment_in_file(text, hashlib.sha256(text.encode()).hexdigest(), 10**6)


def test_an_empty_table_is_none() -> None:
    assert grid(rule={}, objective={}) == grid(rule=None, objective=None)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_constants_have_names_in_their_order(objective: type[fm.objectives.Objective]) -> None:
    if objective in (fm.MSE, fm.PolygonCycle):  # theirs are made of all fields together
        return
    one = objective.example()
    assert tuple(one.named_constants.values()) == one.constants
    other = {name: value + 0.5 for name, value in one.named_constants.items()}
    assert one.with_constants(other).named_constants == other
    assert one.fixed_constants == frozenset()


def exponents(b: float, /, **axes: Any) -> fm.Experiment:
    """A formula with a constant in an exponent, before another in the alphabet, that is none."""
    formula = "(1 + x^2)^a + b*y^2"
    return fm.Experiment(
        objective=fm.Formula(formula, a=1.3, b=b, minimisers=[(0, 0)]),
        rule="momentum",
        steps=50,
        grid=fm.Grid(lr=[0.05, 0.1], momentum=0.5, start=[(1.0, 1.0)], objective=axes or None),
        stop=fm.Stop(targets=[1e-2]),
    )


def test_an_axis_beside_a_constant_in_an_exponent_varies_its_own_constant() -> None:
    ds = fm.run(exponents(1.0, b=[1.0, 3.0]), n_jobs=1)
    for k, b in enumerate([1.0, 3.0]):
        one = fm.run(exponents(b), n_jobs=1)
        for name in ("final", "final_loss", "hit_step", "status"):
            assert ds[name].isel(objective_b=k).values.tobytes() == one[name].values.tobytes()
    assert not np.array_equal(*(ds.final.isel(objective_b=k).values for k in (0, 1)))


def test_a_formulas_constants_are_axes_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "formula.toml"
    path.write_text(
        'steps = 5\nrule = "sgd"\nobjective = { formula = "(a - x)^2 + b*y^2", constants = { a = 1 '
        "}, minimisers = [['a', '0']] }\n[grid]\nlr = 0.1\nstart = [[1.0, 2.0]]\n"
        "objective.b = [1.0, 10.0]\n",
        encoding="utf-8",
    )
    with pytest.raises(fm.InputError, match="'b' is not known; known are x, y, a"):
        load(path)
    path.write_text(path.read_text(encoding="utf-8").replace("a = 1 ", "a = 1, b = 5 "))
    plan = load(path)
    assert plan.grid.shape == (1, 1, 2, 1)
    assert [variant.named_constants for variant in plan.variants] == [
        {"a": 1.0, "b": 1.0},
        {"a": 1.0, "b": 10.0},
    ]
    with pytest.raises(fm.InputError, match=r"objective.c is no constant of formula; known are a"):
        load(path, ["grid.objective.c=[1, 2]"])


def test_a_constant_in_an_exponent_is_no_axis() -> None:
    with pytest.raises(fm.InputError, match=r"^grid\.objective\.a stands in an exponent"):
        exponents(1.0, a=[1.0, 2.0])


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_every_constant_has_a_name_or_none(objective: type[fm.objectives.Objective]) -> None:
    one = fm.MSE.from_arrays([0, 1, 2], [1, 2, 4]) if objective is fm.MSE else objective.example()
    assert len(one.constant_names) == len(one.constants)


def test_the_plan_is_taken_over_whole() -> None:
    plan = experiment(title="kept", stop=fm.Stop(targets=[1e-1], bound=1e9))
    other = plan.with_grid(grid(lr=0.5))
    assert (other.title, other.stop, other.steps) == (plan.title, plan.stop, plan.steps)
    assert other.record is None
    assert other.grid.lr.points.tolist() == [0.5]


def test_cells_are_chosen_by_name() -> None:
    ds = fm.run(experiment())
    cell = fm.select_cell(ds, at={"nu": 0.31, "objective_b": 11})
    assert (float(cell.nu), float(cell.objective_b)) == (0.3, 10.0)
    assert float(fm.select_cell(ds).nu) == 0.0
    assert rule_of(cell) == fm.UpdateRule(name="qhm", nu=0.3)
    assert objective_of(cell) == fm.Rosenbrock(b=10.0)
    assert select_at(ds, {"nu": 1.0}).status.dims == ("lr", "momentum", "objective_b", "start")
    assert [one.constants[1] for _, one in by_objective(ds)] == B
    with pytest.warns(fm.OutsideGridWarning, match=r"nu 2 is not in the grid, 0 to 1"):
        fm.select_cell(ds, at={"nu": 2.0})
    for at, line in (
        ({"b": 1}, "at has b, which is not an axis of the grid; did you mean 'objective_b'?"),
        ({"lr": 1}, "at has lr, which is a separate argument; move it there"),
        ({"nu": "x"}, "nu must be a number: got 'x'"),
    ):
        with pytest.raises(fm.InputError) as raised:
            fm.select_cell(ds, at=at)
        assert str(raised.value) == line
    for ask in (rule_of, objective_of):
        with pytest.raises(fm.InputError, match="select one first, such as isel"):
            ask(ds)
    with pytest.raises(fm.InputError, match="nu was dropped; select without drop=True"):
        fm.select_cell(ds.isel(nu=0, drop=True))


def test_a_replayed_run_has_the_bits_of_the_grid() -> None:
    ds = fm.run(experiment())
    for nu, b, start in itertools.product(NU, B, range(3)):
        one = fm.replay(ds, 1e-3, 0.9, start, at={"nu": nu, "objective_b": b})
        cell = ds.sel(lr=1e-3, momentum=0.9, nu=nu, objective_b=b, start=start)
        assert (float(one.nu), float(one.objective_b)) == (nu, b)
        kept = one.trajectory.sel(step=ds.step)
        assert kept.values.tobytes() == cell.trajectory.values.tobytes()
        assert int(one.status) == int(cell.status)


def test_windows_stay_at_the_other_values() -> None:
    ds = fm.run(experiment())
    window = zoomed(ds, (1e-4, 1e-3), (0.5, 0.9), num=4, at={"nu": 0.7, "objective_b": 10.0})
    assert window.grid.shape == (4, 4, 1, 1, 1)
    assert window.grid.axes["nu"].tolist() == [0.7]
    assert window.grid.axes["objective_b"].tolist() == [10.0]


def test_analysis_takes_each_run_on_its_own_objective() -> None:
    ds = fm.run(experiment(record=fm.Record(every=1)))
    whole = {
        "loss": loss(ds),
        "excess": excess(ds),
        "distance": distance(ds),
        "basin": basin(ds),
        "fraction": fraction_converged(ds),
        "predicted": predicted_rate(ds),
        "behaviour": classify(ds).behaviour,
        "rate": measured_rate(ds).rate,
    }
    assert whole["fraction"].dims == ("lr", "momentum", "nu", "objective_b", "target")
    assert whole["predicted"].dims == ("lr", "momentum", "nu", "objective_b")
    for nu, b, _, one in singles(ds):
        alone = fm.run(one)
        wanted = {
            "loss": loss(alone),
            "excess": excess(alone),
            "distance": distance(alone),
            "basin": basin(alone),
            "fraction": fraction_converged(alone),
            "predicted": predicted_rate(alone),
            "behaviour": classify(alone).behaviour,
            "rate": measured_rate(alone).rate,
        }
        for name, values in wanted.items():
            np.testing.assert_allclose(
                whole[name].sel(nu=nu, objective_b=b).transpose(*values.dims), values, rtol=1e-9
            )


def test_walked_again_is_as_stored() -> None:
    stored, summaries = (fm.run(experiment(record=r)) for r in (fm.Record(every=1), None))
    some = summaries.isel(nu=[1, 3], objective_b=2)
    same(classify(some).behaviour, classify(stored.isel(nu=[1, 3], objective_b=2)).behaviour)


def test_the_best_cell_is_told_with_its_parameters() -> None:
    found = best(fm.run(experiment()))
    assert {"lr", "momentum", "nu", "objective_b", "start_x"} <= set(found)
    assert float(found.nu[0]) in NU


def test_stability_knows_every_axis() -> None:
    plan = fm.Experiment(
        objective="quadratic",
        rule="qhm",
        steps=5,
        grid=fm.Grid(
            lr=[0.15, 0.5, 1.0],
            momentum=[0.0, 0.5],
            start=[(1, 1), (2, 2)],
            rule={"nu": [0.0, 1.0]},
            objective={"hyy": [2.0, 10.0]},
        ),
    )
    found = stability_of(plan)
    above = 0
    limits = []
    for m, nu, h in itertools.product([0.0, 0.5], [0.0, 1.0], [2.0, 10.0]):
        rule = fm.UpdateRule(name="qhm", nu=nu)
        limit = float(theory.largest_stable_lr(fm.Quadratic(1.0, 0.0, h), rule, m))
        limits.append(limit)
        above += 2 * sum(lr >= limit for lr in (0.15, 0.5, 1.0))
    assert found is not None
    assert found["lr"] == [min(limits), max(limits)]
    assert (found["runs_above"], found["runs"]) == (above, plan.grid.n_runs)
    assert found["at"][1] == {"nu": 1.0, "objective_hyy": 2.0}
    assert "(momentum 0.5, nu 1, objective_hyy 2)" in in_words(found)


def test_theory_takes_a_parameter_for_each_cell() -> None:
    nu = np.array([0.0, 0.3, 1.0])
    rule = fm.UpdateRule(name="qhm").varying(nu=nu)
    together = theory.spectral_radius(rule, [[0.1], [0.3]], 0.9, 1.0)
    for k, one in enumerate(nu.tolist()):
        alone = fm.UpdateRule(name="qhm", nu=one)
        assert (
            together[:, k].tolist() == theory.spectral_radius(alone, [0.1, 0.3], 0.9, 1.0).tolist()
        )
        assert theory.stable_limit(rule, 0.5)[k] == theory.stable_limit(alone, 0.5)
    for given, line in (
        ({"nu": [0.5, 2.0]}, "nu must lie in [0, 1]: got 2.0"),
        (
            {"mu": 1.0},
            "mu is no parameter of the rule qhm; "
            "known are nu, weight_decay, decoupled_weight_decay, clip",
        ),
    ):
        with pytest.raises(fm.InputError) as raised:
            fm.UpdateRule(name="qhm").varying(**given)
        assert str(raised.value) == line
    with pytest.raises(fm.InputError, match="convert takes a rule whose parameters are numbers"):
        theory.convert(rule, "sgd", 0.1, 0.0)


# Pictures and commands


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("axes") / "map.h5"
    settings = grid(lr=[1e-3, 1e-2], momentum=[0.0, 0.5, 0.9])
    stop = fm.Stop(targets=[1.0, 1e-6])
    fm.run(experiment(record=None, grid=settings, stop=stop, steps=4000), path)
    return path


def test_a_map_is_drawn_over_any_two_axes(mapped: Path) -> None:
    with fm.open(mapped) as ds:
        some = ds.isel(lr=1, objective_b=1, start=0)
        ax = Figure().add_subplot()
        drawn = plots.phase_map(ax, some, "nu", "momentum")
        assert ax.get_xlabel() == "nu (share of the average in the step)"
        assert ax.get_ylabel() == "momentum"
        assert ax.get_xlim() == (0.0, 1.0)  # no map shows a nu that there cannot be
        assert (
            drawn.ends.get_array().tolist()
            == some.status.transpose("momentum", "nu").values.tolist()
        )
        assert "nu " in str(drawn.best.get_label())
        log = Figure().add_subplot()
        plots.status_map(log, ds.isel(lr=1, nu=1, start=0), "objective_b", "momentum")
        assert (log.get_xscale(), log.get_xlabel()) == ("log", "constant b of the objective")
        with pytest.raises(fm.InputError, match="and objective_b is left: select one objective_b"):
            plots.phase_map(ax, ds.isel(lr=1, start=0), "nu", "momentum")


def test_small_multiples_share_their_colours(mapped: Path) -> None:
    with fm.open(mapped) as ds:
        drawn = plots.phase_panels(Figure(), ds.isel(nu=2, start=0), "objective_b")
        assert [one.ends.axes.get_title() for one in drawn] == ["b 1", "b 10", "b 100"]
        labels = [one.ends.axes.get_xlabel() for one in drawn]
        assert labels == ["", "learning rate", ""]  # once: three would overlap
        norms = {id(one.steps.norm) for one in drawn if one.steps is not None}
        assert len(norms) == 1
        for over, line in (("lr", "take three axes that differ"), ("nuu", "is no dimension")):
            with pytest.raises(fm.InputError, match=line):
                plots.phase_panels(Figure(), ds.isel(nu=2, start=0), over)


def test_the_last_map_of_a_column_has_its_numbers() -> None:
    nu = np.linspace(0.0, 1.0, 8).tolist()  # four columns, and two rows of which one is full
    plan = experiment(record=None, steps=5, grid=grid(rule={"nu": nu[:7]}, objective=None))
    figure = Figure(layout="constrained")
    drawn = plots.phase_panels(figure, fm.run(plan).isel(start=0), "nu")
    numbered = [
        any(tick.label1.get_visible() for tick in one.ends.axes.xaxis.get_major_ticks())
        for one in drawn
    ]
    assert numbered == [False, False, False, True, True, True, True]
    assert [one.ends.axes.get_ylabel() for one in drawn].count("momentum") == 1


def test_titles_name_what_was_selected(mapped: Path) -> None:
    with fm.open(mapped) as ds:
        said = plots.planes.described(ds.isel(nu=1, objective_b=2, lr=0))
    assert said == "objective rosenbrock, rule qhm, lr 0.001, nu 0.3, b 100"


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--x", "nu", "--y", "momentum", "--at", "lr=1e-3"),
        ("--over", "objective_b", "--at", "nu=0.3"),
        ("--x", "objective_b", "--y", "nu", "--show", "status"),
        ("--show", "rate", "--at", "nu=0.7", "--at", "objective_b=10"),
    ],
)
def test_the_script_draws_them(script: Any, mapped: Path, tmp_path: Path, words: Any) -> None:
    path = tmp_path / "out.png"
    status, _, errors = script("plot_phase", mapped, *words, "-o", path)
    assert (status, errors) == (0, "")
    assert path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--x", "nuu"), "--x, --y, --over: nuu is no axis; did you mean 'nu'?"),
        (("--x", "momentum"), "--x, --y and --over must differ: got momentum, momentum"),
        (("--x", "nu", "--at", "nu=1"), "--at nu: all of its values are drawn; leave it out"),
        (("--at", "nu"), "--at takes NAME=VALUE, such as nu=0.7: got 'nu'"),
        (("--at", "nu=1", "--at", "nu=0"), "--at names nu twice; leave one out"),
        (("--at", "nu=x"), "--at must be a number for nu: got 'x'"),
        (("--at", "b=1"),
         "at has b, which is not an axis of the grid; did you mean 'objective_b'?"),
        (("--over", "nu", "--show", "rate"),
         "--show rate is drawn over lr and momentum; leave --x, --y, --over out"),
    ],
)  # fmt: skip
def test_the_script_refuses_in_a_line(script: Any, mapped: Path, words: Any, line: str) -> None:
    status, out, errors = script("plot_phase", mapped, *words)
    assert (status, out) == (2, "")
    assert line in errors
    assert errors.count("\n") == 1


def test_other_scripts_draw_a_cell_of_its_own_objective(
    script: Any, mapped: Path, tmp_path: Path
) -> None:
    words = ("--lr", 1e-3, "--momentum", 0.9, "--at", "nu=0.7", "--at", "objective_b=10")
    status, out, errors = script("plot_contour", mapped, *words, "-o", tmp_path / "out.png")
    assert (status, errors) == (0, "")
    assert "momentum=0.9 nu=0.7 objective_b=10 start=" in out


def test_a_film_stays_at_the_other_values(script: Any, mapped: Path, tmp_path: Path) -> None:
    words = ("--lr", "2e-3:4e-3", "--momentum", "0.5:0.6", "--num", 8, "--frames", 2)
    path = tmp_path / "out.gif"
    status, _, errors = script("animate_zoom", mapped, *words, "--at", "nu=0.7", "-o", path)
    assert (status, errors) == (0, "")
    assert path.stat().st_size > 5_000


def test_basins_are_those_of_the_objective_that_is_drawn(
    script: Any, tmp_path: Path, unrendered: list[Figure]
) -> None:
    mesh = {"x": [-1.0, 0.5, 2.0], "y": [-1.0, 1.0]}
    plan = experiment(grid=grid(start=mesh, objective={"a": [0.5, 1.0]}, lr=1e-3), record=None)
    fm.run(plan, tmp_path / "basins.h5")
    words = ("--at", "objective_a=0.5", "-o", tmp_path / "out.png")
    assert script("plot_basins", tmp_path / "basins.h5", *words)[0] == 0
    stars = [line.get_xydata().tolist() for line in unrendered[0].axes[0].lines]
    assert stars == [[[0.5, 0.25]]]


def test_a_window_of_any_two_axes(mapped: Path) -> None:
    out = mapped.with_name("window.h5")
    words = ["--lr", "2e-3:9e-3", "--window", "nu=0.1:0.6", "--num", "5", "-o", str(out)]
    done = CliRunner().invoke(app, ["zoom", str(mapped), *words, "--at", "objective_b=10"])
    assert done.exit_code == 0, done.output
    with fm.open(out) as ds:
        assert ds.status.sizes == {
            "lr": 5, "momentum": 1, "nu": 5, "objective_b": 1, "start": 1
        }  # fmt: skip
        assert ds.objective_b.values.tolist() == [10.0]
        np.testing.assert_allclose(ds.nu, np.linspace(0.1, 0.6, 5))
    assert out.with_suffix(".png").exists()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--window", "nu=0:1"), "a window has two axes, such as lr and momentum: got nu"),
        (("--window", "b=1:2", "--lr", "1:2"), "b is not an axis of the grid; known are lr,"),
        (("--window", "nu=0:2", "--lr", "1e-3:1e-2"), "grid.rule.nu must lie in [0, 1]: got 2.0"),
        (("--window", "lr=1:2", "--lr", "1:2"), "lr is given by --window and by --lr"),
        (("--window", "nu", "--lr", "1:2"), "--window takes NAME=VALUE, such as nu=0.7: got 'nu'"),
        (("--window", "nu=1", "--lr", "1:2"), "--window nu must be a range A:B of two numbers"),
    ],
)
def test_a_window_that_makes_no_sense(mapped: Path, words: Any, line: str) -> None:
    done = CliRunner().invoke(app, ["zoom", str(mapped), *words])
    assert done.exit_code == 2
    assert line in done.output
