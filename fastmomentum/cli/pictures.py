"""Kinds of pictures: the parser of each, and the page that draws it."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fastmomentum.cli.exit_status import say_last
from fastmomentum.cli.parsing import parse_at
from fastmomentum.cli.picture_arguments import (
    SUFFIXES,
    WHICH_CELL,
    WHICH_CELLS,
    add_cells,
    add_curvatures,
    add_field,
    add_start,
    add_target,
    add_view,
    joined,
    looks,
    parser,
)
from fastmomentum.cli.picture_files import place_of, save

if TYPE_CHECKING:
    from fastmomentum.plots.pages import Page

OF_RUNS: Final = ("contour", "surface", "report")
"""Kinds that draw single runs, for which the file need not be opened with xarray."""

OF_PLANS: Final = ("schedule",)
"""Kinds that draw an experiment file, before anything is run."""

OF_NOTHING: Final = ("cycles",)
"""Kinds that draw what they compute themselves, from their options alone."""

SHOWN: Final = ("results", "output", "other", "others", "given_once")
"""Arguments of the parsers that are not passed to a page."""


def draw(kind: str, words: Sequence[str], program: str | None = None) -> None:
    """Read results, if the kind is one of results, draw a picture and save it.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    words : sequence of str
        Arguments of the command.
    program : str, optional
        Name of the command; by default that of the script.
    """
    from fastmomentum.plots.styles import drawn_in

    asked = asked_of(kind, words, program)
    named = getattr(asked, "show", kind) if kind == "loss" else kind
    if kind in OF_NOTHING:
        path = place_of(Path(), asked.output or Path(f"{named}{SUFFIXES[0]}"), named, SUFFIXES)
    else:
        path = place_of(asked.results, asked.output, named, SUFFIXES)
    with drawn_in(asked.style):
        page = page_of(kind, asked)
        for line in page.said:
            print(line)
        save(page, path)
    say_last(f"wrote {path}")


def asked_of(kind: str, words: Sequence[str], program: str | None = None) -> argparse.Namespace:
    """Parse the arguments of `draw`; files may stand before, between and behind the options."""
    description, epilog, add = KINDS[kind]
    if kind in OF_NOTHING:
        reading = looks(description, epilog, program=program)
    else:
        reading = parser(description, epilog, program=program, of_plan=kind in OF_PLANS)
    add(reading)
    return reading.parse_intermixed_args(joined(words))


def page_of(kind: str, asked: argparse.Namespace) -> Page:
    """Draw what was asked for."""
    from fastmomentum.plots import pages
    from fastmomentum.results.dataset import experiment_of, open_results
    from fastmomentum.results.stored import open_stored

    options = {name: value for name, value in vars(asked).items() if name not in SHOWN}
    if kind in OF_NOTHING:
        made: Page = getattr(pages, kind)(**options)
        return made
    if kind in OF_PLANS:
        from fastmomentum.experiment.toml import load

        planned: Page = getattr(pages, kind)(load(asked.results), **options)
        return planned
    options["at"] = parse_at(asked.at or ())
    with contextlib.ExitStack() as stack:
        opened = open_stored if kind in OF_RUNS else open_results
        ds: list[Any] = [stack.enter_context(opened(asked.results))]
        if kind == "duel":
            ds.append(stack.enter_context(open_results(asked.other)))
            first, second = (experiment_of(each).rule.name for each in ds)
            if first == second:
                options["names"] = asked.results.stem, asked.other.stem
        if kind == "batches":
            ds += [stack.enter_context(open_results(file)) for file in asked.others]
        page: Page = getattr(pages, kind)(*ds, **options)
    return page


def _paths(to: argparse.ArgumentParser) -> None:
    add_cells(to)
    add_field(to)
    text = "run again to draw all steps, not only the recorded ones"
    to.add_argument("--replay", action="store_true", help=text)
    _beside(to)


def _surface(to: argparse.ArgumentParser) -> None:
    _paths(to)
    add_view(to)


def _report(to: argparse.ArgumentParser) -> None:
    to.add_argument("--lr", type=float, help="learning rate")
    to.add_argument("--momentum", type=float, help="momentum")
    add_start(to)
    add_field(to)
    add_view(to)


def _phase(to: argparse.ArgumentParser) -> None:
    add_start(to)
    add = to.add_argument
    add("--x", default="lr", metavar="NAME", help="axis of the grid to the right (lr)")
    add("--y", default="momentum", metavar="NAME", help="axis of the grid upwards (momentum)")
    add("--over", metavar="NAME", help="a map for each value of a third axis")
    add("--show", choices=("hit", "status", "rate"), default="hit", help="what is mapped")
    text = "over all seeds: the mean loss at the end, or the share that met the target"
    add("--seeds", choices=("mean", "share"), help=text)
    add_target(to)
    _theory(to)
    add("--minimiser", type=int, metavar="N", help="at which minimiser theory is drawn, from 0")
    add("--beside", action="store_true", help="theory beside the map, and where they differ")
    text = "with --show rate: most cells measured along an axis (default: 512)"
    add("--cells", type=int, default=512, metavar="N", help=text)
    text = "where cycles of up to N points (25) exist on some f of the same curvatures"
    add("--cycles", type=int, nargs="?", const=25, metavar="N", help=text)
    add_curvatures(to)


def _basins(to: argparse.ArgumentParser) -> None:
    add = to.add_argument
    add("--over", choices=("lr", "momentum"), help="a map for each value")
    add("--lr", type=float, action="append", help="learning rate; several with --over lr")
    add("--momentum", type=float, action="append", help="momentum; several with --over momentum")
    add_target(to)


def _loss(to: argparse.ArgumentParser) -> None:
    add_cells(to)
    add = to.add_argument
    add("--show", choices=("loss", "distance"), default="loss", help="what is drawn")
    add("--steps", choices=("auto", "log", "linear"), default="auto", help="the axis of steps")
    _beside(to)
    text = "of results with seeds: median, quartiles and 5 to 95%% over all of them"
    add("--bands", action="store_true", help=text)
    _theory(to)


def _duel(to: argparse.ArgumentParser) -> None:
    to.add_argument("other", type=Path, help="the results to compare with, of the same grid")
    add_start(to)
    add_target(to)
    _theory(to)


def _refined(to: argparse.ArgumentParser) -> None:
    add_start(to)
    add_target(to)


def _batches(to: argparse.ArgumentParser) -> None:
    add = to.add_argument
    add("others", type=Path, nargs="*", help="the same experiment with batches of other sizes")
    add("--lr", type=float, help="learning rate of the bands (default: the first)")


def _beside(to: argparse.ArgumentParser) -> None:
    text = "each run in its own panel, at most twelve"
    to.add_argument("--beside", action="store_true", help=text)


def _stationary(to: argparse.ArgumentParser) -> None:
    to.add_argument("--lr", type=float, help="learning rate")
    to.add_argument("--momentum", type=float, help="momentum")
    add_start(to)
    _theory(to)


def _theory(to: argparse.ArgumentParser) -> None:
    text = "draw only measurements"
    to.add_argument("--no-theory", dest="theory", action="store_false", help=text)


def _cycles(to: argparse.ArgumentParser) -> None:
    add = to.add_argument
    add("--mu", type=float, default=1.0, help="smallest curvature (default: 1)")
    add("--L", type=float, default=25.0, help="largest curvature (default: 25)")
    add("--longest", type=int, default=25, help="longest period (default: 25)")
    add("--cells", type=int, default=150, help="cells along an axis (default: 150)")
    add("--steps", type=int, default=2000, help="updates of each run (default: 2000)")


Adding = Callable[[argparse.ArgumentParser], None]

KINDS: Final[dict[str, tuple[str, str, Adding]]] = {
    "contour": (
        "Draw the contours of an objective with the paths of chosen runs.",
        WHICH_CELLS,
        _paths,
    ),
    "surface": (
        "Draw an objective as a surface in 3-D with the paths of chosen runs on it.",
        WHICH_CELLS,
        _surface,
    ),
    "report": (
        "Draw one run on a page: surface, contours and path, and its progress by step.",
        WHICH_CELL,
        _report,
    ),
    "phase": (
        "Map a grid over learning rate and momentum, for one start, with the theory over it: the\n"
        "steps to a target (or how the runs ended), or the rate of convergence.\n"
        "--x, --y and --over take other axes of the grid, such as nu or objective_b; the others\n"
        "stay at their first value, or at that of --at NAME=VALUE.",
        "",
        _phase,
    ),
    "basins": (
        "Map the minimum reached over a mesh of starts: colour says which, shade how fast.\n"
        "With --over there is a map for each value, or each one given, at most six.",
        "",
        _basins,
    ),
    "loss": (
        "Draw the loss, or the distance from the minimum, of chosen runs against the step.\n"
        "Dashed lines fall as fast as theory at the minimum predicts.",
        WHICH_CELLS,
        _loss,
    ),
    "refined": (
        "Draw a refined map, and beside it the busiest part of its boundary.",
        "",
        _refined,
    ),
    "schedule": (
        "Draw the schedules of an experiment file over all updates of a run.",
        "",
        lambda to: None,
    ),
    "duel": (
        "Map which of two experiments on the same grid met the target first, and by how much.\n"
        "Objective, start and velocity must be the same in both.",
        "",
        _duel,
    ),
    "batches": (
        "Draw what batches do: how the loss falls, and where it settles, measured and by theory.\n"
        "To the left are bands over the seeds at one learning rate, to the right the mean loss at\n"
        "the end.",
        "",
        _batches,
    ),
    "stationary": (
        "Draw the last points of all seeds of a cell, with the ellipses of theory.\n"
        "The cell is the nearest to --lr, --momentum and --start; the first if left out.",
        "",
        _stationary,
    ),
    "cycles": (
        "Measure where the heavy ball cycles: each setting on an f of its own.\n"
        "Each cell of the map is a run on the fm.PolygonCycle that is made for its settings, and\n"
        "begins on the cycle. Its period is the shortest that has a cycle there by the closed\n"
        "form; where none has, the one that lacks the least. Coloured are the runs that are still\n"
        "on their cycle after all updates; the line is the edge by the closed form, the union of\n"
        "fm.theory.has_cycle. No results file is read.",
        "",
        _cycles,
    ),
}
"""By kind of picture: what it is, more about it, and its arguments."""
