"""The optimisers in plain NumPy, and a line fitted with them, point by point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.specification.numbers import numbers


class Optimiser:
    """Base of the optimisers: anything that updates parameters in place."""

    def look(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where the gradient is to be taken: at the parameters, for most.

        Parameters
        ----------
        params : dict of float or ndarray
            Parameters by key.

        Returns
        -------
        dict of float or ndarray
            By the same keys.
        """
        return params

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        raise NotImplementedError


class SGD(Optimiser):
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


class Momentum(Optimiser):
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
        v = self.velocities(params)
        for key in params:
            v[key] = self.momentum * v[key] - self.lr * grads[key]
            params[key] += v[key]

    def velocities(self, params: dict[str, Any]) -> dict[str, Any]:
        """Velocities by key; zeros at first."""
        if self.v is None:
            self.v = _zeros_like(params)
        return self.v


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
        v = self.velocities(params)
        for key in params:
            v[key] = self.momentum * v[key] - self.lr * grads[key]
            params[key] += self.momentum * v[key]
            params[key] -= self.lr * grads[key]


class Sutskever(Momentum):
    """Nesterov's rule in Sutskever's form: as `Momentum`, with the gradient from ``look``.

    Examples
    --------
    >>> params, optimiser = {"a": 1.0}, Sutskever(lr=0.25, momentum=0.5)
    >>> for _ in range(2):
    ...     optimiser.update(params, {"a": 2.0})
    >>> params, optimiser.look(params)
    ({'a': -0.25}, {'a': -0.625})
    """

    def look(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where the gradient is to be taken: ``w + momentum*v``."""
        v = self.velocities(params)
        return {key: params[key] + self.momentum * v[key] for key in params}


class PyTorch(Momentum):
    """PyTorch's rule: ``v' = momentum*v + (1 - dampening)*g``, ``w' = w - lr*v'``.

    The first gradient is not dampened, and without momentum none is.

    Parameters
    ----------
    lr, momentum, dampening : float
        As ``torch.optim.SGD`` has them.

    Examples
    --------
    >>> params, optimiser = {"a": 1.0}, PyTorch(lr=0.25, momentum=0.5, dampening=0.5)
    >>> for _ in range(2):
    ...     optimiser.update(params, {"a": 2.0})
    >>> params
    {'a': 0.0}
    """

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, dampening: float = 0.0) -> None:
        super().__init__(lr, momentum)
        self.dampening = dampening
        self.has_begun = False

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        v = self.velocities(params)
        dampening = self.dampening if self.has_begun else 0.0
        taken = 1.0 - dampening * (self.momentum > 0.0)
        self.has_begun = True
        for key in params:
            v[key] = self.momentum * v[key] + taken * grads[key]
            params[key] -= self.lr * v[key]


class EMA(Momentum):
    """Exponential moving average: ``v' = momentum*v + (1 - momentum)*g``, ``w' = w - lr*v'``.

    Examples
    --------
    >>> params, optimiser = {"a": 1.0}, EMA(lr=0.25, momentum=0.5)
    >>> for _ in range(2):
    ...     optimiser.update(params, {"a": 2.0})
    >>> params
    {'a': 0.375}
    """

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        v = self.velocities(params)
        for key in params:
            v[key] = self.momentum * v[key] + (1.0 - self.momentum) * grads[key]
            params[key] -= self.lr * v[key]


def _zeros_like(params: dict[str, Any]) -> dict[str, Any]:
    """Zeros of the same shapes; plain floats stay plain."""
    return {k: 0.0 if isinstance(p, float | int) else np.zeros_like(p) for k, p in params.items()}


def optimiser(rule: str | UpdateRule, lr: Any, momentum: Any, velocity: Any = None) -> Optimiser:
    """The class for a rule of the registry.

    Parameters
    ----------
    rule : str or UpdateRule
        Which, such as "momentum".
    lr, momentum : float or ndarray
        Its settings.
    velocity : dict of float or ndarray, optional
        First velocities, by the keys of the parameters; zeros where left out.

    Returns
    -------
    Optimiser
        Fresh.
    """
    rule = UpdateRule.parse(rule)
    if rule.name == "sgd":
        return SGD(lr)
    if rule.name == "pytorch":
        walker: Momentum = PyTorch(lr, momentum, rule.constant)
    else:
        kinds = {"momentum": Momentum, "nesterov": Nesterov, "sutskever": Sutskever, "ema": EMA}
        walker = kinds[rule.name](lr, momentum)
    walker.v = velocity
    return walker


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
    x, y = numbers(x, "x"), numbers(y, "y")
    params = {key: np.full(x.shape[:-1], w, float) for key, w in zip("ab", start, strict=True)}
    for _ in range(steps):
        before = params["a"].copy(), params["b"].copy()
        residual = y - (params["a"][..., np.newaxis] * x + params["b"][..., np.newaxis])
        grads = {"a": (-residual * x).sum(axis=-1), "b": (-residual).sum(axis=-1)}
        optimiser.update(params, grads)
    return before
