"""The command that animates a run."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastmomentum.cli.exit_status import say_last
from fastmomentum.cli.parsing import parse_at
from fastmomentum.cli.picture_arguments import (
    WHICH_CELL,
    add_cells,
    add_field,
    add_view,
    joined,
    parser,
)
from fastmomentum.cli.picture_files import place_of, replacing
from fastmomentum.errors import InputError

if TYPE_CHECKING:
    from fastmomentum.plots.frames import FrameRenderer

SUFFIXES: Final = (".gif", ".mp4", ".html")
DPI: Final = {".gif": 75, ".mp4": 150, ".html": 125}
MOST_FRAMES: Final = 2000
MOST_LOOPS: Final = 65_535
"""Largest number of repeats that a GIF can hold."""

DESCRIPTION: Final = """\
Show a run as it learns: the panels of a report, frame by frame.

The suffix of -o decides what is written: a GIF, a film (by ffmpeg), or one HTML page with play,
pause and a slider that needs no network. --live plays in a window instead, or as well, if there is
a display: space pauses and continues, the arrow keys go one frame back or forth.

--lr, --momentum and --start may be given several times, and are paired in order (a single one
applies to all the others): then up to six runs move together, each in its own colour.
"""


def animate(words: Sequence[str], program: str | None = None) -> None:
    """Read results, animate runs of them, save or play.

    Parameters
    ----------
    words : sequence of str
        Arguments of the command.
    program : str, optional
        Name of the command; by default that of the script.
    """
    reading = parser(DESCRIPTION, WHICH_CELL, SUFFIXES, program)
    add_cells(reading)
    add_field(reading)
    add_view(reading)
    add = reading.add_argument
    add("--frames", type=int, default=100, metavar="N", help="how many, at most (100)")
    add("--spacing", choices=("log", "linear"), default="log", help="of their steps (log)")
    add("--fps", type=float, default=20.0, help="frames a second (20)")
    add("--loop", type=int, default=0, metavar="N", help="how often a GIF plays; 0: always (0)")
    add("--live", action="store_true", help="play in a window; a file is written only with -o")
    asked = reading.parse_intermixed_args(joined(words))
    _require_sense(asked)
    path = None
    if asked.output is not None or not asked.live:
        path = place_of(asked.results, asked.output, "report", SUFFIXES)
    _show(asked, path)


def _show(asked: argparse.Namespace, path: Path | None) -> None:
    from fastmomentum.plots.films import film_maker
    from fastmomentum.plots.frames import FrameRenderer, thinned
    from fastmomentum.plots.pages.choosing import chosen, chosen_runs, whole_run
    from fastmomentum.plots.pages.page import inches_of, new_page, title_of
    from fastmomentum.plots.pages.panels import PAGE_SIZE, draw_runs
    from fastmomentum.plots.player_window import open_window, play
    from fastmomentum.plots.styles import drawn_in
    from fastmomentum.results.stored import open_stored

    if path is not None and path.suffix.lower() == ".mp4":
        film_maker()
    with open_stored(asked.results) as whole, drawn_in(asked.style) as settings:
        inches = inches_of(settings, asked.size, PAGE_SIZE)
        window = open_window(inches) if asked.live else None
        ds = chosen(whole, asked.velocity, parse_at(asked.at or ()))
        cells = asked.lr, asked.momentum, asked.start
        if max(len(values or ()) for values in cells) > 1:
            runs, said = chosen_runs(ds, *cells, replayed=True)
        else:
            run, line = whole_run(ds, *(values[0] if values else None for values in cells))
            runs, said = [run], [line]
        _require_few(len(runs))
        print(*said, sep="\n")
        steps = thinned(max(run.n_steps for run in runs), asked.frames, asked.spacing)
        title = title_of(ds, asked.title)
        look = asked.window, asked.scale, asked.view, asked.title, steps.tolist()
        if path is not None:
            page = new_page(settings, asked.size, PAGE_SIZE)
            report = draw_runs(page, ds, runs, *look)
            for note in page.notes:
                print(note)
            page.set_dpi(DPI[path.suffix.lower()])
            _write(FrameRenderer(report), path, asked, title)
            tell = say_last if window is None else print
            tell(f"wrote {path}")
        if window is not None:
            play(draw_runs(window, ds, runs, *look), asked.fps, title)


def _require_sense(asked: argparse.Namespace) -> None:
    if not 2 <= asked.frames <= MOST_FRAMES:
        raise InputError(f"--frames must be from 2 to {MOST_FRAMES}: got {asked.frames}")
    if not 0.1 <= asked.fps <= 50:
        raise InputError(f"--fps must be from 0.1 to 50: got {asked.fps:g}")
    if not 0 <= asked.loop <= MOST_LOOPS:
        raise InputError(f"--loop must be from 0 (always) to {MOST_LOOPS}: got {asked.loop}")


def _require_few(count: int) -> None:
    from fastmomentum.plots.marks import FEW

    if count > FEW:
        raise InputError(f"{FEW} runs at most move in one picture: got {count}; leave some out")


def _write(renderer: FrameRenderer, path: Path, asked: argparse.Namespace, title: str) -> None:
    from fastmomentum.execution.progress_bar import passing
    from fastmomentum.plots import films

    def through(frames: Iterable[int]) -> Iterator[int]:
        return passing(frames, "rendering", len(renderer))

    with replacing(path) as partial:
        match path.suffix.lower():
            case ".gif":
                films.write_gif(renderer, partial, asked.fps, through, asked.loop)
            case ".mp4":
                films.write_film(renderer, partial, asked.fps, through)
            case _:
                films.write_page(renderer, partial, asked.fps, through, title)
