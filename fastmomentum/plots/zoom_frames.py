"""Frames of a film that zooms into a map: their windows and their colours."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from matplotlib.colors import Normalize
from numpy.typing import NDArray

from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.phases import PhaseMap
from fastmomentum.plots.style import number

Range = tuple[float, float]

FEWEST_SPACINGS: Final = 1e4
"""Fewest spacings of doubles across a window: below, a map would show these."""


class Frame(NamedTuple):
    """A window of a film.

    Attributes
    ----------
    lr, momentum : (float, float)
        First and last value.
    closer : (float, float)
        How many times narrower it is than the map, in the logarithm of lr and in momentum.
    """

    lr: Range
    momentum: Range
    closer: tuple[float, float]

    @property
    def words(self) -> str:
        """Its depth, in words.

        Examples
        --------
        >>> Frame((1.0, 2.0), (0.5, 0.625), (10.0, 500.0)).words
        '10 x 500 times closer than the map (lr x momentum), momentum window 0.125 wide'
        """
        if self.closer == (1.0, 1.0):
            return "the whole map"
        lr, momentum = (number(float(f"{factor:.3g}")) for factor in self.closer)
        wide = number(float(f"{self.momentum[1] - self.momentum[0]:.3g}"))
        return (
            f"{lr} x {momentum} times closer than the map (lr x momentum), "
            f"momentum window {wide} wide"
        )


def zoom_frames(whole: tuple[Range, Range], window: tuple[Range, Range], count: int) -> list[Frame]:
    """Windows from a whole map to one within it, narrower by the same factor from one to the next.

    Parameters
    ----------
    whole, window : two of (float, float)
        Learning rates and momenta to begin and to end with.
    count : int
        How many, at most: they end where doubles do, with the last that is `FEWEST_SPACINGS`
        spacings of doubles wide.

    Returns
    -------
    list of Frame
        Fewer than `count` where doubles end before; the first is always there.

    Examples
    --------
    >>> frames = zoom_frames(((0.1, 0.2), (0.0, 0.9)), ((0.1, 0.11), (0.5, 0.6)), 3)
    >>> [round(frame.momentum[1] - frame.momentum[0], 3) for frame in frames]
    [0.9, 0.3, 0.1]
    """
    lr, lr_end = (np.log(np.asarray(ends, float)) for ends in (whole[0], window[0]))
    momentum, momentum_end = (np.asarray(ends, float) for ends in (whole[1], window[1]))
    found: list[Frame] = []
    for t in np.linspace(0.0, 1.0, count):
        low, high = (float(end) for end in np.exp(_closing(lr, lr_end, t)))
        first, last = (float(end) for end in _closing(momentum, momentum_end, t))
        if found and min(spacings(low, high), spacings(first, last)) < FEWEST_SPACINGS:
            break
        closer = np.ptp(lr) / math.log(high / low), np.ptp(momentum) / (last - first)
        found.append(Frame((low, high), (first, last), (float(closer[0]), float(closer[1]))))
    return found


def spacings(first: float, last: float) -> float:
    """How many spacings of doubles lie between two numbers.

    Examples
    --------
    >>> spacings(1.0, 1.0 + 2**-40)
    4096.0
    """
    return (last - first) / math.ulp(max(abs(first), abs(last)))


def _closing(whole: Floats, window: Floats, t: float) -> Floats:
    """The ends of a window at a fraction of the zoom, which has one fixed point."""
    wide, narrow = float(np.ptp(whole)), float(np.ptp(window))
    if wide == narrow:
        return np.asarray((1.0 - t) * whole + t * window)
    share = (wide - wide ** (1.0 - t) * narrow**t) / (wide - narrow)
    return np.asarray((1.0 - share) * whole + share * window)


def colour_by_rank(drawn: PhaseMap) -> None:
    """Give each colour of a map the same share of its cells.

    The maps of a film then have the same colours at every depth, even where steps hardly differ.

    Parameters
    ----------
    drawn : PhaseMap
        From `phase_map`; left alone where it has no steps.
    """
    if drawn.steps is None:
        return
    steps: np.ma.MaskedArray[tuple[int, ...], np.dtype[np.float64]] = np.ma.masked_invalid(
        np.ma.asarray(drawn.steps.get_array())
    )
    drawn.steps.set_norm(Normalize(0.0, 1.0))
    drawn.steps.set_array(np.ma.array(ranks(steps), mask=np.ma.getmaskarray(steps)))


def ranks(values: np.ma.MaskedArray[tuple[int, ...], np.dtype[np.float64]]) -> NDArray[np.float64]:
    """The fraction of values below each, and half of those equal to it: 0 to 1.

    Examples
    --------
    >>> ranks(np.ma.array([10.0, 30.0, 20.0, 20.0])).tolist()
    [0.125, 0.875, 0.5, 0.5]
    """
    found = np.zeros(values.shape)
    there = ~np.ma.getmaskarray(values)
    _, back, count = np.unique(values.data[there], return_inverse=True, return_counts=True)
    upto = np.cumsum(count)
    found[there] = ((upto - 0.5 * count) / max(int(upto[-1]) if upto.size else 1, 1))[back]
    return found
