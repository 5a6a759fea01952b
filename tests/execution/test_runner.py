"""From blocks to workers: the same bits however the work is cut, and no memory for the grid."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.execution import runner
from fastmomentum.execution.backends import pool_of
from fastmomentum.execution.runner import Progress, run_to_file
from fastmomentum.kernels.code_digest import code_digest
from fastmomentum.store import manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.journal import Journal
from fastmomentum.store.paths import partial_name
from tests.helpers import kilobytes, needs, same_bits

ROOT = Path(fm.__file__).parents[1]


def experiment(**changes: object) -> fm.Experiment:
    """Some 600 runs that converge, diverge or neither, with trajectories."""
    fields: dict[str, object] = {
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": 300,
        "grid": fm.Grid(
            lr=np.geomspace(1e-5, 1e-1, 17),
            momentum=np.linspace(0, 0.99, 12),
            start=[(-1.2, 1.0), (2.0, 2.0), (1.0, 1.0)],
        ),
        "record": fm.Record(every=60),
        "stop": fm.Stop(targets=[1.0, 1e-2], bound=1e6),
    }
    return fm.Experiment(**(fields | changes))


@pytest.fixture(scope="module")
def wanted() -> xr.Dataset:
    ds = fm.run(experiment(), n_jobs=1)
    assert set(np.unique(ds.status)) == {1, 2, 3}  # otherwise the tests below say little
    return ds


@pytest.mark.parametrize("backend", ["threads", "processes"])
@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_same_bits_for_any_jobs_and_backend(
    backend: str, n_jobs: int, wanted: xr.Dataset, tmp_path: Path
) -> None:
    with fm.run(
        experiment(), tmp_path / "out.h5", n_jobs=n_jobs, backend=backend, block_runs=50
    ) as ds:
        same_bits(ds, wanted)


@pytest.mark.parametrize("block_runs", [1, 2, 31, 32, 33, 100, 611, 612, 5000])
def test_same_bits_for_any_block_size(block_runs: int, wanted: xr.Dataset, tmp_path: Path) -> None:
    same_bits(fm.run(experiment(), n_jobs=2, block_runs=block_runs), wanted)
    with fm.run(experiment(), tmp_path / "out.h5", n_jobs=2, block_runs=block_runs) as ds:
        same_bits(ds, wanted)


def test_memory_and_processes_agree(wanted: xr.Dataset) -> None:
    same_bits(fm.run(experiment(), n_jobs=2, backend="processes"), wanted)


def test_memory_and_file_look_the_same(wanted: xr.Dataset, tmp_path: Path) -> None:
    with fm.run(experiment(), tmp_path / "out.h5") as ds:
        for name in wanted.variables:
            xr.testing.assert_identical(wanted[name].variable, ds[name].variable.load())
        assert set(wanted.attrs) == set(ds.attrs)


def test_mesh_of_starts_is_indexed_right() -> None:
    mesh = {"x": {"linspace": [-1, 1], "num": 3}, "y": [0.5, 4.0]}
    ds = fm.run(
        experiment(grid=fm.Grid(lr=[1e-3, 1e-4], momentum=0.5, start=mesh), record={"steps": [0]})
    )
    assert ds.status.dims == ("lr", "momentum", "start_x", "start_y")
    first = ds.trajectory.sel(step=0)
    np.testing.assert_array_equal(first.sel(parameter="x"), first.start_x.broadcast_like(ds.status))
    np.testing.assert_array_equal(first.sel(parameter="y"), first.start_y.broadcast_like(ds.status))


def test_replay_gives_the_same_bits_as_the_grid(wanted: xr.Dataset) -> None:
    for lr, momentum, start in ((1e-3, 0.9, 0), (1e-1, 0.3, 1), (1e-4, 0.5, 2)):
        cell = fm.select_cell(wanted, lr, momentum, start)
        again = fm.replay(wanted, lr, momentum, start)
        assert again.sizes["step"] == 301
        stored = again.trajectory.sel(step=wanted.step)
        np.testing.assert_array_equal(cell.trajectory, stored)
        for name in ("status", "n_steps", "final", "final_loss", "hit_step"):
            np.testing.assert_array_equal(cell[name], again[name])


def test_progress_tells_all_runs_in_the_end() -> None:
    seen: list[tuple[int, int]] = []

    def watch(progress: Progress) -> None:
        seen.append((progress.done_runs, int(progress.counts.sum())))

    fm.run(experiment(), progress=watch, block_runs=20)
    assert seen[0] == (0, 0)
    assert seen[-1] == (612, 612)
    assert seen == sorted(seen)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_jobs": 0}, "n_jobs must be positive, or -1"),
        ({"backend": "dusk"}, "backend must be one of threads, processes, dask: got 'dusk'"),
        ({"block_runs": 0}, "block_runs must be positive: got 0"),
    ],
)
def test_bad_arguments(options: dict[str, object], words: str) -> None:
    with pytest.raises(fm.InputError, match=words):
        fm.run(experiment(), **options)


def test_a_grid_larger_than_memory_is_refused_with_the_figures() -> None:
    axis = {"linspace": [0.0, 0.9], "num": 1_000_000}
    grid = fm.Grid(lr={"linspace": [0.1, 1.0], "num": 1_000_000}, momentum=axis, start=[(1, 1)])
    with pytest.raises(fm.StorageError, match=r"1,000,000,000,000 runs take .* of memory, and "):
        fm.run(experiment(grid=grid, record=None))


def test_a_finished_file_is_opened_as_it_is(wanted: xr.Dataset, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    fm.run(experiment(), path).close()
    before = path.stat().st_mtime_ns
    with fm.run(experiment(), path) as ds:
        same_bits(ds, wanted)
    assert path.stat().st_mtime_ns == before
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]  # no lock, nothing partial


def test_an_error_in_a_worker_keeps_what_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastmomentum.execution import worker

    calls = iter(range(100))
    compute = worker.run_block

    def failing(*arguments: object, **options: object) -> None:
        if next(calls) == 6:
            raise fm.StorageError("the disk is on fire")
        compute(*arguments, **options)

    monkeypatch.setattr(worker, "run_block", failing)
    with pytest.raises(fm.StorageError, match="on fire"):
        fm.run(experiment(), tmp_path / "out.h5", n_jobs=1, block_runs=50)
    monkeypatch.undo()
    kept = []
    run_to_file(experiment(), tmp_path / "out.h5", told=lambda store: kept.append(store.kept))
    assert kept == [5]  # one call was the compilation's


def child(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )


MEMORY = """
import resource, sys, numpy as np, fastmomentum as fm
from collections.abc import Iterator
from pathlib import Path
from fastmomentum.execution.runner import run_to_file
experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=1,
    grid=fm.Grid(lr={{"linspace": [1e-5, 1e-3], "num": {lr}}},
                 momentum={{"linspace": [0, 0.9], "num": 1000}}, start=[(1, 2)]))
