"""Objectives with many local minima, made with cos, sin and exp.

Their angles are in turns, whose range reduction is exact, and their waves are haversines, which are
``(1 - cos)/2``: so f is exactly 0 at the minimiser, and loses no digits near it.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final, Literal

import numpy as np
from numpy.typing import NDArray

from fastmomentum.elementary import (
    cos_turns,
    decay,
    haversine_turns,
    select,
    short_decay,
    sin_turns,
    sqrt,
)
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
    arithmetic: ClassVar[int] = 2

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-5.12, 5.12), (-5.12, 5.12))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        return x * x + y * y + 20.0 * (haversine_turns(x) + haversine_turns(y))

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        gx = 2.0 * x + 20.0 * PI * sin_turns(x)
        gy = 2.0 * y + 20.0 * PI * sin_turns(y)
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        hxx = 2.0 + 40.0 * PI * PI * cos_turns(x)
        hyy = 2.0 + 40.0 * PI * PI * cos_turns(y)
        return hxx, 0.0, hyy


class Ackley(Objective):
    """A rippled plain around a funnel.

    ``f = 20 - 20 exp(-0.2 r) + e - exp((cos(2 pi x) + cos(2 pi y)) / 2)``, with
    ``r = sqrt((x^2 + y^2) / 2)``.

    At the minimiser the first term is a cone, which has no derivatives. There, the gradient is
    set to 0, the smallest subgradient, and the Hessian to that of the ripples alone.

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
    arithmetic: ClassVar[int] = 2

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-5.0, 5.0), (-5.0, 5.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        ripples = short_decay(haversine_turns(x) + haversine_turns(y))
        return 20.0 * (1.0 - decay(sqrt(0.02 * (x * x + y * y)))) + E * (1.0 - ripples)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        t = sqrt(0.02 * (x * x + y * y))  # r/5
        cone = 0.4 / select(t == 0.0, 1.0, t) * decay(t)  # times x: 0 at the tip
        ripples = E * PI * short_decay(haversine_turns(x) + haversine_turns(y))
        gx = cone * x + ripples * sin_turns(x)
        gy = cone * y + ripples * sin_turns(y)
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        r = sqrt(0.5 * (x * x + y * y))
        away = select(r == 0.0, 1.0, r)
        cone = 2.0 * decay(0.2 * r) / away * select(r == 0.0, 0.0, 1.0)
        bend = -0.5 * cone * (0.2 + 1.0 / away) / away
        cx, sx = cos_turns(x), sin_turns(x)
        cy, sy = cos_turns(y), sin_turns(y)
        ripples = E * PI * PI * short_decay(haversine_turns(x) + haversine_turns(y))
        hxx = cone + bend * x * x + ripples * (2.0 * cx - sx * sx)
        hxy = bend * x * y - ripples * (sx * sy)
        hyy = cone + bend * y * y + ripples * (2.0 * cy - sy * sy)
        return hxx, hxy, hyy


class Levi13(Objective):
    """Ridges across a bowl: Levi's function 13.

    ``f = sin(3 pi x)^2 + (x - 1)^2 (1 + sin(3 pi y)^2) + (y - 1)^2 (1 + sin(2 pi y)^2)``.

    Computed from u = x - 1 and v = y - 1, which leaves the squared sines unchanged and makes value
    and gradient exactly 0 at the minimiser.

    References
    ----------
    Levy and Montalvo, "The tunneling algorithm for the global minimization of functions", 1985.

    Examples
    --------
    >>> float(Levi13().value(1.0, 1.0))
    0.0
    """

    name: Literal["levi13"] = "levi13"
    arithmetic: ClassVar[int] = 2

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[1.0, 1.0]])

    @property
    def box(self) -> Box:
        return ((-10.0, 10.0), (-10.0, 10.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        u, v = x - 1.0, y - 1.0
        hu, hv = haversine_turns(u), haversine_turns(v)
        p, q = 3.0 - 4.0 * hu, 3.0 - 4.0 * hv
        p, q, r = hu * (p * p), hv * (q * q), 4.0 * hv * (1.0 - hv)
        return p + u * u * (1.0 + q) + v * v * (1.0 + r)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        u, v = x - 1.0, y - 1.0
        hv = haversine_turns(v)
        su, sv = sin_turns(u), sin_turns(v)
        q = 3.0 - 4.0 * hv
        q, r = hv * (q * q), sv * sv
        su3, sv3 = su * (3.0 - 4.0 * (su * su)), sv * (3.0 - 4.0 * r)
        gx = 3.0 * PI * su3 + 2.0 * u * (1.0 + q)
        gy = 3.0 * PI * u * u * sv3
        gy = gy + 2.0 * v * (1.0 + r) + 4.0 * PI * v * v * (sv * (1.0 - 2.0 * hv))
        return gx, gy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        u, v = x - 1.0, y - 1.0
        hv, sv, cv = haversine_turns(v), sin_turns(v), cos_turns(v)
        q = 3.0 - 4.0 * hv
        q, r = hv * (q * q), sv * sv
        hxx = 18.0 * PI * PI * cos_turns(3.0 * u) + 2.0 * (1.0 + q)
        hxy = 6.0 * PI * u * sin_turns(3.0 * v)
        hyy = 18.0 * PI * PI * u * u * cos_turns(3.0 * v) + 2.0 * (1.0 + r)
        hyy = hyy + 16.0 * PI * v * (sv * cv) + 8.0 * PI * PI * v * v * (1.0 - 2.0 * r)
        return hxx, hxy, hyy
