"""Which minimum is reached over a mesh of starts, on one map or several."""

from __future__ import annotations

import re
from typing import Any, Final, Literal

import xarray as xr

from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.basin_maps import basin_map, shades_bar, shades_of
from fastmomentum.plots.pages.choosing import At, Several, at_target, chosen, listed, velocity_of
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.planes import described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.style import number
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.nearest import nearest_cell
from fastmomentum.results.selection import Start, select_cell

MOST_MAPS: Final = 6
NAMES: Final = {"lr": "learning rate", "momentum": "momentum"}


@takes(ds=RESULTS)
def basins(
    ds: xr.Dataset,
    lr: Several = None,
    momentum: Several = None,
    *,
    over: Literal["lr", "momentum"] | None = None,
    velocity: Start | None = None,
    at: At | None = None,
    target: float | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Map the minimum reached over a mesh of starts: its colour tells which, its shade how soon.

    Parameters
    ----------
    ds : xarray.Dataset
        Results on a mesh of starts, from `fm.run` or `fm.open`.
    lr, momentum : float or list of float, optional
        The nearest is taken; several along `over`.
    over : {"lr", "momentum"}, optional
        A map for each of its values, six at most; one map without.
    velocity : int or (float, float), optional
        The initial velocity; the first without.
    at : mapping of float, optional
        As for `pages.contour`.
    target : float, optional
        One of the targets; the last without.
    title, size, style
        As for `pages.contour`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` has lines about what was drawn.

    Raises
    ------
    InputError
        An argument makes no sense.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Himmelblau(), rule="momentum", steps=100,
    ...     grid=fm.Grid(lr=0.01, momentum=0.5, start={"x": [-4, 0, 4], "y": [-4, 0, 4]})))
    >>> fm.plots.basins(ds).said[0][:25]
    'cell lr=0.01 momentum=0.5'
    """
    one = chosen(ds, velocity, at)
    results = at_target(
        _chosen(one, over, {"lr": listed(lr), "momentum": listed(momentum)}), target
    )
    with drawn_in(style) as settings:
        return _drawn(one, results, over, title, size, settings)


def _chosen(ds: xr.Dataset, over: str | None, wanted: dict[str, list[Any] | None]) -> xr.Dataset:
    """Select what is drawn: a cell of learning rate and momentum, or several along one of them."""
    several = [name for name, values in wanted.items() if values and len(values) > 1]
    first = {name: values[0] if values else None for name, values in wanted.items()}
    if CELL in ds.dims:
        if over is not None or several:
            what = f"--over {over}" if over is not None else f"several --{several[0]}"
            raise InputError(
                f"{what}: these results list cells of lr and momentum, and one of them is drawn; "
                "say which with one --lr and one --momentum"
            )
        return ds.isel({CELL: nearest_cell(ds.lr, ds.momentum, first["lr"], first["momentum"])})
    if any(name != over for name in several):
        raise InputError(f"--{several[0]} was given several times: add --over {several[0]}")
    nearest = select_cell(ds, first["lr"], first["momentum"])
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
    cells = [select_cell(ds, **{over: value})[over].item() for value in values]
    places = sorted({int(ds.get_index(over).get_loc(value)) for value in cells})
    if len(places) > MOST_MAPS:
        raise InputError(f"--{over}: {MOST_MAPS} values at most: got {len(places)}")
    return found.isel({over: places})


def _columns(count: int, size: Size | None) -> int:
    """Columns of maps: those of two rows, or on a page of given size those of the largest maps."""
    if size is None:
        return count if count <= 2 else -(-count // 2)
    wide, high = size
    return max(range(1, count + 1), key=lambda n: min(wide / n, high / -(-count // n)))


def _drawn(
    ds: xr.Dataset,
    results: xr.Dataset,
    over: str | None,
    title: str | None,
    size: Size | None,
    settings: dict[Any, Any],
) -> Page:
    """Draw the maps, and one legend and one bar for all."""
    count = 1 if over is None else results.sizes[over]
    columns = _columns(count, size or settings.get("figure.figsize"))
    rows = -(-count // columns)
    usual = max(9.0, 5.0 * columns + 1.5), (7.0 if count == 1 else 4.8 * rows) + 1.6
    page = new_page(settings, size, usual)
    grid = page.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    axes = list(grid.ravel()[:count])
    for empty in grid.ravel()[count:]:
        empty.remove()
    norm = shades_of(results)
    handles: dict[str, Any] = {}
    for i, ax in enumerate(axes):
        one = results if over is None else results.isel({over: i})
        drawn = basin_map(ax, one, norm)
        ax.set_aspect("equal", adjustable="box")
        ax.label_outer()
        names = list(NAMES) if over is None else [over]
        above = ", ".join(f"{NAMES[k]} {number(one[k].item())}" for k in names)
        ax.set_title(lines_of(page, above, panels=columns))
        cell = f"cell lr={one['lr'].item():.6g} momentum={one['momentum'].item():.6g}"
        cell += velocity_of(one)
        page.said.append(f"{cell}: {', '.join(str(h.get_label()) for h in drawn.legend)}")
        for handle in drawn.legend:  # a share is one map's, the legend that of all
            label = str(handle.get_label())
            if count > 1:
                handle.set_label(label := re.sub(r" \([0-9.]+%\)$", "", label))
            handles.setdefault(label, handle)
    shades_bar(axes, drawn)
    fixed = [f"{NAMES[k]} {number(results[k].item())}" for k in NAMES if k != over]
    below = ", ".join([described(ds), *(fixed if over else [])]) + velocity_of(results)
    entitle(page, ds, title, below)
    legend_below(page, 3 if count > 2 else 2, handles=list(handles.values()))
    return finished(page)
