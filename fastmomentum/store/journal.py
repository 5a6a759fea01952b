"""What a file says of its own completeness: which blocks are done, and how the runs ended.

A block is *written* once its bytes and its checksum are with the operating system: kill -9 cannot
take it back. It is *done* once they have reached the disk as well: nor can a loss of power. Either
state is trusted only if the checksum matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastmomentum.status import Status
from fastmomentum.store import checksums, files
from fastmomentum.store.block_file import BlockFile

MISSING, DONE, WRITTEN = range(3)


class Journal:
    """Which blocks of a file are done, and their checksums.

    Parameters
    ----------
    sink : BlockFile
        The file.
    """

    def __init__(self, sink: BlockFile) -> None:
        self._sink = sink
        self._n = len(sink.blocks)

    def flags(self) -> NDArray[np.uint8]:
        """State of each block, shape (n_blocks,)."""
        data = files.read_at(self._sink.descriptor, self._n, self._sink.offsets["block_done"])
        return np.frombuffer(data, np.uint8)

    def checksums(self) -> NDArray[np.uint64]:
        """Recorded checksum of each block, shape (n_blocks,)."""
        offset = self._sink.offsets["block_checksum"]
        return np.frombuffer(files.read_at(self._sink.descriptor, 8 * self._n, offset), "<u8")

    def missing(self) -> Iterator[int]:
        """Numbers of the blocks that are not done; their states are read once, at the start."""
        flags = self.flags()
        for start in range(0, self._n, files.AT_ONCE):
            for block in np.flatnonzero(flags[start : start + files.AT_ONCE] != DONE):
                yield start + int(block)

    def count_done(self) -> int:
        """How many blocks are done."""
        return int(np.count_nonzero(self.flags() == DONE))

    def enter(self, block: int, *checksums: int) -> None:
        """Set the checksums of a block and of those after it, then their state to written."""
        where = self._sink.offsets["block_checksum"] + 8 * block
        files.write_at(self._sink.writing, np.array(checksums, "<u8").tobytes(), where)
        self._set(block, WRITTEN, len(checksums))

    def confirm(self, blocks: Iterable[int]) -> None:
        """Sync all that was written, then set the state of these blocks to done."""
        try:
            files.sync_data(self._sink.writing)
        except OSError:
            # The system now counts the lost pages as clean; only a read from the disk is reliable.
            files.forget_cached(self._sink.descriptor)
            raise
        entered = np.unique(np.fromiter(blocks, np.int64))
        for stretch in np.split(entered, np.flatnonzero(np.diff(entered) > 1) + 1):
            if stretch.size:
                self._set(int(stretch[0]), DONE, stretch.size)

    def forget(self, block: int) -> None:
        """Set a block's state back to missing."""
        self._set(block, MISSING)

    def _set(self, block: int, state: int, n_blocks: int = 1) -> None:
        where = self._sink.offsets["block_done"] + block
        files.write_at(self._sink.writing, bytes([state]) * n_blocks, where)

    def mismatched(self, states: tuple[int, ...]) -> Iterator[int]:
        """Read all blocks in these states; yield those whose bytes do not match their checksums."""
        flags, told = self.flags(), self.checksums()
        for block in np.flatnonzero(np.isin(flags, states)).tolist():
            if self._sink.stored(block) != int(told[block]):
                yield block

    def count_statuses(self) -> NDArray[np.int64]:
        """Runs by status in the blocks that are done, shape (4,)."""
        counts = np.zeros(256, np.int64)
        blocks, offset = self._sink.blocks, self._sink.offsets["status"]
        for first, last in _stretches(self.flags() == DONE):
            start, stop = blocks.runs(first).start, blocks.runs(last).stop
            for part in files.parts(self._sink.descriptor, offset + start, offset + stop):
                counts += np.bincount(np.frombuffer(part, np.uint8), minlength=256)
        return counts[: len(Status)]


def _stretches(chosen: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """First and last index of each run of true entries."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8)))
    return ((int(a), int(b) - 1) for a, b in edges.reshape(-1, 2))


@dataclass(frozen=True)
class RunTotals:
    """Totals over the runs that are done; not part of the results.

    Attributes
    ----------
    counts : ndarray, shape (4,)
        Runs by status.
    seconds : float
        Time that the runs took, all sessions together.
    """

    counts: NDArray[np.int64]
    seconds: float

    @classmethod
    def read(cls, sink: BlockFile, counts: NDArray[np.int64] | None = None) -> RunTotals | None:
        """Read the totals; None where they do not match their checksum.

        Parameters
        ----------
        sink : BlockFile
            The file.
        counts : ndarray, shape (4,), optional
            The correct counts, where the file's own cannot be trusted.
        """
        where, offsets = sink.descriptor, sink.offsets
        told = files.read_at(where, 8 * len(Status), offsets["runs_by_status"])
        counted = told if counts is None else counts.astype("<i8").tobytes()
        seconds = files.read_at(where, 8, offsets["wall_time"])
        checksum = files.read_at(where, 8, offsets["closing_checksum"])
        if checksums.small(counted + seconds) != checksum:
            return None
        return cls(np.frombuffer(counted, "<i8"), float(np.frombuffer(seconds, "<f8")[0]))

    def write(self, sink: BlockFile) -> None:
        """Write the totals and their checksum to the file."""
        counts = self.counts.astype("<i8").tobytes()
        seconds = np.array(self.seconds, "<f8").tobytes()
        where, offsets = sink.writing, sink.offsets
        files.write_at(where, counts, offsets["runs_by_status"])
        files.write_at(where, seconds, offsets["wall_time"])
        files.write_at(where, checksums.small(counts + seconds), offsets["closing_checksum"])
