"""A panel for each of several runs, beside each other on one page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from fastmomentum.errors import InputError
from fastmomentum.plots.pages.page import Page, Size, wrapped
from fastmomentum.plots.planes import described
from fastmomentum.plots.runs import Run
from fastmomentum.results.labelled import Labelled

MOST_BESIDE: Final = 12
"""Most panels on a page."""


def shape_for(count: int) -> tuple[int, int]:
    """Rows and columns for so many panels.

    Examples
    --------
    >>> shape_for(3), shape_for(4), shape_for(7)
    ((1, 3), (2, 2), (3, 3))
    """
    columns = count if count <= 3 else math.ceil(math.sqrt(count))
    return math.ceil(count / columns), columns


def size_for(count: int) -> Size:
    """Inches that suit a page of so many panels, with a bar beside them."""
    rows, columns = shape_for(count)
    return max(9.0, 4.4 * columns + 1.4), 4.2 * rows + 2.0


def require_few(runs: Sequence[Run]) -> None:
    """Refuse more runs than there is room for.

    Raises
    ------
    InputError
        There are more than `MOST_BESIDE`.
    """
    if len(runs) > MOST_BESIDE:
        raise InputError(f"--beside draws {MOST_BESIDE} runs at most: got {len(runs)}")


def panels(page: Page, count: int, **options: Any) -> list[Any]:
    """Make axes with the same limits, labelled at the page's left and lower edges alone."""
    rows, columns = shape_for(count)
    grid = page.subplots(rows, columns, squeeze=False, **options)
    for empty in grid.ravel()[count:]:
        empty.remove()
    return list(grid.ravel()[:count])


def common_to(ds: Labelled, runs: Sequence[Run]) -> str:
    """Say what all panels have in common, for the line below the title."""
    one_start = len({run.departure for run in runs}) == 1
    return ", ".join([described(ds), runs[0].departure] if one_start else [described(ds)])


def name_panels(page: Page, axes: Sequence[Any], runs: Sequence[Run]) -> None:
    """Write above each panel which run it shows, and how that ended."""
    one_start = len({run.departure for run in runs}) == 1
    part = 0.85 / shape_for(len(runs))[1]
    for ax, run in zip(axes, runs, strict=True):
        where = run.cell if one_start else f"{run.cell}\n{run.departure}"
        ax.set_title(wrapped(page, f"{where}\n{run.ending}", "axes.titlesize", part))
