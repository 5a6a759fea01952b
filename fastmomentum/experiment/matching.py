"""Which runs of one experiment another one has too: those with the same settings, bit for bit."""

from __future__ import annotations

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.labels import Label
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.plan import Experiment
from fastmomentum.text import shown

Whole = NDArray[np.int64]
Key = tuple[str, str]

POINTS: Final = ("start", "velocity")

_TOGETHER: Final[dict[str, Key]] = {
    **{kind: (kind, "") for kind in POINTS},
    **dict.fromkeys(("lr", "momentum"), ("setting", "")),
}
"""By kind, for two numbers that a list may have together: what that list is of."""


class _Pair(NamedTuple):
    """One setting of a run: its values here and there, and how they correspond."""

    here: Label | None
    there: Label | None
    places: Whole
    """For each value here, its index among the distinct values there; -1 for none."""
    distinct: Whole
    """Bit patterns of the distinct values there, ascending."""


class Matching:
    """Which runs of one grid are runs of another.

    Two runs are the same if all their settings have the same bits; where a setting is not an axis
    of one grid, its fixed value counts. The grids' products are never held in memory.

    Parameters
    ----------
    here, there : Experiment
        Experiments between which `differing` finds no difference.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> one, other = (
    ...     fm.Experiment(objective="booth", rule="sgd", steps=10,
    ...         grid=fm.Grid(lr=lr, start=[(1, 1), (2, 2)]))
    ...     for lr in ([0.01, 0.02, 0.03], [0.02, 0.04]))
    >>> Matching(one, other).find(np.arange(6)).tolist()
    [-1, -1, 0, 1, -1, -1]
    >>> Matching(one, other).count
    2
    """

    def __init__(self, here: Experiment, there: Experiment) -> None:
        self._here, self._there = here.grid, there.grid
        mine, theirs = _by_key(here), _by_key(there)
        self._pairs: dict[Key, _Pair] = {}
        for key in dict.fromkeys([*mine, *theirs]):
            ours, others = _bits(here, mine, key), _bits(there, theirs, key)
            distinct = np.unique(others)
            self._pairs[key] = _Pair(
                mine.get(key), theirs.get(key), _places(distinct, ours), distinct
            )
        self._tables = {axis: self._table(*keys) for axis, keys in self._lists().items()}

    def _lists(self) -> dict[str, list[Key]]:
        """Axes of listed points there, each with the keys of a point's two coordinates."""
        found: dict[str, list[Key]] = {}
        for key, pair in self._pairs.items():
            if pair.there is not None and pair.there.axis != pair.there.name:
                found.setdefault(pair.there.axis, []).append(key)
        return found

    def find(self, runs: Whole) -> Whole:
        """Numbers that runs here have there.

        Parameters
        ----------
        runs : ndarray of int, shape (n,)
            Numbers of runs here.

        Returns
        -------
        ndarray of int, shape (n,)
            Their numbers there; -1 for runs that are not there.
        """
        cells = dict(zip(self._here.axes, np.unravel_index(runs, self._here.shape), strict=True))
        found = {
            key: pair.places[cells[pair.here.axis] if pair.here else np.zeros(len(runs), int)]
            for key, pair in self._pairs.items()
        }
        known = np.ones(len(runs), bool)
        for part in found.values():
            known &= part >= 0
        at: dict[str, Whole] = {}
        for axis in self._there.axes:
            of_axis = [k for k, pair in self._pairs.items() if pair.there and
                       pair.there.axis == axis]  # fmt: skip
            if axis in self._tables:  # an index in the list for each pair of coordinates
                at[axis] = self._listed(axis, of_axis[1], [found[key] for key in of_axis])
                known &= at[axis] >= 0
            else:
                at[axis] = self._order(of_axis[0])[found[of_axis[0]]]
        out = np.full(len(runs), -1, np.int64)
        if known.any():
            chosen = [at[axis][known] for axis in self._there.axes]
            out[known] = np.ravel_multi_index(chosen, self._there.shape)
        return out

    @property
    def count(self) -> int:
        """How many runs here are also there."""
        groups: dict[Key, list[Key]] = {}
        for key in self._pairs:
            groups.setdefault(_TOGETHER.get(key[0], key), []).append(key)
        return math.prod(
            self._points_in_common(keys)
            if len(keys) > 1
            else int((self._pairs[keys[0]].places >= 0).sum())
            for keys in groups.values()
        )

    def _points_in_common(self, keys: list[Key]) -> int:
        first, second = (self._pairs[key] for key in keys)
        in_list_here = first.here and second.here and first.here.axis == second.here.axis
        in_list_there = first.there and second.there and first.there.axis == second.there.axis
        if in_list_there and not in_list_here:  # how many of the list lie on the mesh
            assert first.there is not None
            assert second.there is not None
            on = [
                np.isin(np.arange(pair.distinct.size), pair.places)[self._codes(key)]
                for key, pair in zip(keys, (first, second), strict=True)
            ]
            return int((on[0] & on[1]).sum())
        if in_list_there:
            assert first.there is not None
            places = [first.places, second.places]
            return int((self._listed(first.there.axis, keys[1], places) >= 0).sum())
        inside = [pair.places >= 0 for pair in (first, second)]
        if in_list_here:
            return int((inside[0] & inside[1]).sum())
        return math.prod(int(part.sum()) for part in inside)

    def _codes(self, key: Key) -> Whole:
        """For each value of a label there, its index among the distinct ones."""
        pair = self._pairs[key]
        assert pair.there is not None
        return np.searchsorted(pair.distinct, _pattern(pair.there.values))

    def _order(self, key: Key) -> Whole:
        """For each distinct value, its index on the axis there."""
        order = np.empty(self._pairs[key].distinct.size, np.int64)
        codes = self._codes(key)
        order[codes] = np.arange(codes.size)
        return order

    def _listed(self, axis: str, second: Key, codes: list[Whole]) -> Whole:
        """Indices in a list of points there, for the codes of both coordinates; -1 for none."""
        table, order = self._tables[axis]
        asked = codes[0] * self._pairs[second].distinct.size + codes[1]
        at = np.minimum(np.searchsorted(table, asked), table.size - 1)
        inside = (codes[0] >= 0) & (codes[1] >= 0) & (table[at] == asked)
        return np.where(inside, order[at], -1)

    def _table(self, first: Key, second: Key) -> tuple[Whole, Whole]:
        """Codes of the listed points there, ascending, and the index of each in the list."""
        codes = self._codes(first) * self._pairs[second].distinct.size + self._codes(second)
        order = np.argsort(codes, kind="stable")
        return codes[order], order


