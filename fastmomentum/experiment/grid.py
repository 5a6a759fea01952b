"""The grid: which runs there are, and which run is which cell. Its product is never laid out."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator, model_validator

from fastmomentum.experiment.axis import Axis, AxisLike
from fastmomentum.experiment.cells import (
    CELL,
    Cells,
    cells_at,
    listed_cells,
    settings_of,
    sorted_cells,
)
from fastmomentum.experiment.points import (
    Axes,
    Mesh,
    Point,
    PointSet,
    PointSetLike,
    axes_of,
    listed,
    require_each_once,
    sizes_of,
)
from fastmomentum.specification.base import Specification
from fastmomentum.specification.messages import fault
from fastmomentum.specification.spans import span
from fastmomentum.text import shown

KINDS: Final = ("lr", "momentum", "rule", "objective", "start", "velocity")
"""Fields of a grid that have axes, in the order of the dimensions."""

EXAMPLES: Final = {"start": "[[-5.0, -5.0]]", "velocity": "[[0.0, 0.0]]"}


class Label(NamedTuple):
    """One number that a run is made with, and the axis along which it varies.

    Attributes
    ----------
    name : str
        In results: "lr", "nu", "objective_b", "start_x".
    kind : str
        Field of the grid, one of `KINDS`.
    what : str
        Which of that field: "nu", "b", "x"; the field's name itself where it is one number.
    axis : str
        The dimension.
    values : ndarray
        Along it.
    """

    name: str
    kind: str
    what: str
    axis: str
    values: NDArray[np.float64]


class Grid(Specification):
    """The grid of runs: learning rates x momenta x start points x initial velocities.

    Between the momenta and the starts come the axes of the rule's parameters and of the objective's
    constants, where there are some.

    Parameters
    ----------
    lr : Axis, or what makes one
        Learning rates, positive.
    momentum : Axis, or what makes one
        Momenta in [0, 1); left out for the rule "sgd".
    start : sequence of (float, float), or Mesh, or a mapping of two axes
        Start points.
    velocity : the same, optional
        Initial velocities, in the sense of the rule's own equation; at rest where left out, and
        then the grid has no such dimension.
    rule : mapping of axes, optional
        By name, parameters of the rule that vary, such as ``{"nu": [0.5, 0.7]}``.
    objective : mapping of axes, optional
        By name, constants of the objective that vary, such as ``{"b": [1.0, 100.0]}``.
    cells : sequence of int, optional
        Numbers of the cells of learning rates x momenta that are run, the momentum running the
        fastest: k of n momenta is ``lr[k // n], momentum[k % n]``. All where left out; otherwise
        results have the dimension ``cell`` instead of ``lr`` and ``momentum``.

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
        ) -> None: ...

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
                raise fault(
                    "cells",
                    f"must lie from 0 to {count - 1}, for lr x momentum has {count:,} cells: "
                    f"got {self.cells[-1]}",
                )
        return self

    def ordered(self, parameters: tuple[str, str]) -> Grid:
        """The same grid, its meshes in the order of an objective's parameters."""
        meshes = {"start": self.start, "velocity": self.velocity}
        ordered = {k: m.ordered(parameters) for k, m in meshes.items() if isinstance(m, Mesh)}
        same = all(mesh is meshes[key] for key, mesh in ordered.items())
        return self if same else self.model_copy(update=ordered)

    @field_validator("rule", "objective", mode="before")
    @classmethod
    def _by_name(cls, given: Any, info: ValidationInfo) -> Any:
        if given is None:
            return None
        example = {"rule": "nu = [0.5, 0.7]", "objective": "b = [1.0, 100.0]"}
        if not isinstance(given, Mapping):
            raise ValueError(
                f"must be a table of axes by name, such as {example[str(info.field_name)]}: "
                f"got {shown(given)}"
            )
        return dict(given) or None

    @property
    def is_mesh(self) -> bool:
        """Whether the starts are a mesh."""
        return isinstance(self.start, Mesh)

    @property
    def is_velocity_mesh(self) -> bool:
        """Whether the initial velocities are a mesh."""
        return isinstance(self.velocity, Mesh)

    @functools.cached_property
    def momenta(self) -> NDArray[np.float64]:
        """Momenta; the single value 0 where the grid has none."""
        return self.momentum.points if self.momentum is not None else np.zeros(1)

    @functools.cached_property
    def start_axes(self) -> Axes:
        """Coordinates of the starts: of the points, one by one, or of the mesh's two axes."""
        return axes_of(self.start)

    @functools.cached_property
    def velocity_axes(self) -> Axes:
        """Components of the initial velocities in the same way; the single velocity 0 for none."""
        return (np.zeros(1), np.zeros(1)) if self.velocity is None else axes_of(self.velocity)

    @property
    def start_shape(self) -> tuple[int, ...]:
        """Sizes of the start dimensions: one for points, two for a mesh."""
        return sizes_of(self.start_axes, self.is_mesh)

    @property
    def velocity_shape(self) -> tuple[int, ...]:
        """Sizes of the velocity dimensions: none where all runs start at rest."""
        return sizes_of(self.velocity_axes, self.is_velocity_mesh) if self.velocity else ()

    @functools.cached_property
    def axes(self) -> dict[str, NDArray[Any]]:
        """Dimensions by name, in order, each with its values; of listed points, their numbers."""
        found: dict[str, NDArray[Any]] = {"lr": self.lr.points, "momentum": self.momenta}
        if self.cells is not None:
            found = {CELL: np.array(self.cells, "<i8")}
        found |= {name: axis.points for name, axis in (self.rule or {}).items()}
        found |= {f"objective_{name}": axis.points for name, axis in (self.objective or {}).items()}
        for kind, places in self.places.items():
            if isinstance(places, Mesh):
                pairs = zip(places.names, places.axes, strict=True)
                found |= {f"{kind}_{name}": axis.points for name, axis in pairs}
            else:
                found[kind] = np.arange(len(places), dtype="<i8")
        return found

    @functools.cached_property
    def settings(self) -> dict[str, NDArray[np.float64]]:
        """Learning rates and momenta, as they lie along the dimensions: of each cell of a list."""
        if self.cells is None:
            return {"lr": self.lr.points, "momentum": self.momenta}
        return settings_of(self.axes[CELL], self.lr.points, self.momenta)

    @property
    def places(self) -> dict[str, PointSet]:
        """Start points and, where the grid has some, initial velocities."""
        found = {"start": self.start}
        return found if self.velocity is None else {**found, "velocity": self.velocity}

    def labels(self, parameters: Sequence[str] = ("x", "y")) -> list[Label]:
        """The numbers that say which run is which, in the order of the dimensions.

        Parameters
        ----------
        parameters : sequence of str
            Names of the objective's two parameters.

        Returns
        -------
        list of Label
            Listed points have two along one dimension.

        Examples
        --------
        >>> grid = Grid(lr=0.1, start=[(1, 2)], rule={"nu": [0.5, 0.7]})
        >>> [(label.name, label.axis) for label in grid.labels()]  # doctest: +NORMALIZE_WHITESPACE
        [('lr', 'lr'), ('momentum', 'momentum'), ('nu', 'nu'), ('start_x', 'start'),
         ('start_y', 'start')]
        """
        found = [
            Label(name, name, name, name if self.cells is None else CELL, values)
            for name, values in self.settings.items()
        ]
        for kind, prefix in (("rule", ""), ("objective", "objective_")):
            for what, axis in (getattr(self, kind) or {}).items():
                name = prefix + what
                found.append(Label(name, kind, what, name, axis.points))
        for kind, places in self.places.items():
            names = places.names if isinstance(places, Mesh) else parameters  # a mesh says its own
            for what, values in zip(names, axes_of(places), strict=True):
                name = f"{kind}_{what}"
                axis = name if isinstance(places, Mesh) else kind
                found.append(Label(name, kind, what, axis, values))
        return found

    def with_axes_in_order(self, rule: Sequence[str], objective: Sequence[str]) -> Grid:
        """The same grid, with the axes of parameters and constants in the order of these names."""
        changes = {}
        for kind, names in (("rule", rule), ("objective", objective)):
            axes = getattr(self, kind) or {}
            there = [name for name in names if name in axes]
            if there != list(axes):
                changes[kind] = {name: axes[name] for name in there}
        return self.model_copy(update=changes) if changes else self

    def narrowed(
        self,
        values: Mapping[str, Any],
        parameters: Sequence[str] = ("x", "y"),
        meshes: bool = True,
    ) -> Grid:
        """The grid with other values along some axes.

        Parameters
        ----------
        values : mapping
            By label, such as "start_x": values, or the table of a range. Start points and
            velocities are given by both of their labels.
        parameters : sequence of str
            Names of the objective's two parameters.
        meshes : bool
            Whether a single point of a mesh stays one, or becomes a list.

        Returns
        -------
        Grid
            What is not named stays as it is; so does a momentum that the grid does not have.
        """
        changes: dict[str, Any] = {}
        cells = None
        if self.cells is not None and {"lr", "momentum"} <= values.keys():
            cells = cells_at(values, self.lr.points, self.momenta)
            changes["cells"] = cells
        if cells is None:
            if "lr" in values:
                changes["lr"] = values["lr"]
            if "momentum" in values and self.momentum is not None:
                changes["momentum"] = values["momentum"]
        for kind, prefix in (("rule", ""), ("objective", "objective_")):
            axes = getattr(self, kind) or {}
            given = {name: values[prefix + name] for name in axes if prefix + name in values}
            if given:
                changes[kind] = axes | given
        for kind, places in self.places.items():
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
        return self.model_copy(update=changes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all dimensions, as `axes` has them."""
        return tuple(values.size for values in self.axes.values())

    @property
    def n_runs(self) -> int:
        """Number of runs."""
        n = 1
        for size in self.shape:
            n *= size
        return n

    @property
    def summary(self) -> dict[str, str]:
        """How many runs, and the axes, in a few words each, for people.

        Examples
        --------
        >>> Grid(lr=[0.1, 0.2], start=[(1, 1), (2, 2)]).summary
        {'runs': '4 = 2 lr x 2 start', 'lr': '0.1, 0.2', 'start': '(1, 1), (2, 2)'}
        """
        sizes = {"lr": self.lr.points.size}
        rows = {"runs": "", "lr": span(self.lr.points)}
        if self.momentum is not None:
            sizes["momentum"], rows["momentum"] = self.momenta.size, span(self.momenta)
        for label in self.labels():
            if label.kind in ("rule", "objective"):
                sizes[label.name], rows[label.name] = label.values.size, span(label.values)
        for kind, places, shape in (
            ("start", self.start, self.start_shape),
            ("velocity", self.velocity, self.velocity_shape),
        ):
            if places is None:
                continue
            sizes[kind] = math.prod(shape)
            if isinstance(places, Mesh):
                pairs = zip(places.names, places.axes, strict=True)
                rows[kind] = "; ".join(f"{name}: {span(axis.points)}" for name, axis in pairs)
            else:
                rows[kind] = span(places)
        if self.cells is not None:
            beside = {k: size for k, size in sizes.items() if k not in ("lr", "momentum")}
            sizes = {"cells": len(self.cells), **beside}
        product = " x ".join(f"{size:,} {kind}" for kind, size in sizes.items())
        rows["runs"] = f"{self.n_runs:,} = {product}"
        return rows

    def cell(self, run: int) -> tuple[int, ...]:
        """Indices of a run, which are its place in every variable.

        Parameters
        ----------
        run : int
            Number of the run, in C order over the grid.

        Returns
        -------
        tuple of int
            One index a dimension.

        Examples
        --------
        >>> Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)]).cell(3)
        (1, 0, 1)
        """
        indices: list[int] = []
        for size in reversed(self.shape):  # a grid alone may have more runs than NumPy counts
            run, index = divmod(run, size)
            indices.append(index)
        return tuple(reversed(indices))

    def values_of(
        self, runs: NDArray[np.int64], kinds: Sequence[str] = KINDS
    ) -> Iterator[tuple[Label, NDArray[np.float64]]]:
        """What some runs are made with, label by label.

        Parameters
        ----------
        runs : ndarray of int
            Numbers of the runs.
        kinds : sequence of str
            Of which of the grid's fields.

        Yields
        ------
        (Label, ndarray)
            Its value for each run.

        Examples
        --------
        >>> grid = Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)])
        >>> [values.tolist() for _, values in grid.values_of(np.arange(4), ["lr"])]
        [[0.1, 0.1, 0.2, 0.2]]
        """
        cells = dict(zip(self.axes, np.unravel_index(runs, self.shape), strict=True))
        for label in self.labels():
            if label.kind in kinds:
                yield label, label.values[cells[label.axis]]

    def variants_of(self, runs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which combination of the objective's constants each run has, in C order.

        Parameters
        ----------
        runs : ndarray of int
            Numbers of the runs.

        Returns
        -------
        ndarray of int
            0 where no constant is an axis.

        Examples
        --------
        >>> grid = Grid(lr=0.1, start=[(1, 1), (2, 2)], objective={"b": [1.0, 10.0]})
        >>> grid.variants_of(np.arange(4)).tolist()
        [0, 0, 1, 1]
        """
        axes = [f"objective_{name}" for name in self.objective or {}]
        if not axes:
            return np.zeros(np.shape(runs), np.int64)
        cells = dict(zip(self.axes, np.unravel_index(runs, self.shape), strict=True))
        sizes = [self.axes[name].size for name in axes]
        return np.asarray(np.ravel_multi_index([cells[name] for name in axes], sizes), np.int64)

    def place(self, run: int) -> str:
        """A run's cell in words.

        Examples
        --------
        >>> Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)]).place(3)
        'lr 0.2, momentum 0.9, start (2, 2)'
        """
        lr, momentum, (x, y), (vx, vy) = self.point(self.cell(run))
        cell = dict(zip(self.axes, self.cell(run), strict=True))
        words = "".join(
            f", {label.name.replace('_', ' ')} {label.values[cell[label.axis]]:.6g}"
            for label in self.labels()
            if label.kind in ("rule", "objective")
        )
        velocity = f", velocity ({vx:.6g}, {vy:.6g})" if self.velocity else ""
        return f"lr {lr:.6g}, momentum {momentum:.6g}{words}, start ({x:.6g}, {y:.6g}){velocity}"

    def run_of(self, cell: tuple[int, ...]) -> int:
        """Number of the run at a cell; the inverse of `cell`."""
        run = 0
        for index, size in zip(cell, self.shape, strict=True):
            run = run * size + index
        return run

    def point(self, cell: tuple[int, ...]) -> tuple[float, float, Point, Point]:
        """Learning rate, momentum, start point and initial velocity of a cell."""
        at = dict(zip(self.axes, cell, strict=True))
        setting = self.settings
        place = {"start": (0.0, 0.0), "velocity": (0.0, 0.0)}
        for kind in self.places:
            x, y = (label.values[at[label.axis]] for label in self.labels() if label.kind == kind)
            place[kind] = float(x), float(y)
        lr, momentum = (float(setting[k][at[k if self.cells is None else CELL]]) for k in setting)
        return lr, momentum, place["start"], place["velocity"]
