"""How much of a grid lies where theory says that nothing converges."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmomentum.experiment.plan import Experiment
from fastmomentum.theory import largest_stable_lr


def stability_of(experiment: Experiment) -> dict[str, Any] | None:
    """The largest stable learning rate over a grid's momenta, and how many runs lie above it.

    Parameters
    ----------
    experiment : Experiment
        The plan; of its grid only the axes are walked through.

    Returns
    -------
    dict or None
        Ready for JSON: ``lr`` and ``momentum``, the lowest and the highest limit and the momentum
        of each (None for a rule without), ``runs_above`` and ``runs``. None where the curvature at
        a minimum is not known.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> found = stability_of(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=100, grid=fm.Grid(lr=[0.1, 0.25], momentum=[0.0, 0.5], start=[(1, 1), (2, 2)])))
    >>> found["lr"], found["momentum"], found["runs_above"], found["runs"]
    ([0.2, 0.3], [0.0, 0.5], 2, 8)
    """
    objective, grid = experiment.objective, experiment.grid
    if experiment.rule.form is None:  # of what is no linear map there is no theory
        return None
    if not len(objective.minimisers):
        return None
    limits = largest_stable_lr(objective, experiment.rule, grid.momenta)
    if not np.isfinite(limits).all():
        return None
    has_momentum = experiment.rule.rule.uses_momentum
    lr = np.sort(grid.lr.points)
    pairs_above = int((lr.size - np.searchsorted(lr, limits)).sum())
    ends = [int(limits.argmin()), int(limits.argmax())]
    return {
        "lr": [float(limits[i]) for i in ends],
        "momentum": [float(grid.momenta[i]) for i in ends] if has_momentum else None,
        "runs_above": pairs_above * (grid.n_runs // (lr.size * limits.size)),
        "runs": grid.n_runs,
    }


def in_words(found: dict[str, Any]) -> str:
    """What `stability_of` found, as a line.

    Parameters
    ----------
    found : dict
        From `stability_of`.

    Returns
    -------
    str
        Without a full stop; the one place for advice on how to come below the limit.

    Examples
    --------
    >>> in_words({"lr": [0.2, 0.3], "momentum": [0.0, 0.5], "runs_above": 2, "runs": 8})
    'largest stable lr 0.2 (momentum 0) to 0.3 (momentum 0.5): 2 of 8 runs lie above it'
    """
    ends = [f"{lr:.6g}" for lr in found["lr"]]
    if found["momentum"] is not None:
        ends = [f"{lr} (momentum {m:.6g})" for lr, m in zip(ends, found["momentum"], strict=True)]
    limit = " to ".join(dict.fromkeys(ends))
    above, runs = found["runs_above"], found["runs"]
    if above == runs:
        share = "all runs lie above it, and none can settle at a minimum"
    else:
        share = f"{above:,} of {runs:,} runs lie above it"
    return f"largest stable lr {limit}: {share}"
