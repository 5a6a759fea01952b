"""Runs in memory that can be cancelled between two blocks, for interactive use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.plan import Experiment
from fastmomentum.kernels.block import run_block
from fastmomentum.results.estimate import weight_of
from fastmomentum.schema import Arrays, block_arrays
from fastmomentum.store.memory_store import MemoryStore

LEAST_RUNS: Final = 160
"""Fewest runs per block: a few tiles of a kernel."""

BLOCK_UPDATES: Final = 8_000_000
"""Most updates of momentum on Rosenbrock's function per block, or as much work of others.

That is some hundredths of a second at most, and a cancelled run ends soon.
"""

PARTS: Final = 4
"""Fewest blocks per worker, so that the workers finish together."""

POLL_SECONDS: Final = 0.005
"""Time between two checks whether to cancel."""


def run_unless(
    experiment: Experiment,
    executor: Executor,
    workers: int,
    stopped: Callable[[], bool],
    halfway: Callable[[Arrays], None] | None = None,
) -> Arrays | None:
    """Run every cell of the grid in memory, unless cancelled on the way.

    Parameters
    ----------
    experiment : Experiment
        The plan; its kernel is compiled first, as `fastmomentum.execution.worker.warm` does.
    executor : Executor
        Threads.
    workers : int
        How many threads.
    stopped : callable
        Called every few milliseconds, in the caller's thread; True cancels.
    halfway : callable, optional
        Called with the results once every second row of the first axis with several values is
        computed, the first row among them; the other rows are undefined then.

    Returns
    -------
    dict of ndarray or None
        Variables by name, with the run as first axis: the same bits as from `run`. None if
        cancelled.

    Raises
    ------
    StorageError
        The results do not fit into memory.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=1.5e-5, momentum=0.9, start=[(-5, -5)]))
    >>> with ThreadPoolExecutor(1) as threads:
    ...     run_unless(experiment, threads, 1, lambda: False)["final"]
    array([[0.95019026, 0.90265616]])
    """
    store = MemoryStore(experiment, _block_runs(experiment, workers))
    if halfway is None:
        parts: list[NDArray[np.bool_] | None] = [None]
    else:
        first = _every_second_row(experiment)
        parts = [first, ~first]
    for number, part in enumerate(parts):
        if not _run_part(store, part, executor, workers, stopped):
            return None
        if halfway is not None and number == 0:
            halfway(store.variables)
    return store.variables


def _block_runs(experiment: Experiment, workers: int) -> int:
    share = -(-experiment.grid.n_runs // (PARTS * workers))
    weight = weight_of(experiment.objective, experiment.rule.rule, experiment.noise)
    work = math.ceil(experiment.steps * weight)
    wanted = max(min(share, BLOCK_UPDATES // work), LEAST_RUNS)
    return min(wanted, experiment.block_runs)


def _every_second_row(experiment: Experiment) -> NDArray[np.bool_]:
    """Which runs those are, along the first axis that has several values."""
    n_runs = experiment.grid.n_runs
    rows = next((size for size in experiment.grid.shape if size > 1), 1)
    return np.asarray(np.arange(n_runs) // (n_runs // rows) % 2 == 0)


def _run_part(
    store: MemoryStore,
    chosen: NDArray[np.bool_] | None,
    executor: Executor,
    workers: int,
    stopped: Callable[[], bool],
) -> bool:
    """Run all blocks, or the chosen runs of each; whether it was not cancelled."""
    left: Iterator[range] = map(store.blocks.runs, range(len(store.blocks)))
    at_work: set[Future[None]] = set()
    try:
        while True:
            if stopped():
                return False
            # One more than there are workers: what waits in the queue starts at once.
            for runs in islice(left, workers + 1 - len(at_work)):
                at_work.add(executor.submit(_run, store, runs, chosen))
            if not at_work:
                return True
            done, at_work = wait(at_work, POLL_SECONDS, FIRST_COMPLETED)
            for one in done:
                one.result()
    finally:
        for one in at_work:
            one.cancel()


def _run(store: MemoryStore, runs: range, chosen: NDArray[np.bool_] | None) -> None:
    """Run a block, or the chosen runs of it."""
    arrays = {name: whole[runs.start : runs.stop] for name, whole in store.variables.items()}
    if chosen is None:
        run_block(store.experiment, runs, arrays)
        return
    those = chosen[runs.start : runs.stop]
    made = block_arrays(store.experiment, len(runs))
    run_block(store.experiment, runs, made, chosen=those)
    for name, values in arrays.items():
        values[those] = made[name][those]
