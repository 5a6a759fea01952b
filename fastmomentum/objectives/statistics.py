"""What linear regression needs from its data: a few statistics, exact to the last digit."""

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
        Of x: the fit is in (x - x_mean)/x_spread.
    y_mean, y_spread : float
        The same for y.

    Examples
    --------
    >>> Scaling(x_mean=5.0, x_spread=2.0, y_mean=0.0, y_spread=10.0).line(1.0, 0.0)
    (5.0, -25.0)
    """

    x_mean: float
    x_spread: float = Field(gt=0)
    y_mean: float
    y_spread: float = Field(gt=0)

    def standardised(self, x: Column, y: Column) -> tuple[Column, Column]:
        """Standardise data.

        Parameters
        ----------
        x, y : ndarray, shape (n,)
            The original data.

        Returns
        -------
        x, y : ndarray, shape (n,)
            Minus their means, divided by their spreads.
        """
        return (x - self.x_mean) / self.x_spread, (y - self.y_mean) / self.y_spread

    def line(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Slope and intercept in the data's own units, of a line through standardised data.

        Parameters
        ----------
        a, b : float or ndarray
            Slope and intercept between standardised x and y.

        Returns
        -------
        slope, intercept : float or ndarray
            Between the original x and y.
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
        Of the original data: x, then y, as little-endian float64.
    scaling : Scaling, optional
        If the data were standardised; all but `points` and `sha256` are then of standardised x and
        y.
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
            Whether to compute those of (x - mean)/spread, and of y in the same way.

        Returns
        -------
        Statistics
            Of these points.

        Raises
        ------
        InputError
            There is no unique least-squares line, or y is to be standardised and has no spread.
        """
        if standardise:
            return cls._standardised(x, y, digest_of(x, y))
        return cls._of(x, y, digest_of(x, y))

    @classmethod
    def _of(cls, x: Column, y: Column, sha256: str) -> Self:
        n = x.size
        if n < 2 or not (x != x[0]).any():
            got = f"{n} points" + (f", all with x = {float(x[0])!r}" if n > 1 else "")
            raise InputError(f"needs two points that differ in x, or no line is best: got {got}")
        try:
            with np.errstate(over="raise", invalid="raise"):
                x_mean, x_rest, dx = _about_mean(x)
                y_mean, y_rest, dy = _about_mean(y)
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


def digest_of(x: Column, y: Column) -> str:
    """SHA-256 of data: x, then y, as little-endian float64."""
    digest = hashlib.sha256(x.astype("<f8").tobytes())
    digest.update(y.astype("<f8").tobytes())
    return digest.hexdigest()


def residuals(x: Column, y: Column, slope: float) -> Column:
    """Residuals of the least-squares line, row by row: the line's value minus y.

    Both are centred first, so that an offset of the data costs no digits.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        The data.
    slope : float
        Slope of that line.

    Returns
    -------
    ndarray, shape (n,)
        Their sum is 0, up to rounding.

    Examples
    --------
    >>> residuals(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.5]), 2.25).round(4).tolist()
    [-0.0833, 0.1667, -0.0833]
    """
    return slope * _about_mean(x)[2] - _about_mean(y)[2]


def sample_of(x: Column, r: Column, scale: float) -> tuple[float, float, float, float]:
    """Statistics that the gradient over a batch depends on, each summed row by row.

    Parameters
    ----------
    x, r : ndarray, shape (size,)
        x and the residual of the batch's rows, in their order.
    scale : float
        Twice the factor on the mean of squared residuals.

    Returns
    -------
    tuple of float
        Means of x, x^2, r and x r, times the scale.

    Examples
    --------
    >>> sample_of(np.array([1.0, 3.0]), np.array([0.5, 0.0]), 2.0)
    (4.0, 10.0, 0.5, 0.5)
    """
    x_sum = xx_sum = r_sum = xr_sum = 0.0
    for one, rest in zip(x.tolist(), r.tolist(), strict=True):
        x_sum += one
        xx_sum += one * one
        r_sum += rest
        xr_sum += one * rest
    part = scale / float(len(x))
    return part * x_sum, part * xx_sum, part * r_sum, part * xr_sum


def _about_mean(values: Column) -> tuple[float, float, Column]:
    """The mean as a sum of two float64, because one rounds it; and the values minus both."""
    mean = _mean(values)
    off = values - mean
    rest = _mean(off)
    return mean, rest, off - rest


def _mean(values: Column) -> float:
    return math.fsum(np.ascontiguousarray(values).data) / values.size
