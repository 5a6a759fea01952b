"""A Dask cluster: finding it, looking its workers over, and its troubles in words.

The only import of distributed but for a worker's address.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import urllib.parse
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.errors import ClusterError, InputError
from fastmomentum.worker import Order, Refusal, unfit

if TYPE_CHECKING:
    from distributed import Client

ANSWER_SECONDS: Final = 10.0
"""A scheduler has so long to answer."""
NAMED: Final = 3
"""Workers to name where many have the same trouble."""


def require_dask() -> None:
    """Ask for what the extra installs.

    Raises
    ------
    InputError
        It is not installed.
    """
    try:
        import_module("distributed")
    except ImportError as error:
        raise InputError(
            f"the backend dask needs the package {error.name}; install it with "
            "pip install 'fastmomentum[dask]'"
        ) from None


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
        self._client, self._address = client, _address(client)
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
        """How many tasks they can do at a time, now; 1 where there is none."""
        return sum(self._client.ncores().values()) or 1

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

        try:
            yield
        except KilledWorker as error:
            raise ClusterError(
                f"the same blocks were the last of {error.allowed_failures + 1} workers, and of "
                f"{error.last_worker.address} at last: they may want more memory than it has; "
                "its log tells more"
            ) from error
        except (CancelledError, CommClosedError, TimeoutError) as error:
            raise ClusterError(f"the scheduler at {self._address} is gone") from error
        except ModuleNotFoundError as error:
            raise ClusterError(f"a worker {_reason(error)}") from error


def _address(client: Client) -> str:
    return str(client.scheduler.address) if client.scheduler else "an unknown place"


def _reason(answer: object) -> str:
    if isinstance(answer, ModuleNotFoundError):
        return f"has no module {answer.name}: install the same on all machines"
    return str(answer)


@contextlib.contextmanager
def connected(scheduler: str | None, n_jobs: int) -> Iterator[str]:
    """Be a client of a cluster; for the command.

    Parameters
    ----------
    scheduler : str or None
        Its address; without, a cluster of this machine's cores is started.
    n_jobs : int
        How many cores that one has; -1 for all.

    Yields
    ------
    str
        What to tell the user of it.

    Raises
    ------
    ClusterError
        No scheduler answers there.
    InputError
        Dask is not installed.
    """
    require_dask()
    import distributed
    from distributed.deploy.utils import nprocesses_nthreads

    for name in ("distributed", "distributed.client"):  # what matters is told by our exceptions
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            cores = len(os.sched_getaffinity(0)) if n_jobs == -1 else n_jobs
            processes, threads = nprocesses_nthreads(cores)
            # Ctrl-C in a terminal reaches all processes; the workers', started from here, inherit
            # that it is blocked, and end when we end the cluster.
            resource_tracker.ensure_running()  # which would unblock it again
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                cluster = distributed.LocalCluster(
                    n_workers=processes,
                    threads_per_worker=threads,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL + 1,
                )
                client = stack.enter_context(distributed.Client(stack.enter_context(cluster)))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
        else:
            _require_scheduler(scheduler)
            client = stack.enter_context(distributed.Client(scheduler, timeout=ANSWER_SECONDS))
        yield _introduction(client)


def _introduction(client: Client) -> str:
    cores = client.ncores()
    there = (
        f"{len(cores):,} workers with {sum(cores.values()):,} cores" if cores else "no workers yet"
    )
    said = f"Dask cluster at {_address(client)}: {there}"
    link = client.dashboard_link
    if find_spec("bokeh") is None and link.endswith("/status"):
        page = link.removesuffix("/status") + "/info/main/workers.html"
        return f"{said}; without bokeh there is no dashboard, but {page}"
    return f"{said}; dashboard at {link}"


def _require_scheduler(address: str) -> None:
    """Fail soon where no scheduler is; Dask would go on trying, or wait forever for an answer."""
    from distributed.comm.core import connect
    from distributed.security import Security

    scheme, _, rest = address.rpartition("://")
    try:
        place = urllib.parse.urlsplit(f"//{rest}")
        host, port = place.hostname, place.port or 8786
    except ValueError:
        host = None
    if not host or scheme not in ("", "tcp", "tls"):
        raise InputError(f"a scheduler's address is like tcp://host:8786: got {address!r}")

    async def shake_hands() -> None:
        arguments = Security().get_connection_args("client")
        comm = await asyncio.wait_for(connect(address, **arguments), ANSWER_SECONDS)
        comm.abort()

    try:
        socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
        asyncio.run(shake_hands())
    except Exception as error:  # what answers there may be anything, and fail anyhow
        reason = getattr(error, "strerror", None) or str(error) or "it does not speak as one does"
        raise ClusterError(f"no Dask scheduler answers at {address}: {reason.lower()}") from None
