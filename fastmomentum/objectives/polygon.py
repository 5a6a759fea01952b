"""An objective on which the heavy ball with chosen settings cycles around a polygon forever."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from fastmomentum.elementary import cos_turns, sin_turns
from fastmomentum.elementary.polygons import (
    MOST_CORNERS,
    bend,
    offset,
    regular_polygon,
    squared_distance,
)
from fastmomentum.objectives.base import Box, Constants, Objective
from fastmomentum.specification.messages import fault


class PolygonCycle(Objective):
    """Curvatures from mu to L, and for one lr and momentum a cycle of the heavy ball.

    ``f(w) = mu |w|^2/2 + (L - mu)(|w|^2 - d(w)^2)/2``, where d is the distance to the regular
    polygon with the corners ``P_t = (g_t - mu w_t)/(L - mu)``. Here w_t are the points of the
    cycle, the period-th roots of unity in order, and g_t the gradients that lead around it,
    ``g_t = ((1 + m) w_t - m w_(t-1) - w_(t+1))/lr``.

    Why: the gradient is ``mu w + (L - mu) P(w)`` with P(w) the nearest point of the polygon. As P
    is a projection on a convex set, f is mu-strongly convex and L-smooth, and its minimiser is the
    origin. Where P_t is the nearest point to w_t, the gradient at w_t is g_t, and the heavy ball
    moves from w_t to w_(t+1). That is so exactly if `fastmomentum.theory.has_cycle` holds for the
    settings; for others f is still defined. Around each w_t, f is a parabola of curvature mu, so
    the cycle attracts runs that start nearby.

    Parameters
    ----------
    period : int
        Points of the cycle, from 2 to 64.
    mu, L : float
        Smallest and largest curvature, 0 < mu < L.
    lr, momentum : float
        Settings of the heavy ball for which f has the cycle; an experiment may use others on the
        same f.

    References
    ----------
    Goujaud, Taylor and Dieuleveut, "Provable non-accelerations of the heavy-ball method", 2023.

    Examples
    --------
    >>> f = PolygonCycle(period=3, mu=1.0, L=25.0, lr=1 / 9, momentum=4 / 9)
    >>> w = f.cycle
    >>> step = 4 / 9 * (w[0] - w[-1]) - 1 / 9 * f.gradient(*w[0])
    >>> bool(np.allclose(w[0] + step, w[1], rtol=0, atol=1e-14))
    True
    """

    name: Literal["polygon_cycle"] = "polygon_cycle"
    period: int = Field(default=3, ge=2, le=MOST_CORNERS)
    mu: float = Field(default=1.0, gt=0)
    L: float = Field(default=25.0, gt=0)
    lr: float = Field(default=1 / 9, gt=0)
    momentum: float = Field(default=4 / 9, ge=0, lt=1)

    @model_validator(mode="after")
    def _widths(self) -> Self:
        if not self.mu < self.L:
            raise fault("L", f"must be greater than mu, which is {self.mu}: got {self.L}")
        return self

    @property
    def cycle(self) -> NDArray[np.float64]:
        """Points of the cycle, shape (period, 2); start at w_0 with the velocity w_0 - w_(-1)."""
        turns = np.arange(self.period) / self.period
        return np.stack([cos_turns(turns), sin_turns(turns)], axis=-1)

    @property
    def constants(self) -> Constants:
        c, s = float(cos_turns(1.0 / self.period)), float(sin_turns(1.0 / self.period))
        # The first corner: w_0 is (1, 0), w_1 is (c, s) and w_(-1) is (c, -s).
        x = (1.0 + self.momentum) * (1.0 - c) / self.lr - self.mu
        y = (self.momentum - 1.0) * s / self.lr
        span = self.L - self.mu
        return (*regular_polygon(self.period, x / span, y / span), self.L, span)

    @property
    def named_constants(self) -> dict[str, float]:
        """None may be an axis of a grid: the functions' constants depend on all of them at once."""
        return {}

    @property
    def minimisers(self) -> NDArray[np.float64]:
        return np.array([[0.0, 0.0]])

    @property
    def curvatures(self) -> tuple[float, float] | None:
        return self.mu, self.L

    @property
    def box(self) -> Box:
        return ((-2.0, 2.0), (-2.0, 2.0))

    # The first 18 constants are the polygon, then L and L - mu.

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        squares = constants[18] * (x * x + y * y)
        return 0.5 * (squares - constants[19] * squared_distance(x, y, constants))

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        dx, dy = offset(x, y, constants)
        return constants[18] * x - constants[19] * dx, constants[18] * y - constants[19] * dy

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        xx, xy, yy = bend(x, y, constants)
        top, span = constants[18], constants[19]
        return top - span * xx, -span * xy, top - span * yy
