"""White casings of lines and letters, which stand out on any background; widths of lines."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import patheffects
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D


class Casing(patheffects.Stroke):
    """A wider white line under a line.

    Parameters
    ----------
    width : float
        In points.
    alpha : float
        Of the white.
    """

    def __init__(self, width: float, alpha: float = 1.0) -> None:
        super().__init__(linewidth=width, foreground="white", alpha=alpha)
        self.width, self.alpha = width, alpha

    def scaled(self, factor: float) -> Casing:
        """Return the same casing, scaled in width."""
        return Casing(self.width * factor, self.alpha)


def cased(width: float, alpha: float = 1.0) -> list[Any]:
    """Path effects that draw a line or letters in a white casing of this total width.

    Examples
    --------
    >>> len(cased(3.0))
    2
    """
    return [Casing(width, alpha), patheffects.Normal()]


def scale_marks(figure: Figure, factor: float) -> None:
    """Scale lines, markers and casings by a factor, as the letters of a smaller page are.

    Examples
    --------
    >>> figure = Figure()
    >>> line = figure.add_subplot().plot([0, 1], [0, 1], linewidth=2.0, path_effects=cased(4.0))[0]
    >>> scale_marks(figure, 0.5)
    >>> line.get_linewidth(), line.get_path_effects()[0].width
    (1.0, 2.0)
    """
    if factor == 1.0:
        return
    for line in figure.findobj(Line2D):
        line.set_linewidth(line.get_linewidth() * factor)
        line.set_markersize(line.get_markersize() * factor)
        line.set_markeredgewidth(line.get_markeredgewidth() * factor)
    for bars in figure.findobj(LineCollection):  # such as those of errors
        bars.set_linewidth(np.multiply(bars.get_linewidth(), factor).tolist())
    for artist in figure.findobj():
        effects = artist.get_path_effects() or ()
        if any(isinstance(effect, Casing) for effect in effects):
            artist.set_path_effects(
                [e.scaled(factor) if isinstance(e, Casing) else e for e in effects]
            )
