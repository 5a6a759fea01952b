"""The store's protocol: lay out, write blocks, keep the journal, resume, verify, finish.

Two stores share one interface: `FileStore` for an HDF5 file and `MemoryStore` for arrays. A worker
gets a store's `sink`, writes its own blocks with it, and hands back their checksums alone.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, Self

import filelock
import numpy as np
import xxhash
from numpy.typing import NDArray

from fastmomentum import files, layout
from fastmomentum.errors import FileError, InputError, StorageError
from fastmomentum.experiment import Experiment
from fastmomentum.grid import Blocks
from fastmomentum.schema import Variable, results

Arrays = dict[str, NDArray[Any]]

READ_AT_ONCE: Final = 8 * 2**20
"""Bytes read at a time to check a block: a large block never lies in memory whole."""


def block_arrays(experiment: Experiment, n_runs: int) -> Arrays:
    """Empty arrays for the results of some runs, by variable; the run is the first axis.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    n_runs : int
        How many runs.

    Returns
    -------
    dict of ndarray
        In the order of the checksum.
    """
    return {
        v.name: np.empty((n_runs, *_tail(experiment, v)), v.dtype) for v in results(experiment)
    }


def _tail(experiment: Experiment, variable: Variable) -> tuple[int, ...]:
    """Sizes of a variable's dimensions beyond the grid's."""
    return variable.shape[len(experiment.grid.shape) :]


class Sink(Protocol):
    """Where a worker puts the blocks that it computes; small, and pickled for other processes."""

    @property
    def experiment(self) -> Experiment:
        """The plan."""

    @property
    def blocks(self) -> Blocks:
        """The runs, cut into blocks."""

    def arrays(self, block: int) -> Arrays:
        """Arrays to compute a block into."""

    def put(self, block: int, arrays: Arrays) -> int:
        """Write a block; gives its checksum."""


class Store(Protocol):
    """What the runner asks of a store."""

    @property
    def experiment(self) -> Experiment:
        """The plan."""

    @property
    def blocks(self) -> Blocks:
        """The runs, cut into blocks."""

    @property
    def sink(self) -> Sink:
        """For the workers."""

    def missing(self) -> Iterator[int]:
        """Numbers of the blocks still to do."""

    def commit(self, done: Iterable[tuple[int, int]]) -> None:
        """Enter blocks, as (number, checksum), in the journal, once their data are safe."""

    def finish(self) -> None:
        """All blocks are done: make the results whole."""


class MemoryStore:
    """Results in arrays, for grids that fit in memory.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    block_runs : int, optional
        Runs a block.

    Attributes
    ----------
    variables : dict of ndarray
        The results, flat: the run is the first axis.
    """

    def __init__(self, experiment: Experiment, block_runs: int | None = None) -> None:
        n_runs = experiment.grid.n_runs
        needed = n_runs * experiment.bytes_per_run
        free = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
        if needed > free:
            raise StorageError(
                f"{n_runs:,} runs take {in_units(needed)} of memory, and {in_units(free)} are "
                "free; name an output file, or make the grid smaller"
            )
        self.experiment = experiment
        self.blocks = experiment.blocks(block_runs)
        self.variables = block_arrays(experiment, n_runs)

    @property
    def sink(self) -> MemoryStore:
        """The store itself: threads see its arrays."""
        return self

    def arrays(self, block: int) -> Arrays:
        """Views of the block's place in the results."""
        runs = self.blocks.runs(block)
        return {name: whole[runs.start : runs.stop] for name, whole in self.variables.items()}

    def put(self, block: int, arrays: Arrays) -> int:
        """Nothing is left to write."""
        return 0

    def missing(self) -> Iterator[int]:
        """All blocks."""
        return iter(range(len(self.blocks)))

    def commit(self, done: Iterable[tuple[int, int]]) -> None:
        """No journal is kept."""

    def finish(self) -> None:
        """Nothing is left to do."""


class _OpenFile:
    """A descriptor that is closed when the last that may write to it lets go.

    After an interruption a thread may still be writing its block; were the descriptor closed under
    it, its number could by then belong to another file.
    """

    def __init__(self, path: str, writable: bool) -> None:
        self.descriptor = os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)

    def __del__(self) -> None:
        if hasattr(self, "descriptor"):
            os.close(self.descriptor)


