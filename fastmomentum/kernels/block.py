"""Compute a range of runs: lay out its starting points and settings, then call the kernel."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.varying import variants_of
from fastmomentum.kernels.cache import compile_for, compiled
from fastmomentum.kernels.code_digest import code_digest
from fastmomentum.kernels.drawing import Draws
from fastmomentum.kernels.keying import draws_of, keys_of_lanes, parts_of, random_of
from fastmomentum.kernels.loop import LANES, LARGEST, OPTIONS, compile_kernel
from fastmomentum.kernels.rows import Rows
from fastmomentum.kernels.stopping import NOT_RUN
from fastmomentum.rules.modifiers import OPTIONS as RULE_OPTIONS
from fastmomentum.schedules import AT, Schedule

if TYPE_CHECKING:
    from fastmomentum.experiment.plan import Experiment


STRETCH: Final = 65_536
"""Updates per call of a kernel with a schedule: their factors are in memory; runs may have 2^31."""


def run_block(
    experiment: Experiment,
    runs: range,
    arrays: dict[str, NDArray[Any]],
    n_steps: int | None = None,
    chosen: NDArray[np.bool_] | None = None,
) -> None:
    """Compute a range of runs into arrays.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    runs : range
        Numbers of the runs.
    arrays : dict of ndarray
        By variable, with the run as first axis; filled in place.
    n_steps : int, optional
        Updates, instead of the experiment's; 0 only compiles.
    chosen : ndarray of bool, shape (n_runs,), optional
        Which of the runs to compute; the caller fills the rows of the others.
    """
    draws = draws_of(experiment)
    for part in parts_of(experiment, draws, runs):
        own = slice(part.start - runs.start, part.stop - runs.start)
        results = {name: values[own] for name, values in arrays.items()}
        those = None if chosen is None else chosen[own]
        if those is None or those.any():
            _run_part(experiment, part, results, draws, n_steps, those)


def _run_part(
    experiment: Experiment,
    runs: range,
    arrays: dict[str, NDArray[Any]],
    draws: Draws,
    n_steps: int | None,
    chosen: NDArray[np.bool_] | None,
) -> None:
    """Compute the runs of one call of the kernel."""
    objective, grid, stop = experiment.objective, experiment.grid, experiment.stop
    steps = experiment.steps if n_steps is None else n_steps
    checked, count = stop.bound is not None, len(runs)
    constants, parameters = objective.constants, experiment.rule.parameters
    rule, named = experiment.rule.rule, objective.constant_names
    options = experiment.rule.options | dict.fromkeys(grid.rule or {}, 0.0)
    used = [option.name for option in RULE_OPTIONS if option.name in options]
    own_parameters = tuple(p.name in (grid.rule or {}) for p in rule.parameters)
    own_constants = tuple(name in (grid.objective or {}) for name in named)
    own_options = tuple((name, name in (grid.rule or {})) for name in used)
    restart = experiment.rule.restart
    rows = Rows(2, rule, own_parameters, own_constants, own_options, restart, draws)
    schedule, own_momentum = experiment.schedule, None
    if schedule is not None:
        if schedule.momentum is not None and restart is not None:
            own_momentum = AT[schedule.momentum[0].kind]
        rows = dataclasses.replace(
            rows,
            has_factors=schedule.lr is not None,
            has_momenta=schedule.momentum is not None and own_momentum is None,
            own_momentum=own_momentum,
        )
    padded = -(-count // LANES[checked]) * LANES[checked]  # idle lanes fill the last tile

    lanes = np.zeros((rows.count, padded))
    pending, group = np.zeros(padded, np.int64), np.zeros(padded, np.int64)
    levels = experiment.levels
    lanes[rows.level] = levels[0, 0] if levels.size else -np.inf  # -inf still catches f = -inf
    if len(levels) > 1:
        group[:count] = variants_of(grid, np.arange(runs.start, runs.stop))
        lanes[rows.level] = levels[group, 0]
    first, n = rows.shared, len(rows.shared)
    if n:
        lanes[first] = np.array(experiment.rule.rule.shared)[:, np.newaxis]
    places = {("lr", "lr"): rows.lr, ("momentum", "momentum"): rows.lr + 1}
    for k, name in enumerate(objective.parameters):
        places["start", name] = rows.point[k]
        if rows.rule.uses_momentum:
            places["velocity", name] = rows.states(k)[0]
    parameter_rows, constant_rows = rows.varying()
    for kind, names, at in (
        ("rule", [parameter.name for parameter in rule.parameters], parameter_rows),
        ("rule", used, rows.option_rows),
        ("objective", named, constant_rows),
    ):
        rows_of = zip(names, at, strict=True)  # a missing name would vary another constant
        places |= {(kind, str(name)): row for name, row in rows_of if row is not None}
    number = {axis: k for k, axis in enumerate(grid.axes)}
    columns = [
        (number[label.axis], places[label.kind, label.what], label.values)
        for label in experiment.labels
        if (label.kind, label.what) in places
    ]
    layout = (
        lanes,
        count,
        np.array(grid.cell(runs.start), np.int64),
        np.array(grid.shape, np.int64),
        np.array([axis for axis, _, _ in columns], np.int64),
        np.array([row for _, row, _ in columns], np.int64),
        np.cumsum([0, *(values.size for _, _, values in columns)]),
        np.concatenate([values for _, _, values in columns]),
    )
    fill = _filler()
    compile_for(fill, layout)
    fill(*layout)
    for k, words in enumerate(keys_of_lanes(experiment, draws, runs)):
        lanes[rows.keys + 2 * k : rows.keys + 2 * k + 2, :count] = words
    run = np.arange(padded)
    if chosen is not None and not chosen.all():  # compact the lanes: `run` has their numbers
        those = np.flatnonzero(chosen)
        run[: those.size] = those
        lanes[:, : those.size] = lanes[:, those]
        group[: those.size] = group[those]
        count = those.size
        padded = -(-count // LANES[checked]) * LANES[checked]
        lanes, run = np.ascontiguousarray(lanes[:, :padded]), run[:padded]
        pending, group = pending[:padded], group[:padded]
    arrays["status"][:] = NOT_RUN
    arrays["n_steps"][:] = steps
    hit_step = arrays.get("hit_step", np.empty((len(runs), 0), np.int32))
    hit_step[:] = -1
    recorded = experiment.recorded
    trajectory = arrays.get("trajectory", np.empty((len(runs), 0, 2)))
    if recorded.size and recorded[0] == 0:
        trajectory[run[:count], 0] = lanes[rows.point, :count].T
    kernel = compile_kernel(objective.functions, rows, checked)
    t, active, stretch = 0, count, steps if schedule is None else min(STRETCH, steps)
    settings = parameters, constants, tuple(options[name] for name in used)
    results = (
        levels,
        LARGEST if stop.bound is None else stop.bound,
        random_of(experiment, draws, runs),
        recorded,
        arrays["status"],
        arrays["n_steps"],
        hit_step,
        arrays["final"],
        arrays["final_loss"],
        arrays.get("n_restarts", np.empty(0, np.int32)),
        trajectory,
    )
    while True:
        until = min(t + stretch, steps)
        planned = t, *stretch_of(schedule, t, until - t)
        state = lanes, run, pending, group, active, t, until, steps
        arguments = (*state, *settings, *planned, *results)
        if t == 0:
            compile_for(kernel, arguments)
        active, t = kernel(*arguments), until
        if t == steps or not active:
            break


@functools.lru_cache(maxsize=8)
def stretch_of(
    schedule: Schedule | None, first: int, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Factors and momenta of a stretch of updates, the same for all blocks; empty for none."""
    nothing = np.empty(0)
    if schedule is None:
        return nothing, nothing
    factors, momenta = schedule.lr_factors(first, count), schedule.momenta(first, count)
    return nothing if factors is None else factors, nothing if momenta is None else momenta


@functools.cache
def _filler() -> Callable[..., None]:
    return cast(Callable[..., None], compiled(_fill, code_digest(_fill), OPTIONS))


def _fill(lanes, count, cell, shape, axes, rows, offsets, values):  # type: ignore[no-untyped-def]
    """Fill in starting points and settings of the runs from a cell of the grid on, in C order."""
    for i in range(count):
        for c in range(axes.size):
            lanes[rows[c], i] = values[offsets[c] + cell[axes[c]]]
        for axis in range(shape.size - 1, -1, -1):
            cell[axis] += 1
            if cell[axis] < shape[axis]:
                break
            cell[axis] = 0
