"""Tasks for workers that may be on other machines, and whether such a worker may take them."""

from __future__ import annotations

import functools
import os
import socket
import sys
import threading
from dataclasses import dataclass
from typing import Final

from fastmomentum.errors import FastmomentumError
from fastmomentum.execution.worker import Done, Stretches, do_blocks, warm
from fastmomentum.kernels.cache import told_elsewhere
from fastmomentum.provenance import computing
from fastmomentum.store.block_file import shared_sink
from fastmomentum.store.earlier import Reused

Seal = tuple[int, bytes]
Versions = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Order:
    """A task for a worker that may be on another machine; a few hundred bytes for any plan.

    Attributes
    ----------
    path : str
        The run's file, under a path that is the same on all machines; it holds the experiment.
    seal : (int, bytes)
        Identifies the file.
    versions : tuple of (str, str)
        What to compute with, from `computing`.
    blocks : tuple of range
        Which to do.
    seconds : float
        Time after which the remaining blocks are returned.
    reused : tuple of (str, (int, bytes))
        Older files whose runs are reused, with their seals.
    """

    path: str
    seal: Seal
    versions: Versions
    blocks: Stretches
    seconds: float
    reused: Reused = ()


@dataclass(frozen=True)
class Refusal:
    """Why a worker may not work on a run.

    Attributes
    ----------
    worker, reason : str
        Who and why.
    left : tuple of range
        The blocks that it was given.
    """

    worker: str
    reason: str
    left: Stretches


def do_order(order: Order) -> Done | Refusal:
    """Carry out a task on a worker that may be on another machine.

    Parameters
    ----------
    order : Order
        Which blocks, where to, and what to compute them with.

    Returns
    -------
    Done or Refusal
        The data of the blocks done are on the disk by then, visible to other machines.
    """
    reason = unfit(order.path, order.seal, order.versions)
    if reason is not None:
        return Refusal(here(), reason, order.blocks)
    sink = shared_sink(order.path, order.seal, True, order.reused)
    done = do_blocks(sink, order.blocks, order.seconds)
    sink.flush()
    return done


@told_elsewhere()
def unfit(path: str, seal: Seal, versions: Versions) -> str | None:
    """Why this process may not work on a run.

    Parameters
    ----------
    path : str
        The run's file.
    seal : (int, bytes)
        Identifies the file.
    versions : tuple of (str, str)
        What the run computes with, from `computing`.

    Returns
    -------
    str or None
        None where it may; then its kernel is compiled.
    """
    own = dict(computing())
    others = [
        f"{name} {own.get(name)}, where the run has {version}"
        for name, version in versions
        if own.get(name) != version
    ]
    if others:
        return f"has {'; '.join(others)}: install the same on all machines"
    try:
        with _getting_ready:
            _get_ready(path, seal)
    except FastmomentumError as error:
        return (
            f"does not see the run's file ({error}): name one on a file system that all machines "
            "share under the same path"
        )
    return None


@functools.lru_cache(maxsize=4)
def _get_ready(path: str, seal: Seal) -> None:
    sink = shared_sink(path, seal)
    sink.open()
    sink.forget_read()
    sink.rest()
    warm(sink.experiment)


_getting_ready: Final = threading.Lock()


def here() -> str:
    """Name this process: its address in a Dask cluster, or its number and machine."""
    if "distributed" in sys.modules:
        from distributed import get_worker

        try:
            return str(get_worker().address)
        except ValueError:
            pass
    return f"process {os.getpid()} on {socket.gethostname()}"
