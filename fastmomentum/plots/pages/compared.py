"""Several rules on one objective: the best run of each, and how much the learning rate matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from fastmomentum.analysis.comparing import Fastest, fastest, soonest
from fastmomentum.analysis.replaying import replay
from fastmomentum.errors import InputError
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.objectives import Objective
from fastmomentum.plots.arguments import RESULTS, Kind, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.fastest_cells import MEDIAN
from fastmomentum.plots.fields import colour_bar, contour, sample
from fastmomentum.plots.geometry import Floats, clip
from fastmomentum.plots.pages.choosing import (
    MOST_POINTS,
    SUMMARIES,
    chosen,
    plane,
    start_names,
    start_of,
)
from fastmomentum.plots.pages.page import Page, Size, Style, finished, lines_of, new_page, wrapped
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.runs import Run, outside, run_of, window
from fastmomentum.plots.style import COLOURS, LINES, START, colours_on, counted, grid_colour
from fastmomentum.plots.style import number as written
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import BY_NAME, Start, labels_of
from fastmomentum.results.slices import with_all_axes

LEAST: Final = 1e-28
"""Least fraction of the first loss that is drawn."""

ALIKE: Final = 10
"""Runs whose lengths differ by less than this factor are drawn on a linear axis."""

MOST_RATES: Final = 200
"""Most learning rates of a curve."""


@dataclass(frozen=True)
class _Compared:
    name: str
    results: xr.Dataset
    found: Fastest
    run: Run
    line: dict[str, Any]

    @property
    def target(self) -> float | None:
        if "target" not in self.results.coords:
            return None
        return float(np.atleast_1d(self.results["target"].values)[-1])

    @property
    def lone(self) -> int | None:
        """Steps of the fastest cell, where its neighbours are slow: it is not the best run then."""
        return None if self.found.lone == self.found.hit_step else self.found.lone

    @property
    def said(self) -> str:
        """Its best run in a line, for a legend and for a terminal."""
        others = labels_of(self.results, NAMED)
        more = "".join(f", {name} {self.found.cell[name]:.3g}" for name in others)
        momentum = "by schedule" if self.run.is_momentum_scheduled else f"{self.run.momentum:.4g}"
        moves = experiment_of(self.results).rule.rule.uses_momentum
        setting = f"lr {self.run.lr:.3g}" + (f", momentum {momentum}" if moves else "") + more
        if self.found.hit_step is not None:
            share = f" ({self.found.converged:.1%} of the settings do)"
            said = f"{self.name}: target after {counted(self.found.hit_step)} with {setting}{share}"
            lone = "" if self.lone is None else f"; lone fastest cell: {counted(self.lone)}"
            return said + lone
        return f"{self.name}: {self.found.loss:.3g} at the end with {setting}"


BY_NAME_OF_RESULTS: Final = Kind(
    "results by name, such as {'heavy ball': fm.open('heavy.h5')}",
    lambda given: isinstance(given, Mapping) and all(map(RESULTS.is_one, given.values())),
)


@takes(results=BY_NAME_OF_RESULTS)
def comparison(
    results: Mapping[str, xr.Dataset],
    start: Start | None = None,
    *,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw the best run of each experiment: path, loss, and updates by learning rate.

    The best is that of `fm.analysis.fastest`, of all settings from one start: the soonest at the
    last target together with its neighbours; where none came there, the one of the lowest loss.

    Parameters
    ----------
    results : mapping of xarray.Dataset
        By name, such as those of the experiments of `fm.load_comparison`: of one objective.
    start : int or (float, float), optional
        Which; the first without.
    title : str, optional
        Above the picture; that of the first experiment without.
    size : (float, float), optional
        Inches.
    style : str or path, optional
        On top of the house style.

    Returns
    -------
    Page
        A Figure; `said` has a line about each best run, and before them one that says how cells
        were judged, where a lone one is faster than the best with its neighbours.

    Raises
    ------
    InputError
        The objectives or the targets differ, or there are more than can be told apart; or these are
        no results by name.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> made = {rule: fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule=rule,
    ...     steps=200, grid=fm.Grid(lr=[0.05, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-8]))) for rule in ("momentum", "nesterov")}
    >>> comparison(made).said[0]
    'momentum: target after 29 steps with lr 0.1, momentum 0.5 (100.0% of the settings do)'
    """
    if not 1 <= len(results) <= len(COLOURS) * len(LINES):
        raise InputError(f"a comparison takes 1 to {len(COLOURS) * len(LINES)} results")
    one, *others = (_kind(ds) for ds in results.values())
    for name, other in zip(list(results)[1:], others, strict=True):
        if other != one:
            raise InputError(
                "a comparison takes results of the same objective and the same targets: those of "
                f"{next(iter(results))} and {name} differ"
            )
    with drawn_in(style) as settings:
        colours = colours_on(matplotlib.rcParams["axes.facecolor"])
        compared = [
            _compared(name, ds, start, k, colours) for k, (name, ds) in enumerate(results.items())
        ]
        first = compared[0]
        objective = objective_of(first.results)
        by_lr = first.target is not None and any(
            one.results.sizes["lr"] > 1 and one.found.hit_step is not None for one in compared
        )
        page = new_page(settings, size, (15.0, 8.0))
        shape: list[Any] = [["paths", "loss"], ["paths", "lr"]] if by_lr else [["paths", "loss"]]
        axes = page.subplot_mosaic(shape, width_ratios=[1.15, 1.0])
        page.notes += filter(None, [_paths(axes["paths"], compared, objective)])
        _losses(axes["loss"], compared, objective)
        above = "the best run of each"
        if any(one.lone is not None for one in compared):  # else it is the fastest either way
            above += f": {MEDIAN}"
            page.said.append(f"the best run of each is the {MEDIAN} over lr and momentum")
        axes["loss"].set_title(lines_of(page, above, panels=2), loc="left")
        if by_lr:
            _by_learning_rate(axes["lr"], compared)
            above = f"updates to {written(first.target or 0.0)}, {MEDIAN}"
            axes["lr"].set_title(lines_of(page, above, panels=2), loc="left")
        page.said += [*(one.said for one in compared), *page.notes]
        plan = experiment_of(first.results)
        page.suptitle(
            wrapped(page, title or plan.title or objective.words, "figure.titlesize"),
            parse_math=False,
        )
        what = f"best runs on {objective.words}, from {start_of(first.results)}"
        axes["paths"].set_title(lines_of(page, what, *page.notes, panels=2))
        handles = [Line2D([], [], label=one.said, **one.line) for one in compared]
        legend_below(page, 1, handles=handles)
    return finished(page)


