"""What linear regression needs of its data: a handful of numbers, to the last digit."""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from typing import Any, Final, Self

import numpy as np
from pydantic import Field

from fastmomentum.datasets import Column
from fastmomentum.errors import InputError
from fastmomentum.specification.base import Specification

_TOO_LARGE: Final = "has numbers too large for float64 once squared; rescale them"


class Scaling(Specification):
    """Means and spreads (standard deviations) by which data were standardised.

    Parameters
    ----------
    x_mean, x_spread : float
        Of x: what was descended is (x - x_mean)/x_spread.
    y_mean, y_spread : float
        The same of y.

    Examples
    --------
    >>> Scaling(x_mean=5.0, x_spread=2.0, y_mean=0.0, y_spread=10.0).line(1.0, 0.0)
    (5.0, -25.0)
    """

    x_mean: float
    x_spread: float = Field(gt=0)
    y_mean: float
    y_spread: float = Field(gt=0)

    def line(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Slope and intercept in the data's own units, of a line through standardised data.

        Parameters
        ----------
        a, b : float or ndarray
            Slope and intercept between standardised x and y.

        Returns
        -------
        slope, intercept : float or ndarray
            Between x and y as they came.
        """
        slope = a * (self.y_spread / self.x_spread)
        return slope, self.y_mean + b * self.y_spread - slope * self.x_mean


class Statistics(Specification):
    """All that the loss depends on.

    Parameters
    ----------
    points : int
        Number of points.
    x_mean : float
        Mean of x.
    slope : float
        Slope of the least-squares line.
    intercept, intercept_rest : float
        Intercept of the line of that slope through the data's centre, as a sum: one float64 alone
        would be too coarse for data far from the origin.
    x_variance : float
        Mean of (x - x_mean)^2.
    residual : float
        Mean of the squared residuals of the least-squares line.
    sha256 : str
        Of the data as they came: x, then y, as little-endian float64.
    scaling : Scaling, optional
        Where they were standardised; all else but `points` and `sha256` is then of standardised x
        and y.
    """

    points: int = Field(ge=2)
    x_mean: float
    slope: float
    intercept: float
    intercept_rest: float
    x_variance: float = Field(gt=0)
    residual: float = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    scaling: Scaling | None = None

    @classmethod
    def of(cls, x: Column, y: Column, standardise: bool = False) -> Self:
        """Statistics of data.

        Everything is centred first and every sum is exactly rounded, so that an offset costs no
        digits and each machine gives the same bits.

        Parameters
        ----------
        x, y : ndarray, shape (n,)
            Finite numbers.
        standardise : bool
            Whether to give those of (x - mean)/spread, and of y in the same way.

        Returns
        -------
        Statistics
            Of these points.

        Raises
        ------
        InputError
            Where there is no one least-squares line, or y is to be standardised and has no spread.
        """
        digest = hashlib.sha256(x.astype("<f8").tobytes())
        digest.update(y.astype("<f8").tobytes())
        if standardise:
            return cls._standardised(x, y, digest.hexdigest())
        return cls._of(x, y, digest.hexdigest())

    @classmethod
    def _of(cls, x: Column, y: Column, sha256: str) -> Self:
        n = x.size
        if n < 2 or not (x != x[0]).any():
            got = f"{n} points" + (f", all with x = {float(x[0])!r}" if n > 1 else "")
            raise InputError(f"needs two points that differ in x, or no line is best: got {got}")
        try:
            with np.errstate(over="raise", invalid="raise"):
                x_mean, y_mean = _mean(x), _mean(y)
                dx, dy = x - x_mean, y - y_mean
                x_rest, y_rest = _mean(dx), _mean(dy)  # the first means were rounded
                dx, dy = dx - x_rest, dy - y_rest
                x_variance = _mean(dx * dx)
                if x_variance < 1e-290:  # dx * dx underflows
                    raise InputError("has x too close together for float64; rescale x")
                slope = _mean(dx * dy) / x_variance
                rest = dy - slope * dx
                residual = _mean(rest * rest)
        except (FloatingPointError, OverflowError):
            raise InputError(_TOO_LARGE) from None
        if not all(map(math.isfinite, (slope, residual, y_mean - slope * x_mean))):
            raise InputError(_TOO_LARGE)
        centre = (Fraction(x_mean) + Fraction(x_rest), Fraction(y_mean) + Fraction(y_rest))
        exact = centre[1] - Fraction(slope) * centre[0]
        intercept = float(exact)
        return cls(
            points=n,
            x_mean=x_mean,
            slope=slope,
            intercept=intercept,
            intercept_rest=float(exact - Fraction(intercept)),
            x_variance=x_variance,
            residual=residual,
            sha256=sha256,
        )

    @classmethod
    def _standardised(cls, x: Column, y: Column, sha256: str) -> Self:
        """Statistics of standardised data, from those of the data: no digit is rounded twice."""
        x_unit, y_unit = _unit(x), _unit(y)
        x, y = x / x_unit, y / y_unit  # by powers of two: exact, and no square is too large
        own = cls._of(x, y, sha256)
        y_mean = _mean(y)
        dy = y - y_mean
        y_variance = _mean(dy * dy)
        x_spread, y_spread = math.sqrt(own.x_variance), math.sqrt(y_variance)
        if not (y != y[0]).any():
            raise InputError(
                f"has y = {float(y[0]) * y_unit!r} at every point, which has no spread to be "
                "standardised by; drop standardise"
            )
        spreads = x_spread * x_unit, y_spread * y_unit
        if not all(0 < spread < math.inf for spread in spreads):
            raise InputError("has a spread that float64 cannot hold; rescale it")
        scaling = Scaling(
            x_mean=own.x_mean * x_unit,
            x_spread=spreads[0],
            y_mean=y_mean * y_unit,
            y_spread=spreads[1],
        )
        return cls(
            points=own.points,
            x_mean=0.0,
            slope=own.slope * (x_spread / y_spread),
            intercept=0.0,
            intercept_rest=0.0,
            x_variance=1.0,
            residual=own.residual / y_variance,
            sha256=sha256,
            scaling=scaling,
        )


def _unit(values: Column) -> float:
    """The power of two next to the largest deviation from the first value; 1 where all agree."""
    with np.errstate(over="ignore"):
        most = float(np.abs(values - values[0]).max()) if values.size else 0.0
    if most == 0:
        return 1.0
    most = most if most < math.inf else float(np.abs(values).max())
    return math.ldexp(1.0, min(max(math.frexp(most)[1], -1021), 1023))


def _mean(values: Column) -> float:
    return math.fsum(np.ascontiguousarray(values).data) / values.size
