"""The loss, or the distance from the minimum, of chosen runs against the step."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal

import xarray as xr

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.boundaries import of_what
from fastmomentum.plots.losses import LossCurves, loss_curves
from fastmomentum.plots.marks import draw_keys
from fastmomentum.plots.pages.beside import common_to, name_panels, panels, require_few, size_for
from fastmomentum.plots.pages.choosing import (
    At,
    Several,
    chosen,
    chosen_runs,
    has_theory,
    listed,
)
from fastmomentum.plots.pages.over_seeds import loss_bands
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.planes import described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.runs import Run
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.results.selection import Start


@takes(ds=RESULTS)
def loss(
    ds: xr.Dataset,
    lr: Several = None,
    momentum: Several = None,
    start: Several = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    show: Literal["loss", "distance"] = "loss",
    steps: Literal["auto", "log", "linear"] = "auto",
    theory: bool = True,
    beside: bool = False,
    bands: bool = False,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw the loss, or the distance from the minimum, of chosen runs against the step.

    Dashed lines fall as fast as theory at the minimum predicts; they are straight where the axis of
    steps is linear, as it is for runs of similar lengths.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, from `fm.run` or `fm.open`.
    lr, momentum, start, velocity, at
        As for `pages.contour`.
    show : {"loss", "distance"}
        What is drawn.
    steps : {"auto", "log", "linear"}
        The axis of steps.
    theory : bool
        Whether to draw what it predicts.
    beside : bool
        Whether each run has a panel of its own, all with the same scales.
    bands : bool
        Of results with seeds, for each cell the median over all of them, the quartiles and 5 to
        95%; on a quadratic with noise, or with batches drawn by "replacement", also what theory
        expects.
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
    >>> fm.plots.loss(ds, lr=0.1, momentum=0.5).axes[0].get_yscale()
    'log'
    """
    if bands:
        if show != "loss":
            raise InputError("--bands are drawn of the loss; leave --show out")
        cells = listed(lr), listed(momentum), listed(start)
        return loss_bands(ds, cells, velocity, at, theory, (title, size, style))
    one = chosen(ds, velocity, at)
    runs, said = chosen_runs(one, lr, momentum, start, replayed=True)  # rates show in every step
    draw = functools.partial(
        _curves,
        of_what(one),
        objective=objective_of(one),
        rule=rule_of(one),
        quantity=show,
        steps=steps,
        theory=theory and has_theory(one),
    )
    with drawn_in(style) as settings:
        if beside:
            return _panels(one, runs, said, draw, title, size, settings)
        page = new_page(settings, size, (10.0, 7.5))
        page.said += said
        entitle(page, one, title)
        ax = page.add_subplot(title=lines_of(page, described(one)))
        drawn = draw(ax, runs)
        draw_keys(page, drawn.keys)
        if drawn.handles:
            legend_below(page, handles=drawn.handles)
    return finished(page)


def _curves(of: str, *given: Any, **named: Any) -> LossCurves:
    """Draw as `loss_curves`, and say what theory is of where there are batches."""
    drawn = loss_curves(*given, **named)
    for line in drawn.predicted:
        line.set_label(str(line.get_label()).replace("theory", f"theory{of}"))
    return drawn


def _panels(
    ds: xr.Dataset,
    runs: list[Run],
    said: list[str],
    draw: Callable[..., LossCurves],
    title: str | None,
    size: Size | None,
    settings: dict[Any, Any],
) -> Page:
    """Draw each run in a panel, on the scales of all."""
    require_few(runs)
    page = new_page(settings, size, size_for(len(runs)))
    page.said += said
    entitle(page, ds, title, common_to(ds, runs))
    axes = panels(page, len(runs), sharex=True, sharey=True)
    predicted = []
    for ax, run in zip(axes, runs, strict=True):
        drawn = draw(ax, [run], among=runs)
        predicted += [line for line in drawn.handles if line in drawn.predicted]
        ax.label_outer()
    name_panels(page, axes, runs)
    if predicted:
        legend_below(page, handles=predicted[:1])
    return finished(page)
