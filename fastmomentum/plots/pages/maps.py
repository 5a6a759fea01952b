"""Maps of a grid over learning rate and momentum, for one start, with the theory over it."""

from __future__ import annotations

from typing import Any, Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from fastmomentum.analysis import (
    agreement,
    basin,
    foretold,
    gap_ratio,
    measured_rate,
    predicted_rate,
)
from fastmomentum.analysis.refined_map import CELL, cells_run, refined_map
from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.boundaries import of_what, theory_lines_of
from fastmomentum.plots.cycle_regions import cycles_of
from fastmomentum.plots.pages.choosing import (
    SUMMARIES,
    At,
    at_target,
    chosen,
    has_theory,
    plane,
    start_of,
)
from fastmomentum.plots.pages.other_axes import checked, other_axes
from fastmomentum.plots.pages.over_seeds import over_all_seeds
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.partings import parting_map, ratio_map
from fastmomentum.plots.phases import phase_map, status_map, steps_bar
from fastmomentum.plots.planes import described
from fastmomentum.plots.rates import rate_bar, rate_map
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.seed_maps import Measure
from fastmomentum.plots.style import point as written
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.selection import Start
from fastmomentum.text import no_such_number

MEASURED_CELLS: Final = 512
"""Most cells measured along an axis, as each run has to be replayed for its rate."""

FIT: Final = 0.99
"""Least r squared of a rate that is drawn and compared."""


class Drawn(NamedTuple):
    """What a map contributes to its figure."""

    handles: list[Any]
    agreement: str
    notes: tuple[str, ...] = ()


