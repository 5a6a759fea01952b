"""The slow and obvious optimisers: plain NumPy, one run at a time; the oracle of the kernels.

The classes stand alone and serve in a notebook; `descend` is the whole of a run, stop rules and
all, written so that it can be checked by reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

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
            self.v = {key: np.zeros_like(value) for key, value in params.items()}
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
            self.v = {key: np.zeros_like(value) for key, value in params.items()}
        for key in params:
            self.v[key] = self.momentum * self.v[key] - self.lr * grads[key]
            params[key] += self.momentum * self.v[key]
            params[key] -= self.lr * grads[key]


class Optimiser(Protocol):
    """Anything that updates parameters in place."""

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place."""


def optimiser(rule: str, lr: float, momentum: float) -> Optimiser:
    """The class for a rule of the registry.

    Parameters
    ----------
    rule : {"sgd", "momentum", "nesterov"}
        Its name.
    lr, momentum : float
        Its settings.

    Returns
    -------
    Optimiser
        Fresh.
    """
    if rule == "sgd":
        return SGD(lr)
    return {"momentum": Momentum, "nesterov": Nesterov}[rule](lr, momentum)


@dataclass(frozen=True)
class Run:
    """What came of one run.

    Attributes
    ----------
    trajectory : ndarray, shape (steps + 1, 2)
        The point after each update; NaN after `n_steps`.
    status : Status
        How it ended.
    n_steps : int
        When.
    hit_step : list of int
        First step at which each target was met; -1 for never.
    final : (float, float)
        The last point.
    final_loss : float
        The objective there.
    """

    trajectory: NDArray[np.float64]
    status: Status
    n_steps: int
    hit_step: list[int]
    final: tuple[float, float]
    final_loss: float


def descend(
    objective: Objective,
    rule: str,
    lr: float,
    momentum: float,
    start: tuple[float, float],
    steps: int,
    targets: tuple[float, ...] = (),
    bound: float | None = 1e20,
) -> Run:
    """One run, update by update.

    Parameters
    ----------
    objective : Objective
        What is descended.
    rule : str
        Name of the rule.
    lr, momentum : float
        Its settings.
    start : (float, float)
        The first point.
    steps : int
        Updates, at most.
    targets, bound
        As in `Stop`.

    Returns
    -------
    Run
        The whole of it.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> descend(Rosenbrock(), "momentum", 1.5e-5, 0.9, (-5.0, -5.0), 5000).final
    (0.9501902605527726, 0.9026561642182237)
    """
    constants = objective.constants
    params = {"x": float(start[0]), "y": float(start[1])}
    walker = optimiser(rule, lr, momentum)
    trajectory = np.full((steps + 1, 2), np.nan)
    hits = [-1] * len(targets)
    status = Status.MAX_STEPS
    t = 0
    with np.errstate(all="ignore"):
        while True:
            x, y = params["x"], params["y"]
            trajectory[t] = x, y
            loss = float(objective.value_at(x, y, constants))
            if bound is not None:
                if not np.isfinite(loss) or loss > bound:
                    status = Status.DIVERGED
                    break
                for number, target in enumerate(targets):
                    if hits[number] < 0 and loss - (objective.f_min or 0.0) <= target:
                        hits[number] = t
                if targets and hits[-1] >= 0:
                    status = Status.CONVERGED
                    break
            if t == steps:
                break
            gx, gy = objective.gradient_at(x, y, constants)
            walker.update(params, {"x": gx, "y": gy})
            t += 1
    if bound is None and not np.isfinite(loss):
        status = Status.DIVERGED
    return Run(trajectory, status, t, hits, (float(x), float(y)), loss)
