"""Polynomial test functions of higher degree, of + - * / alone: the same bits on every machine."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fastmomentum.objectives.base import Box, Constants, Objective


class Rosenbrock(Objective):
    """The banana valley: ``f = (x - a)^2 + b (y - x^2)^2``.

    Parameters
    ----------
    a, b : float
        The minimum lies at (a, a^2); b > 0 is the steepness of the valley's walls.

    References
    ----------
    Rosenbrock, "An automatic method for finding the greatest or least value of a function", 1960.

    Examples
    --------
    >>> float(Rosenbrock().value(1.0, 1.0))
    0.0
    """

    name: Literal["rosenbrock"] = "rosenbrock"
    a: float = 1.0
    b: float = Field(default=100.0, gt=0)

    @property
    def constants(self) -> Constants:
        return (self.a, self.b)

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[self.a, self.a * self.a]])

    @property
    def box(self) -> Box:
        return ((-2.0, 2.0), (-1.0, 3.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        e = x - constants[0]
        d = y - x * x
        return e * e + constants[1] * (d * d)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        d = y - x * x
        return 2.0 * (x - constants[0]) - 4.0 * constants[1] * x * d, 2.0 * constants[1] * d

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        b = constants[1]
        return 2.0 - 4.0 * b * (y - 3.0 * x * x), -4.0 * b * x, 2.0 * b


class Beale(Objective):
    """A flat valley with steep corners: the sum of three squares.

    ``f = (1.5 - x + x y)^2 + (2.25 - x + x y^2)^2 + (2.625 - x + x y^3)^2``.

    References
    ----------
    Beale, "On an iterative method for finding a local minimum of a function of more than one
    variable", 1958.

    Examples
    --------
    >>> float(Beale().value(3.0, 0.5))
    0.0
    """

    name: Literal["beale"] = "beale"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[3.0, 0.5]])

    @property
    def box(self) -> Box:
        return ((-4.5, 4.5), (-4.5, 4.5))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        p = 1.5 + x * (y - 1.0)
        q = 2.25 + x * (y * y - 1.0)
        r = 2.625 + x * (y * y * y - 1.0)
        return p * p + q * q + r * r

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        px, qx, rx = y - 1.0, y * y - 1.0, y * y * y - 1.0
        p, q, r = 1.5 + x * px, 2.25 + x * qx, 2.625 + x * rx
        gx = 2.0 * (p * px + q * qx + r * rx)
        gy = 2.0 * x * (p + y * (2.0 * q + 3.0 * (y * r)))
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        px, qx, rx = y - 1.0, y * y - 1.0, y * y * y - 1.0
        p, q, r = 1.5 + x * px, 2.25 + x * qx, 2.625 + x * rx
        hxx = 2.0 * (px * px + qx * qx + rx * rx)
        hxy = 2.0 * (p + y * (2.0 * q + 3.0 * (y * r)))
        hxy = hxy + 2.0 * x * (px + y * (2.0 * qx + 3.0 * (y * rx)))
        hyy = 2.0 * x * (x * (1.0 + y * y * (4.0 + 9.0 * (y * y))) + 2.0 * q + 6.0 * (y * r))
        return hxx, hxy, hyy


class Himmelblau(Objective):
    """Four equal minima: ``f = (x^2 + y - 11)^2 + (x + y^2 - 7)^2``.

    References
    ----------
    Himmelblau, "Applied nonlinear programming", 1972.

    Examples
    --------
    >>> float(Himmelblau().value(3.0, 2.0))
    0.0
    """

    name: Literal["himmelblau"] = "himmelblau"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array(
            [
                [3.0, 2.0],
                [-2.805118086952745, 3.131312518250573],
                [-3.779310253377747, -3.2831859912861696],
                [3.5844283403304917, -1.8481265269644036],
            ]
        )

    @property
    def box(self) -> Box:
        return ((-5.0, 5.0), (-5.0, 5.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        p = x * x + y - 11.0
        q = x + y * y - 7.0
        return p * p + q * q

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        p = x * x + y - 11.0
        q = x + y * y - 7.0
        return 4.0 * x * p + 2.0 * q, 2.0 * p + 4.0 * y * q

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        hxx = 12.0 * (x * x) + 4.0 * y - 42.0
        hyy = 12.0 * (y * y) + 4.0 * x - 26.0
        return hxx, 4.0 * (x + y), hyy


class ThreeHumpCamel(Objective):
    """A bowl between two shallower ones: ``f = 2 x^2 - 1.05 x^4 + x^6/6 + x y + y^2``.

    References
    ----------
    Jamil and Yang, "A literature survey of benchmark functions for global optimisation problems",
    2013.

    Examples
    --------
    >>> float(ThreeHumpCamel().value(0.0, 0.0))
    0.0
    """

    name: Literal["three_hump_camel"] = "three_hump_camel"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-5.0, 5.0), (-5.0, 5.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        q = x * x
        return q * (2.0 - q * (1.05 - q / 6.0)) + x * y + y * y

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        q = x * x
        return x * (4.0 - q * (4.2 - q)) + y, x + 2.0 * y

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        q = x * x
        return 4.0 - q * (12.6 - 5.0 * q), 1.0, 2.0


class StyblinskiTang(Objective):
    """Four wells of different depth: ``f = (x^4 - 16 x^2 + 5 x + y^4 - 16 y^2 + 5 y) / 2``.

    References
    ----------
    Styblinski and Tang, "Experiments in nonconvex optimization: stochastic approximation with
    function smoothing and simulated annealing", 1990.

    Examples
    --------
    >>> StyblinskiTang().f_min
    -78.33233140754282
    """

    name: Literal["styblinski_tang"] = "styblinski_tang"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[-2.903534027771177, -2.903534027771177]])

    @property
    def f_min(self) -> float | None:
        return -78.33233140754282

    @property
    def box(self) -> Box:
        return ((-5.0, 5.0), (-5.0, 5.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        return 0.5 * (x * (x * (x * x - 16.0) + 5.0) + y * (y * (y * y - 16.0) + 5.0))

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        return 2.0 * x * (x * x - 8.0) + 2.5, 2.0 * y * (y * y - 8.0) + 2.5

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        return 6.0 * (x * x) - 16.0, 0.0, 6.0 * (y * y) - 16.0


class GoldsteinPrice(Objective):
    """Steep, with four local minima: ``f = A(x + y) B(2x - 3y)``.

    With u = x + y and v = 2x - 3y the two factors of the published polynomial are
    ``A = 1 + (u + 1)^2 (19 - 14 u + 3 u^2)`` and ``B = 30 + v^2 (18 - 16 v + 3 v^2)``, whose
    derivatives are ``A' = 12 (u + 1)(u - 1)(u - 2)`` and ``B' = 12 v (v - 1)(v - 3)``.

    References
    ----------
    Goldstein and Price, "On descent from local minima", 1971.

    Examples
    --------
    >>> float(GoldsteinPrice().value(0.0, -1.0))
    3.0
    """

    name: Literal["goldstein_price"] = "goldstein_price"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, -1.0]])

    @property
    def f_min(self) -> float | None:
        return 3.0

    @property
    def box(self) -> Box:
        return ((-2.0, 2.0), (-2.0, 2.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        u = x + y
        v = 2.0 * x - 3.0 * y
        a = 1.0 + (u + 1.0) * (u + 1.0) * (19.0 - u * (14.0 - 3.0 * u))
        b = 30.0 + v * v * (18.0 - v * (16.0 - 3.0 * v))
        return a * b

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        u = x + y
        v = 2.0 * x - 3.0 * y
        a = 1.0 + (u + 1.0) * (u + 1.0) * (19.0 - u * (14.0 - 3.0 * u))
        b = 30.0 + v * v * (18.0 - v * (16.0 - 3.0 * v))
        fu = 12.0 * (u + 1.0) * (u - 1.0) * (u - 2.0) * b
        fv = 12.0 * v * (v - 1.0) * (v - 3.0) * a
        return fu + 2.0 * fv, fu - 3.0 * fv

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        u = x + y
        v = 2.0 * x - 3.0 * y
        a = 1.0 + (u + 1.0) * (u + 1.0) * (19.0 - u * (14.0 - 3.0 * u))
        b = 30.0 + v * v * (18.0 - v * (16.0 - 3.0 * v))
        fuu = 12.0 * (u * (3.0 * u - 4.0) - 1.0) * b
        fuv = 144.0 * (u + 1.0) * (u - 1.0) * (u - 2.0) * v * (v - 1.0) * (v - 3.0)
        fvv = 12.0 * (v * (3.0 * v - 8.0) + 3.0) * a
        hxx = fuu + 4.0 * fuv + 4.0 * fvv
        hxy = fuu - fuv - 6.0 * fvv
        hyy = fuu - 6.0 * fuv + 9.0 * fvv
        return hxx, hxy, hyy