@takes(ds=RESULTS)
def phase(
    ds: xr.Dataset,
    start: Start | None = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    x: str = "lr",
    y: str = "momentum",
    over: str | None = None,
    show: Literal["hit", "status", "rate"] = "hit",
    target: float | None = None,
    theory: bool = True,
    minimiser: int | None = None,
    beside: bool = False,
    cells: int = MEASURED_CELLS,
    cycles: int | None = None,
    curvatures: tuple[float, float] | None = None,
    seeds: Measure | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Map a grid over learning rate and momentum, for one start, with the theory over it.

    Over other axes there is no theory, and `show` is "hit" or "status". With batches the edge of
    stability is that of the mean square if each row is drawn by itself, else that of the full
    gradient; the legend says which.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, from `fm.run` or `fm.open`.
    start, velocity : int or (float, float), optional
        Which; the first without.
    at : mapping of float, optional
        As for `pages.contour`.
    x, y : str
        Axes of the grid, to the right and upwards, such as "nu" or "objective_b".
    over : str, optional
        A third axis: a map for each of its values.
    show : {"hit", "status", "rate"}
        The steps to a target (how the runs ended, where there is no target), how they ended, or
        how fast they came near, which is measured on the runs, walked again.
    target : float, optional
        One of the targets; the last without.
    theory : bool
        Whether to draw what it says.
    minimiser : int, optional
        At which minimiser, from 0; at the one that most runs reached without.
    beside : bool
        Theory beside the map: where it foretells what diverges, and where the two part. With
        rates: the predicted ones, and how many times faster runs came near than predicted.
    cells : int
        With rates: most cells measured along an axis.
    cycles : int, optional
        Where cycles of the heavy ball of up to so many points are on some function of the same
        curvatures, and below what there are none; see `fm.plots.cycle_region`.
    curvatures : (float, float), optional
        Smallest and largest curvature for `cycles`; the objective's own without.
    seeds : {"mean", "share"}, optional
        Over all seeds: the mean loss at the end, or the share of the seeds that met the target
        (without one, that did not diverge). Without, one seed is drawn, the first or that of `at`.
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
    >>> fm.plots.phase(ds, show="status").axes[0].get_ylabel()
    'momentum'
    """
    if curvatures is not None and cycles is None:
        raise InputError("--curvatures goes with --cycles")
    free = [name for name in (x, y, over) if name]
    if seeds is not None:
        if over or show != "hit":
            raise InputError("--seeds maps all seeds at once; leave --over and --show out")
        return over_all_seeds(
            ds, start, velocity, at, (x, y), seeds, target, theory, (title, size, style)
        )
    one, run = chosen(ds, velocity, at, free), ""
    if CELL in one.dims:
        if free != ["lr", "momentum"] or show == "rate":
            raise InputError(
                "a list of cells is drawn over lr and momentum, as hit or status; leave --x, --y, "
                "--over and --show rate out"
            )
        run = cells_run(one)
        one = refined_map(plane(one, start, (*SUMMARIES, "final")).load())
        start = None
    whole = plane(checked(one, free), start, (*SUMMARIES, "final"), free)
    results = at_target(whole, target)
    if free != ["lr", "momentum"]:
        if show == "rate":
            raise InputError(
                "--show rate is drawn over lr and momentum; leave --x, --y, --over out"
            )
        if beside:
            raise InputError("--beside is drawn over lr and momentum; leave --x, --y, --over out")
        if cycles is not None:
            raise InputError("--cycles is drawn over lr and momentum; leave --x, --y, --over out")
        with drawn_in(style) as settings:
            return other_axes(one, results, (x, y, over), show, title, size, settings)
    place = _minimiser(results, minimiser, theory)
    if beside and place is None:
        raise InputError("--beside: there is no theory to draw beside the map")
    with drawn_in(style) as settings:
        count = 1 + beside * (2 if show == "rate" else 1)
        page = new_page(settings, size, ({1: 10.0, 2: 15.0, 3: 20.0}[count], 7.5))
        panels = list(page.subplots(1, count, squeeze=False, sharey=True)[0])
        if show == "rate":
            drawn = _rate_maps(panels, results, place, beside, cells)
        else:
            drawn = _end_map(panels, results, place, show, beside, "cells" if run else "runs")
        region = [] if cycles is None else cycles_of(panels[0], results, cycles, curvatures)
        page.notes += [note for note in drawn.notes if note]
        page.said += [line for line in (run, drawn.agreement, *page.notes) if line]
        what = f"{described(one)}, from {start_of(results)}"
        if beside:
            panels[0].set_title(lines_of(page, f"measured: {what}", panels=count))
            where = f"{of_what(results)}, at {written(place)}"
            said = ("predicted by theory", "how far they part") if count > 2 else ("theory",)
            for panel, words in zip(panels[1:], said, strict=True):
                above = f"{words}{where}" if words.endswith("theory") else words
                panel.set_title(lines_of(page, above, panels=count))
            entitle(page, one, title, *page.said)
        else:
            panels[0].set_title(lines_of(page, what, *page.said))
            entitle(page, one, title)
        legend_below(page, 2 + (count > 1), handles=[*drawn.handles, *region])
    return finished(page)


def _end_map(
    panels: list[Axes], results: xr.Dataset, at: Any, show: str, beside: bool, counted: str
) -> Drawn:
    """Map the steps to a target, or how runs ended; and beside it where theory foretells that."""
    draw = status_map if show == "status" else phase_map
    drawn = draw(panels[0], results)
    steps_bar(panels[0], drawn)
    handles = drawn.handles
    if at is None:
        return Drawn(handles, "", (drawn.note,))
    found = foretold(results, at)
    regimes = ", ".join(
        f"{share:.1%} of {n:,} {name}" for name, (share, n) in found.by_regime.items()
    )
    said = (
        f"theory{of_what(results)} at the minimum foretells of {found.share:.1%} of the {counted} "
        f"whether they diverge ({regimes})"
    )
    lines = theory_lines_of(panels[0], results, at)
    handles = [*handles, *lines.seen]
    if beside:
        handles += parting_map(panels[1], found.partings)
        panels[1].set_ylabel("")
        theory_lines_of(panels[1], results, at)
    return Drawn(handles, said, (drawn.note, lines.outside))


def _rate_maps(panels: list[Axes], results: xr.Dataset, at: Any, beside: bool, cells: int) -> Drawn:
    """Map measured rates, and beside them predicted ones."""
    if cells < 1:
        raise InputError(f"--cells must be 1 or more: got {cells}")
    every = {name: -(-results.sizes[name] // cells) for name in ("lr", "momentum")}
    chosen = results.isel({name: slice(None, None, k) for name, k in every.items()})
    measured = measured_rate(chosen)
    clear = measured["rate"].where(measured["r_squared"] >= FIT)
    drawn = rate_map(panels[0], clear, chosen["status"])
    if drawn.rates is None:
        raise InputError("--show rate: no run of this start comes near a minimum at a clear rate")
    if not beside:
        rate_bar(panels[0], drawn, "measured rate: factor on the distance, an update")
    if at is None:
        return Drawn(drawn.legend, "")
    lines = theory_lines_of(panels[0], results, at)
    predicted = predicted_rate(chosen, at)
    if beside:
        same: Any = drawn.rates.norm
        right = rate_map(panels[1], predicted, norm=same)
        panels[1].set_ylabel("")
        theory_lines_of(panels[1], results, at)
        rate_bar(panels[1], right, "rate: factor on the distance, an update")
        ratio_map(panels[2], gap_ratio(clear, predicted))
        panels[2].set_ylabel("")
    known = objective_of(results).minimisers
    if len(known) > 1:  # theory at one minimiser is not that at another
        elsewhere = [i for i, other in enumerate(known) if not np.array_equal(other, at)]
        measured = measured.where(~basin(chosen).isin(elsewhere))
    found = agreement(measured, predicted, fit=FIT)
    said = (
        f"{found.share_within:.1%} of {found.n_compared:,} measured rates within 10% of theory"
        f"{of_what(results)} in 1 \N{MINUS SIGN} rate, median difference {found.median:.1%}"
    )
    return Drawn([*drawn.legend, *lines.seen], said, (lines.outside,))


def _minimiser(results: xr.Dataset, number: int | None, theory: bool) -> Any:
    """Choose where theory is drawn: at the minimiser that most runs reached; None for nowhere."""
    known = objective_of(results).minimisers
    if number is not None and not len(known):
        raise InputError(f"{objective_of(results).words} has no minimiser; leave --minimiser out")
    if number is not None and not 0 <= number < len(known):
        raise InputError(no_such_number("--minimiser", len(known), number))
    if not theory or not len(known) or not has_theory(results):
        return None
    if number is None:
        number = 0
        if len(known) > 1:
            sizes = results.sizes
            few = {name: slice(None, None, -(-sizes[name] // 64)) for name in ("lr", "momentum")}
            reached = basin(results.isel(few)).values
            number = int(np.bincount(reached[reached >= 0], minlength=1).argmax())
    return known[number]
