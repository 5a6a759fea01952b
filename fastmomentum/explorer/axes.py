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
"""Narrowest window, in spacings of doubles."""

NARROW: Final = 1.01
"""Ratio of a window's ends below which its cells are evenly spaced: a log would lose digits."""

LARGEST: Final = 1e300
USUAL_LR: Final[Range] = (1e-4, 1.0)
USUAL_OPTIONS: Final = {"weight_decay": 0.1, "decoupled_weight_decay": 0.1, "clip": 10.0}
"""Upper end of the window for options that are off by default."""


def names_of(objective: Objective, rule: UpdateRule) -> list[str]:
    """Names of the quantities that a map may be drawn over, as in results.

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
    """Smallest and largest possible value of a quantity."""
    if name == "lr":
        return 1 / LARGEST, LARGEST
    if name == "momentum":
        return 0.0, 1.0
    for parameter in rule.settable:
        if parameter.name == name:
            return parameter.low, min(parameter.high, LARGEST)
    return -LARGEST, LARGEST


def usual_window(name: str, objective: Objective, rule: UpdateRule) -> Range:
    """The window that a map starts with.

    Parameters
    ----------
    name : str
        One of `names_of`.
    objective, rule
        As there.

    Returns
    -------
    (float, float)
        Around the largest stable learning rate of theory; of others, their usual range.

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
    """A window within limits, and no narrower than doubles allow.

    Parameters
    ----------
    name : str
        One of `names_of`.
    window : (float, float)
        Its ends, as a gesture left them.
    rule : UpdateRule
        Its parameters have limits of their own.

    Returns
    -------
    window : (float, float)
        The window to show.
    ended : bool
        Whether doubles end here, and it had to be widened.

    Raises
    ------
    InputError
        Nothing of the window lies within the limits.

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
    """The axis of an experiment for a window: the centres of its cells.

    Parameters
    ----------
    name : str
        One of `names_of`; learning rates are evenly spaced in the logarithm.
    window : (float, float)
        Outer edges of the first and the last cell.
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
    """Centres of the pixels of a window, evenly spaced on the screen."""
    low, high = window
    even = (np.arange(num) + 0.5) / num
    if name == "lr":
        return np.asarray(np.exp(np.log(low) + even * (np.log(high) - np.log(low))))
    return np.asarray(low + even * (high - low))


def enlarged(name: str, window: Range, factor: float, shift: float = 0.0) -> Range:
    """A window scaled about its centre by a factor, and shifted by a share of its width."""
    low, high = window
    if name == "lr" and high > NARROW * low:
        low, high = math.log(low), math.log(high)
        low, high = enlarged("", (low, high), factor, shift)
        return math.exp(max(low, -690.0)), math.exp(min(high, 690.0))
    middle = low / 2 + high / 2 + shift * (high - low)
    half = factor * (high / 2 - low / 2)
    return middle - half, middle + half
