"""Tasks of about a second, out of blocks of which nobody knows beforehand how long they take."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Iterator
from typing import Final

from fastmomentum.worker import Stretches

TASK_SECONDS: Final = 1.0
"""So long a task should take: hundreds of times what handing it out costs, and little enough to
lose with a worker."""
TASKS_A_SECOND: Final = 200
"""So many tasks a scheduler looks after with ease; on more cores than that tasks are longer."""
SAMPLES: Final = 200
"""Blocks to give out, at most, before anything is known of how long one takes."""


class Groups:
    """Blocks in groups for a task each, as large as the pace of the last ones allows.

    As long as no pace is known, a core gets one block, and then there is a pause: whoever took
    thousands of tasks beforehand, to keep all cores busy, would have taken thousands of crumbs.

    Parameters
    ----------
    missing : iterator of int
        Numbers of the blocks.
    n_blocks : int
        How many, or more.

    Attributes
    ----------
    seconds : float
        What a task should take.

    Examples
    --------
    >>> groups = Groups(iter([*range(100), *range(200, 300)]), 200)
    >>> groups.begin(cores=2), groups.take(), groups.take()
    ((range(0, 1),), (range(1, 2),), ())
    >>> groups.learn(1, 0.02)
    >>> groups.begin(cores=2)
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
        """Set out, or go on after a pause, with so many cores; gives the first group."""
        self._cores, self._samples, self._paused = cores, min(cores, SAMPLES), False
        self.seconds = TASK_SECONDS * max(1.0, cores / TASKS_A_SECOND)
        return self.take()

    def take(self) -> Stretches:
        """Blocks for a task; none while paused, or where none are left."""
        if math.isinf(self._pace):
            self._samples -= 1
            self._paused |= self._samples < 0
        if self._paused:
            return ()
        if self._back:
            return self._back.popleft()
        full = int(self.seconds / self._pace)
        fair = self._left // (2 * self._cores)  # towards the end all should still have some
        size = max(1, min(full, max(fair, full // 8)))  # but not crumbs
        group: list[range] = []
        for block in itertools.islice(self._missing, size):
            if group and group[-1].stop == block:
                group[-1] = range(group[-1].start, block + 1)
            else:
                group.append(range(block, block + 1))
            self._left -= 1
        return tuple(group)

    def give_back(self, blocks: Stretches) -> None:
        """Blocks that were taken and not done."""
        if blocks:
            self._back.append(blocks)

    def learn(self, n_blocks: int, seconds: float) -> None:
        """So many blocks took so long."""
        pace = max(seconds, 1e-6) / n_blocks
        self._pace = pace if math.isinf(self._pace) else 0.7 * self._pace + 0.3 * pace

    def pause(self) -> None:
        """Give nothing out until the next `begin`."""
        self._paused = True
