"""Which of two experiments on the same grid reached the target sooner."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray as xr

from fastmomentum.analysis.refined_map import CELL, cells_run, refined_map
from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.boundaries import theory_lines_of
from fastmomentum.plots.duels import duel_bar, duel_map
from fastmomentum.plots.pages.choosing import At, at_target, chosen, has_theory, plane, start_of
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import Start

NAMES: Final = {"sgd": "gradient descent", "momentum": "heavy ball", "nesterov": "Nesterov"}


@takes(ds=RESULTS, other=RESULTS)
def duel(
    ds: xr.Dataset,
    other: xr.Dataset,
    start: Start | None = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    target: float | None = None,
    theory: bool = True,
    names: tuple[str, str] | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Map which of two experiments on the same grid reached the target sooner, and by how much.

    Over it are drawn the theory's stability boundaries and best settings of both.

    Parameters
    ----------
    ds, other : xarray.Dataset
        Results of the same objective, grid, start and velocity.
    start, velocity : int or (float, float), optional
        Which; the first without.
    at : mapping of float, optional
        As for `pages.contour`.
    target : float, optional
        One of the targets; the last without.
    theory : bool
        Whether to draw what it predicts.
    names : (str, str), optional
        What the two are called; without, as their rules are.
    title, size, style
        As for `pages.contour`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` has lines about what was drawn.

    Raises
    ------
    InputError
        An argument makes no sense.

    Examples
    --------
    >>> import numpy as np
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=100, grid=fm.Grid(lr=[0.1, 0.2], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-8])))
    >>> plan = fm.experiment_of(ds)
    >>> other = fm.run(plan.model_copy(update={"rule": fm.experiment_of(ds).rule}))
    >>> fm.plots.duel(ds, other, names=("a", "b")).axes[0].get_xlabel()
    'learning rate'
    """
    both = [chosen(each, velocity, at) for each in (ds, other)]
    planes = [at_target(each, target) for each in _planes(both, start)]
    run = [cells_run(each) for each in both if CELL in each.dims]
    first, second = (experiment_of(each).rule.name for each in both)
    called = names or (NAMES.get(first, first), NAMES.get(second, second))
    with drawn_in(style) as settings:
        page = new_page(settings, size, (10.0, 7.8))
        entitle(page, ds, title)
        ax = page.add_subplot()
        drawn = duel_map(ax, planes[0], planes[1], called)
        handles: list[Any] = list(drawn.legend)
        for each, name, dashes, marker in zip(both, called, ("-", ":"), "Do", strict=True):
            if not theory or not has_theory(each) or not len(objective_of(each).minimisers):
                continue
            lines = theory_lines_of(ax, each)
            if lines.oscillation is not None:
                lines.oscillation.remove()
            if lines.stability is not None:
                lines.stability.set(
                    linestyle=dashes, label=f"{name}: {lines.stability.get_label()}"
                )
            if lines.optimum is not None:
                lines.optimum.set(marker=marker, label=f"{name}: {lines.optimum.get_label()}")
            handles += lines.seen
            page.notes += [lines.outside] if lines.outside else []
        duel_bar(ax, drawn, called, float(planes[0]["target"][-1]))
        page.notes += [f"{name}: {said}" for name, said in zip(called, run, strict=False)]
        what = f"objective {objective_of(both[0]).words}, {called[0]} against {called[1]}"
        ax.set_title(lines_of(page, f"{what}, from {start_of(planes[0])}", *page.notes))
        page.said += page.notes
        legend_below(page, 2, handles=handles)
    return finished(page)


def _planes(both: list[xr.Dataset], start: Start | None) -> list[xr.Dataset]:
    """The maps of both, refined ones laid out.

    Raises
    ------
    InputError
        One is refined and the other is not, or they are refined to different depths.
    """
    planes = [plane(each, start) for each in both]
    fine = [CELL in each.dims for each in planes]
    if not any(fine):
        return planes
    grids = [experiment_of(each).grid for each in both]
    same = all(
        np.array_equal(one, other)
        for one, other in zip(*((grid.lr.points, grid.momenta) for grid in grids), strict=True)
    )
    if not (all(fine) and same):
        raise InputError(
            "a duel takes two results of the same lr and momentum, and one of these is a refined "
            "map: refine both, of the same grid and to the same --levels, or draw the two maps "
            "they were refined from"
        )
    return [refined_map(each.load()) for each in planes]
