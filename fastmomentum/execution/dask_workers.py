"""The workers of a Dask cluster: readiness checks, handing out tasks, and error messages."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import warnings
from collections.abc import Generator, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.errors import ClusterError, FastmomentumWarning, InputError
from fastmomentum.execution.dask_cluster import address_of, require_dask
from fastmomentum.execution.orders import Order, Refusal, do_order, unfit
from fastmomentum.execution.worker import Done

if TYPE_CHECKING:
    from distributed import Client, Future

POLL_SECONDS: Final = 2.0
"""Time between two checks of how many workers a cluster has."""
NAMED: Final = 3
"""Workers to name where many have the same trouble."""


class DaskWorkers:
    """The workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected to it.
    submit_options : dict, optional
        Options for `Client.submit`.
    """

    def __init__(self, client: Client, submit_options: dict[str, Any] | None = None) -> None:
        self._client, self._address, self._cores = client, address_of(client), 1
        self._submit_options = {"pure": False} | (submit_options or {})

    @classmethod
    def current(cls) -> DaskWorkers:
        """Return the workers of the cluster that this process is connected to.

        Raises
        ------
        InputError
            It is connected to none.
        """
        require_dask()
        from distributed import Client

        try:
            return cls(Client.current())
        except ValueError:
            raise InputError(
                "the backend dask needs a cluster: make a dask.distributed.Client before, such as "
                "Client() for this machine or Client('tcp://host:8786')"
            ) from None

    def cores(self) -> int:
        """How many tasks they could work on at a time when last polled; 1 without workers."""
        if self._client.status != "running":
            raise CancelledError
        return self._cores  # not asked now: a scheduler that has just died keeps us waiting

    def check_workers(self, order: Order) -> None:
        """Wait for the first worker, and ask all there are whether they can work on a run.

        Parameters
        ----------
        order : Order
            Any order of the run; its blocks do not matter.

        Raises
        ------
        ClusterError
            One cannot.
        """
        # Not `wait_for_workers`: an adaptive cluster starts none before there is a task.
        self._client.submit(os.getpid, pure=False).result()
        answers = self._client.run(unfit, order.path, order.seal, order.versions, on_error="return")
        refusals = [
            f"{worker} {_reason(answer)}"
            for worker, answer in sorted(answers.items())
            if answer is not None and not isinstance(answer, OSError)  # an OSError: just gone
        ]
        if refusals:
            more = len(refusals) - NAMED
            raise ClusterError(
                "\n".join(refusals[:NAMED]) + (f"\nand {more:,} more workers" if more > 0 else "")
            )
        self._cores = _sum(self._client.ncores())

    def retire(self, refusal: Refusal) -> None:
        """Remove a worker from the cluster that joined late and cannot work on the run.

        Parameters
        ----------
        refusal : Refusal
            Its reason.

        Raises
        ------
        ClusterError
            No other is left.
        """
        if refusal.worker not in self._client.ncores():
            return
        if len(self._client.ncores()) == 1:
            raise ClusterError(f"{refusal.worker} {refusal.reason}")
        self._client.retire_workers([refusal.worker], close_workers=True)
        warnings.warn(
            f"a worker was removed: {refusal.worker} {refusal.reason}",
            FastmomentumWarning,
            stacklevel=2,
        )

    def run(self, orders: Iterator[Order], in_flight: int) -> Generator[Done | Refusal]:
        """Keep `in_flight` tasks handed out, and yield results as they come.

        A task is handed out only when a result was taken, so neither tasks nor results pile up here
        however many there are. Closing the generator cancels what is left.

        Parameters
        ----------
        orders : iterator of Order
            The tasks.
        in_flight : int
            Most tasks that are handed out and not done.

        Yields
        ------
        Done or Refusal
            The outcome of each task.

        Raises
        ------
        distributed.KilledWorker, CancelledError, OSError
            What `cluster_errors` turns into a `ClusterError`; also what a worker raised.
        """
        from distributed import as_completed

        completed = as_completed(loop=self._client.loop)
        left: set[Future[Any]] = set()

        def submit(n: int) -> None:
            for order in itertools.islice(orders, n):
                future = self._client.submit(do_order, order, **self._submit_options)
                left.add(future)
                completed.add(future)

        try:
            submit(in_flight)
            for batch in completed.batches():
                failed = [future for future in batch if future.status in ("error", "cancelled")]
                done = [future for future in batch if future not in failed]
                # Their results are fetched here and not by `as_completed`, which never returns a
                # future if the scheduler dies just then.
                for result in self._client.gather(done):
                    yield result
                    submit(1)
                for future in failed:
                    future.result()  # raises
                left.difference_update(batch)
        finally:
            if left and self._client.status == "running":
                self._client.cancel(list(left))

    @contextlib.contextmanager
    def cluster_errors(self) -> Iterator[None]:
        """Turn the cluster's failures into a `ClusterError`."""
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        loop: Any = self._client.loop
        polling = asyncio.run_coroutine_threadsafe(self._poll(), loop.asyncio_loop)
        try:
            yield
        except KilledWorker as error:
            killed = error.allowed_failures + 1
            raise ClusterError(
                f"the same blocks killed {killed} worker{'s' if killed > 1 else ''}, at last "
                f"{error.last_worker.address}; perhaps they need more memory than it has: see its "
                "log"
            ) from error
        except (CancelledError, OSError) as error:
            lost = isinstance(error, CancelledError | CommClosedError | TimeoutError)
            if not lost and self._client.status == "running":
                raise  # a worker has trouble with its disk
            raise ClusterError(f"the scheduler at {self._address} is gone") from error
        except ModuleNotFoundError as error:
            raise ClusterError(f"a worker {_reason(error)}") from error
        finally:
            polling.cancel()

    async def _poll(self) -> None:
        """Count the workers regularly, and warn when none are left; runs in the client's loop."""
        before = False
        while True:
            with contextlib.suppress(OSError):
                workers = await self._client.ncores()
                self._cores = _sum(workers)
                if before and not workers:
                    warnings.warn(
                        f"the cluster at {self._address} has no workers left; the run waits for "
                        "others",
                        FastmomentumWarning,
                        stacklevel=1,
                    )
                before = bool(workers)
            await asyncio.sleep(POLL_SECONDS)


def _sum(cores: dict[str, int]) -> int:
    return sum(cores.values()) or 1


def _reason(answer: object) -> str:
    if isinstance(answer, ModuleNotFoundError):
        return f"has no module {answer.name}: install the same on all machines"
    return str(answer)
