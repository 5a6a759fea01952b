"""The batched loop: every run of a block, for any objective and any rule, compiled once.

This is the only module that imports numba. ``compile_kernel`` closes one loop over an objective's
``value`` and ``gradient`` and a rule; what comes out takes a range of run numbers and fills arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numba import njit
from numba.core import types as numba_types
from numba.extending import intrinsic, register_jitable
from numpy.typing import NDArray

from fastmomentum.kernels.code_digest import code_digest
from fastmomentum.objectives import Objective
from fastmomentum.rules.updates import Rule
from fastmomentum.status import Status

if TYPE_CHECKING:
    from fastmomentum.experiment.plan import Experiment

Kernel = Callable[..., None]

LANES: Final = {False: 40, True: 32}
"""Runs that walk abreast, without and with stop rules: enough vectors to fill the wait for a chain
of dependent operations, and few enough that a tile's points and velocities stay in registers."""

ROUND: Final = 256
"""Updates between two looks at who has stopped. Longer rounds waste updates on runs that are over;
shorter ones pay more for closing ranks."""

X, Y, VX, VY, LR, MOMENTUM, LEVEL, UNEVENTFUL = range(8)
"""Rows of a tile: point, velocity, settings, the level of f to fall to, updates without event."""

OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "error_model": "numpy"}
"""How kernels are compiled: strict IEEE, so neither fastmath nor contraction."""

LARGEST: Final = float(np.finfo(np.float64).max)
NOT_RUN, CONVERGED, DIVERGED, MAX_STEPS = (int(status) for status in Status)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def widest_vectors(_typing_context: Any) -> Any:
    """Ask LLVM for the machine's widest vectors in the function around.

    On many processors it prefers half of them, for the sake of code that uses few; here that
    would cost a third of the speed. Numba has no option for it, and llvmlite's set of attributes
    knows no such name, so it goes in by the base class.
    """

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return numba_types.void(), generate


@register_jitable  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def one_nan(number: float) -> float:
    """Make all NaNs one: sign and payload of a computed one tell the order of the operands."""
    return number if number == number else np.nan


