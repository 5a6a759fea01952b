"""Map a grid over learning rate and momentum, for one start, with the theory over it.

--show hit: the steps to a target; status: how the runs ended; rate: how fast they came near, which
is measured on the runs, walked again. Left out, it is hit, or status where there is no target.
Over the map is drawn what theory says at the minimiser that most of the runs reached, and below
the title stands how well the two agree. --x, --y and --over take other axes of the grid, such as
nu or objective_b; what is not drawn stays at its first value, or at that of --at NAME=VALUE.
"""

from __future__ import annotations

from _arguments import add_start, add_target, output, parser, script

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from _cells import SUMMARIES, at_target, opened, plane, start_names, start_of
from _figures import figure, lines_of, save, style, subtitle
from matplotlib.axes import Axes
from matplotlib.patches import Patch

import fastmomentum as fm
from fastmomentum import analysis, plots
from fastmomentum.errors import InputError
from fastmomentum.plots.style import point as written
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.text import suggest

MEASURED_CELLS = 512
"""Along an axis, unless --cells says otherwise: for a rate its run is walked again."""

FIT = 0.99
"""Least r squared of a rate that is drawn and compared."""


class Drawn(NamedTuple):
    """What a map gives to its figure."""

    handles: list[Any]
    agreement: str
    notes: tuple[str, ...] = ()


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    arguments = _parser().parse_args(words)
    path = output(arguments, "phase")
    free = [name for name in (arguments.x, arguments.y, arguments.over) if name]
    with opened(arguments.results, arguments, free) as ds, style(arguments):
        whole = plane(checked(ds, free), arguments.start, (*SUMMARIES, "final"), free)
        results = at_target(whole, arguments.target)
        if arguments.over or free != ["lr", "momentum"]:
            other_axes(ds, results, arguments, path)
            return
        made = figure(ds, height=7.5)
        if arguments.beside:
            made.set_size_inches(15.0, 7.5)
        panels = made.subplots(1, 1 + arguments.beside, squeeze=False, sharey=True)[0]
        at = minimiser(results, arguments)
        draw = rate_maps if arguments.show == "rate" else end_map
        drawn = draw(list(panels), results, at, arguments)
        title = f"{subtitle(ds)}, from {start_of(results)}"
        said = [line for line in (drawn.agreement, *drawn.notes) if line]
        if arguments.beside:
            panels[0].set_title(f"measured: {title}")
            panels[1].set_title(f"predicted by theory, at {written(at)}")
            made.suptitle("\n".join([made.get_suptitle(), *said]), parse_math=False)
        else:
            panels[0].set_title(lines_of(title, *said))
        for line in said:
            print(line)
        made.legend(handles=drawn.handles, loc="outside lower center", ncols=2)
        save(made, path)


def _parser() -> argparse.ArgumentParser:
    made = parser(__doc__ or "")
    add_start(made)
    add = made.add_argument
    add("--x", default="lr", metavar="NAME", help="axis of the grid to the right (lr)")
    add("--y", default="momentum", metavar="NAME", help="axis of the grid upwards (momentum)")
    add("--over", metavar="NAME", help="a map for each value of a third axis")
    add("--show", choices=("hit", "status", "rate"), default="hit", help="what is mapped")
    add_target(made)
    add("--no-theory", action="store_true", help="draw measurement alone")
    add("--minimiser", type=int, metavar="N", help="at which minimiser theory is drawn, from 0")
    add("--beside", action="store_true", help="with --show rate: the predicted rate beside it")
    text = f"with --show rate: most cells measured along an axis (default: {MEASURED_CELLS})"
    add("--cells", type=int, default=MEASURED_CELLS, metavar="N", help=text)
    return made


def checked(ds: xr.Dataset, free: Sequence[str]) -> xr.Dataset:
    """Refuse axes that there are not; of settings that are not drawn take the first."""
    for name in free:
        if name not in ds.dims:
            known = list(fm.experiment_of(ds).grid.axes)
            raise InputError(f"--x, --y, --over: {name} is no axis; {suggest(name, known)}")
    if len(set(free)) < len(free):
        raise InputError(f"--x, --y and --over must differ: got {', '.join(free)}")
    return ds.isel({k: 0 for k in ("lr", "momentum") if k in ds.dims and k not in free})


