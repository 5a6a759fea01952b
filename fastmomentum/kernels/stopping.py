"""What a kernel does about stopped runs: targets reached, points erased, the other runs moved up.

These functions are the same for all kernels. Numba compiles each once in a process, where the lines
in the kernel itself would be compiled with every kernel.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from fastmomentum.kernels.step import one_nan
from fastmomentum.kernels.tiles import inlined
from fastmomentum.status import Status

NOT_RUN: Final = int(Status.NOT_RUN)


@inlined
def reached(loss, levels, pending, i, hit_step, out, s):  # type: ignore[no-untyped-def]
    """Note the targets that a run reaches after s updates; whether it has reached all of them."""
    n_targets = levels.size
    while pending[i] < n_targets and loss <= levels[pending[i]]:
        hit_step[out, pending[i]] = s
        pending[i] += 1
    return n_targets > 0 and pending[i] == n_targets


@inlined
def end(final, final_loss, out, tile, lane, loss):  # type: ignore[no-untyped-def]
    """Store where a run ended: a lane's point, and the loss there."""
    for c in range(final.shape[1]):
        final[out, c] = one_nan(tile[c, lane])
    final_loss[out] = one_nan(loss)


@inlined
def next_recorded(recorded, k, t):  # type: ignore[no-untyped-def]
    """Count on from the k-th recorded step to the first one after step t."""
    while k < recorded.size and recorded[k] <= t:  # np.searchsorted takes half a second to compile
        k += 1
    return k


@inlined
def erase_after(trajectory, out, recorded, k_next, s):  # type: ignore[no-untyped-def]
    """Set what a run has recorded after step s to NaN: it stopped there, its tile went on."""
    for k in range(k_next, recorded.size):
        if recorded[k] > s:
            trajectory[out, k, :] = np.nan


@inlined
def without_stopped(runs, run, pending, group, status, active):  # type: ignore[no-untyped-def]
    """Move the runs that are not stopped to the front; how many they are."""
    to_place = 0
    for i in range(active):
        if status[run[i]] == NOT_RUN:
            for row in range(runs.shape[0]):
                runs[row, to_place] = runs[row, i]
            pending[to_place], run[to_place] = pending[i], run[i]
            group[to_place] = group[i]
            to_place += 1
    return to_place


DIGESTED: Final = (reached, end, next_recorded, erase_after, without_stopped)
"""Functions that are compiled into kernels from here."""
