"""How an objective is descended: one pure function per rule, per coordinate.

A new rule is a function and an entry in `RULES`; kernel, reference, command, tests and benchmarks
find it there.

All take ``(w, v, g, lr, momentum, dampening)`` and give ``(w, v)``: a coordinate, its velocity, the
gradient's component, the settings. What a rule does not use it leaves alone. At a run's first
update the dampening is 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

Update = Callable[[float, float, float, float, float, float], tuple[float, float]]
Look = Callable[[float, float, float], float]


def sgd(
    w: float, v: float, g: float, lr: float, momentum: float, dampening: float
) -> tuple[float, float]:
    """Plain gradient descent: ``w' = w - lr*g``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity (unused) and the gradient's component.
    lr, momentum, dampening : float
        Learning rate; the others are unused.

    Returns
    -------
    w, v : float
        After the update.

    Examples
    --------
    >>> sgd(1.0, 0.0, 2.0, 0.25, 0.0, 0.0)
    (0.5, 0.0)
    """
    return w - lr * g, v


def momentum(
    w: float, v: float, g: float, lr: float, momentum: float, dampening: float
) -> tuple[float, float]:
    """Heavy ball: ``v' = momentum*v - lr*g``, ``w' = w + v'``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity and the gradient's component.
    lr, momentum, dampening : float
        Learning rate and momentum; the dampening is unused.

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
    >>> momentum(1.0, 0.5, 2.0, 0.25, 0.5, 0.0)
    (0.75, -0.25)
    """
    v = momentum * v - lr * g
    return w + v, v


def nesterov(
    w: float, v: float, g: float, lr: float, momentum: float, dampening: float
) -> tuple[float, float]:
    """Nesterov, Keras form: ``v' = momentum*v - lr*g``, ``w' = w + momentum*v' - lr*g``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity and the gradient's component, taken at ``w``.
    lr, momentum, dampening : float
        Learning rate and momentum; the dampening is unused.

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
    >>> nesterov(1.0, 0.5, 2.0, 0.25, 0.5, 0.0)
    (0.375, -0.25)
    """
    v = momentum * v - lr * g
    return w + momentum * v - lr * g, v


def pytorch(
    w: float, v: float, g: float, lr: float, momentum: float, dampening: float
) -> tuple[float, float]:
    """PyTorch's rule: ``v' = momentum*v + (1 - dampening)*g``, ``w' = w - lr*v'``.

    From rest it is ``torch.optim.SGD``, which dampens neither the first gradient nor, without
    momentum, any.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity (a sum of gradients, in PyTorch the ``momentum_buffer``) and the
        gradient's component.
    lr, momentum, dampening : float
        Its settings; the dampening is 0 at the first update.

    Returns
    -------
    w, v : float
        After the update.

    References
    ----------
    PyTorch's ``torch.optim.SGD(lr, momentum, dampening)``.

    Examples
    --------
    >>> pytorch(1.0, 0.5, 2.0, 0.25, 0.5, 0.5)
    (0.6875, 1.25)
    """
    v = momentum * v + (1.0 - dampening * (momentum > 0.0)) * g
    return w - lr * v, v


def ema(
    w: float, v: float, g: float, lr: float, momentum: float, dampening: float
) -> tuple[float, float]:
    """Exponential moving average: ``v' = momentum*v + (1 - momentum)*g``, ``w' = w - lr*v'``.

    Parameters
    ----------
    w, v, g : float
        Coordinate, its velocity (an average of gradients) and the gradient's component.
    lr, momentum, dampening : float
        Learning rate and momentum; the dampening is unused.

    Returns
    -------
    w, v : float
        After the update.

    References
    ----------
    Ma and Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019, equations 1 and 2;
    the first moment of Kingma and Ba's Adam, 2015, without its correction of the bias.

    Examples
    --------
    >>> ema(1.0, 0.5, 2.0, 0.25, 0.5, 0.0)
    (0.6875, 1.25)
    """
    v = momentum * v + (1.0 - momentum) * g
    return w - lr * v, v


def here(w: float, v: float, momentum: float) -> float:
    """Where most rules take the gradient: at the point.

    Parameters
    ----------
    w, v, momentum : float
        Coordinate, velocity (unused) and momentum (unused).

    Returns
    -------
    float
        ``w``.

    Examples
    --------
    >>> here(1.0, 0.5, 0.9)
    1.0
    """
    return w


def ahead(w: float, v: float, momentum: float) -> float:
    """Where Sutskever's form of Nesterov's rule takes the gradient: at ``w + momentum*v``.

    ``v' = momentum*v - lr*g``, ``w' = w + v'`` with that gradient: the update is the heavy ball's.

    Parameters
    ----------
    w, v, momentum : float
        Coordinate, velocity and momentum.

    Returns
    -------
    float
        The place.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep
    learning", 2013, equations 3 and 4.

    Examples
    --------
    >>> ahead(1.0, 0.5, 0.5)
    1.25
    """
    return w + momentum * v


@dataclass(frozen=True)
class Rule:
    """An update rule.

    Attributes
    ----------
    name : str
        Its name in an experiment file.
    update : callable
        ``update(w, v, g, lr, momentum, dampening) -> (w, v)``, pure, for one coordinate.
    equation : str
        The rule as a line of text.
    uses_momentum : bool
        False where the grid has no momentum axis, and there is no velocity.
    uses_dampening : bool
        Whether an experiment may say `dampening`.
    look : callable
        ``look(w, v, momentum) -> w``, where the gradient is taken.
    """

    name: str
    update: Update
    equation: str
    uses_momentum: bool = True
    uses_dampening: bool = False
    look: Look = here


RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("sgd", sgd, "w' = w - lr*g", uses_momentum=False),
        Rule("momentum", momentum, "v' = momentum*v - lr*g; w' = w + v'"),
        Rule("nesterov", nesterov, "v' = momentum*v - lr*g; w' = w + momentum*v' - lr*g"),
        Rule(
            "sutskever",
            momentum,
            "v' = momentum*v - lr*g, g taken at w + momentum*v; w' = w + v'",
            look=ahead,
        ),
        Rule(
            "pytorch",
            pytorch,
            "v' = momentum*v + (1 - dampening)*g, the first time and without momentum "
            "v' = momentum*v + g; w' = w - lr*v'",
            uses_dampening=True,
        ),
        Rule("ema", ema, "v' = momentum*v + (1 - momentum)*g; w' = w - lr*v'"),
    )
}
