"""The grid: which runs there are, and which run is which cell. Its product is never laid out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from fastmomentum.axis import Axis, AxisLike
from fastmomentum.explanation import shown
from fastmomentum.specification import Specification, plain

Point = tuple[float, float]
Points = Annotated[
    tuple[Annotated[Point, Field(strict=False)], ...], Field(strict=False, fail_fast=True)
]
START: Final = "a list of points, or a table of the axes x and y"


class Mesh(Specification):
    """A rectangular mesh of start points.

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


def _kind_of_start(given: object) -> str:
    return "mesh" if isinstance(given, dict | Mesh) else "points"


class Grid(Specification):
    """The grid of runs: learning rates x momenta x start points.

    Parameters
    ----------
    lr : Axis, or what makes one
        Learning rates, positive.
    momentum : Axis, or what makes one
        Momenta in [0, 1); left out for the rule "sgd".
    start : sequence of (float, float), or Mesh, or a mapping of two axes
        Start points.

    Examples
    --------
    >>> grid = Grid(lr=[0.1, 0.2], momentum=0.9, start=[(1, 1), (2, 2)])
    >>> grid.shape, grid.n_runs
    ((2, 1, 2), 4)
    """

    lr: Axis = Field(examples=["lr = [0.001, 0.01]"])
    momentum: Axis | None = None
    start: Annotated[
        Annotated[Points, Tag("points")] | Annotated[Mesh, Tag("mesh")],
        Discriminator(_kind_of_start),
    ] = Field(examples=["start = [[-5.0, -5.0]]"])

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            lr: AxisLike,
            momentum: AxisLike | None = None,
            start: Mesh | ArrayLike | Mapping[str, AxisLike],
        ) -> None: ...

    @field_validator("start", mode="before")
    @classmethod
    def _list_of_points(cls, given: Any) -> Any:
        if isinstance(given, dict | Mesh):
            return given
        given = plain(np.asarray(given).tolist() if hasattr(given, "__array__") else given)
        if not isinstance(given, list):
            raise ValueError(f"must be {START}: got {shown(given)}")
        if not given:
            raise ValueError("is empty; give at least one point, such as [[-5.0, -5.0]]")
        if all(isinstance(number, int | float) for number in given):
            advice = f"; write {shown([given])}" if len(given) == 2 else ""
            raise ValueError(f"must be {START}: got {shown(given)}{advice}")
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

    @field_validator("start")
    @classmethod
    def _each_once(cls, start: Any) -> Any:
        if not isinstance(start, Mesh):
            seen: dict[Point, int] = {}
            for entry, point in enumerate(start):
                if point in seen:
                    raise ValueError(
                        f"has {list(point)} more than once (entries {seen[point]} and {entry}); "
                        "list each point once"
                    )
                seen[point] = entry
        return start

    @property
    def is_mesh(self) -> bool:
        """Whether the starts are a mesh."""
        return isinstance(self.start, Mesh)

    @functools.cached_property
    def momenta(self) -> NDArray[np.float64]:
        """Momenta; the single value 0 where the grid has none."""
        return self.momentum.points if self.momentum is not None else np.zeros(1)

    @functools.cached_property
    def start_axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of the starts: of the points, one by one, or of the mesh's two axes."""
        if isinstance(self.start, Mesh):
            first, second = self.start.axes
            return first.points, second.points
        points = np.array(self.start, float) + 0.0
        return np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])

    @property
    def start_shape(self) -> tuple[int, ...]:
        """Sizes of the start dimensions: one for points, two for a mesh."""
        first, second = self.start_axes
        return (first.size, second.size) if self.is_mesh else (first.size,)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of all dimensions: (lr, momentum, start...)."""
        return (self.lr.points.size, self.momenta.size, *self.start_shape)

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
        lr, momentum, (x, y) = self.point(self.cell(run))
        return f"lr {lr:.6g}, momentum {momentum:.6g}, start ({x:.6g}, {y:.6g})"

    def run_of(self, cell: tuple[int, ...]) -> int:
        """Number of the run at a cell; the inverse of `cell`."""
        run = 0
        for index, size in zip(cell, self.shape, strict=True):
            run = run * size + index
        return run

    def point(self, cell: tuple[int, ...]) -> tuple[float, float, Point]:
        """Learning rate, momentum and start point of a cell."""
        first, second = self.start_axes
        start = float(first[cell[2]]), float(second[cell[-1]])
        return float(self.lr.points[cell[0]]), float(self.momenta[cell[1]]), start


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
