"""A Dask cluster for the command: connect to one, or start one on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import urllib.parse
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from fastmomentum import machine
from fastmomentum.errors import ClusterError, InputError

if TYPE_CHECKING:
    from distributed import Client

ANSWER_SECONDS: Final = 10.0
"""How long a scheduler may take to answer."""
LOGGERS: Final = ("asyncio", "distributed", "distributed.client", "tornado.application")
"""Loggers that print stack traces when a scheduler dies."""


def require_dask() -> None:
    """Check that the extra `dask` is installed.

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


def address_of(client: Client) -> str:
    """Return the address of the scheduler that a client is connected to."""
    return str(client.scheduler.address) if client.scheduler else "an unknown place"


@contextlib.contextmanager
def connected(scheduler: str | None, n_jobs: int) -> Iterator[str]:
    """Connect to a cluster, or start a local one; for the command.

    Parameters
    ----------
    scheduler : str or None
        Its address; None to start a cluster of this machine's cores.
    n_jobs : int
        How many cores a local one gets; -1 for all.

    Yields
    ------
    str
        A line about it for the user.

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

    for name in LOGGERS:  # our exceptions say what matters
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    with contextlib.ExitStack() as stack:
        if scheduler is None:
            cores = machine.usable_cores() if n_jobs == -1 else n_jobs
            processes, threads = nprocesses_nthreads(cores)
            # The workers end when we end the cluster.
            with machine.children_ignore_interrupts():
                cluster = distributed.LocalCluster(
                    n_workers=processes,
                    threads_per_worker=threads,
                    dashboard_address="127.0.0.1:0",
                    silence_logs=logging.CRITICAL + 1,
                )
                client = stack.enter_context(distributed.Client(stack.enter_context(cluster)))
        else:
            _require_scheduler(scheduler)
            client = stack.enter_context(distributed.Client(scheduler, timeout=ANSWER_SECONDS))
        yield _introduction(client)


def _introduction(client: Client) -> str:
    cores = client.ncores()
    there = "no workers yet"
    if cores:
        there = f"{_count(len(cores), 'worker')} with {_count(sum(cores.values()), 'core')}"
    said = f"Dask cluster at {address_of(client)}: {there}"
    link = client.dashboard_link
    if find_spec("bokeh") is None and link.endswith("/status"):
        page = link.removesuffix("/status") + "/info/main/workers.html"
        return f"{said}; without bokeh there is no dashboard, but {page}"
    return f"{said}; dashboard at {link}"


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}{'' if n == 1 else 's'}"


def _require_scheduler(address: str) -> None:
    """Fail early without a scheduler; Dask would retry, or wait forever for an answer."""
    from distributed.comm.core import connect
    from distributed.security import Security

    scheme, _, rest = address.rpartition("://")
    try:
        place = urllib.parse.urlsplit(f"//{rest}")
        host, port = place.hostname, place.port
    except ValueError:
        host = port = None
    if not host or not port or scheme not in ("", "tcp", "tls", "ws"):
        raise InputError(f"--scheduler must be tcp://HOST:PORT: got {address!r}")

    async def shake_hands() -> None:
        arguments = Security().get_connection_args("client")
        comm = await asyncio.wait_for(connect(address, **arguments), ANSWER_SECONDS)
        comm.abort()

    try:
        socket.create_connection((host, port), timeout=ANSWER_SECONDS).close()
        asyncio.run(shake_hands())
    except Exception as error:  # whatever answers there may fail in any way
        reason = getattr(error, "strerror", None) or str(error) or "it speaks another protocol"
        raise ClusterError(
            f"no Dask scheduler answers at {address}: {reason.lower()}; "
            "start one with dask scheduler, or check the address"
        ) from None
