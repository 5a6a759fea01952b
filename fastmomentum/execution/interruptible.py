"""Runs in memory that can be cancelled between two blocks, for interactive use."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable
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
    experiment: Experiment,
    executor: Executor,
    workers: int,
    stopped: Callable[[], bool],
    halfway: Callable[[xr.Dataset], None] | None = None,
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
    halfway : callable, optional
        Called with the results once every second row of the first axis with several values is
        computed, the first row among them; the other rows are undefined then.

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
    from fastmomentum.results.backend import from_memory

    share = -(-experiment.grid.n_runs // (PARTS * workers))
    rows = next((size for size in experiment.grid.shape if size > 1), 1)
    of_row = experiment.grid.n_runs // rows
    has_rows = halfway is not None and LEAST_RUNS <= of_row <= experiment.block_runs
    runs = of_row if has_rows else min(experiment.block_runs, max(share, LEAST_RUNS))
    store = MemoryStore(experiment, runs)
    begun, left = time.monotonic(), iter(_order(rows) if has_rows else store.missing())
    first = set(range(0, rows, 2)) if has_rows else set()
    at_work: dict[Future[Any], int] = {}
    try:
        while True:
            if stopped():
                return None
            for block in itertools.islice(left, workers + 1 - len(at_work)):
                at_work[executor.submit(do_block, store, block)] = block
            if not at_work:
                return from_memory(experiment, store.variables, time.monotonic() - begun)
            done, _ = wait(at_work, POLL_SECONDS, FIRST_COMPLETED)
            for one in done:
                one.result()
                block = at_work.pop(one)
                if halfway is not None and first == {block}:
                    halfway(from_memory(experiment, store.variables, time.monotonic() - begun))
                first.discard(block)
    finally:
        for one in at_work:
            one.cancel()


def _order(rows: int) -> Iterable[int]:
    """Every second row, then those between."""
    return [*range(0, rows, 2), *range(1, rows, 2)]
