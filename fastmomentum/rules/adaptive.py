"""Rules that scale each coordinate by the history of its gradients: Adam and its relatives.

All take ``(w, states, g, lr, momentum, parameters, shared, t)`` and give ``(w, states)``, as the
rules of `fastmomentum.rules.momentum` do. Where frameworks differ, the docstring says which
one is followed: in float64 each visits the points of PyTorch, or of optax where it says so.
"""

from __future__ import annotations

from typing import Any, Final

from fastmomentum.elementary import select, sqrt
from fastmomentum.rules.base import Parameter, Rule

Kept = tuple[Any, ...]
Moved = tuple[Any, Kept]


def betas_taken(shared: Kept, momentum: Any, parameters: Kept) -> Kept:
    """Products of the betas over all updates, this one included, for the bias correction.

    Examples
    --------
    >>> betas_taken((1.0, 1.0), 0.5, (0.25, 1e-8))
    (0.5, 0.25)
    """
    return shared[0] * momentum, shared[1] * parameters[0]


def adam(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Adam: averages of g and of g^2, both corrected for their start at 0.

    ``v' = m v + (1 - m) g``, ``s' = beta2 s + (1 - beta2) g^2``,
    ``w' = w - lr (v'/(1 - m^(t+1))) / (sqrt(s'/(1 - beta2^(t+1))) + eps)``. The momentum m is
    beta1; eps stands outside the root, as in the paper, PyTorch and optax. Keras and the end of the
    paper's section 2 fold the corrections into lr: there eps is added before the bias is corrected,
    so the paths agree only for eps = 0.

    References
    ----------
    Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.

    Examples
    --------
    >>> w, states = adam(1.0, (0.0, 0.0), 2.0, 0.25, 0.5, (0.75, 0.0), (0.5, 0.75), 0.0)
    >>> float(w), states
    (0.75, (1.0, 1.0))
    """
    v, s = states
    beta2, eps = parameters
    v = momentum * v + (1.0 - momentum) * g
    s = beta2 * s + (1.0 - beta2) * (g * g)
    # Divisions are slow: both coordinates share the correction of s, and the correction of v is
    # folded into the one division that is left for each.
    root = sqrt(s * (1.0 / (1.0 - shared[1]))) + eps
    return w - lr * v / ((1.0 - shared[0]) * root), (v, s)


def nadam(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Adam with Nesterov's look-ahead, as in optax (``nesterov=True``).

    Adam's corrected average is replaced by
    ``m v'/(1 - m^(t+2)) + (1 - m) g/(1 - m^(t+1))``. PyTorch and Keras use schedules instead of
    these m, ``m (1 - 0.96^(t/250)/2)`` and ``m (1 - 0.96^t/2)``: other rules, not implemented.

    References
    ----------
    Dozat, "Incorporating Nesterov momentum into Adam", 2016; ``optax.nadam``.

    Examples
    --------
    >>> w, states = nadam(1.0, (0.0, 0.0), 2.0, 0.25, 0.5, (0.75, 0.0), (0.5, 0.75), 0.0)
    >>> states
    (1.0, 1.0)
    """
    v, s = states
    beta2, eps = parameters
    v = momentum * v + (1.0 - momentum) * g
    s = beta2 * s + (1.0 - beta2) * (g * g)
    ahead = momentum / (1.0 - shared[0] * momentum)  # which both coordinates share, as in adam
    here = (1.0 - momentum) / (1.0 - shared[0])
    root = sqrt(s * (1.0 / (1.0 - shared[1]))) + eps
    return w - lr * (ahead * v + here * g) / root, (v, s)


def rmsprop(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """RMSProp: the gradient over the root of its average square, then momentum.

    ``s' = rho s + (1 - rho) g^2``, ``v' = m v + g/(sqrt(s') + eps)``, ``w' = w - lr v'``; eps
    stands outside the root, as in PyTorch and in optax with ``eps_in_sqrt=False``; optax by default
    and Keras have it inside. Those two accumulate lr times the scaled gradient, which is the same
    if lr is constant.

    References
    ----------
    Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012;
    ``torch.optim.RMSprop(alpha=rho, momentum=m)``.

    Examples
    --------
    >>> w, states = rmsprop(1.0, (0.0, 0.0), 2.0, 0.25, 0.5, (0.75, 0.0), (), 0.0)
    >>> float(w), states[1]
    (0.5, 1.0)
    """
    v, s = states
    rho, eps = parameters
    s = rho * s + (1.0 - rho) * (g * g)
    v = momentum * v + g / (sqrt(s) + eps)
    return w - lr * v, (v, s)


def adagrad(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """AdaGrad: ``s' = s + g^2``, ``w' = w - lr g/(sqrt(s') + eps)``.

    s begins at 0 and eps stands outside the root, as in PyTorch; in optax and Keras, by default, s
    begins at 0.1 and eps is inside.

    References
    ----------
    Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic
    optimization", 2011; ``torch.optim.Adagrad``.

    Examples
    --------
    >>> w, states = adagrad(1.0, (0.0,), 2.0, 0.25, 0.0, (0.0,), (), 0.0)
    >>> float(w), states
    (0.75, (4.0,))
    """
    (s,) = states
    (eps,) = parameters
    s = s + g * g
    return w - lr * (g / (sqrt(s) + eps)), (s,)


def lion(
    w: Any, states: Kept, g: Any, lr: Any, momentum: Any, parameters: Kept, shared: Kept, t: Any
) -> Moved:
    """Lion: ``w' = w - lr sign(m v + (1 - m) g)``, ``v' = beta2 v + (1 - beta2) g``.

    The same in optax and Keras.

    References
    ----------
    Chen et al., "Symbolic discovery of optimization algorithms", 2023; ``optax.lion``.

    Examples
    --------
    >>> w, states = lion(1.0, (0.0,), 2.0, 0.25, 0.5, (0.75,), (), 0.0)
    >>> float(w), states
    (0.75, (0.5,))
    """
    (v,) = states
    (beta2,) = parameters
    c = momentum * v + (1.0 - momentum) * g
    sign = select(c > 0.0, 1.0, select(c < 0.0, -1.0, c))  # NaN stays NaN
    return w - lr * sign, (beta2 * v + (1.0 - beta2) * g,)


BETA2: Final = Parameter("beta2", "decay of the average of squares", 0.999, 0.0, 1.0)
EPS: Final = Parameter("eps", "added to the root", 1e-8)

RULES: Final = (
    Rule("adam", "Adam",
         "v' = momentum*v + (1 - momentum)*g; s' = beta2*s + (1 - beta2)*g^2; "
         "w' = w - lr*v'/(1 - momentum^t)/(sqrt(s'/(1 - beta2^t)) + eps)",
         "Kingma and Ba 2015, algorithm 1", adam, None, states=("velocity", "square"),
         parameters=(BETA2, EPS), shared=(1.0, 1.0), advance=betas_taken),
    Rule("nadam", "NAdam",
         "v', s' as adam; w' = w - lr*(momentum*v'/(1 - momentum^(t+1)) + (1 - momentum)*g/"
         "(1 - momentum^t))/(sqrt(s'/(1 - beta2^t)) + eps)",
         "Dozat 2016, as optax has it", nadam, None, states=("velocity", "square"),
         parameters=(BETA2, EPS), shared=(1.0, 1.0), advance=betas_taken),
    Rule("rmsprop", "RMSProp",
         "s' = rho*s + (1 - rho)*g^2; v' = momentum*v + g/(sqrt(s') + eps); w' = w - lr*v'",
         "Tieleman and Hinton 2012, in PyTorch's form", rmsprop, None,
         states=("velocity", "square"),
         parameters=(Parameter("rho", "decay of the average of squares", 0.99, 0.0, 1.0), EPS)),
    Rule("adagrad", "AdaGrad", "s' = s + g^2; w' = w - lr*g/(sqrt(s') + eps)",
         "Duchi, Hazan and Singer 2011", adagrad, None, uses_momentum=False, states=("square",),
         parameters=(Parameter("eps", "added to the root", 1e-10),)),
    Rule("lion", "Lion",
         "w' = w - lr*sign(momentum*v + (1 - momentum)*g); v' = beta2*v + (1 - beta2)*g",
         "Chen et al. 2023", lion, None,
         parameters=(Parameter("beta2", "decay of the velocity", 0.99, 0.0, 1.0),)),
)  # fmt: skip
"""In the order of their tables."""
