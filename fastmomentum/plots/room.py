"""Legends and lines of text that fit the width of their figure."""

from __future__ import annotations

from typing import Any, Final

from matplotlib import rcParams
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.legend import Legend
from matplotlib.text import Text

WIDTH: Final = 0.97
"""Part of a figure's width that is used."""

SHRUNK: Final = 0.85
"""Letters shrink by up to this factor before a legend gets fewer columns."""

LEAST: Final = 4.0
"""Points of the smallest letters."""


def legend_below(figure: Figure, ncols: int = 1, **options: Any) -> Legend:
    """Draw a legend below everything, in fewer columns or smaller letters where it is too wide.

    Parameters
    ----------
    figure : Figure
        With constrained layout, which makes room.
    ncols : int
        Columns, at most.
    **options
        Of the figure's legend, such as ``handles``.

    Returns
    -------
    Legend
        What was drawn.

    Examples
    --------
    >>> from matplotlib.patches import Patch
    >>> handles = [Patch(label=f"a long explanation of number {i}") for i in range(2)]
    >>> narrow = Figure(figsize=(3, 3), layout="constrained")
    >>> legend_below(narrow, 2, handles=handles)._ncols
    1
    """
    options["loc"] = "outside lower center"
    size = FontProperties(size=rcParams["legend.fontsize"]).get_size_in_points()
    for columns in range(ncols, 0, -1):
        made = figure.legend(ncols=columns, **options)
        share = WIDTH * figure.bbox.width / made.get_window_extent(_renderer(figure)).width
        if share >= 1.0:
            return made
        made.remove()
        if share >= SHRUNK or columns == 1:
            break
    return figure.legend(ncols=columns, fontsize=max(size * share, LEAST), **options)


def shrink_to_fit(text: Text) -> None:
    """Make the letters of a line smaller where it would go beyond the right edge of its figure."""
    figure = text.get_figure(root=True)
    if figure is None or not text.get_text():
        return
    extent = text.get_window_extent(_renderer(figure))
    room = WIDTH * figure.bbox.width - extent.x0
    if extent.width > room > 0.0:
        text.set_fontsize(max(text.get_fontsize() * room / extent.width, LEAST))


def _renderer(figure: Figure) -> Any:
    return RendererAgg(1, 1, figure.dpi)  # type: ignore[no-untyped-call]
