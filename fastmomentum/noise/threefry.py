"""Threefry: random words from a key and a counter, by mixing alone, without any state.

Any word can be computed at any time, so runs may be split, repeated and resumed freely. This is
Threefry-2x32 with 13 rounds, the fewest for which its authors know of no statistical flaw.

Words have 32 bits and are held in integers of 64, where sums of two cannot overflow: NumPy's
numbers and arrays then give the same as the kernels, without warnings. In kernels `total` and
`mixed` are the machine's own instructions on words of 32 bits.

References
----------
Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011; the test vectors
are those of their library Random123.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

Word = Any
"""An unsigned integer of 64 bits below 2^32: ``np.uint64`` or an array of them."""

LOW: Final = np.uint64(0xFFFFFFFF)
"""The bits of a word."""
HALF: Final = np.uint64(32)
PARITY: Final = np.uint64(0x1BD11BDA)
"""Skein's constant for words of 32 bits, so that no key has only zeros."""
S1, S2, S3 = np.uint64(1), np.uint64(2), np.uint64(3)
"""Number of the injection, added to its second word."""
R0, R1, R2, R3 = np.uint64(13), np.uint64(15), np.uint64(26), np.uint64(6)
R4, R5, R6, R7 = np.uint64(17), np.uint64(29), np.uint64(16), np.uint64(24)
"""Bits that a round rotates by; they repeat every eight rounds."""


def total(a: Word, b: Word) -> Word:
    """Sum of two words modulo 2^32.

    Examples
    --------
    >>> int(total(LOW, np.uint64(3)))
    2
    """
    return (a + b) & LOW


def mixed(a: Word, b: Word, bits: Word) -> tuple[Word, Word]:
    """One round: ``a += b; b = rotate(b, bits) ^ a``.

    Examples
    --------
    >>> a, b = mixed(np.uint64(1), np.uint64(2), np.uint64(1))
    >>> int(a), int(b)
    (3, 7)
    """
    a = total(a, b)
    return a, (((b << bits) | (b >> (HALF - bits))) & LOW) ^ a


def threefry(first: Word, second: Word, key_0: Word, key_1: Word) -> tuple[Word, Word]:
    """Two random words from a counter of two words, under a key of two words.

    Parameters
    ----------
    first, second : uint64 or ndarray of uint64
        The counter; below 2^32.
    key_0, key_1 : uint64 or ndarray of uint64
        The key; below 2^32. All shapes broadcast.

    Returns
    -------
    tuple of uint64 or ndarray of uint64
        Two words, below 2^32. For one key, different counters give different pairs.

    Examples
    --------
    >>> zero = np.uint64(0)
    >>> [hex(word) for word in threefry(zero, zero, zero, zero)]
    ['0x9d1c5ec6', '0x8bd50731']
    """
    key_2 = PARITY ^ key_0 ^ key_1
    a, b = total(first, key_0), total(second, key_1)
    a, b = mixed(a, b, R0)
    a, b = mixed(a, b, R1)
    a, b = mixed(a, b, R2)
    a, b = mixed(a, b, R3)
    a, b = total(a, key_1), total(b, total(key_2, S1))
    a, b = mixed(a, b, R4)
    a, b = mixed(a, b, R5)
    a, b = mixed(a, b, R6)
    a, b = mixed(a, b, R7)
    a, b = total(a, key_2), total(b, total(key_0, S2))
    a, b = mixed(a, b, R0)
    a, b = mixed(a, b, R1)
    a, b = mixed(a, b, R2)
    a, b = mixed(a, b, R3)
    a, b = total(a, key_0), total(b, total(key_1, S3))
    return mixed(a, b, R4)
