"""Runs in memory that can be cancelled between two blocks, for interactive use."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.execution.worker import do_block
from fastmomentum.experiment.plan import Experiment
from fastmomentum.store.memory_store import MemoryStore

if TYPE_CHECKING:
    import xarray as xr

LEAST_RUNS: Final = 160
"""Fewest runs per block: a few tiles of a kernel."""

PARTS: Final = 4
"""Fewest blocks per worker, so that the workers finish together."""

POLL_SECONDS: Final = 0.005
"""Time between two checks whether to cancel."""


def run_unless(
    experiment: Experiment, executor: Executor, workers: int, stopped: Callable[[], bool]
) -> xr.Dataset | None:
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

    Returns
    -------
    xarray.Dataset or None
        The same bits as from `run`; None if cancelled.

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
    ...     run_unless(experiment, threads, 1, lambda: False).final.values.ravel()
    array([0.95019026, 0.90265616])
    """
    from fastmomentum.results.dataset import from_memory

    share = -(-experiment.grid.n_runs // (PARTS * workers))
    store = MemoryStore(experiment, min(experiment.block_runs, max(share, LEAST_RUNS)))
    begun, left = time.monotonic(), store.missing()
    at_work: set[Future[Any]] = set()
    try:
        while True:
            if stopped():
                return None
            for block in left:
                at_work.add(executor.submit(do_block, store, block))
                if len(at_work) > workers:
                    break
            if not at_work:
                return from_memory(experiment, store.variables, time.monotonic() - begun)
            done, at_work = wait(at_work, POLL_SECONDS, FIRST_COMPLETED)
            for one in done:
                one.result()
    finally:
        for one in at_work:
            one.cancel()
