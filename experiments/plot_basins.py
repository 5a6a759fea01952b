"""Map the minimum reached over a mesh of starts: its colour tells which, its shade how soon.

With --over momentum or --over lr there is a map for each of its values, or of those given by
--momentum or --lr, six at most; otherwise one map, of the cell nearest to --lr and --momentum.
"""

from __future__ import annotations

from _arguments import add_target, output, parser, script

import re
from collections.abc import Sequence
from typing import Any

import xarray as xr
from _cells import at_target, opened, velocity_of
from _figures import figure, save, style, subtitle
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.errors import InputError
from fastmomentum.plots.style import number

MOST_MAPS = 6
NAMES = {"lr": "learning rate", "momentum": "momentum"}


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    reading = parser(__doc__ or "")
    add = reading.add_argument
    add("--over", choices=tuple(NAMES), help="a map for each value")
    add("--lr", type=float, action="append", help="learning rate; several with --over lr")
    add("--momentum", type=float, action="append", help="momentum; several with --over momentum")
    add_target(reading)
    arguments = reading.parse_args(words)
    path = output(arguments, "basins")
    with opened(arguments.results, arguments) as ds, style(arguments):
        wanted = {"lr": arguments.lr, "momentum": arguments.momentum}
        results = at_target(chosen(ds, arguments.over, wanted), arguments.target)
        save(draw(ds, results, arguments.over), path)


def chosen(ds: xr.Dataset, over: str | None, wanted: dict[str, list[float] | None]) -> xr.Dataset:
    """Select what is drawn: a cell of learning rate and momentum, or several along one of them."""
    several = [name for name, values in wanted.items() if values and len(values) > 1]
    if any(name != over for name in several):
        raise InputError(f"--{several[0]} was given several times: add --over {several[0]}")
    first = {name: values[0] if values else None for name, values in wanted.items()}
    nearest = fm.select_cell(ds, first["lr"], first["momentum"])
    found = ds
    for name in NAMES:
        if name != over:
            found = found.isel({name: ds.get_index(name).get_loc(nearest[name].item())})
    if over is None:
        return found
    values = wanted[over]
    if values is None:
        if ds.sizes[over] > MOST_MAPS:
            raise InputError(
                f"--over {over}: the file holds {ds.sizes[over]} values; say which with --{over}, "
                f"{MOST_MAPS} at most"
            )
        return found
    cells = [fm.select_cell(ds, **{over: value})[over].item() for value in values]
    places = sorted({int(ds.get_index(over).get_loc(value)) for value in cells})
    if len(places) > MOST_MAPS:
        raise InputError(f"--{over}: {MOST_MAPS} values at most: got {len(places)}")
    return found.isel({over: places})


def draw(ds: xr.Dataset, results: xr.Dataset, over: str | None) -> Figure:
    """Draw the maps, and one legend and one bar for all."""
    count = 1 if over is None else results.sizes[over]
    columns = count if count <= 2 else -(-count // 2)
    rows = -(-count // columns)
    made = figure(ds)
    made.set_size_inches(max(9.0, 5.0 * columns + 1.5), (7.0 if count == 1 else 4.8 * rows) + 1.6)
    grid = made.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    axes = list(grid.ravel()[:count])
    for empty in grid.ravel()[count:]:
        empty.remove()
    norm = plots.shades_of(results)
    handles: dict[str, Any] = {}
    for i, ax in enumerate(axes):
        one = results if over is None else results.isel({over: i})
        drawn = plots.basin_map(ax, one, norm)
        ax.set_aspect("equal", adjustable="box")
        ax.label_outer()
        names = list(NAMES) if over is None else [over]
        ax.set_title(", ".join(f"{NAMES[k]} {number(one[k].item())}" for k in names))
        cell = f"cell lr={one['lr'].item():.6g} momentum={one['momentum'].item():.6g}"
        cell += velocity_of(one)
        print(f"{cell}: {', '.join(handle.get_label() for handle in drawn.legend)}")
        for handle in drawn.legend:  # a share is one map's, the legend that of all
            label = handle.get_label()
            if count > 1:
                handle.set_label(label := re.sub(r" \([0-9.]+%\)$", "", label))
            handles.setdefault(label, handle)
    plots.shades_bar(axes, drawn)
    fixed = [f"{NAMES[k]} {number(results[k].item())}" for k in NAMES if k != over]
    title = ", ".join([subtitle(ds), *(fixed if over else [])]) + velocity_of(results)
    made.suptitle(f"{made.get_suptitle()}\n{title}", parse_math=False)
    made.legend(
        handles=list(handles.values()), loc="outside lower center", ncols=3 if count > 2 else 2
    )
    return made


if __name__ == "__main__":
    script(main)
