"""What the system is told of how bytes will be used: no bit depends on it, but time does."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum import system
from fastmomentum.store import files
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.file_store import FileStore
from tests.storing import finish, grid_of_runs

Advice = list[tuple[str, int, int]]


@pytest.fixture
def advised(monkeypatch: pytest.MonkeyPatch) -> Advice:
    """Every advice given, as (advice, offset, size)."""
    kept: Advice = []

    def keep(_: int, advice: str, offset: int = 0, size: int = 0) -> None:
        kept.append((advice, offset, size))

    monkeypatch.setattr(system, "advise", keep)
    return kept


def test_reading_here_and_there_is_announced_and_nothing_is_read_ahead(
    tmp_path: Path, advised: Advice
) -> None:
    finish(tmp_path / "out.h5", grid_of_runs())
    with fm.open(tmp_path / "out.h5") as ds:
        advised.clear()
        values = ds.final_loss.isel(lr=slice(None, None, 2), momentum=0, start=0).values
        assert values.shape == (3,)
    kinds = [kind for kind, *_ in advised]
    assert kinds[0] == "RANDOM"
    assert kinds[-1] == "NORMAL"
    places = [offset for kind, offset, _ in advised if kind == "WILLNEED"]
    assert len(set(places)) == len(places)


def test_each_place_is_announced_before_the_first_is_read(
    tmp_path: Path, advised: Advice, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = grid_of_runs(
        grid=fm.Grid(lr=np.geomspace(1e-4, 1e-3, 400), momentum=np.linspace(0, 0.9, 40),
                     start=[(0, 0), (1, 1)]),
        record=fm.Record(every=1),
    )  # fmt: skip
    fm.run(plan, tmp_path / "out.h5").close()
    read: list[int] = []
    read_into = files.read_into

    def reading(descriptor: int, view: memoryview, offset: int) -> None:
        read.append(len([kind for kind, *_ in advised if kind == "WILLNEED"]))
        read_into(descriptor, view, offset)

    with fm.open(tmp_path / "out.h5") as ds:
        advised.clear()
        monkeypatch.setattr(files, "read_into", reading)
        ds.trajectory.isel(momentum=7, start=1, step=3).load()
    announced = {(offset, size) for kind, offset, size in advised if kind == "WILLNEED"}
    assert len(announced) == len(read) > 1
    assert read[0] > 1


def test_a_long_write_is_sent_to_the_disk_at_once_and_a_short_one_is_not(
    tmp_path: Path, advised: Advice
) -> None:
    path = tmp_path / "some.bin"
    descriptor = files.create(path, 4 * files.AT_ONCE)
    try:
        files.begin_writing_back(descriptor, 100, files.AT_ONCE - 1)
        assert advised == []
        files.begin_writing_back(descriptor, 100, files.AT_ONCE)
        assert advised == [("DONTNEED", 100, files.AT_ONCE)]
    finally:
        os.close(descriptor)


def test_blocks_are_sent_to_the_disk_as_they_are_written(
    tmp_path: Path, advised: Advice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "AT_ONCE", 1)
    finish(tmp_path / "out.h5", grid_of_runs())
    with fm.open(tmp_path / "out.h5") as ds:
        runs = {size for kind, _, size in advised if kind == "DONTNEED" and size}
        n_bytes = ds.final_loss.dtype.itemsize
    assert 7 * n_bytes in runs  # a block of final_loss, in one piece


def test_what_was_read_is_forgotten_before_a_repair_is_believed(
    tmp_path: Path, advised: Advice
) -> None:
    finish(tmp_path / "out.h5", grid_of_runs())
    advised.clear()
    assert fm.verify(tmp_path / "out.h5").sound
    assert ("DONTNEED", 0, 0) in advised  # the disk is asked, not memory


def test_pages_that_a_worker_read_are_not_kept(tmp_path: Path, advised: Advice) -> None:
    store = FileStore.open(tmp_path / "out.h5", grid_of_runs())
    assert store is not None
    with store:
        advised.clear()
        assert isinstance(store.sink, BlockFile)
        store.sink.forget_read()
    assert advised[0] == ("DONTNEED", 0, 0)


def test_after_a_failed_sync_the_disk_is_asked(
    tmp_path: Path, advised: Advice, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FileStore.open(tmp_path / "out.h5", grid_of_runs(), block_runs=7)
    assert store is not None

    def failing(_: int) -> None:
        raise OSError(errno.EIO, "as when a disk fails")

    with store:
        monkeypatch.setattr(files, "sync_data", failing)
        advised.clear()
        with pytest.raises(OSError, match="as when a disk fails"):
            store.journal.confirm([0])
    assert ("DONTNEED", 0, 0) in advised
