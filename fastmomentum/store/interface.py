"""What the runner needs of a store: lay out, write blocks, keep the journal, resume, finish.

Two stores have this interface: `file_store.FileStore` for an HDF5 file and
`memory_store.MemoryStore` for arrays. A worker gets a store's `sink`, writes its own blocks with
it, and returns only their checksums.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.plan import Experiment
from fastmomentum.store.block_file import BlockWriter


class Store(Protocol):
    """What the runner needs of a store."""

    @property
    def experiment(self) -> Experiment:
        """The plan."""

    @property
    def blocks(self) -> Blocks:
        """The runs, cut into blocks."""

    @property
    def sink(self) -> BlockWriter:
        """What workers write blocks to."""

    def missing(self) -> Iterator[int]:
        """Numbers of the blocks still to do."""

    def enter(self, block: int, *checksums: int) -> None:
        """Record that a block is written, and those after it, one for each checksum."""

    def count_done(self) -> int:
        """How many blocks are done."""

    def commit(self, counts: NDArray[np.int64], seconds: float) -> None:
        """Make what was entered durable; counts by status and time are those of this session."""

    def finish(self, counts: NDArray[np.int64], seconds: float) -> None:
        """Finish the results once all blocks are entered."""
