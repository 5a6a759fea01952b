"""Batches of blocks: tasks of about a second, whatever a block takes."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator
from typing import Final

from fastmomentum.execution.worker import Stretches

TASK_SECONDS: Final = 1.0
"""What a task should take: hundreds of times what handing it out costs, yet little enough to lose
when a worker dies."""
TASKS_A_SECOND: Final = 200
"""A rate that a scheduler handles easily; with more cores than that, tasks are longer."""
SAMPLES: Final = 200
"""Most blocks to hand out before the time that one takes is known."""


class Batcher:
    """Cut blocks into batches, one per task, sized by how long the last ones took.

    Until the time of a block is known, each core gets one block, and then there is a pause. Handing
    out thousands of tasks early, to keep all cores busy, would mean thousands of tiny ones.

    Parameters
    ----------
    missing : iterator of int
        Numbers of the blocks.
    n_blocks : int
        How many there are; an upper bound will do.

    Attributes
    ----------
    seconds : float
        What a task should take.

    Examples
    --------
    >>> batcher = Batcher(iter([*range(100), *range(200, 300)]), 200)
    >>> batcher.begin(cores=2), batcher.take(), batcher.take()
    ((range(0, 1),), (range(1, 2),), ())
    >>> batcher.learn(1, 0.02)
    >>> batcher.begin(cores=2)
    (range(2, 51),)
    """

    def __init__(self, missing: Iterator[int], n_blocks: int) -> None:
        self.seconds = TASK_SECONDS
        self._missing, self._left, self._cores = missing, n_blocks, 1
        self._pace = math.inf
        self._samples = 0
        self._paused = False
        self._back: deque[Stretches] = deque()

    def begin(self, cores: int) -> Stretches:
        """Start, or continue after a pause, with this many cores; return the first batch."""
        self._cores, self._samples, self._paused = cores, min(cores, SAMPLES), False
        self.seconds = TASK_SECONDS * max(1.0, cores / TASKS_A_SECOND)
        return self.take()

    def take(self) -> Stretches:
        """Return the next batch; an empty one while paused, and when no blocks are left."""
        if math.isinf(self._pace):
            self._samples -= 1
            self._paused |= self._samples < 0
        if self._paused:
            return ()
        if self._back:
            return self._back.popleft()
        full = int(self.seconds / self._pace)
        fair = self._left // (2 * self._cores)  # near the end every core should still get some
        size = max(1, min(full, max(fair, full // 8)))  # but not tiny ones
        batch: list[range] = []
        for block in itertools.islice(self._missing, size):
            if batch and batch[-1].stop == block:
                batch[-1] = range(batch[-1].start, block + 1)
            else:
                batch.append(range(block, block + 1))
            self._left -= 1
        return tuple(batch)

    def give_back(self, blocks: Stretches) -> None:
        """Return blocks that were taken but not done."""
        if blocks:
            self._back.append(blocks)

    def learn(self, n_blocks: int, seconds: float) -> None:
        """Record how long some blocks took."""
        pace = max(seconds, 1e-6) / n_blocks
        self._pace = pace if math.isinf(self._pace) else 0.7 * self._pace + 0.3 * pace

    def pause(self) -> None:
        """Hand nothing out until the next `begin`."""
        self._paused = True
