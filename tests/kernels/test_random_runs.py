"""Noise and batches in the kernels: the bits of plain NumPy, however the runs are cut and run."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import FileError
from fastmomentum.execution import runner
from fastmomentum.kernels.drawing import Draws
from fastmomentum.kernels.keying import ALONE, draws_of
from fastmomentum.noise import batch_rows
from fastmomentum.objectives import Objective
from fastmomentum.objectives.statistics import sample_of
from fastmomentum.reference import Runs, descend
from fastmomentum.reference.noisy import NoisyGradient
from fastmomentum.results.dataset import runnable
from fastmomentum.results.zoom import zoomed
from tests.helpers import made_with, same_bits

X = np.linspace(0.0, 5.0, 100)
Y = 2.0 * X + np.sin(40.0 * X)
OWN = {"gaussian": 0.5, "common": False}


def line(**options: Any) -> fm.MSE:
    return fm.MSE.from_arrays(X, Y, **options)


def plan(
    objective: Objective,
    momenta: int = 3,
    record: Any = None,
    rule: Any = "nesterov",
    **options: Any,
) -> fm.Experiment:
    options.setdefault("stop", fm.Stop(targets=[1.0]))  # momenta = 1: a schedule has them
    return fm.Experiment(
        objective=objective,
        rule=rule,
        steps=300,
        grid=fm.Grid(
            lr=np.geomspace(1e-4, 3e-1, 5),
            momentum=np.linspace(0.0, 0.95, momenta) if momenta > 1 else None,
            start=[(-1.2, 1.0), (0.3, 2.0)],
            seed=[5, 3, 11],
        ),
        record=record,
        **options,
    )


def by_reference(experiment: fm.Experiment) -> Runs:
    grid = experiment.grid
    cells = [grid.cell(run) for run in range(grid.n_runs)]
    lr, momentum, start, velocity = made_with(grid)
    return descend(
        experiment.objective,
        experiment.rule,
        lr,
        momentum,
        start,
        experiment.steps,
        experiment.stop.targets,
        experiment.stop.bound,
        velocity,
        schedule=experiment.schedule,
        noise=dict(experiment.noise) if experiment.noise else None,
        batch=dict(experiment.batch) if experiment.batch else None,
        seed=grid.seeds[[cell[0] for cell in cells]],
    )


CASES: dict[str, dict[str, Any]] = {
    "common": {"objective": fm.Rosenbrock(), "momenta": 70, "noise": {"gaussian": 0.5}},
    "common, few cells": {"objective": fm.Rosenbrock(), "noise": {"gaussian": 0.5}},
    "own": {"objective": fm.Rosenbrock(), "momenta": 70, "noise": OWN, "rule": "adam"},
    "clipped": {
        "objective": fm.Rosenbrock(),
        "momenta": 70,
        "noise": {"gaussian": 5.0},
        "rule": {"name": "momentum", "clip": 2.0, "weight_decay": 0.1},
    },
    "scheduled": {
        "objective": fm.Rosenbrock(),
        "momenta": 1,
        "noise": {"gaussian": 0.5},
        "rule": {"name": "nesterov", "restart": "function"},
        "schedule": {"lr": {"kind": "cosine", "steps": 200}, "momentum": {"kind": "nesterov"}},
    },
    "no stop rules": {"objective": fm.Rosenbrock(), "noise": OWN, "stop": fm.Stop(bound=False)},
    "batches": {"objective": line(), "momenta": 70, "batch": {"size": 32}},
    "batches, standardised": {
        "objective": line(standardise=True),
        "momenta": 70,
        "batch": {"size": 32},
    },
    "batches, few cells": {"objective": line(), "batch": {"size": 32}, "noise": {"gaussian": 0.5}},
    "batches, own noise": {"objective": line(), "momenta": 70, "batch": {"size": 7}, "noise": OWN},
    "replacement": {
        "objective": line(reduction="half_sum"),
        "momenta": 70,
        "batch": {"size": 32, "draw": "replacement"},
        "stop": fm.Stop(bound=False),
    },
}


@pytest.mark.parametrize("case", CASES)
def test_the_bits_of_the_reference(case: str) -> None:
    experiment = plan(**CASES[case])
    ds, expected = fm.run(experiment, n_jobs=1), by_reference(experiment)
    for name in ("final", "final_loss", "n_steps", "status"):
        found, told = ds[name].values, getattr(expected, name)
        # NaN is one in results, and may have any sign in NumPy.
        np.testing.assert_array_equal(found.reshape(np.shape(told)), told, err_msg=name)
    same_bits(ds, fm.run(experiment, n_jobs=2, block_runs=37))


def test_batches_of_standardised_data_are_those_of_data_standardised_beforehand(
    tmp_path: Path,
) -> None:
    mse = line(standardise=True)
    zx, zy = ((column - column.mean()) / column.std() for column in (X, Y))
    by_hand = fm.MSE.from_arrays(zx, zy)
    options: dict[str, Any] = {"batch": {"size": 32}, "momenta": 70}
    path = tmp_path / "line.h5"
    with fm.run(plan(mse, **options), path) as ds:
        found = ds.load()
    expected = fm.run(plan(by_hand, **options))
    calm = (expected.status != fm.Status.DIVERGED).values  # others grow what rounding there is
    assert calm.mean() > 0.5
    assert np.array_equal(found.status, expected.status)
    for name in ("final", "final_loss"):
        one, other = found[name].values[calm], expected[name].values[calm]
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)
    batch = {"size": 32, "draw": "shuffle"}
    points = np.random.default_rng(1).normal(size=(2, 9))
    gradients = (NoisyGradient(one, batch=batch, seed=np.arange(9)) for one in (mse, by_hand))
    for one, other in zip(*(gradient(4, *points) for gradient in gradients), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)
    with fm.open(path) as stored:  # the file alone: its rows are as they were given
        assert np.array_equal(stored.data_x, X)
        cell = fm.select_cell(stored, lr=0.01, momentum=0.9, start=1, at={"seed": 11})
        again = fm.replay(stored, lr=0.01, momentum=0.9, start=1, at={"seed": 11})
        assert again.final.values.tobytes() == cell.final.values.tobytes()
    cut = False

    def stop(progress: Any) -> None:
        nonlocal cut
        cut = cut or progress.done_runs > 0
        if cut:
            raise KeyboardInterrupt

    half = tmp_path / "half.h5"
    with pytest.raises(fm.Interrupted):
        fm.run(plan(mse, **options), half, n_jobs=1, block_runs=100, progress=stop)
    with fm.run(plan(mse, **options), half, n_jobs=1) as resumed:
        same_bits(resumed.load(), found)


def test_which_kernel_is_taken() -> None:
    """Seeds of many cells are drawn for once; a run's own noise, and few cells, lane by lane."""
    many, few = plan(fm.Rosenbrock(), 70, noise={"gaussian": 1}), plan(line(), batch={"size": 3})
    assert few.grid.n_runs // 3 < ALONE <= many.grid.n_runs // 3
    assert draws_of(many) == Draws("seed", None)
    assert draws_of(few) == Draws(None, "lane")
    assert draws_of(plan(line(), 70, noise=OWN, batch={"size": 3})) == Draws("lane", "seed")
    calm = fm.Experiment(
        objective="booth", rule="sgd", steps=1, grid=fm.Grid(lr=0.1, start=[(1, 1)])
    )
    assert draws_of(calm) == Draws()


