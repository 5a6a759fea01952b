"""Refined maps: the boundary is that of the full grid, at a part of its work."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum.analysis import refining
from fastmomentum.analysis.quadtree import Known, Lattice, rounds
from fastmomentum.analysis.refined_map import busiest_window, known_of, refined_map
from fastmomentum.cli.commands import app
from fastmomentum.execution.verification import verify
from tests.helpers import same_bits

Classes = NDArray[np.uint8]


def disk(x: Any, y: Any) -> Classes:
    return np.asarray(np.hypot(x - 0.41, y - 0.52) < 0.3, np.uint8)


def disk_and_wire(x: Any, y: Any) -> Classes:
    """Beside a disk a wire that is thinner than the map's cells, and crosses few of its points."""
    wire = np.abs(y - 0.9 - 0.05 * np.sin(9 * x)) < 0.004
    return np.asarray(disk(x, y) | wire, np.uint8)


def three(x: Any, y: Any) -> Classes:
    return np.asarray(1 + (x + y > 0.8) + (x - y > 0.13), np.uint8)


@pytest.mark.parametrize("truth", [disk, disk_and_wire, three])
def test_a_boundary_is_followed_wherever_it_leads(truth: Callable[..., Classes]) -> None:
    levels, lattice = 5, Lattice((33, 21), 5)
    n, m = lattice.fine
    whole = truth(np.linspace(0, 1, n)[:, None], np.linspace(0, 1, m))
    known = Known(lattice, whole[:: 1 << levels, :: 1 << levels])
    assert len(np.unique(known.classes)) > 1
    for one in rounds(known):
        assert 1 <= one.level <= levels
        assert not known.has(one.points).any()
        known.add(one.points, whole.ravel()[one.points])
    found = known.inferred(np.arange(lattice.size)).reshape(n, m)
    assert known.points.size < 0.05 * lattice.size + 33 * 21
    assert np.array_equal(found, whole)


def rosenbrock(num: int, **options: Any) -> fm.Experiment:
    return fm.Experiment(
        objective="rosenbrock",
        rule="momentum",
        steps=1000,
        grid=fm.Grid(
            lr={"logspace": [1e-4, 1e-2], "num": num},
            momentum={"linspace": [0.3, 0.999], "num": num},
            start=[(-1.2, 1.0), (1.0, -1.0)],
        ),
        stop=fm.Stop(targets=[1e-8], bound=1e6),
        **options,
    )


@pytest.fixture(scope="module")
def coarse() -> xr.Dataset:
    return fm.run(rosenbrock(33))


