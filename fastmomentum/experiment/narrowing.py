"""Grids derived from another: its axes in another order, or with other values on some of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fastmomentum.experiment.cells import cells_at
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.points import Mesh


def with_meshes_in_order(grid: Grid, parameters: tuple[str, str]) -> Grid:
    """The same grid, with its meshes in the order of an objective's parameters."""
    meshes = {"start": grid.start, "velocity": grid.velocity}
    ordered = {k: m.ordered(parameters) for k, m in meshes.items() if isinstance(m, Mesh)}
    same = all(mesh is meshes[key] for key, mesh in ordered.items())
    return grid if same else grid.model_copy(update=ordered)


def with_axes_in_order(grid: Grid, parts: Mapping[str, object]) -> Grid:
    """The same grid, with its axes by name in the order in which the parts have these numbers."""
    changes = {}
    for kind, axes in grid.named.items():
        there = [name for name in NAMED[kind].names(parts[kind]) if name in axes]
        if there != list(axes):
            changes[kind] = {name: axes[name] for name in there}
    return grid.model_copy(update=changes) if changes else grid


def narrowed(
    grid: Grid,
    values: Mapping[str, Any],
    parameters: Sequence[str] = ("x", "y"),
    meshes: bool = True,
) -> Grid:
    """The grid with other values along some axes.

    Parameters
    ----------
    grid : Grid
        The original.
    values : mapping
        Values, or the table of a range, by label such as "start_x". Start points and velocities
        need both of their labels.
    parameters : sequence of str
        Names of the objective's two parameters.
    meshes : bool
        Whether a single point of a mesh stays a mesh, or becomes a list.

    Returns
    -------
    Grid
        Other axes are unchanged; a momentum is ignored where the grid has none.
    """
    changes: dict[str, Any] = {}
    if "seed" in values and grid.seed is not None:
        changes["seed"] = np.atleast_1d(values["seed"])  # a single number would be a count
    cells = None
    if grid.cells is not None and {"lr", "momentum"} <= values.keys():
        cells = cells_at(values, grid.lr.points, grid.momenta)
        changes["cells"] = cells
    if cells is None:
        if "lr" in values:
            changes["lr"] = values["lr"]
        if "momentum" in values and grid.momentum is not None:
            changes["momentum"] = values["momentum"]
    for kind, axes in grid.named.items():
        prefix = NAMED[kind].prefix
        given = {name: values[prefix + name] for name in axes if prefix + name in values}
        if given:
            changes[kind] = axes | given
    for kind, places in grid.places.items():
        names = [f"{kind}_{parameter}" for parameter in parameters]
        if not all(name in values for name in names):
            continue
        both = [values[name] for name in names]
        alone = not any(isinstance(part, Mapping) or np.size(part) > 1 for part in both)
        listed_ones = not isinstance(places, Mesh)
        if any(isinstance(part, Mapping) for part in both):
            listed_ones = False
        elif alone and not meshes:
            listed_ones = True
        if listed_ones:
            changes[kind] = np.stack([np.atleast_1d(part) for part in both], axis=-1)
        else:
            changes[kind] = dict(zip(parameters, both, strict=True))
    return grid.model_copy(update=changes)
