"""Opening results: lazily, in part, and their digest."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.execution.worker import do_block
from fastmomentum.store import files
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.paths import partial_name
from tests.storing import BLOCK_RUNS, command, finish, grid_of_runs

NOTHING = np.zeros(4, np.int64)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "out.h5"
    finish(path, grid_of_runs())
    return path


@pytest.fixture(scope="module")
def memory() -> xr.Dataset:
    return fm.run(grid_of_runs(), n_jobs=1)


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks 1 and 4 of 6 done, block 2 written but not synced, block 3 half written."""
    path = tmp_path_factory.mktemp("partial") / "out.h5"
    with FileStore.open(path, grid_of_runs(), block_runs=BLOCK_RUNS) as store:
        for block in (1, 4):
            store.enter(*do_block(store.sink, block)[:2])
        store.commit(NOTHING, 0.25)
        store.enter(*do_block(store.sink, 2)[:2])
        do_block(store.sink, 3)
    return path


def index_of(n: int) -> st.SearchStrategy[object]:
    """Anything by which xarray may index a dimension."""
    whole = st.integers(-n, n - 1)
    bound = st.none() | st.integers(-n - 1, n + 1)
    return st.one_of(
        whole,
        st.builds(slice, bound, bound, st.none() | st.integers(1, 3)),
        st.builds(slice, st.none(), st.none(), st.integers(-3, -1)),  # xarray fails where empty
        st.lists(whole, max_size=4).map(lambda chosen: np.array(chosen, int)),
    )


@given(data=st.data())
def test_any_selection_reads_what_the_whole_holds(
    data: st.DataObject, whole: Path, memory: xr.Dataset
) -> None:
    name = data.draw(st.sampled_from(["trajectory", "hit_step", "status", "final"]))
    key = {dim: data.draw(index_of(size)) for dim, size in memory[name].sizes.items()}
    with fm.open(whole) as ds:
        here = ds[name].isel(key)
        np.testing.assert_array_equal(here.values, memory[name].isel(key).values)


@given(data=st.data())
def test_any_selection_of_a_part_is_nan_where_not_done(
    data: st.DataObject, partial: Path, memory: xr.Dataset
) -> None:
    name = data.draw(st.sampled_from(["trajectory", "hit_step", "status", "n_steps"]))
    key = {dim: data.draw(index_of(size)) for dim, size in memory[name].sizes.items()}
    runs = np.arange(40).reshape(5, 4, 2)
    done = xr.DataArray(np.isin(runs // BLOCK_RUNS, [1, 4]), dims=("lr", "momentum", "start"))
    wanted = memory[name].where(done, 0 if name == "status" else np.nan).isel(key)
    with fm.open(partial, allow_partial=True) as ds:
        np.testing.assert_array_equal(ds[name].isel(key).values, wanted.values)


def test_large_variables_are_read_piece_by_piece(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One step of each long trajectory: a small part of the file; all of it: in few reads."""
    plan = grid_of_runs(steps=20_000, record=fm.Record(every=1), stop=fm.Stop())
    finish(tmp_path / "out.h5", plan)
    reads, read_into = [], files.read_into

    def watched(descriptor: int, view: memoryview, offset: int) -> None:
        reads.append(len(view))
        read_into(descriptor, view, offset)

    ds = fm.open(tmp_path / "out.h5")
    monkeypatch.setattr(files, "read_into", watched)
    last = ds.trajectory.isel(step=-1).values
    np.testing.assert_array_equal(last, fm.run(plan).trajectory[..., -1, :])
    assert sum(reads) < 10_000
    reads.clear()
    assert ds.trajectory.values.nbytes == sum(reads)
    assert len(reads) <= 40


def test_an_unfinished_file_by_either_name(partial: Path) -> None:
    for path in (partial, partial_name(partial)):
        with pytest.raises(fm.InputError, match="2 of 6 blocks are done"):
            fm.open(path)
        with fm.open(path, allow_partial=True) as ds:
            assert ds.n_steps.dtype == ds.hit_step.dtype == np.float64
            assert ds.status.dtype == np.uint8
            assert int((ds.status != fm.Status.NOT_RUN).sum()) == 2 * BLOCK_RUNS
            assert ds.attrs["wall_time"] == 0.25
        status, said = command("info", path)
        assert status == 0
        assert "not finished: 2 of 6 blocks done" in said
        assert "26 not run" in said
        assert "digest" not in said
        assert command("verify", path)[0] == 0


def test_a_finished_file_opened_in_part_is_whole(whole: Path, memory: xr.Dataset) -> None:
    with fm.open(whole, allow_partial=True) as ds:
        assert ds.n_steps.dtype == np.int32
        assert ds.equals(memory)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(fm.InputError, match="no such file"):
        fm.open(tmp_path / "out.h5")
    assert command("info", tmp_path / "out.h5")[0] == 2


def test_results_can_be_pickled_and_changed_in_memory(whole: Path, memory: xr.Dataset) -> None:
    ds = pickle.loads(pickle.dumps(fm.open(whole)))
    assert ds.equals(memory)
    ds.final_loss[0, 0, 0] = 7.0
    assert float(ds.final_loss[0, 0, 0]) == 7.0
    assert fm.open(whole).equals(memory)


@pytest.mark.parametrize("block_runs", [1, 7, 33, 40, None])
@pytest.mark.parametrize(("n_jobs", "backend"), [(1, "threads"), (2, "threads")])
def test_the_digest_is_of_the_content_alone(
    block_runs: int | None, n_jobs: int, backend: str, tmp_path: Path, memory: xr.Dataset
) -> None:
    path, plan = tmp_path / "out.h5", grid_of_runs(title="another title")
    fm.run(plan, path, block_runs=block_runs, n_jobs=n_jobs, backend=backend).close()
    wanted = fm.results.digest(memory)
    assert fm.results.digest(path) == fm.results.digest(str(path)) == wanted
    assert fm.results.digest(fm.open(path)) == wanted
    assert f"digest        xxh3-128 {wanted}" in command("info", path)[1]
    assert f'"digest": "{wanted}"' in command("info", path, "--json")[1]


def test_the_digest_tells_results_and_labels_apart(memory: xr.Dataset) -> None:
    other = memory.copy(deep=True)
    other.final_loss[0, 0, 0] += 1
    same_values = grid_of_runs(
        grid=fm.Grid(
            lr=np.geomspace(1e-4, 1e-1, 5) * 2,
            momentum=[0.0, 0.5, 0.8, 0.9],
            start=[(1, 1), (9, 9)],
        )
    )
    digests = {fm.results.digest(ds) for ds in (memory, other, fm.run(same_values))}
    assert len(digests) == 3


def test_unfinished_results_have_no_digest(partial: Path) -> None:
    with pytest.raises(fm.InputError, match="not finished"):
        fm.results.digest(partial)
    with pytest.raises(fm.InputError, match="not finished"):
        fm.results.digest(fm.open(partial, allow_partial=True))


def test_info_tells_time_and_counts(whole: Path, memory: xr.Dataset) -> None:
    from fastmomentum.results.info import info_of

    said = info_of(whole)
    assert said["finished"]
    assert said["wall_time"] == 0.0  # as `finish` tells it
    counts = np.bincount(memory.status.values.ravel(), minlength=4)
    assert list(said["counts"].values()) == counts.tolist()
