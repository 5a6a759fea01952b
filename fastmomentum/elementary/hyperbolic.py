"""The hyperbolic tangent."""

from __future__ import annotations

from typing import Any, Final

from fastmomentum.elementary.bits import SIGN, bits_of, double_of, select
from fastmomentum.elementary.exponential import power_of_two, reduced

MIDDLE: Final = 0.85
"""Where the two forms are equally accurate."""
ENOUGH: Final = 22.0
"""From here on the value is 1."""


def tanh(x: Any) -> Any:
    """Hyperbolic tangent: at most 1 ulp off.

    Parameters
    ----------
    x : float or ndarray
        A number; infinities give 1 and -1.

    Returns
    -------
    float or ndarray
        Of the shape of `x`; the sign of a zero is kept.

    Notes
    -----
    Up to 0.85 a rational function of the square, interpolated at Chebyshev points; beyond it 1 -
    2/(exp(2x) + 1), with the exponential before its last rounding. Largest errors found, in ulp:

    =================  =============
    where              largest error
    =================  =============
    up to 1.5          0.94
    up to 25           0.86
    up to 25, by size  0.58
    =================  =============

    References
    ----------
    Cody and Waite, "Software manual for the elementary functions", 1980.

    Examples
    --------
    >>> float(tanh(25.0))
    1.0
    """
    a = abs(x)
    is_small = a < MIDDLE
    b = select(is_small, a, 1.0)
    z = b * b
    top = -0.3333333333333333 + z * (
        -0.021408285815806775 + z * (-0.00024321818975486223 + z * -1.72356787874818e-08)
    )
    bottom = 1.0 + z * (
        0.46422485744741954 + z * (0.02451483564348371 + z * 0.00025423655751571255)
    )
    part, shifted = reduced(2.0 * select(a > ENOUGH, ENOUGH, a))
    scale = power_of_two(shifted)
    above = select(is_small, b * z * top, -2.0)
    below = select(is_small, bottom, (scale + 1.0) + scale * part)
    value = b + above / below
    return double_of(bits_of(value) | (bits_of(x) & SIGN))
