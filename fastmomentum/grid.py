"""The grid: which runs there are, and which run is which cell. Its product is never laid out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import (
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fastmomentum.axis import Axis, AxisLike
from fastmomentum.explanation import shown
from fastmomentum.specification import Specification, plain

Point = tuple[float, float]
Points = Annotated[
    tuple[Annotated[Point, Field(strict=False)], ...], Field(strict=False, fail_fast=True)
]
PLACES: Final = "a list of points, or a table of the axes x and y"
EXAMPLES: Final = {"start": "[[-5.0, -5.0]]", "velocity": "[[0.0, 0.0]]"}


class Mesh(Specification):
    """A rectangular mesh of start points, or of initial velocities.

    Parameters
    ----------
    x, y : Axis
        The two coordinates; for the objective mse they are called a and b.
    """

    x: Axis | None = None
    y: Axis | None = None
    a: Axis | None = None
    b: Axis | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            x: AxisLike | None = None,
            y: AxisLike | None = None,
            a: AxisLike | None = None,
            b: AxisLike | None = None,
        ) -> None: ...

    @model_validator(mode="after")
    def _one_pair(self) -> Mesh:
        if self.names not in (("x", "y"), ("a", "b")):
            got = " and ".join(self.names) or "none"
            raise ValueError(f"needs two axes, x and y (a and b for mse): got {got}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The two keys given."""
        return tuple(name for name in ("x", "y", "a", "b") if getattr(self, name) is not None)

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The two axes."""
        first, second = (getattr(self, name) for name in self.names)
        return first, second


def _kind(given: object) -> str:
    return "mesh" if isinstance(given, dict | Mesh) else "points"


Places = Annotated[
    Annotated[Points, Tag("points")] | Annotated[Mesh, Tag("mesh")], Discriminator(_kind)
]
PlacesLike = Mesh | ArrayLike | Mapping[str, AxisLike]
Axes = tuple[NDArray[np.float64], NDArray[np.float64]]


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
    start: Places = Field(examples=["start = [[-5.0, -5.0]]"])
    velocity: Places | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            lr: AxisLike,
            momentum: AxisLike | None = None,
            start: PlacesLike,
            velocity: PlacesLike | None = None,
        ) -> None: ...

    @field_validator("start", "velocity", mode="before")
    @classmethod
    def _list_of_points(cls, given: Any, info: ValidationInfo) -> Any:
        if isinstance(given, dict | Mesh) or (given is None and info.field_name == "velocity"):
            return given
        given = plain(np.asarray(given).tolist() if hasattr(given, "__array__") else given)
        if not isinstance(given, list):
            raise ValueError(f"must be {PLACES}: got {shown(given)}")
        if not given:
            example = EXAMPLES[str(info.field_name)]
            raise ValueError(f"is empty; give at least one point, such as {example}")
        if all(isinstance(number, int | float) for number in given):
            advice = f"; write {shown([given])}" if len(given) == 2 else ""
            raise ValueError(f"must be {PLACES}: got {shown(given)}{advice}")
        for entry, point in enumerate(given):
            if not (isinstance(point, list | tuple) and len(point) == 2):
                raise ValueError(
                    f"must hold points of two numbers: got {shown(point)} (entry {entry})"
                )
        return given

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
        if not isinstance(places, Mesh):
            seen: dict[Point, int] = {}
            for entry, point in enumerate(places or ()):
                if point in seen:
                    raise ValueError(
                        f"has {list(point)} more than once (entries {seen[point]} and {entry}); "
                        "list each point once"
                    )
                seen[point] = entry
        return places

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
        return _axes(self.start)

    @functools.cached_property
    def velocity_axes(self) -> Axes:
        """Components of the initial velocities in the same way; the single velocity 0 for none."""
        return (np.zeros(1), np.zeros(1)) if self.velocity is None else _axes(self.velocity)

    @property
    def start_shape(self) -> tuple[int, ...]:
        """Sizes of the start dimensions: one for points, two for a mesh."""
        return _sizes(self.start_axes, self.is_mesh)

    @property
    def velocity_shape(self) -> tuple[int, ...]:
        """Sizes of the velocity dimensions: none where all runs start at rest."""
        return _sizes(self.velocity_axes, self.is_velocity_mesh) if self.velocity else ()

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
        start = _place(self.start_axes, cell[2:split])
        velocity = _place(self.velocity_axes, cell[split:] or (0,))
        return float(self.lr.points[cell[0]]), float(self.momenta[cell[1]]), start, velocity


def _axes(places: Places) -> Axes:
    if isinstance(places, Mesh):
        first, second = places.axes
        return first.points, second.points
    points = np.array(places, float) + 0.0  # no -0
    return np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])


def _sizes(axes: Axes, is_mesh: bool) -> tuple[int, ...]:
    first, second = axes
    return (first.size, second.size) if is_mesh else (first.size,)


def _place(axes: Axes, indices: tuple[int, ...]) -> Point:
    first, second = axes
    return float(first[indices[0]]), float(second[indices[-1]])


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
