"""Points of the plane, listed or as a mesh: start points and initial velocities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import ConfigDict, Discriminator, Field, PrivateAttr, Tag, model_validator

from fastmomentum.experiment.axis import Axis, AxisLike
from fastmomentum.specification.base import Specification, plain
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import shown

Point = tuple[float, float]
Points = Annotated[
    tuple[Annotated[Point, Field(strict=False)], ...], Field(strict=False, fail_fast=True)
]
POINT_SET: Final = "a list of points, or a table of the axes x and y"


class Mesh(Specification):
    """A rectangular mesh of start points, or of initial velocities.

    Parameters
    ----------
    x, y : Axis
        The two coordinates, named like the objective's parameters: a and b for mse, the variables
        for a formula.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Axis] = Field(init=False)
    others: ClassVar[type[Axis]] = Axis

    x: Axis | None = None
    y: Axis | None = None
    a: Axis | None = None
    b: Axis | None = None
    _order: tuple[str, ...] = PrivateAttr(default=())

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            x: AxisLike | None = None,
            y: AxisLike | None = None,
            a: AxisLike | None = None,
            b: AxisLike | None = None,
            **variables: AxisLike,
        ) -> None: ...

    @model_validator(mode="after")
    def _one_pair(self) -> Mesh:
        if len(self.names) != 2:
            got = " and ".join(self.names) or "none"
            raise ValueError(f"needs two axes, x and y (a and b for mse): got {got}")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The two keys given, in the order of the objective's parameters once it is known."""
        known = tuple(name for name in ("x", "y", "a", "b") if getattr(self, name) is not None)
        return self._order or (*known, *self.__pydantic_extra__)

    @property
    def axes(self) -> tuple[Axis, Axis]:
        """The two axes."""
        first, second = (getattr(self, name) for name in self.names)
        return first, second

    def ordered(self, parameters: tuple[str, str]) -> Mesh:
        """The same axes in the order of an objective's parameters, which have the same names."""
        if self.names == parameters:
            return self
        other = self.model_copy()
        other._order = parameters
        return other

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what was given."""
        yield from zip(self.names, self.axes, strict=True)

    def __eq__(self, other: object) -> bool:
        """Whether the axes agree, by their names."""
        if not isinstance(other, Mesh):
            return NotImplemented
        mine, theirs = (dict(zip(mesh.names, mesh.axes, strict=True)) for mesh in (self, other))
        return mine == theirs

    def __hash__(self) -> int:
        """Hash of what is compared."""
        return hash(frozenset(zip(self.names, self.axes, strict=True)))


def _kind(given: object) -> str:
    return "mesh" if isinstance(given, dict | Mesh) else "points"


PointSet = Annotated[
    Annotated[Points, Tag("points")] | Annotated[Mesh, Tag("mesh")], Discriminator(_kind)
]
PointSetLike = Mesh | ArrayLike | Mapping[str, AxisLike]
Axes = tuple[NDArray[np.float64], NDArray[np.float64]]


def listed(given: Any, example: str) -> list[Any]:
    """Convert to a list of points, whose entries pydantic then checks.

    Parameters
    ----------
    given : object
        A list or an array.
    example : str
        Example for the message about an empty list.

    Returns
    -------
    list
        Its entries have two entries each.

    Raises
    ------
    ValueError
        It is no such list.

    Examples
    --------
    >>> listed(np.eye(2), "[[0.0, 0.0]]")
    [[1.0, 0.0], [0.0, 1.0]]
    """
    given = numbers(given).tolist() if hasattr(given, "__array__") else plain(given)
    if not isinstance(given, list):
        raise ValueError(f"must be {POINT_SET}: got {shown(given)}")
    if not given:
        raise ValueError(f"is empty; give at least one point, such as {example}")
    if all(isinstance(number, int | float) for number in given):
        advice = f"; write {shown([given])}" if len(given) == 2 else ""
        raise ValueError(f"must be {POINT_SET}: got {shown(given)}{advice}")
    for entry, point in enumerate(given):
        if not (isinstance(point, list | tuple) and len(point) == 2):
            raise ValueError(f"must hold points of two numbers: got {shown(point)} (entry {entry})")
    return given


def require_each_once(places: PointSet | None) -> None:
    """Refuse a point that is listed twice, with a `ValueError`."""
    if not isinstance(places, Mesh):
        seen: dict[Point, int] = {}
        for entry, point in enumerate(places or ()):
            if point in seen:
                raise ValueError(
                    f"has {list(point)} more than once (entries {seen[point]} and {entry}); "
                    "list each point once"
                )
            seen[point] = entry


def axes_of(places: PointSet) -> Axes:
    """Coordinates of each point, or of a mesh's two axes."""
    if isinstance(places, Mesh):
        first, second = places.axes
        return first.points, second.points
    points = np.array(places, float)
    return np.ascontiguousarray(points[:, 0]), np.ascontiguousarray(points[:, 1])


def sizes_of(axes: Axes, is_mesh: bool) -> tuple[int, ...]:
    """Sizes of the dimensions: one for points, two for a mesh."""
    first, second = axes
    return (first.size, second.size) if is_mesh else (first.size,)
