"""The batched loop: every run of a block, for any objective and any rule, compiled once.

``compile_kernel`` closes one loop over an objective's value and gradient and a rule; the compiled
function takes the runs of a block from one step to another.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np

from fastmomentum.kernels.bits import FORMS, widest_vectors
from fastmomentum.kernels.cache import compiled
from fastmomentum.kernels.code_digest import code_digest
from fastmomentum.kernels.drawing import DIGESTED as DRAWN
from fastmomentum.kernels.drawing import TABLE_STEPS, batch_sizer, drawer
from fastmomentum.kernels.modifying import DIGESTED as MODIFYING
from fastmomentum.kernels.modifying import counter
from fastmomentum.kernels.rows import Rows
from fastmomentum.kernels.step import DIGESTED as STEP
from fastmomentum.kernels.step import loss_of_lane, planner, recorder, stepper
from fastmomentum.kernels.stopping import DIGESTED as STOPPING
from fastmomentum.kernels.stopping import (
    NOT_RUN,
    end,
    erase_after,
    next_recorded,
    reached,
    without_stopped,
)
from fastmomentum.kernels.tiles import DIGESTED as TILES
from fastmomentum.kernels.tiles import (
    chooser,
    copy_lane,
    inlined,
    load,
    mixed,
    reader,
    store,
    writer,
)
from fastmomentum.objectives import Functions
from fastmomentum.status import Status

Kernel = Callable[..., int]

LANES: Final = {False: 40, True: 32}
"""Runs per tile, updated together, without and with stop rules: enough vectors to hide the latency
of dependent operations, and few enough that points and velocities stay in registers."""

ROUND: Final = 256
"""Updates between two checks of which runs have stopped. Longer rounds waste updates on stopped
runs; shorter ones spend more time on compacting the rest."""

OPTIONS: Final[dict[str, Any]] = {"nogil": True, "error_model": "numpy"}
"""How kernels are compiled: strict IEEE, so neither fastmath nor contraction."""

LARGEST: Final = float(np.finfo(np.float64).max)
_, CONVERGED, DIVERGED, MAX_STEPS = (int(status) for status in Status)


@functools.cache
def compile_kernel(functions: Functions, rows: Rows, checked: bool) -> Kernel:
    """Kernel for an objective and a rule; compiled at its first call, then kept on disk.

    Parameters
    ----------
    functions : Functions
        The objective's plain functions, of which ``value`` and ``gradient`` are used.
    rows : Rows
        The rule, and what differs between the runs.
    checked : bool
        Whether the stop rules are checked after every update. If not, each run makes all its
        updates and the loss is computed once, at the end.

    Returns
    -------
    callable
        Its arguments are those of the inner function ``kernel``; `run_block` calls it.
    """
    value = inlined(functions.value)
    step, record = stepper(rows, functions), recorder(rows.n)
    plan, momentum_at = planner(rows.has_factors, rows.has_momenta), rows.own_momentum
    read_point, write_point = reader(rows.point), writer(rows.point)
    choose_point = chooser(rows.point)
    read_restarts, choose_restarts = reader(rows.restarts), chooser(rows.restarts)
    note = counter(rows.restarts)
    _, constant_rows = rows.varying()
    read_constants = mixed(constant_rows)
    loss = loss_of_lane(functions.value, rows.point, constant_rows)
    n, n_rows, level_row, eventless_row = rows.n, rows.count, rows.level, rows.level + 1
    lanes, round_updates = LANES[checked], ROUND
    rule, draws = rows.rule, rows.draws
    of_seed, of_lane, share, draw, at_step, noise_of, sample_of = drawer(rows.n, draws, rows.keys)
    batch_size = batch_sizer(draws)
    in_rounds, table_steps = checked or draws.any, TABLE_STEPS if draws.by_lane else 0
    own: list[Callable[..., Any]] = [*TILES, *STEP, *STOPPING, *MODIFYING, *FORMS.values()]
    if draws.any:
        own += DRAWN
    if draws.batch and functions.batch_gradient:
        own.append(functions.batch_gradient)
    if momentum_at is not None:
        own.append(momentum_at)
    given = functions.value, functions.gradient
    digest = code_digest(*given, rule.update, rule.gradient_point, rule.advance, *own)

    def kernel(  # type: ignore[no-untyped-def]  # numba infers them
        runs,
        run,
        pending,
        group,
        active,
        t,
        until,
        steps,
        parameters,
        constants,
        options,
        planned_from,
        factors,
        momenta,
        levels,
        bound,
        random,
        recorded,
        status,
        n_steps,
        hit_step,
        final,
        final_loss,
        n_restarts,
        trajectory,
    ):
        digest  # noqa: B018  (closed over, so that the cache notices edited functions)
        widest_vectors()
        n_targets, n_recorded = levels.shape[1], recorded.size
        tile, single = np.empty((n_rows, lanes)), np.empty((n_rows, 1))
        drawn = np.empty((of_seed, round_updates))
        table, lone = np.empty((of_lane, table_steps, lanes)), np.empty((of_lane, 1, 1))
        batch = np.empty((3, batch_size(random)), np.uint32)
        k_next = next_recorded(recorded, 0, t)

        # Rounds: from t to t_end for all tiles, then the stopped runs are removed.
        while active > 0 and t < until:
            t_end = min(t + round_updates, until) if in_rounds else until
            share(drawn, t, t_end, batch, random)
            some_over = False
            for base in range(0, active, lanes):
                busy = min(lanes, active - base)
                load(tile, eventless_row, runs, base)
                now, k = t, k_next
                while now < t_end:
                    pause = t_end
                    if k < n_recorded and recorded[k] < pause:
                        pause = recorded[k]
                    if table_steps:
                        pause = min(pause, now + table_steps)
                        draw(table, tile, now, pause, batch, random)
                    for s in range(now, pause):
                        made, shared = float(s), at_step(drawn, s - t)
                        planned = plan(factors, momenta, s - planned_from)
                        for j in range(lanes):
                            w = read_point(tile, j)
                            noise = noise_of(shared, table, s - now, j)
                            sample = sample_of(shared, table, s - now, j)
                            restarts = read_restarts(tile, j)
                            to = step(
                                tile,
                                j,
                                w,
                                parameters,
                                constants,
                                options,
                                made,
                                planned,
                                noise,
                                sample,
                            )
                            if checked:  # where a stop rule is met the point is kept
                                f = value(*w, read_constants(tile, j, constants))
                                eventless = (f <= bound) & (f > tile[level_row, j])
                                tile[eventless_row, j] += 1.0 if eventless else -0.0
                                choose_point(tile, j, eventless, to, w)
                                also = read_restarts(tile, j)
                                choose_restarts(tile, j, eventless, also, restarts)
                            else:
                                write_point(tile, j, to)
                    now = pause
                    if k < n_recorded and recorded[k] == now:
                        for j in range(busy):
                            record(trajectory, run[base + j], k, tile, j)
                        k += 1

                if checked:
                    for j in range(busy):
                        # Without targets, only divergence is an event.
                        s = t + int(tile[eventless_row, j])
                        if s == t_end:
                            continue
                        i = base + j
                        out, k, own_levels = run[i], k_next, levels[group[i]]
                        copy_lane(single, 0, tile, j)
                        f = loss(single, 0, constants)
                        if -LARGEST <= f <= bound and f > own_levels[n_targets - 1]:
                            # Not the last target, and the velocity went on: repeat the round alone.
                            copy_lane(single, 0, runs, i)
                            s = t
                        while True:
                            f = loss(single, 0, constants)
                            if not -LARGEST <= f <= bound:
                                status[out] = DIVERGED
                                break
                            if reached(f, own_levels, pending, i, hit_step, out, s):
                                status[out] = CONVERGED
                                break
                            draw(lone, single, s, s + 1, batch, random)
                            shared = at_step(drawn, s - t)
                            planned = plan(factors, momenta, s - planned_from)
                            noise = noise_of(shared, lone, 0, 0)
                            sample = sample_of(shared, lone, 0, 0)
                            w = read_point(single, 0)
                            to = step(
                                single,
                                0,
                                w,
                                parameters,
                                constants,
                                options,
                                float(s),
                                planned,
                                noise,
                                sample,
                            )
                            write_point(single, 0, to)
                            s += 1
                            if k < n_recorded and recorded[k] == s:
                                record(trajectory, out, k, single, 0)
                                k += 1
                            if s == t_end:
                                single[level_row, 0] = own_levels[pending[i]]
                                break
                        copy_lane(tile, j, single, 0)
                        if status[out] != NOT_RUN:
                            some_over = True
                            n_steps[out] = s
                            note(n_restarts, out, single, 0)
                            end(final, final_loss, out, single, 0, f)
                            erase_after(trajectory, out, recorded, k_next, s)

                store(runs, base, tile)

            if some_over:
                active = without_stopped(runs, run, pending, group, status, active)
            t = t_end
            k_next = next_recorded(recorded, k_next, t)

        if t == steps:  # the stop rules are checked once more
            for i in range(active):
                out, own_levels = run[i], levels[group[i]]
                f = loss(runs, i, constants)
                if not -LARGEST <= f <= bound:
                    status[out] = DIVERGED
                elif reached(f, own_levels, pending, i, hit_step, out, steps):
                    status[out] = CONVERGED
                else:
                    status[out] = MAX_STEPS
                end(final, final_loss, out, runs, i, f)
                note(n_restarts, out, runs, i)
        return active

    identity = (
        f"{digest} {lanes} {round_updates} {n} {n_rows} {rows.parameters} {rows.constants} "
        f"{rows.options} {rows.restart} {rows.has_factors} {rows.has_momenta}"
    )
    identity += f" {draws}" if draws.any else ""
    return cast(Kernel, compiled(kernel, identity, OPTIONS))
