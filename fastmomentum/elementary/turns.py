"""Sine, cosine and haversine of angles in turns, that is of 2 pi x, whose reduction is exact."""

from __future__ import annotations

from typing import Any

from fastmomentum.elementary.bits import nearest


def sin_turns(x: Any) -> Any:
    """``sin(2 pi x)``: at most 3.5 ulp off, for every x.

    Parameters
    ----------
    x : float or ndarray
        An angle in turns; NaN where infinite.

    Returns
    -------
    float or ndarray
        Of the shape of `x`; the sign of a zero is kept.

    Notes
    -----
    Subtracting whole turns is exact for every x. For the sine of the rest see `sine_of_fold`.
    Largest errors found, in units in the last place (ulp):

    =================  =============
    where              largest error
    =================  =============
    up to half a turn  2.62
    up to 1e5 turns    2.74
    =================  =============

    Examples
    --------
    >>> float(sin_turns(1000.25))
    1.0
    """
    r = x - nearest(x)
    return sine_of_fold(r * (0.5 - abs(r)))


def cos_turns(x: Any) -> Any:
    """``cos(2 pi x)``: at most 4 ulp off, for every x.

    Parameters
    ----------
    x : float or ndarray
        An angle in turns; NaN where infinite.

    Returns
    -------
    float or ndarray
        Of the shape of `x`.

    Notes
    -----
    The sine of the distance to a quarter of a turn. Largest errors found, in ulp:

    =================  =============
    where              largest error
    =================  =============
    up to half a turn  2.50
    up to 1e5 turns    2.67
    =================  =============

    Examples
    --------
    >>> float(cos_turns(1000.5))
    -1.0
    """
    r = 0.25 - abs(x - nearest(x))
    return sine_of_fold(r * (0.5 - abs(r)))


def haversine_turns(x: Any) -> Any:
    """``sin(pi x)^2``, or ``(1 - cos(2 pi x))/2``: at most 7 ulp off, for every x.

    Parameters
    ----------
    x : float or ndarray
        An angle in turns; NaN where infinite.

    Returns
    -------
    float or ndarray
        Of the shape of `x`, from 0 to 1; exactly 0 at whole turns, and as accurate near them.

    Notes
    -----
    The square of the sine of half the angle. Largest errors found, in ulp:

    =================  =============
    where              largest error
    =================  =============
    up to half a turn  5.74
    up to 1e5 turns    5.44
    =================  =============

    Examples
    --------
    >>> float(haversine_turns(0.5))
    1.0
    """
    r = 0.5 * abs(x - nearest(x))
    root = sine_of_fold(r * (0.5 - r))
    return root * root


def sine_of_fold(s: Any) -> Any:
    """``sin(2 pi r)`` from ``s = r (1/2 - |r|)``, where r is half a turn at most.

    Like the sine, the product s is 0 at 0 and half a turn and symmetric about a quarter; the sine
    divided by s is a smooth function of s, all of whose coefficients are positive. So quadrants and
    signs need no case distinction.
    """
    w = abs(s)
    u = s * s
    low = (12.566370614359172 + w * 50.2654824574372) + u * (
        71.39024173612442 + w * 52.43518153843962
    )
    high = (23.599276382918767 + w * 7.183647518295186) + u * (
        1.5775113697134424 + w * 0.2708479203034674
    )
    return s * (low + u * u * high)
