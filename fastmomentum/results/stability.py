"""How much of a grid lies above the largest stable learning rate."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.batched import drawn_of, sees_all_rows
from fastmomentum.theory import largest_stable_lr, mean_square_limit

MOST_SETTINGS: Final = 1024
"""Most settings whose limit in the mean square is computed, at a millisecond each."""

SAME: Final = 1e-9
"""Relative difference of limits that is rounding, or the width at which a halving stopped."""

OF: Final = {
    "": "largest stable lr",
    "mean square": "largest lr stable in the mean square",
    "full gradient": "largest stable lr of the full gradient",
}
"""What the limit is one of, by the entry ``of`` of `stability_of`."""


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
        of each (None for a rule without, and for a limit that all momenta have), ``runs_above`` and
        ``runs``; ``at``, the parameters and constants of each limit, if some are axes: those that
        it depends on; ``way_out``, if something would help the runs above; ``of``, with batches:
        "mean square" where rows are drawn independently, else "full gradient". None if the
        curvature at a minimum is not known, or there is no theory of the rule.

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
    if experiment.form is None or each.form is None:
        return None  # not a linear map, or runs do not settle at a minimum
    if not all(len(objective.minimisers) for objective in experiment.variants):
        return None
    drawn = drawn_of(experiment.objective, experiment.batch)
    if drawn is not None and momentum.size <= MOST_SETTINGS:  # an mse, of which there is one
        found, of = [mean_square_limit(each, momentum, *drawn)], "mean square"
    else:
        found = [largest_stable_lr(one, each, momentum) for one in experiment.variants]
        full = sees_all_rows(experiment.objective, experiment.batch)
        of = "" if full else "full gradient"
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
    kinds = ("rule", "objective")
    others = [label for kind in kinds for label in experiment.labels if label.kind == kind]
    sizes = [label.values.size for label in others]
    laid_out = limits.reshape(len(grid.momenta), *sizes)
    names = ["momentum", *(label.name for label in others)]
    values = [grid.momenta, *(label.values for label in others)]
    named = [
        {names[axis]: float(values[axis][i]) for axis, i in _depends(laid_out, end).items()}
        for end in (limits.min(), limits.max())
    ]
    momenta = [one.pop("momentum", None) for one in named]
    said = {
        "lr": [float(limits.min()), float(limits.max())],
        "momentum": momenta if has_momentum else None,
        "runs_above": pairs_above * (grid.n_runs // pairs),
        "runs": grid.n_runs,
    }
    at = named if others else None
    way_out = experiment.objective.way_out_of_divergence if said["runs_above"] else ""
    optional = {"at": at, "way_out": way_out, "of": of}
    return said | {key: value for key, value in optional.items() if value}


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


def _depends(limits: NDArray[np.float64], end: float) -> dict[int, int]:
    """The first place where a limit is reached, along the axes that it depends on there.

    An axis is left out where all of its values, with those left out before it, have the same limit
    up to rounding; one of a single value is kept.
    """
    tied = np.isclose(limits, end, rtol=SAME, atol=0.0)
    place: list[Any] = [int(i) for i in np.argwhere(tied)[0]]
    for axis, size in enumerate(limits.shape):
        free = [*place[:axis], slice(None), *place[axis + 1 :]]
        if size > 1 and tied[tuple(free)].all():
            place = free
    return {axis: i for axis, i in enumerate(place) if isinstance(i, int)}


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
    >>> in_words({"lr": [0.2] * 2, "momentum": [0.5] * 2, "runs_above": 2, "runs": 8, "of":
    ...     "full gradient"})
    'largest stable lr of the full gradient 0.2 (momentum 0.5): 2 of 8 runs lie above it'
    """
    ends = [f"{lr:.6g}" for lr in found["lr"]]
    words: list[list[str]] = [[], []]
    for k in (0, 1):
        if found["momentum"] is not None and found["momentum"][k] is not None:
            words[k].append(f"momentum {found['momentum'][k]:.6g}")
        for name, value in found.get("at", ({}, {}))[k].items():
            words[k].append(f"{name} {value:.6g}")
        ends[k] += f" ({', '.join(words[k])})" if words[k] else ""
    limit = " to ".join(dict.fromkeys(ends))
    above, runs = found["runs_above"], found["runs"]
    of = found.get("of", "")
    if above == runs:  # a batch's own gradient may bring down what the full one would not
        share = "all runs lie above it" + ", and none can settle at a minimum" * (not of)
    else:
        share = f"{above:,} of {runs:,} runs lie above it"
    way_out = f"; {found['way_out']}" if "way_out" in found else ""
    return f"{OF[of]} {limit}: {share}{way_out}"
