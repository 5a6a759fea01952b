"""Files that version 0.1 made stay readable; they are read, resumed and repaired as they are."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import manifest
from tests.helpers import same_bits
from tests.storing import command, finish, grid_of_runs

FILES = Path(__file__).parents[1] / "files"
DIGEST = "f1f32969e1ca4b05436193cd14576311"
"""What version 0.1 printed for the finished one."""


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return Path(shutil.copy(FILES / "version_0_1.h5", tmp_path / "out.h5"))


def test_its_results_are_those_of_today(finished: Path) -> None:
    assert digest(finished) == DIGEST
    with fm.open(finished) as ds:
        same_bits(ds.load(), fm.run(grid_of_runs(), n_jobs=1))
        assert ds.parameter.values.tolist() == ["x", "y"]
        assert ds.attrs["title"] == "a small grid"
    assert command("info", finished)[0] == 0


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_other_readers_see_the_same_in_old_files_and_new(
    engine: str, finished: Path, tmp_path: Path
) -> None:
    finish(tmp_path / "new.h5", grid_of_runs())
    with (
        xr.open_dataset(finished, engine=engine) as old,
        xr.open_dataset(tmp_path / "new.h5", engine=engine) as new,
    ):
        assert set(old.variables) == set(new.variables)
        for name in set(old.variables) - {"manifest", "wall_time", "closing_checksum"}:
            xr.testing.assert_identical(old[name], new[name])
        assert new.attrs.keys() - old.attrs.keys() == {"arithmetic", "sympy_version"}
        assert old.attrs.keys() <= new.attrs.keys()
        assert old.attrs["experiment"] == new.attrs["experiment"]


def test_it_is_the_finished_run_of_its_plan(finished: Path) -> None:
    before = finished.read_bytes()
    assert finish(finished, grid_of_runs()) is None
    assert finished.read_bytes() == before


def test_it_is_repaired_bit_for_bit(finished: Path) -> None:
    sound = finished.read_bytes()
    damaged = bytearray(sound)
    damaged[manifest.read(finished).offsets["final"] + 8 * 20] ^= 1
    finished.write_bytes(damaged)
    assert not fm.verify(finished).sound
    assert fm.verify(finished, repair=True).repaired
    assert finished.read_bytes() == sound


def test_an_interrupted_one_is_resumed(tmp_path: Path) -> None:
    shutil.copy(FILES / "version_0_1_interrupted.h5.partial", tmp_path / "out.h5.partial")
    store = finish(tmp_path / "out.h5", grid_of_runs())
    assert store is not None
    assert (store.kept, store.damaged) == (4, 0)
    assert digest(tmp_path / "out.h5") == DIGEST
