"""Objectives with many local minima, made with cos, sin and exp."""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from fastmomentum.objectives.base import Box, Objective

PI: Final = float(np.pi)
E: Final = float(np.e)


class Rastrigin(Objective):
    """An egg box in a bowl: ``f = 20 + x^2 - 10 cos(2 pi x) + y^2 - 10 cos(2 pi y)``.

    References
    ----------
    Rastrigin, "Systems of extremal control", 1974.

    Examples
    --------
    >>> float(Rastrigin().value(0.0, 0.0))
    0.0
    """

    name: Literal["rastrigin"] = "rastrigin"
    elementary: ClassVar[bool] = True

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-5.12, 5.12), (-5.12, 5.12))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        waves = 20.0 - 10.0 * (np.cos(2.0 * PI * x) + np.cos(2.0 * PI * y))
        return x * x + y * y + waves

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        gx = 2.0 * x + 20.0 * PI * np.sin(2.0 * PI * x)
        gy = 2.0 * y + 20.0 * PI * np.sin(2.0 * PI * y)
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        hxx = 2.0 + 40.0 * PI * PI * np.cos(2.0 * PI * x)
        hyy = 2.0 + 40.0 * PI * PI * np.cos(2.0 * PI * y)
        return hxx, 0.0, hyy


class Ackley(Objective):
    """A rippled plain around a funnel.

    ``f = 20 - 20 exp(-0.2 r) + e - exp((cos(2 pi x) + cos(2 pi y)) / 2)``, with
    ``r = sqrt((x^2 + y^2) / 2)``.

    At the minimiser the first term is a cone, which has no derivatives. There, the gradient is
    given as 0, the least of its subgradients, and the Hessian as that of the ripples alone.

    References
    ----------
    Ackley, "A connectionist machine for genetic hillclimbing", 1987.

    Examples
    --------
    >>> Ackley().gradient([0.0, 1e-9], [0.0, 0.0]).round(6)
    array([[0.      , 0.      ],
           [2.828427, 0.      ]])
    """

    name: Literal["ackley"] = "ackley"
    elementary: ClassVar[bool] = True

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-5.0, 5.0), (-5.0, 5.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        r = np.sqrt(0.5 * (x * x + y * y))
        ripples = np.exp(0.5 * (np.cos(2.0 * PI * x) + np.cos(2.0 * PI * y)))
        return 20.0 * (1.0 - np.exp(-0.2 * r)) + (E - ripples)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        r = np.sqrt(0.5 * (x * x + y * y))
        cone = 2.0 * np.exp(-0.2 * r) / (r + (r == 0.0))  # times x: 0 at the tip
        ripples = PI * np.exp(0.5 * (np.cos(2.0 * PI * x) + np.cos(2.0 * PI * y)))
        gx = cone * x + ripples * np.sin(2.0 * PI * x)
        gy = cone * y + ripples * np.sin(2.0 * PI * y)
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        r = np.sqrt(0.5 * (x * x + y * y))
        away = r + (r == 0.0)
        cone = 2.0 * np.exp(-0.2 * r) / away * (r != 0.0)
        bend = -0.5 * cone * (0.2 + 1.0 / away) / away
        cx, sx = np.cos(2.0 * PI * x), np.sin(2.0 * PI * x)
        cy, sy = np.cos(2.0 * PI * y), np.sin(2.0 * PI * y)
        ripples = PI * PI * np.exp(0.5 * (cx + cy))
        hxx = cone + bend * x * x + ripples * (2.0 * cx - sx * sx)
        hxy = bend * x * y - ripples * (sx * sy)
        hyy = cone + bend * y * y + ripples * (2.0 * cy - sy * sy)
        return hxx, hxy, hyy


class Levi13(Objective):
    """Ridges across a bowl: Levi's function 13.

    ``f = sin(3 pi x)^2 + (x - 1)^2 (1 + sin(3 pi y)^2) + (y - 1)^2 (1 + sin(2 pi y)^2)``.

    Written in u = x - 1 and v = y - 1, which changes no square of a sine and makes value and
    gradient exactly 0 at the minimiser.

    References
    ----------
    Levy and Montalvo, "The tunneling algorithm for the global minimization of functions", 1985.

    Examples
    --------
    >>> float(Levi13().value(1.0, 1.0))
    0.0
    """

    name: Literal["levi13"] = "levi13"
    elementary: ClassVar[bool] = True

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[1.0, 1.0]])

    @property
    def box(self) -> Box:
        return ((-10.0, 10.0), (-10.0, 10.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        u, v = x - 1.0, y - 1.0
        p, q, r = np.sin(3.0 * PI * u), np.sin(3.0 * PI * v), np.sin(2.0 * PI * v)
        return p * p + u * u * (1.0 + q * q) + v * v * (1.0 + r * r)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        u, v = x - 1.0, y - 1.0
        q, r = np.sin(3.0 * PI * v), np.sin(2.0 * PI * v)
        gx = 3.0 * PI * np.sin(6.0 * PI * u) + 2.0 * u * (1.0 + q * q)
        gy = 3.0 * PI * u * u * np.sin(6.0 * PI * v)
        gy = gy + 2.0 * v * (1.0 + r * r) + 2.0 * PI * v * v * np.sin(4.0 * PI * v)
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        u, v = x - 1.0, y - 1.0
        q, r = np.sin(3.0 * PI * v), np.sin(2.0 * PI * v)
        hxx = 18.0 * PI * PI * np.cos(6.0 * PI * u) + 2.0 * (1.0 + q * q)
        hxy = 6.0 * PI * u * np.sin(6.0 * PI * v)
        hyy = 18.0 * PI * PI * u * u * np.cos(6.0 * PI * v) + 2.0 * (1.0 + r * r)
        hyy = hyy + 8.0 * PI * v * (np.sin(4.0 * PI * v) + PI * v * np.cos(4.0 * PI * v))
        return hxx, hxy, hyy