run_to_file(experiment, Path({path!r}), n_jobs=2, block_runs=16384)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@needs("resource")
def test_memory_does_not_grow_with_the_grid(tmp_path: Path) -> None:
    small, large = (
        kilobytes(child(MEMORY.format(lr=lr, path=str(tmp_path / f"{lr}.h5"))).stdout)
        for lr in (100, 3000)
    )
    assert (tmp_path / "3000.h5").stat().st_size > 85e6
    assert large - small < 20_000


CACHED = """
import numpy as np, fastmomentum as fm
from fastmomentum.kernels.loop import compile_kernel
from fastmomentum.kernels.rows import Rows
experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=3,
    grid=fm.Grid(lr=[1e-3, 2e-3], momentum=0.9, start=[(1, 2)]))
ds = fm.run(experiment)
fm.run(experiment.model_copy(update={"steps": 5}), n_jobs=2, block_runs=1)
rows = Rows(2, experiment.rule.rule, (), (False, False))
kernel = compile_kernel(experiment.objective.functions, rows, True)
stats = kernel.stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), len(kernel.signatures))
print(repr(ds.final.values.tolist()))
"""


@pytest.mark.slow
def test_compiled_once_and_never_stale(tmp_path: Path) -> None:
    """In a copy of the package: a second process loads the kernel, an edited objective does not."""
    copy = tmp_path / "copy"
    shutil.copytree(
        ROOT / "fastmomentum", copy / "fastmomentum", ignore=shutil.ignore_patterns("__pycache__")
    )
    environment = {"PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    first = child(CACHED, **environment).stdout.splitlines()
    second = child(CACHED, **environment).stdout.splitlines()
    assert first[0] == "0 1 1"
    assert second[0] == "1 0 1"
    assert first[1] == second[1]

    source = copy / "fastmomentum" / "objectives" / "classic.py"
    text = source.read_text()
    assert text.count("gradient") >= 1
    edited = text.replace("4.0 * constants[1] * x * d", "3.0 * constants[1] * x * d")
    assert edited != text
    source.write_text(edited)
    third = child(CACHED, **environment).stdout.splitlines()
    assert third[0] == "0 1 1"
    assert third[1] != first[1]
    source.write_text(text)
    assert child(CACHED, **environment).stdout.splitlines() == second


def test_code_digest_follows_what_a_function_reaches() -> None:
    def make(factor: float, helper_constant: float) -> object:
        def helper(x: float) -> float:
            return x * helper_constant

        def outer(x: float) -> float:
            return factor * helper(x)

        return outer

    same = code_digest(make(1.0, 2.0)), code_digest(make(1.0, 2.0))
    assert same[0] == same[1]
    assert len({same[0], code_digest(make(1.5, 2.0)), code_digest(make(1.0, 2.5))}) == 3


LONG = """
title = "long enough to be interrupted"
steps = 5000
objective = { name = "rosenbrock" }
rule = { name = "momentum" }
[grid]
lr = { logspace = [1e-6, 1e-4], num = 500 }
momentum = { linspace = [0.0, 0.9], num = 400 }
start = [[-1.2, 1.0], [2.0, 2.0], [-2.0, 1.0], [0.0, 1.0]]
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal is sent to a whole console")
@pytest.mark.parametrize("backend", ["threads", "processes"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_runs_say_so_and_go_on(
    backend: str, number: signal.Signals, tmp_path: Path
) -> None:
    (tmp_path / "long.toml").write_text(LONG)
    command = [sys.executable, "-m", "fastmomentum", "run", "long.toml", "--jobs", "2"]
    command += ["--backend", backend]
    folders = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]  # that of tests/elsewhere
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders)}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    path = tmp_path / "long.h5"
    deadline = time.monotonic() + 120
    done = 0
    while done == 0 and process.poll() is None and time.monotonic() < deadline:
        if partial_name(path).exists():  # laid out, so the journal can be read
            found = manifest.read(partial_name(path))
            done = Journal(BlockFile.of(found, writable=False)).count_done()
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said
    assert "interrupted; " in said
    assert "run the same again to resume" in said
    assert not path.exists()
    plan = fm.load(tmp_path / "long.toml")
    with FileStore.open(path, plan) as store:
        assert store.damaged == 0
        assert 0 < store.kept < len(store.blocks)


@needs("os.killpg")
def test_ctrl_c_in_a_terminal_reaches_the_processes_too(tmp_path: Path) -> None:
    (tmp_path / "long.toml").write_text(LONG)
    command = [sys.executable, "-m", "fastmomentum", "run", "long.toml", "--quiet", "--jobs", "2"]
    process = subprocess.Popen(
        [*command, "--backend", "processes"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    partial = partial_name(tmp_path / "long.h5")
    done = 0
    while done == 0 and process.poll() is None:
        if partial.exists():
            sink = BlockFile.of(manifest.read(partial), writable=False)
            done = Journal(sink).count_done()
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.startswith("interrupted; ")
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_a_run_that_is_stopped_finishes_the_blocks_at_work_and_no_more(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no thread dies of it, which loky's would, were it told to kill its processes."""
    monkeypatch.setattr("fastmomentum.execution.runner.COMMIT_SECONDS", 0.0)
    said: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda what: said.append(what.exc_value))
    hook = threading.excepthook
    before = set(threading.enumerate())

    def stop(progress: Progress) -> None:
        assert threading.excepthook is hook
        if progress.done_runs:
            raise KeyboardInterrupt

    path = tmp_path / "out.h5"
    with pytest.raises(fm.Interrupted, match=r"interrupted; \d+ of 612 blocks are done"):
        fm.run(experiment(), path, backend=backend, n_jobs=2, block_runs=1, progress=stop)
    assert said == []
    # Of the pool itself: loky keeps a thread for its processes, and clusters have some of theirs.
    own = re.compile(r"fastmomentum|\((worker|_handle_\w+)\)")
    for thread in set(threading.enumerate()) - before:
        if backend == "threads" and own.search(thread.name):
            thread.join(60)
            assert not thread.is_alive(), thread.name
    with FileStore.open(path, experiment()) as store:
        assert 0 < store.kept < 612
    fm.run(experiment(), path, backend=backend, n_jobs=2).close()
    assert fm.verify(path).sound


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_what_a_worker_raises_ends_the_run(
    backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda what: said.append(what.exc_value))

    def fail(*_: object) -> None:
        raise fm.FileError("the file is gone")

    monkeypatch.setattr("fastmomentum.execution.worker.do_block", fail)  # for threads
    with FileStore.open(tmp_path / "out.h5", experiment(), block_runs=1) as store:
        store.partial.unlink()  # for processes
        with pytest.raises((fm.FileError, fm.InputError)) as caught:
            list(pool_of(backend, 2).run_blocks(store.sink, store.missing(), 612))
    assert said == []
    if backend == "processes":  # pickling drops the stack trace
        assert "in do_block" in caught.value.__notes__[0]


