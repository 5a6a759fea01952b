"""A step's batch in a kernel: its rows are drawn, and their statistics summed."""

from __future__ import annotations

from typing import Final

from fastmomentum.elementary.bits import bits_of
from fastmomentum.kernels.bits import widest_vectors
from fastmomentum.kernels.tiles import Function, inlined, made_once
from fastmomentum.noise import epoch_keys
from fastmomentum.noise.rows import drawn_row, scrambled

SAMPLE: Final = 4
"""Statistics of a batch."""


@inlined
def shuffled(rows, at, count, n_rows, low, high, keys):  # type: ignore[no-untyped-def]
    """Rows at places of an epoch's order, `count` from `at` on, into the first row of `rows`.

    Its other two rows hold positions that are not yet below `n_rows`, and where they belong: packed
    together, so that cycle walking is vectorised.
    """
    widest_vectors()
    for i in range(count):
        rows[0, i] = scrambled(at + i, low, high, keys)
    outside = 0
    for i in range(count):
        rows[1, outside], rows[2, outside] = rows[0, i], i
        outside += rows[0, i] >= n_rows
    while outside > 0:
        for j in range(outside):
            rows[1, j] = scrambled(rows[1, j], low, high, keys)
        left = 0
        for j in range(outside):
            row, place = rows[1, j], rows[2, j]
            rows[0, place], rows[1, left], rows[2, left] = row, row, place
            left += row >= n_rows
        outside = left


@inlined
def summed(rows, count, x, r, scale):  # type: ignore[no-untyped-def]
    """The same as `statistics.sample_of`, by the same additions in the same order."""
    x_sum = xx_sum = r_sum = xr_sum = 0.0
    for i in range(count):
        one, rest = x[rows[0, i]], r[rows[0, i]]
        x_sum += one
        xx_sum += one * one
        r_sum += rest
        xr_sum += one * rest
    part = scale / float(count)
    return part * x_sum, part * xx_sum, part * r_sum, part * xr_sum


@made_once
def sampler(replacement: bool) -> Function:
    """``sample(s, epoch, keys, key_0, key_1, rows, random)``: statistics of a step's batch."""

    def drawn(s, epoch, keys, key_0, key_1, rows, random):  # type: ignore[no-untyped-def]
        n_rows = random.x.size
        for i in range(random.size):
            rows[0, i] = drawn_row(s, i, n_rows, key_0, key_1)
        return summed(rows, random.size, random.x, random.r, random.scale)

    def of_epoch(s, epoch, keys, key_0, key_1, rows, random):  # type: ignore[no-untyped-def]
        n_rows = random.x.size
        batches = -(-n_rows // random.size)
        at = (s - epoch * batches) * random.size
        count = min(random.size, n_rows - at)
        shuffled(rows, at, count, n_rows, random.low, random.high, keys)
        return summed(rows, count, random.x, random.r, random.scale)

    return inlined(drawn if replacement else of_epoch)


@made_once
def shared_sample(first: int, replacement: bool) -> Function:
    """``share(table, t, t_end, rows, random)``: statistics of the batches that all runs share."""
    sample = sampler(replacement)

    def share(table, t, t_end, rows, random):  # type: ignore[no-untyped-def]
        key_0, key_1 = random.batch_key[0], random.batch_key[1]
        batches = -(-random.x.size // random.size)
        epoch = t // batches
        keys = epoch_keys(epoch, key_0, key_1)
        for s in range(t, t_end):
            if s // batches != epoch:
                epoch = s // batches
                keys = epoch_keys(epoch, key_0, key_1)
            a, b, c, d = sample(s, epoch, keys, key_0, key_1, rows, random)
            table[first, s - t], table[first + 1, s - t] = a, b
            table[first + 2, s - t], table[first + 3, s - t] = c, d

    return inlined(share)


@made_once
def own_sample(first: int, key: int, replacement: bool) -> Function:
    """``draw(table, tile, t, t_end, rows, random)``: statistics of each lane's own batches."""
    sample = sampler(replacement)

    def draw(table, tile, t, t_end, rows, random):  # type: ignore[no-untyped-def]
        batches = -(-random.x.size // random.size)
        for lane in range(table.shape[2]):
            key_0, key_1 = bits_of(tile[key, lane]), bits_of(tile[key + 1, lane])
            if lane:  # neighbours mostly share a seed
                before_0, before_1 = bits_of(tile[key, lane - 1]), bits_of(tile[key + 1, lane - 1])
                if key_0 == before_0 and key_1 == before_1:
                    for c in range(first, first + SAMPLE):
                        for k in range(t_end - t):
                            table[c, k, lane] = table[c, k, lane - 1]
                    continue
            epoch = t // batches
            keys = epoch_keys(epoch, key_0, key_1)
            for s in range(t, t_end):
                if s // batches != epoch:
                    epoch = s // batches
                    keys = epoch_keys(epoch, key_0, key_1)
                a, b, c, d = sample(s, epoch, keys, key_0, key_1, rows, random)
                table[first, s - t, lane], table[first + 1, s - t, lane] = a, b
                table[first + 2, s - t, lane], table[first + 3, s - t, lane] = c, d

    return inlined(draw)
