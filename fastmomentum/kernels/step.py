"""One update of a lane: where the gradient is taken, the rule for each coordinate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmomentum.kernels.modifying import clipper, decayer, decoupler, restarter
from fastmomentum.kernels.tiles import inlined, mixed, reader, writer
from fastmomentum.rules.base import Rule


@dataclass(frozen=True)
class Rows:
    """Which row of a tile holds what.

    Parameters
    ----------
    n : int
        Coordinates.
    rule : Rule
        Says what a coordinate, and a run, keep between updates.
    parameters : tuple of bool
        Which of the rule's parameters differ between the runs: they have rows of their own.
    constants : tuple of bool
        Which of the objective's constants do.
    options : tuple of (str, bool)
        Options of every rule that are used, and whether they differ between the runs.
    restart : str, optional
        When the velocity is set to 0.
    """

    n: int
    rule: Rule
    parameters: tuple[bool, ...]
    constants: tuple[bool, ...]
    options: tuple[tuple[str, bool], ...] = ()
    restart: str | None = None

    @property
    def point(self) -> list[int]:
        """The point."""
        return list(range(self.n))

    def states(self, coordinate: int) -> list[int]:
        """What a coordinate keeps; state by state, so that the velocities lie together."""
        return [self.n * (1 + k) + coordinate for k in range(len(self.rule.states))]

    @property
    def shared(self) -> list[int]:
        """What all coordinates keep together."""
        first = self.n * (1 + len(self.rule.states))
        return list(range(first, first + len(self.rule.shared)))

    @property
    def lr(self) -> int:
        """The learning rate; the momentum follows."""
        return self.n * (1 + len(self.rule.states)) + len(self.rule.shared)

    @property
    def level(self) -> int:
        """The level of f to fall to; the count of updates without event follows."""
        return self.lr + 2

    def varying(self) -> tuple[list[int | None], list[int | None]]:
        """Rows of the rule's parameters and of the objective's constants; None where all agree."""
        row, found = self.level + 2, []
        for flags in (self.parameters, self.constants):
            rows: list[int | None] = []
            for varies in flags:
                rows.append(row if varies else None)
                row += varies
            found.append(rows)
        return found[0], found[1]

    @property
    def option_rows(self) -> list[int | None]:
        """Rows of the options that are used; None where all runs agree."""
        row, rows = self.level + 2 + sum(self.parameters) + sum(self.constants), []
        for _, varies in self.options:
            rows.append(row if varies else None)
            row += varies
        return rows

    @property
    def restarts(self) -> list[int]:
        """The count of restarts, where there are some."""
        return [] if self.restart is None else [self.count - 1]

    @property
    def count(self) -> int:
        """How many."""
        rest = sum(varies for _, varies in self.options) + (self.restart is not None)
        return self.level + 2 + sum(self.parameters) + sum(self.constants) + rest


@inlined
def one_nan(number: float) -> float:
    """Make all NaNs one: sign and payload of a computed one tell the order of the operands."""
    return number if number == number else np.nan


def recorder(n: int) -> Callable[..., None]:
    """``record(trajectory, run, k, tile, lane)``: store a lane's point as a run's entry k."""
    if not n:

        def nothing(trajectory, run, k, tile, lane):  # type: ignore[no-untyped-def]
            return None

        return inlined(nothing)
    before, last = recorder(n - 1), n - 1

    def record(trajectory, run, k, tile, lane):  # type: ignore[no-untyped-def]
        before(trajectory, run, k, tile, lane)
        trajectory[run, k, last] = one_nan(tile[last, lane])

    return inlined(record)


def stepper(
    rows: Rows, value: Callable[..., Any], gradient: Callable[..., Any]
) -> Callable[..., Any]:
    """``step(tile, lane, w, parameters, constants, options, t)``: one update; gives the new point.

    The order is: gradient, clip, weight decay, the rule, decoupled decay, restart. The tile keeps
    the old point, so that a stop rule that is met can leave the lane where it is; all else in it is
    updated.
    """
    rule = rows.rule
    update, gradient_point = inlined(rule.update), inlined(rule.gradient_point)
    advance = inlined(rule.advance)
    read_shared, write_shared = reader(rows.shared), writer(rows.shared)
    read_parameters, read_constants = map(mixed, rows.varying())
    lr_row, momentum_row = rows.lr, rows.lr + 1

    def looking(n: int) -> Callable[..., Any]:
        """Where the gradient is taken."""
        if not n:

            def nothing(tile, lane, w, momentum):  # type: ignore[no-untyped-def]
                return ()

            return inlined(nothing)
        before, last, read_states = looking(n - 1), n - 1, reader(rows.states(n - 1))

        def look(tile, lane, w, momentum):  # type: ignore[no-untyped-def]
            there = gradient_point(w[last], read_states(tile, lane), momentum)
            return (*before(tile, lane, w, momentum), there)

        return inlined(look)

    def moving(n: int) -> Callable[..., Any]:
        """The rule for each coordinate."""
        if not n:

            def nothing(  # type: ignore[no-untyped-def]
                tile, lane, w, g, lr, momentum, parameters, shared, t
            ):
                return ()

            return inlined(nothing)
        before, last = moving(n - 1), n - 1
        read_states, write_states = reader(rows.states(last)), writer(rows.states(last))

        def move(  # type: ignore[no-untyped-def]
            tile, lane, w, g, lr, momentum, parameters, shared, t
        ):
            others = before(tile, lane, w, g, lr, momentum, parameters, shared, t)
            states = read_states(tile, lane)
            to, states = update(w[last], states, g[last], lr, momentum, parameters, shared, t)
            write_states(tile, lane, states)
            return (*others, to)

        return inlined(move)

    look, move = looking(rows.n), moving(rows.n)
    used = rows.n, [name for name, _ in rows.options], rows.option_rows
    clip, decay, decouple = clipper(*used), decayer(*used), decoupler(*used)
    velocities = [rows.states(coordinate)[0] for coordinate in range(rows.n if rows.restart else 0)]
    sums_gradients = rule.form is not None and rule.form.sums_gradients
    restart = restarter(rows.restart, velocities, rows.restarts, sums_gradients, value)

    def step(tile, lane, w, parameters, constants, options, t):  # type: ignore[no-untyped-def]
        lr, momentum = tile[lr_row, lane], tile[momentum_row, lane]
        own = read_parameters(tile, lane, parameters)
        shared = advance(read_shared(tile, lane), momentum, own)
        write_shared(tile, lane, shared)
        at = look(tile, lane, w, momentum)
        of_objective = read_constants(tile, lane, constants)
        g = gradient(*at, of_objective)
        g = clip(tile, lane, g, options)
        g = decay(tile, lane, g, at, options)
        to = move(tile, lane, w, g, lr, momentum, own, shared, t)
        to = decouple(tile, lane, to, w, lr, options)
        restart(tile, lane, w, to, g, of_objective)
        return to

    return inlined(step)
