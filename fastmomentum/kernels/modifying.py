"""The options of every rule in a kernel: clipping, decay, restarts; no code where none is used.

Loops over coordinates are unrolled as in `fastmomentum.kernels.tiles`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from fastmomentum.kernels.tiles import Function, chooser, inlined, made_once, mixed, reader
from fastmomentum.rules import modifiers


@made_once
def each(n: int, function: Function) -> Function:
    """``apply(one, other, number)``: a function of two coordinates and a number, for each of n."""
    if not n:

        def nothing(one, other, number):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    before, last, function = each(n - 1, function), n - 1, inlined(function)

    def apply(one, other, number):  # type: ignore[no-untyped-def]
        return (*before(one, other, number), function(one[last], other[last], number))

    return inlined(apply)


@made_once
def folded(n: int, function: Function) -> Function:
    """``fold(one, other)``: ``function(so far, one, other)`` over n coordinates, from 0 on."""
    if not n:

        def nothing(one, other):  # type: ignore[no-untyped-def]
            return 0.0

        return inlined(nothing)
    before, last, function = folded(n - 1, function), n - 1, inlined(function)

    def fold(one, other):  # type: ignore[no-untyped-def]
        return function(before(one, other), one[last], other[last])

    return inlined(fold)


def times(g: Any, _: Any, factor: Any) -> Any:
    """A coordinate times a number."""
    return g * factor


def add(one: Any, _: Any, number: Any) -> Any:
    """A coordinate plus a number."""
    return one + number


def over(g: Any, _: Any, number: Any) -> Any:
    """A coordinate divided by a number."""
    return g / number


@made_once
def clipper(n: int, names: Sequence[str], rows: Sequence[int | None]) -> Function:
    """``clip(tile, lane, g, options)``: the gradient, no longer than the option allows.

    `names` are the options in use, and `rows` their rows in the tile.
    """
    if "clip" not in names:

        def nothing(tile, lane, g, options):  # type: ignore[no-untyped-def]
            return g

        return inlined(nothing)
    number, largest_of = names.index("clip"), folded(n, modifiers.larger)
    scaled_by, divided_by = each(n, times), each(n, over)
    product, read_options = folded(n, modifiers.summed), mixed(rows)
    unit, clipping = inlined(modifiers.unit), inlined(modifiers.clipping)

    def clip(tile, lane, g, options):  # type: ignore[no-untyped-def]
        one = unit(largest_of(g, g))
        parts = divided_by(g, g, one)
        norm = one * np.sqrt(product(parts, parts))
        return scaled_by(g, g, clipping(norm, read_options(tile, lane, options)[number]))

    return inlined(clip)


@made_once
def decayer(n: int, names: Sequence[str], rows: Sequence[int | None]) -> Function:
    """``decay(tile, lane, g, at, options)``: the gradient with decay of the point `at`."""
    if "weight_decay" not in names:

        def nothing(tile, lane, g, at, options):  # type: ignore[no-untyped-def]
            return g

        return inlined(nothing)
    number, decayed = names.index("weight_decay"), each(n, modifiers.decayed)
    read_options = mixed(rows)

    def decay(tile, lane, g, at, options):  # type: ignore[no-untyped-def]
        return decayed(g, at, read_options(tile, lane, options)[number])

    return inlined(decay)


@made_once
def decoupler(n: int, names: Sequence[str], rows: Sequence[int | None]) -> Function:
    """``decouple(tile, lane, to, w, lr, options)``: the new point minus decoupled decay."""
    if "decoupled_weight_decay" not in names:

        def nothing(tile, lane, to, w, lr, options):  # type: ignore[no-untyped-def]
            return to

        return inlined(nothing)
    number, take_off = names.index("decoupled_weight_decay"), each(n, modifiers.taken_off)
    read_options = mixed(rows)

    def decouple(tile, lane, to, w, lr, options):  # type: ignore[no-untyped-def]
        return take_off(to, w, lr * read_options(tile, lane, options)[number])

    return inlined(decouple)


@made_once
def restarter(
    kind: str | None,
    velocities: Sequence[int],
    counts: Sequence[int],
    clocks: Sequence[int],
    sums_gradients: bool,
    value: Function,
) -> Function:
    """``restart(tile, lane, w, to, g, constants)``: set the velocity to 0 where a restart is due.

    `velocities`, `counts` and `clocks` are rows: a clock counts updates since the last restart.
    `sums_gradients` says whether the direction of travel is -v' instead of v'; `value` is the
    objective's, and `constants` are those of the lane.
    """
    if kind is None:

        def nothing(tile, lane, w, to, g, constants):  # type: ignore[no-untyped-def]
            return None

        return inlined(nothing)
    n, (count,) = len(velocities), counts
    read, choose, at_rest = reader(velocities), chooser(velocities), (0.0,) * n
    read_clock, choose_clock = reader(clocks), chooser(clocks)
    later, started = each(len(clocks), add), (0.0,) * len(clocks)
    product, along = folded(n, modifiers.summed), -1.0 if sums_gradients else 1.0
    value = inlined(value)

    def by_function(tile, lane, w, to, g, constants):  # type: ignore[no-untyped-def]
        return value(*to, constants) > value(*w, constants)

    def by_gradient(tile, lane, w, to, g, constants):  # type: ignore[no-untyped-def]
        return along * product(g, read(tile, lane)) > 0.0

    is_time = inlined({"function": by_function, "gradient": by_gradient}[kind])

    def restart(tile, lane, w, to, g, constants):  # type: ignore[no-untyped-def]
        now = is_time(tile, lane, w, to, g, constants)
        choose(tile, lane, now, at_rest, read(tile, lane))
        tile[count, lane] += 1.0 if now else -0.0
        choose_clock(
            tile, lane, now, started, later(read_clock(tile, lane), read_clock(tile, lane), 1.0)
        )

    return inlined(restart)


@made_once
def counter(counts: Sequence[int]) -> Function:
    """``note(n_restarts, run, tile, lane)``: store how often a lane's run has been restarted."""
    if not counts:

        def nothing(n_restarts, run, tile, lane):  # type: ignore[no-untyped-def]
            return None

        return inlined(nothing)
    (count,) = counts

    def note(n_restarts, run, tile, lane):  # type: ignore[no-untyped-def]
        n_restarts[run] = int(tile[count, lane])

    return inlined(note)


DIGESTED: Final[tuple[Function, ...]] = (
    modifiers.decayed,
    modifiers.taken_off,
    modifiers.larger,
    modifiers.unit,
    modifiers.clipping,
    modifiers.summed,
    clipper,
    decayer,
    decoupler,
    restarter,
    counter,
    each,
    folded,
)
"""Functions that are compiled into kernels from here."""
