"""The grid: which runs there are, and which run is which cell. Its product is never laid out."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator

from fastmomentum.experiment.axis import Axis, AxisLike
from fastmomentum.experiment.points import (
    Axes,
    Mesh,
    Point,
    PointSet,
    PointSetLike,
    axes_of,
    listed,
    place_of,
    require_each_once,
    sizes_of,
)
from fastmomentum.specification.base import Specification
from fastmomentum.specification.spans import span

EXAMPLES: Final = {"start": "[[-5.0, -5.0]]", "velocity": "[[0.0, 0.0]]"}


class Grid(Specification):
    """The grid of runs: learning rates x momenta x start points x initial velocities.

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

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            lr: AxisLike,
            momentum: AxisLike | None = None,
            start: PointSetLike,
            velocity: PointSetLike | None = None,
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

    def ordered(self, parameters: tuple[str, str]) -> Grid:
        """The same grid, its meshes in the order of an objective's parameters."""
        meshes = {"start": self.start, "velocity": self.velocity}
        ordered = {k: m.ordered(parameters) for k, m in meshes.items() if isinstance(m, Mesh)}
        same = all(mesh is meshes[key] for key, mesh in ordered.items())
        return self if same else self.model_copy(update=ordered)

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

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all dimensions: (lr, momentum, start..., velocity...)."""
        settings = self.lr.points.size, self.momenta.size
        return (*settings, *self.start_shape, *self.velocity_shape)

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
        product = " x ".join(f"{size:,} {kind}" for kind, size in sizes.items())
        rows["runs"] = f"{self.n_runs:,} = {product}"
        return rows

    def columns(self) -> list[tuple[int, str, NDArray[np.float64]]]:
        """What a run starts with, along which dimension it varies, and its values there.

        Returns
        -------
        list of (int, str, ndarray)
            Number of the dimension; "lr", "momentum", "x", "y", "vx" or "vy"; values.
        """
        found = [(0, "lr", self.lr.points), (1, "momentum", self.momenta)]
        number = 2
        for names, axes, is_mesh in (
            (("x", "y"), self.start_axes, self.is_mesh),
            (("vx", "vy"), self.velocity_axes, self.is_velocity_mesh),
        ):
            if names == ("vx", "vy") and self.velocity is None:
                break
            for k, (name, values) in enumerate(zip(names, axes, strict=True)):
                found.append((number + (k if is_mesh else 0), name, values))
            number += 2 if is_mesh else 1
        return found

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
        for size in reversed(self.shape):
            run, index = divmod(run, size)
            indices.append(index)
        return tuple(reversed(indices))

    def place(self, run: int) -> str:
        """A run's cell in words.

        Examples
        --------
        >>> Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)]).place(3)
        'lr 0.2, momentum 0.9, start (2, 2)'
        """
        lr, momentum, (x, y), (vx, vy) = self.point(self.cell(run))
        velocity = f", velocity ({vx:.6g}, {vy:.6g})" if self.velocity else ""
        return f"lr {lr:.6g}, momentum {momentum:.6g}, start ({x:.6g}, {y:.6g}){velocity}"

    def run_of(self, cell: tuple[int, ...]) -> int:
        """Number of the run at a cell; the inverse of `cell`."""
        run = 0
        for index, size in zip(cell, self.shape, strict=True):
            run = run * size + index
        return run

    def point(self, cell: tuple[int, ...]) -> tuple[float, float, Point, Point]:
        """Learning rate, momentum, start point and initial velocity of a cell."""
        split = 2 + len(self.start_shape)
        start = place_of(self.start_axes, cell[2:split])
        velocity = place_of(self.velocity_axes, cell[split:] or (0,))
        return float(self.lr.points[cell[0]]), float(self.momenta[cell[1]]), start, velocity


@dataclass(frozen=True)
class Blocks:
    """The runs cut into ranges of equal length (the last may be shorter).

    A block is a contiguous range of bytes in every variable of the file.

    Parameters
    ----------
    n_runs, block_runs : int
        Runs in all, and runs a block.

    Examples
    --------
    >>> blocks = Blocks(n_runs=10, block_runs=4)
    >>> len(blocks), blocks.runs(2)
    (3, range(8, 10))
    """

    n_runs: int
    block_runs: int

    def __len__(self) -> int:
        """How many blocks."""
        return -(-self.n_runs // self.block_runs)

    def runs(self, block: int) -> range:
        """Numbers of the runs of a block."""
        first = block * self.block_runs
        return range(first, min(first + self.block_runs, self.n_runs))