@register_jitable  # type: ignore[untyped-decorator, unused-ignore]  # numba has no types
def entry(x: Any, y: Any, number: int, is_mesh: bool) -> tuple[float, float]:
    """A point of a list, or of a mesh in C order."""
    if is_mesh:
        return x[number // y.size], y[number % y.size]
    return x[number], y[number]


@functools.cache
def compile_kernel(objective: type[Objective], rule: Rule, checked: bool) -> Kernel:
    """Kernel for an objective and a rule; compiled at its first call, then kept on disk.

    Parameters
    ----------
    objective : type of Objective
        Gives the plain functions ``value`` and ``gradient``.
    rule : Rule
        Gives the plain function of one update of one coordinate.
    checked : bool
        Whether the stop rules are asked after every update. Without, each run takes all its
        updates and the loss is looked at once, at the end.

    Returns
    -------
    callable
        Its arguments are those of the inner function ``kernel``; `run_block` calls it.
    """
    value = register_jitable(objective.value_at)
    gradient = register_jitable(objective.gradient_at)
    update, look = register_jitable(rule.update), register_jitable(rule.look)
    lanes, round_updates = LANES[checked], ROUND
    digest = code_digest(value, gradient, update, look)

    def kernel(  # type: ignore[no-untyped-def]  # numba infers them
        first,
        count,
        lr,
        momentum,
        start_x,
        start_y,
        is_mesh,
        velocity_x,
        velocity_y,
        is_velocity_mesh,
        constants,
        dampening,
        steps,
        levels,
        bound,
        recorded,
        status,
        n_steps,
        hit_step,
        final,
        final_loss,
        trajectory,
    ):
        digest  # noqa: B018  (closed over, so that the cache tells edited functions apart)
        widest_vectors()  # type: ignore[call-arg, unused-ignore]  # numba gives the context
        n_starts = start_x.size * start_y.size if is_mesh else start_x.size
        n_velocities = velocity_x.size * (velocity_y.size if is_velocity_mesh else 1)
        n_targets, n_recorded = levels.size, recorded.size
        padded = (count + lanes - 1) // lanes * lanes

        # An array a quantity, an entry a run that still walks; idle lanes fill the last tile.
        x, y = np.zeros(padded), np.zeros(padded)
        vx, vy = np.zeros(padded), np.zeros(padded)
        lr_of, momentum_of = np.zeros(padded), np.zeros(padded)
        level = np.full(padded, -np.inf)  # the next target; -inf still catches f = -inf
        pending = np.zeros(padded, np.int64)  # its number
        run = np.zeros(padded, np.int64)  # where the run's results go
        tile = np.empty((8, lanes))

        for i in range(count):
            cell, velocity = divmod(first + i, n_velocities)
            cell, start = divmod(cell, n_starts)
            row, column = divmod(cell, momentum.size)
            lr_of[i], momentum_of[i] = lr[row], momentum[column]
            x[i], y[i] = entry(start_x, start_y, start, is_mesh)
            vx[i], vy[i] = entry(velocity_x, velocity_y, velocity, is_velocity_mesh)
            if n_targets > 0:
                level[i] = levels[0]
            run[i] = i
            status[i] = NOT_RUN
            n_steps[i] = steps
            hit_step[i, :] = -1

        k_next = 0  # entry of `recorded` that comes next
        if n_recorded > 0 and recorded[0] == 0:
            for i in range(count):
                trajectory[i, 0, 0], trajectory[i, 0, 1] = x[i], y[i]
            k_next = 1

        # Rounds: from t to t_end for all tiles, then those that are over leave.
        active, t = count, 0
        while active > 0 and t < steps:
            t_end = min(t + round_updates, steps) if checked else steps
            some_over = False
            for base in range(0, active, lanes):
                busy = min(lanes, active - base)
                for j in range(lanes):
                    i = base + j
                    tile[X, j], tile[Y, j], tile[VX, j], tile[VY, j] = x[i], y[i], vx[i], vy[i]
                    tile[LR, j], tile[MOMENTUM, j] = lr_of[i], momentum_of[i]
                    tile[LEVEL, j], tile[UNEVENTFUL, j] = level[i], 0.0

                now, k = t, k_next
                while now < t_end:
                    pause = t_end
                    if k < n_recorded and recorded[k] < pause:
                        pause = recorded[k]
                    for s in range(now, pause):
                        damped = dampening if s > 0 else 0.0
                        for j in range(lanes):
                            wx, wy, ux, uy = tile[X, j], tile[Y, j], tile[VX, j], tile[VY, j]
                            eta, m = tile[LR, j], tile[MOMENTUM, j]
                            gx, gy = gradient(look(wx, ux, m), look(wy, uy, m), constants)
                            to_x, tile[VX, j] = update(wx, ux, gx, eta, m, damped)
                            to_y, tile[VY, j] = update(wy, uy, gy, eta, m, damped)
                            if checked:  # where a rule is met the point stands still
                                f = value(wx, wy, constants)
                                calm = (f <= bound) & (f > tile[LEVEL, j])
                                tile[UNEVENTFUL, j] += 1.0 if calm else -0.0
                                to_x = to_x if calm else wx
                                to_y = to_y if calm else wy
                            tile[X, j], tile[Y, j] = to_x, to_y
                    now = pause
                    if k < n_recorded and recorded[k] == now:
                        for j in range(busy):
                            wx, wy = tile[X, j], tile[Y, j]
                            out = run[base + j]
                            trajectory[out, k, 0], trajectory[out, k, 1] = one_nan(wx), one_nan(wy)
                        k += 1

                for j in range(busy if checked else 0):
                    # Without targets, only divergence ends a lane's calm.
                    s = t + int(tile[UNEVENTFUL, j])
                    if s == t_end:
                        continue
                    i = base + j
                    out, k = run[i], k_next
                    wx, wy, ux, uy = tile[X, j], tile[Y, j], tile[VX, j], tile[VY, j]
                    f = value(wx, wy, constants)
                    if -LARGEST <= f <= bound and f > levels[n_targets - 1]:
                        # Not the last target, and the velocity ran on: the round again, alone.
                        wx, wy, ux, uy, s = x[i], y[i], vx[i], vy[i], t
                    while True:
                        f = value(wx, wy, constants)
                        if not -LARGEST <= f <= bound:
                            status[out] = DIVERGED
                            break
                        while pending[i] < n_targets and f <= levels[pending[i]]:
                            hit_step[out, pending[i]] = s
                            pending[i] += 1
                        if pending[i] == n_targets:
                            status[out] = CONVERGED
                            break
                        eta, m, damped = lr_of[i], momentum_of[i], dampening if s > 0 else 0.0
                        gx, gy = gradient(look(wx, ux, m), look(wy, uy, m), constants)
                        wx, ux = update(wx, ux, gx, eta, m, damped)
                        wy, uy = update(wy, uy, gy, eta, m, damped)
                        s += 1
                        if k < n_recorded and recorded[k] == s:
                            trajectory[out, k, 0], trajectory[out, k, 1] = one_nan(wx), one_nan(wy)
                            k += 1
                        if s == t_end:
                            level[i] = levels[pending[i]]
                            break
                    tile[X, j], tile[Y, j], tile[VX, j], tile[VY, j] = wx, wy, ux, uy
                    if status[out] != NOT_RUN:
                        some_over = True
                        n_steps[out] = s
                        final[out, 0], final[out, 1] = one_nan(wx), one_nan(wy)
                        final_loss[out] = one_nan(f)
                        for k in range(k_next, n_recorded):
                            if recorded[k] > s:
                                trajectory[out, k, :] = np.nan

                for j in range(lanes):
                    i = base + j
                    x[i], y[i], vx[i], vy[i] = tile[X, j], tile[Y, j], tile[VX, j], tile[VY, j]

            if some_over:  # close ranks
                to = 0
                for i in range(active):
                    if status[run[i]] == NOT_RUN:
                        x[to], y[to], vx[to], vy[to] = x[i], y[i], vx[i], vy[i]
                        lr_of[to], momentum_of[to] = lr_of[i], momentum_of[i]
                        level[to], pending[to], run[to] = level[i], pending[i], run[i]
                        to += 1
                active = to
            t = t_end
            while k_next < n_recorded and recorded[k_next] <= t:
                k_next += 1

        for i in range(active):  # the rules are asked once more, at `steps`
            out = run[i]
            f = value(x[i], y[i], constants)
            status[out] = MAX_STEPS if -LARGEST <= f <= bound else DIVERGED
            while status[out] == MAX_STEPS and pending[i] < n_targets and f <= levels[pending[i]]:
                hit_step[out, pending[i]] = steps
                pending[i] += 1
                if pending[i] == n_targets:
                    status[out] = CONVERGED
            final[out, 0], final[out, 1] = one_nan(x[i]), one_nan(y[i])
            final_loss[out] = one_nan(f)

    return cast(Kernel, njit(**OPTIONS)(kernel))


def run_block(
    experiment: Experiment, runs: range, arrays: dict[str, NDArray[Any]], n_steps: int | None = None
) -> None:
    """Compute a range of runs into arrays.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    runs : range
        Numbers of the runs.
    arrays : dict of ndarray
        By variable, the run as first axis; filled in place.
    n_steps : int, optional
        Updates, instead of the experiment's; 0 only compiles.
    """
    objective, grid, stop = experiment.objective, experiment.grid, experiment.stop
    f_min, bound = objective.f_min or 0.0, LARGEST if stop.bound is None else stop.bound
    kernel = compile_kernel(type(objective), experiment.rule.rule, stop.bound is not None)
    nothing = np.empty((len(runs), 0), np.int32)
    path = np.empty((len(runs), 0, 2))
    kernel(
        runs.start,
        len(runs),
        grid.lr.points,
        grid.momenta,
        *grid.start_axes,
        grid.is_mesh,
        *grid.velocity_axes,
        grid.is_velocity_mesh,
        objective.constants,
        experiment.rule.constant,
        experiment.steps if n_steps is None else n_steps,
        stop.levels(f_min),
        bound,
        experiment.recorded,
        arrays["status"],
        arrays["n_steps"],
        arrays.get("hit_step", nothing),
        arrays["final"],
        arrays["final_loss"],
        arrays.get("trajectory", path),
    )
