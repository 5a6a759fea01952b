"""Valleys' floors: whether a minimum that was found is one point of many."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from fastmomentum.objectives.searching import (
    MOST_FLAT,
    SAME,
    Floats,
    Landscape,
    is_flat,
    lattice,
    variation,
)

RADII: Final = (1e-3, 1e-2)
"""Radii of circles that a floor through their centre crosses: parts of the box's diagonal."""
TURNS: Final = 128
"""Points of a circle from which its lowest ones are looked for."""


def has_floor(landscape: Landscape, points: Floats) -> bool:
    """Whether minimisers are not isolated: through one of them goes a valley's floor, or a plain.

    Around a point without curvature in some direction f is followed along circles: an isolated
    minimum lies below all of a circle, a floor crosses it at its own height.

    Parameters
    ----------
    landscape : Landscape
        The function and the box.
    points : ndarray, shape (n, 2)
        From `minimisers`.

    Returns
    -------
    bool
        False as well where the floor is shorter than a hundredth of the box's diagonal.
    """
    with np.errstate(all="ignore"):
        flat = points[is_flat(landscape, points)][:MOST_FLAT]
        if not len(flat):
            return False
        levels = landscape.value(flat.T)
        least = min(1.0, variation(landscape.value(lattice(landscape)))) + abs(levels.min())
        highest = levels + 1e-3 * SAME * least
        return any(_goes_on(landscape, *each) for each in zip(flat, highest, strict=True))


def _goes_on(landscape: Landscape, point: Floats, highest: float) -> bool:
    """Whether circles around a minimum have points as low as it."""
    return all(
        _lowest_around(landscape, point, part * landscape.diagonal) <= highest for part in RADII
    )


def _lowest_around(landscape: Landscape, point: Floats, radius: float) -> float:
    """The least value on a circle."""

    def heights(turns: Floats) -> Floats:
        around = radius * np.stack([np.cos(turns.ravel()), np.sin(turns.ravel())])
        return landscape.value(point[:, None] + around).reshape(turns.shape)

    turns = np.linspace(0.0, 2.0 * math.pi, TURNS, endpoint=False)
    found = heights(turns)
    low = turns[(found <= np.roll(found, 1)) & (found <= np.roll(found, -1))]
    low = low[np.argsort(heights(low), kind="stable")[:8]]
    width = float(turns[1])
    for _ in range(14):  # each time 8 times as close, so to the last bit
        around = low[:, None] + width * np.linspace(-1.0, 1.0, 17)
        found = heights(around)
        low = around[np.arange(low.size), found.argmin(axis=1)]
        width /= 8.0
    return float(found.min())
