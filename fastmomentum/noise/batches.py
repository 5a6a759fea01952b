"""Rows of each update's batch, in NumPy: the kernels draw the same rows one at a time."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.noise.keys import NOTHING, key_of
from fastmomentum.noise.rows import (
    MOST_ROWS,
    drawn_row,
    epoch_keys,
    position_bits,
    scrambled,
)
from fastmomentum.text import suggest

Draw = Literal["shuffle", "replacement"]
Rows = NDArray[np.int64]


def epoch_order(seed: int, epoch: int, n_rows: int) -> Rows:
    """All rows in the order of an epoch.

    Parameters
    ----------
    seed : int
        The seed.
    epoch : int
        Number of the epoch, from 0.
    n_rows : int
        Rows of the table.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Each row once.

    Examples
    --------
    >>> sorted(epoch_order(seed=0, epoch=3, n_rows=4).tolist())
    [0, 1, 2, 3]
    """
    low, high = (np.uint64(bits) for bits in position_bits(n_rows))
    keys = epoch_keys(epoch, *key_of(seed, NOTHING, NOTHING))
    order = scrambled(np.arange(n_rows, dtype=np.uint64), low, high, keys)
    while (outside := order >= np.uint64(n_rows)).any():
        order[outside] = scrambled(order[outside], low, high, keys)
    return np.asarray(order, np.int64)


def batch_rows(seed: int, step: int, n_rows: int, size: int, draw: Draw | str = "shuffle") -> Rows:
    """Rows of an update's batch.

    Parameters
    ----------
    seed : int
        The seed; batches depend on nothing else of a run.
    step : int
        Updates done before.
    n_rows : int
        Rows of the table.
    size : int
        Rows of a batch.
    draw : str
        "shuffle": each row once per epoch, in a new order each; an epoch has ``n_rows/size``
        batches, rounded up, and the last has the remaining rows, as in PyTorch's DataLoader.
        "replacement": each row is drawn independently, so a batch may have a row twice.

    Returns
    -------
    ndarray of int64, shape (size,)
        Fewer for the last batch of an epoch, where `size` does not divide `n_rows`.

    Raises
    ------
    InputError
        There are no such batches.

    Examples
    --------
    >>> [batch_rows(seed=0, step=t, n_rows=5, size=2).size for t in range(4)]
    [2, 2, 1, 2]
    """
    if not 1 <= n_rows <= MOST_ROWS:
        raise InputError(f"n_rows must be from 1 to {MOST_ROWS:,}: got {n_rows!r}")
    if not 1 <= size <= n_rows:
        raise InputError(f"size must be from 1 to the {n_rows:,} rows: got {size!r}")
    if draw == "shuffle":
        epoch, batch = divmod(step, -(-n_rows // size))
        return epoch_order(seed, epoch, n_rows)[batch * size : (batch + 1) * size]
    if draw == "replacement":
        key = key_of(seed, NOTHING, NOTHING)
        return np.asarray(drawn_row(step, np.arange(size), n_rows, *key), np.int64)
    raise InputError(f"draw must be one of two: no {draw!r}; {suggest(draw, get_args(Draw))}")
