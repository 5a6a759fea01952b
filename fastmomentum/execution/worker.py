"""What a worker does: compute blocks, write them, and return a short report."""

from __future__ import annotations

import functools
import itertools
import os
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.plan import Experiment
from fastmomentum.kernels.block import run_block
from fastmomentum.kernels.cache import told_elsewhere
from fastmomentum.schema import block_arrays
from fastmomentum.status import Status
from fastmomentum.store.block_file import BlockWriter

Stretches = tuple[range, ...]
"""Numbers of blocks, stored compactly."""


@dataclass(frozen=True)
class Done:
    """What a worker reports about blocks that it has written.

    Attributes
    ----------
    blocks : tuple of range
        Their numbers.
    checksums : ndarray, shape (n_blocks,)
        Checksums of their bytes, in the same order.
    counts : ndarray, shape (4,)
        Their runs by status.
    steps : int
        Updates made.
    seconds : float
        Time that they took.
    left : tuple of range
        Blocks of the same task that were not done for lack of time.
    reused : int
        Runs among them that were reused from older files.
    """

    blocks: Stretches
    checksums: NDArray[np.uint64]
    counts: NDArray[np.int64]
    steps: int
    seconds: float
    left: Stretches = ()
    reused: int = 0


def do_block(sink: BlockWriter, block: int) -> tuple[int, int, NDArray[np.int64], int]:
    """Compute a block and write it.

    Parameters
    ----------
    sink : BlockWriter
        Where it goes.
    block : int
        Its number.

    Returns
    -------
    block : int
        Its number.
    checksum : int
        Of its bytes.
    counts : ndarray, shape (4,)
        Its runs by status.
    steps : int
        Its updates, without those of runs that are reused from older files.
    """
    arrays, runs = sink.arrays(block), sink.blocks.runs(block)
    if sink.earlier is None:
        run_block(sink.experiment, runs, arrays)
        steps = int(arrays["n_steps"].sum(dtype=np.int64))
    else:
        taken = sink.earlier.take(runs)
        if taken.missing.any():
            run_block(sink.experiment, runs, arrays, chosen=taken.missing)
        steps = int(arrays["n_steps"][taken.missing].sum(dtype=np.int64))
        taken.fill(arrays)
    counts = np.bincount(arrays["status"], minlength=len(Status)).astype(np.int64)
    return block, sink.put(block, arrays), counts, steps


@told_elsewhere()
def do_blocks(sink: BlockWriter, blocks: Stretches, seconds: float = float("inf")) -> Done:
    """Compute blocks and write them: at least one, then as many as there is time for.

    Parameters
    ----------
    sink : BlockWriter
        Where they go.
    blocks : tuple of range
        Their numbers.
    seconds : float
        Time after which the rest is not started.

    Returns
    -------
    Done
        What was done, and what was left.
    """
    begun = time.monotonic()
    checksums: list[int] = []
    total, steps, reused, passed = np.zeros(len(Status), np.int64), 0, 0, 0.0
    for block in itertools.chain(*blocks):
        if checksums and passed > seconds:
            break
        _, checksum, counts, n = do_block(sink, block)
        checksums.append(checksum)
        total += counts
        steps += n
        if sink.earlier is not None:
            reused += sink.earlier.take(sink.blocks.runs(block)).count
        passed = time.monotonic() - begun
    done, left = _cut(blocks, len(checksums))
    return Done(done, np.array(checksums, np.uint64), total, steps, passed, left, reused)


def do_in_thread(
    sink: BlockWriter, blocks: Stretches, stopped: Callable[[], bool]
) -> Done | BaseException | None:
    """Run blocks for joblib, whose threads and processes must not see an exception.

    Parameters
    ----------
    sink : BlockWriter
        Where the results go.
    blocks : tuple of range
        Their numbers.
    stopped : callable
        Whether the run was stopped.

    Returns
    -------
    Done, exception or None
        None where the run was stopped before.
    """
    if stopped():
        return None
    try:
        return do_blocks(sink, blocks)
    except BaseException as error:  # also Ctrl-C, where a terminal sends it to all processes
        return error


def do_in_process(sink: BlockWriter, blocks: Stretches, flag: str) -> Done | BaseException | None:
    """Do the same in another process, where a file signals that the run was stopped.

    Parameters
    ----------
    sink, blocks
        As for `do_in_thread`.
    flag : str
        Path of that file.

    Returns
    -------
    Done, exception or None
        As `do_in_thread` does; an exception carries its stack trace as a note, for pickling drops
        it.
    """
    result = do_in_thread(sink, blocks, functools.partial(os.path.exists, flag))
    if isinstance(result, BaseException):
        result.add_note("".join(traceback.format_exception(result)))
    return result


def warm(experiment: Experiment) -> None:
    """Compile the kernel of an experiment, or load it from the cache."""
    run_block(experiment, range(1), block_arrays(experiment, 1), n_steps=0)


def _cut(stretches: Stretches, n: int) -> tuple[Stretches, Stretches]:
    """Split stretches after the first `n` blocks."""
    first, rest = [], []
    for stretch in stretches:
        first.append(stretch[:n])
        rest.append(stretch[n:])
        n = max(0, n - len(stretch))
    return tuple(filter(len, first)), tuple(filter(len, rest))
