"""Sine, cosine and tangent."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.elementary.bits import ONE, SHIFT, SIGN, bits_of, double_of, nearest, select

TWO_OVER_PI: Final = 0.6366197723675814
HALF_PI: Final = (1.5707963267923333, 2.5633441515839558e-12, 1.0562999066987428e-23)
"""pi/2 in three parts; the first two have 36 bits, so whole multiples up to 2^17 are exact."""
FARTHEST: Final = 2.0**49
"""From here on neighbouring doubles lie so far apart that a reduction means nothing."""
TO_SIGN: Final = np.uint64(62)
"""Shift from the quadrant's bit that flips the sign to the sign bit."""


def sin(x: Any) -> Any:
    """Sine of an angle in radians: at most 1 ulp off up to 1e5.

    Parameters
    ----------
    x : float or ndarray
        An angle; NaN where infinite.

    Returns
    -------
    float or ndarray
        Of the shape of `x`; the sign of a zero is kept.

    Notes
    -----
    The nearest multiple of pi/2 is subtracted in three parts (Cody and Waite), then sine or cosine
    of the rest is a polynomial (by Chebyshev points). Beyond, the error is up to 2^-52 |x|, and
    from 2^49 on, where doubles lie 0.06 and more apart, the angle counts as 0, so the value never
    exceeds 1. Largest errors found, in units in the last place (ulp):

    ============================  =============
    where                         largest error
    ============================  =============
    up to pi                      0.75
    up to 1e5                     0.77
    up to 1e5, by size            0.72
    nearest to multiples of pi/2  0.50
    ============================  =============

    References
    ----------
    Cody and Waite, "Software manual for the elementary functions", 1980; fdlibm, Sun Microsystems,
    1993 (`k_sin.c`, `k_cos.c`, `e_rem_pio2.c`).

    Examples
    --------
    >>> float(sin(0.5))
    0.479425538604203
    """
    sine, cosine, quadrant = by_quadrant(abs(x))
    value = select((quadrant & ONE) == ONE, cosine, sine)
    return double_of(bits_of(value) ^ ((bits_of(x) ^ (quadrant << TO_SIGN)) & SIGN))


def cos(x: Any) -> Any:
    """Cosine of an angle in radians: at most 1 ulp off up to 1e5.

    Parameters
    ----------
    x : float or ndarray
        An angle; NaN where infinite.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Notes
    -----
    As for `sin`. Beyond, the error is up to 2^-52 |x|, and from 2^49 on, where doubles lie 0.06 and
    more apart, the angle counts as 0, so the value never exceeds 1. Largest errors found, in ulp:

    ============================  =============
    where                         largest error
    ============================  =============
    up to pi                      0.73
    up to 1e5                     0.80
    up to 1e5, by size            0.79
    nearest to multiples of pi/2  0.50
    ============================  =============

    Examples
    --------
    >>> float(cos(0.5))
    0.8775825618903728
    """
    sine, cosine, quadrant = by_quadrant(abs(x))
    value = select((quadrant & ONE) == ONE, sine, cosine)
    return double_of(bits_of(value) ^ (((quadrant + ONE) << TO_SIGN) & SIGN))


def tan(x: Any) -> Any:
    """Tangent of an angle in radians: at most 2.5 ulp off up to 1e5.

    Parameters
    ----------
    x : float or ndarray
        An angle; NaN where infinite.

    Returns
    -------
    float or ndarray
        Of the shape of `x`; the sign of a zero is kept.

    Notes
    -----
    Sine over cosine. Beyond 1e5 the angle is off by up to 2^-52 |x|, and from 2^49 on it counts as
    0. Largest errors found, in ulp:

    ============================  =============
    where                         largest error
    ============================  =============
    up to pi                      1.97
    up to 1e5                     2.05
    nearest to multiples of pi/2  1.39
    ============================  =============

    Examples
    --------
    >>> float(tan(0.5))
    0.5463024898437905
    """
    sine, cosine, quadrant = by_quadrant(abs(x))
    is_odd = (quadrant & ONE) == ONE
    value = select(is_odd, cosine, sine) / select(is_odd, sine, cosine)
    return double_of(bits_of(value) ^ ((bits_of(x) ^ (quadrant << ONE << TO_SIGN)) & SIGN))


def by_quadrant(a: Any) -> tuple[Any, Any, Any]:
    """Sine and cosine of the distance to the nearest multiple n of pi/2, and its quadrant.

    Parameters
    ----------
    a : float or ndarray
        An angle of 0 or more.

    Returns
    -------
    sine, cosine : float or ndarray
        Of ``a - n pi/2``, which lies within pi/4.
    quadrant : int or ndarray of int
        Its last two bits are those of n.
    """
    a = select(a < FARTHEST, a, 0.0 * a)
    n = nearest(a * TWO_OVER_PI)
    first = a - n * HALF_PI[0]
    second = n * HALF_PI[1]
    r = first - second
    rest = ((first - r) - second) - n * HALF_PI[2]
    z = r * r
    u = z * z
    odd = (-0.16666666666666666 + z * 0.008333333333330948) + u * (
        (-0.00019841269836756774 + z * 2.7557316101617874e-06)
        + u * (-2.505113165023518e-08 + z * 1.5918115263265974e-10)
    )
    even = (0.041666666666666664 - z * 0.0013888888888887398) + u * (
        (2.480158729876456e-05 - z * 2.7557317271145144e-07)
        + u * (2.087614614655861e-09 - z * 1.1382623647474604e-11)
    )
    half = 0.5 * z
    top = 1.0 - half
    sine = r + (z * r * odd + rest * top)
    cosine = top + (((1.0 - top) - half) + (u * even - r * rest))
    return sine, cosine, bits_of(n + SHIFT)
