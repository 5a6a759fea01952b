"""Update rules: a pure function for one coordinate, and everything particular to the rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Values = tuple[float, ...]
Update = Callable[..., tuple[Any, tuple[Any, ...]]]
"""``update(w, states, g, lr, momentum, parameters, shared, t) -> (w, states)``."""
GradientPoint = Callable[[Any, tuple[Any, ...], Any], Any]
"""``gradient_point(w, states, momentum) -> w``."""
Advance = Callable[..., tuple[Any, ...]]
"""``advance(shared, momentum, parameters) -> shared``."""


@dataclass(frozen=True)
class Parameter:
    """A number that a rule has besides learning rate and momentum.

    Attributes
    ----------
    name : str
        Its key in an experiment file.
    meaning : str
        What it is, in a few words: the ``long_name`` in files, and help.
    default : float
        Its value where it is left out.
    low, high : float
        Ends of its range.
    low_open, high_open : bool
        Whether that end is excluded.
    """

    name: str
    meaning: str
    default: float
    low: float = 0.0
    high: float = float("inf")
    low_open: bool = False
    high_open: bool = True

    def allows(self, value: float) -> bool:
        """Whether a value lies in the range."""
        above = value > self.low if self.low_open else value >= self.low
        return above and (value < self.high if self.high_open else value <= self.high)

    @property
    def range(self) -> str:
        """The range for a message.

        Examples
        --------
        >>> Parameter("nu", "share of the average", 0.7, 0.0, 1.0, high_open=False).range
        'lie in [0, 1]'
        >>> Parameter("eps", "added to the root", 1e-8).range
        'be at least 0'
        """
        if self.high == float("inf"):
            return f"be greater than {self.low:g}" if self.low_open else f"be at least {self.low:g}"
        left, right = "(["[not self.low_open], "])"[self.high_open]
        return f"lie in {left}{self.low:g}, {self.high:g}{right}"


def at_point(w: Any, states: tuple[Any, ...], momentum: Any) -> Any:
    """Where most rules take the gradient: at the point itself."""
    return w


def unchanged(shared: tuple[Any, ...], momentum: Any, parameters: tuple[Any, ...]) -> Any:
    """The `advance` of rules whose coordinates share no state."""
    return shared


@dataclass(frozen=True)
class Identity:
    """Values of the parameters for which a rule is a form of another method.

    Attributes
    ----------
    words : str
        These values, for a message.
    holds : callable
        ``holds(momentum, parameters)``: whether the parameters have these values, as a bool or an
        array of bool. The momentum is NaN where it is not known.
    form : Form
        What the rule is a form of in that case.
    """

    words: str
    holds: Callable[[Any, Values], Any]
    form: Form


@dataclass(frozen=True)
class Form:
    """Which method a rule is a form of, and how its settings translate.

    Attributes
    ----------
    method : str
        Name of the rule that stands for the method.
    scale : callable
        ``scale(momentum, parameters)``: the method's learning rate where the rule's own is 1.
    sums_gradients : bool
        Whether the velocity is a sum or an average of gradients: the method's, divided by -lr.
    looks_ahead : bool
        Whether the rule keeps the point w where the method keeps w + momentum*v.
    only_first : callable
        ``only_first(parameters)``: the part of the gradient that only the first update uses.
    critical : callable, optional
        ``critical(product)``: the momentum of critical damping where lr times the curvature is
        `product`, if `scale` depends on the momentum.
    identities : tuple of Identity
        Values of the parameters for which the rule is a form of another method. For all other
        values such a rule is a method of its own.
    """

    method: str
    scale: Callable[[Any, Values], Any] = lambda momentum, parameters: 1.0
    sums_gradients: bool = False
    looks_ahead: bool = False
    only_first: Callable[[Values], float] = lambda parameters: 0.0
    critical: Callable[[Any], Any] | None = None
    identities: tuple[Identity, ...] = ()

    def at(self, parameters: Values, momentum: Any = float("nan")) -> Form:
        """The form at some parameters: that of the first identity that holds for all of them.

        Parameters
        ----------
        parameters : tuple of (float or ndarray)
            In the order of the registry.
        momentum : float or ndarray, optional
            Where it is known; at 0 the parameters do not matter, and every identity holds.

        Returns
        -------
        Form
            This one where no identity holds.

        Examples
        --------
        >>> from fastmomentum.rules import RULES
        >>> form = RULES["qhm"].form
        >>> form.at((1.0,)).method, form.at((0.9,)).method, form.at((0.9,), 0.9).method
        ('momentum', 'qhm', 'nesterov')
        """
        still = np.equal(momentum, 0.0)
        for identity in self.identities:
            if np.all(identity.holds(momentum, parameters) | still):
                return identity.form
        return self


@dataclass(frozen=True)
class Rule:
    """An update rule, with everything particular to it; no other code depends on its name.

    Attributes
    ----------
    name : str
        Its name in an experiment file.
    title : str
        Its name in a title.
    equation : str
        The rule as a line of text.
    source : str
        Where it comes from.
    update : callable
        ``update(w, states, g, lr, momentum, parameters, shared, t) -> (w, states)``, pure, for one
        coordinate; t is the number of updates made before, as a float.
    form : Form or None
        The method that it is a form of; None if it is not a linear map of point and velocity.
    uses_momentum : bool
        False where the grid has no momentum axis, and there is no velocity.
    states : tuple of str
        What a coordinate keeps between updates. The first is the velocity if the rule has one, and
        starts with the grid's; all others start at 0.
    parameters : tuple of Parameter
        What an experiment may set besides learning rate and momentum.
    gradient_point : callable
        ``gradient_point(w, states, momentum) -> w``, where the gradient is taken.
    shared : tuple of float
        State that all coordinates share, before the first update.
    advance : callable
        ``advance(shared, momentum, parameters) -> shared``, before each update.
    """

    name: str
    title: str
    equation: str
    source: str
    update: Update
    form: Form | None
    uses_momentum: bool = True
    states: tuple[str, ...] = ("velocity",)
    parameters: tuple[Parameter, ...] = ()
    gradient_point: GradientPoint = at_point
    shared: Values = ()
    advance: Advance = unchanged

    @property
    def restarts(self) -> bool:
        """Whether its velocity may be reset to 0: it has one, and it is linear in the gradient."""
        return self.uses_momentum and self.form is not None
