"""The numbers that identify a run: their names, and their values along the dimensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.points import axes_of

KINDS: Final = ("seed", "lr", "momentum", *NAMED, "start", "velocity")
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
    found = []
    for axis, (kind, what, values) in grid.dimensions.items():
        if what is not None:
            found.append(Label(axis, kind, what, axis, values))
        elif axis == CELL:
            found += [Label(name, name, name, axis, part) for name, part in grid.settings.items()]
        else:
            pairs = zip(parameters, axes_of(grid.places[kind]), strict=True)
            found += [Label(f"{kind}_{name}", kind, name, axis, part) for name, part in pairs]
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
