"""Who runs the blocks: threads, processes, a Dask cluster, or the backend joblib is configured for.

On this machine a task is one block; for other machines see `remote`.
"""

from __future__ import annotations

import contextlib
import itertools
import queue
import tempfile
import threading
import warnings
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import joblib
from joblib.externals.loky.backend import resource_tracker
from joblib.parallel import get_active_backend

from fastmomentum import machine
from fastmomentum.errors import ClusterError, InputError
from fastmomentum.execution.orders import Order, Refusal, do_order
from fastmomentum.execution.remote import RemoteWorkers, run_elsewhere
from fastmomentum.execution.worker import Done, do_in_process, do_in_thread
from fastmomentum.specification.numbers import workers
from fastmomentum.store.block_file import BlockFile, BlockWriter

Backend = Literal["threads", "processes", "dask"]
BACKENDS: Final = {"threads": "threading", "processes": "loky", "dask": "dask"}


@dataclass(frozen=True)
class Pool:
    """Workers, as `pool_of` finds them.

    Attributes
    ----------
    name : str or None
        A backend of joblib; None for the one it is configured for.
    n_jobs : int
        How many; -1 for one per core.
    shares_memory : bool
        Whether they can write to our arrays.
    remote : RemoteWorkers or None
        Those that may be on other machines; None where all are on this one.
    """

    name: str | None
    n_jobs: int
    shares_memory: bool
    remote: RemoteWorkers | None = None

    def run_blocks(
        self, sink: BlockWriter, missing: Iterator[int], n_blocks: int
    ) -> Generator[Done]:
        """Run blocks; closing the generator stops the workers.

        Parameters
        ----------
        sink : BlockWriter
            Where the results go.
        missing : iterator of int
            The blocks' numbers.
        n_blocks : int
            How many there are; an upper bound will do.

        Yields
        ------
        Done
            As they come.
        """
        first = next(missing, None)
        if first is None:
            return
        missing = itertools.chain([first], missing)
        if self.remote is None:
            yield from _run_here(self, sink, missing)
        else:
            assert isinstance(sink, BlockFile)
            yield from run_elsewhere(self.remote, sink, missing, n_blocks)


def pool_of(backend: Backend | None, n_jobs: int | None) -> Pool:
    """Find the workers that a backend stands for.

    Parameters
    ----------
    backend : {"threads", "processes", "dask"} or None
        None for what ``joblib.parallel_config`` says, and for threads where it says nothing.
    n_jobs : int, optional
        How many; -1 for one per core, which is also the default unless ``joblib.parallel_config``
        says otherwise. It does not apply to a Dask cluster, which uses all its cores.

    Returns
    -------
    Pool
        The workers.

    Raises
    ------
    InputError
        There is no such backend, or it is not installed, or cannot do this.
    """
    n_jobs = None if n_jobs is None else workers(n_jobs)
    if backend is not None and not (isinstance(backend, str) and backend in BACKENDS):
        raise InputError(f"backend must be one of {', '.join(BACKENDS)}: got {backend!r}")
    if backend == "dask":
        from fastmomentum.execution.dask_workers import DaskWorkers

        return Pool(None, -1, False, DaskWorkers.current())
    if backend is not None:
        return Pool(BACKENDS[backend], n_jobs or -1, backend == "threads")

    configured, configured_jobs = get_active_backend()
    n_jobs = n_jobs or configured_jobs or -1
    # A hint changes joblib's choice only where nothing is configured.
    if type(configured) is not type(get_active_backend(prefer="threads")[0]):
        return Pool(BACKENDS["threads"], n_jobs, True)
    if hasattr(configured, "client"):  # joblib's own Dask backend
        from fastmomentum.execution.dask_workers import DaskWorkers

        options = getattr(configured, "submit_kwargs", {})
        return Pool(None, -1, False, DaskWorkers(configured.client, options))
    streams = bool(getattr(configured, "supports_return_generator", False))
    if streams and type(configured).__module__.partition(".")[0] == "joblib":  # so on this machine
        return Pool(None, n_jobs, bool(getattr(configured, "supports_sharedmem", False)))
    return Pool(None, n_jobs, False, _JoblibWorkers(n_jobs, streams))


