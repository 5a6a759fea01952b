"""Make a film that closes in on a window of a map: each frame is run anew, on its own grid.

The window may be as small as doubles allow; what the boundary between converging and diverging
looks like there, the map that it begins with does not show.
"""

from __future__ import annotations

import _ending  # noqa: F401

import argparse
from collections.abc import Sequence

import numpy as np
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.cli.exit_status import script
from fastmomentum.cli.parsing import parse_at, parse_range
from fastmomentum.cli.picture_arguments import add_start, joined, parser
from fastmomentum.cli.picture_files import place_of, replacing
from fastmomentum.errors import InputError
from fastmomentum.plots.pages.choosing import chosen, start_of
from fastmomentum.plots.phases import steps_label
from fastmomentum.plots.planes import described
from fastmomentum.plots.style import number
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.zoom import zoomed

MOST_FRAMES = 500
SUFFIXES = (".gif",)


def main(words: Sequence[str]) -> None:
    """Read the results, run and draw each frame, save."""
    reading = parser(__doc__ or "", suffixes=SUFFIXES)
    add = reading.add_argument
    add("--lr", metavar="A:B", required=True, help="window of learning rates to end with")
    add("--momentum", metavar="C:D", required=True, help="window of momenta to end with")
    add("--num", type=int, default=256, metavar="N", help="values along each axis (256)")
    add("--frames", type=int, default=40, metavar="N", help="how many (40)")
    add("--show", choices=("hit", "status"), default="hit", help="what is mapped")
    add_start(reading)
    arguments = reading.parse_args(joined(words))
    if not 2 <= arguments.frames <= MOST_FRAMES:
        raise InputError(f"--frames must be from 2 to {MOST_FRAMES}: got {arguments.frames}")
    path = place_of(arguments.results, arguments.output, "zoom", SUFFIXES)
    ends = parse_range("--lr", arguments.lr), parse_range("--momentum", arguments.momentum)
    pictures = []
    with fm.open(arguments.results) as whole, drawn_in(arguments.style):
        ds = chosen(whole, arguments.velocity, parse_at(arguments.at or ()))
        zoomed(ds, *ends, arguments.num, arguments.start)  # refused now, not after all the others
        lr, momentum = (ds[name].values[[0, -1]].astype(float) for name in ("lr", "momentum"))
        for t in np.linspace(0.0, 1.0, arguments.frames):
            low, high = np.exp(closing(np.log(lr), np.log(ends[0]), t))
            first, last = closing(momentum, np.array(ends[1]), t)
            window = zoomed(ds, (low, high), (first, last), arguments.num, arguments.start)
            others = [dim for dim in window.grid.axes if dim not in ("lr", "momentum")]
            results = fm.run(window).isel(dict.fromkeys(others, 0))
            pictures.append(frame(results, arguments).quantize(128))
    times = [100] * (len(pictures) - 1) + [1500]
    with replacing(path) as partial:
        pictures[0].save(
            partial, format="GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0
        )
    print(f"wrote {path}")


def closing(whole: np.ndarray, window: np.ndarray, t: float) -> np.ndarray:
    """Give the ends of a frame: the width shrinks by the same factor from frame to frame."""
    wide, narrow = float(np.ptp(whole)), float(np.ptp(window))
    if wide == narrow:
        return np.asarray((1.0 - t) * whole + t * window)
    share = (wide - wide ** (1.0 - t) * narrow**t) / (wide - narrow)
    return np.asarray((1.0 - share) * whole + share * window)  # closes in on one point throughout


def frame(results: xr.Dataset, asked: argparse.Namespace) -> Image.Image:
    """Draw one frame."""
    made = Figure(figsize=asked.size or (7.2, 6.4), dpi=80)
    ax = made.add_axes((0.15, 0.19, 0.81, 0.68))
    drawn = (plots.status_map if asked.show == "status" else plots.phase_map)(ax, results)
    for line in list(ax.lines):
        line.remove()
    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(3))
    wide = float(np.ptp(results["momentum"].values))
    what = f"{asked.title}\n" if asked.title else ""
    what += f"{described(results)}\nfrom {start_of(results)}"
    ax.set_title(f"{what}\nmomentum window {number(wide)} wide", fontsize="medium")
    coloured = drawn.steps is not None and drawn.target is not None
    colours = f"yellow (few) to violet: {steps_label(drawn.target)}" if coloured else None
    made.legend(handles=drawn.legend, loc="lower center", ncols=3, fontsize="small", title=colours)
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


if __name__ == "__main__":
    script(main)