@pytest.fixture(scope="module")
def fine(coarse: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("refined") / "fine.h5"
    made = fm.analysis.refine(coarse, path, levels=4)
    with fm.open(path) as ds:
        yield made, ds


def test_a_quarter_of_the_work_at_most(fine: Any) -> None:
    made, ds = fine
    assert made.shape == (513, 513)
    assert made.of_map == 33 * 33
    assert ds.sizes["cell"] == made.of_map + made.computed
    assert made.share < 0.25
    assert made.work < 0.25


def test_cells_are_those_of_the_full_grid(fine: Any, coarse: xr.Dataset) -> None:
    made, ds = fine
    grid = fm.experiment_of(ds).grid
    full = fm.experiment_of(coarse).with_grid(grid.model_copy(update={"cells": None}))
    whole = fm.run(full).status.values[..., 0]
    known = known_of(ds.isel(start=0))
    assert np.array_equal(whole.ravel()[known.points], known.classes)
    drawn = known.inferred(np.arange(whole.size))
    skipped = ~known.has(np.arange(whole.size))
    missed = (drawn != whole.ravel())[skipped].mean()
    low, high = made.missed_between
    assert missed < 0.01
    assert low - 0.002 < missed < high + 0.002
    coarse_alone = Known(known.lattice, coarse.status.values[..., 0])
    blurred = coarse_alone.inferred(np.arange(whole.size)) != whole.ravel()
    assert (drawn != whole.ravel()).sum() < 0.2 * blurred.sum()


def test_the_map_is_in_it_bit_for_bit(fine: Any, coarse: xr.Dataset) -> None:
    ds = fine[1]
    numbers = Lattice((33, 33), 4).of_map()
    part = ds.sel(cell=numbers).isel(start=0)
    for name in ("status", "n_steps", "hit_step", "final", "final_loss"):
        own = coarse[name].isel(start=0).values
        assert part[name].values.tobytes() == own.tobytes()
    assert np.array_equal(np.unique(part.lr), coarse.lr)
    assert np.array_equal(np.unique(part.momentum), coarse.momentum)


def test_it_is_an_ordinary_file(fine: Any) -> None:
    made, ds = fine
    assert verify(made.path).sound
    same_bits(ds, fm.run(fm.experiment_of(ds)))
    cell = ds.isel(cell=5000, start=0)
    path = fm.replay(ds, cell.lr.item(), cell.momentum.item())
    assert np.array_equal(path.trajectory.values[cell.n_steps.item()], cell.final.values)
    assert not list(made.path.parent.glob("*_level*"))


def test_of_another_start(coarse: xr.Dataset, tmp_path: Path) -> None:
    fm.analysis.refine(coarse, tmp_path / "b.h5", levels=1, start=1)
    with fm.open(tmp_path / "b.h5") as ds:
        assert ds.start_x.item() == 1.0
        part = ds.sel(cell=Lattice((33, 33), 1).of_map())
        assert np.array_equal(part.final.values.ravel(), coarse.final.values[:, :, 1].ravel())


def test_a_selection_of_a_map(coarse: xr.Dataset, tmp_path: Path) -> None:
    part = coarse.isel(lr=slice(10, 27), momentum=slice(20, None))
    made = fm.analysis.refine(part, tmp_path / "c.h5", levels=2)
    assert made.shape == (65, 49)


def test_an_interrupted_refinement_is_resumed(
    coarse: xr.Dataset, fine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, whole = [], refining.run

    def some(plan: Any, place: Any = None, **options: Any) -> Any:
        if len(ran) == 7:
            raise fm.Interrupted("interrupted; nothing is kept")
        ran.append(place)
        return whole(plan, place, **options)

    monkeypatch.setattr(refining, "run", some)
    with pytest.raises(fm.Interrupted) as told:
        fm.analysis.refine(coarse, tmp_path / "d.h5", levels=4)
    assert "kept beside" in str(told.value) or ran[-1] is not None
    assert (tmp_path / "d_level1.h5").exists()
    assert not (tmp_path / "d.h5").exists()
    monkeypatch.undo()
    fm.analysis.refine(coarse, tmp_path / "d.h5", levels=4)
    with fm.open(tmp_path / "d.h5") as ds:
        same_bits(ds, fine[1])
    assert [path.name for path in tmp_path.glob("d*")] == ["d.h5"]


def test_what_is_there_already_is_not_run_again(
    coarse: xr.Dataset, fine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(refining, "_boundary", none)
    again = fm.analysis.refine(coarse, fine[0].path, levels=4)
    assert (again.computed, again.missed, again.seconds) == (fine[0].computed, fine[0].missed, 0.0)
    with pytest.raises(fm.InputError, match="holds other results than this map refined"):
        fm.analysis.refine(coarse, fine[0].path, levels=3)


def test_as_a_map(fine: Any, coarse: xr.Dataset) -> None:
    one = fine[1].isel(start=0)
    whole = refined_map(one)
    assert whole.status.dims == ("lr", "momentum")
    assert whole.status.shape == (513, 513)
    corners = whole.status.values[::16, ::16]
    assert np.array_equal(corners, coarse.status.values[..., 0])
    part = refined_map(one, busiest_window(one))
    assert set(part.lr.values) <= set(whole.lr.values)
    assert refined_map(one, most=100).sizes == {
        "lr": 86,
        "momentum": 86,
        "target": 1,
        "parameter": 2,
    }
    page = fm.plots.pages.phase(fine[1])
    assert any("foretells" in line for line in page.said)
    assert len(fm.plots.pages.refined(fine[1]).axes) == 3


def test_sampling_tells_its_seed_and_what_was_missed(coarse: xr.Dataset, fine: Any) -> None:
    made = fm.analysis.refine(coarse, fine[0].path, levels=4, sample=500, seed=7)
    assert made.sample == 500
    assert "of 500 skipped cells (seed 7), " in made.lines()[1]
    none = fm.analysis.refine(coarse, fine[0].path, levels=4, sample=0)
    assert len(none.lines()) == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"levels": 0}, "levels must be positive: got 0"),
        ({"levels": 17}, "levels must be at most 16: got 17"),
        ({"levels": 16}, "16 levels make 2,097,153 values of lr, and 1,000,000 are allowed"),
        ({"levels": 1, "sample": -1}, "sample must be at least 0: got -1"),
        ({"levels": 1, "start": 9}, "start must be a number from 0 to 1: got 9"),
    ],
)
def test_what_makes_no_sense_gets_a_line(
    coarse: xr.Dataset, tmp_path: Path, options: dict[str, Any], line: str
) -> None:
    with pytest.raises(fm.InputError, match=re.escape(line)):
        fm.analysis.refine(coarse, tmp_path / "e.h5", **options)