@dataclass(frozen=True)
class FileSink:
    """Writes blocks to their places in a laid-out file with ordinary file writes.

    Attributes
    ----------
    path : str
        The partial file.
    identity : (int, int)
        Its device and inode: a worker that outlives its runner must not write to a later file.
    plan : str
        The experiment, canonical.
    block_runs : int
        Runs a block.
    offsets : dict of int
        Where the variables lie.
    writable : bool
        Whether the file is opened for writing.
    """

    path: str
    identity: tuple[int, int]
    plan: str
    block_runs: int
    offsets: dict[str, int]
    writable: bool = True
    _local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        offsets = tuple(self.offsets.items())
        return _shared_sink, (self.path, self.identity, self.plan, self.block_runs, offsets)

    @functools.cached_property
    def experiment(self) -> Experiment:
        """The plan."""
        return Experiment.from_canonical(self.plan)

    @functools.cached_property
    def blocks(self) -> Blocks:
        """The runs, cut into blocks."""
        return Blocks(self.experiment.grid.n_runs, self.block_runs)

    @functools.cached_property
    def _file(self) -> _OpenFile:
        with files.in_words(f"opening {self.path}"):
            file = _OpenFile(self.path, self.writable)
            found = os.fstat(file.descriptor)
        if (found.st_dev, found.st_ino) != self.identity:
            raise StorageError(f"{self.path}: the file was replaced while runs were written to it")
        return file

    @property
    def descriptor(self) -> int:
        """The file, open as long as any thread holds this sink."""
        return self._file.descriptor

    def arrays(self, block: int) -> Arrays:
        """This thread's buffers, cut to the block's length."""
        if not hasattr(self._local, "buffers"):
            self._local.buffers = block_arrays(self.experiment, self.block_runs)
        length = len(self.blocks.runs(block))
        return {name: buffer[:length] for name, buffer in self._local.buffers.items()}

    def put(self, block: int, arrays: Arrays) -> int:
        """Write a block; gives its checksum."""
        first = self.blocks.runs(block).start
        digest = xxhash.xxh3_64(block.to_bytes(8, "little"))
        with files.in_words(f"writing {self.path}"):
            for name, values in arrays.items():
                size = values.dtype.itemsize * int(np.prod(values.shape[1:]))
                digest.update(values)
                files.write_at(self.descriptor, values.data, self.offsets[name] + first * size)
        return digest.intdigest()


@functools.lru_cache(maxsize=4)
def _shared_sink(
    path: str,
    identity: tuple[int, int],
    plan: str,
    block_runs: int,
    offsets: tuple[tuple[str, int], ...],
) -> FileSink:
    """One sink for all tasks of a worker process: its buffers and its open file stay."""
    return FileSink(path, identity, plan, block_runs, dict(offsets))


