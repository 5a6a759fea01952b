"""The store of results that stay in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fastmomentum import machine
from fastmomentum.errors import StorageError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Arrays, block_arrays
from fastmomentum.store.earlier import Earlier, Reused
from fastmomentum.text import in_units


class MemoryStore:
    """Results in arrays, for grids that fit in memory.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    block_runs : int, optional
        Runs per block.
    reused : tuple of (str, (int, bytes))
        Older files whose runs are reused, with their seals.

    Attributes
    ----------
    variables : dict of ndarray
        The results, flat: the run is the first axis.
    seconds : float
        Time that the runs took.
    """

    seconds = 0.0

    def __init__(
        self, experiment: Experiment, block_runs: int | None = None, reused: Reused = ()
    ) -> None:
        n_runs = experiment.grid.n_runs
        needed = n_runs * experiment.bytes_per_run
        free = machine.free_memory()
        if free is not None and needed > free:
            raise StorageError(
                f"{n_runs:,} runs take {in_units(needed)} of memory, and {in_units(free)} are "
                "free; name an output file, or make the grid smaller"
            )
        self.experiment = experiment
        self.blocks = experiment.blocks(block_runs)
        self.variables = block_arrays(experiment, n_runs)
        self.earlier = Earlier(experiment, reused) if reused else None
        self._done = 0

    @property
    def sink(self) -> MemoryStore:
        """The store itself: threads write to its arrays."""
        return self

    def arrays(self, block: int) -> Arrays:
        """Views of the block's part of the results."""
        runs = self.blocks.runs(block)
        return {name: whole[runs.start : runs.stop] for name, whole in self.variables.items()}

    def put(self, block: int, arrays: Arrays) -> int:
        """Nothing is left to write."""
        return 0

    def missing(self) -> Iterator[int]:
        """All blocks."""
        return iter(range(len(self.blocks)))

    def enter(self, block: int, *checksums: int) -> None:
        """Count the blocks; no journal is kept."""
        self._done += len(checksums)

    def count_done(self) -> int:
        """Blocks that are done."""
        return self._done

    def commit(self, counts: NDArray[np.int64], seconds: float) -> None:
        """Nothing is left to do."""

    def finish(self, counts: NDArray[np.int64], seconds: float) -> None:
        """Keep the time that the runs took."""
        self.seconds = seconds
