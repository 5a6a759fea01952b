"""The boundary between classes by quadtree: squares whose corners differ are cut into four.

Points are numbered over the finest lattice, the second axis varying fastest. A point that was not
visited has the class of the nearest visited corner below it: where a square was not cut, its four
corners agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Classes = NDArray[np.uint8]

MOST_LEVELS: Final = 16


class Lattice(NamedTuple):
    """Points that may be visited: those of a map, and those between them at each level.

    Attributes
    ----------
    shape : (int, int)
        Points of the map.
    levels : int
        How often the squares between them are cut into four.
    """

    shape: tuple[int, int]
    levels: int

    @property
    def fine(self) -> tuple[int, int]:
        """Points of the finest lattice along both axes."""
        n, m = (((size - 1) << self.levels) + 1 for size in self.shape)
        return n, m

    @property
    def size(self) -> int:
        """Points of the finest lattice."""
        n, m = self.fine
        return n * m

    def number(self, i: Ints, j: Ints) -> Ints:
        """Numbers of points of the finest lattice."""
        return i * self.fine[1] + j

    def of_map(self) -> Ints:
        """Numbers of the map's own points, in its order."""
        step = 1 << self.levels
        n, m = self.fine
        return self.number(np.arange(0, n, step)[:, None], np.arange(0, m, step)).ravel()


