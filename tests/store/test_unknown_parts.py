"""Files of another installation's objectives and rules, and objectives that belie their minimum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.objectives.minimum import below_minimum
from fastmomentum.provenance import package_version
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.info import findings, info_of
from fastmomentum.store import layout, manifest


def plan(**changes: Any) -> fm.Experiment:
    fields: dict[str, Any] = {
        "objective": fm.Quadratic(),
        "rule": "momentum",
        "steps": 20,
        "grid": fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
        "stop": fm.Stop(targets=[1e-2, 1e-8]),
    }
    return fm.Experiment(**(fields | changes))


def foreign(path: Path, monkeypatch: pytest.MonkeyPatch, **tables: Any) -> Path:
    """A sound file of an experiment that names what only another installation has."""
    experiment = plan()
    tree = json.loads(experiment.canonical)
    for key, table in tables.items():
        tree[key] = tree.get(key, {}) | table
    text = json.dumps(tree, sort_keys=True, separators=(",", ":"))
    experiment.__dict__["canonical"] = text  # what its cached property holds
    made = {**layout.attributes(experiment, 4), "fastmomentum_version": "9.8.7"}
    monkeypatch.setattr(layout, "attributes", lambda *_: made)
    layout.create(path, experiment, experiment.blocks(4))
    return path


@pytest.mark.parametrize(
    ("tables", "needed"),
    [
        ({"objective": {"name": "bowl"}}, "the objective 'bowl'"),
        ({"rule": {"name": "adamant"}}, "the rule 'adamant'"),
        (
            {"objective": {"name": "bowl"}, "rule": {"name": "adamant"}},
            "the objective 'bowl' and the rule 'adamant'",
        ),
        ({"rule": {"nu": 0.7}}, "the key rule.nu"),
        ({"objective": {"tilt": 2.0}}, "the key objective.tilt"),
        ({"plans": {"kind": "cosine"}}, "the key plans"),
        ({"grid": {"sorts": 16}}, "the key grid.sorts"),
        ({"objective": {"name": "\x1b[31mred"}}, "the objective '\\x1b[31mred'"),
    ],
)
def test_a_file_says_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tables: dict[str, Any], needed: str
) -> None:
    path = foreign(tmp_path / "out.h5", monkeypatch, **tables)
    here = package_version("fastmomentum")
    for use in (fm.open, fm.verify, info_of):
        with pytest.raises(fm.FileError) as caught:
            use(path)
        assert str(caught.value) == (
            f"{path}: needs {needed}, which this installation (fastmomentum {here}) lacks; it was "
            "made with fastmomentum 9.8.7: install that, or a later one"
        )
    with pytest.raises(fm.FileError, match=r"needs the .*; it is left alone: move it"):
        fm.run(plan(), path)


def test_another_format_is_told_with_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {**layout.attributes(plan(), 4), "format_version": "7", "fastmomentum_version": "9.8.7"}
    monkeypatch.setattr(layout, "attributes", lambda *_: made)
    layout.create(tmp_path / "out.h5", plan(), plan().blocks(4))
    with pytest.raises(fm.FileError) as caught:
        manifest.read(tmp_path / "out.h5")
    assert str(caught.value) == (
        f"{tmp_path / 'out.h5'}: has the format '7', and this installation reads '1'; it was made "
        "with fastmomentum 9.8.7"
    )


def test_data_from_elsewhere_say_what_they_need() -> None:
    ds = fm.run(plan())
    text = ds.attrs["experiment"].replace('"quadratic"', '"bowl"')
    ds = ds.assign_attrs(experiment=text, fastmomentum_version="9.8.7")
    with pytest.raises(fm.InputError, match=r"these data needs the objective 'bowl'.*9\.8\.7"):
        experiment_of(ds)


def overstated(monkeypatch: pytest.MonkeyPatch) -> fm.Experiment:
    """Runs on a bowl whose minimum is said to lie higher than it does."""
    monkeypatch.setattr(fm.Quadratic, "f_min", property(lambda _: 0.05))
    return plan(steps=200)


def test_an_objective_below_its_stated_minimum_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.h5"
    experiment = overstated(monkeypatch)
    ds = fm.run(experiment, path)
    n_fallen = int((ds.final_loss < 0.05 - 1e-9).sum())
    assert n_fallen == 4  # so the test is of something: all "converged" by falling through
    assert (ds.status == fm.Status.CONVERGED).all()
    first, counts, *targets = findings(path)
    assert first.startswith("quadratic falls below the stated minimum: f = ")
    assert "< f_min = 0.05; 4 runs ended there, and have not converged, whatever" in first
    assert "(lowest at lr " in first
    assert counts == "4 converged"
    assert targets == ["target 0.01: never met", "target 1e-08: never met"]
    assert info_of(path)["findings"] == [first, counts, *targets]


def test_analysis_warns_of_it_and_counts_no_such_run(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = fm.run(overstated(monkeypatch))
    with pytest.warns(UserWarning, match="falls below the stated minimum"):
        assert fm.analysis.best(ds).hit_step.values.tolist() == [-1, -1]
    with pytest.warns(UserWarning, match="falls below the stated minimum"):
        assert not fm.analysis.fraction_converged(ds).any()
    cell = fm.replay(ds, lr=0.1, momentum=0.0)
    with pytest.warns(UserWarning, match="1 run ended there, and has not converged"):
        fm.analysis.excess(cell)


def test_runs_above_it_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    ds = fm.run(overstated(monkeypatch))
    one = {"lr": 1, "momentum": 1}
    loss = ds.final_loss.copy()
    loss[{**one, "start": 0}] = 0.05 + 1e-9
    with pytest.warns(UserWarning, match="3 runs ended there"):
        found = fm.analysis.best(ds.assign(final_loss=loss))
    assert found.lr.values.tolist() == [0.1, 0.1]
    assert found.momentum.values.tolist() == [0.5, 0.5]


BOUNDED = [
    objective
    for objective in (kind.example() for name, kind in fm.OBJECTIVES.items() if name != "mse")
    if objective.f_min is not None
]


@pytest.mark.parametrize("objective", BOUNDED, ids=lambda objective: objective.name)
def test_rounding_is_no_fall(objective: fm.Quadratic) -> None:
    random = np.random.default_rng(0)
    near = objective.minimisers[0] + random.normal(size=(1000, 2)) * 1e-8
    (x_low, x_high), (y_low, y_high) = objective.box
    inside = random.uniform((x_low, y_low), (x_high, y_high), (1000, 2))
    points = np.concatenate([near, inside, 1e5 * inside])
    loss = objective.value(*points.T)
    assert not below_minimum(objective, points, loss).any()
    depth = 1e-6 * max(1.0, abs(objective.f_min))
    exact = objective.minimisers[:1]
    assert below_minimum(objective, exact, np.array([objective.f_min - depth])).all()


def test_cancellation_is_no_fall() -> None:
    """Along the valley of a singular form the terms cancel, to some rounding of either sign."""
    valley = fm.Quadratic(hxx=9e10, hxy=-3e10, hyy=1e10)
    along = np.random.default_rng(0).uniform(-1e5, 1e5, 2000)
    points = np.stack([along, 3 * along], axis=-1)
    loss = valley.value(*points.T)
    assert valley.f_min == 0.0
    assert (loss < -1e-6).any()  # so the test is of something
    assert not below_minimum(valley, points, loss).any()


def test_what_is_left_of_a_selection_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    ds: xr.Dataset = fm.run(overstated(monkeypatch)).drop_vars(["final", "final_loss"])
    assert (fm.analysis.best(ds).hit_step >= 0).all()  # nothing is known of the losses