def test_cells_share_what_is_common_and_nothing_else() -> None:
    """After one update on a bowl the noise is known: of all cells one, or each its own."""
    for common in (True, False):
        ds = fm.run(
            fm.Experiment(
                objective=fm.Quadratic(1.0, 0.0, 1.0),
                rule="sgd",
                steps=1,
                grid=fm.Grid(lr=[0.5, 1.0, 2.0], start=[(0, 0), (1, 1)], seed=4),
                noise={"gaussian": 1.0, "common": common},
                stop=fm.Stop(bound=False),
            )
        )
        start = np.stack([ds.start_x, ds.start_y], axis=-1)
        noise = (start - ds.final.values) / ds.lr.values[:, None, None, None] - start
        one = np.round(noise, 9).reshape(4, -1, 2)
        distinct = [len(np.unique(seed, axis=0)) for seed in one]
        assert distinct == ([1] * 4 if common else [6] * 4)
        assert len(np.unique(one[:, 0], axis=0)) == 4


def test_noise_of_its_own_depends_on_all_that_a_run_is_made_with() -> None:
    """Parameters and constants that are axes, and the velocity, also where a zoom has but one."""
    experiment = fm.Experiment(
        objective="rosenbrock",
        rule="qhm",
        steps=50,
        grid=fm.Grid(
            lr=1e-3,
            momentum=0.5,
            start=[(-1.2, 1.0)],
            velocity=[(0.0, 0.0), (0.1, 0.0)],
            rule={"nu": [0.5, 0.7]},
            objective={"b": [1.0, 10.0]},
            seed=[4],
        ),
        noise=OWN,
        stop=fm.Stop(bound=False),
    )
    ds = fm.run(experiment)
    for nu, b, velocity in itertools.product((0.5, 0.7), (1.0, 10.0), (0, 1)):
        cell = fm.select_cell(ds, at={"nu": nu, "objective_b": b}, velocity=velocity)
        told = descend(
            fm.Rosenbrock(b=b),
            fm.UpdateRule(name="qhm", nu=nu),
            1e-3,
            0.5,
            (-1.2, 1.0),
            50,
            bound=None,
            velocity=(0.1 * velocity, 0.0),
            noise=OWN,
            seed=4,
            further=(nu, b),
        )
        assert cell.final.values.tobytes() == told.final.tobytes()
        again = fm.replay(ds, at={"nu": nu, "objective_b": b}, velocity=velocity)
        assert again.final.values.tobytes() == told.final.tobytes()


