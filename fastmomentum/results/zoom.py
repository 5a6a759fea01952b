"""The experiment for a window of a map, on a finer grid."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.dataset import experiment_of, runnable
from fastmomentum.results.selection import Start, select_cell
from fastmomentum.status import Status
from fastmomentum.text import suggest

if TYPE_CHECKING:
    import xarray as xr

Range = tuple[float, float]


def zoomed(
    ds: xr.Dataset,
    lr: Range | None = None,
    momentum: Range | None = None,
    num: int = 512,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
    windows: Mapping[str, Range] | None = None,
) -> Experiment:
    """The experiment for a window of a map: the same, except for the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results; the window may reach beyond them.
    lr : (float, float), optional
        First and last learning rate; those between are evenly spaced in the logarithm.
    momentum : (float, float), optional
        First and last momentum; those between are evenly spaced.
    num : int
        Values along each axis; two at least.
    start : int or (float, float), optional
        Number of a start point, or coordinates to come near to; the first if left out.
    velocity : int or (float, float), optional
        An initial velocity in the same way, if the map has some.
    at : mapping of float, optional
        Values to keep along the other axes, by name; the first of those left out.
    windows : mapping of (float, float), optional
        First and last value along other axes, such as ``{"nu": (0.2, 0.4)}``: a window has two
        axes in all. Positive values that span a factor of 100 are spaced in the logarithm.

    Returns
    -------
    Experiment
        From that one start, with summaries only.

    Raises
    ------
    InputError
        The window is empty, lies outside of what can be run, is too narrow for doubles, has too
        few values or not two axes, or the rule has no momentum.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=100,
    ...     grid=fm.Grid(lr=[1e-3, 1e-2], momentum=[0.0, 0.9], start=[(-1.2, 1)])))
    >>> zoomed(ds, (3e-3, 4e-3), (0.8, 0.85), num=64).grid.shape
    (64, 64, 1)
    """
    whole = runnable(ds)
    given = {"lr": lr, "momentum": momentum, **(windows or {})}
    asked = {name: window for name, window in given.items() if window is not None}
    if "momentum" in asked and whole.grid.momentum is None:
        raise InputError(
            f"the rule {whole.rule.name} has no momentum: there is no map to zoom into"
        )
    known = [label.name for label in whole.labels if label.axis in (label.name, CELL)]
    for name in asked:
        if name not in known:
            raise InputError(f"{name} is not an axis of the grid; {suggest(str(name), known)}")
    if len(asked) != 2:
        got = " and ".join(asked) or "none"
        raise InputError(f"a window has two axes, such as lr and momentum: got {got}")
    if num < 2:
        raise InputError(f"num must be at least 2: got {num}")
    if "lr" in asked and not asked["lr"][0] > 0:
        first, last = asked["lr"]
        raise InputError(f"lr must be a range A:B with A > 0: got {first:g}:{last:g}")
    for name, (first, last) in asked.items():
        if not -math.inf < first < last < math.inf:
            raise InputError(f"{name} must be a range A:B with A < B: got {first:g}:{last:g}")
        if not (last - first) / num > 4 * math.ulp(max(abs(first), abs(last))):
            raise InputError(
                f"{name} {first!r}:{last!r} is too narrow for {num} doubles; take a wider window"
            )
    stay = {name: value for name, value in (at or {}).items() if name not in asked}
    settings = stay.pop("lr", None), stay.pop("momentum", None)
    cell = select_cell(ds, *settings, start, velocity, stay)
    values: dict[str, Any] = {label.name: cell[label.name].item() for label in whole.labels}
    for name, (first, last) in asked.items():
        wide = name != "momentum" and first > 0 and last >= 100 * first
        spaced = "logspace" if name == "lr" or wide else "linspace"
        values[name] = {spaced: [first, last], "num": num}
    grid = whole.grid.model_copy(update={"cells": None})  # a window is a full map
    return whole.with_grid(narrowed(grid, values, whole.objective.parameters, meshes=False))


def converging(ds: xr.Dataset) -> xr.DataArray:
    """Which runs met the last target; without targets, which did not diverge.

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
    ds: xr.Dataset,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
    over: tuple[str, str] = ("lr", "momentum"),
) -> str:
    """Say where runs of a map converge, for a window in which none does.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    start, velocity, at
        As for `zoomed`.
    over : (str, str)
        The map's dimensions.

    Returns
    -------
    str
        Their ranges.
    """
    stay = {name: value for name, value in (at or {}).items() if name not in over}
    settings = stay.pop("lr", None), stay.pop("momentum", None)
    cell = select_cell(ds, *settings, start, velocity, stay)
    free = {name: ds[name].dims[0] for name in over}  # for listed cells, one for both
    others = [str(dim) for dim in ds.status.dims if dim not in free.values()]
    where = {dim: ds.get_index(dim).get_loc(cell[dim].item()) for dim in others}
    those = converging(ds).isel(where)
    if not bool(those.any()):
        return "in the whole map none does either"
    ranges = []
    for name, own in free.items():
        values = ds[name].values[those.any([dim for dim in those.dims if dim != own]).values]
        ranges.append(f"{name} {values.min():.6g} to {values.max():.6g}")
    return f"in the whole map those that do have {', '.join(ranges)}"
