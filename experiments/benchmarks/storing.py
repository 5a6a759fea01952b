"""Rows about files and memory: writing, reading, bookkeeping, grids larger than memory."""

from __future__ import annotations

import contextlib
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np

import fastmomentum as fm
from benchmarks.computing import POINTS, diagram
from benchmarks.measuring import Row, Samples, Setting, by_turns, median, seconds, spread, valley
from fastmomentum.execution.backends import pool_of
from fastmomentum.store import checksums
from fastmomentum.store.file_store import FileStore

AT_ONCE = 8 * 2**20
"""Bytes of a raw write: larger ones are no faster."""


def recorded(setting: Setting) -> fm.Experiment:
    """All steps of so many runs that the file is larger than 4 GB."""
    points = 64 if setting.quick else 520
    grid = fm.Grid(
        lr={"logspace": [1e-6, 1e-4], "num": points},
        momentum={"linspace": [0.0, 0.9], "num": points},
        start=[(-1.2, 1.0)],
    )
    return valley(1, 999, grid=grid, record=fm.Record(every=1))


@contextlib.contextmanager
def scratch(setting: Setting, needed: float) -> Iterator[Path]:
    """A folder for large files; what it held is gone from the disk when the next one begins."""
    free = shutil.disk_usage(setting.folder).free
    if free < 1.2 * needed:
        raise SystemExit(
            f"{setting.folder}: {needed / 1e9:.0f} GB are needed, {free / 1e9:.0f} are free; "
            "name another folder with --folder"
        )
    with tempfile.TemporaryDirectory(dir=setting.folder) as folder:
        yield Path(folder)
    os.sync()


def forget(path: Path) -> None:
    """Let the system drop a file from memory, so that the disk has to be asked."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def write_raw(path: Path, size: int, reserved: bool) -> None:
    """A file of so many bytes, in order, synced; its space reserved before, or not."""
    data = np.random.default_rng(0).bytes(AT_ONCE)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        if reserved:
            os.posix_fallocate(descriptor, 0, size)
        for offset in range(0, size, AT_ONCE):
            os.pwrite(descriptor, data[: size - offset], offset)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def write(setting: Setting) -> Row:
    """Trajectories to a new file against a raw sequential write of as many bytes.

    The better of two raw ones, as some disks are faster where space was reserved, and some slower.
    """
    experiment = recorded(setting)
    size = experiment.grid.n_runs * experiment.bytes_per_run
    whole = size  # of the file, once it is known

    def ours() -> float:
        nonlocal whole
        with scratch(setting, size) as folder:
            took = seconds(lambda: fm.run(experiment, folder / "out.h5").close())
            whole = (folder / "out.h5").stat().st_size
        return whole / took / 1e9

    def raw(reserved: bool) -> float:
        with scratch(setting, size) as folder:
            return whole / seconds(lambda: write_raw(folder / "raw", whole, reserved)) / 1e9

    contenders = {
        "fastmomentum": ours,
        "raw": lambda: raw(False),
        "raw, space reserved": lambda: raw(True),
    }
    samples = by_turns(contenders, 2 if setting.quick else 6)
    best = max(list(samples)[1:], key=lambda name: median(samples[name]))
    rates = [median(samples["fastmomentum"]), median(samples[best])]
    pair = _pair({name: samples[name] for name in ("fastmomentum", best)})
    figure = f"{rates[0] / rates[1]:.2f} x ({pair} GB/s)"
    what = f"all steps to a new file of {whole / 1e9:.1f} GB, against a raw sequential write"
    return Row("write", what, "0.95 x", figure, rates[0] >= 0.95 * rates[1], samples)


def read(setting: Setting) -> Iterator[Row]:
    """One run's trajectory, and one step of every run, from a file that is not in memory."""
    experiment = recorded(setting)
    rng = np.random.default_rng(1)
    count = 20 if setting.quick else 200
    cells = rng.integers(0, experiment.grid.shape[0], (count, 2)).tolist()
    with scratch(setting, experiment.grid.n_runs * experiment.bytes_per_run) as folder:
        path = folder / "out.h5"
        fm.run(experiment, path).close()
        forget(path)
        with fm.open(path) as ds:
            times = [seconds(lambda i=i, j=j: ds.trajectory[i, j].values) for i, j in cells]
            again = [seconds(lambda i=i, j=j: ds.trajectory[i, j].values) for i, j in cells]
        samples = {"from disk": times, "again": again}
        figure = f"{1e3 * median(times):.2f} ms from disk, {1e3 * median(again):.2f} ms again"
        what = "reading one run's trajectory of 1,000 steps"
        yield Row("read", what, "1 ms", figure, median(times) <= 1e-3, samples)
        yield _map(path, experiment, setting)