def _kind(ds: xr.Dataset) -> tuple[Any, ...]:
    plan = experiment_of(ds)
    return plan.objective, plan.stop.targets


def _compared(
    name: str, ds: xr.Dataset, start: Start | None, turn: int, colours: Sequence[str]
) -> _Compared:
    free = labels_of(with_all_axes(ds), BY_NAME)
    some = plane(chosen(ds, None, None, free), start, SUMMARIES, free).load()
    found = fastest(some)
    at = {key: found.cell[key] for key in labels_of(some, BY_NAME)}
    x, y = (float(some[name]) for name in start_names(some))
    every = max(1, experiment_of(ds).steps // MOST_POINTS)
    cell = replay(ds, found.cell["lr"], found.cell["momentum"], (x, y), every, at=at)
    line = {
        "color": colours[turn % len(colours)],
        "linestyle": LINES[turn // len(colours)],
        "linewidth": 1.8,
    }
    return _Compared(name, some, found, run_of(cell), line)


def _paths(ax: Axes, compared: list[_Compared], objective: Objective) -> str:
    """Draw the paths over contours; say what of them lies outside."""
    runs = [one.run for one in compared]
    field = sample(objective, window(objective, runs))
    drawn = contour(ax, field)
    colour_bar(ax, field, drawn.lines)
    for one in compared:
        points, _ = clip(one.run.points, field.window)
        ax.plot(*points.T, **one.line, path_effects=cased(3.0), zorder=3)
    ax.plot(*np.array([runs[0].start]).T, **START)
    return outside(runs, field.window)


def _losses(ax: Axes, compared: list[_Compared], objective: Objective) -> None:
    least = objective.f_min or 0.0
    curves = [objective.value(*one.run.points.T) - least for one in compared]
    highest = max(float(curve[0]) for curve in curves)
    for one, curve in zip(compared, curves, strict=True):
        shown = np.where((curve > LEAST * highest) & np.isfinite(curve), curve, np.nan)
        ax.plot(one.run.steps, shown, **one.line)
    ax.set(yscale="log", xlabel="updates", ylabel="f" if objective.f_min is None else
           "f \N{MINUS SIGN} minimum")  # fmt: skip
    lengths = [max(one.run.n_steps, 1) for one in compared]
    if max(lengths) > ALIKE * min(lengths):
        ax.set(xscale="log", xlim=(1, max(lengths)))
    target = compared[0].target
    if target is not None:
        ax.axhline(target, color="0.5", linewidth=1.0, linestyle=(0, (1, 2)))
    _grid(ax)
    ax.xaxis.set_major_formatter("{x:,.0f}")


def _by_learning_rate(ax: Axes, compared: list[_Compared]) -> None:
    for one in compared:
        steps = soonest(one.results)
        lr, values = _thinned(steps["lr"].values, steps.values)
        met = np.isfinite(values)
        lone: dict[str, Any] = {"marker": "o"} if met.sum() == 1 else {}
        ax.plot(lr, np.where(met, values, np.nan), **one.line, **lone)
    ax.set(xscale="log", yscale="log", xlabel="learning rate", ylabel="updates to the target")
    _grid(ax)


def _thinned(lr: Floats, steps: Floats) -> tuple[Floats, Floats]:
    """Of many learning rates, the middle of some neighbours each: a line, and not a band."""
    every = -(-lr.size // MOST_RATES)
    whole = lr.size - lr.size % every
    return (
        np.median(lr[:whole].reshape(-1, every), axis=1),
        np.sort(steps[:whole].reshape(-1, every), axis=1)[:, every // 2],
    )


def _grid(ax: Axes) -> None:
    ax.grid(color=grid_colour(ax.get_facecolor()), linewidth=0.8, alpha=0.7)
    ax.set_axisbelow(True)
