"""The adaptive optimisers in plain NumPy, as their papers write them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastmomentum.reference.momentum import Momentum
from fastmomentum.reference.optimisers import Optimiser, zeros_like


class Adam(Momentum):
    """Adam: Kingma and Ba 2015, algorithm 1; eps outside the root.

    Parameters
    ----------
    lr, momentum, beta2, eps : float
        The momentum is beta1.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> Adam(lr=0.25, momentum=0.5, beta2=0.75, eps=0.0).update(params, {"a": 2.0})
    >>> float(params["a"])
    0.75
    """

    rule = "adam"

    def __init__(
        self, lr: float = 0.01, momentum: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        super().__init__(lr, momentum)
        self.beta2, self.eps = beta2, eps
        self.squares: dict[str, Any] | None = None
        self.product, self.product_2 = 1.0, 1.0  # powers of the betas, for the bias correction

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        v = self.velocities(params)
        if self.squares is None:
            self.squares = zeros_like(params)
        self.product, self.product_2 = self.product * self.momentum, self.product_2 * self.beta2
        for key, g in grads.items():
            v[key] = self.momentum * v[key] + (1.0 - self.momentum) * g
            self.squares[key] = self.beta2 * self.squares[key] + (1.0 - self.beta2) * (g * g)
            root = np.sqrt(self.squares[key] * (1.0 / (1.0 - self.product_2))) + self.eps
            params[key] -= self.step(v[key], g, root)

    def step(self, v: Any, g: Any, root: Any) -> Any:
        """The step by the average of gradients, with its bias corrected."""
        return self.lr * v / ((1.0 - self.product) * root)


class NAdam(Adam):
    """Adam with Nesterov's lookahead, as ``optax.nadam``.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> NAdam(lr=0.25, momentum=0.5, beta2=0.75, eps=0.0).update(params, {"a": 2.0})
    >>> round(float(params["a"]), 6)
    0.666667
    """

    rule = "nadam"

    def step(self, v: Any, g: Any, root: Any) -> Any:
        """The step by the average of gradients a step ahead."""
        ahead = self.momentum / (1.0 - self.product * self.momentum)
        here = (1.0 - self.momentum) / (1.0 - self.product)
        return self.lr * (ahead * v + here * g) / root


class RMSProp(Momentum):
    """RMSProp in PyTorch's form: eps outside the root, then momentum.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> RMSProp(lr=0.25, momentum=0.5, rho=0.75, eps=0.0).update(params, {"a": 2.0})
    >>> float(params["a"])
    0.5
    """

    rule = "rmsprop"

    def __init__(
        self, lr: float = 0.01, momentum: float = 0.0, rho: float = 0.99, eps: float = 1e-8
    ) -> None:
        super().__init__(lr, momentum)
        self.rho, self.eps = rho, eps
        self.squares: dict[str, Any] | None = None

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        v = self.velocities(params)
        if self.squares is None:
            self.squares = zeros_like(params)
        for key, g in grads.items():
            self.squares[key] = self.rho * self.squares[key] + (1.0 - self.rho) * (g * g)
            v[key] = self.momentum * v[key] + g / (np.sqrt(self.squares[key]) + self.eps)
            params[key] -= self.lr * v[key]


class AdaGrad(Optimiser):
    """AdaGrad: Duchi, Hazan and Singer 2011, as ``torch.optim.Adagrad``.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> AdaGrad(lr=0.25, eps=0.0).update(params, {"a": 2.0})
    >>> float(params["a"])
    0.75
    """

    rule = "adagrad"

    def __init__(self, lr: float = 0.01, eps: float = 1e-10) -> None:
        self.lr, self.eps = lr, eps
        self.squares: dict[str, Any] | None = None

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        if self.squares is None:
            self.squares = zeros_like(params)
        for key, g in grads.items():
            self.squares[key] = self.squares[key] + g * g
            params[key] -= self.lr * (g / (np.sqrt(self.squares[key]) + self.eps))


class Lion(Momentum):
    """Lion: Chen et al. 2023, as ``optax.lion``.

    Examples
    --------
    >>> params = {"a": 1.0}
    >>> Lion(lr=0.25, momentum=0.5, beta2=0.75).update(params, {"a": 2.0})
    >>> float(params["a"])
    0.75
    """

    rule = "lion"

    def __init__(self, lr: float = 0.01, momentum: float = 0.9, beta2: float = 0.99) -> None:
        super().__init__(lr, momentum)
        self.beta2 = beta2

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and their gradients, by the same keys.
        """
        v = self.velocities(params)
        for key, g in grads.items():
            direction = np.sign(self.momentum * v[key] + (1.0 - self.momentum) * g)
            params[key] -= self.lr * direction
            v[key] = self.beta2 * v[key] + (1.0 - self.beta2) * g
