"""Keys of the noise: from the seed and, if not common, from a run's settings; never its number.

A key is a hash chained from `threefry`: each number is enciphered under the state that the numbers
before it left, the seed last.

    state = (0, 0)
    for each number, with its pattern of 64 bits:  state = threefry(low half, high half; state)
    key = threefry(low half of the seed, high half; state)

From one state different patterns give different states, so two runs that differ only in the seed,
or only in the last number absorbed, never have the same key; others may by chance, one pair in
2^64. Order: learning rate, momentum, further axes of the grid in the order of the file's
dimensions, then the start's coordinates, then the velocity's. -0.0 counts as 0.0.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.elementary.bits import bits_of
from fastmomentum.noise.threefry import HALF, LOW, Word, threefry

MOST_SEEDS: Final = 2**63
"""Seeds are whole numbers from 0 to one less than this, so that a TOML file can hold each."""

NOTHING: Final = np.uint64(0)
"""Both words of the state before anything is absorbed."""


def absorbed(value: Any, state_0: Word, state_1: Word) -> tuple[Word, Word]:
    """State of a hash after one more number.

    Parameters
    ----------
    value : float or ndarray
        The number; its bit pattern is absorbed.
    state_0, state_1 : uint64 or ndarray of uint64
        The state before, `NOTHING` twice at first.

    Returns
    -------
    tuple of uint64 or ndarray of uint64
        The state after.

    Examples
    --------
    >>> absorbed(0.0, NOTHING, NOTHING) == absorbed(-0.0, NOTHING, NOTHING)
    True
    """
    pattern = bits_of(value + 0.0)
    return threefry(pattern & LOW, pattern >> HALF, state_0, state_1)


def key_of(seed: Any, state_0: Word, state_1: Word) -> tuple[Word, Word]:
    """The key of a seed and of the numbers absorbed before it.

    Parameters
    ----------
    seed : int or ndarray of int
        From 0 to `MOST_SEEDS` - 1.
    state_0, state_1 : uint64 or ndarray of uint64
        From `absorbed`; `NOTHING` twice for noise that all cells share.

    Returns
    -------
    tuple of uint64 or ndarray of uint64
        The key.

    Examples
    --------
    >>> [hex(word) for word in key_of(0, NOTHING, NOTHING)]
    ['0x9d1c5ec6', '0x8bd50731']
    """
    pattern = np.uint64(seed)
    return threefry(pattern & LOW, pattern >> HALF, state_0, state_1)