def test_replay_and_zoom_give_the_bits_of_the_grid() -> None:
    ds = fm.run(plan(line(), 70, batch={"size": 7}, noise=OWN))
    cell = fm.select_cell(ds, lr=0.01, momentum=0.5, start=1, at={"seed": 11})
    again = fm.replay(ds, lr=0.01, momentum=0.5, start=1, at={"seed": 11})
    assert again.final.values.tobytes() == cell.final.values.tobytes()
    assert again.seed.item() == 11
    lr, momentum = cell.lr.item(), cell.momentum.item()
    window = zoomed(ds, (lr, 2 * lr), (momentum, 0.9), num=3, start=1, at={"seed": 11})
    corner = fm.run(window).isel(seed=0, lr=0, momentum=0, start=0)
    assert corner.final.values.tobytes() == cell.final.values.tobytes()
    some = ds.isel(seed=[1], momentum=slice(0, 2))
    assert dict(fm.analysis.classify(some).sizes) == {"seed": 1, "lr": 5, "momentum": 2, "start": 2}


def test_finer_maps_of_batches_take_the_rows_of_the_file(tmp_path: Path) -> None:
    with fm.run(plan(line(), 9, batch={"size": 7}), tmp_path / "map.h5"):
        pass
    with fm.open(tmp_path / "map.h5") as ds:
        fm.analysis.refine(ds, tmp_path / "fine.h5", levels=1, at={"seed": 11}, progress=False)
        found = fm.analysis.uncertainty_exponent(
            ds.isel(seed=1, start=0), scales=(1e-3, 0.2), sample=500
        )
    assert np.isfinite(found.exponent)
    with fm.open(tmp_path / "fine.h5") as fine:
        same_bits(fm.run(runnable(fine)), fine)


def test_a_seed_is_there_or_not() -> None:
    ds = fm.run(plan(fm.Rosenbrock(), noise={"gaussian": 0.5}))
    with pytest.raises(fm.InputError, match="the grid has no seed 4; it has 3, 5, 11"):
        fm.select_cell(ds, at={"seed": 4})


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_files_keep_the_rows(tmp_path: Path, backend: Any) -> None:
    experiment = plan(line(), 70, batch={"size": 7}, noise=OWN)
    path = tmp_path / "out.h5"
    with fm.run(experiment, path, backend=backend, n_jobs=2, block_runs=200) as ds:
        same_bits(ds, fm.run(experiment))
        assert fm.experiment_of(ds) == experiment
    with h5py.File(path, "r+") as file:
        file["final_loss"][1, 2, 3, 0] = 7.0
    assert not fm.verify(path).sound
    fm.verify(path, repair=True)
    assert fm.verify(path).sound
    with fm.open(path) as ds:
        same_bits(ds, fm.run(experiment))
    with h5py.File(path, "r+") as file:
        file["final_loss"][1, 2, 3, 0] = 7.0
        file["data_y"][3] = 7.0
    with pytest.raises(FileError, match="data_x or data_y is damaged, and batches are drawn"):
        fm.verify(path, repair=True)
    with fm.open(path) as ds, pytest.raises(fm.InputError, match="their digests differ"):
        fm.replay(ds)
    with fm.open(path) as ds, pytest.raises(fm.InputError, match="keep data_x and data_y"):
        fm.replay(ds.drop_vars("data_x"))


