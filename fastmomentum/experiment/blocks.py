"""The runs of a grid, cut into blocks, and a grid, cut into boxes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Box = tuple[slice, ...]

BLOCK_UPDATES: Final = 40_000_000
"""Updates per block: 20 to 40 ms of one core, so that the overhead of handing it out is negligible
and a few hundred blocks balance the load."""
BLOCK_BYTES: Final = 4 * 2**20
"""Bytes per block: each worker has one in memory."""
BLOCK_BYTES_MOST: Final = 256 * 2**20
"""Most bytes of a block, where a single run is larger than `BLOCK_BYTES`."""
BLOCK_RUNS: Final = (160, 65_440)
"""Fewest and most runs per block: whole tiles of 32 and of 40 lanes; at most what fits into a
core's cache."""


@dataclass(frozen=True)
class Blocks:
    """The runs cut into ranges of equal length (the last may be shorter).

    A block is a contiguous range of bytes in every variable of the file.

    Parameters
    ----------
    n_runs, block_runs : int
        Runs in total, and runs per block.

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


def runs_of_block(steps: int, bytes_per_run: int) -> int:
    """How many runs a block should hold; it does not depend on the number of workers.

    Parameters
    ----------
    steps : int
        Updates per run.
    bytes_per_run : int
        Bytes of its results.

    Examples
    --------
    >>> runs_of_block(steps=10_000, bytes_per_run=40)
    4000
    """
    low, high = BLOCK_RUNS
    by_work = min(max(BLOCK_UPDATES // steps, low), high)
    by_bytes = max(BLOCK_BYTES // bytes_per_run, 1)
    runs = min(by_work, by_bytes)
    return runs // low * low if runs >= low else runs


def cut(shape: tuple[int, ...], most: int) -> Iterator[Box]:
    """Cut a grid into boxes of at most `most` cells, each contiguous in C order.

    Parameters
    ----------
    shape : tuple of int
        Sizes of the grid.
    most : int
        Most cells per box.

    Yields
    ------
    tuple of slice
        In C order.

    Examples
    --------
    >>> [tuple(s.stop - s.start for s in box) for box in cut((2, 5), 3)]
    [(1, 3), (1, 2), (1, 3), (1, 2)]
    """
    if not shape:
        yield ()
        return
    inner = math.prod(shape[1:])
    if inner > most:
        for i in range(shape[0]):
            for rest in cut(shape[1:], most):
                yield (slice(i, i + 1), *rest)
        return
    parts = -(-shape[0] // (most // inner))
    rows = -(-shape[0] // parts)
    for i in range(0, shape[0], rows):
        yield (slice(i, min(i + rows, shape[0])), *(slice(0, n) for n in shape[1:]))
