"""Make a film that closes in on a window of a map: each frame is run anew, on its own grid.

What the boundary between converging and diverging looks like there, the map that it begins with
does not show. Colours are of equal rank: each has the same share of the cells in every frame. The
film ends where doubles do, when a window is narrower than 10,000 of their spacings.
"""

from __future__ import annotations

import _ending  # noqa: F401  (its import sets how the script ends)

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
from fastmomentum.plots.styles import drawn_in
from fastmomentum.plots.zoom_frames import FEWEST_SPACINGS, Frame, colour_by_rank, zoom_frames
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
        zoomed(ds, *ends, 2, arguments.start)  # refused now, not after all the others
        map_ends = [
            (float(ds[k].values.min()), float(ds[k].values.max())) for k in ("lr", "momentum")
        ]
        frames = zoom_frames((map_ends[0], map_ends[1]), ends, arguments.frames)
        zoomed(ds, *frames[-1][:2], arguments.num, arguments.start)
        for one in frames:
            window = zoomed(ds, *one[:2], arguments.num, arguments.start)
            others = [dim for dim in window.grid.axes if dim not in ("lr", "momentum")]
            results = fm.run(window).isel(dict.fromkeys(others, 0))
            pictures.append(frame(results, arguments, one).quantize(128))
    if len(frames) < arguments.frames:
        print(
            f"ends after {len(frames)} of {arguments.frames} frames, where doubles do: the next "
            f"window is narrower than {FEWEST_SPACINGS:,.0f} of their spacings"
        )
    times = [100] * (len(pictures) - 1) + [1500]
    with replacing(path) as partial:
        pictures[0].save(
            partial, format="GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0
        )
    print(f"wrote {path}")


def frame(results: xr.Dataset, asked: argparse.Namespace, one: Frame) -> Image.Image:
    """Draw one frame."""
    made = Figure(figsize=asked.size or (7.2, 6.4), dpi=80)
    ax = made.add_axes((0.15, 0.19, 0.81, 0.61))
    drawn = (plots.status_map if asked.show == "status" else plots.phase_map)(ax, results)
    colour_by_rank(drawn)
    for line in list(ax.lines):
        line.remove()
    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(3))
    what = f"{asked.title}\n" if asked.title else ""
    what += f"{described(results)}, from {start_of(results)}"
    depth = one.words.replace(", ", "\n")
    ax.set_title(f"{what}\n{depth}", fontsize="medium")
    coloured = drawn.steps is not None and drawn.target is not None
    by_rank = "yellow (few) to violet, by rank"
    colours = f"{by_rank}: {steps_label(drawn.target)}" if coloured else None
    made.legend(handles=drawn.legend, loc="lower center", ncols=3, fontsize="small", title=colours)
    canvas = FigureCanvasAgg(made)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


if __name__ == "__main__":
    script(main)
