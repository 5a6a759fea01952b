"""Files that version 0.1 wrote are opened, verified, repaired, resumed and replayed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.store.manifest import read
from fastmomentum.store.paths import partial_name
from tests.helpers import same_bits
from tests.storing import command

FOLDER = Path(__file__).parents[1] / "written_by_0_1"
DIGESTS = {
    "valley": "87df684404f92760d1e7fd22f945a582",
    "line": "8aea106053dd7937f5370cc53cd5e714",
}
"""As version 0.1 told them."""
PLANS = {
    "valley": "e8d8727f74dfd4361f832e0e7f72a940b65f78ff18b1884eb41d46eb8d8f962a",
    "line": "4d953018a177287edd1c2fad5b09666db0357f9139e41eff1e19db4098eac862",
}


@pytest.fixture(params=DIGESTS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return Path(shutil.copy(FOLDER / f"{request.param}.h5", tmp_path))


def test_it_is_opened_with_the_digest_that_it_had(old: Path) -> None:
    assert fm.results.digest(old) == DIGESTS[old.stem]
    with fm.open(old) as ds:
        assert ds.title == f"{old.stem}, by version 0.1"
        assert fm.results.digest(ds.load()) == DIGESTS[old.stem]


def test_its_plan_has_the_hash_that_it_had(old: Path) -> None:
    with fm.open(old) as ds:
        plan = fm.experiment_of(ds)
    assert plan.sha256 == PLANS[old.stem]
    assert fm.Experiment.from_canonical(plan.canonical).sha256 == plan.sha256


def test_running_its_plan_gives_the_same_bits(old: Path) -> None:
    with fm.open(old) as ds:
        same_bits(ds.load(), fm.run(fm.experiment_of(ds)))


def test_it_is_verified_and_repaired(old: Path) -> None:
    whole = old.read_bytes()
    assert fm.verify(old).sound
    place = read(old).offsets["final_loss"]
    old.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    assert not fm.verify(old).sound
    fm.verify(old, repair=True)
    assert fm.verify(old).sound
    assert fm.results.digest(old) == DIGESTS[old.stem]


def test_each_of_its_runs_is_replayed(old: Path) -> None:
    with fm.open(old) as ds:
        for lr in ds.lr.values:
            for momentum in ds.momentum.values:
                path = fm.replay(ds, lr=lr, momentum=momentum)
                stored = fm.select_cell(ds, lr=lr, momentum=momentum)
                np.testing.assert_array_equal(path.final.values, stored.final.values)


def test_an_unfinished_one_is_resumed(tmp_path: Path) -> None:
    partial = shutil.copy(FOLDER / "unfinished.h5.partial", tmp_path)
    path = Path(str(partial).removesuffix(".partial"))
    assert partial_name(path) == Path(partial)
    with fm.open(partial, allow_partial=True) as ds:
        plan = fm.experiment_of(ds)
        assert 0 < int((ds.status == fm.Status.NOT_RUN).sum()) < plan.grid.n_runs
    fm.run(plan, path).close()
    assert fm.results.digest(path) == DIGESTS["valley"]


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_other_readers_see_the_same_in_old_files_and_new(engine: Any, tmp_path: Path) -> None:
    old = Path(shutil.copy(FOLDER / "valley.h5", tmp_path))
    with fm.open(old) as ds:
        plan = fm.experiment_of(ds)
    fm.run(plan, tmp_path / "new.h5").close()
    with (
        xr.open_dataset(old, engine=engine) as before,
        xr.open_dataset(tmp_path / "new.h5", engine=engine) as now,
    ):
        assert set(before.variables) == set(now.variables)
        blocks = {name for name in now.variables if "block" in now[name].dims}  # cut otherwise
        assert "final" not in blocks
        for name in set(before.variables) - blocks - {"manifest", "wall_time", "closing_checksum"}:
            xr.testing.assert_identical(before[name], now[name])
        assert now.attrs.keys() - before.attrs.keys() == {"arithmetic", "sympy_version"}
        assert before.attrs.keys() <= now.attrs.keys()
        assert before.attrs["experiment"] == now.attrs["experiment"]


def test_it_is_the_finished_run_of_its_plan(old: Path) -> None:
    before = old.read_bytes()
    with fm.open(old) as ds:
        plan = fm.experiment_of(ds)
    fm.run(plan, old).close()
    assert old.read_bytes() == before
    assert command("info", old)[0] == 0
