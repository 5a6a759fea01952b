"""Zoom into a map: run a window of a finished one on a finer grid, and draw it.

zoom.py OUT.h5 --lr A:B --momentum C:D writes the window's results beside OUT.h5 and a picture
beside those; repeated on its own results, it looks ever closer. --film FILE.gif instead makes a film
that closes in from the whole map on the point in the middle of the window.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plot_phase
import xarray as xr
from _common import add_start, parser, replacing, script, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.errors import InputError
from fastmomentum.plots.style import number
from fastmomentum.zooming import Range, zoomed

MOST_FRAMES = 500


def main(words: Sequence[str]) -> None:
    """Read the results; run and draw the window, or film the way to it."""
    reading = parser(__doc__ or "", suffixes=(".h5", ".hdf5"))
    add = reading.add_argument
    add("--lr", type=_range, metavar="A:B", required=True, help="window of learning rates")
    add("--momentum", type=_range, metavar="C:D", required=True, help="window of momenta")
    add("--num", type=int, metavar="N", help="values along each axis (512; for a film 256)")
    add_start(reading)
    add("--show", choices=("hit", "status"), default="hit", help="what is mapped")
    add("--film", type=Path, metavar="FILE.gif", help="write a film instead")
    add("--frames", type=int, default=40, metavar="N", help="of the film (40)")
    arguments = reading.parse_args(words)
    num = arguments.num or (256 if arguments.film else 512)
    if arguments.film:
        film(arguments, num)
        return
    source: Path = arguments.results
    path = arguments.output or source.with_name(f"{source.stem}_zoom.h5")
    with fm.open(source) as ds:
        window = zoomed(ds, arguments.lr, arguments.momentum, num, arguments.start)
    fm.run(window, path)
    print(f"wrote {path}")
    styled = ["--style", str(arguments.style)] if arguments.style else []
    plot_phase.main(
        [str(path), "--show", arguments.show, *styled, "-o", str(path.with_suffix(".png"))]
    )


def film(arguments: argparse.Namespace, num: int) -> None:
    """Close in on the middle of the window, from the whole map to the window itself."""
    if not 2 <= arguments.frames <= MOST_FRAMES:
        raise InputError(f"--frames must be from 2 to {MOST_FRAMES}: got {arguments.frames}")
    if arguments.film.suffix.lower() != ".gif":
        raise InputError(f"--film must end in .gif: got {arguments.film}")
    with fm.open(arguments.results) as ds, style(arguments):
        lr, momentum = (ds[name].values[[0, -1]].astype(float) for name in ("lr", "momentum"))
        pictures = []
        for t in np.linspace(0.0, 1.0, arguments.frames):
            low, high = np.exp(closing(np.log(lr), np.log(arguments.lr), t))
            sides = closing(momentum, np.array(arguments.momentum), t)
            window = zoomed(ds, (low, high), (sides[0], sides[1]), num, arguments.start)
            pictures.append(frame(fm.run(window).isel(start=0), arguments.show))
        first, *others = (picture.quantize(128) for picture in pictures)
        times = [100] * len(others) + [1500]
        with replacing(arguments.film) as partial:
            first.save(
                partial, format="GIF", save_all=True, append_images=others, duration=times, loop=0
            )


def closing(whole: np.ndarray, window: np.ndarray, t: float) -> np.ndarray:
    """Give the ends of a frame: its width shrinks evenly in the logarithm, about one point."""
    widths = float(np.ptp(whole)), float(np.ptp(window))
    width = widths[0] ** (1.0 - t) * widths[1] ** t
    if widths[0] == widths[1]:
        return np.asarray((1.0 - t) * whole + t * np.asarray(window))
    share = (widths[0] - width) / (widths[0] - widths[1])  # the ends move in step with the width
    return np.asarray((1.0 - share) * whole + share * np.asarray(window))


def frame(results: xr.Dataset, show: str) -> Image.Image:
    """Draw one frame."""
    made = Figure(figsize=(7.0, 5.6), dpi=80, layout="constrained")
    ax = made.add_subplot()
    (plots.status_map if show == "status" else plots.phase_map)(ax, results)
    for line in list(ax.lines):
        line.remove()
    wide = float(np.ptp(results["momentum"].values))
    ax.set_title(f"momentum window {number(wide)} wide")
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _range(text: str) -> Range:
    first, last = (float(part) for part in text.split(":"))
    return first, last


if __name__ == "__main__":
    script(main)