def other_axes(
    ds: xr.Dataset, results: xr.Dataset, arguments: argparse.Namespace, path: Path
) -> None:
    """Draw steps to the target, or ends, over other axes, or in small multiples."""
    if arguments.show == "rate" or arguments.beside:
        raise InputError("--show rate is drawn over lr and momentum; leave --x, --y, --over out")
    made = figure(ds, height=7.5)
    if arguments.show == "status":
        results = results.drop_dims("target", errors="ignore")
    x, y = arguments.x, arguments.y
    if arguments.over:
        made.set_size_inches(13.0, 9.0)
        drawn = plots.phase_panels(made, results, arguments.over, x, y)
    else:
        drawn = [plots.phase_map(ax := made.add_subplot(), results, x, y)]
        plots.steps_bar(ax, drawn[0])
    handles = {handle.get_label(): handle for one in drawn for handle in one.handles}
    if arguments.over:  # shares and best cells are each map's own
        handles = {str(key).partition(" (")[0]: one for key, one in handles.items()
                   if isinstance(one, Patch)}  # fmt: skip
        for label, handle in handles.items():
            handle.set_label(label)
    start = [] if {x, y, arguments.over} & {*start_names(ds), "start"} else [start_of(results)]
    said = [subtitle(results), *(f"from {one}" for one in start)]
    made.suptitle("\n".join([made.get_suptitle(), ", ".join(said)]), parse_math=False)
    if not arguments.over and drawn[0].note:
        print(drawn[0].note)
    made.legend(handles=list(handles.values()), loc="outside lower center", ncols=2)
    save(made, path)


def end_map(
    panels: list[Axes], results: xr.Dataset, at: Any, arguments: argparse.Namespace
) -> Drawn:
    """Map the steps to a target, or how runs ended."""
    if arguments.beside:
        raise InputError("--beside goes with --show rate")
    (ax,) = panels
    draw = plots.status_map if arguments.show == "status" else plots.phase_map
    drawn = draw(ax, results)
    plots.steps_bar(ax, drawn)
    handles = drawn.handles
    if at is None:
        return Drawn(handles, "", (drawn.note,))
    predicted = analysis.predicted_rate(results, at).transpose("lr", "momentum").values
    diverged = results["status"].transpose("lr", "momentum").values == fm.Status.DIVERGED
    share = np.mean(diverged == ~(predicted < 1.0))
    said = f"theory at the minimum foretells of {share:.1%} of the runs whether they diverge"
    lines = _theory(ax, results, at)
    return Drawn([*handles, *lines.seen], said, (drawn.note, lines.outside))


def rate_maps(
    panels: list[Axes], results: xr.Dataset, at: Any, arguments: argparse.Namespace
) -> Drawn:
    """Map measured rates, and beside them predicted ones."""
    if arguments.cells < 1:
        raise InputError(f"--cells must be 1 or more: got {arguments.cells}")
    if arguments.beside and at is None:
        raise InputError("--beside: there is no theory to draw beside the measured rates")
    every = {name: -(-results.sizes[name] // arguments.cells) for name in ("lr", "momentum")}
    chosen = results.isel({name: slice(None, None, k) for name, k in every.items()})
    measured = analysis.measured_rate(chosen)
    clear = measured["rate"].where(measured["r_squared"] >= FIT)
    drawn = plots.rate_map(panels[0], clear, chosen["status"])
    if drawn.rates is None:
        raise InputError("--show rate: no run of this start comes near a minimum at a clear rate")
    if not arguments.beside:
        plots.rate_bar(panels[0], drawn, "measured rate: factor on the distance, an update")
    if at is None:
        return Drawn(drawn.legend, "")
    lines = _theory(panels[0], results, at)
    predicted = analysis.predicted_rate(chosen, at)
    if arguments.beside:
        beside = plots.rate_map(panels[1], predicted, norm=drawn.rates.norm)
        panels[1].set_ylabel("")
        _theory(panels[1], results, at)
        plots.rate_bar(panels[1], beside, "rate: factor on the distance, an update")
    known = objective_of(results).minimisers
    if len(known) > 1:  # theory at one minimiser is not that at another
        elsewhere = [i for i, other in enumerate(known) if not np.array_equal(other, at)]
        measured = measured.where(~analysis.basin(chosen).isin(elsewhere))
    found = analysis.agreement(measured, predicted, fit=FIT)
    said = (
        f"{found.share_within:.1%} of {found.n_compared:,} measured rates within 0.01 of theory, "
        f"median difference {found.median:.1g}"
    )
    return Drawn([*drawn.legend, *lines.seen], said, (lines.outside,))


def _theory(ax: Axes, results: xr.Dataset, at: Any) -> plots.TheoryLines:
    return plots.theory_lines(ax, objective_of(results), rule_of(results), at)


def minimiser(results: xr.Dataset, arguments: argparse.Namespace) -> Any:
    """Choose where theory is drawn: at the minimiser that most runs reached; None for nowhere."""
    known = objective_of(results).minimisers
    number: int | None = arguments.minimiser
    if number is not None and not 0 <= number < len(known):
        raise InputError(f"--minimiser must be a number from 0 to {len(known) - 1}: got {number}")
    has_theory = fm.experiment_of(results).rule.rule.form is not None
    if arguments.no_theory or not len(known) or not has_theory:
        return None
    if number is None:
        number = 0
        if len(known) > 1:
            sizes = results.sizes
            few = {name: slice(None, None, -(-sizes[name] // 64)) for name in ("lr", "momentum")}
            reached = analysis.basin(results.isel(few)).values
            number = int(np.bincount(reached[reached >= 0], minlength=1).argmax())
    return known[number]


if __name__ == "__main__":
    script(main)
