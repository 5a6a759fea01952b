"""Rules that are one method under several names, and how their settings translate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.rules.base import Form
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.rules.varying import VaryingRule
from fastmomentum.schedules import Schedule
from fastmomentum.specification.numbers import numbers
from fastmomentum.theory.linear import Floats, RuleLike, known


class Settings(NamedTuple):
    """Settings of runs; see `convert`."""

    rule: UpdateRule
    lr: Floats
    momentum: Floats
    start: Floats
    velocity: Floats


def method(rule: RuleLike, momentum: ArrayLike | None = None) -> str:
    """The method that a rule is a form of: "sgd", "momentum" or "nesterov".

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has parameters.
    momentum : array_like, optional
        Momenta, which matter for "qhm": nu = momentum is Nesterov's rule.

    Returns
    -------
    str
        The rule itself, in words, where it is a form of no other: such as "qhm" with another nu.

    Raises
    ------
    InputError
        There is no such rule.

    Examples
    --------
    >>> method("ema")
    'momentum'
    >>> method(UpdateRule(name="qhm", nu=0.5)), method(UpdateRule(name="qhm", nu=0.5), 0.5)
    ('qhm', 'nesterov')
    """
    found = known(rule)
    if found.form is None:
        return found.words
    return _form(found, None if momentum is None else numbers(momentum, "momentum")).method


def scale(rule: RuleLike, momentum: ArrayLike) -> Floats:
    """Learning rate of the method, where the rule's own is 1.

    Parameters
    ----------
    rule : str or UpdateRule
        The rule; an `UpdateRule` if it has a dampening.
    momentum : array_like
        Momenta.

    Returns
    -------
    ndarray, shape of `momentum`
        1 - dampening for PyTorch's rule where m > 0, 1 - m for the average of gradients and for
        "qhm" where nu is 1 or the momentum, 1 for the others.

    Raises
    ------
    InputError
        There is no such rule.

    Examples
    --------
    >>> scale("ema", [0.0, 0.75]).tolist()
    [1.0, 0.25]
    """
    found, m = known(rule), numbers(momentum, "momentum")
    return np.asarray(m * 0.0 + _form(found, m).scale(m, found.parameters), float)


def convert(
    rule: RuleLike,
    to: RuleLike,
    lr: ArrayLike,
    momentum: ArrayLike,
    start: ArrayLike = (0.0, 0.0),
    velocity: ArrayLike = (0.0, 0.0),
    gradient: ArrayLike | None = None,
    schedule: Schedule | Mapping[str, Any] | None = None,
) -> Settings:
    """Settings with which another rule takes the same path.

    Sutskever's form keeps the point w where Keras' keeps w + momentum*v; its start, and each later
    point, differs by that. All other forms go through the same points. "qhm" is plain gradient
    descent with nu = 0, "ema" with nu = 1, and Nesterov's rule with the learning rate
    lr (1 - momentum) where nu is the momentum; with another nu it is a form of no other rule.

    Parameters
    ----------
    rule, to : str or UpdateRule
        The two rules; an `UpdateRule` if it has a dampening or a nu.
    lr, momentum : array_like
        Settings; shapes that broadcast.
    start, velocity : array_like, shape (..., 2)
        First point and velocity; ``...`` broadcasts with the settings.
    gradient : array_like, shape (..., 2), optional
        Gradient at the start; needed with a dampening, as the first update is not dampened.
    schedule : Schedule, optional
        Schedule of the runs: with one, forms of a method take different paths: an error.

    Returns
    -------
    Settings
        ``rule``, ``lr``, ``momentum``, ``start`` and ``velocity`` of the other; momentum and
        velocity are 0 for a rule without.

    Raises
    ------
    InputError
        A learning rate is not positive, or a momentum not in [0, 1); the two are forms of different
        methods, and the momentum is not 0; a dampening needs the gradient; or there is a
        schedule.

    References
    ----------
    Sutskever et al. 2013 and Bengio et al. 2013 for the two forms of Nesterov's; Ma and Yarats,
    "Quasi-hyperbolic momentum and Adam for deep learning", 2019, for the average of gradients and
    what "qhm" recovers; PyTorch's documentation of ``torch.optim.SGD``.

    Examples
    --------
    >>> other = convert("momentum", "ema", lr=0.01, momentum=0.9)
    >>> other.lr.round(12).item()
    0.1
    >>> convert("nesterov", UpdateRule(name="qhm", nu=0.75), lr=0.01, momentum=0.75).lr.item()
    0.04
    """
    rule, to = _of_numbers(rule), _of_numbers(to)
    if schedule is not None and rule != to:
        raise InputError(
            f"with a schedule ({Schedule.parse(schedule).words}) {rule.name} and {to.name} take "
            "different paths: forms of one method differ once settings change"
        )
    if rule == to:  # before a gradient is asked for
        gradient = (0.0, 0.0)
    eta, m = numbers(lr, "lr"), numbers(momentum, "momentum")
    _require("lr", "be positive", eta, (eta > 0) & (eta < np.inf))
    _require("momentum", "lie in [0, 1)", m, (m >= 0) & (m < 1))
    _require_one_method(rule, to, m)
    point, v = numbers(start, "start"), numbers(velocity, "velocity")
    wide, each = m[..., None], eta[..., None]

    # To the method's own form.
    one, other = _form(rule, m), _form(to, m)
    if one.sums_gradients:
        v = -each * (v + _undampened(rule, wide, gradient))
    eta = eta * scale(rule, m)
    if one.looks_ahead:
        point = point + wide * v

    # And from it.
    eta = eta / scale(to, m)
    if other.sums_gradients:
        v = -v / eta[..., None] - _undampened(to, wide, gradient)
    if other.looks_ahead:
        point = point - wide * v
    v = v + 0.0  # no -0
    if not to.rule.uses_momentum:
        m, v = np.zeros_like(m), np.zeros_like(v)
    return Settings(to, eta, m, point, v)


def _of_numbers(rule: RuleLike) -> UpdateRule:
    found = known(rule)
    if isinstance(found, VaryingRule):
        raise InputError(
            f"convert takes a rule whose parameters are numbers: got {found.name} with arrays; "
            "convert it value by value"
        )
    return found


def _form(rule: UpdateRule | VaryingRule, momentum: Floats | None = None) -> Form:
    """What a rule is a form of, at these momenta where they are given."""
    if rule.form is None:
        raise InputError(f"the rule {rule.words} is a form of no other: it takes its own paths")
    return rule.form if momentum is None else rule.form.at(rule.parameters, momentum)


def _require(name: str, must: str, values: Floats, fit: NDArray[np.bool_]) -> None:
    if not fit.all():
        raise InputError(f"{name} must {must}: got {values[~fit][0].item()!r}")


def _require_one_method(rule: UpdateRule, to: UpdateRule, momentum: Floats) -> None:
    one, other = _form(rule, momentum), _form(to, momentum)
    alone = [found for found, form in ((rule, one), (to, other)) if form.identities]
    if alone and rule.parameters != to.parameters and momentum.any():
        names = " and ".join(map(_with_parameters, (rule, to)))
        known_as = ", ".join(
            f"of {identity.form.method} where {identity.words}"
            for identity in _form(alone[0]).identities
        )
        raise InputError(
            f"{names} agree for no settings but momentum 0: {alone[0].name} is a form "
            f"{known_as}, and of no other rule elsewhere"
        )
    if one.method != other.method and momentum.any():
        raise InputError(
            f"{rule.words} and {to.words} are forms of different methods, {one.method} and "
            f"{other.method}: they agree for no settings but momentum 0"
        )


def _with_parameters(rule: UpdateRule) -> str:
    pairs = zip(rule.rule.parameters, rule.parameters, strict=True)
    said = ", ".join(f"{parameter.name} {value:g}" for parameter, value in pairs)
    return rule.name + (f" with {said}" if said else "")


def _undampened(rule: UpdateRule, momentum: Floats, gradient: ArrayLike | None) -> Floats | float:
    """Velocity that would have given the first update the part of the gradient that it keeps."""
    part = _form(rule, momentum).only_first(rule.parameters)
    if not part or not momentum.any():
        return 0.0
    if gradient is None:
        raise InputError(
            "the first update of a rule with dampening is not dampened: give the gradient at the "
            "start"
        )
    moved = momentum > 0  # without momentum the velocity does not matter
    missing = part * numbers(gradient, "gradient") / np.where(moved, momentum, 1.0)
    return np.where(moved, missing, 0.0)
