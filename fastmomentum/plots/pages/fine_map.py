"""A refined map and its busiest part: the map as a whole, and a window at full resolution."""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fastmomentum.analysis.refined_map import busiest_window, cells_run, refined_map
from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.pages.choosing import At, at_target, chosen, plane, start_of
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.phases import PhaseMap, phase_map, status_map, steps_bar
from fastmomentum.plots.planes import described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import Start

PARTS = 8
"""Of the map along each axis; the window is one of them."""


@takes(ds=RESULTS)
def refined(
    ds: xr.Dataset,
    start: Start | None = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    target: float | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw a refined map as a whole, and beside it the busiest part of its boundary.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of `fm.analysis.refine`.
    start, velocity : int or (float, float), optional
        Which; the first without.
    at : mapping of float, optional
        As for `pages.contour`.
    target : float, optional
        One of the targets; the last without.
    title, size, style
        As for `pages.contour`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` has lines about what was drawn.

    Raises
    ------
    InputError
        The results are no refined map.

    Examples
    --------
    >>> import tempfile, numpy as np, fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Booth(), rule="momentum", steps=200,
    ...     grid=fm.Grid(lr=np.linspace(0.05, 0.4, 9), momentum=np.linspace(0, 0.9, 9),
    ...     start=[(1, 1)])))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = fm.analysis.refine(ds, f"{folder}/fine.h5", levels=3)
    ...     with fm.open(f"{folder}/fine.h5") as fine:
    ...         page = fm.plots.pages.refined(fine)
    >>> len(page.axes)
    2
    """
    if experiment_of(ds).grid.cells is None:
        raise InputError(
            "these results are no refined map; refine them first, with fm.analysis.refine or the "
            "command refine"
        )
    one = at_target(plane(chosen(ds, velocity, at), start).load(), target)
    window = busiest_window(one, PARTS)
    with drawn_in(style) as settings:
        page = new_page(settings, size, (15.0, 7.5))
        left, right = page.subplots(1, 2)
        whole_map, part = refined_map(one), refined_map(one, window)
        drawn = _map(left, whole_map)
        norm = drawn.steps.norm if drawn.steps is not None else None
        _map(right, part, norm)
        steps_bar(right, drawn)
        x, y = right.get_xlim(), right.get_ylim()
        box = Rectangle((x[0], y[0]), x[1] - x[0], y[1] - y[0], fill=False, color="black", zorder=6)
        box.set_path_effects(cased(3.0, 0.85))  # black alone is lost where a map is dark
        left.add_patch(box)
        left.set_title(lines_of(page, f"{described(one)}, from {start_of(one)}", panels=2))
        n, m = (part.sizes[name] for name in ("lr", "momentum"))
        said = f"the part in the box: {n:,} x {m:,} cells"
        right.set_title(lines_of(page, said, panels=2))
        page.said.append(cells_run(one))
        entitle(page, one, title, *page.said)
        legend_below(page, 4, handles=drawn.legend)
    return finished(page)


def _map(ax: Axes, results: xr.Dataset, norm: Any = None) -> PhaseMap:
    """Draw steps, or ends where there is no target; marks of single cells are left out."""
    has_target = "target" in results.dims
    drawn = phase_map(ax, results, norm=norm) if has_target else status_map(ax, results)
    for line in list(ax.lines):
        line.remove()
    return drawn
