"""How an objective is descended: one pure function per rule, per coordinate.

A new rule is a function and an entry in `RULES`; kernel, reference, command, tests and benchmarks
find it there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Update = Callable[[float, float, float, float, float], tuple[float, float]]


def sgd(w: float, v: float, g: float, lr: float, momentum: float) -> tuple[float, float]:
    """Plain gradient descent: ``w' = w - lr*g``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity (unused) and the gradient's component.
    lr, momentum : float
        Learning rate; the momentum is unused.

    Returns
    -------
    w, v : float
        After the update.

    Examples
    --------
    >>> sgd(1.0, 0.0, 2.0, 0.25, 0.0)
    (0.5, 0.0)
    """
    return w - lr * g, v


def momentum(w: float, v: float, g: float, lr: float, momentum: float) -> tuple[float, float]:
    """Heavy ball: ``v' = momentum*v - lr*g``, ``w' = w + v'``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity and the gradient's component.
    lr, momentum : float
        Learning rate and momentum.

    Returns
    -------
    w, v : float
        After the update.

    References
    ----------
    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; in the form of
    Keras' ``SGD(momentum=...)``.

    Examples
    --------
    >>> momentum(1.0, 0.5, 2.0, 0.25, 0.5)
    (0.75, -0.25)
    """
    v = momentum * v - lr * g
    return w + v, v


def nesterov(w: float, v: float, g: float, lr: float, momentum: float) -> tuple[float, float]:
    """Nesterov, Keras form: ``v' = momentum*v - lr*g``, ``w' = w + momentum*v' - lr*g``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity and the gradient's component, taken at ``w``.
    lr, momentum : float
        Learning rate and momentum.

    Returns
    -------
    w, v : float
        After the update.

    References
    ----------
    Nesterov 1983; as Keras' ``SGD(momentum=..., nesterov=True)`` writes it, which is the form of
    Bengio, Boulanger-Lewandowski and Pascanu, "Advances in optimizing recurrent networks", 2013.

    Examples
    --------
    >>> nesterov(1.0, 0.5, 2.0, 0.25, 0.5)
    (0.375, -0.25)
    """
    v = momentum * v - lr * g
    return w + momentum * v - lr * g, v


@dataclass(frozen=True)
class Rule:
    """An update rule.

    Attributes
    ----------
    name : str
        Its name in an experiment file.
    update : callable
        ``update(w, v, g, lr, momentum) -> (w, v)``, pure, for one coordinate.
    uses_momentum : bool
        False where the grid has no momentum axis.
    equation : str
        The rule as a line of text.
    """

    name: str
    update: Update
    uses_momentum: bool
    equation: str


RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("sgd", sgd, False, "w' = w - lr*g"),
        Rule("momentum", momentum, True, "v' = momentum*v - lr*g; w' = w + v'"),
        Rule("nesterov", nesterov, True, "v' = momentum*v - lr*g; w' = w + momentum*v' - lr*g"),
    )
}
