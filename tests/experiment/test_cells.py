"""Grids that list their cells: an ordinary experiment, file and data set."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.execution.verification import verify
from fastmomentum.results.info import info_of
from fastmomentum.results.stability import stability_of
from fastmomentum.results.zoom import convergence_of, zoomed
from tests.helpers import same_bits

LR, MOMENTUM = np.geomspace(1e-4, 4e-3, 8), np.linspace(0.3, 0.95, 6)
CELLS = [3, 40, 17, 22, 47, 0]


def listing(cells: Any = CELLS, **axes: Any) -> fm.Experiment:
    return fm.Experiment(
        objective="rosenbrock",
        rule="momentum",
        steps=400,
        grid=fm.Grid(
            lr=LR, momentum=MOMENTUM, start=[(-1.2, 1.0), (0.5, 2.0)], cells=cells, **axes
        ),
        stop=fm.Stop(targets=[1.0, 1e-3]),
    )


@pytest.fixture
def ds(tmp_path: Path) -> Any:
    with fm.run(listing(), tmp_path / "cells.h5", block_runs=5) as made:
        yield made


def test_cells_have_the_bits_of_the_map(ds: xr.Dataset) -> None:
    whole = fm.run(listing(None), n_jobs=1)
    assert ds.status.dims == ("cell", "start")
    assert ds.cell.values.tolist() == sorted(CELLS)
    for k, cell in enumerate(sorted(CELLS)):
        i, j = divmod(cell, MOMENTUM.size)
        assert (ds.lr.values[k], ds.momentum.values[k]) == (LR[i], MOMENTUM[j])
        for name in ("status", "n_steps", "hit_step", "final", "final_loss"):
            assert ds[name].values[k].tobytes() == whole[name].values[i, j].tobytes()


def test_beside_other_axes(tmp_path: Path) -> None:
    ds = fm.run(listing(objective={"b": [50.0, 100.0]}), n_jobs=1)
    assert ds.status.dims == ("cell", "objective_b", "start")
    same = fm.run(listing(), n_jobs=1)
    assert np.array_equal(ds.final.sel(objective_b=100.0).values, same.final.values)


def test_old_plans_say_nothing_of_cells() -> None:
    assert "cells" not in json.loads(listing(None).canonical)["grid"]
    assert json.loads(listing().canonical)["grid"]["cells"] == sorted(CELLS)
    assert fm.Experiment.from_canonical(listing().canonical) == listing()


def test_damage_is_found_and_repaired(ds: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "cells.h5"
    final = ds.final.values
    place = path.read_bytes().index(final[2].tobytes())
    with path.open("r+b") as file:
        file.seek(place)
        file.write(b"\xff" * 8)
    assert not verify(path).sound
    assert verify(path, repair=True).repaired
    with fm.open(path) as again:
        assert again.final.values.tobytes() == final.tobytes()


def test_interrupted_and_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fastmomentum.execution import worker

    done, whole = [], worker.run_block

    def some(plan: Any, runs: range, *rest: Any, **more: Any) -> None:
        if len(done) == 2 and len(runs) > 1:
            raise KeyboardInterrupt
        done.append(runs)
        whole(plan, runs, *rest, **more)

    monkeypatch.setattr(worker, "run_block", some)
    with pytest.raises(fm.Interrupted):
        fm.run(listing(), tmp_path / "a.h5", n_jobs=1, block_runs=3)
    monkeypatch.undo()
    with fm.run(listing(), tmp_path / "a.h5", n_jobs=1) as ds:
        same_bits(ds, fm.run(listing(), n_jobs=1))


def test_a_cell_is_chosen_by_its_settings(ds: xr.Dataset) -> None:
    cell = fm.select_cell(ds, lr=float(LR[3]), momentum=float(MOMENTUM[4]), start=1)
    assert cell.cell.item() == 22
    assert cell.final.values.tolist() == ds.final.values[3, 1].tolist()
    path = fm.replay(ds, lr=float(LR[3]), momentum=float(MOMENTUM[4]), start=1)
    assert np.array_equal(path.trajectory.values[cell.n_steps.item()], cell.final.values)
    assert fm.select_cell(ds, momentum=float(MOMENTUM[5])).momentum.item() == MOMENTUM[5]


def test_analysis_of_a_list_and_of_a_part_of_it(ds: xr.Dataset) -> None:
    whole = fm.run(listing(None), n_jobs=1)
    i, j = np.divmod(ds.cell.values, MOMENTUM.size)
    rate = fm.analysis.measured_rate(whole).rate.values[i, j]
    assert np.array_equal(fm.analysis.measured_rate(ds).rate.values, rate, equal_nan=True)
    part = fm.analysis.measured_rate(ds.isel(cell=[1, 4])).rate.values
    assert np.array_equal(part, rate[[1, 4]], equal_nan=True)
    one = fm.analysis.measured_rate(ds.isel(cell=2, start=0)).rate.item()
    assert one == rate[2, 0] or np.isnan([one, rate[2, 0]]).all()
    predicted = fm.analysis.predicted_rate(whole).values[i, j]
    assert np.array_equal(fm.analysis.predicted_rate(ds).values, predicted)


def test_stability_counts_the_cells(ds: xr.Dataset) -> None:
    found = stability_of(listing())
    limit = fm.theory.largest_stable_lr(fm.Rosenbrock(), "momentum", ds.momentum.values)
    assert found is not None
    assert found["runs_above"] == 2 * int((ds.lr.values >= limit).sum()) > 0
    assert found["runs"] == 12


def test_a_window_of_a_list_is_a_map_again(ds: xr.Dataset) -> None:
    window = zoomed(ds, (1e-3, 2e-3), (0.5, 0.6), num=4)
    assert window.grid.cells is None
    assert window.grid.shape == (4, 4, 1)
    assert "do have lr" in convergence_of(ds)


def test_it_is_told_for_people(ds: xr.Dataset, tmp_path: Path) -> None:
    assert listing().summary["runs"] == "12 = 6 cells x 2 start"
    assert info_of(tmp_path / "cells.h5")["shape"] == {"cell": 6, "start": 2}
    assert ds.cell.attrs["long_name"] == "number of the cell, of learning rates x momenta"


@pytest.mark.parametrize(
    ("cells", "line"),
    [
        ([48], "cells must lie from 0 to 47, as lr x momentum has 48 cells: got 48"),
        ([1, 5, 1], "cells has 1 more than once (entries 0 and 2); list each once"),
        ([3, -1], "cells must be at least 0: got -1 (entry 1)"),
        ([], "cells is empty; give at least one number, or leave it out for all cells"),
        ([1.5], "cells must be a whole number: got 1.5 (entry 0)"),
        ("all", "cells must be a list of whole numbers, those of cells: got 'all'"),
        (np.array([0.5]), "those of cells: got an array of float64, shape (1,)"),
        (range(2_000_001), "cells has 2,000,001 numbers, and may have 2,000,000"),
    ],
)
def test_what_is_no_list_of_cells_gets_a_line(cells: Any, line: str) -> None:
    with pytest.raises(fm.InputError, match=re.escape(line)):
        fm.Grid(lr=LR, momentum=MOMENTUM, start=[(0, 0)], cells=cells)


def test_a_map_of_one_cell_says_so() -> None:
    with pytest.raises(fm.InputError, match=r"cells must be \[0\], as lr x momentum has only one"):
        fm.Grid(lr=0.1, momentum=0.5, start=[(0, 0)], cells=[3])


def test_one_setting_of_a_list_chooses_all_cells_that_have_it(ds: xr.Dataset) -> None:
    from fastmomentum.results.selection import select_at

    asked = float(ds.lr.values[0]) * 1.001
    found = select_at(ds, {"lr": asked})
    nearest = ds.lr.values[np.abs(np.log(ds.lr.values / asked)).argmin()]
    assert found.sizes["cell"] == (ds.lr.values == nearest).sum() > 0
    assert (found.lr.values == nearest).all()
    xr.testing.assert_identical(found, ds.isel(cell=np.flatnonzero(ds.lr.values == nearest)))
