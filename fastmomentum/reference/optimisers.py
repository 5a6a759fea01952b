"""The optimisers in plain NumPy: slow, and obvious enough to be checked by reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np

from fastmomentum.rules.choice import UpdateRule


class Optimiser:
    """Base of the optimisers: anything that updates parameters in place.

    Attributes
    ----------
    rule : str
        The rule of the registry that the class implements.
    v : dict or None
        Velocities by key, if the rule has them; zeros at the first update.
    """

    rule: ClassVar[str]
    v: dict[str, Any] | None = None

    def gradient_point(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where the gradient is computed: at the parameters, for most rules.

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


def zeros_like(params: dict[str, Any]) -> dict[str, Any]:
    """Zeros of the same shapes; plain floats stay floats."""
    return {k: 0.0 if isinstance(p, float | int) else np.zeros_like(p) for k, p in params.items()}


def optimiser(rule: str | UpdateRule, lr: Any, momentum: Any, velocity: Any = None) -> Optimiser:
    """The optimiser for a rule of the registry.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule, such as "momentum".
    lr, momentum : float or ndarray
        Its settings.
    velocity : dict of float or ndarray, optional
        First velocities, by the keys of the parameters; zeros where left out.

    Returns
    -------
    Optimiser
        A new one.
    """
    found = UpdateRule.parse(rule)
    kinds = {kind.rule: kind for kind in _below(Optimiser)}
    own = {p.name: value for p, value in zip(found.rule.parameters, found.parameters, strict=True)}
    settings = {"lr": lr, "momentum": momentum} if found.rule.uses_momentum else {"lr": lr}
    walker = kinds[found.name](**settings, **own)
    walker.v = velocity
    return walker


def _below(kind: type[Optimiser]) -> Iterator[type[Optimiser]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)
