"""The batched loop: every run of a block, for any objective and any rule, compiled once.

This is the only module that imports numba. ``compile_kernel`` closes one loop over an objective's
``value`` and ``gradient`` and a rule; what comes out takes a range of run numbers and fills arrays.
"""

from __future__ import annotations

import functools
import hashlib
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numba import njit
from numba.core import types as numba_types
from numba.extending import intrinsic, register_jitable
from numpy.typing import NDArray

from fastmomentum.objectives import Objective
from fastmomentum.rules import Rule
from fastmomentum.status import Status

if TYPE_CHECKING:
    from fastmomentum.experiment import Experiment

Kernel = Callable[..., None]

LANES: Final = 32
"""Runs that walk abreast. Below 16 the chain of dependent operations stalls the vector unit; above
128 the state of a tile leaves the registers' reach without gaining anything."""

ROUND: Final = 128
"""Updates between two looks at who has stopped. Longer rounds waste updates on runs that are over
and make the scalar replay of a stopping run longer; shorter ones pay more for closing ranks."""

LARGEST: Final = float(np.finfo(np.float64).max)
NOT_RUN, CONVERGED, DIVERGED, MAX_STEPS = (int(status) for status in Status)


def code_digest(*functions: Callable[..., Any]) -> str:
    """Digest of what functions do: their code, constants, and all that they reach by name.

    Numba's cache knows a closed-over function by its name alone, so that an edited objective would
    get the kernel of the old one. This digest is closed over too, and changes with the code.

    Parameters
    ----------
    *functions : callable
        Plain Python functions.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()
    for function in functions:
        for part in _reached(function, seen):
            digest.update(part.encode())
            digest.update(b"\0")
    return digest.hexdigest()


def _reached(thing: object, seen: set[int]) -> Iterator[str]:
    if isinstance(thing, types.FunctionType):
        if id(thing) in seen:
            return
        seen.add(id(thing))
        yield from _reached(thing.__code__, seen)
        yield repr(thing.__defaults__)
        for cell in thing.__closure__ or ():
            yield from _reached(cell.cell_contents, seen)
        for name in thing.__code__.co_names:
            yield name
            if name in thing.__globals__:
                yield from _reached(thing.__globals__[name], seen)
    elif isinstance(thing, types.CodeType):
        yield thing.co_code.hex()
        yield repr(thing.co_names)
        for constant in thing.co_consts:
            yield from _reached(constant, seen)
    elif isinstance(thing, types.ModuleType):
        yield f"{thing.__name__} {getattr(thing, '__version__', '')}"
    else:
        yield repr(thing)


@intrinsic  # type: ignore[untyped-decorator]
def widest_vectors(_typing_context):  # type: ignore[no-untyped-def]
    """Ask LLVM for the machine's widest vectors in the function around.

    On many processors it prefers half of them, for the sake of code that uses few; here that
    would cost a third of the speed. Numba has no option for it, and llvmlite's set of attributes
    knows no such name, so it goes in by the base class.
    """

    def generate(context, builder, _signature, _arguments):  # type: ignore[no-untyped-def]
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return numba_types.void(), generate


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
    update = register_jitable(rule.update)
    digest = code_digest(value, gradient, update)

    def kernel(  # type: ignore[no-untyped-def]
        first,
        count,
        lr,
        momentum,
        start_x,
        start_y,
        is_mesh,
        constants,
        steps,
        f_min,
        targets,
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
        widest_vectors()
        n_starts = start_x.size * start_y.size if is_mesh else start_x.size
        n_targets, n_recorded = targets.size, recorded.size
        padded = (count + LANES - 1) // LANES * LANES

        # An array a quantity, an entry a run that still walks; idle lanes fill the last tile.
        x, y = np.zeros(padded), np.zeros(padded)
        vx, vy = np.zeros(padded), np.zeros(padded)
        rate, mass = np.zeros(padded), np.zeros(padded)
        threshold = np.full(padded, -np.inf)  # the next target; -inf still catches f = -inf
        pending = np.zeros(padded, np.int64)  # its number
        run = np.zeros(padded, np.int64)  # where the run's results go
        tile = np.empty((8, LANES))

        for i in range(count):
            cell, start = divmod(first + i, n_starts)
            row, column = divmod(cell, momentum.size)
            rate[i], mass[i] = lr[row], momentum[column]
            if is_mesh:
                x[i], y[i] = start_x[start // start_y.size], start_y[start % start_y.size]
            else:
                x[i], y[i] = start_x[start], start_y[start]
            if n_targets > 0:
                threshold[i] = targets[0]
            run[i] = i
            status[i] = NOT_RUN
            n_steps[i] = steps
            hit_step[i, :] = -1

        k_next = 0  # entry of `recorded` that comes next
        if n_recorded > 0 and recorded[0] == 0:
            for i in range(count):
                trajectory[i, 0, 0], trajectory[i, 0, 1] = x[i], y[i]
            k_next = 1

        # Rounds: from t to t_end for all tiles, then those that are over leave. The stop rules are
        # asked before each update, so a last round of no updates asks them at `steps`.
        active, t = count, 0
        while active > 0:
            t_end = min(t + ROUND, steps) if checked else steps
            some_over = False
            for base in range(0, active, LANES):
                lanes = min(LANES, active - base)
                for j in range(LANES):
                    i = base + j
                    tile[0, j], tile[1, j], tile[2, j], tile[3, j] = x[i], y[i], vx[i], vy[i]
                    tile[4, j], tile[5, j], tile[6, j] = rate[i], mass[i], threshold[i]
                    tile[7, j] = 0.0
                    if checked and t == steps:
                        f = value(x[i], y[i], constants)
                        tile[7, j] = 0.0 if f <= bound and f - f_min > threshold[i] else 1.0

                now, k = t, k_next
                while now < t_end:
                    pause = t_end
                    if k < n_recorded and recorded[k] < pause:
                        pause = recorded[k]
                    for _ in range(now, pause):
                        for j in range(LANES):
                            wx, wy = tile[0, j], tile[1, j]
                            if checked:
                                f = value(wx, wy, constants)
                                calm = f <= bound and f - f_min > tile[6, j]
                                tile[7, j] += 0.0 if calm else 1.0
                            gx, gy = gradient(wx, wy, constants)
                            tile[0, j], tile[2, j] = update(
                                wx, tile[2, j], gx, tile[4, j], tile[5, j]
                            )
                            tile[1, j], tile[3, j] = update(
                                wy, tile[3, j], gy, tile[4, j], tile[5, j]
                            )
                    now = pause
                    if k < n_recorded and recorded[k] == now:
                        for j in range(lanes):
                            wx, wy = tile[0, j], tile[1, j]
                            trajectory[run[base + j], k, 0] = wx if wx == wx else np.nan
                            trajectory[run[base + j], k, 1] = wy if wy == wy else np.nan
                        k += 1

                # A lane that met a rule goes back to the round's start, alone, for the exact step.
                for j in range(lanes):
                    if tile[7, j] == 0.0:
                        continue
                    i, s = base + j, t
                    out = run[i]
                    wx, wy, ux, uy = x[i], y[i], vx[i], vy[i]
                    while True:
                        f = value(wx, wy, constants)
                        if not -LARGEST <= f <= bound:
                            status[out] = DIVERGED
                            break
                        while pending[i] < n_targets and f - f_min <= targets[pending[i]]:
                            hit_step[out, pending[i]] = s
                            pending[i] += 1
                        if n_targets > 0 and pending[i] == n_targets:
                            status[out] = CONVERGED
                            break
                        s += 1
                        if s >= t_end:
                            break
                        gx, gy = gradient(wx, wy, constants)
                        wx, ux = update(wx, ux, gx, rate[i], mass[i])
                        wy, uy = update(wy, uy, gy, rate[i], mass[i])
                    if status[out] != NOT_RUN:
                        some_over = True
                        n_steps[out] = s
                        final[out, 0] = wx if wx == wx else np.nan
                        final[out, 1] = wy if wy == wy else np.nan
                        final_loss[out] = f if f == f else np.nan
                        for k in range(n_recorded):
                            if recorded[k] > s:
                                trajectory[out, k, :] = np.nan
                    elif n_targets > 0:
                        threshold[i] = targets[pending[i]]

                for j in range(LANES):
                    i = base + j
                    x[i], y[i], vx[i], vy[i] = tile[0, j], tile[1, j], tile[2, j], tile[3, j]

            if some_over:  # close ranks
                to = 0
                for i in range(active):
                    if status[run[i]] == NOT_RUN:
                        x[to], y[to], vx[to], vy[to] = x[i], y[i], vx[i], vy[i]
                        rate[to], mass[to] = rate[i], mass[i]
                        threshold[to], pending[to], run[to] = threshold[i], pending[i], run[i]
                        to += 1
                active = to
            if t == steps or not checked:
                break
            t = t_end
            while k_next < n_recorded and recorded[k_next] <= t:
                k_next += 1

        for i in range(active):
            out = run[i]
            f = value(x[i], y[i], constants)
            status[out] = MAX_STEPS if -LARGEST <= f <= LARGEST else DIVERGED
            final[out, 0] = x[i] if x[i] == x[i] else np.nan
            final[out, 1] = y[i] if y[i] == y[i] else np.nan
            final_loss[out] = f if f == f else np.nan

    return cast(Kernel, njit(cache=True, nogil=True, error_model="numpy")(kernel))


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
        objective.constants,
        experiment.steps if n_steps is None else n_steps,
        objective.f_min or 0.0,
        np.array(stop.targets, float),
        LARGEST if stop.bound is None else stop.bound,
        experiment.recorded,
        arrays["status"],
        arrays["n_steps"],
        arrays.get("hit_step", nothing),
        arrays["final"],
        arrays["final_loss"],
        arrays.get("trajectory", path),
    )
