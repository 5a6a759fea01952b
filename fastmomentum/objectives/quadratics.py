"""Objectives of degree two: the Hessian is constant, and every path is known in closed form."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastmomentum.objectives.base import Box, Constants, Objective


def constant_curvatures(objective: Objective) -> tuple[float, float] | None:
    """Smallest and largest curvature of an objective of degree two; None unless both are > 0."""
    hessian = objective.hessian(0.0, 0.0)
    if not np.isfinite(hessian).all():  # constants near the largest double
        return None
    low, high = (float(value) for value in np.linalg.eigvalsh(hessian))
    return (low, high) if low > 0 else None


class Quadratic(Objective):
    """Half a quadratic form: ``f = (hxx x^2 + 2 hxy x y + hyy y^2) / 2``, or ``w'Hw / 2``.

    Parameters
    ----------
    hxx, hxy, hyy : float
        The entries of the symmetric matrix H, which is the Hessian. Where H is indefinite or
        negative, f is unbounded below; where it is singular and not negative, the whole null
        space minimises f, and the origin represents it.

    References
    ----------
    Goh, "Why momentum really works", Distill, 2017.

    Examples
    --------
    >>> float(Quadratic(1.0, 0.0, 100.0).value(2.0, 1.0))
    52.0
    """

    name: Literal["quadratic"] = "quadratic"
    hxx: float = 1.0
    hxy: float = 0.0
    hyy: float = 10.0

    def __init__(
        self, hxx: float = 1.0, hxy: float = 0.0, hyy: float = 10.0, *more: Any, **fields: Any
    ) -> None:
        given = {"hxx": hxx, "hxy": hxy, "hyy": hyy}
        usual = {name: type(self).model_fields[name].default for name in given}
        # A default counts as not given, so that it may be an axis of the grid.
        fields |= {name: value for name, value in given.items() if not _same(value, usual[name])}
        super().__init__(*((hxx, hxy, hyy, *more) if more else ()), **fields)

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # as in Specification

    @property
    def constants(self) -> Constants:
        return (self.hxx, self.hxy, self.hyy)

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.zeros((1 if self._is_bounded else 0, 2))

    @property
    def has_valley_floor(self) -> bool:
        hxx, hxy, hyy = Fraction(self.hxx), Fraction(self.hxy), Fraction(self.hyy)
        return self._is_bounded and hxx * hyy == hxy * hxy

    @property
    def f_min(self) -> float | None:
        return 0.0 if self._is_bounded else None

    @property
    def box(self) -> Box:
        return ((-2.0, 2.0), (-2.0, 2.0))

    @property
    def curvatures(self) -> tuple[float, float] | None:
        return constant_curvatures(self)

    @property
    def _is_bounded(self) -> bool:
        """Whether H is positive semidefinite; in fractions, so that rounding cannot decide it."""
        hxx, hxy, hyy = Fraction(self.hxx), Fraction(self.hxy), Fraction(self.hyy)
        return hxx >= 0 and hyy >= 0 and hxx * hyy >= hxy * hxy

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        hxx, hxy, hyy = constants
        return 0.5 * (x * (hxx * x + hxy * y) + y * (hxy * x + hyy * y))

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        hxx, hxy, hyy = constants
        return hxx * x + hxy * y, hxy * x + hyy * y

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        hxx, hxy, hyy = constants
        return hxx, hxy, hyy


def _same(value: object, usual: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value == usual


class Booth(Objective):
    """A tilted bowl of condition number 9: ``f = (x + 2y - 7)^2 + (2x + y - 5)^2``.

    References
    ----------
    Jamil and Yang, "A literature survey of benchmark functions for global optimisation problems",
    2013.

    Examples
    --------
    >>> float(Booth().value(1.0, 3.0))
    0.0
    """

    name: Literal["booth"] = "booth"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[1.0, 3.0]])

    @property
    def box(self) -> Box:
        return ((-10.0, 10.0), (-10.0, 10.0))

    @property
    def curvatures(self) -> tuple[float, float] | None:
        return constant_curvatures(self)

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        p = x + 2.0 * y - 7.0
        q = 2.0 * x + y - 5.0
        return p * p + q * q

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        p = x + 2.0 * y - 7.0
        q = 2.0 * x + y - 5.0
        return 2.0 * p + 4.0 * q, 4.0 * p + 2.0 * q

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        return 10.0, 8.0, 10.0


class Matyas(Objective):
    """A shallow diagonal trough of condition number 25: ``f = 0.26 (x^2 + y^2) - 0.48 x y``.

    References
    ----------
    Jamil and Yang, "A literature survey of benchmark functions for global optimisation problems",
    2013.

    Examples
    --------
    >>> float(Matyas().value(0.0, 0.0))
    0.0
    """

    name: Literal["matyas"] = "matyas"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-10.0, 10.0), (-10.0, 10.0))

    @property
    def curvatures(self) -> tuple[float, float] | None:
        return constant_curvatures(self)

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        return 0.26 * (x * x + y * y) - 0.48 * (x * y)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        return 0.52 * x - 0.48 * y, 0.52 * y - 0.48 * x

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        return 0.52, -0.48, 0.52
