"""Consistency checks between the parts of an experiment: one line for each fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from fastmomentum.experiment.blocks import BLOCK_BYTES_MOST
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.points import Mesh
from fastmomentum.experiment.recording import Record
from fastmomentum.experiment.stopping import Stop
from fastmomentum.experiment.varying import Variants
from fastmomentum.objectives import Objective
from fastmomentum.rules import Rule
from fastmomentum.schedules import Schedule
from fastmomentum.specification.messages import Fault
from fastmomentum.text import shown

MOST_RUNS: Final = 2**62


def grid_faults(
    grid: Grid, rule: Rule, objective: Objective, schedule: Schedule | None
) -> Iterator[Fault]:
    """What a rule and an objective need and a grid lacks, or what a grid has in vain.

    Parameters
    ----------
    grid, rule, objective, schedule
        Parts of an experiment.

    Yields
    ------
    (str, str)
        Key and message.
    """
    has_momenta = schedule is not None and schedule.momentum is not None
    if rule.uses_momentum and grid.momentum is None and not has_momenta:
        yield (
            "grid.momentum",
            f"is missing; the rule {rule.name} needs it, such as momentum = 0.9",
        )
    if not rule.uses_momentum and grid.momenta.any():
        got = shown(grid.momenta[grid.momenta > 0][0].item())
        yield (
            "grid.momentum",
            f"must be left out, as the rule {rule.name} has none: got {got}; "
            "drop it, or take the rule momentum",
        )
    if not rule.uses_momentum and any(axis.any() for axis in grid.velocity_axes):
        yield (
            "grid.velocity",
            f"must be left out, as the rule {rule.name} has none; "
            "drop it, or take the rule momentum",
        )
    for key, mesh in (("grid.start", grid.start), ("grid.velocity", grid.velocity)):
        if isinstance(mesh, Mesh) and set(mesh.names) != {*objective.parameters}:
            yield (
                key,
                f"needs the axes {' and '.join(objective.parameters)}, which are the "
                f"parameters of {objective.words}: got {' and '.join(mesh.names)}; "
                "rename them",
            )
    if grid.n_runs > MOST_RUNS:
        yield (
            "grid",
            f"has {shown(grid.n_runs)} runs, and may have {MOST_RUNS:.1e} at most; "
            "make an axis shorter",
        )


def stop_faults(
    stop: Stop, objective: Objective, variants: Variants, varying: Sequence[str]
) -> Iterator[Fault]:
    """Stop rules that contradict the smallest value of the objective.

    Parameters
    ----------
    stop, objective
        Parts of an experiment.
    variants : Variants
        The objective with the constants of each run.
    varying : sequence of str
        Names of the constants that are axes.

    Yields
    ------
    (str, str)
        Key and message.
    """
    if not stop.targets and (stop.bound is None or objective.searches_minimisers):
        return
    f_min = variants.f_min
    without = np.flatnonzero(np.isnan(f_min))
    if without.size and stop.targets:
        name, constants = objective.name, variants[int(without[0])].named_constants
        at = ", ".join(f"{name} = {constants[name]:g}" for name in varying)
        where = f" where {at}" if at else ""
        none = variants[int(without[0])].no_minimum
        said = none if not where else f"{name} has no smallest value{where}; drop them"
        yield "stop.targets", f"must be left out, as {said}"
    if without.size == f_min.size or stop.bound is None:
        return
    least = float(np.nanmax(f_min)) + max(stop.targets, default=0.0)
    if stop.bound <= least:
        what = "the first target" if stop.targets else f"the minimum of {objective.words}"
        yield (
            "stop.bound",
            f"must lie above {what}, where f = {least!r}: got {stop.bound!r}; raise it",
        )


def record_faults(record: Record | None, steps: int) -> Iterator[Fault]:
    """Recorded steps that lie outside a run, or are too many for one block.

    Parameters
    ----------
    record, steps
        Parts of an experiment.

    Yields
    ------
    (str, str)
        Key and message.
    """
    if record is None:
        return
    for entry, step in enumerate(record.steps or ()):
        if not 0 <= step <= steps:
            yield (
                "record.steps",
                f"must lie in 0 to {steps}, the updates of a run: got {shown(step)} "
                f"(entry {entry}); drop it",
            )
            break
    size = record.count(steps) * 2 * np.dtype(record.dtype).itemsize
    if size > BLOCK_BYTES_MOST:
        yield (
            "record",
            f"makes the trajectory of one run {size / 2**20:,.0f} MiB large, and it may be "
            f"{BLOCK_BYTES_MOST // 2**20} MiB at most; record fewer steps, such as log = 1000",
        )