def test_what_is_no_map_gets_a_line(coarse: xr.Dataset, fine: Any, tmp_path: Path) -> None:
    place = tmp_path / "e.h5"
    with pytest.raises(fm.InputError, match="these results list cells"):
        fm.analysis.refine(fine[1], place, levels=1)
    with pytest.raises(fm.InputError, match="a map needs at least two values of lr"):
        fm.analysis.refine(coarse.isel(lr=[3]), place, levels=1)
    sgd = fm.Experiment(
        objective="booth", rule="sgd", steps=5, grid=fm.Grid(lr=[0.1, 0.2], start=[(1, 1)])
    )
    with pytest.raises(fm.InputError, match="the rule sgd has no momentum"):
        fm.analysis.refine(fm.run(sgd, n_jobs=1), place, levels=1)
    narrow = rosenbrock(3).grid.model_copy(
        update={"momentum": {"linspace": [0.5, 0.5 + 4e-16], "num": 3}}
    )
    ds = fm.run(rosenbrock(3).with_grid(narrow), n_jobs=1)
    with pytest.raises(fm.InputError, match="momentum has no double between neighbours"):
        fm.analysis.refine(ds, place, levels=2)
    cells = rosenbrock(3).grid.model_copy(update={"cells": [1, 5]})
    with pytest.raises(fm.InputError, match="these cells are not a refined map"):
        refined_map(fm.run(rosenbrock(3).with_grid(cells), n_jobs=1).isel(start=0))
    with pytest.raises(fm.InputError, match="these results are no refined map"):
        fm.plots.pages.refined(coarse)
    with pytest.raises(fm.InputError, match="a list of cells is drawn over lr and momentum"):
        fm.plots.pages.phase(fine[1], show="rate")
    old = coarse.assign_attrs(arithmetic=0, fastmomentum_version="0.0.9")
    with pytest.raises(fm.InputError, match=r"the map was made with fastmomentum 0\.0\.9"):
        fm.analysis.refine(old, place, levels=1)


def test_too_many_cells_are_refused(
    coarse: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refining, "MOST_LISTED", 2000)
    with pytest.raises(fm.InputError, match=r"ask for \d levels at most"):
        fm.analysis.refine(coarse, tmp_path / "f.h5", levels=6)


def test_the_command(tmp_path: Path) -> None:
    fm.run(rosenbrock(17), tmp_path / "map.h5").close()
    words = ["refine", str(tmp_path / "map.h5"), "--levels", "2", "--sample", "100", "--seed", "3"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert re.search(r"level 2: [\d,]+ cells", done.output)
    assert "of the 4,225 runs of 65 x 65" in done.output
    assert "of 100 skipped cells (seed 3), " in done.output
    assert (tmp_path / "map_fine.png").stat().st_size > 10_000
    again = CliRunner().invoke(app, words)
    assert "map_fine.h5: complete already; " in again.output
    bad = CliRunner().invoke(app, [*words[:2], "--levels", "99"])
    assert bad.exit_code == 2
    assert "levels must be at most 16: got 99" in bad.output


def test_a_map_of_noisy_runs_is_refined_for_one_seed(tmp_path: Path) -> None:
    grid = rosenbrock(9).grid.model_copy(update={"seed": 2})
    plan = rosenbrock(9, noise={"gaussian": 0.05}).model_copy(update={"grid": grid})
    fm.analysis.refine(fm.run(plan), tmp_path / "n.h5", levels=2, at={"seed": 1})
    with fm.open(tmp_path / "n.h5") as ds:
        assert ds.seed.values.tolist() == [1]
        same_bits(ds, fm.run(fm.experiment_of(ds)))
        full = fm.experiment_of(ds).grid.model_copy(update={"cells": None})
        whole = fm.run(fm.experiment_of(ds).with_grid(full)).status.squeeze().values
        assert np.array_equal(whole.ravel()[ds.cell.values], ds.status.squeeze().values)
        assert len(fm.plots.pages.refined(ds).axes) == 3
