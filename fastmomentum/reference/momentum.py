"""Gradient descent and the momentum rules, as plain NumPy classes."""

from __future__ import annotations

from typing import Any

from fastmomentum.reference.optimisers import Optimiser, zeros_like


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

    rule = "sgd"

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

    rule = "momentum"

    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        self.lr = lr
        self.momentum = momentum
        self.v = None

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
            self.v = zeros_like(params)
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

    rule = "nesterov"

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
    """Nesterov's rule in Sutskever's form: `Momentum` with the gradient at ``gradient_point``.

    Examples
    --------
    >>> params, optimiser = {"a": 1.0}, Sutskever(lr=0.25, momentum=0.5)
    >>> for _ in range(2):
    ...     optimiser.update(params, {"a": 2.0})
    >>> params, optimiser.gradient_point(params)
    ({'a': -0.25}, {'a': -0.625})
    """

    rule = "sutskever"

    def gradient_point(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where the gradient is computed: ``w + momentum*v``."""
        v = self.velocities(params)
        return {key: params[key] + self.momentum * v[key] for key in params}


class PyTorch(Momentum):
    """PyTorch's rule: ``v' = momentum*v + (1 - dampening)*g``, ``w' = w - lr*v'``.

    The first gradient is not dampened, and without momentum none is.

    Parameters
    ----------
    lr, momentum, dampening : float
        As in ``torch.optim.SGD``.

    Examples
    --------
    >>> params, optimiser = {"a": 1.0}, PyTorch(lr=0.25, momentum=0.5, dampening=0.5)
    >>> for _ in range(2):
    ...     optimiser.update(params, {"a": 2.0})
    >>> params
    {'a': 0.0}
    """

    rule = "pytorch"

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

    rule = "ema"

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


class QHM(Momentum):
    """Quasi-hyperbolic: as `EMA`, then ``w' = w - lr*((1 - nu)*g + nu*v')``.

    Parameters
    ----------
    lr, momentum, nu : float
        As in Ma and Yarats 2019, where the momentum is called beta.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> QHM(lr=0.25, momentum=0.5, nu=0.5).update(params, {"a": 2.0})
    >>> params
    {'a': 0.625}
    """

    rule = "qhm"

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, nu: float = 0.7) -> None:
        super().__init__(lr, momentum)
        self.nu = nu

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
            params[key] -= self.lr * ((1.0 - self.nu) * grads[key] + self.nu * v[key])
