"""The options common to all rules in plain NumPy, wrapped around any optimiser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.reference.optimisers import Optimiser
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.schedules import Schedule


class Modified:
    """An optimiser with clipping, decay and restarts.

    Parameters
    ----------
    optimiser : Optimiser
        Any, with an attribute ``lr``.
    weight_decay, decoupled_weight_decay, clip, restart
        As for `UpdateRule`; the defaults do nothing.
    value : callable, optional
        ``value(params)``, the objective; needed for the restart by function.

    Attributes
    ----------
    restarted : bool or ndarray of bool
        Where the last update ended with a velocity of 0.

    Raises
    ------
    InputError
        The restart by function has no function.

    Examples
    --------
    >>> from fastmomentum.reference import SGD
    >>> params = {"a": 1.0}
    >>> Modified(SGD(lr=0.25), clip=1.0, weight_decay=1.0).update(params, {"a": 4.0})
    >>> float(params["a"])
    0.5
    """

    def __init__(
        self,
        optimiser: Optimiser,
        weight_decay: Any = 0.0,
        decoupled_weight_decay: Any = 0.0,
        clip: Any = np.inf,
        restart: str | None = None,
        value: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        if restart == "function" and value is None:
            raise InputError("restart='function' needs the objective: give it as value=...")
        self.optimiser = optimiser
        self.weight_decay, self.decoupled, self.clip = weight_decay, decoupled_weight_decay, clip
        self.restart, self.value = restart, value
        self.restarted: Any = False
        self.made = 0
        self.restarted_at: Any = 0

    @classmethod
    def of(
        cls,
        rule: str | UpdateRule,
        optimiser: Optimiser,
        value: Callable[[dict[str, Any]], Any] | None = None,
    ) -> Self:
        """Wrap an optimiser with the options of a rule."""
        found = UpdateRule.parse(rule)
        return cls(optimiser, **found.options, restart=found.restart, value=value)

    def follow(self, schedule: Schedule, lr: Any, t: int) -> None:
        """Set the learning rate and momentum of an update from a schedule.

        Parameters
        ----------
        schedule : Schedule
            Both, or one of them.
        lr : float or ndarray
            The run's own learning rate.
        t : int
            Updates made before. With restarts, the momentum schedule counts from the last.
        """
        factors = schedule.lr_factors(t, 1)
        if factors is not None:
            setattr(self.optimiser, "lr", lr * factors[0])  # noqa: B010  (all have one)
        if schedule.momentum is not None:
            since = np.asarray(t - self.restarted_at, np.int64)
            momentum = schedule.momentum[0].values(since) if self.restart else None
            alike = schedule.momenta(t, 1)
            assert alike is not None
            setattr(self.optimiser, "momentum", alike[0] if momentum is None else momentum)  # noqa: B010

    def gradient_point(self, params: dict[str, Any]) -> dict[str, Any]:
        """Where the gradient is to be taken; see `Optimiser.gradient_point`."""
        return self.optimiser.gradient_point(params)

    def update(self, params: dict[str, Any], grads: dict[str, Any]) -> None:
        """Update every parameter in place.

        Parameters
        ----------
        params, grads : dict of float or ndarray
            Parameters and the objective's gradients, by the same keys.
        """
        before = {key: np.copy(value) for key, value in params.items()}
        if np.any(np.isfinite(self.clip)):
            grads = self._clipped(grads)
        if np.any(self.weight_decay):
            at = self.gradient_point(params)
            grads = {key: g + self.weight_decay * at[key] for key, g in grads.items()}
        self.optimiser.update(params, grads)
        if np.any(self.decoupled):
            part = getattr(self.optimiser, "lr") * self.decoupled  # noqa: B009  (all have one)
            for key in params:
                params[key] -= part * before[key]
        if self.restart is not None:
            self._restart(before, params, grads)
        self.made += 1
        self.restarted_at = np.where(self.restarted, self.made, self.restarted_at)

    def _clipped(self, grads: dict[str, Any]) -> dict[str, Any]:
        """Gradients of norm `clip` at most; scaled first, so that no square overflows."""
        largest: Any = 0.0
        for g in grads.values():
            largest = np.where(np.abs(g) > largest, np.abs(g), largest)
        unit = np.where(largest > 0.0, largest, 1.0)
        norm = unit * np.sqrt(sum(np.square(g / unit) for g in grads.values()))
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(norm > self.clip, self.clip / norm, 1.0)
        return {key: g * factor for key, g in grads.items()}

    def _restart(
        self, before: dict[str, Any], params: dict[str, Any], grads: dict[str, Any]
    ) -> None:
        v = self.optimiser.v
        assert v is not None  # an update was made
        if self.value is not None and self.restart == "function":
            self.restarted = self.value(params) > self.value(before)
        else:
            form = UpdateRule(name=self.optimiser.rule).rule.form
            along = -1.0 if form is not None and form.sums_gradients else 1.0
            self.restarted = along * sum(grads[key] * v[key] for key in params) > 0.0
        for key in v:
            v[key] = np.where(self.restarted, 0.0, v[key])
