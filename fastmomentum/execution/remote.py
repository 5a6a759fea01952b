"""Running blocks on workers that may be on other machines.

Every task goes through a scheduler, so a task is a batch of as many blocks as take about a second.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final, Protocol

from fastmomentum.execution.batching import Batcher
from fastmomentum.execution.orders import Order, Refusal
from fastmomentum.execution.worker import Done
from fastmomentum.provenance import computing
from fastmomentum.store.block_file import BlockFile

IN_FLIGHT: Final = 4
"""Most tasks per core that are handed out and not done: one running, the others on their way."""
POLL_SECONDS: Final = 2.0
"""Time between two checks of how large the cluster is."""


class RemoteWorkers(Protocol):
    """Workers that may be on other machines."""

    def cores(self) -> int:
        """How many tasks they can work on at a time, now."""

    def check_workers(self, order: Order) -> None:
        """Find out whether they can work on a run, before it starts."""

    def retire(self, refusal: Refusal) -> None:
        """Continue without a worker that cannot work on the run."""

    def run(self, orders: Iterator[Order], in_flight: int) -> Generator[Done | Refusal]:
        """Keep `in_flight` tasks handed out, and yield results as they come.

        Closing the generator cancels whatever is left.
        """

    def cluster_errors(self) -> contextlib.AbstractContextManager[None]:
        """Turn their failures into a `ClusterError`."""


def run_elsewhere(
    remote: RemoteWorkers, sink: BlockFile, missing: Iterator[int], n_blocks: int
) -> Generator[Done]:
    """Run blocks in batches, as many in flight as the workers can take.

    Parameters
    ----------
    remote : RemoteWorkers
        Who runs them.
    sink : BlockFile
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
    path, versions = str(Path(sink.path).absolute()), computing()
    batcher = Batcher(missing, n_blocks)
    sink.forget_read()
    with remote.cluster_errors():
        remote.check_workers(Order(path, sink.seal, versions, (), 0.0))
        while first := batcher.begin(cores := remote.cores()):
            batches = itertools.chain([first], iter(batcher.take, ()))
            most = 2 * batcher.seconds
            orders = (Order(path, sink.seal, versions, b, most, sink.reused) for b in batches)
            polled = time.monotonic()
            with contextlib.closing(remote.run(orders, IN_FLIGHT * cores)) as results:
                for result in results:
                    batcher.give_back(result.left)
                    if isinstance(result, Refusal):
                        remote.retire(result)
                        continue
                    batcher.learn(result.checksums.size, result.seconds)
                    yield result
                    if time.monotonic() - polled > POLL_SECONDS:
                        polled = time.monotonic()
                        if remote.cores() >= 2 * cores:  # more tasks have to be in flight
                            batcher.pause()