def _by_key(experiment: Experiment) -> dict[Key, Label]:
    """Labels by kind and name; coordinates of points by their order, whatever their names."""
    found: dict[Key, Label] = {}
    for label in experiment.labels:
        what = label.what
        if label.kind in POINTS:
            what = str(experiment.objective.parameters.index(what))
        found[label.kind, what] = label
    return found


def _pattern(values: Any) -> Whole:
    """Numbers as whole ones that are equal where their bits are; seeds, which are that, stay."""
    given = np.asarray(values)
    if given.dtype.kind in "iu":
        return given.astype("<u8").view("<i8")
    return np.ascontiguousarray(given, "<f8").view("<i8")


def _places(distinct: Whole, values: Whole) -> Whole:
    at = np.minimum(np.searchsorted(distinct, values), distinct.size - 1)
    return np.where(distinct[at] == values, at, -1)


def _bits(experiment: Experiment, labels: dict[Key, Label], key: Key) -> Whole:
    """Bit patterns of a setting's values; of its fixed value where it is not an axis."""
    if key in labels:
        return _pattern(labels[key].values)
    return _pattern([_fixed(experiment, key)])


def _fixed(experiment: Experiment, key: Key) -> float:
    kind, what = key
    if kind in NAMED:
        return NAMED[kind].fixed(experiment.parts[kind], what)
    return 0.0  # at rest; the first seed


def differing(here: Experiment, there: Experiment) -> str:
    """Why runs of one experiment cannot be reused for another.

    Parameters
    ----------
    here : Experiment
        Whose runs are wanted.
    there : Experiment
        Whose runs exist.

    Returns
    -------
    str
        The first key that affects runs and differs, its value there and here; empty if only grid,
        title and recorded steps differ, and the steps recorded there are enough.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> one = fm.Experiment(objective="booth", rule="sgd", steps=10,
    ...     grid=fm.Grid(lr=0.01, start=[(1, 1)]))
    >>> differing(one, one.model_copy(update={"steps": 20}))
    'steps is 20 there and 10 here'
    """
    axes = {f"{kind}.{name}" for one in (here, there)
            for kind, named in one.grid.named.items() for name in named}  # fmt: skip
    mine, theirs = (
        {k: v for k, v in one.plan.items() if not k.startswith(("grid.", "record.")) and
         k not in axes}
        for one in (here, there)
    )  # fmt: skip
    keys = [key for key in dict.fromkeys([*mine, *theirs]) if mine.get(key) != theirs.get(key)]
    if keys:
        key = min(keys, key=lambda key: not key.endswith("name"))  # a name says the most
        if key.startswith("objective.statistics"):
            return "data differ"
        old, new = (
            shown(leaves[key]) if key in leaves else "left out" for leaves in (theirs, mine)
        )
        return f"{key} is {old} there and {new} here"
    if here.objective.searches_minimisers and not (here.grid.objective or there.grid.objective):
        one, other = here.objective.minimisers, there.objective.minimisers
        if one.tobytes() != other.tobytes():
            return "minimisers found by search differ: give objective.minimisers in both"
    return _unrecorded(here, there)


def _unrecorded(here: Experiment, there: Experiment) -> str:
    """Say what is to be recorded here and was not recorded there."""
    missing = np.setdiff1d(here.recorded, there.recorded)
    if missing.size:
        return (
            f"record has no step {missing[0]:,} there, which it has here: leave record out, or "
            "record some of the steps that are there"
        )
    if (
        here.record
        and there.record
        and (here.record.dtype, there.record.dtype)
        == (
            "float64",
            "float32",
        )
    ):
        return "record.dtype is 'float32' there and 'float64' here"
    return ""
