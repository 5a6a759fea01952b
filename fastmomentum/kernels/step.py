"""One update of a lane: where the gradient is taken, the rule for each coordinate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastmomentum.kernels.drawing import NOTHING_DRAWN, Draws, adding
from fastmomentum.kernels.modifying import clipper, decayer, decoupler, restarter
from fastmomentum.kernels.tiles import inlined, mixed, reader, writer
from fastmomentum.objectives import Functions
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
    draws : Draws
        What is drawn at each step: lanes may have keys of their own.
    has_factors : bool
        Whether each update has a factor on the learning rate.
    has_momenta : bool
        Whether each update has a momentum, instead of the run's.
    own_momentum : callable, optional
        The momentum as a function of the updates since the run's last restart, instead.
    """

    n: int
    rule: Rule
    parameters: tuple[bool, ...]
    constants: tuple[bool, ...]
    options: tuple[tuple[str, bool], ...] = ()
    restart: str | None = None
    draws: Draws = NOTHING_DRAWN
    has_factors: bool = False
    has_momenta: bool = False
    own_momentum: Callable[[Any], Any] | None = None

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
        return [] if self.restart is None else [self.keys - 1]

    @property
    def keys(self) -> int:
        """The first word of the lanes' keys, as bits of a double."""
        return self.count - self.draws.keys

    @property
    def restarts_and_clock(self) -> list[str]:
        """What a rule that restarts keeps besides."""
        kept = [] if self.own_momentum is None else ["clock"]
        return kept if self.restart is None else [*kept, "restarts"]

    @property
    def clock(self) -> list[int]:
        """Updates since the last restart, where the momentum depends on them."""
        return [] if self.own_momentum is None else [self.keys - 2]

    @property
    def count(self) -> int:
        """How many."""
        own = sum(self.parameters) + sum(self.constants)
        rest = sum(varies for _, varies in self.options) + len(self.restarts_and_clock)
        return self.level + 2 + own + rest + self.draws.keys


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


def stepper(rows: Rows, functions: Functions) -> Callable[..., Any]:
    """Make one update: ``step(tile, lane, w, parameters, constants, options, t, planned, ...)``.

    It gives the new point; `planned` are factor and momentum of the update, from the schedules;
    `noise` and `sample` are what was drawn for the step.

    The order is: gradient, noise, clip, weight decay, the rule, decoupled decay, restart. The tile
    keeps the old point, so that a stop rule that is met can leave the lane where it is; all else in
    it is updated.
    """
    rule = rows.rule
    update, gradient_point = inlined(rule.update), inlined(rule.gradient_point)
    advance = inlined(rule.advance)
    read_shared, write_shared = reader(rows.shared), writer(rows.shared)
    read_parameters, read_constants = map(mixed, rows.varying())

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
    value = inlined(functions.value)
    restart = restarter(rows.restart, velocities, rows.restarts, rows.clock, sums_gradients, value)
    differentiate = _differentiating(rows, functions)
    settings = _settings(rows)

    def step(  # type: ignore[no-untyped-def]
        tile, lane, w, parameters, constants, options, t, planned, noise, sample
    ):
        lr, momentum = settings(tile, lane, planned)
        own = read_parameters(tile, lane, parameters)
        shared = advance(read_shared(tile, lane), momentum, own)
        write_shared(tile, lane, shared)
        at = look(tile, lane, w, momentum)
        of_objective = read_constants(tile, lane, constants)
        g = differentiate(at, of_objective, noise, sample)
        g = clip(tile, lane, g, options)
        g = decay(tile, lane, g, at, options)
        to = move(tile, lane, w, g, lr, momentum, own, shared, t)
        to = decouple(tile, lane, to, w, lr, options)
        restart(tile, lane, w, to, g, of_objective)
        return to

    return inlined(step)


def _differentiating(rows: Rows, functions: Functions) -> Callable[..., Any]:
    """``differentiate(at, constants, noise, sample)``: the gradient, with what is random in it."""
    if rows.draws.batch is None:
        gradient = inlined(functions.gradient)

        def of_all(at, constants, sample):  # type: ignore[no-untyped-def]
            return gradient(*at, constants)

        inner = inlined(of_all)
    else:
        assert functions.batch_gradient is not None  # as the experiment has made sure
        batch_gradient = inlined(functions.batch_gradient)

        def of_batch(at, constants, sample):  # type: ignore[no-untyped-def]
            return batch_gradient(*at, constants, sample)

        inner = inlined(of_batch)
    if rows.draws.noise is None:

        def plain(at, constants, noise, sample):  # type: ignore[no-untyped-def]
            return inner(at, constants, sample)

        return inlined(plain)
    add = adding(rows.n)

    def noisy(at, constants, noise, sample):  # type: ignore[no-untyped-def]
        return add(inner(at, constants, sample), noise)

    return inlined(noisy)


def _settings(rows: Rows) -> Callable[..., Any]:
    """``settings(tile, lane, planned)``: learning rate and momentum of an update."""
    lr_row, momentum_row = rows.lr, rows.lr + 1

    def own_lr(tile, lane, planned):  # type: ignore[no-untyped-def]
        return tile[lr_row, lane]

    def times_factor(tile, lane, planned):  # type: ignore[no-untyped-def]
        return tile[lr_row, lane] * planned[0]

    def of_run(tile, lane, planned):  # type: ignore[no-untyped-def]
        return tile[momentum_row, lane]

    def of_update(tile, lane, planned):  # type: ignore[no-untyped-def]
        return planned[1]

    lr = inlined(times_factor if rows.has_factors else own_lr)
    momentum = inlined(of_update if rows.has_momenta else of_run)
    if rows.own_momentum is not None:
        (clock,), momentum_at = rows.clock, inlined(rows.own_momentum)

        def since_restart(tile, lane, planned):  # type: ignore[no-untyped-def]
            return momentum_at(tile[clock, lane])

        momentum = inlined(since_restart)

    def settings(tile, lane, planned):  # type: ignore[no-untyped-def]
        return lr(tile, lane, planned), momentum(tile, lane, planned)

    return inlined(settings)


def planner(rows: Rows) -> Callable[..., Any]:
    """``plan(factors, momenta, k)``: factor and momentum of a stretch's update k."""

    def one(values, k):  # type: ignore[no-untyped-def]
        return values[k]

    def nothing(values, k):  # type: ignore[no-untyped-def]
        return 1.0

    factor = inlined(one if rows.has_factors else nothing)
    momentum = inlined(one if rows.has_momenta else nothing)

    def plan(factors, momenta, k):  # type: ignore[no-untyped-def]
        return factor(factors, k), momentum(momenta, k)

    return inlined(plan)
