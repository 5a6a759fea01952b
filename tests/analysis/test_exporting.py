"""Results as CSV, Parquet and netCDF: the same bits, some at a time, whole or not at all."""

from __future__ import annotations

import csv
import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.results import lazy_array, netcdf_file, tables
from fastmomentum.status import Status
from fastmomentum.store import files
from tests.helpers import LINE_X, LINE_Y, needs, same_bits
from tests.storing import command, grid_of_runs

FILES = Path(__file__).parents[1]
SUFFIXES = [".csv", ".parquet", ".nc"]

KINDS: dict[str, dict[str, object]] = {
    "listed starts, targets, trajectories": {},
    "a mesh of starts": {
        "grid": fm.Grid(lr=[1e-3, 2e-3], momentum=0.9, start={"x": [0, 1], "y": [0, 1, 2]})
    },
    "no momentum, no targets": {
        "rule": "sgd", "stop": fm.Stop(), "grid": fm.Grid(lr=[1e-3, 2e-3], start=[(0, 0)])
    },
    "axes of parameters, and velocities": {
        "rule": "qhm",
        "grid": fm.Grid(
            lr=[1e-3, 2e-3], momentum=[0.0, 0.9], rule={"nu": [0.0, 0.7]},
            objective={"b": [10.0, 100.0]}, start=[(0, 0), (1, 1)], velocity=[(0, 0), (1, 0)],
        ),
    },
    "a line through data": {
        "objective": fm.MSE.from_arrays(LINE_X, LINE_Y, standardise=True),
        "record": fm.Record(every=5, dtype="float32"),
    },
}  # fmt: skip


