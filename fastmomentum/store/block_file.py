"""Where workers put the blocks that they compute."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fastmomentum import system
from fastmomentum.errors import FileError, InputError, StorageError
from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Arrays, block_arrays, bytes_a_run, stored_observations
from fastmomentum.store import checksums, files, manifest
from fastmomentum.store.earlier import Earlier, Reused
from fastmomentum.store.manifest import Contents
from fastmomentum.store.open_file import OpenFile


class BlockWriter(Protocol):
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
        """Write a block and return its checksum."""

    @property
    def earlier(self) -> Earlier | None:
        """Runs of older files that are reused instead of being computed."""


@dataclass(frozen=True)
class BlockFile:
    """Writes blocks to their places in a laid-out file with ordinary file writes.

    Only a path and a seal are pickled: a worker reads the rest from the file itself, which checks
    that it sees the same file as the runner.

    Attributes
    ----------
    path : str
        The file.
    seal : (int, bytes)
        Offset and bytes of the manifest's checksum: a worker that outlives its runner must not
        write to a newer file of the same name.
    writable : bool
        Whether the file is opened for writing.
    lent : bool
        Whether a worker in another process holds it, which must not keep the runner from renaming
        the file.
    reused : tuple of (str, (int, bytes))
        Older files whose runs are reused, with their seals.
    """

    path: str
    seal: tuple[int, bytes]
    writable: bool = True
    lent: bool = False
    reused: Reused = ()
    _local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    @classmethod
    def of(cls, contents: Contents, writable: bool = True, reused: Reused = ()) -> BlockFile:
        """Open a laid-out file.

        Parameters
        ----------
        contents : Contents
            What the file's manifest says.
        writable : bool
            Whether to write to it.
        reused : tuple of (str, (int, bytes))
            Older files whose runs are reused, with their seals.

        Returns
        -------
        BlockFile
            For workers and journal.
        """
        sink = cls(str(contents.path), contents.seal, writable, reused=reused)
        sink.__dict__["_contents"] = contents  # already read
        sink.open()
        return sink

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what a worker needs to open the file itself."""
        path = str(Path(self.path).absolute())
        return shared_sink, (path, self.seal, self.writable, self.reused)

    @functools.cached_property
    def _contents(self) -> Contents:
        contents = manifest.read(Path(self.path))
        if contents.seal != self.seal:
            raise self._replaced()
        return contents

    @functools.cached_property
    def experiment(self) -> Experiment:
        """The plan; if it draws batches, with the rows of its data, read from the file.

        Raises
        ------
        FileError
            The file's data are not those that the plan was made for.
        """
        experiment = self._contents.experiment
        return experiment if experiment.batch is None else self._with_rows(experiment)

    def _with_rows(self, experiment: Experiment) -> Experiment:
        columns = []
        for variable in stored_observations(experiment):
            with files.in_words(f"reading {self.path}"):
                offset = self.offsets.get(variable.name)
                if offset is None:
                    raise FileError(f"{self.path}: has no {variable.name}, and batches need it")
                data = files.read_at(self.descriptor, variable.n_bytes, offset)
            columns.append(np.frombuffer(data, variable.dtype))
        try:
            return experiment.with_observations(*columns)
        except InputError:
            raise FileError(
                f"{self.path}: data_x or data_y is damaged, and batches are drawn from them; "
                "restore them from a copy"
            ) from None

    @property
    def blocks(self) -> Blocks:
        """The runs, cut into blocks."""
        return self._contents.blocks

    @functools.cached_property
    def earlier(self) -> Earlier | None:
        """Runs of older files that are reused."""
        return Earlier(self.experiment, self.reused) if self.reused else None

    @property
    def offsets(self) -> dict[str, int]:
        """Offset of each variable in the file."""
        return self._contents.offsets

    @functools.cached_property
    def _bytes_a_run(self) -> dict[str, int]:
        return bytes_a_run(self.experiment)

    @functools.cached_property
    def _file(self) -> OpenFile:
        place, seal = self.seal
        with files.in_words(f"opening {self.path}"):
            file = OpenFile(self.path, os.O_RDWR if self.writable else os.O_RDONLY)
            with contextlib.suppress(EOFError):
                if files.read_at(file.descriptor, len(seal), place) == seal:
                    return file
        raise self._replaced()

    @functools.cached_property
    def _writing(self) -> OpenFile:
        with files.in_words(f"opening {self.path}"):
            file = OpenFile(self.path, os.O_WRONLY)
            if os.path.sameopenfile(file.descriptor, self.descriptor):
                return file
        raise self._replaced()

    def _replaced(self) -> StorageError:
        return StorageError(f"{self.path}: the file was replaced while it was in use; run again")

    def close(self) -> None:
        """Close the file once nobody reads or writes it any more; the next use opens it again."""
        for name in ("_file", "_writing"):
            self.__dict__.pop(name, None)

    def rest(self) -> None:
        """Close a worker's file between two blocks where an open file cannot be renamed."""
        if self.lent and system.names_are_held():
            self.close()

    def open(self) -> None:
        """Open the file and check its seal; for one thread, before many use it."""
        _ = self._contents, self.descriptor, self.earlier  # cached properties: opened on access
        if self.writable:
            _ = self.writing

    @property
    def descriptor(self) -> int:
        """The file's descriptor, open as long as this sink exists and nobody calls `close`."""
        return self._file.descriptor

    @property
    def file(self) -> OpenFile:
        """The file, open as long as the caller holds it, even after `close`."""
        return self._file

    @property
    def writing(self) -> int:
        """A second descriptor, for writing only.

        Machines that share a file over NFS cache its pages. A page that was read is sent back whole
        when a part of it is written, and overwrites what others wrote beside that part; and where
        the descriptor may read, a page is read before it is written.
        """
        return self._writing.descriptor

    def forget_read(self) -> None:
        """Drop the cached pages of what was read so far, for the reason given in `writing`."""
        files.forget_cached(self.descriptor)

    def arrays(self, block: int) -> Arrays:
        """Buffers of the calling thread, cut to the block's length."""
        if not hasattr(self._local, "buffers"):
            self._local.buffers = block_arrays(self.experiment, self.blocks.block_runs)
        length = len(self.blocks.runs(block))
        return {name: buffer[:length] for name, buffer in self._local.buffers.items()}

    def put(self, block: int, arrays: Arrays) -> int:
        """Write a block and return its checksum."""
        first, file = self.blocks.runs(block).start, self._writing
        try:
            with files.in_words(f"writing {self.path}"):
                for name, values in arrays.items():
                    offset = self.offsets[name] + first * self._bytes_a_run[name]
                    files.write_at(file.descriptor, values.data, offset)
                    files.begin_writing_back(file.descriptor, offset, values.nbytes)
        finally:
            del file  # an error that someone keeps holds this frame: it must not hold the file
        self.rest()
        return checksums.of_block(block, arrays.values())

    def flush(self) -> None:
        """Sync what was written to the disk, where other machines see it."""
        file = self._writing
        try:
            with files.in_words(f"writing {self.path}"):
                files.sync_data(file.descriptor)
        finally:
            del file  # as in `put`
        self.rest()

    def stored(self, block: int) -> int:
        """Checksum of a block's bytes as stored in the file."""
        runs = self.blocks.runs(block)
        spans = (
            (self.offsets[name] + runs.start * size, self.offsets[name] + runs.stop * size)
            for name, size in self._bytes_a_run.items()
        )
        file = self._file
        try:
            return checksums.of_block(
                block, (part for span in spans for part in files.parts(file.descriptor, *span))
            )
        finally:
            del file  # as in `put`


@functools.lru_cache(maxsize=4)
def shared_sink(
    path: str, seal: tuple[int, bytes], writable: bool = True, reused: Reused = ()
) -> BlockFile:
    """One sink shared by all tasks of a worker process, which keeps its buffers and open file.

    Parameters
    ----------
    path : str
        The file.
    seal : (int, bytes)
        Identifies the file.
    writable : bool
        Whether to write to it.
    reused : tuple of (str, (int, bytes))
        Older files whose runs are reused, with their seals.

    Returns
    -------
    BlockFile
        Not opened yet.
    """
    return BlockFile(path, seal, writable, lent=True, reused=reused)
