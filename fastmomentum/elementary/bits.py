"""What the functions of this package need besides + - * /: selection, rounding, bit patterns.

Each is exact, so every machine gives the same. They take numbers and NumPy arrays; kernels have an
overload of each that takes one or two instructions (`fastmomentum.kernels.bits`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

SHIFT: Final = 6755399441055744.0
"""1.5 * 2^52. Added to a number of absolute value below 2^51, it gives a double whose last bits are
those of the nearest whole number; subtracted again, it gives that number."""

ONE: Final = np.uint64(1)
SIGN: Final = np.uint64(1 << 63)
"""The sign bit of a pattern."""
BIAS: Final = np.uint64(1023)
EXPONENT: Final = np.uint64(52)
"""Where the exponent begins: the pattern of 2^n is ``(n + BIAS) << EXPONENT``."""


def select(condition: Any, one: Any, other: Any) -> Any:
    """Take ``one`` where the condition holds, elsewhere ``other``; both are computed.

    Parameters
    ----------
    condition : bool or ndarray of bool
        Its shape broadcasts with those of the others.
    one, other : float or ndarray
        The two choices.

    Returns
    -------
    float or ndarray
        Of the broadcast shape.

    Examples
    --------
    >>> select(np.array([True, False]), 1.0, 2.0)
    array([1., 2.])
    """
    return np.where(condition, one, other)[()]


def nearest(x: Any) -> Any:
    """Nearest whole number, ties to even; a zero is +0.0.

    Parameters
    ----------
    x : float or ndarray
        A number; infinities and NaN are returned unchanged.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Examples
    --------
    >>> nearest(np.array([0.4, 2.5, -1.7]))
    array([ 0.,  2., -2.])
    """
    return np.rint(x) + 0.0


def sqrt(x: Any) -> Any:
    """Square root: correctly rounded, as IEEE 754 requires of every machine.

    Parameters
    ----------
    x : float or ndarray
        A number; below 0 the root is NaN, and a zero keeps its sign.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Examples
    --------
    >>> sqrt(np.array([0.0, 4.0]))
    array([0., 2.])
    """
    return np.sqrt(x)


def bits_of(x: Any) -> Any:
    """The bit pattern of a double, as an unsigned integer.

    Examples
    --------
    >>> hex(bits_of(1.0))
    '0x3ff0000000000000'
    """
    return np.asarray(x, np.float64).view(np.uint64)[()]


def double_of(pattern: Any) -> Any:
    """The double with a given bit pattern.

    Examples
    --------
    >>> float(double_of(SIGN))
    -0.0
    """
    return np.asarray(pattern, np.uint64).view(np.float64)[()]
