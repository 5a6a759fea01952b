"""The grid that a refined map chooses its cells from: the map's own axes, halved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.arithmetic import other_arithmetic
from fastmomentum.experiment.axis import LONGEST, Axis
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.dataset import runnable
from fastmomentum.results.selection import Start, select_cell

SETTINGS: Final = ("lr", "momentum")


def map_of(
    ds: xr.Dataset, start: Start | None, velocity: Start | None, at: Mapping[str, float] | None
) -> tuple[Experiment, dict[str, int]]:
    """The experiment of a map over learning rate and momentum, and its indices in the results."""
    whole_one = runnable(ds)
    if whole_one.grid.cells is not None:
        raise InputError(
            "these results list cells, like those of a refined map; refine the map itself, with "
            "more levels"
        )
    if whole_one.grid.momentum is None:
        raise InputError(
            f"the rule {whole_one.rule.name} has no momentum: there is no map to refine"
        )
    few = [name for name in SETTINGS if ds.sizes.get(name, 1) < 2]
    if few:
        raise InputError(f"a map needs at least two values of {few[0]}: got one")
    other = other_arithmetic(whole_one, ds.attrs)
    if other is not None:
        raise InputError(f"the map was {other}; run it again")
    cell = select_cell(ds, start=start, velocity=velocity, at=at)
    labels = [label for label in whole_one.labels if label.axis not in SETTINGS]
    values: dict[str, Any] = {label.name: cell[label.name].item() for label in labels}
    values |= {name: ds[name].values for name in SETTINGS if not _is_whole(ds, whole_one, name)}
    grid = narrowed(whole_one.grid, values, whole_one.objective.parameters, meshes=False)
    others = [str(dim) for dim in ds.status.dims if dim not in SETTINGS]
    where = {dim: int(ds.get_index(dim).get_loc(cell[dim].item())) for dim in others}
    return whole_one.with_grid(grid), where


def _is_whole(ds: xr.Dataset, plan: Experiment, name: str) -> bool:
    return np.array_equal(ds[name].values, plan.grid.settings[name])


def finest(plan: Experiment, levels: int) -> Experiment:
    """The experiment at the finest resolution; its cells are chosen later."""
    grid = plan.grid
    assert grid.momentum is not None
    axes = {
        name: {"values": finer_axis(axis, levels, name).tolist()}
        for name, axis in (("lr", grid.lr), ("momentum", grid.momentum))
    }
    return plan.with_grid(grid.model_copy(update={**axes, "cells": [0]}))


def finer_axis(axis: Axis, levels: int, name: str) -> NDArray[np.float64]:
    """The values of an axis, with each gap halved some times.

    Parameters
    ----------
    axis : Axis
        The map's axis.
    levels : int
        How often each gap is halved.
    name : str
        "lr" is halved in the logarithm, unless it is a linspace or an arange; others evenly.

    Returns
    -------
    ndarray
        Includes the axis' own values.

    Raises
    ------
    InputError
        There are too many, or neighbours have no double between them.

    Examples
    --------
    >>> finer_axis(Axis(linspace=(0.0, 1.0), num=2), 2, "momentum").tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    values = axis.points
    count = ((values.size - 1) << levels) + 1
    if count > LONGEST:
        raise InputError(
            f"{levels} levels make {count:,} values of {name}, and {LONGEST:,} are allowed; "
            "ask for fewer levels"
        )
    even = axis.linspace is not None or axis.arange is not None
    by_ratio = axis.logspace is not None or (name == "lr" and not even)
    for level in range(levels):
        low, high = values[:-1], values[1:]
        middle = np.sqrt(low) * np.sqrt(high) if by_ratio else low + 0.5 * (high - low)
        if not ((low < middle) & (middle < high)).all():
            raise InputError(
                f"{name} has no double between neighbours after {level} levels; "
                f"ask for {level} at most"
            )
        finer = np.empty(values.size + middle.size)
        finer[::2], finer[1::2] = values, middle
        values = finer
    return values


def listing(finer: Experiment, points: NDArray[np.int64]) -> Experiment:
    """The experiment with some cells of the finest resolution."""
    return finer.with_grid(finer.grid.model_copy(update={"cells": points}))
