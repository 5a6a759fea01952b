"""What a map may be drawn over: settings of an objective and a rule, and their ranges."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.theory import largest_stable_lr

Range = tuple[float, float]

SPACINGS: Final = 1e4
"""Spacings of doubles that a window has at least."""

NARROW: Final = 1.01
"""Windows whose ends are nearer by ratio are cut evenly: there the logarithm only costs digits."""

LARGEST: Final = 1e300
USUAL_LR: Final[Range] = (1e-4, 1.0)
USUAL_OPTIONS: Final = {"weight_decay": 0.1, "decoupled_weight_decay": 0.1, "clip": 10.0}
"""Where windows end of what does nothing at its default."""


def names_of(objective: Objective, rule: UpdateRule) -> list[str]:
    """What may vary over a map, by its name in results.

    Parameters
    ----------
    objective : Objective
        What is descended.
    rule : UpdateRule
        How.

    Returns
    -------
    list of str
        The learning rate first.

    Examples
    --------
    >>> from fastmomentum.objectives import Rosenbrock
    >>> names_of(Rosenbrock(), UpdateRule(name="sgd"))  # doctest: +NORMALIZE_WHITESPACE
    ['lr', 'weight_decay', 'decoupled_weight_decay', 'clip', 'objective_a', 'objective_b',
     'start_x', 'start_y']
    """
    names = ["lr"]
    names += ["momentum"] if rule.rule.uses_momentum else []
    names += [parameter.name for parameter in rule.settable]
    names += [f"objective_{name}" for name in objective.named_constants]
    return names + [f"start_{name}" for name in objective.parameters]


def limits_of(name: str, rule: UpdateRule) -> Range:
    """Where a setting can lie at all."""
    if name == "lr":
        return 1 / LARGEST, LARGEST
    if name == "momentum":
        return 0.0, 1.0
    for parameter in rule.settable:
        if parameter.name == name:
            return parameter.low, min(parameter.high, LARGEST)
    return -LARGEST, LARGEST


def usual_window(name: str, objective: Objective, rule: UpdateRule) -> Range:
    """The window that a map begins with.

    Parameters
    ----------
    name : str
        One of `names_of`.
    objective, rule
        As there.

    Returns
    -------
    (float, float)
        Around what theory calls the largest stable learning rate, or all that can be.

    Examples
    --------
    >>> from fastmomentum.objectives import Quadratic
    >>> low, high = usual_window("lr", Quadratic(1.0, 0.0, 10.0), UpdateRule(name="momentum"))
    >>> low < 0.2 < high
    True
    """
    if name == "lr":
        return _usual_lr(objective, rule)
    if name == "momentum":
        return 0.0, 1.0
    if name.startswith("start_"):
        return objective.box[objective.parameters.index(name.removeprefix("start_"))]
    if name.startswith("objective_"):
        value = objective.named_constants[name.removeprefix("objective_")]
        return (min(0.0, 2 * value), max(0.0, 2 * value)) if value else (-1.0, 1.0)
    low, high = limits_of(name, rule)
    if high < LARGEST:
        return low, high
    usual = {parameter.name: parameter.default for parameter in rule.settable}[name]
    return low, low + (2 * usual if 0 < usual < LARGEST else USUAL_OPTIONS.get(name, 1.0))


def _usual_lr(objective: Objective, rule: UpdateRule) -> Range:
    try:
        stable = float(largest_stable_lr(objective, UpdateRule(name="sgd"), 0.0))
    except InputError:
        return USUAL_LR
    if rule.form is None and not rule.is_linear:  # its steps do not scale with the gradient
        return USUAL_LR
    return (0.02 * stable, 3 * stable) if 1e-100 < stable < 1e100 else USUAL_LR


def fitted(name: str, window: Range, rule: UpdateRule) -> tuple[Range, bool]:
    """A window as it can be shown.

    Parameters
    ----------
    name : str
        One of `names_of`.
    window : (float, float)
        As a gesture left it.
    rule : UpdateRule
        Its parameters have limits.

    Returns
    -------
    window : (float, float)
        Within the limits, and not narrower than doubles allow.
    ended : bool
        Whether it was widened for that.

    Raises
    ------
    InputError
        It is no window at all.

    Examples
    --------
    >>> fitted("momentum", (-0.5, 0.5), UpdateRule(name="momentum"))
    ((0.0, 0.5), False)
    >>> fitted("momentum", (0.5, 0.5 + 1e-15), UpdateRule(name="momentum"))[1]
    True
    """
    low, high = sorted(window)
    least, most = limits_of(name, rule)
    low, high = max(low, least), min(high, most)
    if not low <= high:
        raise InputError(f"{name} must go from a lower to a higher number: got {window}")
    width = SPACINGS * math.ulp(max(abs(low), abs(high)))
    if high - low >= width:
        return (low, high), False
    middle = min(max(low / 2 + high / 2, least + width / 2), most - width / 2)
    return (middle - width / 2, middle + width / 2), True


def table(name: str, window: Range, num: int) -> dict[str, object]:
    """The axis of a window in an experiment: the middles of its cells.

    Parameters
    ----------
    name : str
        One of `names_of`; learning rates are evenly spaced in the logarithm.
    window : (float, float)
        The outer edges of the first and the last cell.
    num : int
        How many cells.

    Returns
    -------
    dict
        As in an experiment file.

    Examples
    --------
    >>> table("momentum", (0.0, 1.0), 2)
    {'linspace': [0.25, 0.75], 'num': 2}
    """
    low, high = window
    if name == "lr" and high > NARROW * low:
        half = (math.log(high) - math.log(low)) / (2 * num)
        ends = [math.exp(math.log(low) + half), math.exp(math.log(high) - half)]
        return {"logspace": ends, "num": num}
    half = (high / 2 - low / 2) / num
    return {"linspace": [low + half, high - half], "num": num}


def places(name: str, window: Range, num: int) -> NDArray[np.float64]:
    """Middles of the pixels of a window, evenly spaced as it is drawn."""
    low, high = window
    even = (np.arange(num) + 0.5) / num
    if name == "lr":
        return np.asarray(np.exp(np.log(low) + even * (np.log(high) - np.log(low))))
    return np.asarray(low + even * (high - low))


def enlarged(name: str, window: Range, factor: float, shift: float = 0.0) -> Range:
    """A window as many times as wide about its middle, and moved by a part of its width."""
    low, high = window
    if name == "lr" and high > NARROW * low:
        low, high = math.log(low), math.log(high)
        low, high = enlarged("", (low, high), factor, shift)
        return math.exp(max(low, -690.0)), math.exp(min(high, 690.0))
    middle = low / 2 + high / 2 + shift * (high - low)
    half = factor * (high / 2 - low / 2)
    return middle - half, middle + half
