"""The best cell counts together with its neighbours: by NumPy, cell by cell."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm

NEVER = 2**31 - 1


@pytest.fixture(scope="module")
def results() -> xr.Dataset:
    """Near the edge of what is stable, where single runs step on the minimum by luck."""
    grid = fm.Grid(
        lr={"logspace": [1e-4, 2e-2], "num": 30},
        momentum={"linspace": [0.0, 0.99], "num": 25},
        start=[(-1.2, 1.0), (0.5, 0.5)],
    )
    stop = fm.Stop(targets=[1.0, 1e-2], bound=1e6)
    plan = fm.Experiment(
        objective=fm.Rosenbrock(), rule="momentum", steps=400, grid=grid, stop=stop
    )
    return fm.run(plan, n_jobs=1)


def around(ds: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Steps of each cell, and the medians of 3 x 3, over lr and momentum."""
    hits = ds.hit_step.isel(target=-1).values
    steps = np.where(hits >= 0, hits, NEVER)
    padded = np.pad(steps, 1, mode="edge")
    middles = np.array(
        [
            [np.median(padded[i : i + 3, j : j + 3]) for j in range(steps.shape[1])]
            for i in range(steps.shape[0])
        ]
    )
    return steps, np.where(steps < NEVER, middles, NEVER)


def test_no_cell_is_the_best_by_luck(results: xr.Dataset) -> None:
    for start in (0, 1):
        one = results.isel(start=start)
        steps, middles = around(one)
        found = fm.analysis.fastest(one)
        best = steps[middles == middles.min()].min()
        assert found.hit_step == best
        assert found.lone == steps.min()
        i, j = np.argwhere((middles == middles.min()) & (steps == best))[0]
        assert found.cell["lr"] == one.lr.values[i]
        assert found.cell["momentum"] == one.momentum.values[j]
        assert found.converged == np.mean(steps < NEVER)
        by_lr = [
            row[middle == middle.min()].min() if (row < NEVER).any() else np.inf
            for row, middle in zip(steps, middles, strict=True)
        ]
        np.testing.assert_array_equal(fm.analysis.soonest(one), by_lr)
        by_momentum = fm.analysis.soonest(one, "momentum")
        assert by_momentum.dims == ("momentum",)
        assert float(by_momentum.sel(momentum=found.cell["momentum"])) == best
    lone = [fm.analysis.fastest(results.isel(start=k)) for k in (0, 1)]
    assert any(found.lone < found.hit_step for found in lone)


def test_over_all_starts_each_has_neighbours_of_its_own(results: xr.Dataset) -> None:
    whole = fm.analysis.fastest(results)
    each = [fm.analysis.fastest(results.isel(start=k)) for k in (0, 1)]
    medians = [around(results.isel(start=k))[1].min() for k in (0, 1)]
    assert whole.hit_step == each[int(np.argmin(medians))].hit_step
    assert whole.cell["start_x"] == [-1.2, 0.5][int(np.argmin(medians))]


def test_what_has_no_neighbours_is_refused(results: xr.Dataset) -> None:
    with pytest.raises(fm.InputError, match="neighbours in lr and momentum: keep both"):
        fm.analysis.fastest(results.isel(lr=0))
    with pytest.raises(
        fm.InputError, match="nu is not a dimension of the results; they have start"
    ):
        fm.analysis.soonest(results, "nu")
