"""The store: resuming, one writer, faults of the disk at each moment, and a machine of them all."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import fastmomentum as fm
from fastmomentum import system
from fastmomentum.errors import FileError, InputError, Interrupted, StorageError
from fastmomentum.execution.runner import run_to_file
from fastmomentum.execution.worker import do_block
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import files, locks, manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.journal import DONE, MISSING, WRITTEN, Journal, RunTotals
from fastmomentum.store.paths import partial_name
from tests.helpers import needs
from tests.storing import BLOCK_RUNS, command, finish, grid_of_runs

NOTHING = np.zeros(4, np.int64)
SEAM = ("create", "write_at", "sync_data", "sync_folder", "rename", "reserve")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("wanted") / "out.h5"
    finish(path, grid_of_runs())
    return digest(path)


def opened(path: Path, plan: fm.Experiment) -> FileStore:
    store = FileStore.open(path, plan, block_runs=BLOCK_RUNS)
    assert store is not None
    return store


# Resuming


def test_resuming_tells_what_is_kept_damaged_and_left(tmp_path: Path, wanted: str) -> None:
    path, plan = tmp_path / "out.h5", grid_of_runs()
    with opened(path, plan) as store:
        for block in (1, 3, 4):
            store.enter(*do_block(store.sink, block)[:2])
        store.commit(NOTHING, 1.5)
        store.enter(*do_block(store.sink, 5)[:2])  # written, and never synced
        assert Journal(store.sink).flags().tolist() == [0, DONE, 0, DONE, DONE, WRITTEN]
        offset = store.sink.offsets["final"] + 3 * BLOCK_RUNS * 16
    data = bytearray(partial_name(path).read_bytes())
    data[offset] ^= 1
    partial_name(path).write_bytes(data)
    with opened(path, plan) as store:
        assert (store.kept, store.damaged, store.kept_runs) == (3, 1, 2 * BLOCK_RUNS + 5)
        assert list(store.missing()) == [0, 2, 3]
    finish(path, plan)
    assert digest(path) == wanted
    assert fm.open(path).attrs["wall_time"] == 1.5


def test_the_command_says_how_it_goes_on(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(
        'steps = 10\nobjective.name = "rosenbrock"\nrule.name = "momentum"\n'
        "[grid]\nlr = [1e-4, 1e-3]\nmomentum = 0.5\nstart = [[0.0, 0.0]]\n"
    )
    path = tmp_path / "out.h5"
    with FileStore.open(path, fm.load(tmp_path / "plan.toml"), block_runs=1) as store:
        store.enter(*do_block(store.sink, 1)[:2])
    status, said = command("run", tmp_path / "plan.toml", "-o", path)
    assert status == 0
    assert "1 of 2 blocks" in said
    assert command("run", tmp_path / "plan.toml", "-o", path)[1].count("complete already") == 1


def test_a_torn_journal_is_not_believed(tmp_path: Path, wanted: str) -> None:
    """Flags that reached the disk without their checksums, or without their data."""
    path, plan = tmp_path / "out.h5", grid_of_runs()
    with opened(path, plan) as store:
        store.enter(*do_block(store.sink, 0)[:2])
        where = store.sink.offsets["block_done"]
        for block, state in enumerate([DONE, DONE, WRITTEN, 77]):
            files.write_at(store.sink.descriptor, bytes([state]), where + block)
    with opened(path, plan) as store:
        assert (store.kept, store.damaged) == (1, 2)
        assert Journal(store.sink).flags().tolist() == [DONE, MISSING, MISSING, 77, 0, 0]
    finish(path, plan)
    assert digest(path) == wanted


def test_an_unfinished_file_keeps_its_blocks_and_another_plan_is_refused(tmp_path: Path) -> None:
    path, plan = tmp_path / "out.h5", grid_of_runs()
    with opened(path, plan):
        pass
    with FileStore.open(path, plan, block_runs=3) as store:
        assert store.blocks.block_runs == BLOCK_RUNS
    other = grid_of_runs(steps=30)
    with pytest.raises(InputError, match="another experiment, whose steps"):
        FileStore.open(path, other)
    with FileStore.open(path, other, overwrite=True) as store:
        assert store.experiment.steps == 30
    assert finish(path, other) is not None
    assert finish(path, other) is None
    with pytest.raises(InputError, match="overwrite=True"):
        FileStore.open(path, plan)


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    for place in (path, partial_name(path)):
        place.write_text("my diary")
        with pytest.raises(FileError, match="left alone"):
            FileStore.open(path, grid_of_runs(), overwrite=True)
        assert place.read_text() == "my diary"
        place.unlink()
    assert list(tmp_path.iterdir()) == []


def test_planted_links_lead_nowhere(tmp_path: Path) -> None:
    """A symbolic link in place of the unfinished file or of the lock: nothing behind it changes."""
    path, plan = tmp_path / "out.h5", grid_of_runs()
    other = tmp_path / "other.h5"
    with opened(other, plan):
        pass
    before = partial_name(other).read_bytes()
    partial_name(path).symlink_to(partial_name(other))
    with pytest.raises(FileError, match="symbolic link"):
        opened(path, plan)
    partial_name(path).unlink()
    (tmp_path / "out.h5.lock").symlink_to(partial_name(other))
    with pytest.raises(StorageError):
        opened(path, plan)
    (tmp_path / "out.h5.lock").unlink()
    (tmp_path / "out.h5.partial.layout").symlink_to(partial_name(other))
    finish(path, plan)
    assert partial_name(other).read_bytes() == before


def test_a_link_to_the_output_is_followed(tmp_path: Path, wanted: str) -> None:
    (tmp_path / "far").mkdir()
    path, link = tmp_path / "far" / "out.h5", tmp_path / "link.h5"
    link.symlink_to(path)
    with opened(link, grid_of_runs()), pytest.raises(StorageError, match="another process"):
        opened(path, grid_of_runs())
    finish(link, grid_of_runs())
    assert digest(link) == digest(path) == wanted
    assert finish(link, grid_of_runs()) is None
    finish(link, grid_of_runs(steps=5), overwrite=True)
    assert link.is_symlink()
    assert digest(path) != wanted
    assert [p.name for p in tmp_path.iterdir() if not p.is_dir()] == ["link.h5"]


# One writer


def test_a_second_writer_fails_at_once_and_harms_nothing(tmp_path: Path, wanted: str) -> None:
    path, plan = tmp_path / "out.h5", grid_of_runs()
    with opened(path, plan) as first:
        first.enter(*do_block(first.sink, 0)[:2])
        code = (
            "import sys, fastmomentum as fm; from tests.storing import finish, grid_of_runs;"
            "from pathlib import Path; finish(Path(sys.argv[1]), grid_of_runs())"
        )
        begun = time.monotonic()
        with pytest.raises(StorageError, match="another process is writing there"):
            opened(path, plan)
        assert time.monotonic() - begun < 0.5
        root = Path(__file__).parents[2]
        done = subprocess.run(
            [sys.executable, "-c", code, path], cwd=root, capture_output=True, text=True
        )
        assert "StorageError" in done.stderr
        for block in range(1, 6):
            first.enter(*do_block(first.sink, block)[:2])
        first.finish(NOTHING, 0.0)
    assert digest(path) == wanted
    assert [file.name for file in tmp_path.iterdir()] == ["out.h5"]


def test_missing_blocks_are_numbered_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "AT_ONCE", 4)
    plan = grid_of_runs()
    with opened(tmp_path / "out.h5", plan) as store:
        for block in (0, 4):
            store.enter(*do_block(store.sink, block)[:2])
        store.commit(NOTHING, 0.0)
        assert [*store.missing()] == [1, 2, 3, 5]


def test_an_interrupted_run_syncs_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmomentum.execution.runner.COMMIT_SECONDS", 1e9)
    path, seen = tmp_path / "out.h5", []
    enter = FileStore.enter

    def stop_at_the_third(store: FileStore, *arguments: int) -> None:
        enter(store, *arguments)
        seen.append(arguments[0])
        if len(seen) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(FileStore, "enter", stop_at_the_third)
    with pytest.raises(Interrupted, match="3 of 6 blocks are done and kept"):
        fm.run(grid_of_runs(), path, n_jobs=1, block_runs=BLOCK_RUNS)
    found = manifest.read(partial_name(path))
    flags = Journal(BlockFile.of(found, writable=False)).flags()
    assert [*np.flatnonzero(flags == DONE)] == sorted(seen)
    assert RunTotals.read(BlockFile.of(found, writable=False)).counts.sum() < 3 * BLOCK_RUNS


@pytest.mark.parametrize("same", [True, False])
def test_what_another_finished_while_we_waited_is_kept(
    same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, theirs, plan = tmp_path / "out.h5", tmp_path / "theirs.h5", grid_of_runs()
    finish(theirs, plan if same else plan.model_copy(update={"steps": 7}))
    kept, lock = digest(theirs), locks.Lock

    def after_a_while(name: Path) -> locks.Lock:
        theirs.rename(path)
        return lock(name)

    monkeypatch.setattr(locks, "Lock", after_a_while)
    if same:
        assert FileStore.open(path, plan) is None
    else:
        with pytest.raises(InputError, match="holds results of another experiment"):
            FileStore.open(path, plan)
    assert digest(path) == kept
    assert [file.name for file in tmp_path.iterdir()] == ["out.h5"]


@needs("os.fork")
def test_a_dead_writers_lock_is_no_obstacle(tmp_path: Path, wanted: str) -> None:
    path = tmp_path / "out.h5"
    child = os.fork()
    if not child:
        opened(path, grid_of_runs())
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert (tmp_path / "out.h5.lock").exists()
    finish(path, grid_of_runs())
    assert digest(path) == wanted


def test_only_one_of_many_gets_the_lock(tmp_path: Path) -> None:
    """Threads that take and drop the lock, which removes its file, never hold it together."""
    path, holders, most, failed = tmp_path / "out.h5", [0], [0], [0]

    def contend() -> None:
        for _ in range(200):
            try:
                lock = locks.Lock(path)
            except StorageError:
                failed[0] += 1
                continue
            holders[0] += 1
            most[0] = max(most[0], holders[0])
            holders[0] -= 1
            lock.release()

    threads = [threading.Thread(target=contend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert not (tmp_path / "out.h5.lock").exists()


@pytest.mark.skipif(system.names_are_held(), reason="open files keep their names")
def test_many_readers_beside_a_writer(tmp_path: Path, wanted: str) -> None:
    path, plan = tmp_path / "out.h5", grid_of_runs()
    finished = fm.run(plan)
    with opened(path, plan) as store:
        for block in range(6):
            store.enter(*do_block(store.sink, block)[:2])
            store.commit(NOTHING, 0.0)
            for _ in range(2):
                with fm.open(path, allow_partial=True) as ds:
                    done = ds.status.values.ravel() != 0
                    assert done.sum() == min(40, BLOCK_RUNS * (block + 1))
                    here = ds.final_loss.values.ravel()
                    assert (here[done] == finished.final_loss.values.ravel()[done]).all()
                    assert np.isnan(here[~done]).all()
                status, said = command("info", path)
                assert status == 0
                assert f"{block + 1} of 6 blocks done" in said
        with fm.open(path, allow_partial=True) as ds:
            store.finish(NOTHING, 0.0)  # renames the file under its reader
            assert (ds.final.values == finished.final.values).all()
    assert digest(path) == wanted


@pytest.mark.skipif(system.names_are_held(), reason="open files keep their names")
def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    finish(path, grid_of_runs())
    old = fm.run(grid_of_runs())
    ds = fm.open(path)
    finish(path, grid_of_runs(steps=5), overwrite=True)
    assert (ds.final.values == old.final.values).all()


def test_a_worker_that_outlives_its_run_cannot_touch_another_file(tmp_path: Path) -> None:
    path, plan = tmp_path / "out.h5", grid_of_runs()
    with opened(path, plan) as store:
        late = BlockFile(store.sink.path, store.sink.seal)
    partial_name(path).unlink()
    with opened(path, plan) as store:  # the same plan, the same name, another file
        before = partial_name(path).read_bytes()
        with pytest.raises(StorageError, match="replaced"):
            do_block(late, 0)
        assert partial_name(path).read_bytes() == before


# Faults of the disk


def fail_at(patch: pytest.MonkeyPatch, fatal: int, number: int) -> Callable[[], int]:
    """Let the n-th touch of the disk fail; gives a count of the touches."""
    count = 0

    def wrapped(real: Callable[..., Any]) -> Callable[..., Any]:
        def touch(*arguments: Any) -> Any:
            nonlocal count
            count += 1
            if count == fatal:
                if real is originals["write_at"]:  # half of it arrives
                    descriptor, data, offset = arguments
                    half = memoryview(data).cast("B")
                    real(descriptor, half[: len(half) // 2], offset)
                raise OSError(number, os.strerror(number))
            return real(*arguments)

        return touch

    originals = {name: getattr(files, name) for name in SEAM}
    for name, real in originals.items():
        patch.setattr(files, name, wrapped(real))
    return lambda: count


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_each_touch_of_the_disk_failing_in_turn(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    plan, other = grid_of_runs(), tmp_path / "earlier.h5"
    finish(other, plan)
    earlier = other.read_bytes()
    faults = 0
    while True:
        folder = tmp_path / str(faults)
        folder.mkdir()
        with monkeypatch.context() as patch:
            touches = fail_at(patch, faults + 1, number)
            failed = None
            try:
                finish(folder / "out.h5", plan)
            except StorageError as error:
                failed = error
        if failed is not None:
            assert failed.exit_status == 4
            assert len(str(failed).splitlines()) == 1
            assert os.strerror(number).lower() in str(failed)
        if touches() <= faults:
            break
        faults += 1
        finish(folder / "out.h5", plan)
        assert digest(folder / "out.h5") == wanted
        assert sorted(p.name for p in folder.iterdir()) == ["out.h5"]
        shutil.rmtree(folder)
    assert faults > 70
    assert other.read_bytes() == earlier


def test_after_a_failed_sync_nothing_more_is_called_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system reports lost pages once, and calls them clean from then on."""
    path = tmp_path / "out.h5"
    store = opened(path, grid_of_runs())
    store.enter(*do_block(store.sink, 0)[:2])

    def fail(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(files, "sync_data", fail)
        with pytest.raises(StorageError, match="the disk may be failing"):
            store.commit(NOTHING, 0.0)
    store.commit(NOTHING, 0.0)
    assert Journal(store.sink).count_done() == 0
    with pytest.raises(StorageError, match="run again"):
        store.finish(NOTHING, 0.0)
    store.__exit__()
    assert not path.exists()


def test_file_systems_that_cannot_reserve_are_written_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", refuse, raising=False)
    path = tmp_path / "out.h5"
    with opened(path, grid_of_runs()):
        status = partial_name(path).stat()
        assert status.st_blocks * 512 >= status.st_size
    finish(path, grid_of_runs())
    assert digest(path) == wanted


def limited_run(path: Path, size: int) -> str:
    """What a run says that may write files of so many bytes."""
    import resource  # Windows has none

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    try:
        finish(path, grid_of_runs())
    except StorageError as error:
        return f"{error.exit_status} {error}"
    return "done"


@needs("resource")
@pytest.mark.parametrize("size", [0, 1000, 20_000])
def test_a_limit_on_the_size_of_files(size: int, tmp_path: Path, wanted: str) -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        said = pool.apply(limited_run, (tmp_path / "out.h5", size))
    assert said.startswith("4 ")
    assert "too large" in said
    assert [p.name for p in tmp_path.iterdir() if p.name != "out.h5.lock"] == []
    finish(tmp_path / "out.h5", grid_of_runs())
    assert digest(tmp_path / "out.h5") == wanted


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if not shutil.which("mount"):
        pytest.skip("needs mount")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a file system can only be mounted by root, and not in every container")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def test_a_full_disk_at_layout(small_disk: Path, wanted: str) -> None:
    (small_disk / "filler").write_bytes(bytes(240 * 1024))
    path, plan = small_disk / "out.h5", grid_of_runs()
    with pytest.raises(StorageError, match="are free on that disk"):
        finish(path, plan)
    assert [p.name for p in small_disk.iterdir()] == ["filler"]
    (small_disk / "filler").unlink()
    finish(path, plan)
    assert digest(path) == wanted


def test_a_disk_that_fills_after_we_looked(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    (small_disk / "filler").write_bytes(bytes(240 * 1024))
    path, plan = small_disk / "out.h5", grid_of_runs()
    monkeypatch.setattr(files, "free_bytes", lambda _: 2**40)
    with pytest.raises(StorageError, match="no space left on device; free some"):
        finish(path, plan)
    assert [p.name for p in small_disk.iterdir()] == ["filler"]
    (small_disk / "filler").unlink()
    finish(path, plan)
    assert digest(path) == wanted


def test_a_disk_that_fills_in_the_middle(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can only where the reservation was a fake, as on file systems that copy on write."""
    plan = grid_of_runs(steps=2000, record=fm.Record(every=20))  # 64 kB of trajectories
    path, other = small_disk / "out.h5", small_disk / "earlier.h5"
    finish(other, grid_of_runs())
    earlier = other.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(files, "reserve", lambda *_: None)
        store = opened(path, plan)
    with store:
        free = files.free_bytes(small_disk)
        (small_disk / "filler").write_bytes(bytes(free - 24 * 1024))
        done = 0
        with pytest.raises(StorageError, match="no space left on device; free some"):  # noqa: PT012
            for block in store.missing():
                store.enter(*do_block(store.sink, block)[:2])
                done += 1
        assert 0 < done < 6
        store.commit(NOTHING, 0.0)
    (small_disk / "filler").unlink()
    with opened(path, plan) as store:
        assert (store.kept, store.damaged) == (done, 0)
    finish(path, plan)
    assert digest(path) == digest(fm.run(plan))
    assert other.read_bytes() == earlier


def test_another_file_system_than_the_working_folders(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run_to_file(grid_of_runs(), Path("disk/out.h5"), n_jobs=1)
    assert digest(small_disk / "out.h5") == wanted


def test_a_folder_that_may_only_be_read(small_disk: Path, wanted: str) -> None:
    finish(small_disk / "out.h5", grid_of_runs())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert digest(small_disk / "out.h5") == wanted
    assert command("verify", small_disk / "out.h5")[0] == 0
    for arguments in (["verify", small_disk / "out.h5", "--repair"],):
        status, said = command(*arguments)
        assert status == 4
        assert "read-only file system; choose another place" in said
    with pytest.raises(StorageError, match="read-only"):
        finish(small_disk / "more.h5", grid_of_runs())


STRACE = """
import sys
from pathlib import Path
from tests.storing import command
plan, out = sys.argv[1:]
status, said = command("run", plan, "-o", out, "--jobs", "1", "--quiet")
print(said, file=sys.stderr)
raise SystemExit(status)
"""


@pytest.mark.parametrize(
    "fault", ["pwrite64:error=ENOSPC:when=25", "fdatasync:error=EIO:when=2", "rename:error=EIO"]
)
def test_system_calls_that_fail(fault: str, tmp_path: Path) -> None:
    """The real thing: the kernel's answer to the command is replaced."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    plan, out = tmp_path / "plan.toml", tmp_path / "out.h5"
    plan.write_text(
        'steps = 10\nobjective.name = "rosenbrock"\nrule.name = "momentum"\n[grid]\n'
        "lr = { logspace = [1e-5, 1e-3], num = 1000 }\nstart = [[0.0, 0.0]]\n"
        "momentum = { linspace = [0, 0.9], num = 200 }\n"
    )
    command_line = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject={fault}",
                    sys.executable, "-c", STRACE, plan, out]  # fmt: skip
    done = subprocess.run(
        command_line, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120
    )
    if "ptrace" in done.stderr:
        pytest.skip("this container does not let strace trace")
    assert done.returncode == 4, done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not out.exists()
    assert command("run", plan, "-o", out, "--quiet")[0] == 0
    assert fm.verify(out).sound


# All of it together


class Storing(RuleBasedStateMachine):
    """Lay out, write blocks in any order, be killed, resume, open, verify: never a wrong value."""

    @initialize(block_runs=st.integers(1, 45), record=st.booleans())
    def lay_out(self, block_runs: int, record: bool) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "out.h5"
        self.plan = grid_of_runs(record=fm.Record(every=7) if record else None)
        self.whole = fm.run(self.plan, n_jobs=1)
        self.store = FileStore.open(self.path, self.plan, block_runs=block_runs)
        self.done: set[int] = set()
        self.entered: set[int] = set()

    @property
    def left(self) -> list[int]:
        blocks = range(len(self.store.blocks)) if self.store else range(0)
        return sorted(set(blocks) - self.done - self.entered)

    @rule(choice=st.randoms(use_true_random=False), enter=st.booleans())
    def write_a_block(self, choice: Any, enter: bool) -> None:
        if self.left:
            block, checksum, _, _ = do_block(self.store.sink, choice.choice(self.left))
            if enter:
                self.store.enter(block, checksum)
                self.entered.add(block)

    @rule()
    def commit(self) -> None:
        if self.store:
            self.store.commit(NOTHING, 0.0)
            self.done |= self.entered
            self.entered = set()

    @rule()
    def kill_and_resume(self) -> None:
        if self.store:
            self.store._lock._held.release()  # as the system does it for the dead: the file stays
            self.store = FileStore.open(self.path, self.plan)
            self.done |= self.entered
            self.entered = set()
            assert (self.store.kept, self.store.damaged) == (len(self.done), 0)

    @rule(place=st.floats(0, 1, exclude_max=True), variable=st.sampled_from(["final", "n_steps"]))
    def damage_a_block_and_resume(self, place: float, variable: str) -> None:
        done = sorted(self.done)
        if self.store and done:
            block = done[int(place * len(done))]
            offset = self.store.sink.offsets[variable]
            size = self.store.sink._bytes_a_run[variable]
            at = offset + self.store.blocks.runs(block).start * size
            byte = files.read_at(self.store.sink.descriptor, 1, at)[0]
            files.write_at(self.store.sink.descriptor, bytes([byte ^ 16]), at)
            self.store.__exit__()
            self.store = FileStore.open(self.path, self.plan)
            self.done = (self.done | self.entered) - {block}
            self.entered = set()
            assert self.store.damaged == 1

    @rule()
    def finish(self) -> None:
        if self.store:
            for block in self.left:
                self.store.enter(*do_block(self.store.sink, block)[:2])
            counts = np.bincount(self.whole.status.values.ravel(), minlength=4)
            self.store.finish(counts - self.store._before.counts, 0.0)
            self.store.__exit__()
            self.store = None
            self.done, self.entered = set(), set()

    @invariant()
    def every_value_is_right_or_missing(self) -> None:
        if not hasattr(self, "path"):
            return
        if self.store is None:
            assert digest(self.path) == digest(self.whole)
            assert fm.verify(self.path).sound
            return
        assert not self.path.exists()
        assert fm.verify(self.path).sound
        with fm.open(self.path, allow_partial=True) as ds:
            for name in ("status", "n_steps", "hit_step", "final", "final_loss"):
                here, whole = ds[name].values, self.whole[name].values
                runs = here.reshape(40, -1)
                for block in range(len(self.store.blocks)):
                    part = self.store.blocks.runs(block)
                    rows = runs[part.start : part.stop]
                    if block in self.done:
                        wanted = whole.reshape(40, -1)[part.start : part.stop]
                        np.testing.assert_array_equal(rows, wanted)
                    else:
                        assert ((rows == 0) if name == "status" else np.isnan(rows)).all()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            if self.store:
                self.store.__exit__()
            self.folder.cleanup()


TestStoring = pytest.mark.usefixtures("hasty")(Storing.TestCase)
TestStoring.settings = settings(max_examples=25, stateful_step_count=12)
