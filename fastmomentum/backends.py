"""Who does the blocks: threads, processes, a Dask cluster, or what joblib is set up for.

The only import of joblib. On this machine a task is one block. Elsewhere a scheduler has to carry
every task to and fro, so there a task is as many blocks as take about a second.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import joblib
from joblib.parallel import get_active_backend

from fastmomentum.errors import ClusterError, InputError
from fastmomentum.groups import Groups
from fastmomentum.plain_numbers import workers
from fastmomentum.provenance import computing
from fastmomentum.sinks import FileSink, Sink
from fastmomentum.worker import Done, Order, Refusal, Stretches, do_blocks, do_order

Backend = Literal["threads", "processes", "dask"]
BACKENDS: Final = {"threads": "threading", "processes": "loky", "dask": "dask"}

IN_FLIGHT: Final = 4
"""Tasks a core, at most, that are handed out and not done: one in work, the others on their way."""
LOOK_SECONDS: Final = 2.0
"""Time between two looks at how large the cluster is."""


class Crew(Protocol):
    """Workers that may be on other machines."""

    @property
    def backend(self) -> Any:
        """What `joblib.Parallel` takes for them; None for what it is set up for."""

    @property
    def streams(self) -> bool:
        """Whether it gives results as they come, or only all of a call's together."""

    def cores(self) -> int:
        """How many tasks they can do at a time, now."""

    def muster(self, order: Order) -> None:
        """Find out whether they can work on a run, before it begins."""

    def dismiss(self, refusal: Refusal) -> None:
        """Go on without a worker that cannot."""

    def in_words(self) -> contextlib.AbstractContextManager[None]:
        """Turn what goes wrong with them into a `ClusterError`."""


@dataclass(frozen=True)
class Pool:
    """Workers, as `pool_of` finds them.

    Attributes
    ----------
    name : str or None
        A backend of joblib; None for what it is set up for.
    n_jobs : int
        How many; -1 for one a core.
    shares_memory : bool
        Whether they can write to our arrays.
    crew : Crew or None
        Those that may be on other machines; None where all are on this one.
    """

    name: str | None
    n_jobs: int
    shares_memory: bool
    crew: Crew | None = None

    def done(self, sink: Sink, missing: Iterator[int], n_blocks: int) -> Generator[Done]:
        """Have blocks done; closing the generator calls the workers off.

        Parameters
        ----------
        sink : Sink
            Where they go.
        missing : iterator of int
            Their numbers.
        n_blocks : int
            How many, or more.

        Yields
        ------
        Done
            As they come.
        """
        first = next(missing, None)
        if first is None:
            return
        missing = itertools.chain([first], missing)
        if self.crew is None:
            tasks = (joblib.delayed(do_blocks)(sink, (range(b, b + 1),)) for b in missing)
            with _parallel(tasks, self.n_jobs, self.name) as results:
                yield from results
        else:
            assert isinstance(sink, FileSink)
            yield from _done_elsewhere(self.crew, sink, missing, n_blocks, self.n_jobs)


