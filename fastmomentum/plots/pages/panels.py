"""Everything about one run on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.figure import Figure

from fastmomentum.objectives import MSE
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.casing import scale_marks
from fastmomentum.plots.fields import Scale
from fastmomentum.plots.fonts import give_fonts
from fastmomentum.plots.pages.choosing import At, chosen, whole_run
from fastmomentum.plots.pages.page import Page, Size, Style, new_page
from fastmomentum.plots.pages.paths import Ends, View, field_around, turn
from fastmomentum.plots.report_parts import Report
from fastmomentum.plots.room import shrink_to_fit
from fastmomentum.plots.run_panels import run_report
from fastmomentum.plots.run_race import runs_report
from fastmomentum.plots.runs import Run, outside
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.chosen import rule_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import Labelled
from fastmomentum.results.selection import Start

PAGE_SIZE: Final = (12.8, 7.2)
"""Inches of a report: a slide's shape."""

PAGE_POINTS = 301
"""Samples along an axis of its surface and contours."""


@takes(ds=RESULTS)
def report(
    ds: Labelled,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    window: Ends | None = None,
    scale: Scale = "auto",
    view: View | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw everything about one run: the surface, contours with the path, and progress by step.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, from `fm.run` or `fm.open`.
    lr, momentum, start : optional
        Which run; what is left out is the best run's. All of its steps are drawn.
    velocity, at, window, scale, view, title, size, style
        As for `pages.contour` and `pages.surface`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` names the cell and its final point.

    Raises
    ------
    InputError
        An argument makes no sense.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=9,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.9, start=[(-1.2, 1)])))
    >>> sorted(ax.get_label() for ax in fm.plots.report(ds).axes[:3])
    ['contour', 'progress', 'surface']
    """
    one = chosen(ds, velocity, at)
    run, said = whole_run(one, lr, momentum, start)
    x, y = run.points[-1].tolist()
    with drawn_in(style) as settings:
        page = new_page(settings, size, PAGE_SIZE)
        page.said += [said, f"final point: ({x!r}, {y!r})"]
        objective = experiment_of(ds).objective
        if isinstance(objective, MSE) and objective.scaling is not None:
            a, b = objective.own_line(x, y)
            page.said.append(f"in the data's own units: a = {a!r}, b = {b!r}")
        draw_runs(page, one, [run], window, scale, view, title)
        page.said += page.notes
    return page


def draw_runs(
    figure: Figure,
    ds: Labelled,
    runs: Sequence[Run],
    window: Ends | None = None,
    scale: Scale = "auto",
    view: View | None = None,
    title: str | None = None,
    steps: Sequence[int] | None = None,
) -> Report:
    """Draw everything about one run, or several, still or with frames after some steps.

    See `run_report` and `runs_report`. A page's `notes` say what lies outside of its window.
    """
    data = (ds["data_x"].values, ds["data_y"].values) if "data_x" in ds else None
    field = field_around(ds, runs, window, scale, PAGE_POINTS)
    named = str(ds.attrs.get("title") or "") if title is None else title
    if len(runs) == 1:
        found = None if steps is None else np.unique(np.searchsorted(runs[0].steps, steps))
        frames = None if found is None else found.tolist()
        drawn = run_report(figure, runs[0], field, rule_of(ds), data, named, frames)
    else:
        drawn = runs_report(figure, runs, field, rule_of(ds), data, named, steps)
    if isinstance(figure, Page):
        figure.notes += filter(None, [outside(runs, field.window)])
    turn(drawn.axes["surface"], view)
    give_fonts(figure)
    scale_marks(figure, figure.shrink if isinstance(figure, Page) else 1.0)
    for line in figure.texts:
        shrink_to_fit(line)
    return drawn
