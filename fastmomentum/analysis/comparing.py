"""Which setting of a rule meets the target first, and how much the learning rate matters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.neighbours import NEVER_MET, medians
from fastmomentum.results.selection import labels_of
from fastmomentum.status import Status


class Fastest(NamedTuple):
    """The best cell of results; see `fastest`.

    Attributes
    ----------
    cell : dict of float
        Its labels: lr, momentum, start and parameters, by name.
    hit_step : int or None
        Step at which it met the last target; None if no cell did.
    loss : float
        Its loss at the end.
    converged, diverged : float
        Shares of all cells that met the last target, and that diverged.
    lone : int or None
        Step at which the first of all cells met the target, perhaps by luck.
    """

    cell: dict[str, float]
    hit_step: int | None
    loss: float
    converged: float
    diverged: float
    lone: int | None


def fastest(ds: xr.Dataset) -> Fastest:
    """The cell that met the last target first, together with its neighbours.

    A cell is judged by the median over itself and the eight around it in learning rate and
    momentum, so that none wins by luck: on a fine grid some run always lands on the minimum. Among
    equals the fastest cell itself is taken. If no cell met the target, or there is none, it is the
    cell with the lowest loss.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them.

    Returns
    -------
    Fastest
        Of equally good cells, the first in the grid's order.

    Raises
    ------
    InputError
        These are no results, or they have no dimensions lr and momentum.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-4, 1e-8])))
    >>> found = fastest(ds)
    >>> found.cell["lr"], found.cell["momentum"], found.hit_step, found.converged
    (0.1, 0.5, 29, 1.0)
    """
    counts, around = _counts(ds)
    status = ds["status"].transpose(*counts.dims).values
    met = counts.values < NEVER_MET
    if met.any():
        best = np.where(around == around.min(), counts.values, NEVER_MET)
    else:
        losses = ds["final_loss"].transpose(*counts.dims).values
        best = np.where((status == Status.DIVERGED) | np.isnan(losses), np.inf, losses)
    place = np.unravel_index(best.argmin(), best.shape)
    one = ds[["final_loss"]].isel(dict(zip(counts.dims, place, strict=True)))
    return Fastest(
        {name: one[name].item() for name in labels_of(ds)},
        int(counts.values[place]) if met.any() else None,
        float(one["final_loss"]),
        float(met.mean()),
        float((status == Status.DIVERGED).mean()),
        int(counts.values.min()) if met.any() else None,
    )


def soonest(ds: xr.Dataset, along: str = "lr") -> xr.DataArray:
    """Updates to the last target for each value of an axis, the other axes at their best.

    Cells are judged together with their neighbours, as for `fastest`.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of an experiment with targets, or a selection of them.
    along : str
        The axis.

    Returns
    -------
    xarray.DataArray, dim `along`
        inf where no cell met the target.

    Raises
    ------
    InputError
        These are no results, or they lack lr, momentum or this dimension.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-8])))
    >>> soonest(ds).values.tolist()
    [431.0, 29.0]
    """
    counts, around = _counts(ds)
    if along not in counts.dims:
        known = ", ".join(map(str, counts.dims))
        raise InputError(f"{along} is not a dimension of the results; they have {known}")
    axis = counts.dims.index(along)
    rows = np.moveaxis(counts.values, axis, 0).reshape(counts.sizes[along], -1)
    middles = np.moveaxis(around, axis, 0).reshape(rows.shape)
    best = np.where(middles == middles.min(axis=1, keepdims=True), rows, NEVER_MET).min(axis=1)
    values = np.where(best < NEVER_MET, best, np.inf).astype(np.float64)
    return xr.DataArray(values, dims=along, coords={along: ds[along]})


def _counts(ds: xr.Dataset) -> tuple[xr.DataArray, NDArray[np.int32]]:
    """Step at which each cell met the last target, and medians around it, or `NEVER_MET`."""
    experiment_of(ds)  # refuses what is no results
    status = ds["status"]
    if not {"lr", "momentum"} <= set(status.dims):
        raise InputError("cells are compared with their neighbours in lr and momentum: keep both")
    others = [dim for dim in status.dims if dim not in ("lr", "momentum")]
    steps = xr.full_like(status, -1, np.int64)
    if "hit_step" in ds:
        steps = ds["hit_step"]
        steps = steps.isel(target=-1, drop=True) if "target" in steps.dims else steps
    counts = steps.where(steps >= 0, NEVER_MET).astype(np.int32)
    counts = counts.transpose(*others, "lr", "momentum")
    planes = counts.values.reshape(-1, counts.sizes["lr"], counts.sizes["momentum"])
    around = np.stack([medians(plane) for plane in planes]).reshape(counts.shape)
    return counts, np.where(counts.values < NEVER_MET, around, NEVER_MET)
