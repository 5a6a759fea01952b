"""Rules that keep a velocity, or none: gradient descent, the heavy ball and its relatives.

All take ``(w, states, g, lr, momentum, parameters, shared, t)`` and give ``(w, states)``: a
coordinate, what it keeps (here its velocity), the gradient's component, the settings, and how many
updates were made before. A rule ignores what it does not need.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.elementary import select
from fastmomentum.rules.base import Form, Identity, Parameter, Rule, Values

Kept = tuple[Any, ...]
Moved = tuple[Any, Kept]


def sgd(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Plain gradient descent: ``w' = w - lr*g``.

    Examples
    --------
    >>> sgd(1.0, (0.0,), 2.0, 0.25, 0.0, (), (), 0.0)
    (0.5, (0.0,))
    """
    return w - lr * g, states


def momentum(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Heavy ball: ``v' = momentum*v - lr*g``, ``w' = w + v'``.

    References
    ----------
    Polyak, "Some methods of speeding up the convergence of iteration methods", 1964; in the form of
    Keras' ``SGD(momentum=...)``.

    Examples
    --------
    >>> momentum(1.0, (0.5,), 2.0, 0.25, 0.5, (), (), 0.0)
    (0.75, (-0.25,))
    """
    (v,) = states
    v = momentum * v - lr * g
    return w + v, (v,)


def nesterov(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Nesterov, Keras form: ``v' = momentum*v - lr*g``, ``w' = w + momentum*v' - lr*g``.

    References
    ----------
    Nesterov 1983; as Keras' ``SGD(momentum=..., nesterov=True)`` writes it, which is the form of
    Bengio, Boulanger-Lewandowski and Pascanu, "Advances in optimizing recurrent networks", 2013.

    Examples
    --------
    >>> nesterov(1.0, (0.5,), 2.0, 0.25, 0.5, (), (), 0.0)
    (0.375, (-0.25,))
    """
    (v,) = states
    v = momentum * v - lr * g
    return w + momentum * v - lr * g, (v,)


def ahead(w: Any, states: Kept, momentum: Any) -> Any:
    """Where Sutskever's form of Nesterov's rule takes the gradient: at ``w + momentum*v``.

    ``v' = momentum*v - lr*g``, ``w' = w + v'`` with that gradient: the update is the heavy ball's.

    References
    ----------
    Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum in deep
    learning", 2013, equations 3 and 4.

    Examples
    --------
    >>> ahead(1.0, (0.5,), 0.5)
    1.25
    """
    return w + momentum * states[0]


def pytorch(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """PyTorch's rule: ``v' = momentum*v + (1 - dampening)*g``, ``w' = w - lr*v'``.

    From rest it is ``torch.optim.SGD``, which dampens neither the first gradient nor, without
    momentum, any. The velocity is a sum of gradients, in PyTorch the ``momentum_buffer``.

    References
    ----------
    PyTorch's ``torch.optim.SGD(lr, momentum, dampening)``.

    Examples
    --------
    >>> w, (v,) = pytorch(1.0, (0.5,), 2.0, 0.25, 0.5, (0.5,), (), 1.0)
    >>> float(w), float(v)
    (0.6875, 1.25)
    """
    (v,) = states
    (dampening,) = parameters
    taken = 1.0 - select(momentum > 0.0, dampening, 0.0) * (t > 0.0)
    v = momentum * v + taken * g
    return w - lr * v, (v,)


def ema(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Exponential moving average: ``v' = momentum*v + (1 - momentum)*g``, ``w' = w - lr*v'``.

    References
    ----------
    Ma and Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019, equations 1 and 2;
    the first moment of Kingma and Ba's Adam, 2015, without its correction of the bias.

    Examples
    --------
    >>> ema(1.0, (0.5,), 2.0, 0.25, 0.5, (), (), 0.0)
    (0.6875, (1.25,))
    """
    (v,) = states
    v = momentum * v + (1.0 - momentum) * g
    return w - lr * v, (v,)


def qhm(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Quasi-hyperbolic: ``v' = m*v + (1 - m)*g``, ``w' = w - lr*((1 - nu)*g + nu*v')``.

    nu = 0 is plain descent, nu = 1 the average of gradients, nu = m Nesterov's rule with the
    learning rate lr (1 - m); `fastmomentum.theory.convert` uses this, by `QUASI_HYPERBOLIC`.

    References
    ----------
    Ma and Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", 2019, equations 3 and 4.

    Examples
    --------
    >>> qhm(1.0, (0.5,), 2.0, 0.25, 0.5, (0.5,), (), 0.0)
    (0.59375, (1.25,))
    """
    (v,) = states
    (nu,) = parameters
    v = momentum * v + (1.0 - momentum) * g
    return w - lr * ((1.0 - nu) * g + nu * v), (v,)


def _averaged(momentum: Any, parameters: Values) -> Any:
    return 1.0 - momentum


def _critical(product: Any) -> Any:
    """Solves ``(1 - m) product = (1 - sqrt m)^2``: the learning rate shrinks as m grows."""
    root = (1.0 - product) / (1.0 + product)
    return np.where(product >= 0, root * root, np.nan)


def _close(one: Any, other: Any) -> Any:
    """Whether two settings are equal up to the rounding of an axis; NaN equals nothing."""
    return np.isclose(one, other, rtol=1e-14, atol=0.0)


AVERAGE: Final = Form("momentum", _averaged, sums_gradients=True, critical=_critical)
"""The average of gradients: the heavy ball with the learning rate (1 - momentum) lr."""

QUASI_HYPERBOLIC: Final = (
    Identity("nu = 0", lambda momentum, parameters: np.equal(parameters[0], 0.0),
             Form("sgd", sums_gradients=True)),
    Identity("nu = 1", lambda momentum, parameters: np.equal(parameters[0], 1.0), AVERAGE),
    Identity("nu = momentum", lambda momentum, parameters: _close(parameters[0], momentum),
             Form("nesterov", _averaged, sums_gradients=True)),
)  # fmt: skip
"""From Ma and Yarats 2019. For the last, put u = -lr v: then ``u' = m u - lr (1 - m) g`` and
``w' = w + m u' - lr (1 - m) g``, which is Nesterov's rule in Keras' form."""


def _undampened(momentum: Any, parameters: Values) -> Any:
    return 1.0 - parameters[0] * (momentum > 0)


RULES: Final = (
    Rule("sgd", "Gradient descent", "w' = w - lr*g", "Cauchy 1847", sgd, Form("sgd"),
         uses_momentum=False),
    Rule("momentum", "Momentum (heavy ball)", "v' = momentum*v - lr*g; w' = w + v'",
         "the heavy ball, Polyak 1964, in Keras' form", momentum, Form("momentum")),
    Rule("nesterov", "Nesterov momentum",
         "v' = momentum*v - lr*g; w' = w + momentum*v' - lr*g",
         "Nesterov 1983, in Keras' form: Bengio, Boulanger-Lewandowski and Pascanu 2013",
         nesterov, Form("nesterov")),
    Rule("sutskever", "Nesterov momentum (Sutskever's form)",
         "v' = momentum*v - lr*g, g taken at w + momentum*v; w' = w + v'",
         "Nesterov's in the form of Sutskever, Martens, Dahl and Hinton 2013",
         momentum, Form("nesterov", looks_ahead=True), gradient_point=ahead),
    Rule("pytorch", "PyTorch's momentum",
         "v' = momentum*v + (1 - dampening)*g, the first time and without momentum "
         "v' = momentum*v + g; w' = w - lr*v'",
         "torch.optim.SGD(momentum, dampening), from rest",
         pytorch, Form("momentum", _undampened, sums_gradients=True,
                       only_first=lambda parameters: parameters[0]),
         parameters=(Parameter("dampening", "part of the gradient left out from the second "
                               "update on", 0.0, 0.0, 1.0),)),
    Rule("ema", "Moving average of gradients",
         "v' = momentum*v + (1 - momentum)*g; w' = w - lr*v'",
         "Ma and Yarats 2019; Adam's first moment without bias correction",
         ema, AVERAGE),
    Rule("qhm", "Quasi-hyperbolic momentum",
         "v' = momentum*v + (1 - momentum)*g; w' = w - lr*((1 - nu)*g + nu*v')",
         "Ma and Yarats 2019", qhm,
         Form("qhm", sums_gradients=True, identities=QUASI_HYPERBOLIC),
         parameters=(Parameter("nu", "share of the average in the step", 0.7, 0.0, 1.0,
                               high_open=False),)),
)  # fmt: skip
"""In the order of their tables."""
