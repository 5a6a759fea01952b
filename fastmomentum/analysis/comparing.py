"""Which setting of a rule is the soonest at the target, and how much the learning rate matters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.results.selection import labels_of
from fastmomentum.status import Status


class Fastest(NamedTuple):
    """The best cell of results; see `fastest`.

    Attributes
    ----------
    cell : dict of float
        What says which it is: lr, momentum, start and parameters, by name.
    hit_step : int or None
        When it met the last target; None where no cell did.
    loss : float
        Where it ended.
    converged, diverged : float
        Shares of all cells that met the last target, and that diverged.
    """

    cell: dict[str, float]
    hit_step: int | None
    loss: float
    converged: float
    diverged: float


def fastest(ds: xr.Dataset) -> Fastest:
    """The cell that met the last target soonest; where none did, the one of the lowest loss.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them.

    Returns
    -------
    Fastest
        Of cells that are equally good, the first in the grid's order.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-4, 1e-8])))
    >>> found = fastest(ds)
    >>> found.cell["lr"], found.cell["momentum"], found.hit_step, found.converged
    (0.1, 0.5, 29, 0.75)
    """
    steps = _steps(ds)
    losses = np.where(ds.status.values == Status.DIVERGED, np.inf, ds.final_loss.values)
    losses = np.where(np.isnan(losses), np.inf, losses)
    met = np.isfinite(steps)
    place = np.unravel_index((steps if met.any() else losses).argmin(), ds.status.shape)
    at = dict(zip(ds.status.dims, place, strict=True))
    one = ds[["final_loss"]].isel(at)
    return Fastest(
        {name: one[name].item() for name in labels_of(ds)},
        int(steps[place]) if met.any() else None,
        float(one["final_loss"]),
        float(met.mean()),
        float((ds.status.values == Status.DIVERGED).mean()),
    )


def soonest(ds: xr.Dataset, along: str = "lr") -> xr.DataArray:
    """Fewest updates to the last target for each value of an axis, the other axes at their best.

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

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-8])))
    >>> soonest(ds).values.tolist()
    [439.0, 29.0]
    """
    steps = xr.DataArray(_steps(ds), dims=ds.status.dims, coords={along: ds[along]})
    return steps.min([dim for dim in steps.dims if dim != along])


def _steps(ds: xr.Dataset) -> NDArray[np.float64]:
    """When each cell met the last target; inf for never, and without targets."""
    if "hit_step" not in ds:
        return np.full(ds.status.shape, np.inf)
    hits = ds["hit_step"]
    last = hits.isel(target=-1) if "target" in hits.dims else hits
    values = last.transpose(*ds.status.dims).values
    return np.where(values >= 0, values, np.inf)