class FileStore:
    """An HDF5 file on its way from layout to whole.

    Use `FileStore.open`, as a context manager: it holds the lock that keeps a second writer away.

    Attributes
    ----------
    path, partial : Path
        The file's name once it is whole, and until then.
    kept, damaged : int
        Blocks found done, and blocks found done whose data did not match their checksums.
    kept_runs : int
        Runs in the kept blocks.
    """

    def __init__(self, path: Path, lock: filelock.BaseFileLock) -> None:
        self.path = path
        self.partial = partial_name(path)
        self.kept = self.damaged = self.kept_runs = 0
        self._lock = lock

    @classmethod
    def open(
        cls,
        path: Path,
        experiment: Experiment,
        *,
        overwrite: bool = False,
        block_runs: int | None = None,
    ) -> FileStore | None:
        """Take the lock, then resume what was interrupted or lay out anew.

        Parameters
        ----------
        path : Path
            The results file to be.
        experiment : Experiment
            The plan.
        overwrite : bool
            Whether finished results, and another plan's unfinished ones, may be replaced.
        block_runs : int, optional
            Runs a block; an unfinished file keeps its own.

        Returns
        -------
        FileStore or None
            None where the results of this very plan are there already.

        Raises
        ------
        InputError
            The folder does not exist, or results of another plan are in the way.
        StorageError
            No space, no permission, or another process is writing there.
        FileError
            What is in the way is no results file of ours, or a damaged one.
        """
        if not path.parent.is_dir():
            raise InputError(f"{path.parent}: no such folder; make it first, or choose another")
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file in it, such as {path / 'out.h5'}")
        if path.exists() and not overwrite:
            _require_plan(path, layout.read(path), experiment)
            return None
        if path.exists():
            _require_ours(path)
        store = cls(path, locked(path))
        try:
            store._prepare(experiment, overwrite, block_runs)
        except BaseException:
            store.__exit__()
            raise
        return store

    def _prepare(self, experiment: Experiment, overwrite: bool, block_runs: int | None) -> None:
        unborn = self.partial.with_name(self.partial.name + ".layout")
        with files.in_words(f"removing {unborn}"):
            files.remove(unborn)  # a layout that was cut off holds nothing
        if self.partial.exists():
            found = _require_ours(self.partial)
            if found.experiment.sha256 != experiment.sha256:
                if not overwrite:
                    _require_plan(self.partial, found, experiment)
                with files.in_words(f"removing {self.partial}"):
                    files.remove(self.partial)
        if not self.partial.exists():
            self._lay_out(unborn, experiment, block_runs)
        found = layout.read(self.partial)
        self.experiment, self.blocks = experiment, found.blocks
        self.sink = sink_to(self.partial, found)
        self.journal = Journal(self.sink)
        bad = [block for block in self.journal.done() if not self.journal.matches(block)]
        with files.in_words(f"writing {self.partial}"):
            for block in bad:
                self.journal.forget(block)
        kept = list(self.journal.done())
        self.kept, self.damaged = len(kept), len(bad)
        self.kept_runs = sum(len(self.blocks.runs(block)) for block in kept)

    def _lay_out(self, unborn: Path, experiment: Experiment, block_runs: int | None) -> None:
        blocks = experiment.blocks(block_runs)
        needed = layout.expected_bytes(experiment, blocks.block_runs)
        free = files.free_bytes(self.path.parent)
        if needed > free:
            raise StorageError(
                f"{self.path}: {blocks.n_runs:,} runs take {in_units(needed)}, and "
                f"{in_units(free)} are free on that disk; make the grid smaller, record less, or "
                "choose another disk"
            )
        try:
            with files.in_words(f"laying out {self.path}"):
                layout.create(unborn, experiment, blocks)
                descriptor = os.open(unborn, os.O_RDWR | os.O_CLOEXEC)
                try:
                    files.reserve(descriptor, os.fstat(descriptor).st_size)
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                files.rename(unborn, self.partial)
        except BaseException:
            with contextlib.suppress(OSError):
                files.remove(unborn)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Whoever waits for a lock file that is gone by the time he gets it makes a new one.
        with contextlib.suppress(OSError):
            files.remove(Path(self._lock.lock_file))
        self._lock.release()

    def missing(self) -> Iterator[int]:
        """Numbers of the blocks still to do."""
        return self.journal.missing()

    def commit(self, done: Iterable[tuple[int, int]]) -> None:
        """Sync the data of blocks, then enter them in the journal."""
        with files.in_words(f"writing {self.partial}"):
            files.sync_data(self.sink.descriptor)
            for block, checksum in done:
                self.journal.enter(block, checksum)

    def finish(self) -> None:
        """Sync the journal and give the file its name."""
        with files.in_words(f"finishing {self.path}"):
            files.sync_data(self.sink.descriptor)
            files.rename(self.partial, self.path)


