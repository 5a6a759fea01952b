"""How much of a grid lies above the largest stable learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmomentum.experiment.labels import Label
from fastmomentum.experiment.plan import Experiment
from fastmomentum.theory import largest_stable_lr


def stability_of(experiment: Experiment) -> dict[str, Any] | None:
    """The largest stable learning rate over a grid's momenta, and how many runs lie above it.

    Parameters
    ----------
    experiment : Experiment
        The plan; only the axes of its grid are needed, not their product.

    Returns
    -------
    dict or None
        Ready for JSON: ``lr`` and ``momentum``, the lowest and the highest limit and the momentum
        of each (None for a rule without), ``runs_above`` and ``runs``; ``at``, the parameters and
        constants of each limit, if some are axes; ``way_out``, if something would help the runs
        above. None if the curvature at a minimum is not known, or there is no theory of the rule.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> found = stability_of(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=100, grid=fm.Grid(lr=[0.1, 0.25], momentum=[0.0, 0.5], start=[(1, 1), (2, 2)])))
    >>> found["lr"], found["momentum"], found["runs_above"], found["runs"]
    ([0.2, 0.3], [0.0, 0.5], 2, 8)
    """
    grid, rule = experiment.grid, experiment.rule
    names = ["momentum", *(grid.rule or {})]
    axes = [grid.momenta, *(grid.axes[name] for name in names[1:])]
    momentum, *parameters = np.meshgrid(*axes, indexing="ij")
    each = rule.varying(**dict(zip(names[1:], parameters, strict=True))) if parameters else rule
    if (
        experiment.form is None or each.form is None
    ):  # not a linear map, or runs do not settle at a minimum
        return None
    found = []
    for objective in experiment.variants:
        if not len(objective.minimisers):
            return None
        found.append(largest_stable_lr(objective, each, momentum))
    limits = np.stack(found, axis=-1)
    if not np.isfinite(limits).all():
        return None
    has_momentum = experiment.rule.rule.uses_momentum
    if grid.cells is None:
        lr = np.sort(grid.lr.points)
        pairs_above = int((lr.size - np.searchsorted(lr, limits)).sum())
        pairs = lr.size * limits.size
    else:  # each cell has one momentum
        lr, row = grid.settings["lr"], np.searchsorted(grid.momenta, grid.settings["momentum"])
        beside = limits.reshape(grid.momenta.size, -1)
        pairs_above = sum(int((lr >= limit[row]).sum()) for limit in beside.T)
        pairs = lr.size * beside.shape[1]
    ends = [int(limits.argmin()), int(limits.argmax())]
    cells = [np.unravel_index(end, limits.shape) for end in ends]
    others = [label for label in experiment.labels if label.kind in ("rule", "objective")]
    at = [_at(others, cell[1:]) for cell in cells] if others else None
    said = {
        "lr": [float(limits.flat[i]) for i in ends],
        "momentum": [float(grid.momenta[cell[0]]) for cell in cells] if has_momentum else None,
        "runs_above": pairs_above * (grid.n_runs // pairs),
        "runs": grid.n_runs,
    }
    way_out = experiment.objective.way_out_of_divergence if said["runs_above"] else ""
    return said | ({"at": at} if at else {}) | ({"way_out": way_out} if way_out else {})


def decays(experiment: Experiment) -> bool:
    """Whether weight decay makes runs settle elsewhere than at a minimum.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> decays(fm.Experiment(objective="booth", rule={"name": "sgd", "weight_decay": 0.1}, steps=9,
    ...     grid=fm.Grid(lr=0.1, start=[(1, 1)])))
    True
    """
    used = (*experiment.rule.options, *(experiment.grid.rule or {}))
    return any(name in ("weight_decay", "decoupled_weight_decay") for name in used)


def _at(labels: list[Label], cell: tuple[Any, ...]) -> dict[str, float]:
    """Parameters and constants of a limit; the last index counts the objectives."""
    of_rule = [label for label in labels if label.kind == "rule"]
    of_objective = [label for label in labels if label.kind == "objective"]
    sizes = [label.values.size for label in of_objective]
    places = [*cell[:-1], *(np.unravel_index(cell[-1], sizes) if sizes else ())]
    pairs = zip([*of_rule, *of_objective], places, strict=True)
    return {label.name: float(label.values[i]) for label, i in pairs}


def in_words(found: dict[str, Any]) -> str:
    """What `stability_of` found, as a line.

    Parameters
    ----------
    found : dict
        From `stability_of`.

    Returns
    -------
    str
        Without a full stop; advice on how to get below the limit is only given here.

    Examples
    --------
    >>> in_words({"lr": [0.2, 0.3], "momentum": [0.0, 0.5], "runs_above": 2, "runs": 8})
    'largest stable lr 0.2 (momentum 0) to 0.3 (momentum 0.5): 2 of 8 runs lie above it'
    """
    ends = [f"{lr:.6g}" for lr in found["lr"]]
    words: list[list[str]] = [[], []]
    for k in (0, 1):
        if found["momentum"] is not None:
            words[k].append(f"momentum {found['momentum'][k]:.6g}")
        for name, value in found.get("at", ({}, {}))[k].items():
            words[k].append(f"{name.replace('_', ' ')} {value:.6g}")
        ends[k] += f" ({', '.join(words[k])})" if words[k] else ""
    limit = " to ".join(dict.fromkeys(ends))
    above, runs = found["runs_above"], found["runs"]
    if above == runs:
        share = "all runs lie above it, and none can settle at a minimum"
    else:
        share = f"{above:,} of {runs:,} runs lie above it"
    way_out = f"; {found['way_out']}" if "way_out" in found else ""
    return f"largest stable lr {limit}: {share}{way_out}"
