"""Powers of one number by whole exponents, the same on every machine.

The C library's ``pow`` differs from machine to machine. Here powers up to 2,047, and those of
the 2,048th and of its 2,048th power, are computed with 40 decimal digits and rounded once; any
other is a product of three of them, so it is off by 3 units in the last place at most.
"""

from __future__ import annotations

import decimal
import functools
from decimal import Decimal
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TABLE: Final = 2048
"""Powers in a table; three tables reach exponents of 2^33."""

DIGITS: Final = decimal.Context(
    prec=40,
    Emax=decimal.MAX_EMAX,
    Emin=decimal.MIN_EMIN,
    rounding=decimal.ROUND_HALF_EVEN,
    traps=[],
)


def power(base: float, exponents: NDArray[Any], root: int = 1) -> Floats:
    """``base^(exponent/root)``.

    Parameters
    ----------
    base : float
        Greater than 0.
    exponents : ndarray of int
        From 0 to 2^33 - 1.
    root : int
        A whole number from 1 on.

    Returns
    -------
    ndarray of float64
        Of the shape of `exponents`; inf or 0 where the power is too large or small for a double.

    Examples
    --------
    >>> power(0.5, np.array([0, 1, 3])).tolist()
    [1.0, 0.5, 0.125]
    """
    small, middle, large = _tables(base, root)
    rest, first = np.divmod(exponents, TABLE)
    third, second = np.divmod(rest, TABLE)
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(small[first] * (middle[second] * large[third]))


@functools.lru_cache(maxsize=16)
def _tables(base: float, root: int) -> tuple[Floats, Floats, Floats]:
    step = DIGITS.create_decimal(Decimal(base))
    if root > 1:
        step = DIGITS.exp(DIGITS.divide(DIGITS.ln(step), Decimal(root)))
    tables = []
    for _ in range(3):
        entries = [Decimal(1)]
        while len(entries) < TABLE:
            entries.append(DIGITS.multiply(entries[-1], step))
        tables.append(np.array([float(entry) for entry in entries]))
        step = DIGITS.multiply(entries[-1], step)
    return tables[0], tables[1], tables[2]