def workers_here() -> int:
    """How many workers this machine has cores for."""
    return int(joblib.cpu_count())


def _run_here(pool: Pool, sink: BlockWriter, missing: Iterator[int]) -> Generator[Done]:
    """Run blocks in joblib's threads or processes of this machine.

    joblib gets a thread of its own, where Ctrl-C does not interrupt it, and its tasks never raise:
    in both cases it would kill its processes at once, and one of its threads would print a stack
    trace about tasks still queued. Instead no more blocks are started, and the running ones finish.
    """
    stopped = threading.Event()
    results: queue.SimpleQueue[Done | BaseException | None] = queue.SimpleQueue()
    parallel = joblib.Parallel(
        n_jobs=pool.n_jobs,
        backend=pool.name,
        return_as="generator_unordered",
        batch_size=1,
        pre_dispatch="3*n_jobs",
    )
    with contextlib.ExitStack() as stack:
        if pool.shares_memory:
            do, stop = partial(do_in_thread, stopped=stopped.is_set), stopped.set
        else:
            flag = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "stopped"
            do, stop = partial(do_in_process, flag=str(flag)), flag.touch
        blocks = itertools.takewhile(lambda _: not stopped.is_set(), missing)

        tasks = (joblib.delayed(do)(sink, (range(b, b + 1),)) for b in blocks)

        def collect() -> None:
            try:
                for result in _started(parallel, tasks, pool.shares_memory):
                    results.put(result)
            except BaseException as error:  # raised again where the results are taken
                results.put(error)
            else:
                results.put(None)

        thread = threading.Thread(target=collect, name="fastmomentum-joblib")
        try:
            thread.start()
            while (result := _interruptible_get(results)) is not None:
                if isinstance(result, BaseException):
                    raise result
                yield result
        finally:
            stopped.set()
            stop()
            if thread.ident is not None:
                thread.join()


def _started(parallel: joblib.Parallel, tasks: Iterator[Any], threads: bool) -> Iterator[Any]:
    """Start the workers and their first tasks; processes ignore Ctrl-C from their beginning on."""
    if threads:
        return iter(parallel(tasks))
    with machine.children_ignore_interrupts():
        resource_tracker.ensure_running()  # joblib's own; before 1.6 it unblocks the signal again
    with machine.children_ignore_interrupts():
        return iter(parallel(tasks))  # returns once enough tasks wait


def _interruptible_get(results: queue.SimpleQueue[Any]) -> Any:
    """Get the next one; Windows notices Ctrl-C only between two waits."""
    while True:
        with contextlib.suppress(queue.Empty):
            return results.get(timeout=1.0)


class _JoblibWorkers:
    """The workers of a backend that joblib is configured for, such as Ray's."""

    def __init__(self, n_jobs: int, streams: bool) -> None:
        self._n_jobs, self._streams = n_jobs, streams

    def cores(self) -> int:
        return int(joblib.effective_n_jobs(self._n_jobs))

    def check_workers(self, order: Order) -> None:
        """Each worker is checked when it gets its first task."""

    def retire(self, refusal: Refusal) -> None:
        raise ClusterError(f"{refusal.worker} {refusal.reason}")

    def run(self, orders: Iterator[Order], in_flight: int) -> Generator[Done | Refusal]:
        tasks = (joblib.delayed(do_order)(order) for order in orders)
        if not self._streams:  # all results of a call come together
            parallel = joblib.Parallel(n_jobs=self._n_jobs, batch_size=1, pre_dispatch="all")
            while some := list(itertools.islice(tasks, in_flight)):
                yield from parallel(some)
            return
        results = joblib.Parallel(
            n_jobs=self._n_jobs,
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch=in_flight,
        )(tasks)
        try:
            for result in results:  # noqa: UP028  (`yield from` would close it before `finally`)
                yield result
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib warns of tasks that are dropped on purpose
                results.close()

    def cluster_errors(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()
