"""The store in an HDF5 file: laid out, written block by block, resumed, finished."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from fastmomentum import system
from fastmomentum.errors import FileError, InputError, StorageError
from fastmomentum.experiment.arithmetic import other_arithmetic
from fastmomentum.experiment.plan import Experiment
from fastmomentum.provenance import changed_since
from fastmomentum.specification.paths import require_folder
from fastmomentum.store import files, locks, manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.earlier import Reused
from fastmomentum.store.journal import DONE, WRITTEN, Journal, RunTotals
from fastmomentum.store.manifest import Contents
from fastmomentum.store.paths import (
    expected_bytes,
    is_partial,
    partial_name,
    require_results_name,
    require_whole,
)
from fastmomentum.text import in_units


class FileStore:
    """An HDF5 results file from its layout until it is finished.

    Use `FileStore.open`, as a context manager: it holds the lock that keeps a second writer away.

    Attributes
    ----------
    path, partial : Path
        The file's name once it is finished, and until then.
    kept, damaged : int
        On resuming, stored blocks that match their checksums, and stored blocks that do not.
    kept_runs : int
        Runs in the kept blocks.
    changed : list of str
        Versions and CPU that have changed since the file was laid out.
    """

    def __init__(self, path: Path, lock: locks.Lock) -> None:
        self.path = path
        self.partial = partial_name(path)
        self.kept = self.damaged = self.kept_runs = 0
        self._lock = lock
        self.changed: list[str] = []
        self._entered: list[int] = []
        self._broken = False

    @classmethod
    def open(
        cls,
        path: Path,
        experiment: Experiment,
        *,
        overwrite: bool = False,
        block_runs: int | None = None,
        reused: Reused = (),
    ) -> FileStore | None:
        """Take the lock, then resume an interrupted file or lay out a new one.

        Parameters
        ----------
        path : Path
            The results file to write.
        experiment : Experiment
            The plan.
        overwrite : bool
            Whether finished results, and another plan's unfinished ones, may be replaced.
        block_runs : int, optional
            Runs per block; an unfinished file keeps its own.
        reused : tuple of (str, (int, bytes))
            Older files whose runs are reused, with their seals.

        Returns
        -------
        FileStore or None
            None where the finished results of this plan already exist.

        Raises
        ------
        InputError
            The folder does not exist, or results of another plan are in the way.
        StorageError
            No space, no permission, or another process is writing there.
        FileError
            A file in the way is not one of our results files, or is damaged.
        """
        require_folder(path)
        if path.is_dir():
            raise InputError(f"{path} is a folder; name a file in it, such as {path / 'out.h5'}")
        if not os.path.lexists(path):  # an existing file is judged by its content
            require_results_name(path)
        if path.is_symlink():
            path = _behind(path)  # so all names of one file have one lock
        if _is_there(path, experiment, overwrite):
            return None
        store = cls(path, locks.Lock(path))
        try:
            # Another process may have finished it while we waited for the lock.
            there = _is_there(path, experiment, overwrite)
            if not there:
                store._prepare(experiment, overwrite, block_runs, reused)
        except BaseException:
            store.__exit__()
            raise
        if there:
            store.__exit__()
            return None
        return store

    def _prepare(
        self, experiment: Experiment, overwrite: bool, block_runs: int | None, reused: Reused
    ) -> None:
        unborn = self.partial.with_name(self.partial.name + ".layout")
        with files.in_words(f"removing {unborn}"):
            files.remove(unborn)  # an interrupted layout holds no results
        if os.path.lexists(self.partial):
            found = _require_ours(self.partial)
            other = other_arithmetic(experiment, found.attributes)
            if found.experiment.plan != experiment.plan or other:
                if not overwrite:
                    _require_plan(found, experiment)
                    raise InputError(
                        f"{self.partial} was {other}: it cannot be resumed; finish it with that "
                        "version, or start again with overwrite=True"
                    )
                with files.in_words(f"removing {self.partial}"):
                    files.remove(self.partial)
        if not self.partial.exists():
            self._lay_out(unborn, experiment, block_runs)
        found = manifest.read(self.partial)
        # The file's own experiment: minimisers found by search, and so the targets, stay the same.
        self.experiment, self.blocks = found.experiment, found.blocks
        self.changed = changed_since(found.attributes)
        self.sink = BlockFile.of(found, reused=reused)
        self.journal = Journal(self.sink)
        with files.in_words(f"resuming {self.partial}"):
            self._resume()

    def _resume(self) -> None:
        stored = (DONE, WRITTEN)
        bad = list(self.journal.mismatched(stored))
        for block in bad:
            self.journal.forget(block)
        flags = self.journal.flags()
        kept = np.flatnonzero(np.isin(flags, stored))
        if (flags == WRITTEN).any():
            self.journal.confirm(np.flatnonzero(flags == WRITTEN).tolist())
        self.kept, self.damaged = kept.size, len(bad)
        self.kept_runs = sum(len(self.blocks.runs(block)) for block in kept.tolist())
        before = RunTotals.read(self.sink)
        self._before = RunTotals(self.journal.count_statuses(), before.seconds if before else 0.0)

    def _lay_out(self, unborn: Path, experiment: Experiment, block_runs: int | None) -> None:
        blocks = experiment.blocks(block_runs)
        needed = expected_bytes(experiment, blocks.block_runs)
        free = files.free_bytes(self.path.parent)
        if needed > free:
            raise StorageError(
                f"{self.path}: {blocks.n_runs:,} runs take {in_units(needed)}, and "
                f"{in_units(free)} are free on that disk; make the grid smaller, record less, or "
                "choose another disk"
            )
        from fastmomentum.store import layout  # imports HDF5, which nothing else needs

        try:
            with files.in_words(f"laying out {self.path}"):
                layout.create(unborn, experiment, blocks)
                files.rename(unborn, self.partial)
        except BaseException:
            with contextlib.suppress(OSError):
                files.remove(unborn)
            raise

    def __enter__(self) -> Self:
        """The store itself, which holds its lock."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the lock."""
        if system.names_are_held() and hasattr(self, "sink"):
            self.sink.close()
        self._lock.release()

    def missing(self) -> Iterator[int]:
        """Numbers of the blocks still to do."""
        return self.journal.missing()

    def enter(self, block: int, *checksums: int) -> None:
        """Record that a block is written, and those after it, one for each checksum.

        From here on they survive kill -9.
        """
        with files.in_words(f"writing {self.partial}"):
            self.journal.enter(block, *checksums)
        self._entered.extend(range(block, block + len(checksums)))

    def count_done(self) -> int:
        """How many blocks are done."""
        return self.journal.count_done()

    def commit(self, counts: NDArray[np.int64], seconds: float) -> None:
        """Sync what was entered, then mark it done: from here on it survives a loss of power.

        Parameters
        ----------
        counts : ndarray, shape (4,)
            Runs of this session by status.
        seconds : float
            Time that this session took so far.
        """
        if self._broken:  # another sync does not recover what a failed one lost
            return
        try:
            with files.in_words(f"writing {self.partial}"):
                self.journal.confirm(self._entered)
                self._entered = []
                before = self._before
                RunTotals(before.counts + counts, before.seconds + seconds).write(self.sink)
        except StorageError:
            self._broken = True
            raise

    def finish(self, counts: NDArray[np.int64], seconds: float) -> None:
        """Sync results and journal, and give the file its final name."""
        self.commit(counts, seconds)
        left = len(self.blocks) - self.journal.count_done()
        if self._broken or left:
            raise StorageError(f"{self.partial}: {left:,} blocks are not done; run again to resume")
        with files.in_words(f"finishing {self.path}"):
            files.sync_data(self.sink.writing)
            self.sink.close()  # Windows cannot rename an open file
            files.rename(self.partial, self.path)


def _is_there(path: Path, experiment: Experiment, overwrite: bool) -> bool:
    """Whether results of this plan exist already and are to be kept."""
    if not path.exists():
        return False
    found = _require_ours(path)
    if overwrite:
        return False
    _require_plan(found, experiment)
    require_whole(path, Journal(BlockFile.of(found, writable=False)).flags() == DONE)
    return True


def _behind(link: Path) -> Path:
    """The file that a symbolic link leads to, whether it exists or not."""
    try:
        return link.resolve()
    except (OSError, RuntimeError):
        raise FileError(f"{link} is a symbolic link that leads in a circle; remove it") from None


def _require_ours(path: Path) -> Contents:
    try:
        if path.is_symlink() and is_partial(path):
            raise FileError(f"{path} is a symbolic link")
        return manifest.read(path)
    except FileError as error:
        raise FileError(f"{error}; it is left alone: move it, or choose another file") from None


def _require_plan(found: Contents, experiment: Experiment) -> None:
    if found.experiment.plan != experiment.plan:
        raise InputError(
            f"{found.path} holds results of another experiment, whose "
            f"{found.experiment.difference(experiment)}; "
            "choose another file, or replace it with overwrite=True"
        )
