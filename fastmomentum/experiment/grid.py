"""The grid: the runs, and which run is which cell. The product is never held in memory."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator, model_validator

from fastmomentum.experiment.axis import Axis, AxisLike
from fastmomentum.experiment.cells import (
    CELL,
    Cells,
    listed_cells,
    settings_of,
    sorted_cells,
)
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.points import (
    Axes,
    Mesh,
    PointSet,
    PointSetLike,
    axes_of,
    listed,
    require_each_once,
)
from fastmomentum.experiment.seeds import SeedLike, Seeds, checked_seeds, seeds_of
from fastmomentum.specification.base import Specification
from fastmomentum.specification.messages import fault
from fastmomentum.text import shown

EXAMPLES: Final = {"start": "[[-5.0, -5.0]]", "velocity": "[[0.0, 0.0]]"}


class Dimension(NamedTuple):
    """A dimension of a grid.

    Attributes
    ----------
    kind : str
        The grid's field that it comes from, such as "lr", "rule" or "start".
    what : str or None
        What varies, by its name within that field: "lr", "nu", "x"; None for a dimension that
        numbers listed points or cells, of which more than one number varies.
    values : ndarray
        Its values, or those numbers.
    """

    kind: str
    what: str | None
    values: NDArray[Any]


class Grid(Specification):
    """The grid of runs: learning rates x momenta x start points x initial velocities.

    Axes of the rule's parameters and of the objective's constants, if any, come between the momenta
    and the starts; seeds, if runs are random, come first.

    Parameters
    ----------
    lr : Axis, or values for one
        Learning rates, positive.
    momentum : Axis, or values for one
        Momenta in [0, 1); left out for the rule "sgd".
    start : sequence of (float, float), or Mesh, or a mapping of two axes
        Start points.
    velocity : the same, optional
        Initial velocities, in the sense of the rule's own equation; if left out, runs start at rest
        and the grid has no such dimension.
    rule : mapping of axes, optional
        Parameters of the rule that vary, by name, such as ``{"nu": [0.5, 0.7]}``.
    objective : mapping of axes, optional
        Constants of the objective that vary, by name, such as ``{"b": [1.0, 100.0]}``.
    cells : sequence of int, optional
        Numbers of the cells of learning rates x momenta to run, the momentum varying fastest: with
        n momenta, cell k is ``lr[k // n], momentum[k % n]``. All if left out; otherwise results
        have the dimension ``cell`` instead of ``lr`` and ``momentum``.
    seed : int or sequence of int, optional
        How many seeds, from 0 on, or a list of them; if left out, all runs have the seed 0, and
        there is no such dimension.

    Examples
    --------
    >>> grid = Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)])
    >>> grid.shape, grid.n_runs
    ((2, 1, 2), 4)
    """

    lr: Axis = Field(examples=["lr = [0.001, 0.01]"])
    momentum: Axis | None = None
    start: PointSet = Field(examples=["start = [[-5.0, -5.0]]"])
    velocity: PointSet | None = None
    rule: dict[str, Axis] | None = None
    objective: dict[str, Axis] | None = None
    cells: Cells | None = None
    seed: Seeds | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            lr: AxisLike,
            momentum: AxisLike | None = None,
            start: PointSetLike,
            velocity: PointSetLike | None = None,
            rule: Mapping[str, AxisLike] | None = None,
            objective: Mapping[str, AxisLike] | None = None,
            cells: Sequence[int] | NDArray[np.int64] | None = None,
            seed: SeedLike | None = None,
        ) -> None: ...

    @field_validator("seed", mode="before")
    @classmethod
    def _count_or_list(cls, given: Any) -> Seeds | None:
        return checked_seeds(given)

    @field_validator("start", "velocity", mode="before")
    @classmethod
    def _list_of_points(cls, given: Any, info: ValidationInfo) -> Any:
        if isinstance(given, dict | Mesh) or (given is None and info.field_name == "velocity"):
            return given
        return listed(given, EXAMPLES[str(info.field_name)])

    @field_validator("lr")
    @classmethod
    def _positive(cls, axis: Axis) -> Axis:
        axis.require(lambda lr: lr <= 0, "be positive", above=False)
        return axis

    @field_validator("momentum")
    @classmethod
    def _below_one(cls, axis: Axis | None) -> Axis | None:
        if axis is not None:
            axis.require(lambda momentum: momentum < 0, "lie in [0, 1)", above=False)
            axis.require(lambda momentum: momentum >= 1, "lie in [0, 1)", above=True)
        return axis

    @field_validator("start", "velocity")
    @classmethod
    def _each_once(cls, places: Any) -> Any:
        require_each_once(places)
        return places

    @field_validator("cells", mode="before")
    @classmethod
    def _list_of_cells(cls, given: Any) -> Any:
        return None if given is None else listed_cells(given)

    @field_validator("cells")
    @classmethod
    def _cells_in_order(cls, cells: Cells | None) -> Cells | None:
        return None if cells is None else sorted_cells(cells)

    @model_validator(mode="after")
    def _cells_of_the_map(self) -> Grid:
        if self.cells is not None:
            count = self.lr.points.size * self.momenta.size
            if self.cells[-1] >= count:
                lie = f"must lie from 0 to {count - 1}, as lr x momentum has {count:,} cells"
                if count == 1:
                    lie = "must be [0], as lr x momentum has only one cell"
                raise fault("cells", f"{lie}: got {self.cells[-1]}")
        return self

    @field_validator(*NAMED, mode="before")
    @classmethod
    def _by_name(cls, given: Any, info: ValidationInfo) -> Any:
        if given is None:
            return None
        if not isinstance(given, Mapping):
            raise ValueError(
                f"must be a table of axes by name, such as {NAMED[str(info.field_name)].example}: "
                f"got {shown(given)}"
            )
        return dict(given) or None

    @property
    def is_mesh(self) -> bool:
        """Whether the starts are a mesh."""
        return isinstance(self.start, Mesh)

    @functools.cached_property
    def momenta(self) -> NDArray[np.float64]:
        """Momenta; the single value 0 where the grid has none."""
        return self.momentum.points if self.momentum is not None else np.zeros(1)

    @functools.cached_property
    def seeds(self) -> NDArray[np.int64]:
        """Seeds, sorted; the single seed 0 where the grid names none."""
        return seeds_of(self.seed)

    @functools.cached_property
    def start_axes(self) -> Axes:
        """Coordinates of the starts: of each point, or of the mesh's two axes."""
        return axes_of(self.start)

    @functools.cached_property
    def velocity_axes(self) -> Axes:
        """Components of the initial velocities in the same way; the single velocity 0 for none."""
        return (np.zeros(1), np.zeros(1)) if self.velocity is None else axes_of(self.velocity)

    @property
    def named(self) -> dict[str, dict[str, Axis]]:
        """Axes by name, by the part of the experiment whose numbers they are."""
        return {kind: axes for kind in NAMED if (axes := getattr(self, kind))}

    @functools.cached_property
    def dimensions(self) -> dict[str, Dimension]:
        """What the runs vary over, by name, in order."""
        found: dict[str, Dimension] = {}
        if self.seed is not None:
            found["seed"] = Dimension("seed", "seed", self.seeds)
        if self.cells is None:
            found["lr"] = Dimension("lr", "lr", self.lr.points)
            found["momentum"] = Dimension("momentum", "momentum", self.momenta)
        else:
            found[CELL] = Dimension("cells", None, np.array(self.cells, "<i8"))
        for kind, axes in self.named.items():
            for name, axis in axes.items():
                found[NAMED[kind].prefix + name] = Dimension(kind, name, axis.points)
        for kind, places in self.places.items():
            if isinstance(places, Mesh):
                for name, axis in zip(places.names, places.axes, strict=True):
                    found[f"{kind}_{name}"] = Dimension(kind, name, axis.points)
            else:
                found[kind] = Dimension(kind, None, np.arange(len(places), dtype="<i8"))
        return found

    @functools.cached_property
    def axes(self) -> dict[str, NDArray[Any]]:
        """Dimensions by name, in order, each with its values; for listed points, their numbers."""
        return {name: one.values for name, one in self.dimensions.items()}

    @functools.cached_property
    def settings(self) -> dict[str, NDArray[np.float64]]:
        """Learning rates and momenta along their dimensions; for listed cells, those of each."""
        if self.cells is None:
            return {"lr": self.lr.points, "momentum": self.momenta}
        return settings_of(self.axes[CELL], self.lr.points, self.momenta)

    @property
    def places(self) -> dict[str, PointSet]:
        """Start points and, if the grid has any, initial velocities."""
        found = {"start": self.start}
        return found if self.velocity is None else {**found, "velocity": self.velocity}

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all dimensions, in the order of `axes`."""
        return tuple(values.size for values in self.axes.values())

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        n = 1
        for size in self.shape:
            n *= size
        return n

    def cell(self, run: int) -> tuple[int, ...]:
        """Indices of a run, the same in every variable.

        Parameters
        ----------
        run : int
            Number of the run, in C order over the grid.

        Returns
        -------
        tuple of int
            One index per dimension.

        Examples
        --------
        >>> Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)]).cell(3)
        (1, 0, 1)
        """
        indices: list[int] = []
        for size in reversed(self.shape):  # a grid may have more runs than NumPy can count
            run, index = divmod(run, size)
            indices.append(index)
        return tuple(reversed(indices))

    def run_of(self, cell: tuple[int, ...]) -> int:
        """Number of the run at a cell; the inverse of `cell`."""
        run = 0
        for index, size in zip(cell, self.shape, strict=True):
            run = run * size + index
        return run
