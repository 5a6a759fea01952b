"""Options of every rule: weight decay, clipped gradients, restarts.

The order of an update: gradient, noise, clip, weight decay, the rule, decoupled decay, restart.
"""

from __future__ import annotations

from typing import Any, Final

from fastmomentum.elementary import select
from fastmomentum.rules.base import Parameter

OPTIONS: Final = (
    Parameter("weight_decay", "part of the point added to the gradient", 0.0),
    Parameter("decoupled_weight_decay", "part of the point, times lr, taken off at an update", 0.0),
    Parameter("clip", "largest norm of the gradient", float("inf"), 0.0, low_open=True),
)
"""Numbers that every rule takes; at its default, none does anything."""

OPTIONS_BY_NAME: Final = {option.name: option for option in OPTIONS}

RESTARTS: Final = {
    "function": "when f rose in the update",
    "gradient": "when the gradient points along the new velocity",
}
"""When a velocity is reset to 0, by name; both from O'Donoghue and Candes."""


def decayed(g: Any, at: Any, weight_decay: Any) -> Any:
    """Gradient with weight decay: ``g + weight_decay*w``, w where the gradient was taken.

    So every rule descends ``f(w) + weight_decay |w|^2/2``, whatever its form.

    Examples
    --------
    >>> float(decayed(2.0, 4.0, 0.25))
    3.0
    """
    return select(weight_decay > 0.0, g + weight_decay * at, g)  # at 0 the bits of the plain rule


def taken_off(to: Any, w: Any, part: Any) -> Any:
    """Decoupled decay: ``w' - part*w``, where the part is ``lr*decoupled_weight_decay``.

    References
    ----------
    Loshchilov and Hutter, "Decoupled weight decay regularization", 2019; as in
    ``torch.optim.AdamW``, where lr includes the factor of a schedule.

    Examples
    --------
    >>> float(taken_off(1.0, 4.0, 0.125))
    0.5
    """
    return select(part > 0.0, to - part * w, to)


def larger(largest: Any, g: Any, _: Any) -> Any:
    """Largest size of a coordinate of the gradient so far; NaN is ignored.

    Examples
    --------
    >>> float(larger(2.0, -3.0, None))
    3.0
    """
    return select(abs(g) > largest, abs(g), largest)


def unit(largest: Any) -> Any:
    """What coordinates are divided by before they are squared, so that no square overflows.

    Examples
    --------
    >>> float(unit(3.0)), float(unit(0.0))
    (3.0, 1.0)
    """
    return select(largest > 0.0, largest, 1.0)


def clipping(norm: Any, clip: Any) -> Any:
    """Factor on a gradient: ``min(1, clip/norm)``, exactly, with nothing added to the norm.

    References
    ----------
    Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", 2013;
    ``optax.clip_by_global_norm``. PyTorch's ``clip_grad_norm_`` adds 1e-6 to the norm.

    Examples
    --------
    >>> float(clipping(5.0, 2.5)), float(clipping(2.0, 2.5))
    (0.5, 1.0)
    """
    return select(norm > clip, clip / norm, 1.0)


def summed(total: Any, one: Any, other: Any) -> Any:
    """Add a term to an inner product.

    Examples
    --------
    >>> summed(1.0, 2.0, 3.0)
    7.0
    """
    return total + one * other
