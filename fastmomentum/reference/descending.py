"""Whole runs, with their stop rules, written so that they can be checked by reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective, require_objective
from fastmomentum.reference.modified import Modified
from fastmomentum.reference.noisy import NoisyGradient
from fastmomentum.reference.optimisers import optimiser
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.schedules import Schedule
from fastmomentum.specification.numbers import numbers, whole
from fastmomentum.status import Status


@dataclass(frozen=True)
class Runs:
    """Results of runs; ``...`` is the shape of the settings, () for a single run.

    Attributes
    ----------
    trajectory : ndarray, shape (..., steps + 1, 2)
        The point after each update; NaN after `n_steps`.
    status : ndarray of int, shape (...)
        How each ended: see `Status`.
    n_steps : ndarray of int, shape (...)
        Updates made until then.
    hit_step : ndarray of int, shape (..., n_targets)
        First step at which each target was met; -1 for never.
    final : ndarray, shape (..., 2)
        The last point.
    final_loss : ndarray, shape (...)
        The objective there.
    n_restarts : ndarray of int, shape (...)
        How often the velocity was set to 0.
    """

    trajectory: NDArray[np.float64]
    status: NDArray[np.int64]
    n_steps: NDArray[np.int64]
    hit_step: NDArray[np.int64]
    final: NDArray[np.float64]
    final_loss: NDArray[np.float64]
    n_restarts: NDArray[np.int64]


def descend(
    objective: Objective,
    rule: str | UpdateRule,
    lr: ArrayLike,
    momentum: ArrayLike,
    start: ArrayLike,
    steps: int,
    targets: Sequence[float] = (),
    bound: float | None = 1e20,
    velocity: ArrayLike = (0.0, 0.0),
    noise: Mapping[str, Any] | None = None,
    batch: Mapping[str, Any] | None = None,
    seed: ArrayLike = 0,
    further: Sequence[ArrayLike] = (),
    schedule: Schedule | None = None,
) -> Runs:
    """Make all the updates, one by one, then find where each run would have stopped.

    Parameters
    ----------
    objective : Objective
        The function to minimise.
    rule : str or UpdateRule
        The update rule.
    lr, momentum : array_like
        Settings; shapes that broadcast.
    start : array_like, shape (..., 2)
        First points; ``...`` broadcasts with the settings.
    steps : int
        Updates, at most.
    targets, bound
        As in `Stop`.
    velocity : array_like, shape (..., 2)
        First velocities; ``...`` broadcasts too.
    noise, batch : mapping, optional
        As in an experiment, such as ``{"gaussian": 0.1}`` and ``{"size": 32}``.
    seed : array_like of int
        Seeds, of the broadcast shape.
    further : sequence of array_like
        Parameters and constants that are axes of the grid, in their order, of the broadcast shape:
        noise that is not common depends on them.
    schedule : Schedule, optional
        What changes from update to update; a momentum schedule replaces `momentum`.

    Returns
    -------
    Runs
        Trajectories, statuses and losses.

    Raises
    ------
    InputError
        An argument is something else: a name for the objective, a number for the start.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> descend(Rosenbrock(), "momentum", 1.5e-5, 0.9, (-5.0, -5.0), 5000).final.tolist()
    [0.9501902605527726, 0.9026561642182237]
    """
    require_objective(objective)
    start, velocity = _points_of(start, "start"), _points_of(velocity, "velocity")
    lr, momentum = numbers(lr, "lr"), numbers(momentum, "momentum")
    lr, momentum, x, y, vx, vy = (
        np.array(part, float)
        for part in np.broadcast_arrays(
            lr, momentum, start[..., 0], start[..., 1], velocity[..., 0], velocity[..., 1]
        )
    )
    steps = whole(steps, "steps", least=0)
    walker = optimiser(rule, lr, momentum, {"x": vx, "y": vy})
    made_with = (lr, momentum, *further, x.copy(), y.copy(), vx, vy)
    gradient = NoisyGradient(
        objective, noise, batch, np.broadcast_to(np.asarray(seed), x.shape), made_with
    )
    trajectory = np.empty((*x.shape, steps + 1, 2))
    trajectory[..., 0, 0], trajectory[..., 0, 1] = x, y
    params: dict[str, Any] = {"x": x, "y": y}
    modified = Modified.of(rule, walker, lambda at: objective.value(at["x"], at["y"]))
    restarted = np.zeros((*x.shape, steps + 1), bool)
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            if schedule is not None:
                modified.follow(schedule, lr, t - 1)
            at = modified.gradient_point(params)
            gx, gy = gradient(t - 1, at["x"], at["y"])
            modified.update(params, {"x": gx, "y": gy})
            trajectory[..., t, 0], trajectory[..., t, 1] = params["x"], params["y"]
            restarted[..., t] = modified.restarted
    loss = objective.value(trajectory[..., 0], trajectory[..., 1])
    with np.errstate(all="ignore"):
        above = loss - (objective.f_min or 0.0)

    # First steps at which something holds; steps + 1 for never.
    limit = np.inf if bound is None else bound
    bad = _first(~np.isfinite(loss) | (loss > limit))
    hit = np.stack([_first(above <= target) for target in targets] or [bad], axis=-1)
    converged = hit[..., -1] if targets else np.full_like(bad, steps + 1)
    if bound is None:
        bad, hit = np.where(np.isfinite(loss[..., -1]), steps + 1, steps), hit[..., :0]
    n_steps = np.minimum(np.minimum(bad, converged), steps)
    status = np.where(bad <= steps, int(Status.DIVERGED), int(Status.MAX_STEPS))
    status = np.where(converged < bad, int(Status.CONVERGED), status)
    hit = np.where(hit > n_steps[..., None], -1, hit)[..., : len(targets)]

    last = n_steps[..., None]
    final = np.take_along_axis(trajectory, last[..., None], axis=-2)[..., 0, :]
    final_loss = np.take_along_axis(loss, last, axis=-1)[..., 0]
    trajectory[np.arange(steps + 1) > last] = np.nan
    n_restarts = np.sum(restarted & (np.arange(steps + 1) <= last), axis=-1)
    return Runs(trajectory, status, n_steps, hit, final, final_loss, n_restarts)


def _points_of(given: ArrayLike, name: str) -> NDArray[np.float64]:
    points = numbers(given, name)
    if not points.ndim or points.shape[-1] != 2:
        raise InputError(f"{name} must be of the shape (..., 2): got the shape {points.shape}")
    return points


def _first(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    first: NDArray[np.int64] = holds.argmax(axis=-1)
    return np.where(holds.any(axis=-1), first, holds.shape[-1])
