"""Ranges of values: exact ends despite rounding, and the same bits on every machine."""

from __future__ import annotations

import math
from decimal import Context

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def geometric(first: float, last: float, num: int) -> Values:
    """Values evenly spaced in the logarithm, the ends exact, the same bits on every machine.

    ``numpy.geomspace`` goes through powers, whose last bit depends on the machine; fifty decimal
    digits do not.

    Parameters
    ----------
    first, last : float
        Ends, positive.
    num : int
        How many values.

    Returns
    -------
    ndarray, shape (num,)
        From `first` to `last`.

    Examples
    --------
    >>> geometric(1.0, 100.0, 3)
    array([  1.,  10., 100.])
    """
    if num == 1:
        return np.array([first])
    c = Context(prec=50, rounding="ROUND_HALF_EVEN", traps=[])
    value, end = c.create_decimal_from_float(first), c.create_decimal_from_float(last)
    logarithm = c.divide(c.ln(c.divide(end, value)), c.create_decimal(num - 1))
    ratio = c.exp(logarithm)
    values = np.empty(num)
    for i in range(num):
        values[i] = float(value)
        value = c.multiply(value, ratio)
    values[-1] = last
    return values


def steps_within(first: float, end: float, step: float) -> int:
    """How many values `stepped` would give, or one more, without computing them.

    Parameters
    ----------
    first, end, step : float
        As for `stepped`.

    Returns
    -------
    int
        At most 2^62.

    Examples
    --------
    >>> steps_within(0.0, 1.0, 1e-12), steps_within(0.0, 1.0, -1.0)
    (1000000000000, 0)
    """
    return math.ceil(min(max((end - first) / step, 0.0), 2.0**62))


def stepped(first: float, end: float, step: float) -> Values:
    """Values a step apart, the end not included.

    Because of rounding, ``numpy.arange`` may include the end or a value beyond it.

    Parameters
    ----------
    first, end : float
        The first value, and the end that is not reached.
    step : float
        Of either sign, not 0.

    Returns
    -------
    ndarray
        From `first` on.

    Examples
    --------
    >>> stepped(1.0, 1.3, 0.1)
    array([1. , 1.1, 1.2])
    """
    values = first + step * np.arange(steps_within(first, end, step), dtype=float)
    return values[values < end] if step > 0 else values[values > end]