class Known:
    """Classes of the points that were visited.

    Parameters
    ----------
    lattice : Lattice
        The lattice of the points.
    classes : ndarray of uint8, shape (n, m)
        Classes of the map.

    Attributes
    ----------
    points : ndarray of int
        Their numbers, ascending.
    classes : ndarray of uint8
        Their classes.
    """

    def __init__(self, lattice: Lattice, classes: Classes) -> None:
        self.lattice = lattice
        self.points = lattice.of_map()
        self.classes = np.ascontiguousarray(classes, np.uint8).ravel()

    def __contains__(self, point: int) -> bool:
        """Whether each point was visited."""
        return bool(self.has(np.array([point]))[0])

    def has(self, points: Ints) -> NDArray[np.bool_]:
        """Which of some points were visited."""
        return self._found(points)[1]

    def add(self, points: Ints, classes: Classes) -> None:
        """Add more points."""
        both = np.concatenate([self.points, points])
        order = np.argsort(both, kind="stable")
        self.points = both[order]
        self.classes = np.concatenate([self.classes, classes])[order]

    def inferred(self, points: Ints) -> Classes:
        """The class of any point: its own, or that of the nearest visited corner below it.

        Parameters
        ----------
        points : ndarray of int, shape (...)
            Numbers.

        Returns
        -------
        ndarray of uint8, shape (...)
        """
        return np.asarray(self.classes[self.sources(points)])

    def sources(self, points: Ints) -> Ints:
        """Which of the visited points stands for each of some points, as in `inferred`.

        Parameters
        ----------
        points : ndarray of int, shape (...)
            Numbers.

        Returns
        -------
        ndarray of int, shape (...)
            Indices into `points`.
        """
        flat = np.ravel(points)
        found, left = np.empty(flat.size, np.int64), np.arange(flat.size)
        i, j = np.divmod(flat, self.lattice.fine[1])
        for level in range(self.lattice.levels + 1):
            number = self.lattice.number(i[left] >> level << level, j[left] >> level << level)
            at, there = self._found(number)
            found[left[there]] = at[there]
            left = left[~there]
        return found.reshape(np.shape(points))

    def laid_out(self) -> Classes:
        """The classes of all points, as in `inferred`: shape ``lattice.fine``."""
        n, m = self.lattice.fine
        i, j = np.divmod(self.points, m)
        found = np.empty((0, 0), np.uint8)
        for level in range(self.lattice.levels + 1):
            left = self.lattice.levels - level
            step, shape = 1 << left, ((n - 1 >> left) + 1, (m - 1 >> left) + 1)
            if level:
                found = found.repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]
            else:
                found = np.empty(shape, np.uint8)
            there = (i % step == 0) & (j % step == 0)
            found[i[there] >> left, j[there] >> left] = self.classes[there]
        return found

    def _found(self, points: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        at = np.searchsorted(self.points, points).clip(0, self.points.size - 1)
        return at, self.points[at] == points


class Round(NamedTuple):
    """Points to visit.

    Attributes
    ----------
    level : int
        From 1; the last is the finest.
    first : bool
        Whether it is the level's first round, which has nearly all of its points.
    points : ndarray of int
        Ascending.
    """

    level: int
    first: bool
    points: Ints


def rounds(known: Known) -> Iterator[Round]:
    """Cut the squares whose corners differ, level by level.

    If the class changes along an edge, the square beyond the edge is cut too, so that the boundary
    is followed wherever it leads.

    Parameters
    ----------
    known : Known
        Classes of the map; the caller adds those of a round's points before the next round.

    Yields
    ------
    Round
        Points that were not visited before; none if no square is left to cut.
    """
    lattice = known.lattice
    squares = _squares_of_map(lattice)
    squares = squares[_differ(known, squares, 1 << lattice.levels)]
    for level in range(1, lattice.levels + 1):
        step = 1 << (lattice.levels - level + 1)
        cut, new, first = np.empty(0, np.int64), squares, True
        while new.size:
            cut = np.union1d(cut, new)
            points = np.unique(_nine(lattice, new, step))
            points = points[~known.has(points)]
            if points.size:
                yield Round(level, first, points)
            first = False
            new = np.setdiff1d(_beyond(known, new, step), cut, assume_unique=True)
        children = _children(lattice, cut, step)
        squares = children[_differ(known, children, step // 2)]


def _squares_of_map(lattice: Lattice) -> Ints:
    """Lower corners of the squares between the map's points."""
    step = 1 << lattice.levels
    n, m = lattice.fine
    return lattice.number(np.arange(0, n - 1, step)[:, None], np.arange(0, m - 1, step)).ravel()


def _differ(known: Known, squares: Ints, step: int) -> NDArray[np.bool_]:
    """Whether the corners of squares of some width have several classes."""
    wide = step * known.lattice.fine[1]
    corners = known.inferred(squares + np.array([0, step, wide, wide + step])[:, None])
    return np.asarray((corners != corners[0]).any(axis=0))


def _nine(lattice: Lattice, squares: Ints, step: int) -> Ints:
    """Corners and middle of squares, and the middles of their edges: shape (9, n).

    The corners were visited before, except those of squares that a boundary led to.
    """
    along = np.array([0, step // 2, step])
    return np.asarray(squares + np.ravel(along[:, None] * lattice.fine[1] + along)[:, None])


def _children(lattice: Lattice, squares: Ints, step: int) -> Ints:
    """Lower corners of the four squares that each one is cut into."""
    half, row = step // 2, lattice.fine[1]
    return np.ravel(squares + np.array([0, half, half * row, half * row + half])[:, None])


def _beyond(known: Known, squares: Ints, step: int) -> Ints:
    """Squares beyond those edges along which the class changes."""
    lattice = known.lattice
    half, row, (n, m) = step // 2, lattice.fine[1], lattice.fine
    i, j = np.divmod(squares, row)
    found = []
    # Ends of an edge relative to the square's corner, and the step to the square beyond it.
    for first, second, middle, away in (
        (0, step, half, (-step, 0)),
        (step * row, step * row + step, step * row + half, (step, 0)),
        (0, step * row, half * row, (0, -step)),
        (step, step * row + step, half * row + step, (0, step)),
    ):
        here = known.inferred(squares + middle)
        ends = known.inferred(squares + first), known.inferred(squares + second)
        bent = (here != ends[0]) | (here != ends[1])
        i_beyond, j_beyond = i + away[0], j + away[1]
        inside = (i_beyond >= 0) & (i_beyond < n - 1) & (j_beyond >= 0) & (j_beyond < m - 1)
        those = bent & inside
        found.append(lattice.number(i_beyond[those], j_beyond[those]))
    return np.unique(np.concatenate(found))
