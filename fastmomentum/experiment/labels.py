"""The numbers that identify a run: their names, and their values along the dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.points import Mesh, axes_of

KINDS: Final = ("seed", "lr", "momentum", "rule", "objective", "start", "velocity")
"""Fields of a grid that have axes, in the order of the dimensions."""


class Label(NamedTuple):
    """One setting of a run, and the axis along which it varies.

    Attributes
    ----------
    name : str
        Name in results: "seed", "lr", "nu", "objective_b", "start_x".
    kind : str
        Field of the grid, one of `KINDS`.
    what : str
        Name within that field: "nu", "b", "x"; the field's own name if it is a single number.
    axis : str
        The dimension.
    values : ndarray
        Values along it.
    """

    name: str
    kind: str
    what: str
    axis: str
    values: NDArray[Any]


def labels_of_grid(grid: Grid, parameters: Sequence[str] = ("x", "y")) -> list[Label]:
    """The numbers that identify a run, in the order of the dimensions.

    Parameters
    ----------
    grid : Grid
        The runs.
    parameters : sequence of str
        Names of the objective's two parameters.

    Returns
    -------
    list of Label
        Listed points have two along one dimension.

    Examples
    --------
    >>> grid = Grid(lr=0.1, start=[(1, 2)], rule={"nu": [0.5, 0.7]})
    >>> [(label.name, label.axis) for label in labels_of_grid(grid)][2:]
    [('nu', 'nu'), ('start_x', 'start'), ('start_y', 'start')]
    """
    seeds = {} if grid.seed is None else {"seed": grid.seeds}
    found = [
        *(Label("seed", "seed", "seed", "seed", values) for values in seeds.values()),
        *(
            Label(name, name, name, name if grid.cells is None else CELL, values)
            for name, values in grid.settings.items()
        ),
    ]
    for kind, prefix in (("rule", ""), ("objective", "objective_")):
        for what, axis in (getattr(grid, kind) or {}).items():
            name = prefix + what
            found.append(Label(name, kind, what, name, axis.points))
    for kind, places in grid.places.items():
        names = places.names if isinstance(places, Mesh) else parameters  # a mesh has its own names
        for what, values in zip(names, axes_of(places), strict=True):
            name = f"{kind}_{what}"
            axis = name if isinstance(places, Mesh) else kind
            found.append(Label(name, kind, what, axis, values))
    return found


def values_of(
    grid: Grid, runs: NDArray[np.int64], kinds: Sequence[str] = KINDS
) -> Iterator[tuple[Label, NDArray[np.float64]]]:
    """Settings of some runs, label by label.

    Parameters
    ----------
    grid : Grid
        All runs.
    runs : ndarray of int
        Numbers of the wanted runs.
    kinds : sequence of str
        Fields of the grid to include.

    Yields
    ------
    (Label, ndarray)
        A label, and its value for each run.

    Examples
    --------
    >>> grid = Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)])
    >>> [values.tolist() for _, values in values_of(grid, np.arange(4), ["lr"])]
    [[0.1, 0.1, 0.2, 0.2]]
    """
    cells = dict(zip(grid.axes, np.unravel_index(runs, grid.shape), strict=True))
    for label in labels_of_grid(grid):
        if label.kind in kinds:
            yield label, label.values[cells[label.axis]]
