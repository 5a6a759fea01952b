"""Show a run as it learns: the panels of plot_report.py, frame by frame.

The suffix of -o decides what is written: a GIF, a film (by ffmpeg), or one HTML page with play,
pause and a slider that needs no network. --live plays in a window instead, or besides, where there
is a display: space stops and goes on, the arrow keys go a frame back or forth.
"""

from __future__ import annotations

from _arguments import output, report_parser, script

import argparse
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from _animation import film_maker, open_window, play, write_film, write_gif, write_page
from _cells import opened, whole_run
from _figures import PAGE_SIZE, draw_report, replacing, style
from rich.console import Console
from rich.progress import track

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.errors import InputError

SUFFIXES = (".gif", ".mp4", ".html")
DPI = {".gif": 75, ".mp4": 150, ".html": 125}
MOST_FRAMES = 2000


def main(words: Sequence[str]) -> None:
    """Read the results, render, save, play."""
    reading = report_parser(__doc__ or "", SUFFIXES)
    add = reading.add_argument
    add("--frames", type=int, default=100, metavar="N", help="how many, at most (100)")
    add("--spacing", choices=("log", "linear"), default="log", help="of their steps (log)")
    add("--fps", type=float, default=20.0, help="frames a second (20)")
    add("--live", action="store_true", help="play in a window; a file is written only with -o")
    arguments = reading.parse_args(words)
    check(arguments)
    path = None
    if arguments.output is not None or not arguments.live:
        path = output(arguments, "report", SUFFIXES)
        if path.suffix.lower() == ".mp4":
            film_maker()
    with opened(arguments.results, arguments) as ds, style(arguments):
        window = open_window(PAGE_SIZE) if arguments.live else None
        run = whole_run(ds, arguments)
        steps = plots.thinned(run.n_steps, arguments.frames, arguments.spacing)
        frames = np.unique(np.searchsorted(run.steps, steps)).tolist()
        title = title_of(ds)
        if path is not None:
            report = draw_report(ds, run, arguments, frames)
            report.figure.set_dpi(DPI[path.suffix.lower()])
            write(plots.FrameRenderer(report), path, arguments.fps, title)
        if window is not None:
            play(draw_report(ds, run, arguments, frames, window), arguments.fps, title)


def check(arguments: argparse.Namespace) -> None:
    """Refuse numbers that make no sense."""
    if not 2 <= arguments.frames <= MOST_FRAMES:
        raise InputError(f"--frames must be from 2 to {MOST_FRAMES}: got {arguments.frames}")
    if not 0.1 <= arguments.fps <= 50:
        raise InputError(f"--fps must be from 0.1 to 50: got {arguments.fps:g}")


def title_of(ds: xr.Dataset) -> str:
    """Name what is shown."""
    return str(ds.attrs.get("title") or fm.experiment_of(ds).objective.words)


def write(projector: plots.FrameRenderer, path: Path, fps: float, title: str) -> None:
    """Write the frames to a file of the kind that its suffix names."""
    console = Console(stderr=True)

    def through(frames: Iterable[Any]) -> Iterator[Any]:
        if not console.is_terminal:  # older rich prints an empty line even where it is disabled
            return iter(frames)
        return iter(track(frames, "rendering", len(projector), console=console, transient=True))

    with replacing(path) as partial:
        match path.suffix.lower():
            case ".gif":
                write_gif(projector, partial, fps, through)
            case ".mp4":
                write_film(projector, partial, fps, through)
            case _:
                write_page(projector, partial, fps, through, title)


if __name__ == "__main__":
    script(main)
