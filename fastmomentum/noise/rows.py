"""Rows of a batch: a keyed permutation of all rows per epoch, or independent draws.

The permutation is a Feistel network over the smallest power of 2 that holds all rows: one half of a
position's bits is changed by a hash of the other half, in eight rounds that alternate the halves,
which is invertible whatever the hash is. Where the result is not a row it is permuted again, until
it is one ("cycle walking"). So each row comes once per epoch, and the row at any place of any epoch
is known without a list of them.

References
----------
Luby and Rackoff, "How to construct pseudorandom permutations from pseudorandom functions", 1988.
Black and Rogaway, "Ciphers with arbitrary finite domains", 2002 (cycle walking).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.noise.threefry import HALF, LOW, Word, threefry

Keys = tuple[Word, Word, Word, Word, Word, Word, Word, Word]

SHUFFLE: Final = np.uint64(1 << 28)
"""Second word of the counter for an epoch's keys; those of Gaussian numbers lie below."""
DRAW: Final = np.uint64(2 << 28)
"""The same for independent draws; the place in the batch is added."""
FEWEST_BITS: Final = 6
"""Bits of a position, at least: over fewer, the network reaches too few permutations."""
MOST_ROWS: Final = 2**28
"""Rows that a table may have."""
MULTIPLY_1, MULTIPLY_2 = np.uint64(0x85EBCA6B), np.uint64(0xC2B2AE35)
SHIFT_1, SHIFT_2 = np.uint64(13), np.uint64(16)
"""From Appleby's finaliser of MurmurHash3 (public domain), in which each bit affects all."""
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)


def position_bits(n_rows: int) -> tuple[int, int]:
    """Bits of the two halves of a position, the low one first.

    Examples
    --------
    >>> position_bits(1000)
    (5, 5)
    """
    bits = max(FEWEST_BITS, (n_rows - 1).bit_length())
    return bits // 2, bits - bits // 2


def epoch_keys(epoch: Any, key_0: Word, key_1: Word) -> Keys:
    """Keys of the permutation of an epoch.

    Parameters
    ----------
    epoch : int or ndarray of int
        From 0 to 2^32 - 1.
    key_0, key_1 : uint64 or ndarray of uint64
        From `fastmomentum.noise.key_of`.

    Returns
    -------
    tuple of uint64 or ndarray of uint64
        Eight words, one per round.
    """
    t = np.uint64(epoch)
    a, b = threefry(t, SHUFFLE, key_0, key_1)
    c, d = threefry(t, SHUFFLE + ONE, key_0, key_1)
    e, f = threefry(t, SHUFFLE + TWO, key_0, key_1)
    g, h = threefry(t, SHUFFLE + THREE, key_0, key_1)
    return a, b, c, d, e, f, g, h


def hashed(half: Word, key: Word) -> Word:
    """A word from half a position and a round's key."""
    z = ((half ^ key) * MULTIPLY_1) & LOW
    z = ((z ^ (z >> SHIFT_1)) * MULTIPLY_2) & LOW
    return z ^ (z >> SHIFT_2)


def scrambled(position: Word, low_bits: Any, high_bits: Any, keys: Keys) -> Word:
    """The permutation of all positions, before cycle walking."""
    low_mask, high_mask = (ONE << low_bits) - ONE, (ONE << high_bits) - ONE
    low, high = position & low_mask, position >> low_bits
    low = low ^ (hashed(high, keys[0]) & low_mask)
    high = high ^ (hashed(low, keys[1]) & high_mask)
    low = low ^ (hashed(high, keys[2]) & low_mask)
    high = high ^ (hashed(low, keys[3]) & high_mask)
    low = low ^ (hashed(high, keys[4]) & low_mask)
    high = high ^ (hashed(low, keys[5]) & high_mask)
    low = low ^ (hashed(high, keys[6]) & low_mask)
    high = high ^ (hashed(low, keys[7]) & high_mask)
    return (high << low_bits) | low


def shuffled_row(place: Any, n_rows: Any, low_bits: Any, high_bits: Any, keys: Keys) -> Word:
    """Row at a place of an epoch's order: for kernels, one number at a time.

    Parameters
    ----------
    place : int
        From 0 to `n_rows` - 1.
    n_rows : int
        Rows of the table, at most `MOST_ROWS`.
    low_bits, high_bits : int
        From `position_bits`.
    keys : tuple of uint64
        From `epoch_keys`.

    Returns
    -------
    uint64
        The row, from 0.
    """
    n, low, high = np.uint64(n_rows), np.uint64(low_bits), np.uint64(high_bits)
    row = scrambled(np.uint64(place), low, high, keys)
    while row >= n:
        row = scrambled(row, low, high, keys)
    return row


def drawn_row(step: Any, place: Any, n_rows: Any, key_0: Word, key_1: Word) -> Word:
    """Row that a step draws for a place of its batch, independently of all others.

    Parameters
    ----------
    step : int or ndarray of int
        Updates done before, from 0 to 2^32 - 1.
    place : int or ndarray of int
        In the batch, from 0; below 2^28.
    n_rows : int
        Rows of the table, at most `MOST_ROWS`.
    key_0, key_1 : uint64 or ndarray of uint64
        From `fastmomentum.noise.key_of`.

    Returns
    -------
    uint64 or ndarray of uint64
        The rows, from 0; each as likely as any other to 1 part in 2^36.
    """
    n = np.uint64(n_rows)
    high, low = threefry(np.uint64(step), DRAW + np.uint64(place), key_0, key_1)
    return (high * n + ((low * n) >> HALF)) >> HALF