def _map(path: Path, experiment: fm.Experiment, setting: Setting) -> Row:
    """One step of every run: a point in every 16 kB, so the disk's pages are the bound."""
    stride = 16 * experiment.recorded.size
    middle = experiment.recorded.size // 2
    size = path.stat().st_size

    def ours() -> float:
        forget(path)
        with fm.open(path) as ds:
            return seconds(lambda: ds.trajectory[..., middle, :].values)

    def pages() -> float:
        """The same 16 bytes of every run, read one by one in order."""
        forget(path)
        descriptor = os.open(path, os.O_RDONLY)
        begun = time.perf_counter()
        for run in range(experiment.grid.n_runs):
            os.pread(descriptor, 16, size - (run + 1) * stride)
        os.close(descriptor)
        return time.perf_counter() - begun

    def whole() -> float:
        """The whole file, in order."""
        forget(path)
        descriptor = os.open(path, os.O_RDONLY)
        buffer = bytearray(AT_ONCE)
        begun = time.perf_counter()
        for offset in range(0, size, AT_ONCE):
            os.preadv(descriptor, [buffer], offset)
        os.close(descriptor)
        return time.perf_counter() - begun

    contenders = {"map": ours, "the points, one by one": pages, "the whole file": whole}
    samples = by_turns(contenders, 2 if setting.quick else 3)
    took, one_by_one, everything = (median(times) for times in samples.values())
    figure = (
        f"{took:.2f} s (the file read whole: {everything:.2f} s, "
        f"{size / everything / 1e9:.1f} GB/s; its points one by one: {one_by_one:.2f} s)"
    )
    met = took <= 1.1 * min(one_by_one, everything)
    return Row("map", "reading one step of every run", "the disk's speed", figure, met, samples)


def memory(setting: Setting) -> Row:
    """Peak memory of a grid a hundred times larger than another."""
    code = (
        "import sys; from fastmomentum.cli import app\n"
        "app(sys.argv[1:], standalone_mode=False)\n"
        "print([line for line in open('/proc/self/status') if 'VmHWM' in line])"
    )
    found: dict[int, tuple[float, float]] = {}
    for side in (100, 1000) if setting.quick else (1000, 10_000):
        with scratch(setting, side * side * 29) as folder:
            (folder / "grid.toml").write_text(_toml(side, 200), encoding="utf-8")
            words = [sys.executable, "-c", code, "run", "grid.toml", "--quiet"]
            begun = time.perf_counter()
            made = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True)
            took = time.perf_counter() - begun
        peak = int("".join(filter(str.isdigit, made.stdout.splitlines()[-1]))) * 1024 / 1e6
        found[side * side] = peak, took
    (few, (low, _)), (many, (high, took)) = found.items()
    figure = f"{high:.0f} MB in {took:.1f} s; {low:.0f} MB"
    what = f"{many:,} runs of 200 updates to a file: peak memory; at {few:,} runs"
    met = high < 600 and high < 1.1 * low
    notes = {"MB and seconds by runs": {str(n): pair for n, pair in found.items()}}
    return Row("memory", what, "under 600 MB; the same", figure, met, {}, notes)


def _toml(side: int, steps: int) -> str:
    return (
        f'steps = {steps}\nobjective = {{ name = "rosenbrock" }}\nrule = {{ name = "momentum" }}\n'
        f"[grid]\nlr = {{ logspace = [1e-6, 1e-3], num = {side} }}\n"
        f"momentum = {{ linspace = [0.0, 0.99], num = {side} }}\nstart = [[-1.2, 1.0]]\n"
    )


def overhead(setting: Setting) -> Row:
    """The phase diagram to a file, with and without progress, journal and checksums."""
    experiment = diagram(128 if setting.quick else POINTS)
    with scratch(setting, 1e8) as folder:
        finished = folder / "finished.h5"
        fm.run(experiment, finished).close()

        def kept() -> float:
            """A run as a user starts it, its bar drawn on a terminal that nobody reads."""
            path = folder / "out.h5"
            with _terminal():
                took = seconds(lambda: fm.run(experiment, path, progress=True).close())
            path.unlink()
            return took

        def bare() -> float:
            took = seconds(lambda: _without_bookkeeping(experiment, folder / "bare.h5", finished))
            (folder / "bare.h5.partial").unlink()
            return took

        samples = by_turns({"with": kept, "without": bare}, setting.repeats)
    ours, theirs = (median(times) for times in samples.values())
    figure = f"{ours / theirs - 1:.1%} ({1e3 * ours:.0f} against {1e3 * theirs:.0f} ms)"
    what = "cost of progress, journal and checksums together on the phase diagram"
    return Row("overhead", what, "under 3%", figure, ours / theirs < 1.03, samples)


def _without_bookkeeping(experiment: fm.Experiment, path: Path, finished: Path) -> None:
    """Lay out, have the same workers compute the same blocks, sync once; open what is whole."""
    store = FileStore.open(path, experiment)
    assert store is not None
    with store, patch.object(checksums, "of_block", lambda *_: 0):
        for _ in pool_of(None, None).run_blocks(store.sink, store.missing(), len(store.blocks)):
            pass
        os.fdatasync(store.sink.descriptor)
    fm.open(finished).close()


@contextlib.contextmanager
def _terminal() -> Iterator[None]:
    ours, theirs = pty.openpty()

    def drain() -> None:
        with contextlib.suppress(OSError):
            while os.read(ours, 65_536):
                pass

    reader = threading.Thread(target=drain)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream, contextlib.redirect_stderr(stream):
        yield
    reader.join()
    os.close(ours)


def _pair(samples: Samples) -> str:
    return " against ".join(f"{median(r):.2f} {spread(r)}" for r in samples.values())


ROWS: dict[str, Callable[[Setting], Row | Iterator[Row]]] = {
    row.__name__: row for row in (write, read, memory, overhead)
}
