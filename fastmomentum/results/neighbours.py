"""Cells of a map that are fast along with their neighbours, not just by luck."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

NEVER_MET: Final = np.iinfo(np.int32).max
"""Steps that count for a run that did not meet the target."""

MEDIANS_AT_ONCE: Final = 2**20
"""Cells."""


def robust_cell(counts: NDArray[np.int32]) -> int:
    """The cell whose neighbourhood is the fastest, by the median of 3 x 3.

    Parameters
    ----------
    counts : ndarray of int32, shape (n, m)
        Steps of each cell; `NEVER_MET` where it did not meet the target.

    Returns
    -------
    int
        Its index in the flat array; among equals, the cell that is itself the fastest.

    Examples
    --------
    >>> lone = np.array([[9, 9, 9, 5, 5], [9, 1, 9, 5, 4], [9, 9, 9, 5, 5]], np.int32)
    >>> robust_cell(lone)
    9
    """
    around = np.where(counts < NEVER_MET, medians(counts), NEVER_MET)
    return int(np.where(around == around.min(), counts, NEVER_MET).argmin())


def medians(counts: NDArray[np.int32]) -> NDArray[np.int32]:
    """Median of each cell and the eight around it; the edge is repeated beyond itself.

    Parameters
    ----------
    counts : ndarray of int32, shape (n, m)
        Steps of all cells.

    Returns
    -------
    ndarray of int32, shape (n, m)
        In parts, so that the nine copies of a large map are not in memory at once.

    Examples
    --------
    >>> medians(np.array([[9, 9, 9], [9, 1, 9], [9, 9, 9]], np.int32)).tolist()
    [[9, 9, 9], [9, 9, 9], [9, 9, 9]]
    """
    padded = np.pad(counts, 1, mode="edge")
    found = np.empty_like(counts)
    rows = max(1, MEDIANS_AT_ONCE // counts.shape[1])
    for first in range(0, len(counts), rows):
        part = padded[first : first + rows + 2]
        nine = np.lib.stride_tricks.sliding_window_view(part, (3, 3))
        flat = nine.reshape(*nine.shape[:2], 9)
        found[first : first + rows] = np.partition(flat, 4, axis=-1)[..., 4]
    return found
