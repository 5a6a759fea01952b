"""The workers of a Dask cluster: looking them over, and their troubles in words."""

from __future__ import annotations

import asyncio
import contextlib
import os
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.cluster import address_of, require_dask
from fastmomentum.errors import ClusterError, InputError
from fastmomentum.worker import Order, Refusal, unfit

if TYPE_CHECKING:
    from distributed import Client

LOOK_SECONDS: Final = 2.0
"""Time between two looks at whether a cluster is there, and how large it is."""
NAMED: Final = 3
"""Workers to name where many have the same trouble."""


class DaskCrew:
    """The workers of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client
        Connected to it.
    make_backend : callable
        Makes joblib's backend of a client and options for `Client.submit`.
    submit_options : dict, optional
        Such options.

    Attributes
    ----------
    backend : object
        joblib's backend.
    streams : bool
        It gives results as they come.
    """

    streams = True

    def __init__(
        self,
        client: Client,
        make_backend: Callable[[Client, dict[str, Any]], Any],
        submit_options: dict[str, Any] | None = None,
    ) -> None:
        self._client, self._address, self._cores = client, address_of(client), 1
        self.backend = make_backend(client, submit_options or {})

    @classmethod
    def current(cls, make_backend: Callable[[Client, dict[str, Any]], Any]) -> DaskCrew:
        """The workers of the cluster that this process is a client of.

        Raises
        ------
        InputError
            It is of none.
        """
        require_dask()
        from distributed import Client

        try:
            return cls(Client.current(), make_backend)
        except ValueError:
            raise InputError(
                "the backend dask needs a cluster: make a dask.distributed.Client before, such as "
                "Client() for this machine or Client('tcp://host:8786')"
            ) from None

    def cores(self) -> int:
        """How many tasks they could do at a time at the last look; 1 where there was none."""
        if self._client.status != "running":
            raise CancelledError
        return self._cores  # asked now, a scheduler that has just gone would take long to answer

    def muster(self, order: Order) -> None:
        """Wait for the first worker, and ask all that are there whether they can work on a run.

        Parameters
        ----------
        order : Order
            Of the run; its blocks do not matter.

        Raises
        ------
        ClusterError
            One cannot.
        """
        # Not `wait_for_workers`: a cluster that adapts to its tasks begins none without one.
        self._client.submit(os.getpid, pure=False).result()
        said = self._client.run(unfit, order.path, order.seal, order.versions, on_error="return")
        refusals = [
            f"{worker} {_reason(answer)}"
            for worker, answer in sorted(said.items())
            if answer is not None and not isinstance(answer, OSError)  # an OSError: just gone
        ]
        if refusals:
            more = len(refusals) - NAMED
            raise ClusterError(
                "\n".join(refusals[:NAMED]) + (f"\nand {more:,} more workers" if more > 0 else "")
            )
        self._cores = _sum(self._client.ncores())

    def dismiss(self, refusal: Refusal) -> None:
        """Have a worker leave the cluster that joined late and cannot work on the run.

        Parameters
        ----------
        refusal : Refusal
            What it said.

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
        warnings.warn(f"a worker was sent away: {refusal.worker} {refusal.reason}", stacklevel=2)

    @contextlib.contextmanager
    def in_words(self) -> Iterator[None]:
        """Turn what goes wrong with the cluster into a `ClusterError`."""
        from distributed import KilledWorker
        from distributed.comm.core import CommClosedError

        loop: Any = self._client.loop
        looking = asyncio.run_coroutine_threadsafe(self._look_after(), loop.asyncio_loop)
        try:
            yield
        except KilledWorker as error:
            raise ClusterError(
                f"the same blocks were the last of {error.allowed_failures + 1} workers, and of "
                f"{error.last_worker.address} at last; perhaps they want more memory than it has, "
                "which its log would tell"
            ) from error
        except (CancelledError, OSError) as error:
            lost = isinstance(error, CancelledError | CommClosedError | TimeoutError)
            if not lost and self._client.status == "running":
                raise  # a worker has trouble with its disk
            raise ClusterError(f"the scheduler at {self._address} is gone") from error
        except ModuleNotFoundError as error:
            raise ClusterError(f"a worker {_reason(error)}") from error
        finally:
            looking.cancel()

    async def _look_after(self) -> None:
        """See how the cluster is, now and then; in the client's loop."""
        connection, there = self._client.scheduler_comm, False
        while True:
            if self._client.scheduler_comm is not connection:
                # Dask cancels what was in work, but of a result on its way it never tells.
                self.backend.call_off()
            else:
                with contextlib.suppress(OSError):
                    workers = await self._client.ncores()
                    self._cores = _sum(workers)
                    before, there = there, bool(workers)
                    if before and not there:
                        self._say_that_all_are_gone()
            await asyncio.sleep(LOOK_SECONDS)

    def _say_that_all_are_gone(self) -> None:
        warnings.warn(
            f"the cluster at {self._address} has no workers left; the run waits for others",
            stacklevel=1,
        )


def _sum(cores: dict[str, int]) -> int:
    return sum(cores.values()) or 1


def _reason(answer: object) -> str:
    if isinstance(answer, ModuleNotFoundError):
        return f"has no module {answer.name}: install the same on all machines"
    return str(answer)
