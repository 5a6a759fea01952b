"""A piecewise objective on which the heavy ball cycles forever."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fastmomentum.elementary import select
from fastmomentum.objectives.base import Box, Objective


class HeavyBallCycle(Objective):
    """The heavy ball's 3-cycle: strongly convex and smooth, and yet momentum does not converge.

    ``f = F(x) + y^2/2``, where F' is 25x below 1, x + 24 from 1 to 2, and 25x - 24 above: curvature
    25, then 1, then 25. With lr 1/9 and momentum 4/9, the best pair for quadratics of curvature 1
    to 25, the heavy ball started at x = 3.3 ends in the cycle 2.115918, 0.646531, -1.802449.

    The second derivative jumps at 1 and 2; there, the Hessian is that of the piece on the right.

    References
    ----------
    Lessard, Recht and Packard, "Analysis and design of optimization algorithms via integral
    quadratic constraints", 2016, section 4.6.

    Examples
    --------
    >>> HeavyBallCycle().gradient([0.5, 1.5, 2.5], 1.0)
    array([[12.5,  1. ],
           [25.5,  1. ],
           [38.5,  1. ]])
    """

    name: Literal["heavy_ball_cycle"] = "heavy_ball_cycle"

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def box(self) -> Box:
        return ((-4.0, 4.0), (-4.0, 4.0))

    @property
    def curvatures(self) -> tuple[float, float] | None:
        return 1.0, 25.0

    # On each piece F' = a x + b and F = a x^2/2 + b x + c; comparisons, which count as 0 or 1,
    # select a, b and c, so that no branch is needed.

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        middle, right = select(x >= 1.0, 1.0, 0.0), select(x >= 2.0, 1.0, 0.0)
        a = 25.0 - 24.0 * middle + 24.0 * right
        b = 24.0 * middle - 48.0 * right
        c = 48.0 * right - 12.0 * middle
        return (0.5 * a * x + b) * x + c + 0.5 * (y * y)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        middle, right = select(x >= 1.0, 1.0, 0.0), select(x >= 2.0, 1.0, 0.0)
        a = 25.0 - 24.0 * middle + 24.0 * right
        b = 24.0 * middle - 48.0 * right
        return a * x + b, 1.0 * y  # a new array: updates in place must not change the gradient

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        middle, right = select(x >= 1.0, 1.0, 0.0), select(x >= 2.0, 1.0, 0.0)
        return 25.0 - 24.0 * middle + 24.0 * right, 0.0, 1.0
