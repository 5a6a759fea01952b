"""Objectives without a minimum: how momentum leaves a critical point."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastmomentum.objectives.base import Box, Objective


class Saddle(Objective):
    """The plain saddle: ``f = x^2 - y^2``; unbounded below, critical at the origin.

    References
    ----------
    Dauphin et al., "Identifying and attacking the saddle point problem in high-dimensional
    non-convex optimization", 2014.

    Examples
    --------
    >>> Saddle().gradient(1.0, 0.5)
    array([ 2., -1.])
    """

    name: Literal["saddle"] = "saddle"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.empty((0, 2))

    @property
    def f_min(self) -> float | None:
        return None

    @property
    def box(self) -> Box:
        return ((-2.0, 2.0), (-2.0, 2.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        return x * x - y * y

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        return 2.0 * x, -2.0 * y

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        return 2.0, 0.0, -2.0


class MonkeySaddle(Objective):
    """A saddle with a third way down, for the tail: ``f = x^3 - 3 x y^2``.

    Unbounded below; at the origin both the gradient and the Hessian vanish.

    References
    ----------
    Hilbert and Cohn-Vossen, "Anschauliche Geometrie", 1932.

    Examples
    --------
    >>> MonkeySaddle().gradient(1.0, 1.0)
    array([ 0., -6.])
    """

    name: Literal["monkey_saddle"] = "monkey_saddle"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.empty((0, 2))

    @property
    def f_min(self) -> float | None:
        return None

    @property
    def box(self) -> Box:
        return ((-2.0, 2.0), (-2.0, 2.0))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        return x * (x * x - 3.0 * (y * y))

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        return 3.0 * (x * x - y * y), -6.0 * (x * y)

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        return 6.0 * x, -6.0 * y, -6.0 * x