def pool_of(backend: Backend | None, n_jobs: int | None) -> Pool:
    """Find the workers that a backend stands for.

    Parameters
    ----------
    backend : {"threads", "processes", "dask"} or None
        None for what ``joblib.parallel_config`` says, and for threads where it says nothing.
    n_jobs : int, optional
        How many; -1 for one a core, which is also what nothing means unless
        ``joblib.parallel_config`` says otherwise. A Dask cluster has as many as it has.

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
        from fastmomentum.crew import DaskCrew

        return Pool(None, -1, False, DaskCrew.current(_dask_backend))
    if backend is not None:
        return Pool(BACKENDS[backend], n_jobs or -1, backend == "threads")

    set_up, configured_jobs = get_active_backend()
    n_jobs = n_jobs or configured_jobs or -1
    if type(set_up) is not type(get_active_backend(prefer="threads")[0]):  # it yields to a hint
        return Pool(BACKENDS["threads"], n_jobs, True)
    if hasattr(set_up, "client"):  # joblib's own for Dask
        from fastmomentum.crew import DaskCrew

        options = getattr(set_up, "submit_kwargs", {})
        return Pool(None, -1, False, DaskCrew(set_up.client, _dask_backend, options))
    streams = bool(getattr(set_up, "supports_return_generator", False))
    if streams and type(set_up).__module__.partition(".")[0] == "joblib":  # so on this machine
        return Pool(None, n_jobs, bool(getattr(set_up, "supports_sharedmem", False)))
    return Pool(None, n_jobs, False, _AnyCrew(n_jobs, streams))


class _AnyCrew:
    """The workers of a backend that joblib is set up for, such as Ray's."""

    backend = None

    def __init__(self, n_jobs: int, streams: bool) -> None:
        self._n_jobs, self.streams = n_jobs, streams

    def cores(self) -> int:
        return int(joblib.effective_n_jobs(self._n_jobs))

    def muster(self, order: Order) -> None:
        """Each worker is looked at when it gets its first task."""

    def dismiss(self, refusal: Refusal) -> None:
        raise ClusterError(f"{refusal.worker} {refusal.reason}")

    def in_words(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def _dask_backend(client: Any, submit_options: dict[str, Any]) -> Any:
    """Make joblib's backend for Dask, and have it tell of tasks that are lost.

    As it is, it never calls back for a task that no worker survived, and whoever waits for the
    results waits forever.
    """
    from joblib._dask import DaskDistributedBackend

    class TellingBackend(DaskDistributedBackend):  # type: ignore[misc]  # joblib is untyped
        def submit(self, func: Any, callback: Callable[[Any], None]) -> Any:
            job = super().submit(func, callback)

            def tell(job: Any) -> None:
                if job.exception() is not None:
                    callback(job.exception())

            job.add_done_callback(tell)
            return job

        def retrieve_result_callback(self, out: Any) -> Any:
            if isinstance(out, BaseException):
                raise out
            return super().retrieve_result_callback(out)

        def abort_everything(self, ensure_ready: bool = True) -> None:
            """Leave it to `stop_call`, which follows: by then nothing more is handed out."""

        def stop_call(self) -> None:
            self.client.loop.add_callback(self._cancel)
            super().stop_call()

        async def _cancel(self) -> None:
            # joblib only forgets what is left, and whoever collects results would wait on: also for
            # one that was on its way when it was cancelled, of which Dask never tells.
            left, waiting = [*self._results], self.waiting_futures
            self._results.clear()
            self._callbacks.clear()
            waiting.clear()
            if left and self.client.status == "running":
                await self.client.cancel(left, asynchronous=True)
            async with waiting.condition:
                waiting.condition.notify_all()

        def call_off(self) -> None:
            """Have whoever waits for results know that none will come; in the client's loop."""
            for callback in list(self._callbacks.values()):
                callback(CancelledError())

        def effective_n_jobs(self, n_jobs: int) -> int:
            # All it decides is whether joblib works in this process, as it would for one job. To
            # ask the scheduler takes long where it has gone, and fails where no worker is left.
            return 2

    return TellingBackend(client=client, **submit_options)


@contextlib.contextmanager
def _parallel(
    tasks: Iterator[Any],
    n_jobs: int,
    backend: Any,
    in_flight: int | str = "3*n_jobs",
    streams: bool = True,
) -> Iterator[Iterator[Any]]:
    """Results in the order in which they come; at the end, what is still in work is called off."""
    pool = joblib.Parallel(
        n_jobs=n_jobs,
        backend=backend,
        return_as="generator_unordered" if streams else "list",
        batch_size=1,
        pre_dispatch=in_flight if streams else "all",
    )
    with _quiet_when_called_off():
        results = pool(tasks) if streams else _in_rounds(pool, tasks, int(in_flight))
        try:
            yield results
        finally:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # joblib regrets what we mean to leave
                results.close()


@contextlib.contextmanager
def _quiet_when_called_off() -> Iterator[None]:
    """Drop the `KeyError` that may end loky's manager thread when it is told to kill its workers.

    It forgets the tasks that were not handed out yet, and then looks for them.
    """
    before = threading.excepthook

    def hook(what: threading.ExceptHookArgs) -> None:
        flags = getattr(what.thread, "executor_flags", None)  # only loky's manager has them
        if what.exc_type is not KeyError or not getattr(flags, "kill_workers", False):
            before(what)

    threading.excepthook = hook
    try:
        yield
    finally:
        if threading.excepthook is hook:  # else another's, which hands on to this one
            threading.excepthook = before


def _in_rounds(pool: joblib.Parallel, tasks: Iterator[Any], n_tasks: int) -> Generator[Any]:
    while some := list(itertools.islice(tasks, n_tasks)):
        yield from pool(some)


def _done_elsewhere(
    crew: Crew, sink: FileSink, missing: Iterator[int], n_blocks: int, n_jobs: int
) -> Generator[Done]:
    path, versions = str(Path(sink.path).absolute()), computing()
    groups = Groups(missing, n_blocks)
    sink.forget_read()

    def order(blocks: Stretches) -> Any:
        order = Order(path, sink.seal, versions, blocks, 2 * groups.seconds)
        return joblib.delayed(do_order)(order)

    with crew.in_words():
        crew.muster(Order(path, sink.seal, versions, (), 0.0))
        while first := groups.begin(cores := crew.cores()):
            orders = (order(blocks) for blocks in itertools.chain([first], iter(groups.take, ())))
            looked = time.monotonic()
            in_flight = IN_FLIGHT * cores
            with _parallel(orders, n_jobs, crew.backend, in_flight, crew.streams) as results:
                for result in results:
                    groups.give_back(result.left)
                    if isinstance(result, Refusal):
                        crew.dismiss(result)
                        continue
                    groups.learn(result.checksums.size, result.seconds)
                    yield result
                    if time.monotonic() - looked > LOOK_SECONDS:
                        looked = time.monotonic()
                        if crew.cores() >= 2 * cores:  # joblib keeps as many in flight as at first
                            groups.pause()
