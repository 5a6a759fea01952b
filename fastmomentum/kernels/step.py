"""One update of a lane: the gradient, its modifiers, and the rule for each coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from fastmomentum.kernels.drawing_noise import adding
from fastmomentum.kernels.modifying import clipper, decayer, decoupler, restarter
from fastmomentum.kernels.rows import Rows
from fastmomentum.kernels.tiles import Function, inlined, made_once, mixed, reader, writer
from fastmomentum.objectives import Functions

States = tuple[tuple[int, ...], ...]
"""For each coordinate, the rows of a tile with its state."""


@inlined
def one_nan(number: float) -> float:
    """Make all NaNs the same: sign and payload would depend on the order of the operands."""
    return number if number == number else np.nan


@made_once
def recorder(n: int) -> Function:
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


@made_once
def loss_of_lane(
    value: Function, point: Sequence[int], constants: Sequence[int | None]
) -> Function:
    """``loss(tile, lane, constants)``: the objective's value at a lane's point."""
    value, read_point, read_constants = inlined(value), reader(point), mixed(constants)

    def loss(tile, lane, constants):  # type: ignore[no-untyped-def]
        return value(*read_point(tile, lane), read_constants(tile, lane, constants))

    return inlined(loss)


def stepper(rows: Rows, functions: Functions) -> Function:
    """Make one update: ``step(tile, lane, w, parameters, constants, options, t, planned, ...)``.

    It returns the new point; `planned` are the update's factor and momentum from the schedules;
    `noise` and `sample` were drawn for the step.

    The order is: gradient, noise, clip, weight decay, the rule, decoupled decay, restart. The tile
    keeps the old point, so that a lane whose stop rule is met can stay there; everything else in it
    is updated.
    """
    rule = rows.rule
    advance = inlined(rule.advance)
    read_shared, write_shared = reader(rows.shared), writer(rows.shared)
    read_parameters, read_constants = map(mixed, rows.varying())

    states = tuple(tuple(rows.states(coordinate)) for coordinate in range(rows.n))
    look, move = looking(states, rule.gradient_point), moving(states, rule.update)
    used = rows.n, [name for name, _ in rows.options], rows.option_rows
    clip, decay, decouple = clipper(*used), decayer(*used), decoupler(*used)
    velocities = [own[0] for own in states] if rows.restart else []
    sums_gradients = rule.form is not None and rule.form.sums_gradients
    kept = velocities, rows.restarts, rows.clock
    restart = restarter(rows.restart, *kept, sums_gradients, functions.value)
    has_batches = rows.draws.batch is not None
    gradient = functions.batch_gradient if has_batches else functions.gradient
    differentiate = differentiating(gradient, has_batches, rows.n if rows.draws.noise else 0)
    clock = (*rows.clock, rows.own_momentum) if rows.own_momentum else ()
    settings = setting(rows.lr, rows.has_factors, rows.has_momenta, *clock)

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


@made_once
def differentiating(gradient: Function, is_of_batch: bool, n_noisy: int) -> Function:
    """``differentiate(at, constants, noise, sample)``: the gradient, with batches and noise."""
    gradient = inlined(gradient)

    def of_all(at, constants, sample):  # type: ignore[no-untyped-def]
        return gradient(*at, constants)

    def of_batch(at, constants, sample):  # type: ignore[no-untyped-def]
        return gradient(*at, constants, sample)

    inner, add = inlined(of_batch if is_of_batch else of_all), adding(n_noisy)

    def plain(at, constants, noise, sample):  # type: ignore[no-untyped-def]
        return inner(at, constants, sample)

    def noisy(at, constants, noise, sample):  # type: ignore[no-untyped-def]
        return add(inner(at, constants, sample), noise)

    return inlined(noisy if n_noisy else plain)


@made_once
def setting(
    lr_row: int,
    has_factors: bool,
    has_momenta: bool,
    clock: int = 0,
    own_momentum: Function | None = None,
) -> Function:
    """``settings(tile, lane, planned)``: learning rate and momentum of an update."""
    momentum_row = lr_row + 1

    def own_lr(tile, lane, planned):  # type: ignore[no-untyped-def]
        return tile[lr_row, lane]

    def times_factor(tile, lane, planned):  # type: ignore[no-untyped-def]
        return tile[lr_row, lane] * planned[0]

    def of_run(tile, lane, planned):  # type: ignore[no-untyped-def]
        return tile[momentum_row, lane]

    def of_update(tile, lane, planned):  # type: ignore[no-untyped-def]
        return planned[1]

    lr = inlined(times_factor if has_factors else own_lr)
    momentum = inlined(of_update if has_momenta else of_run)
    if own_momentum is not None:
        momentum_at = inlined(own_momentum)

        def since_restart(tile, lane, planned):  # type: ignore[no-untyped-def]
            return momentum_at(tile[clock, lane])

        momentum = inlined(since_restart)

    def settings(tile, lane, planned):  # type: ignore[no-untyped-def]
        return lr(tile, lane, planned), momentum(tile, lane, planned)

    return inlined(settings)


@made_once
def planner(has_factors: bool, has_momenta: bool) -> Function:
    """``plan(factors, momenta, k)``: factor and momentum of a stretch's update k."""

    def one(values, k):  # type: ignore[no-untyped-def]
        return values[k]

    def nothing(values, k):  # type: ignore[no-untyped-def]
        return 1.0

    factor = inlined(one if has_factors else nothing)
    momentum = inlined(one if has_momenta else nothing)

    def plan(factors, momenta, k):  # type: ignore[no-untyped-def]
        return factor(factors, k), momentum(momenta, k)

    return inlined(plan)


@made_once
def looking(states: States, gradient_point: Function) -> Function:
    """``look(tile, lane, w, momentum)``: the point at which the gradient is computed."""
    n = len(states)
    if not n:

        def nothing(tile, lane, w, momentum):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    before, last, read_states = looking(states[:-1], gradient_point), n - 1, reader(states[-1])
    gradient_point = inlined(gradient_point)

    def look(tile, lane, w, momentum):  # type: ignore[no-untyped-def]
        there = gradient_point(w[last], read_states(tile, lane), momentum)
        return (*before(tile, lane, w, momentum), there)

    return inlined(look)


@made_once
def moving(states: States, update: Function) -> Function:
    """``move(tile, lane, w, g, ...)``: apply the rule to each coordinate."""
    n = len(states)
    if not n:

        def nothing(  # type: ignore[no-untyped-def]
            tile, lane, w, g, lr, momentum, parameters, shared, t
        ):
            return ()

        return inlined(nothing)
    before, last, update = moving(states[:-1], update), n - 1, inlined(update)
    read_states, write_states = reader(states[-1]), writer(states[-1])

    def move(  # type: ignore[no-untyped-def]
        tile, lane, w, g, lr, momentum, parameters, shared, t
    ):
        others = before(tile, lane, w, g, lr, momentum, parameters, shared, t)
        own = read_states(tile, lane)
        to, own = update(w[last], own, g[last], lr, momentum, parameters, shared, t)
        write_states(tile, lane, own)
        return (*others, to)

    return inlined(move)


DIGESTED: Final[tuple[Function, ...]] = (
    one_nan,
    recorder,
    loss_of_lane,
    stepper,
    differentiating,
    setting,
    planner,
    looking,
    moving,
)
"""Functions that are compiled into kernels from here."""
