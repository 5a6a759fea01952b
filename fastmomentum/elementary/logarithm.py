"""The natural logarithm."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.elementary.bits import EXPONENT, bits_of, double_of, select
from fastmomentum.elementary.exponential import LN2

ROOT_HALF: Final = np.uint64(0x3FE6A09E667F3BCD)
"""Bit pattern of sqrt(1/2)."""
TO_ONE: Final = np.uint64(0x3FF0000000000000) - ROOT_HALF
"""Difference from that pattern to the pattern of 1."""
FRACTION: Final = np.uint64((1 << 52) - 1)
"""The bits of a pattern below its exponent."""
WHOLE: Final = np.uint64(0x4330000000000000)
"""Bit pattern of 2^52; with n in its last bits, that of 2^52 + n."""
SMALLEST: Final = 2.2250738585072014e-308
"""Smallest normal number; numbers below it have fewer bits."""


def log(x: Any) -> Any:
    """Natural logarithm: at most 1 ulp off.

    Parameters
    ----------
    x : float or ndarray
        A number; below 0 the logarithm is NaN, at 0 it is -inf.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Notes
    -----
    x = 2^n m, with m from sqrt(1/2) to sqrt(2); log(m) is a polynomial (by Chebyshev points) in the
    square of (m - 1)/(m + 1). Largest errors found, in ulp:

    =====================  =============
    where                  largest error
    =====================  =============
    0.5 to 2               0.75
    0 to 1.8e308, by size  0.54
    =====================  =============

    References
    ----------
    fdlibm, Sun Microsystems, 1993 (`e_log.c`).

    Examples
    --------
    >>> float(log(2.0))
    0.6931471805599453
    """
    is_regular = (x > 0.0) & (x < np.inf)
    a = select(is_regular, x, 1.0)
    is_small = a < SMALLEST
    pattern = bits_of(a * select(is_small, 2.0**54, 1.0)) + TO_ONE
    value = log_of_pattern(pattern, select(is_small, 2.0**52 + 1023.0 + 54.0, 2.0**52 + 1023.0))
    return select(is_regular, value, select(x > 0.0, x, select(x == 0.0, -np.inf, np.nan)))


def log_of_normal(x: Any) -> Any:
    """`log` of positive, finite, normal numbers, in half the time.

    Parameters
    ----------
    x : float or ndarray
        Such numbers.

    Returns
    -------
    float or ndarray
        The same bits as from `log`.

    Examples
    --------
    >>> bool(log_of_normal(0.3) == log(0.3))
    True
    """
    return log_of_pattern(bits_of(x) + TO_ONE, 2.0**52 + 1023.0)


def log_of_pattern(pattern: Any, bias: Any) -> Any:
    """Logarithm of a normal number, from its pattern plus `TO_ONE` and the bias of its exponent."""
    n = double_of((pattern >> EXPONENT) | WHOLE) - bias
    f = double_of((pattern & FRACTION) + ROOT_HALF) - 1.0
    s = f / (2.0 + f)
    z = s * s
    u = z * z
    series = z * (
        (0.666666666666667 + z * 0.3999999999989924)
        + u
        * (
            (0.2857142862609589 + z * 0.2222221111514416)
            + u * ((0.18182890556695602 + z * 0.1533167403016786) + u * 0.1461703754879165)
        )
    )
    half = 0.5 * f * f
    return n * LN2[0] - ((half - (s * (half + series) + n * LN2[1])) - f)
