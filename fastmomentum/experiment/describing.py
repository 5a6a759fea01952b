"""A grid in words: a summary, and the description of one run's cell."""

from __future__ import annotations

import math

from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.labels import KINDS, labels_of_grid
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.points import Mesh, axes_of, sizes_of
from fastmomentum.specification.spans import span


def summary_of(grid: Grid) -> dict[str, str]:
    """Summarise a grid for people: the number of runs, and each axis in a few words.

    Examples
    --------
    >>> summary_of(Grid(lr=[0.1, 0.2], start=[(1, 1), (2, 2)]))
    {'runs': '4 = 2 lr x 2 start', 'lr': '0.1, 0.2', 'start': '(1, 1), (2, 2)'}
    """
    sizes, rows = {}, {"runs": ""}
    if grid.seed is not None:
        sizes["seed"], rows["seed"] = grid.seeds.size, span(grid.seeds)
    sizes["lr"], rows["lr"] = grid.lr.points.size, span(grid.lr.points)
    if grid.momentum is not None:
        sizes["momentum"], rows["momentum"] = grid.momenta.size, span(grid.momenta)
    for label in labels_of_grid(grid):
        if label.kind in NAMED:
            sizes[label.name], rows[label.name] = label.values.size, span(label.values)
    for kind, places in grid.places.items():
        sizes[kind] = math.prod(sizes_of(axes_of(places), isinstance(places, Mesh)))
        if isinstance(places, Mesh):
            pairs = zip(places.names, places.axes, strict=True)
            rows[kind] = "; ".join(f"{name}: {span(axis.points)}" for name, axis in pairs)
        else:
            rows[kind] = span(places)
    if grid.cells is not None:
        beside = {k: size for k, size in sizes.items() if k not in ("lr", "momentum")}
        sizes = {"cells": len(grid.cells), **beside}
    product = " x ".join(f"{size:,} {kind}" for kind, size in sizes.items())
    rows["runs"] = f"{grid.n_runs:,} = {product}"
    return rows


def place_of(grid: Grid, run: int, said_momentum: str | None = None) -> str:
    """Describe a run's cell.

    Parameters
    ----------
    grid : Grid
        All runs.
    run : int
        Number of the run.
    said_momentum : str, optional
        Text for the momentum where it is not in the grid.

    Returns
    -------
    str
        A line.

    Examples
    --------
    >>> place_of(Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)]), 3)
    'lr 0.2, momentum 0.9, start (2, 2)'
    """
    at = dict(zip(grid.axes, grid.cell(run), strict=True))
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for label in labels_of_grid(grid):
        value = label.values[at[label.axis]]
        words = str(value) if label.kind == "seed" else f"{value:.6g}"
        named = f"{label.name} {words}"
        found[label.kind].append(words if label.kind in ("start", "velocity") else named)
    if said_momentum is not None:
        found["momentum"] = [f"momentum {said_momentum}"]
    for kind in grid.places:
        found[kind] = [f"{kind} ({', '.join(found[kind])})"]
    return ", ".join(words for kind in KINDS for words in found[kind])
