"""What an experiment would take: runs, blocks, bytes, time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastmomentum.experiment.plan import Experiment
from fastmomentum.objectives.operations import count_operations
from fastmomentum.results.overview import heading, overview_lines, overview_of
from fastmomentum.results.stability import decays, in_words, stability_of
from fastmomentum.rules.modifiers import RESTARTS
from fastmomentum.store import files
from fastmomentum.store.paths import expected_bytes
from fastmomentum.text import duration, in_units

OPERATIONS_PER_SECOND: Final = 2e10
"""Operations per core and second, roughly: those of the value, the gradient and the rule."""
OF_THE_RULE: Final = 10
"""Operations of an update beside value and gradient, roughly."""
BYTES_PER_SECOND: Final = 4e8
"""Bytes that a disk writes per second, roughly."""


def plan_of(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """What an experiment would take.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    folder : Path
        Where the results would go.

    Returns
    -------
    dict
        Ready for JSON.
    """
    import joblib

    blocks = experiment.blocks()
    size = expected_bytes(experiment)
    cores = joblib.cpu_count()
    updates = experiment.grid.n_runs * experiment.steps
    value, gradient, *_ = experiment.objective.functions
    operations = OF_THE_RULE + count_operations(value) + count_operations(gradient)
    if experiment.noise is not None and not experiment.noise.common:
        operations += experiment.noise.operations
    speed = OPERATIONS_PER_SECOND / operations * cores
    return {
        **overview_of(experiment),
        "blocks": len(blocks),
        "block_runs": blocks.block_runs,
        "bytes": size,
        "free_bytes": files.free_bytes(folder),
        "cores": cores,
        "estimated_seconds": max(updates / speed, size / BYTES_PER_SECOND),
        "stability": stability_of(experiment),
        "decays": decays(experiment),
        "restart": experiment.rule.restart,
        "sha256": experiment.sha256,
    }


DECAYED: Final = "runs settle between the minimum and 0; losses are those without the decay"
RESTARTED: Final = {
    name: f"v is set to 0 {when}; n_restarts counts it" for name, when in RESTARTS.items()
}


def plan_lines(figures: dict[str, Any]) -> list[str]:
    """What `plan_of` says, in lines for people."""
    fits = "" if figures["bytes"] <= figures["free_bytes"] else ": it does not fit"
    stability = figures["stability"]
    return [
        heading(figures),
        *overview_lines(figures),
        *([f"stability     {in_words(stability)}"] if stability else []),
        *([f"decay         {DECAYED}"] if figures["decays"] else []),
        *([f"restarts      {RESTARTED[figures['restart']]}"] if figures["restart"] else []),
        f"blocks        {figures['blocks']:,} of {figures['block_runs']:,} runs",
        f"file          {in_units(figures['bytes'])}, {in_units(figures['free_bytes'])} are free "
        f"here{fits}",
        f"time          about {duration(figures['estimated_seconds'])} on {figures['cores']} "
        "cores, less where runs stop early",
        "compiling     some 2 s, the first time for an objective and a rule",
    ]
