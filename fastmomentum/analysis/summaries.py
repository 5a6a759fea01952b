"""Numbers from the summaries of results: basins, best cells, shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.analysis.attractors import minima, nearest
from fastmomentum.analysis.losses import require_minimisers, warn_of_fallen, warn_of_floor
from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.results.chosen import by_objective
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import labels_of
from fastmomentum.specification.numbers import number
from fastmomentum.status import Status


def basin(ds: xr.Dataset, radius: float | None = None) -> xr.DataArray:
    """Which minimiser each run reached.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or any selection of them; summaries suffice.
    radius : float, optional
        A run has reached the nearest minimiser if it ended within this distance; a hundredth of the
        diagonal of the objective's usual box if left out. A run that met its last target farther
        away has reached the one that Newton's method finds from its last point.

    Returns
    -------
    xarray.DataArray of int16
        Row of ``objective.minimisers``; -1 for none, as for runs that diverged, or ended at a
        minimum that is not the lowest.

    Raises
    ------
    InputError
        The objective has no minimiser, or the radius is not positive.

    Warns
    -----
    FastmomentumWarning
        The minimisers are a valley's floor, of which the objective names one point: runs that came
        to rest elsewhere on it are -1.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Himmelblau(), rule="momentum", steps=1000,
    ...     grid=fm.Grid(lr=0.01, momentum=0.5, start=[(3, 3), (-3, 3), (3, -3), (0, 1e4)])))
    >>> basin(ds).values.ravel().tolist()
    [0, 1, 3, -1]
    """
    require_minimisers(ds)
    if radius is not None and not (radius := number(radius, "radius")) > 0:
        raise InputError(f"radius must be positive: got {radius!r}")
    warn_of_floor(ds, "basins are those of that point: go by the status or the loss instead")
    basins: xr.DataArray = ds.status.astype(np.int16).rename("basin")
    for where, objective in by_objective(ds):
        part = ds[["final", "status"]].isel(where)
        basins[where] = _basin(part.transpose(*part.status.dims, ...), objective, radius)
    basins.attrs = {"long_name": "minimiser reached, -1 for none"}
    return basins


def _basin(ds: xr.Dataset, objective: Objective, radius: float | None) -> NDArray[np.int16]:
    """Which minimiser of one objective each run reached."""
    if radius is None:
        (x_low, x_high), (y_low, y_high) = objective.box
        radius = 0.01 * float(np.hypot(x_high - x_low, y_high - y_low))
    x, y = (ds.final.isel(parameter=i).values for i in (0, 1))
    status = ds.status.values
    with np.errstate(all="ignore"):
        index, away = nearest(objective, x, y)
        reached = ((status == Status.CONVERGED) | (status == Status.MAX_STEPS)) & (away <= radius)
        far = (status == Status.CONVERGED) & ~reached
        if far.any():
            end_x, end_y, found = minima(objective, x[far], y[far])
            index[far], away = nearest(objective, end_x, end_y)
            reached[far] = found & (away <= 1e-6 * radius)
    return np.where(reached, index, -1).astype(np.int16)


def best(ds: xr.Dataset) -> xr.Dataset:
    """The cell that met each target first.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of an experiment with targets, or a selection of them.

    Returns
    -------
    xarray.Dataset
        Over ``target``: ``hit_step`` (-1 where no cell met it), and the cell's ``lr``,
        ``momentum`` and start, NaN if no cell met it. Of cells that met it at the same step, the
        first in the grid's order.

    Raises
    ------
    InputError
        The experiment has no targets.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-4, 1e-8])))
    >>> found = best(ds)
    >>> found.lr.values.tolist(), found.momentum.values.tolist(), found.hit_step.values.tolist()
    ([0.1, 0.1], [0.5, 0.5], [14, 29])
    """
    steps = _hit_steps(ds).values
    never = np.iinfo(np.int32).max
    flat = np.where(steps >= 0, steps, never).reshape(-1, steps.shape[-1])
    cell, chosen = flat.argmin(axis=0), flat.min(axis=0)
    met = chosen < never
    found = {"hit_step": ("target", np.where(met, chosen, -1))}
    for name in (name for name in labels_of(ds) if name in ds.coords):
        label = ds[name].broadcast_like(ds.status).transpose(*ds.status.dims)
        found[name] = ("target", np.where(met, label.values.ravel()[cell], np.nan))
    return xr.Dataset(found, {"target": np.atleast_1d(ds.target.values)}, ds.attrs)


def fraction_converged(ds: xr.Dataset, over: str | Sequence[str] | None = None) -> xr.DataArray:
    """Share of the runs that met each target.

    Parameters
    ----------
    ds : xarray.Dataset
        Results of an experiment with targets, or a selection of them.
    over : str or sequence of str, optional
        Dimensions to count over; starts and initial velocities if left out.

    Returns
    -------
    xarray.DataArray
        The dimensions of ``ds.hit_step`` without `over`; 0 to 1.

    Raises
    ------
    InputError
        The experiment has no targets, or there is no such dimension.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Himmelblau(), rule="momentum", steps=200,
    ...     grid=fm.Grid(lr=[0.01, 0.02], momentum=0.5, start=[(0, 0), (4, 4), (6, 6)]),
    ...     stop=fm.Stop(targets=[1e-6])))
    >>> fraction_converged(ds).squeeze().values.round(3).tolist()
    [1.0, 0.667]
    """
    steps = _hit_steps(ds)
    if over is None:
        labels = experiment_of(ds).labels
        kept = {label.axis for label in labels if label.kind in ("start", "velocity")}
        over = [dim for dim in steps.dims if dim in kept]
    over = [over] if isinstance(over, str) else list(over)
    strange = [dim for dim in over if dim not in ds.status.dims]
    if strange:
        known = ", ".join(str(dim) for dim in ds.status.dims)
        raise InputError(
            f"there is no dimension {strange[0]!r} to count over; the results have {known}"
        )
    found: xr.DataArray = (steps >= 0).mean(over).rename("fraction_converged")
    found.attrs = {"long_name": "share of the runs that met the target", "units": "1"}
    return found


def _hit_steps(ds: xr.Dataset) -> xr.DataArray:
    targets = experiment_of(ds).stop.targets
    if "hit_step" not in ds and targets:
        raise InputError("hit_step was not selected; keep it, and status")
    if "hit_step" not in ds:
        raise InputError("this experiment has no targets; give it some under [stop]")
    if "status" not in ds:
        raise InputError("status was not selected; keep it, and hit_step")
    steps: xr.DataArray = ds.hit_step
    fell = warn_of_fallen(ds)
    if fell is not None:
        steps = steps.where(~fell, -1)
    if "target" not in steps.dims:
        steps = steps.expand_dims("target", axis=-1)
    return steps.transpose(*ds.status.dims, "target")