class Journal:
    """Which blocks of a file are done, and their checksums.

    Parameters
    ----------
    sink : FileSink
        The file.
    """

    def __init__(self, sink: FileSink) -> None:
        self._sink = sink
        self._n = len(sink.blocks)

    def flags(self) -> NDArray[np.uint8]:
        """One byte a block, shape (n_blocks,): whether it is done."""
        data = files.read_at(self._sink.descriptor, self._n, self._sink.offsets["block_done"])
        return np.frombuffer(data, np.uint8)

    def done(self) -> Iterator[int]:
        """Numbers of the blocks entered as done."""
        return (int(block) for block in np.flatnonzero(self.flags() == 1))

    def missing(self) -> Iterator[int]:
        """Numbers of the others."""
        return (int(block) for block in np.flatnonzero(self.flags() != 1))

    def count_done(self) -> int:
        """How many blocks are done."""
        return int(np.count_nonzero(self.flags() == 1))

    def enter(self, block: int, checksum: int) -> None:
        """Set a block's checksum, then its flag."""
        where, checksums = self._sink.descriptor, self._sink.offsets["block_checksum"]
        files.write_at(where, checksum.to_bytes(8, "little"), checksums + 8 * block)
        files.write_at(where, b"\x01", self._sink.offsets["block_done"] + block)

    def forget(self, block: int) -> None:
        """Take a block's flag back."""
        files.write_at(self._sink.descriptor, b"\x00", self._sink.offsets["block_done"] + block)

    def matches(self, block: int) -> bool:
        """Whether the bytes of a block have the checksum that the journal tells."""
        sink, runs = self._sink, self._sink.blocks.runs(block)
        where = sink.offsets["block_checksum"] + 8 * block
        told = int.from_bytes(files.read_at(sink.descriptor, 8, where), "little")
        digest = xxhash.xxh3_64(block.to_bytes(8, "little"))
        for variable in results(sink.experiment):
            size = np.dtype(variable.dtype).itemsize
            for length in _tail(sink.experiment, variable):
                size *= length
            begin = sink.offsets[variable.name] + runs.start * size
            end = begin + len(runs) * size
            for offset in range(begin, end, READ_AT_ONCE):
                part = min(READ_AT_ONCE, end - offset)
                digest.update(files.read_at(sink.descriptor, part, offset))
        return digest.intdigest() == told


def damaged_blocks(path: Path, writable: bool = False) -> tuple[list[int], FileSink]:
    """Read every block of a finished file against its checksum.

    Parameters
    ----------
    path : Path
        A results file.
    writable : bool
        Whether it is to be repaired.

    Returns
    -------
    bad : list of int
        Numbers of the blocks that are not done or do not match.
    sink : FileSink
        To write them anew.
    """
    found = layout.read(path)
    sink = sink_to(path, found, writable)
    journal = Journal(sink)
    done = journal.flags() == 1
    return [b for b in range(len(sink.blocks)) if not (done[b] and journal.matches(b))], sink


def sink_to(path: Path, found: layout.Layout, writable: bool = True) -> FileSink:
    """The bytes of a laid-out file.

    Parameters
    ----------
    path : Path
        The file.
    found : Layout
        What `layout.read` says of it.
    writable : bool
        Whether to write to it.

    Returns
    -------
    FileSink
        For workers and journal.
    """
    status = path.stat()
    return FileSink(
        str(path),
        (status.st_dev, status.st_ino),
        found.experiment.canonical,
        found.blocks.block_runs,
        found.offsets,
        writable,
    )


def partial_name(path: Path) -> Path:
    """What a results file is called until it is whole."""
    return path.with_name(path.name + ".partial")


def in_units(n_bytes: float) -> str:
    """Bytes for people.

    Examples
    --------
    >>> in_units(1_500_000)
    '1.5 MB'
    """
    if n_bytes < 1000:
        return f"{n_bytes:.0f} bytes"
    for unit in ("kB", "MB", "GB", "TB"):
        n_bytes /= 1000
        if n_bytes < 1000:
            return f"{n_bytes:.3g} {unit}"
    return f"{n_bytes / 1000:,.0f} PB"


def locked(path: Path) -> filelock.BaseFileLock:
    """Take the lock that keeps a second writer away; it dies with its process.

    Parameters
    ----------
    path : Path
        The results file.

    Returns
    -------
    filelock.BaseFileLock
        Held.

    Raises
    ------
    StorageError
        Another process holds it.
    """
    lock = filelock.FileLock(path.with_name(path.name + ".lock"))
    try:
        with files.in_words(f"locking {path}"):
            lock.acquire(timeout=0.1, poll_interval=0.02)
    except StorageError as error:
        if isinstance(error.__cause__, filelock.Timeout):
            raise StorageError(
                f"{path}: another process is writing there; wait for it, or choose another file"
            ) from None
        raise
    return lock


def _require_ours(path: Path) -> layout.Layout:
    try:
        return layout.read(path)
    except FileError as error:
        raise FileError(f"{error}; it is left alone: move it, or choose another file") from None


def _require_plan(path: Path, found: layout.Layout, experiment: Experiment) -> None:
    if found.experiment.sha256 != experiment.sha256:
        raise InputError(
            f"{path} holds results of another experiment, whose "
            f"{found.experiment.difference(experiment)}; "
            "choose another file, or replace it with --overwrite"
        )

