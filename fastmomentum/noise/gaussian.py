"""Gaussian noise of a step: a Box-Muller pair from two random words.

``u, v = (word + 1/2)/2^32`` lie strictly between 0 and 1, and ``sqrt(-2 log u)`` times the cosine
and the sine of ``2 pi v`` are two independent numbers of mean 0 and variance 1. With words of 32
bits none is beyond 6.8, where one in 10^11 should be.

References
----------
Box and Muller, "A note on the generation of random normal deviates", 1958.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.elementary import cos_turns, sin_turns, sqrt
from fastmomentum.elementary.bits import double_of
from fastmomentum.elementary.logarithm import log_of_normal
from fastmomentum.noise.threefry import Word, threefry

LARGEST: Final = 6.763705635001895
"""Largest absolute value of a Gaussian number: sqrt(2 log 2^33)."""

WHOLE: Final = np.uint64(0x4330000000000000)
"""Bit pattern of 2^52; with a word in its last bits, that of 2^52 + word."""


def uniform(word: Word) -> Any:
    """A number between 0 and 1, neither included: ``(word + 1/2)/2^32``, which is exact.

    Parameters
    ----------
    word : uint64 or ndarray of uint64
        A random word, below 2^32.

    Returns
    -------
    float or ndarray
        Of the shape of `word`.

    Examples
    --------
    >>> float(uniform(np.uint64(2**31))) - 0.5 == 2.0**-33
    True
    """
    return (double_of(word | WHOLE) - (2.0**52 - 0.5)) * 2.0**-32


def gaussian_pair(step: Any, pair: Any, key_0: Word, key_1: Word) -> tuple[Any, Any]:
    """Two independent Gaussian numbers of a step: mean 0, variance 1.

    Parameters
    ----------
    step : int or ndarray of int
        Updates done before, from 0 to 2^32 - 1.
    pair : int or ndarray of int
        Which pair: 0 for the first two coordinates, 1 for the next two; below 2^28.
    key_0, key_1 : uint64 or ndarray of uint64
        From `fastmomentum.noise.key_of`.

    Returns
    -------
    tuple of float or ndarray
        Two numbers, or two arrays of the broadcast shape.

    Examples
    --------
    >>> from fastmomentum.noise import NOTHING, key_of
    >>> x, y = gaussian_pair(0, 0, *key_of(0, NOTHING, NOTHING))
    >>> bool(x * x + y * y < LARGEST**2)
    True
    """
    return gaussian_of(*random_words(step, pair, key_0, key_1))


def random_words(step: Any, pair: Any, key_0: Word, key_1: Word) -> tuple[Word, Word]:
    """Two random words of a step, which `gaussian_of` turns into two Gaussian numbers.

    Parameters
    ----------
    step, pair, key_0, key_1
        As for `gaussian_pair`.

    Returns
    -------
    tuple of uint64 or ndarray of uint64
        Below 2^32.

    Examples
    --------
    >>> from fastmomentum.noise import NOTHING, key_of
    >>> words = random_words(0, 0, *key_of(0, NOTHING, NOTHING))
    >>> gaussian_of(*words) == gaussian_pair(0, 0, *key_of(0, NOTHING, NOTHING))
    True
    """
    return threefry(np.uint64(step), np.uint64(pair), key_0, key_1)


def gaussian_of(first: Word, second: Word) -> tuple[Any, Any]:
    """Two Gaussian numbers from two random words, by Box and Muller.

    Parameters
    ----------
    first, second : uint64 or ndarray of uint64
        Independent; below 2^32.

    Returns
    -------
    tuple of float or ndarray
        Mean 0, variance 1.

    Examples
    --------
    >>> x, y = gaussian_of(np.uint64(2605029346), np.uint64(2**30))  # 2^32 exp(-1/2), a quarter
    >>> round(float(x), 8), round(float(y), 8)
    (-0.0, 1.0)
    """
    radius = sqrt(-2.0 * log_of_normal(uniform(first)))
    turn = uniform(second)
    return radius * cos_turns(turn), radius * sin_turns(turn)
