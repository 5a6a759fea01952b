"""The slow and obvious optimisers in plain NumPy: the oracle of the kernels.

The classes stand alone and serve in a notebook; `learn_line` fits a line with them, point by point;
`descend` is the whole of a run, stop rules and all, written so that it can be checked by reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.status import Status


class SGD:
    """Gradient descent: ``w' = w - lr*g``.

    Parameters
    ----------
    lr : float
        Learning rate.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> SGD(lr=0.25).update(params, {"a": 2.0})
    >>> params
    {'a': 0.5}
    """

    def __init__(self, lr: float = 0.01) -> None:
        self.lr = lr

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        for key in params:
            params[key] -= self.lr * grads[key]


class Momentum:
    """Heavy ball: ``v' = momentum*v - lr*g``, ``w' = w + v'``.

    Parameters
    ----------
    lr : float
        Learning rate.
    momentum : float
        Part of the velocity that is kept.

    Attributes
    ----------
    v : dict or None
        Velocities by key; zeros at the first update.

    Examples
    --------
    >>> params, optimiser = {"a": 1.0}, Momentum(lr=0.25, momentum=0.5)
    >>> for _ in range(2):
    ...     optimiser.update(params, {"a": 2.0})
    >>> params
    {'a': -0.25}
    """

    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        self.lr = lr
        self.momentum = momentum
        self.v: dict[str, Any] | None = None

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        if self.v is None:
            self.v = _zeros_like(params)
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.v[key]


class Nesterov(Momentum):
    """Nesterov's rule in Keras' form: as `Momentum`, then ``w' = w + momentum*v' - lr*g``.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> Nesterov(lr=0.25, momentum=0.5).update(params, {"a": 2.0})
    >>> params
    {'a': 0.25}
    """

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        if self.v is None:
            self.v = _zeros_like(params)
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.momentum * self.v[key]
            params[key] -= self.lr * grads[key]


def _zeros_like(params: dict[str, Any]) -> dict[str, Any]:
    """Zeros of the same shapes; plain floats stay plain."""
    return {k: 0.0 if isinstance(p, float | int) else np.zeros_like(p) for k, p in params.items()}


class Optimiser(Protocol):
    """Anything that updates parameters in place."""

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place."""


def optimiser(rule: str, lr: Any, momentum: Any) -> Optimiser:
    """The class for a rule of the registry.

    Parameters
    ----------
    rule : {"sgd", "momentum", "nesterov"}
        Its name.
    lr, momentum : float or ndarray
        Its settings.

    Returns
    -------
    Optimiser
        Fresh.
    """
    if rule == "sgd":
        return SGD(lr)
    return {"momentum": Momentum, "nesterov": Nesterov}[rule](lr, momentum)


def learn_line(
    x: ArrayLike,
    y: ArrayLike,
    optimiser: Optimiser,
    steps: int,
    start: tuple[float, float] = (-20.0, -20.0),
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit ``y = a x + b``, point by point: ``da = sum(-r x)``, ``db = sum(-r)``, r = y - (a x + b).

    These are the derivatives of half the sum of the squared residuals r, the objective "mse" with
    the reduction "half_sum".

    Parameters
    ----------
    x, y : array_like, shape (..., n)
        Data; ``...`` are lines to be fitted side by side.
    optimiser : Optimiser
        A fresh one.
    steps : int
        Updates, at least 1.
    start : (float, float)
        First a and b.

    Returns
    -------
    a, b : ndarray, shape (...)
        Slope and intercept **before** the last update: those that the last gradient was taken at.

    Raises
    ------
    InputError
        Where there is no update to be before.

    Examples
    --------
    >>> a, b = learn_line([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], Momentum(lr=0.1), steps=300)
    >>> round(float(a), 4), round(float(b), 4)
    (2.0, 1.0)
    """
    if steps < 1:
        raise InputError(f"steps must be at least 1: got {steps}")
    x, y = np.asarray(x, float), np.asarray(y, float)
    params = {key: np.full(x.shape[:-1], w, float) for key, w in zip("ab", start, strict=True)}
    for _ in range(steps):
        before = params["a"].copy(), params["b"].copy()
        residual = y - (params["a"][..., np.newaxis] * x + params["b"][..., np.newaxis])
        grads = {"a": (-residual * x).sum(axis=-1), "b": (-residual).sum(axis=-1)}
        optimiser.update(params, grads)
    return before


@dataclass(frozen=True)
class Runs:
    """What came of runs; ``...`` is the shape of the settings, () for a single run.

    Attributes
    ----------
    trajectory : ndarray, shape (..., steps + 1, 2)
        The point after each update; NaN after `n_steps`.
    status : ndarray of int, shape (...)
        How each ended: see `Status`.
    n_steps : ndarray of int, shape (...)
        When.
    hit_step : ndarray of int, shape (..., n_targets)
        First step at which each target was met; -1 for never.
    final : ndarray, shape (..., 2)
        The last point.
    final_loss : ndarray, shape (...)
        The objective there.
    """

    trajectory: NDArray[np.float64]
    status: NDArray[np.int64]
    n_steps: NDArray[np.int64]
    hit_step: NDArray[np.int64]
    final: NDArray[np.float64]
    final_loss: NDArray[np.float64]


def descend(
    objective: Objective,
    rule: str,
    lr: ArrayLike,
    momentum: ArrayLike,
    start: ArrayLike,
    steps: int,
    targets: Sequence[float] = (),
    bound: float | None = 1e20,
) -> Runs:
    """Walk all the steps, update by update, then see where each run would have stopped.

    Parameters
    ----------
    objective : Objective
        What is descended.
    rule : str
        Name of the rule.
    lr, momentum : array_like
        Settings; shapes that broadcast.
    start : array_like, shape (..., 2)
        First points; ``...`` broadcasts with the settings.
    steps : int
        Updates, at most.
    targets, bound
        As in `Stop`.

    Returns
    -------
    Runs
        The whole of them.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> descend(Rosenbrock(), "momentum", 1.5e-5, 0.9, (-5.0, -5.0), 5000).final.tolist()
    [0.9501902605527726, 0.9026561642182237]
    """
    start = np.asarray(start, float)
    lr, momentum, x, y = (
        np.array(part, float)
        for part in np.broadcast_arrays(lr, momentum, start[..., 0], start[..., 1])
    )
    walker = optimiser(rule, lr, momentum)
    trajectory = np.empty((*x.shape, steps + 1, 2))
    trajectory[..., 0, 0], trajectory[..., 0, 1] = x, y
    params: dict[str, Any] = {"x": x, "y": y}
    with np.errstate(all="ignore"):
        for t in range(1, steps + 1):
            gx, gy = objective.gradient_at(params["x"], params["y"], objective.constants)
            walker.update(params, {"x": gx, "y": gy})
            trajectory[..., t, 0], trajectory[..., t, 1] = params["x"], params["y"]
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
    return Runs(trajectory, status, n_steps, hit, final, final_loss)


def _first(holds: NDArray[np.bool_]) -> NDArray[np.int64]:
    first: NDArray[np.int64] = holds.argmax(axis=-1)
    return np.where(holds.any(axis=-1), first, holds.shape[-1])