def test_an_interrupted_run_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    experiment = plan(line(), 70, batch={"size": 7}, noise=OWN)
    path = tmp_path / "out.h5"

    def stop(progress: Any) -> None:
        if 0 < progress.done_runs < experiment.grid.n_runs:
            raise KeyboardInterrupt

    before, runner.COMMIT_SECONDS = runner.COMMIT_SECONDS, 0.0  # type: ignore[misc]
    try:
        with pytest.raises(fm.Interrupted):
            fm.run(experiment, path, n_jobs=1, block_runs=200, progress=stop)
    finally:
        runner.COMMIT_SECONDS = before  # type: ignore[misc]
    # Read back from its canonical form, the plan has no rows: they are in the file.
    with fm.run(fm.Experiment.from_canonical(experiment.canonical), path) as ds:
        same_bits(ds, fm.run(experiment))


def test_without_rows_there_are_no_batches(tmp_path: Path) -> None:
    experiment = plan(line(), batch={"size": 7})
    bare = fm.Experiment.from_canonical(experiment.canonical)
    with pytest.raises(fm.InputError, match="batches need the rows of the data"):
        fm.run(bare)
    with pytest.raises(fm.InputError, match="batches need the rows of the data"):
        fm.run(bare, tmp_path / "out.h5")
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
def test_a_batch_of_all_rows_is_the_full_gradient(reduction: Any) -> None:
    for offset in (0.0, 1e4):
        objective = fm.MSE.from_arrays(X + offset, Y - offset, reduction)
        x, r = objective.rows
        sample = sample_of(x, r, objective.constants[-1])
        for point in ([1.0, -2.0], objective.minimisers[0] + 0.3):
            full = np.array(objective.gradient_at(*point, objective.constants))
            batch = np.array(objective.batch_gradient_at(*point, objective.constants, sample))
            np.testing.assert_allclose(batch, full, rtol=1e-12)


@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
@pytest.mark.parametrize("draw", ["shuffle", "replacement"])
def test_a_loop_over_the_rows_of_each_batch(draw: str, reduction: Any) -> None:
    """As one would write it: residuals of the rows, whatever the kernels make of them."""
    size, seed, lr, momentum = 8, 3, 1e-3, 0.9  # 8 does not divide 100: the last batch has 4 rows
    lr /= 50.0 if reduction == "half_sum" else 1.0
    experiment = fm.Experiment(
        objective=line(reduction=reduction),
        rule="momentum",
        steps=60,
        grid=fm.Grid(lr=lr, momentum=momentum, start=[(1.5, -2.0)], seed=[seed]),
        record=fm.Record(every=1),
        batch={"size": size, "draw": draw},
    )
    found = fm.run(experiment).trajectory.values.reshape(-1, 2)
    w, v, path = np.array([1.5, -2.0]), np.zeros(2), [np.array([1.5, -2.0])]
    for t in range(60):
        rows = batch_rows(seed, t, X.size, size, draw)
        assert len(rows) == (4 if draw == "shuffle" and t % 13 == 12 else 8)
        off = w[0] * X[rows] + w[1] - Y[rows]
        scale = 2.0 if reduction == "mean" else float(X.size)
        g = scale * np.array([(off * X[rows]).mean(), off.mean()])
        v = momentum * v - lr * g
        w = w + v
        path.append(w)
    np.testing.assert_allclose(found, path, rtol=0, atol=1e-12 * np.abs(path).max())


def test_stop_rules_and_losses_see_no_noise() -> None:
    ds = fm.run(plan(fm.Rosenbrock(), noise={"gaussian": 5.0}))
    objective = fm.Rosenbrock()
    ended = ds.status.values != fm.Status.DIVERGED
    told = objective.value(ds.final.values[..., 0], ds.final.values[..., 1])
    assert (ds.final_loss.values == told)[ended].all()
    met = (ds.status == fm.Status.CONVERGED).values
    assert met.any()
    assert (ds.final_loss.values[met] <= 1.0).all()
