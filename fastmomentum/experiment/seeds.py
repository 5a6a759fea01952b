"""Seeds of a grid: a count or a list."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.noise.keys import MOST_SEEDS
from fastmomentum.specification.base import plain
from fastmomentum.text import shown

MOST_COUNTED: Final = 10_000_000
"""Most seeds of a grid: as labels of a dimension they are held in memory."""
MOST_LISTED: Final = 1_000_000
"""Most seeds of a list."""
NO_SEED: Final = 0
"""The seed where a grid names none."""

Seeds = int | tuple[int, ...]
SeedLike = int | ArrayLike


def checked_seeds(given: Any) -> Seeds | None:
    """Check a count of seeds or a list of them.

    Parameters
    ----------
    given : object
        A whole number, or a list or an array of them.

    Returns
    -------
    int, or tuple of int, or None
        In canonical form; None for None.

    Raises
    ------
    ValueError
        It is neither; the message is written to follow the key.

    Examples
    --------
    >>> checked_seeds(16), checked_seeds([7, 5])
    (16, (7, 5))
    """
    if given is None:
        return None
    if isinstance(given, range):
        given = list(given)
    if hasattr(given, "__array__"):
        given = np.asarray(given).tolist()
    given = plain(given)
    if not isinstance(given, list):
        count = _whole(given)
        if count is None:
            raise ValueError(
                f"must be how many seeds, a whole number, or a list of seeds: got {shown(given)}"
            )
        if not 1 <= count <= MOST_COUNTED:
            raise ValueError(
                f"must be how many seeds, from 1 to {MOST_COUNTED:,}: got {shown(given)}; for one "
                "seed by its number write a list, such as [0]"
            )
        return count
    if not given:
        raise ValueError("is empty; give at least one seed, such as [0]")
    if len(given) > MOST_LISTED:
        raise ValueError(f"has {len(given):,} seeds, and may list {MOST_LISTED:,}; give a number")
    first: dict[int, int] = {}
    for entry, one in enumerate(given):
        seed = _whole(one)
        if seed is None or not 0 <= seed < MOST_SEEDS:
            raise ValueError(
                f"must hold whole numbers from 0 to 2^63 - 1: got {shown(one)} (entry {entry})"
            )
        if seed in first:
            raise ValueError(
                f"has {seed} more than once (entries {first[seed]} and {entry}); list each seed "
                "once"
            )
        first[seed] = entry
    return tuple(first)


def _whole(given: object) -> int | None:
    """A whole number, also one written with a decimal point; None where it is none."""
    if isinstance(given, float) and given.is_integer():
        return int(given)
    return given if isinstance(given, int) and not isinstance(given, bool) else None


def seeds_of(given: Seeds | None) -> NDArray[np.int64]:
    """The seeds themselves, sorted.

    Examples
    --------
    >>> seeds_of(3).tolist(), seeds_of((7, 5)).tolist(), seeds_of(None).tolist()
    ([0, 1, 2], [5, 7], [0])
    """
    if given is None:
        return np.array([NO_SEED], np.int64)
    if isinstance(given, int):
        return np.arange(given, dtype=np.int64)
    return np.sort(np.array(given, np.int64))