@pytest.fixture(params=KINDS)
def results(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[xr.Dataset]:
    with fm.run(grid_of_runs(**KINDS[request.param]), tmp_path / "out.h5", n_jobs=1) as ds:
        yield ds


def exactly(path: Path) -> pd.DataFrame:
    """A table whose text Python itself reads."""
    with path.open(newline="") as file:
        table = pd.DataFrame(csv.DictReader(file))
    return table.apply(lambda column: column if column.name == "status" else column.astype(float))


def numbers(values: object) -> bytes:
    return np.asarray(values, np.float64).tobytes()


@pytest.mark.parametrize("at_once", [3, 10**6])
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_row_for_each_run_with_every_bit(
    suffix: str, at_once: int, results: xr.Dataset, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", at_once)
    made = fm.export(results, tmp_path / f"out{suffix}")
    table = exactly(made.path) if suffix == ".csv" else pd.read_parquet(made.path)
    plan = fm.experiment_of(results)
    runs = np.arange(plan.grid.n_runs)
    assert made.rows == len(table) == runs.size
    cells = dict(zip(plan.grid.axes, np.unravel_index(runs, plan.grid.shape), strict=True))
    for label in plan.labels:
        values = label.values[cells[label.axis]]
        if label.name == "momentum" and plan.grid.momentum is None:
            assert "momentum" not in table
            continue
        assert numbers(table[label.name].astype(float)) == numbers(values), label.name
    assert table.status.tolist() == [Status(s).words for s in results.status.values.ravel()]
    assert numbers(table.n_steps.astype(int)) == numbers(results.n_steps.values.ravel())
    first, second = plan.objective.parameters
    final = results.final.values.reshape(-1, 2)
    assert numbers(table[f"final_{first}"].astype(float)) == numbers(final[:, 0])
    assert numbers(table[f"final_{second}"].astype(float)) == numbers(final[:, 1])
    assert numbers(table.final_loss.astype(float)) == numbers(results.final_loss.values.ravel())
    for k, target in enumerate(plan.stop.targets):
        hits = results.hit_step.values.reshape(-1, len(plan.stop.targets))[:, k]
        assert numbers(table[f"hit_step_{target!r}"].astype(int)) == numbers(hits)


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_netcdf_keeps_everything(engine: str, results: xr.Dataset, tmp_path: Path) -> None:
    made = fm.export(results, tmp_path / "out.nc")
    with xr.open_dataset(made.path, engine=engine) as ds:
        same_bits(results.load(), ds.load())
        assert fm.experiment_of(ds) == fm.experiment_of(results)
        assert set(ds.coords) == set(results.coords)
        assert set(ds.data_vars) == set(results.data_vars)
        for name in results.variables:
            assert ds[name].dims == results[name].dims
            assert ds[name].attrs.keys() >= results[name].attrs.keys()


def slices() -> list[dict[str, object]]:
    return [
        {"lr": 1e-4},
        {"momentum": 0.8, "start": 1},
        {"start": (1, 1), "lr": 1e-1},
        {"lr": 1e-4, "momentum": 0.9, "start": 0},
    ]


@pytest.mark.parametrize("chosen", slices())
@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_a_slice_keeps_the_experiment(
    engine: str, chosen: dict[str, object], tmp_path: Path
) -> None:
    path = tmp_path / "out.h5"
    whole = fm.run(grid_of_runs(), path)
    made = fm.export(path, tmp_path / "slice.nc", **chosen)  # type: ignore[arg-type]
    asked = {"lr": None, "momentum": 0.5, "start": None} | chosen
    with xr.open_dataset(made.path, engine=engine) as ds:
        for name in chosen:
            assert name not in ds.dims
            assert name in ds.coords
        one = fm.select_cell(ds, **asked)  # type: ignore[arg-type]
        other = fm.select_cell(whole, **asked)  # type: ignore[arg-type]
        assert one.final.values.tobytes() == other.final.values.tobytes()
        again = fm.replay(ds, **asked)  # type: ignore[arg-type]
        assert again.trajectory.values[-1].tobytes() == fm.replay(
            whole, **asked  # type: ignore[arg-type]
        ).trajectory.values[-1].tobytes()  # fmt: skip
        assert set(fm.analysis.measured_rate(ds).rate.dims) == set(ds.status.dims)
    assert made.rows == ds.status.size
    assert made.said[0].startswith("at ")


def test_pictures_of_a_slice(tmp_path: Path) -> None:
    fm.run(grid_of_runs(title="kept"), tmp_path / "out.h5").close()
    fm.export(tmp_path / "out.h5", tmp_path / "slice.nc", start=1)
    with xr.open_dataset(tmp_path / "slice.nc") as ds:
        assert "kept" in " ".join(text.get_text() for text in fm.plots.report(ds).texts)
        for page in (fm.plots.pages.phase, fm.plots.pages.contour, fm.plots.pages.loss):
            assert page(ds).axes
    fm.export(tmp_path / "out.h5", tmp_path / "one.nc", lr=1e-4, momentum=0.9)
    with xr.open_dataset(tmp_path / "one.nc") as ds:
        for page in (fm.plots.pages.contour, fm.plots.pages.surface, fm.plots.pages.loss):
            assert page(ds).axes
    mesh = fm.Grid(lr=[1e-3, 2e-3], momentum=0.9, start={"x": [0, 1], "y": [0, 1, 2]})
    fm.export(fm.run(grid_of_runs(grid=mesh)), tmp_path / "mesh.nc", lr=1e-3)
    with xr.open_dataset(tmp_path / "mesh.nc") as ds:
        assert fm.plots.pages.basins(ds).axes
    line = fm.MSE.from_arrays(LINE_X, LINE_Y)
    fm.export(fm.run(grid_of_runs(objective=line)), tmp_path / "line.nc", lr=1e-2)
    with xr.open_dataset(tmp_path / "line.nc") as ds:
        assert "data" in {ax.get_label() for ax in fm.plots.report(ds).axes}


def test_selections_of_ones_own(tmp_path: Path) -> None:
    whole = fm.run(grid_of_runs())
    some = whole.isel(lr=slice(None, None, -2), momentum=[3, 1]).transpose("start", ...)
    fm.export(some, tmp_path / "some.nc")
    with xr.open_dataset(tmp_path / "some.nc") as ds:
        xr.testing.assert_equal(ds.final, some.final)
        xr.testing.assert_equal(ds.trajectory, some.trajectory)
    fm.export(some, tmp_path / "some.csv")
    table = exactly(tmp_path / "some.csv")
    stacked = some.final_loss.stack(run=some.status.dims)
    assert numbers(table.final_loss) == numbers(stacked)
    assert numbers(table.lr) == numbers(stacked.lr)
    assert table.start.tolist() == stacked.start.values.tolist()


@pytest.mark.parametrize("record", [None, fm.Record(every=1), fm.Record(every=3, dtype="float32")])
def test_a_cells_trajectory_has_every_step(record: fm.Record | None, tmp_path: Path) -> None:
    ds = fm.run(grid_of_runs(record=record))
    cell = {"lr": 1e-3, "momentum": 0.9, "start": 0}
    made = fm.export(ds, tmp_path / "cell.csv", trajectory=True, **cell)  # type: ignore[arg-type]
    table = exactly(made.path)
    path = fm.replay(ds, **cell).trajectory.values  # type: ignore[arg-type]
    n = int(fm.select_cell(ds, **cell).n_steps) + 1  # type: ignore[arg-type]
    assert list(table) == ["step", "x", "y", "loss"]
    assert table.step.tolist() == list(range(n))
    assert numbers(table[["x", "y"]]) == numbers(path[:n])
    assert numbers(table.loss) == numbers(fm.Rosenbrock().value(*path[:n].T))
    fm.export(ds, tmp_path / "cell.nc", trajectory=True, **cell)  # type: ignore[arg-type]
    with xr.open_dataset(tmp_path / "cell.nc") as one:
        assert numbers(one.trajectory) == numbers(path)


@pytest.mark.parametrize("at_once", [1, 50, 10**6])
def test_stored_trajectories_of_several_cells(
    at_once: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", at_once)
    axes = fm.Grid(lr=[1e-3, 0.1], start=[(0, 0), (1, 1)], objective={"b": [10.0, 1000.0]})
    ds = fm.run(grid_of_runs(grid=axes, rule="sgd"))
    table = pd.read_parquet(fm.export(ds, tmp_path / "all.parquet", trajectory=True).path)
    rows = []
    for lr, _, b, start in np.ndindex(ds.status.shape):
        one = ds.isel(lr=lr, momentum=0, objective_b=b, start=start)
        objective = fm.Rosenbrock(b=float(one.objective_b))
        for step, (x, y) in zip(one.step.values, one.trajectory.values, strict=True):
            if step <= one.n_steps:
                at = [float(one.lr), float(one.objective_b), start, *map(float, (start, start))]
                rows.append([*at, step, x, y, float(objective.value(x, y))])
    names = ["lr", "objective_b", "start", "start_x", "start_y", "step", "x", "y", "loss"]
    assert list(table) == names
    assert numbers(table) == numbers(rows)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_more_is_read_at_a_time_than_it_should(
    suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 16)
    monkeypatch.setattr(netcdf_file, "BYTES_AT_ONCE", 256)
    read: list[int] = []
    whole = lazy_array.StoredArray.read

    def watched(array: lazy_array.StoredArray, key: tuple[int | slice, ...]) -> object:
        found = whole(array, key)
        read.append(found.size)
        return found

    monkeypatch.setattr(lazy_array.StoredArray, "read", watched)
    axes = fm.Grid(
        lr=np.geomspace(1e-4, 1e-3, 3), momentum=np.linspace(0, 0.9, 501), start=[(0, 0)]
    )
    with fm.run(grid_of_runs(grid=axes, record=None), tmp_path / "out.h5") as ds:
        made = fm.export(ds, tmp_path / f"out{suffix}")
    assert made.rows == 1503
    assert max(read) <= (256 if suffix == ".nc" else 16 * 2)  # two coordinates, or two targets


@contextmanager
def at_most(n_bytes: int) -> Iterator[None]:
    """No file may grow beyond this, as on a disk that is full."""
    import resource  # Windows has none

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@needs("resource")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_what_was_there(suffix: str, tmp_path: Path) -> None:
    axes = fm.Grid(lr=np.geomspace(1e-4, 1e-1, 500), momentum=[0.0, 0.9], start=[(0, 0)])
    ds = fm.run(grid_of_runs(grid=axes))
    path = tmp_path / f"out{suffix}"
    path.write_bytes(b"before")
    with at_most(10_000), pytest.raises(fm.StorageError) as caught:
        fm.export(ds, path, overwrite=True)
    assert str(caught.value) == (
        f"writing {path}: file too large; the limit on a file's size is too low for it"
    )
    assert path.read_bytes() == b"before"
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_no_room_for_a_slice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(files, "free_bytes", lambda _: 1000)
    with pytest.raises(fm.StorageError, match=r"the slice takes .* kB, and 1 kB are free"):
        fm.export(fm.run(grid_of_runs()), tmp_path / "out.nc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_disk_that_fails_is_told_in_a_line(
    suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "sync_data", full)
    with pytest.raises(fm.StorageError, match="no space left on device; free some space"):
        fm.export(fm.run(grid_of_runs()), tmp_path / f"out{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def file(tmp_path: Path) -> Path:
    fm.run(grid_of_runs(record=None), tmp_path / "out.h5").close()
    return tmp_path / "out.h5"


def test_the_command(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    status, said = command("export", file, "-o", out, "--lr", "1e-3", "--start", "0.9,1.1")
    assert status == 0
    assert said.splitlines()[0].endswith("the nearest, (1, 1), is taken")
    assert said.splitlines()[1] == "at lr 0.000562341, start_x 1, start_y 1"
    assert f"wrote {out}: 4 rows, " in said
    status, said = command("export", file, "-o", out)
    assert status == 2
    assert said == f"{out} exists already; choose another file, or replace it with --overwrite\n"
    assert command("export", file, "-o", out, "--overwrite", "--quiet") == (0, "")
    assert len(out.read_text().splitlines()) == 41
    status, said = command("export", file, "-o", tmp_path / "far.nc", "--at", "momentum=2")
    assert status == 0
    assert "momentum 2 is not in the grid, 0 to 0.9: the nearest, 0.9, is taken" in said
    assert "far.nc: 10 runs" in said


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-o", "a.xlsx"], "the name must end in .csv, .nc, .parquet: got '.xlsx'"),
        (["-o", "a"], "got no suffix"),
        (["-o", "none/a.csv"], "none: no such folder; make it first, or choose another"),
        (["-o", "a.csv", "--start", "7"], "start must be a number from 0 to 1: got 7"),
        (["-o", "a.csv", "--start", "x"], "--start must be a number, or a point X,Y: got 'x'"),
        (["-o", "a.csv", "--lr", "-1"], "lr must be positive: got -1"),
        (["-o", "a.csv", "--at", "nu=1"], "at has nu, which is not an axis of the grid"),
        (["-o", "a.csv", "--at", "nu"], "--at takes NAME=VALUE, such as nu=0.7: got 'nu'"),
        (["-o", "a.csv", "--velocity", "1"], "all runs start at rest: got the velocity 1"),
        (["-o", "a.csv", "--trajectory"], "choose one of each lr (5), momentum (4), start (2)"),
        (["-o", "a.csv", "--trajectory", "--lr", "1"], "choose one of each momentum (4), start"),
    ],
)
def test_what_makes_no_sense(
    words: list[str], text: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said = command("export", file, *words)
    assert status == 2
    assert text in said.splitlines()[-1]
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]


def test_the_input_itself_is_not_written_over(file: Path, tmp_path: Path) -> None:
    odd = file.rename(tmp_path / "out.nc")
    (tmp_path / "link.nc").symlink_to(odd)
    before = odd.read_bytes()
    for path in (odd, tmp_path / "link.nc"):
        status, said = command("export", odd, "-o", path, "--overwrite")
        assert (status, "is the results file itself; choose another file" in said) == (2, True)
    assert odd.read_bytes() == before


def test_what_is_no_finished_results_file(file: Path, tmp_path: Path) -> None:
    partial = FILES / "written_by_0_1" / "unfinished.h5.partial"
    status, said = command("export", partial, "-o", tmp_path / "a.csv")
    assert (status, "is not finished: " in said) == (2, True)
    with (
        fm.results.open_results(partial, allow_partial=True) as ds,
        pytest.raises(fm.InputError, match="are not finished; run their experiment again"),
    ):
        fm.export(ds, tmp_path / "a.csv")
    assert command("export", tmp_path / "no.h5", "-o", tmp_path / "a.csv")[0] == 2
    with pytest.raises(fm.InputError, match="these data hold no experiment"):
        fm.export(xr.Dataset(), tmp_path / "a.csv")
    with pytest.raises(fm.InputError, match="lack status; export them before dropping it"):
        fm.export(fm.run(grid_of_runs())[["final"]], tmp_path / "a.csv")
    with pytest.raises(fm.InputError, match="lr was dropped; select without drop=True"):
        fm.export(fm.run(grid_of_runs()).isel(lr=0, drop=True), tmp_path / "a.csv")
    with pytest.raises(fm.InputError, match="trajectory must be True or False: got 'yes'"):
        fm.export(file, tmp_path / "a.csv", trajectory="yes")  # type: ignore[arg-type]
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    "words", [("info",), ("verify",), ("plot", "phase"), ("zoom",), ("export", "-o", "b.csv")]
)
def test_an_export_says_what_it_is(
    words: tuple[str, ...], file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fm.export(file, "slice.nc", lr=1e-3)
    status, said = command(*words, "slice.nc")
    assert status == 3
    assert "slice.nc: a netCDF export, which keeps the experiment: in Python, ds = xarray" in said
    with pytest.raises(fm.FileError, match=r"slice\.nc: a netCDF export"):
        fm.open("slice.nc")
    fm.export(file, "table.csv")
    with pytest.raises(fm.FileError, match=r"but a table: read it with pandas\.read_csv"):
        fm.open("table.csv")


def test_without_pyarrow_it_is_a_line(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    status, said = command("export", file, "-o", tmp_path / "out.parquet")
    assert status == 2
    assert said == (
        "Parquet needs pyarrow: pip install 'fastmomentum[export]', or write .csv or .nc\n"
    )
    assert command("export", file, "-o", tmp_path / "out.csv")[0] == 0


@pytest.mark.skipif(shutil.which("ncdump") is None, reason="ncdump is not installed")
def test_ncdump_reads_it(file: Path, tmp_path: Path) -> None:
    import subprocess

    fm.export(file, tmp_path / "slice.nc", lr=1e-3)
    words = ["ncdump", "-h", str(tmp_path / "slice.nc")]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert "final_loss(momentum, start)" in said
    assert 'final_loss:coordinates = "lr start_x start_y"' in said
