"""Where workers put the blocks that they compute."""

from __future__ import annotations

import contextlib
import functools
import os
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from fastmomentum.errors import StorageError
from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Arrays, block_arrays, bytes_a_run
from fastmomentum.store import checksums, files, manifest, system
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
        """Write a block; gives its checksum."""

    @property
    def earlier(self) -> Earlier | None:
        """Runs of older files that are taken over instead of being computed."""


@dataclass(frozen=True)
class BlockFile:
    """Writes blocks to their places in a laid-out file with ordinary file writes.

    Pickled, it is a path and a seal: a worker reads the rest from the file itself, and so finds out
    whether it sees the file that the runner sees.

    Attributes
    ----------
    path : str
        The file.
    seal : (int, bytes)
        Its manifest's checksum: a worker that outlives its runner must not write to a later file.
    writable : bool
        Whether the file is opened for writing.
    lent : bool
        Whether a worker in another process has it, which must not keep the file from its runner.
    reused : tuple of (str, (int, bytes))
        Older files whose runs are taken over, with their seals.
    """

    path: str
    seal: tuple[int, bytes]
    writable: bool = True
    lent: bool = False
    reused: Reused = ()
    _local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    @classmethod
    def of(cls, contents: Contents, writable: bool = True, reused: Reused = ()) -> BlockFile:
        """The bytes of a laid-out file, opened.

        Parameters
        ----------
        contents : Contents
            What the file's manifest says.
        writable : bool
            Whether to write to it.
        reused : tuple of (str, (int, bytes))
            Older files whose runs are taken over, with their seals.

        Returns
        -------
        BlockFile
            For workers and journal.
        """
        sink = cls(str(contents.path), contents.seal, writable, reused=reused)
        sink.__dict__["_contents"] = contents  # known already: not read again
        sink.open()
        return sink

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle what a worker needs to open the file anew."""
        path = str(Path(self.path).absolute())
        return shared_sink, (path, self.seal, self.writable, self.reused)

    @functools.cached_property
    def _contents(self) -> Contents:
        contents = manifest.read(Path(self.path))
        if contents.seal != self.seal:
            raise self._replaced()
        return contents

    @property
    def experiment(self) -> Experiment:
        """The plan."""
        return self._contents.experiment

    @property
    def blocks(self) -> Blocks:
        """The runs, cut into blocks."""
        return self._contents.blocks

    @functools.cached_property
    def earlier(self) -> Earlier | None:
        """Runs of older files that are taken over."""
        return Earlier(self.experiment, self.reused) if self.reused else None

    @property
    def offsets(self) -> dict[str, int]:
        """Where the variables lie."""
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
        """Let the file go, once all that read or write it now are done; it opens again if asked."""
        for name in ("_file", "_writing"):
            self.__dict__.pop(name, None)

    def rest(self) -> None:
        """Let the file go between two blocks of a worker where it would hold the file's name."""
        if self.lent and system.names_are_held():
            self.close()

    def open(self) -> None:
        """Open the file and make sure that it is the one; for one thread, before many use it."""
        _ = self._contents, self.descriptor, self.earlier  # opened when first asked for
        if self.writable:
            _ = self.writing

    @property
    def descriptor(self) -> int:
        """The file, open as long as any thread holds this sink and nobody calls `close`."""
        return self._file.descriptor

    @property
    def file(self) -> OpenFile:
        """The file, open as long as the caller holds it, whatever becomes of this sink."""
        return self._file

    @property
    def writing(self) -> int:
        """The file again, to write to and never to read from.

        Machines that share a file over NFS keep pages of it. A page that was read goes back whole
        when a part of it is written, and takes what others wrote beside that part; and where the
        descriptor may read, a page is read before it is written.
        """
        return self._writing.descriptor

    def forget_read(self) -> None:
        """Keep no page of what was read so far, for the reason of `writing`."""
        files.forget_cached(self.descriptor)

    def arrays(self, block: int) -> Arrays:
        """Buffers of the calling thread, cut to the block's length."""
        if not hasattr(self._local, "buffers"):
            self._local.buffers = block_arrays(self.experiment, self.blocks.block_runs)
        length = len(self.blocks.runs(block))
        return {name: buffer[:length] for name, buffer in self._local.buffers.items()}

    def put(self, block: int, arrays: Arrays) -> int:
        """Write a block; gives its checksum."""
        first, file = self.blocks.runs(block).start, self._writing
        with files.in_words(f"writing {self.path}"):
            for name, values in arrays.items():
                offset = self.offsets[name] + first * self._bytes_a_run[name]
                files.write_at(file.descriptor, values.data, offset)
                files.begin_writing_back(file.descriptor, offset, values.nbytes)
        self.rest()
        return checksums.of_block(block, arrays.values())

    def flush(self) -> None:
        """Return once what was written lies on the disk, where other machines see it."""
        file = self._writing
        with files.in_words(f"writing {self.path}"):
            files.sync_data(file.descriptor)
        self.rest()

    def stored(self, block: int) -> int:
        """Checksum of a block's bytes as they lie in the file."""
        runs = self.blocks.runs(block)
        spans = (
            (self.offsets[name] + runs.start * size, self.offsets[name] + runs.stop * size)
            for name, size in self._bytes_a_run.items()
        )
        file = self._file
        return checksums.of_block(
            block, (part for span in spans for part in files.parts(file.descriptor, *span))
        )


@functools.lru_cache(maxsize=4)
def shared_sink(
    path: str, seal: tuple[int, bytes], writable: bool = True, reused: Reused = ()
) -> BlockFile:
    """One sink for all tasks of a worker process: its buffers and its open file stay.

    Parameters
    ----------
    path : str
        The file.
    seal : (int, bytes)
        By which it is known.
    writable : bool
        Whether to write to it.
    reused : tuple of (str, (int, bytes))
        Older files whose runs are taken over, with their seals.

    Returns
    -------
    BlockFile
        Not opened yet.
    """
    return BlockFile(path, seal, writable, lent=True, reused=reused)
