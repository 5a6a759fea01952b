"""What an experiment would take: runs, blocks, bytes, time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.randomness import Noise
from fastmomentum.objectives import Objective, Rosenbrock
from fastmomentum.objectives.operations import count_operations
from fastmomentum.results.overview import heading, overview_lines, overview_of
from fastmomentum.results.stability import decays, in_words, stability_of
from fastmomentum.rules import RULES, Rule
from fastmomentum.rules.modifiers import RESTARTS
from fastmomentum.store import files
from fastmomentum.store.paths import expected_bytes
from fastmomentum.text import duration, in_units

OPERATIONS_PER_SECOND: Final = 2e10
"""Operations per core and second, roughly: those of the value, the gradient and the rule."""
OF_THE_LOOP: Final = 2
"""Operations of an update beside value, gradient and rule, roughly."""
BYTES_PER_SECOND: Final = 4e8
"""Bytes that a disk writes per second, roughly."""


def operations_of(objective: Objective, rule: Rule, noise: Noise | None = None) -> int:
    """Operations of an update, roughly: of value, gradient and rule, and to draw own noise.

    Parameters
    ----------
    objective : Objective
        What is descended.
    rule : Rule
        How.
    noise : Noise, optional
        On its gradients; noise that all runs have in common is drawn once for all.

    Returns
    -------
    int
        Operators and comparisons.

    Examples
    --------
    >>> from fastmomentum.objectives import Ackley, Rosenbrock
    >>> from fastmomentum.rules import RULES
    >>> one = operations_of(Rosenbrock(), RULES["momentum"])
    >>> operations_of(Ackley(), RULES["momentum"]) > 5 * one
    True
    """
    value, gradient, *_ = objective.functions
    found = OF_THE_LOOP + count_operations(value) + count_operations(gradient)
    found += 2 * (count_operations(rule.update) + count_operations(rule.gradient_point))
    found += count_operations(rule.advance)
    return found if noise is None or noise.common else found + noise.operations


def weight_of(objective: Objective, rule: Rule, noise: Noise | None = None) -> float:
    """Work of an update, in updates of momentum on Rosenbrock's function; at least 1.

    Parameters
    ----------
    objective, rule, noise
        As for `operations_of`.

    Returns
    -------
    float
        How many times as many operations it takes. Less work counts as much as that: there the
        loop around it takes the time.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> from fastmomentum.rules import RULES
    >>> weight_of(Rosenbrock(), RULES["momentum"])
    1.0
    """
    usual = operations_of(Rosenbrock(), RULES["momentum"])
    return max(operations_of(objective, rule, noise) / usual, 1.0)


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
    operations = operations_of(experiment.objective, experiment.rule.rule, experiment.noise)
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