def test_compiling_is_not_counted_as_computing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmomentum.execution.runner.warm", lambda _: time.sleep(1.0))
    made = run_to_file(experiment(), tmp_path / "out.h5", n_jobs=1)
    assert made is not None
    assert 0 < made.seconds < 1


@pytest.fixture(scope="module")
def dask_client() -> Iterator[object]:
    distributed = pytest.importorskip("distributed")
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False}
    with distributed.Client(**options, dashboard_address=None) as client:
        yield client


@pytest.mark.parametrize("with_path", [False, True])
@pytest.mark.parametrize("backend", ["threads", "processes", "dask"])
def test_an_interruption_names_only_files_that_exist(
    backend: str,
    with_path: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    if backend == "dask":
        request.getfixturevalue("dask_client")
    monkeypatch.setattr("fastmomentum.execution.runner.COMMIT_SECONDS", 0.0)

    def interrupt(progress: Progress) -> None:
        if 0 < progress.done_runs < progress.n_runs:
            raise KeyboardInterrupt

    path = tmp_path / "out.h5" if with_path else None
    with pytest.raises(fm.Interrupted) as interrupted:
        fm.run(experiment(), path, backend=backend, n_jobs=1, block_runs=51, progress=interrupt)
    said = str(interrupted.value)
    match = re.match(r"interrupted; (\d+) of 12 blocks (were|are) done", said)
    assert match is not None, said
    assert 0 < int(match[1]) < 12
    named = re.findall(r"/[^\s:;,]+", said)
    assert named == ([str(partial_name(path))] if path else [])
    assert all(Path(name).exists() for name in named)
    assert ("nothing is kept" in said) == (path is None)


IN_MEMORY = ("execution.runner.MemoryStore", "results.from_memory")
IN_A_FILE = ("store.file_store.FileStore.open", "results.open_results")
ANYWHERE = ("execution.runner.reusable", "execution.runner.watcher", "execution.runner.warm")


@pytest.mark.parametrize("backend", ["threads", "processes"])
@pytest.mark.parametrize("with_path", [False, True])
def test_interrupted_before_the_first_block_or_behind_the_last(
    with_path: bool, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    in_memory = backend == "threads" and not with_path
    for name in (*ANYWHERE, *(IN_MEMORY if in_memory else IN_A_FILE)):
        with monkeypatch.context() as patch:
            patch.setattr(f"fastmomentum.{name}", interrupted)
            path = tmp_path / f"{name}.h5" if with_path else None
            with pytest.raises(fm.Interrupted, match=r"^interrupted") as raised:
                fm.run(experiment(), path, backend=backend)
            for named in re.findall(r"/[^\s:;,]+", str(raised.value)):
                assert Path(named).exists()


def test_an_interruption_after_the_last_rename_names_the_finished_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = FileStore.finish

    def finish(self: FileStore, *arguments: object) -> None:
        real(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(FileStore, "finish", finish)
    path = tmp_path / "out.h5"
    said = f"^interrupted; all 12 blocks are done and kept in {re.escape(str(path))}$"
    with pytest.raises(fm.Interrupted, match=said):
        fm.run(experiment(), path, block_runs=51)
    assert fm.verify(path).sound


def test_a_full_disk_without_a_path_names_no_file_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise fm.StorageError(f"writing {path}.partial: no space left on device")

    monkeypatch.setattr(FileStore, "open", full)
    with pytest.raises(fm.StorageError) as raised:
        fm.run(experiment(), backend="processes")
    assert str(raised.value) == (
        f"writing a temporary file in {tempfile.gettempdir()}: no space left on device"
    )


@pytest.mark.parametrize("folder", [r"C:\Users\me\Temp\tmp1", "/tmp/tmp1"])
def test_an_error_without_a_path_names_the_folder_of_any_system(
    folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder's name is text: on Windows `re` would read its backslashes as escapes."""
    windows = "\\" in folder
    kind = PureWindowsPath if windows else PurePosixPath
    monkeypatch.setattr(runner, "Path", kind)
    place = kind(folder) / "results.h5.partial"
    with pytest.raises(fm.StorageError) as raised, runner._nothing_left_in(folder):
        raise fm.StorageError(f"writing {place}: no space left on device")
    above = r"C:\Users\me\Temp" if windows else "/tmp"
    assert str(raised.value) == f"writing a temporary file in {above}: no space left on device"
