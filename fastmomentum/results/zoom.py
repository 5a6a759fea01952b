"""The experiment of a window of a map, on a finer grid than the map's."""

from __future__ import annotations

import math

import xarray as xr

from fastmomentum.errors import InputError
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import Start, one_cell, select_cell
from fastmomentum.status import Status

Range = tuple[float, float]


def zoomed(
    ds: xr.Dataset,
    lr: Range,
    momentum: Range,
    num: int = 512,
    start: Start | None = None,
    velocity: Start | None = None,
) -> Experiment:
    """The experiment of a window of a map: everything as it was, but the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results; the window may reach beyond them.
    lr : (float, float)
        First and last learning rate; those between are evenly spaced in the logarithm.
    momentum : (float, float)
        First and last momentum; those between are evenly spaced.
    num : int
        Values along each axis; two at least.
    start : int or (float, float), optional
        Number of a start point, or coordinates to come near to; the first where left out.
    velocity : int or (float, float), optional
        An initial velocity in the same way, where the map has some.

    Returns
    -------
    Experiment
        From that one start, of summaries only.

    Raises
    ------
    InputError
        The window is empty or lies outside of what can be run, is too narrow for doubles to tell
        its values apart, has too few values, or the rule has no momentum.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=100,
    ...     grid=fm.Grid(lr=[1e-3, 1e-2], momentum=[0.0, 0.9], start=[(-1.2, 1)])))
    >>> zoomed(ds, (3e-3, 4e-3), (0.8, 0.85), num=64).grid.shape
    (64, 64, 1)
    """
    whole = experiment_of(ds)
    if whole.grid.momentum is None:
        raise InputError(
            f"the rule {whole.rule.name} has no momentum: there is no map to zoom into"
        )
    if num < 2:
        raise InputError(f"num must be at least 2: got {num}")
    if not lr[0] > 0:
        raise InputError(f"lr must be a range A:B with A > 0: got {lr[0]:g}:{lr[1]:g}")
    for name, (first, last) in (("lr", lr), ("momentum", momentum)):
        if not -math.inf < first < last < math.inf:
            raise InputError(f"{name} must be a range A:B with A < B: got {first:g}:{last:g}")
        if not (last - first) / num > 4 * math.ulp(last):
            raise InputError(
                f"{name} {first!r}:{last!r} is too narrow for {num} values of double precision"
            )
    grid = Grid(
        lr={"logspace": list(lr), "num": num},
        momentum={"linspace": list(momentum), "num": num},
        **one_cell(ds, select_cell(ds, start=start, velocity=velocity)),
    )
    fields = {
        name: getattr(whole, name) for name in ("objective", "rule", "steps", "stop", "title")
    }
    return Experiment(grid=grid, **fields)


def converging(ds: xr.Dataset) -> xr.DataArray:
    """Which runs came to the last target; without one, which did not diverge.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.

    Returns
    -------
    xarray.DataArray
        True or false, of the dimensions of ``status``.
    """
    has_target = bool(experiment_of(ds).stop.targets)
    found: xr.DataArray = (
        ds.status == Status.CONVERGED if has_target else ds.status != Status.DIVERGED
    )
    return found


def convergence_of(
    ds: xr.Dataset, start: Start | None = None, velocity: Start | None = None
) -> str:
    """Say where the runs of a map converge, for a window in which none does.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    start, velocity : int or (float, float), optional
        As for `zoomed`.

    Returns
    -------
    str
        The ranges of learning rate and momentum.
    """
    cell = select_cell(ds, start=start, velocity=velocity)
    others = [str(dim) for dim in ds.status.dims if dim not in ("lr", "momentum")]
    where = {dim: ds.get_index(dim).get_loc(cell[dim].item()) for dim in others}
    those = converging(ds).isel(where)
    if not bool(those.any()):
        return "in the map that it is a window of none does either"
    ranges = []
    for name, other in (("lr", "momentum"), ("momentum", "lr")):
        values = ds[name].values[those.any(other).values]
        ranges.append(f"{name} {values.min():.6g} to {values.max():.6g}")
    return f"those of the map that do have {', '.join(ranges)}"
