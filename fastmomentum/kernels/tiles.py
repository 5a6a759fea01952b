"""Access to a tile, unrolled: a lane's numbers as tuples, for any number of coordinates.

A tile has a row per quantity and a column per lane (a run). Loops over tuples keep LLVM from
vectorising over the lanes; closures that call each other, one per row, do not.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from numba.extending import register_jitable

from fastmomentum.kernels.bits import INLINED, frozen

Function = Callable[..., Any]


def made_once(make: Callable[..., Function]) -> Callable[..., Function]:
    """Return the same function for the same arguments, so that numba compiles it only once."""
    kept = functools.cache(make)

    @functools.wraps(make)
    def made(*arguments: Any) -> Function:
        return kept(*(tuple(one) if isinstance(one, list) else one for one in arguments))

    return made


@made_once
def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Inline a function into its caller: a loop around a call is not vectorised."""
    return cast(Callable[..., Any], register_jitable(**INLINED)(function))


@made_once
def reader(rows: Sequence[int]) -> Callable[..., Any]:
    """``read(tile, lane)``: a lane's entries in these rows, as a tuple."""
    if not rows:

        def nothing(tile, lane):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    row, rest = rows[-1], rows[:-1]
    if not rest:

        def only(tile, lane):  # type: ignore[no-untyped-def]
            return (tile[row, lane],)

        return inlined(only)
    before = reader(rest)

    def read(tile, lane):  # type: ignore[no-untyped-def]
        return (*before(tile, lane), tile[row, lane])

    return inlined(read)


@made_once
def writer(rows: Sequence[int]) -> Callable[..., None]:
    """``write(tile, lane, values)``: set a lane's entries in these rows."""
    if not rows:

        def nothing(tile, lane, values):  # type: ignore[no-untyped-def]
            return None

        return inlined(nothing)
    row, last = rows[-1], len(rows) - 1
    before = writer(rows[:-1])

    def write(tile, lane, values):  # type: ignore[no-untyped-def]
        before(tile, lane, values)
        tile[row, lane] = values[last]

    return inlined(write)


@made_once
def chooser(rows: Sequence[int]) -> Callable[..., None]:
    """``choose(tile, lane, yes, values, others)``: set the entries to values, or else to others."""
    if not rows:

        def nothing(tile, lane, yes, values, others):  # type: ignore[no-untyped-def]
            return None

        return inlined(nothing)
    row, last = rows[-1], len(rows) - 1
    before = chooser(rows[:-1])

    def choose(tile, lane, yes, values, others):  # type: ignore[no-untyped-def]
        before(tile, lane, yes, values, others)
        tile[row, lane] = values[last] if yes else frozen(others[last])

    return inlined(choose)


@made_once
def mixed(rows: Sequence[int | None]) -> Callable[..., Any]:
    """``read(tile, lane, fixed)``: a lane's entries; where the row is None, the one in `fixed`."""
    if not rows:

        def nothing(tile, lane, fixed):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    row, last, before = rows[-1], len(rows) - 1, mixed(rows[:-1])
    if row is None:

        def read(tile, lane, fixed):  # type: ignore[no-untyped-def]
            return (*before(tile, lane, fixed), fixed[last])

        return inlined(read)

    def read_row(tile, lane, fixed):  # type: ignore[no-untyped-def]
        return (*before(tile, lane, fixed), tile[row, lane])

    return inlined(read_row)


@inlined
def load(tile, eventless_row, runs, base):  # type: ignore[no-untyped-def]
    """Fill a tile with the runs from `base` on, and its count of updates without event with 0."""
    for row in range(tile.shape[0]):
        for lane in range(tile.shape[1]):
            tile[row, lane] = runs[row, base + lane]
    for lane in range(tile.shape[1]):
        tile[eventless_row, lane] = 0.0


@inlined
def store(runs, base, tile):  # type: ignore[no-untyped-def]
    """Write a tile back to the runs from `base` on."""
    for row in range(tile.shape[0]):
        for lane in range(tile.shape[1]):
            runs[row, base + lane] = tile[row, lane]


@inlined
def copy_lane(tile, lane, source, other):  # type: ignore[no-untyped-def]
    """Copy one lane of `source` into a lane of `tile`."""
    for row in range(tile.shape[0]):
        tile[row, lane] = source[row, other]


DIGESTED: Final[tuple[Function, ...]] = (reader, writer, chooser, mixed, load, store, copy_lane)
"""Functions that are compiled into kernels from here."""
