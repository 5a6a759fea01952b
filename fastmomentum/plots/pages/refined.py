"""A refined map and its busiest part: the map as a whole, and a window at full resolution."""

from __future__ import annotations

from typing import Any

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from fastmomentum.analysis.refined_map import CELL, busiest_window, refined_map
from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.pages.choosing import SUMMARIES, at_target, start_of
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.phases import PhaseMap, phase_map, status_map, steps_bar
from fastmomentum.plots.planes import described
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.dataset import experiment_of

PARTS = 8
"""Of the map along each axis; the window is one of them."""


def one_start(ds: xr.Dataset) -> xr.Dataset:
    """The summaries of a list of cells over its cells alone.

    Raises
    ------
    InputError
        It has several starts, or axes of parameters.
    """
    more = [str(dim) for dim in ds.status.dims if dim != CELL and ds.sizes[dim] > 1]
    if more:
        raise InputError(
            f"a list of cells is drawn for one value of {more[0]}: select one first, with isel"
        )
    named = [name for name in SUMMARIES if name in ds]
    return ds[named].isel({dim: 0 for dim in ds.status.dims if dim != CELL}).load()


@takes(ds=RESULTS)
def refined(
    ds: xr.Dataset,
    *,
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
        The results are no refined map, or there are several starts.

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
    if CELL not in ds.dims:
        raise InputError(
            "these results are no refined map; refine them first, with fm.analysis.refine or the "
            "command refine"
        )
    one = at_target(one_start(ds), target)
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
        left.add_patch(
            Rectangle((x[0], y[0]), x[1] - x[0], y[1] - y[0], fill=False, color="black", zorder=6)
        )
        grid = experiment_of(one).grid
        fine = f"{grid.lr.points.size:,} x {grid.momenta.size:,}"
        left.set_title(lines_of(page, f"{described(one)}, from {start_of(one)}", panels=2))
        n, m = (part.sizes[name] for name in ("lr", "momentum"))
        said = f"the part in the box: {n:,} x {m:,} of {fine} cells"
        right.set_title(lines_of(page, said, panels=2))
        page.said.append(f"{one.sizes[CELL]:,} cells of {fine} were run")
        entitle(page, one, title, *page.said)
        page.legend(handles=drawn.legend, loc="outside lower center", ncols=4)
    return finished(page)


def _map(ax: Axes, results: xr.Dataset, norm: Any = None) -> PhaseMap:
    """Draw steps, or ends where there is no target; marks of single cells are left out."""
    has_target = "target" in results.dims
    drawn = phase_map(ax, results, norm=norm) if has_target else status_map(ax, results)
    for line in list(ax.lines):
        line.remove()
    return drawn
