"""What the drawing scripts are asked: arguments, what they mean, errors in a line."""

from __future__ import annotations

from _ending import leave, say

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from fastmomentum.cli.exit_status import any_text_goes
from fastmomentum.cli.parsing import parse_numbers, parse_point
from fastmomentum.errors import FastmomentumError, InputError, StorageError
from fastmomentum.notices import as_lines
from fastmomentum.results.selection import Start
from fastmomentum.store.files import in_words

SUFFIXES = (".png", ".svg", ".pdf")

WHICH_CELLS = """\
Which runs are drawn: --lr, --momentum and --start may be given several times and are paired in
order (a single one goes with all of the others); the nearest cell of the grid is taken, and
printed. What is left out is chosen: the first start, and the lr and momentum of the best run
(soonest at the last target, else of the lowest loss). With neither lr nor momentum, several telling
runs are drawn: the best of all, the best with the lowest momentum, the best with a momentum near
0.9, and of those with the best one's momentum the one that diverges at the lowest lr; on a mesh of
starts, or where there is but one lr and momentum, the best, from up to four starts.
"""

WHICH_CELL = """\
Which run is drawn: the nearest cell of the grid to --lr, --momentum and --start is taken, and
printed. What is left out is chosen: the first start, and the lr and momentum of the best run
(soonest at the last target, else of the lowest loss). All of its steps are drawn: where the file
holds but some of them, or none, it is run again, which gives the same bits.
"""


class _Once(argparse.Action):
    """Keeps the one value that counts, and refuses a second; of a few choices the last counts."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option: Any = None
    ) -> None:
        given = vars(namespace).setdefault("given_once", set())
        if option is not None and self.choices is None and self.dest in given:
            parser.error(f"{option} was given twice, and one counts; leave one out")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


class _Parser(argparse.ArgumentParser):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.register("action", None, _Once)

    def error(self, message: str) -> NoReturn:
        self.exit(InputError.exit_status, f"{self.prog}: {message}; see --help\n")


def parser(
    description: str, epilog: str = "", suffixes: Sequence[str] = SUFFIXES
) -> argparse.ArgumentParser:
    """Make the parser of a script: the results file, -o and --style."""
    made = _Parser(
        description=description, epilog=epilog, formatter_class=argparse.RawTextHelpFormatter
    )
    made.add_argument("results", type=Path, help="a results file of fastmomentum's")
    made.add_argument(
        "-o", "--output", type=Path, metavar="OUT",
        help=f"a {_alternatives(suffixes)} file (default: {suffixes[0]}, beside the results)",
    )  # fmt: skip
    text = "a matplotlib style file, on top of the house style"
    made.add_argument("--style", type=Path, metavar="FILE", help=text)
    text = "number of an initial velocity (default: 0, the first), or one VX,VY"
    made.add_argument("--velocity", type=_point("--velocity"), metavar="VELOCITY", help=text)
    text = "where to stay along another axis, by name (default: its first value)"
    made.add_argument("--at", action="append", metavar="NAME=VALUE", help=text)
    return made


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def run_parser(description: str) -> argparse.ArgumentParser:
    """Make the parser of a script that draws chosen runs."""
    made = parser(description, WHICH_CELLS)
    add_cells(made)
    add_field(made)
    text = "run again to draw all steps, not the recorded ones"
    made.add_argument("--replay", action="store_true", help=text)
    return made


def report_parser(description: str, suffixes: Sequence[str] = SUFFIXES) -> argparse.ArgumentParser:
    """Make the parser of a script that draws all about one run."""
    made = parser(description, WHICH_CELL, suffixes)
    made.add_argument("--lr", type=float, help="learning rate")
    made.add_argument("--momentum", type=float, help="momentum")
    add_start(made)
    add_field(made)
    return made


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


def add_target(to: argparse.ArgumentParser) -> None:
    """Add the argument --target."""
    text = "one of the targets (default: the last)"
    to.add_argument("--target", type=float, help=text)


def _point(option: str) -> Callable[[str], Start]:
    def point(text: str) -> Start:
        with _argparse_errors():
            return parse_point(option, text)

    return point


def _window(text: str) -> tuple[float, ...]:
    with _argparse_errors():
        return parse_numbers("--window", text, 4, "four numbers X0,X1,Y0,Y1")


@contextlib.contextmanager
def _argparse_errors() -> Iterator[None]:
    """An `InputError` is a ValueError, too, for which argparse has other words."""
    try:
        yield
    except InputError as error:
        raise argparse.ArgumentError(None, str(error)) from None


def output(arguments: argparse.Namespace, kind: str, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """Choose where the picture goes, before any work is done."""
    path: Path | None = arguments.output
    if path is None:
        path = Path(arguments.results).with_name(f"{arguments.results.stem}_{kind}{suffixes[0]}")
    if path.suffix.lower() not in suffixes:
        got = repr(path.suffix) if path.suffix else "no suffix"
        raise InputError(f"-o must end in {', '.join(suffixes)}: got {got} ({path})")
    if path.is_dir():
        example = path / f"{kind}{path.suffix}"
        raise InputError(f"{path} is a folder; name a file in it, such as -o {example}")
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    with in_words(f"writing {path}"):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except (FileNotFoundError, NotADirectoryError):
            said = f"writing {path}: no file can be made in {folder}; choose another place"
            raise StorageError(said) from None
    return path


def script(main: Callable[[Sequence[str]], None]) -> NoReturn:
    """Run a script; what goes wrong is a line on stderr and an exit status."""
    any_text_goes()
    try:
        # argparse takes a value such as -5,-5 for an option, unless it is joined to its own.
        words: list[str] = []
        for word in sys.argv[1:]:
            joined = words and words[-1] in ("--start", "--velocity", "--window")
            words[-1:] = [f"{words[-1]}={word}"] if joined else [*words[-1:], word]
        with as_lines(say):
            main(words)
    except FastmomentumError as error:
        leave(str(error), error.exit_status)
    except OSError as error:
        leave(str(error), StorageError.exit_status)
    except KeyboardInterrupt:
        leave("interrupted", 130)
    sys.exit(0)
