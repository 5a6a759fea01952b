"""Map a grid over learning rate and momentum, for one start, with the theory over it.

--show hit: the steps to a target; status: how the runs ended; rate: how fast they came near, which
is measured on the runs, walked again. Left out, it is hit, or status where there is no target.
Over the map is drawn what theory says at the minimiser that most of the runs reached, and below
the title stands how well the two agree.
"""

from __future__ import annotations

from _arguments import add_start, add_target, output, parser, script

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from _cells import SUMMARIES, at_target, opened, plane, start_of
from _figures import figure, lines_of, save, style, subtitle
from matplotlib.axes import Axes

import fastmomentum as fm
from fastmomentum import analysis, plots
from fastmomentum.errors import InputError
from fastmomentum.plots.style import point as written

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
    with opened(arguments.results, arguments) as ds, style(arguments):
        whole = plane(ds, arguments.start, (*SUMMARIES, "final"))
        results = at_target(whole, arguments.target)
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
    add("--show", choices=("hit", "status", "rate"), default="hit", help="what is mapped")
    add_target(made)
    add("--no-theory", action="store_true", help="draw measurement alone")
    add("--minimiser", type=int, metavar="N", help="at which minimiser theory is drawn, from 0")
    text = "draw where cycles of up to N points are (default: 25), and where theory rules them out"
    add("--cycles", type=int, nargs="?", const=25, metavar="N", help=text)
    add("--beside", action="store_true", help="with --show rate: the predicted rate beside it")
    text = f"with --show rate: most cells measured along an axis (default: {MEASURED_CELLS})"
    add("--cells", type=int, default=MEASURED_CELLS, metavar="N", help=text)
    return made


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
        return Drawn([*handles, *_cycles(ax, results, arguments)], "", (drawn.note,))
    predicted = analysis.predicted_rate(results, at).transpose("lr", "momentum").values
    diverged = results["status"].transpose("lr", "momentum").values == fm.Status.DIVERGED
    share = np.mean(diverged == ~(predicted < 1.0))
    said = f"theory at the minimum foretells of {share:.1%} of the runs whether they diverge"
    lines = _theory(ax, results, at)
    handles += [*lines.seen, *_cycles(ax, results, arguments)]
    return Drawn(handles, said, (drawn.note, lines.outside))


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
        return Drawn([*drawn.legend, *_cycles(panels[0], results, arguments)], "")
    lines = _theory(panels[0], results, at)
    predicted = analysis.predicted_rate(chosen, at)
    if arguments.beside:
        beside = plots.rate_map(panels[1], predicted, norm=drawn.rates.norm)
        panels[1].set_ylabel("")
        _theory(panels[1], results, at)
        plots.rate_bar(panels[1], beside, "rate: factor on the distance, an update")
    known = fm.experiment_of(results).objective.minimisers
    if len(known) > 1:  # theory at one minimiser is not that at another
        elsewhere = [i for i, other in enumerate(known) if not np.array_equal(other, at)]
        measured = measured.where(~analysis.basin(chosen).isin(elsewhere))
    found = analysis.agreement(measured, predicted, fit=FIT)
    said = (
        f"{found.share_within:.1%} of {found.n_compared:,} measured rates within 0.01 of theory, "
        f"median difference {found.median:.1g}"
    )
    handles = [*drawn.legend, *lines.seen, *_cycles(panels[0], results, arguments)]
    return Drawn(handles, said, (lines.outside,))


def _theory(ax: Axes, results: xr.Dataset, at: Any) -> plots.TheoryLines:
    experiment = fm.experiment_of(results)
    return plots.theory_lines(ax, experiment.objective, experiment.rule, at)


def _cycles(ax: Axes, results: xr.Dataset, arguments: argparse.Namespace) -> list[Any]:
    """Draw where the heavy ball cycles on some function of the same curvatures."""
    if arguments.cycles is None:
        return []
    experiment = fm.experiment_of(results)
    curvatures = experiment.objective.curvatures
    if curvatures is None or not curvatures[0] < curvatures[1]:
        raise InputError(
            "--cycles goes with objectives of known curvatures 0 < mu < L: got "
            f"{experiment.objective.words}; drop it"
        )
    if arguments.cycles < 2:
        raise InputError(f"--cycles must be 2 or more points: got {arguments.cycles}")
    return plots.cycle_region(ax, *curvatures, experiment.rule, arguments.cycles).handles


def minimiser(results: xr.Dataset, arguments: argparse.Namespace) -> Any:
    """Choose where theory is drawn: at the minimiser that most runs reached; None for nowhere."""
    known = fm.experiment_of(results).objective.minimisers
    number: int | None = arguments.minimiser
    if number is not None and not 0 <= number < len(known):
        raise InputError(f"--minimiser must be a number from 0 to {len(known) - 1}: got {number}")
    if arguments.no_theory or not len(known):
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
