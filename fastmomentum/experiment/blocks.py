"""The runs of a grid, cut into blocks."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Blocks:
    """The runs cut into ranges of equal length (the last may be shorter).

    A block is a contiguous range of bytes in every variable of the file.

    Parameters
    ----------
    n_runs, block_runs : int
        Runs in all, and runs a block.

    Examples
    --------
    >>> blocks = Blocks(n_runs=10, block_runs=4)
    >>> len(blocks), blocks.runs(2)
    (3, range(8, 10))
    """

    n_runs: int
    block_runs: int

    def __len__(self) -> int:
        """How many blocks."""
        return -(-self.n_runs // self.block_runs)

    def runs(self, block: int) -> range:
        """Numbers of the runs of a block."""
        first = block * self.block_runs
        return range(first, min(first + self.block_runs, self.n_runs))
