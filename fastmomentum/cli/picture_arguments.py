"""Arguments of the commands and scripts that draw."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fastmomentum.cli.parsing import parse_numbers, parse_point, parse_size
from fastmomentum.errors import InputError
from fastmomentum.results.selection import Start

SUFFIXES = (".png", ".svg", ".pdf")

WHICH_CELLS = """\
Which runs are drawn: --lr, --momentum and --start may be given several times and are paired in
order (a single one applies to all the others); the nearest cell of the grid is taken, and printed.
What is left out is chosen: the first start, and the lr and momentum of the best run (the first to
meet the last target, or else the one with the lowest loss). Without lr and momentum, several
characteristic runs are drawn: the best of all, the best with the lowest momentum, the best with a
momentum near 0.9, and, at the best run's momentum, the one that diverges at the lowest lr; on a
mesh of starts, or with a single lr and momentum, the best, from up to four starts.
"""

WHICH_CELL = """\
Which run is drawn: the nearest cell of the grid to --lr, --momentum and --start is taken, and
printed. What is left out is chosen: the first start, and the lr and momentum of the best run (the
first to meet the last target, or else the one with the lowest loss). All of its steps are drawn: if
the file does not hold them all, it is run again, with the same bits.
"""


class _Once(argparse.Action):
    """Keeps a single value, and refuses a second one."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: Any = None
    ) -> None:
        given = vars(namespace).setdefault("given_once", set())
        if option is not None and self.dest in given:
            parser.error(f"{option} was given twice; leave one out")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("action", None, _Once)

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message}; see --help")


def parser(
    description: str,
    epilog: str = "",
    suffixes: Sequence[str] = SUFFIXES,
    program: str | None = None,
    of_plan: bool = False,
) -> argparse.ArgumentParser:
    """Make a parser for pictures of a file: the file, -o, looks and velocity."""
    made = looks(
        description, epilog, suffixes, program, "experiment file" if of_plan else "results"
    )
    what = "an experiment file" if of_plan else "a results file of fastmomentum's"
    made.add_argument("results", metavar="FILE.toml" if of_plan else None, type=Path, help=what)
    if of_plan:
        return made
    text = "number of an initial velocity (default: 0, the first), or one VX,VY"
    made.add_argument("--velocity", type=_point("--velocity"), metavar="VELOCITY", help=text)
    text = "value along another axis, by name (default: its first)"
    made.add_argument("--at", action="append", metavar="NAME=VALUE", help=text)
    return made


def looks(
    description: str,
    epilog: str = "",
    suffixes: Sequence[str] = SUFFIXES,
    program: str | None = None,
    beside: str | None = None,
) -> argparse.ArgumentParser:
    """Make a parser for what every picture takes: -o and looks."""
    made = _Parser(
        prog=program,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    where = "here" if beside is None else f"beside the {beside}"
    made.add_argument(
        "-o", "--output", type=Path, metavar="OUT",
        help=f"a {_alternatives(suffixes)} file (default: {suffixes[0]}, {where})",
    )  # fmt: skip
    add = made.add_argument
    text = "a matplotlib style, by file or name, on top of the usual style"
    add("--style", metavar="NAME|FILE", help=text)
    add("--title", metavar="TEXT", help="title of the picture (default: the experiment's)")
    add("--size", type=_size, metavar="16x9", help="width and height in inches")
    return made


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def add_cells(to: argparse.ArgumentParser) -> None:
    """Add the arguments --lr, --momentum and --start, any number of each."""
    to.add_argument("--lr", type=float, action="append", help="learning rate")
    to.add_argument("--momentum", type=float, action="append", help="momentum")
    add_start(to, action="append")


def add_field(to: argparse.ArgumentParser) -> None:
    """Add the arguments --window and --scale."""
    add = to.add_argument
    add("--window", type=_window, metavar="X0,X1,Y0,Y1", help="what to show of the plane")
    add("--scale", choices=("auto", "log", "linear"), default="auto", help="of the objective")


def add_start(to: argparse.ArgumentParser, **options: Any) -> None:
    """Add the argument --start."""
    text = "number of a start point (0 is the first), or a point X,Y"
    to.add_argument("--start", type=_point("--start"), metavar="START", help=text, **options)


def add_view(to: argparse.ArgumentParser) -> None:
    """Add the argument --view."""
    text = "degrees above the ground and around it from which the surface is seen"
    to.add_argument("--view", type=_view, metavar="ELEV,AZIM", help=text)


def add_target(to: argparse.ArgumentParser) -> None:
    """Add the argument --target."""
    text = "one of the targets (default: the last)"
    to.add_argument("--target", type=float, help=text)


def add_curvatures(to: argparse.ArgumentParser) -> None:
    """Add the argument --curvatures."""
    text = "with --cycles: smallest and largest curvature (default: the objective's)"
    to.add_argument("--curvatures", type=_curvatures, metavar="MU,L", help=text)


def _point(option: str) -> Callable[[str], Start]:
    def point(text: str) -> Start:
        with _argparse_errors():
            return parse_point(option, text)

    return point


def _window(text: str) -> tuple[float, ...]:
    with _argparse_errors():
        return parse_numbers("--window", text, 4, "four numbers X0,X1,Y0,Y1")


def _view(text: str) -> tuple[float, ...]:
    with _argparse_errors():
        return parse_numbers("--view", text, 2, "two angles ELEV,AZIM in degrees")


def _curvatures(text: str) -> tuple[float, ...]:
    with _argparse_errors():
        return parse_numbers("--curvatures", text, 2, "two numbers MU,L, 0 < MU < L")


def _size(text: str) -> tuple[float, ...]:
    with _argparse_errors():
        return parse_size(text)


@contextlib.contextmanager
def _argparse_errors() -> Iterator[None]:
    """Pass on an `InputError`, which argparse would replace, as it is a ValueError too."""
    try:
        yield
    except InputError as error:
        raise argparse.ArgumentError(None, str(error)) from None


def joined(words: Sequence[str]) -> list[str]:
    """Join options to values such as -5,-5, which would be taken for options themselves.

    Examples
    --------
    >>> joined(["--start", "-5,-5", "-o", "a.png"])
    ['--start=-5,-5', '-o', 'a.png']
    """
    made: list[str] = []
    for word in words:
        follows = made and made[-1] in ("--start", "--velocity", "--window", "--view")
        made[-1:] = [f"{made[-1]}={word}"] if follows else [*made[-1:], word]
    return made
