"""The exponential function."""

from __future__ import annotations

from typing import Any, Final

from fastmomentum.elementary.bits import BIAS, EXPONENT, ONE, SHIFT, bits_of, double_of, select

LOG2_E: Final = 1.4426950408889634
LN2: Final = (0.6931471805601177, -1.7239444525614835e-13)
"""log 2 in two parts; the first has 40 bits, so whole multiples up to 2^13 are exact."""


def exp(x: Any) -> Any:
    """Exponential function: at most 1 ulp off.

    Parameters
    ----------
    x : float or ndarray
        The exponent; beyond 709.78 the value is infinite, below -745.13 it is 0.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Notes
    -----
    x = n log 2 + r, the product subtracted in two parts; exp(r) is a polynomial of degree 12 (by
    Chebyshev points), and 2^n a pattern of bits. Largest errors found, in units in the last place
    (ulp; 5e-324 for subnormal values):

    =======================  =============
    where                    largest error
    =======================  =============
    -1 to 1                  0.79
    -708 to 709.7            0.80
    -745 to -708: subnormal  0.77
    =======================  =============

    References
    ----------
    Tang, "Table-driven implementation of the exponential function in IEEE floating-point
    arithmetic", 1989; fdlibm, Sun Microsystems, 1993 (`e_exp.c`).

    Examples
    --------
    >>> float(exp(0.0)), float(exp(-1000.0))
    (1.0, 0.0)
    """
    x = select(x > 710.0, 710.0, x)
    part, shifted = reduced(select(x < -746.0, -746.0, x))
    n = bits_of(shifted)
    half = n >> ONE  # in two steps: 2^n itself may be too large or too small for a double
    value = (1.0 + part) * double_of((half + BIAS) << EXPONENT)
    return value * double_of((n - half + BIAS) << EXPONENT)


def decay(x: Any) -> Any:
    """``exp(-x)`` for x >= 0: fewer operations than `exp`, and at most 2 ulp off up to 708.

    Parameters
    ----------
    x : float or ndarray
        0 or more; from 708 on, infinity included, it counts as 708, where the value is 3e-308.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Notes
    -----
    As `exp`, with one part less. Largest error found, in ulp:

    ========  =============
    where     largest error
    ========  =============
    0 to 708  1.27
    ========  =============

    Examples
    --------
    >>> float(decay(1.0))
    0.36787944117144233
    """
    x = select(x > 708.0, 708.0, x)
    shifted = SHIFT - x * LOG2_E
    n = SHIFT - shifted
    r = (n * LN2[0] - x) + n * LN2[1]
    z = r * r
    u = z * z
    first = (0.5000000000000001 + r * 0.16666666666666669) + z * (
        0.04166666666662413 + r * 0.008333333333330062
    )
    second = (0.0013888888917213717 + r * 0.00019841269863053618) + z * (
        2.4801521295954376e-05 + r * 2.7557268459997064e-06
    )
    third = 2.7620088445409746e-07 + r * 2.510038549551032e-08
    return ((1.0 + r) + z * (first + u * (second + u * third))) * power_of_two(shifted)


def short_decay(x: Any) -> Any:
    """``exp(-x)`` for x from 0 to 2: fewer operations still, and at most 12 ulp off.

    Parameters
    ----------
    x : float or ndarray
        0 to 2; outside, the value is meaningless.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Notes
    -----
    The fourth power of a polynomial (by Chebyshev points) for exp(-x/4), exactly 1 at 0. Largest
    error found, in ulp:

    ======  =============
    where   largest error
    ======  =============
    0 to 2  9.62
    ======  =============

    Examples
    --------
    >>> float(short_decay(0.0))
    1.0
    """
    z = x * x
    u = z * z
    first = (1.0 - x * 0.24999999999999944) + z * (0.03124999999998875 - x * 0.0026041666665787633)
    second = (0.00016276041631414334 - x * 8.138020007655508e-06) + z * (
        3.3908299377631024e-07 - x * 1.2109012825312624e-08
    )
    third = (3.77751130723742e-10 - x * 1.024918557153169e-11) + z * 2.049410196605228e-13
    root = first + u * (second + u * third)
    root = root * root
    return root * root


def reduced(x: Any) -> tuple[Any, Any]:
    """Range reduction of the exponential: its value divided by a power of 2, minus 1.

    Parameters
    ----------
    x : float or ndarray
        The exponent, from -746 to 710.

    Returns
    -------
    part : float or ndarray
        ``exp(x) / 2^n - 1``, for the n that is nearest to ``x / log 2``.
    shifted : float or ndarray
        ``n + SHIFT``.
    """
    shifted = x * LOG2_E + SHIFT
    n = shifted - SHIFT
    high = x - n * LN2[0]
    low = n * LN2[1]
    r = high - low
    z = r * r
    u = z * z
    first = (0.5 + r * 0.1666666666666667) + z * (0.04166666666666667 + r * 0.008333333333326136)
    second = (0.0013888888888883748 + r * 0.00019841269874820627) + z * (
        2.4801587325547743e-05 + r * 2.7557255400206422e-06
    )
    third = (2.75572736431103e-07 + r * 2.5105217004720745e-08) + z * 2.0914686968086876e-09
    return high + (z * (first + u * (second + u * third)) - low), shifted


def power_of_two(shifted: Any) -> Any:
    """``2^n`` from ``n + SHIFT``, for n from -1022 to 1023.

    Examples
    --------
    >>> float(power_of_two(-3 + SHIFT))
    0.125
    """
    return double_of((bits_of(shifted) + BIAS) << EXPONENT)
