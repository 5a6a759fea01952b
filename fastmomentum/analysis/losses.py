"""Losses and distances along stored trajectories."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import xarray as xr

from fastmomentum.analysis.attractors import nearest
from fastmomentum.analysis.trajectories import Floats
from fastmomentum.errors import FastmomentumWarning, InputError
from fastmomentum.notices import warn
from fastmomentum.objectives import Objective
from fastmomentum.objectives.minimum import below_minimum, fallen
from fastmomentum.results.chosen import by_objective
from fastmomentum.results.dataset import experiment_of


def loss(ds: xr.Dataset) -> xr.DataArray:
    """The objective along stored trajectories.

    Parameters
    ----------
    ds : xarray.Dataset
        Results with ``trajectory``, or any selection of them; what is used is read whole.

    Returns
    -------
    xarray.DataArray
        The trajectory's dimensions without ``parameter``; NaN after the end of a run.

    Raises
    ------
    InputError
        There are no trajectories.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 1.0), rule="sgd", steps=2,
    ...     grid=fm.Grid(lr=0.5, start=[(2, 0)]), record=fm.Record(every=1)))
    >>> loss(ds).values.ravel().tolist()
    [2.0, 0.5, 0.125]
    """
    found = _along(ds, lambda objective, x, y: objective.value(x, y)).rename("loss")
    found.attrs = {"long_name": "loss", "units": "1"}
    return found


def excess(ds: xr.Dataset) -> xr.DataArray:
    """The objective above its smallest value, along stored trajectories.

    Parameters
    ----------
    ds : xarray.Dataset
        As for `loss`.

    Returns
    -------
    xarray.DataArray
        As for `loss`; a rounding error may make it negative.

    Raises
    ------
    InputError
        There are no trajectories, or the objective has no smallest value.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.GoldsteinPrice(), rule="momentum", steps=2,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.5, start=[(0, -1)]), record=fm.Record(every=1)))
    >>> excess(ds).values.ravel().tolist()
    [0.0, 0.0, 0.0]
    """
    for _, objective in by_objective(ds):
        if objective.f_min is None:
            raise InputError(f"{objective.words} has no smallest value; use the loss")
    warn_of_fallen(ds)
    found = _along(ds, lambda one, x, y: one.value(x, y) - (one.f_min or 0.0)).rename("excess")
    found.attrs = {"long_name": "loss above its minimum", "units": "1"}
    return found


def distance(ds: xr.Dataset) -> xr.DataArray:
    """Distance of trajectories from the objective's nearest minimiser.

    Parameters
    ----------
    ds : xarray.Dataset
        As for `loss`.

    Returns
    -------
    xarray.DataArray
        The trajectory's dimensions without ``parameter``; NaN after the end of a run.

    Raises
    ------
    InputError
        There are no trajectories, or the objective has no minimiser.

    Warns
    -----
    FastmomentumWarning
        The minimisers are a valley's floor, of which the objective names one point.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 1.0), rule="sgd", steps=2,
    ...     grid=fm.Grid(lr=0.5, start=[(3, 4)]), record=fm.Record(every=1)))
    >>> distance(ds).values.ravel().tolist()
    [5.0, 2.5, 1.25]
    """
    require_minimisers(ds)
    is_floor = warn_of_floor(ds, "distances are those from that point: see the loss instead")
    found = _along(ds, lambda objective, x, y: nearest(objective, x, y)[1]).rename("distance")
    which = "one of many minimisers" if is_floor else "the nearest minimiser"
    found.attrs = {"long_name": f"distance from {which}", "units": "1"}
    return found


def _path(ds: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    experiment_of(ds)  # refuses what is no results
    if "trajectory" not in ds:
        raise InputError(
            "these results hold no trajectories; take a cell's with fm.replay, or run the "
            "experiment again with a [record]"
        )
    both = ds.trajectory.compute()
    return both.isel(parameter=0, drop=True), both.isel(parameter=1, drop=True)


def _along(ds: xr.Dataset, made: Callable[[Objective, Floats, Floats], Floats]) -> xr.DataArray:
    """Apply `made` to the points of stored trajectories, with the objective of each run."""
    x, y = _path(ds)
    found: xr.DataArray = x.astype(float)
    for where, objective in by_objective(ds):
        xs, ys = (np.asarray(part.isel(where).values, float) for part in (x, y))
        found[where] = made(objective, xs, ys)
    return found


def require_minimisers(ds: xr.Dataset) -> None:
    """Refuse results of an objective that has no minimiser."""
    for _, objective in by_objective(ds):
        if not len(objective.minimisers):
            raise InputError(f"{objective.words} has no minimiser")


def warn_of_floor(ds: xr.Dataset, told: str) -> bool:
    """Warn where minimisers are not isolated, and say what is told of one of them; whether so."""
    for _, objective in by_objective(ds):
        if objective.has_valley_floor:
            warn(
                f"{objective.words}: the minimisers are not isolated but a valley's floor, of "
                f"which one point stands for all; {told}",
                FastmomentumWarning,
            )
            return True  # one warning is enough for several objectives
    return False


def warn_of_fallen(ds: xr.Dataset) -> xr.DataArray | None:
    """Warn about runs that ended below the stated minimum; which they are, or None."""
    if not {"final", "final_loss", "parameter"} <= {*ds.variables}:
        return None
    fell: xr.DataArray = xr.zeros_like(ds.final_loss, bool)
    said = []
    for where, objective in by_objective(ds):
        loss = ds.final_loss.isel(where)
        if objective.f_min is None or not (loss < objective.f_min).any():
            continue
        final = ds.final.isel(where).transpose(*loss.dims, "parameter").values
        those = below_minimum(objective, final, loss.values)
        fell[where] = those
        if those.any():
            said.append(fallen(objective, float(loss.values[those].min()), int(those.sum())))
    for line in said[:1]:  # one warning is enough for several objectives
        warnings.warn(line, FastmomentumWarning, stacklevel=4)
    return fell if said else None
