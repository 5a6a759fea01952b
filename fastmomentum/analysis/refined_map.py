"""A refined map on a regular grid: for each cell, the one that stands for it."""

from __future__ import annotations

import numpy as np
import xarray as xr

from fastmomentum.analysis.quadtree import MOST_LEVELS, Known, Lattice
from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL as CELL
from fastmomentum.results.dataset import experiment_of

MOST_SHOWN = 1024
"""Most cells along an axis."""


def known_of(ds: xr.Dataset) -> Known:
    """The classes of a refined map, from its results.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of a list of cells, from one start.

    Returns
    -------
    Known
        Classes on the map's lattice.

    Raises
    ------
    InputError
        The cells are not a refined map: they do not contain a whole regular part of the grid.
    """
    plan = experiment_of(ds)
    if CELL not in ds.coords:
        raise InputError(
            "these results are no refined map; refine them first, with fm.analysis.refine"
        )
    fine = plan.grid.lr.points.size, plan.grid.momenta.size
    cells = np.atleast_1d(ds[CELL].values)
    status = np.ascontiguousarray(ds.status.values, np.uint8)
    if status.size != cells.size:
        raise InputError("a refined map has one start: select one, such as ds.isel(start=0)")
    order = np.argsort(cells)
    for levels in reversed(range(MOST_LEVELS + 1)):
        step = 1 << levels
        if any((size - 1) % step or size <= step for size in fine):
            continue
        lattice = Lattice(((fine[0] - 1) // step + 1, (fine[1] - 1) // step + 1), levels)
        known = Known(lattice, np.zeros(lattice.shape, np.uint8))
        known.points, known.classes = cells[order], status.ravel()[order]
        if known.has(lattice.of_map()).all():
            return known
    raise InputError(
        "these cells are not a refined map, as they contain no whole regular part of the grid; "
        "take all that refine wrote"
    )


def cells_run(ds: xr.Dataset) -> str:
    """Say how much of the map was run.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of `refine`.

    Returns
    -------
    str
        Such as "3,452 cells of 257 x 257 were run".
    """
    grid = experiment_of(ds).grid
    full = f"{grid.lr.points.size:,} x {grid.momenta.size:,}"
    return f"{ds[CELL].size:,} cells of {full} were run"


Part = tuple[slice, slice]
"""A part of the finest lattice, by index."""


def refined_map(ds: xr.Dataset, window: Part | None = None, most: int = MOST_SHOWN) -> xr.Dataset:
    """A list of cells as a map over learning rate and momentum, or a window of it.

    A skipped cell has the values of the nearest cell below it that was run: its square was not
    cut, as its corners agreed.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of `refine`, from one start.
    window : (slice, slice), optional
        Part of the finest lattice, by index; all of it if left out.
    most : int
        Most cells along an axis: of more, every k-th is taken.

    Returns
    -------
    xarray.Dataset
        With the dimensions ``lr`` and ``momentum``, and the variables of `ds`.

    Raises
    ------
    InputError
        The cells are not a refined map, or more than one start is left.
    """
    known, plan = known_of(ds), experiment_of(ds)
    axes = {"lr": plan.grid.lr.points, "momentum": plan.grid.momenta}
    chosen = []
    for size, part in zip(known.lattice.fine, window or (slice(None), slice(None)), strict=True):
        whole = np.arange(size)[part]
        chosen.append(whole[:: -(-whole.size // most)])
    i, j = chosen
    which = np.argsort(np.atleast_1d(ds[CELL].values))[
        known.sources(known.lattice.number(i[:, None], j))
    ]
    picked = xr.DataArray(which, dims=("lr", "momentum"))
    found: xr.Dataset = ds.drop_vars([CELL, *axes], errors="ignore").isel({CELL: picked})
    places = {name: axes[name][at] for name, at in zip(axes, chosen, strict=True)}
    return found.assign_coords(places)


def busiest_window(ds: xr.Dataset, parts: int = 8) -> Part:
    """The part of a refined map in which most cells were run.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of `refine`, from one start.
    parts : int
        Into how many parts each axis is cut.

    Returns
    -------
    (slice, slice)
        Part of the finest lattice, by index.
    """
    known = known_of(ds)
    n, m = known.lattice.fine
    i, j = np.divmod(known.points, m)
    count = np.bincount((i * parts // n) * parts + j * parts // m, minlength=parts * parts)
    a, b = divmod(int(count.argmax()), parts)
    return (
        slice(-(-a * n // parts), -(-(a + 1) * n // parts)),
        slice(-(-b * m // parts), -(-(b + 1) * m // parts)),
    )
