"""The largest Lyapunov exponent of a run: how fast close neighbours separate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr

from fastmomentum.errors import InputError
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import Start, select_cell
from fastmomentum.specification.numbers import whole
from fastmomentum.status import Status

APART: Final = 1e-7
"""Distance of the neighbour, as a fraction of 1 + the size of the point."""
PARTS: Final = 10
"""Parts of the run, whose means give the error."""

State = list[tuple[Any, tuple[Any, ...]]]
"""By coordinate: the point and the state of the rule."""


class Lyapunov(NamedTuple):
    """What `lyapunov_exponent` found.

    Attributes
    ----------
    exponent : float
        Mean growth of the logarithm of a small distance per update: above 0 the run is chaotic; on
        the way to a minimum it is the logarithm of the rate.
    error : float
        Standard error, from the means of ten parts of the run.
    scales : (int, int)
        First and last step of the average.
    """

    exponent: float
    error: float
    scales: tuple[int, int]


def lyapunov_exponent(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    *,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
    skip: int | None = None,
    steps: int | None = None,
) -> Lyapunov:
    """Largest Lyapunov exponent of the update map along a run.

    A neighbour of the run, in the space of the point and the rule's state, is rescaled to its
    first distance after each update.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    lr, momentum, start, velocity, at
        Which run, as for `fm.select_cell`.
    skip : int, optional
        Updates before the average begins; a fifth of the steps if left out.
    steps : int, optional
        Updates in all; the run's own if left out. Stop rules do not apply.

    Returns
    -------
    Lyapunov
        ``exponent``, ``error`` and ``scales``.

    Raises
    ------
    InputError
        The experiment has noise, batches or a schedule; the run overflows; too few steps are
        left for the average.

    References
    ----------
    Benettin, Galgani and Strelcyn, "Kolmogorov entropy and numerical experiments", 1976.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=400, grid=fm.Grid(lr=0.05, momentum=0.81, start=[(1, 1)])))
    >>> found = lyapunov_exponent(ds)
    >>> round(float(np.exp(found.exponent)), 3)  # the rate is the root of the momentum
    0.9
    """
    cell = select_cell(ds, lr, momentum, start, velocity, at)
    plan, objective = experiment_of(cell), objective_of(cell)
    for key in ("noise", "batch", "schedule"):
        if getattr(plan, key) is not None:
            raise InputError(
                f"the exponent is defined for a fixed map, and this experiment has a {key}; run it "
                "without"
            )
    rule = rule_of(cell)
    if steps is None:
        ended = int(cell.status) != Status.DIVERGED
        steps = plan.steps if ended else max(int(cell.n_steps) - 1, 1)
    steps = whole(steps, "steps", least=1)
    skip = steps // 5 if skip is None else whole(skip, "skip", least=0)
    if steps - skip < 2 * PARTS:
        raise InputError(
            f"the average needs {2 * PARTS} steps or more: got {max(steps - skip, 0)}, after {skip}"
        )
    names = objective.parameters
    point = [cell[f"start_{name}"].item() for name in names]
    first = [
        cell[f"velocity_{name}"].item() if f"velocity_{name}" in cell.coords else 0.0
        for name in names
    ]
    settings = float(cell.lr), float(cell.momentum)
    with np.errstate(all="ignore"):
        growth = _growth(objective, rule, settings, point, first, steps)
    if not np.isfinite(growth).all():
        raise InputError(
            f"the run overflows at step {int(np.argmin(np.isfinite(growth))) + 1}; give fewer steps"
        )
    kept = growth[skip:]
    means = np.array([part.mean() for part in np.array_split(kept, PARTS)])
    error = float(means.std(ddof=1) / np.sqrt(PARTS))
    return Lyapunov(float(kept.mean()), error, (skip + 1, steps))


def _growth(
    objective: Any,
    choice: Any,
    settings: tuple[float, float],
    point: list[float],
    velocity: list[float],
    steps: int,
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Logarithm of the factor by which each update changes the neighbour's distance."""
    rule, parameters = choice.rule, choice.parameters
    lr, momentum = settings
    rows = 1 + len(rule.states)
    run = np.zeros((2, rows))
    run[:, 0] = point
    if rule.uses_momentum:
        run[:, 1] = velocity
    way = np.random.default_rng(0).normal(size=run.shape)  # along no eigenvector
    way /= np.sqrt((way * way).sum())
    shared: tuple[Any, ...] = rule.shared
    growth = np.empty(steps)
    for t in range(steps):
        apart = APART * (1.0 + np.abs(run).max())
        both = np.stack([run, run + apart * way], axis=-1)
        shared = rule.advance(shared, momentum, parameters)
        state = [(w[0], tuple(w[1:])) for w in both]
        look = [rule.gradient_point(w, kept, momentum) for w, kept in state]
        g = objective.gradient_at(*look, objective.constants)
        moved = [
            rule.update(w, kept, gradient, lr, momentum, parameters, shared, float(t))
            for (w, kept), gradient in zip(state, g, strict=True)
        ]
        after = np.array([[w, *kept] for w, kept in moved])
        run, way = after[..., 0], (after[..., 1] - after[..., 0]) / apart
        factor = float(np.sqrt((way * way).sum()))
        growth[t] = np.log(factor) if factor > 0 else -np.inf
        if not np.isfinite(growth[t]):
            growth[t:] = growth[t]
            break
        way /= factor
    return growth
