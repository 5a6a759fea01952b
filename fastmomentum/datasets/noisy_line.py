"""Points drawn around a line."""

from __future__ import annotations

from typing import ClassVar, Final

import numpy as np
from pydantic import Field

from fastmomentum.datasets.reading import Column
from fastmomentum.specification.base import Specification, Whole

MOST_POINTS: Final = 10_000_000
"""Points that may be drawn: they are held in memory."""


class NoisyLine(Specification):
    """A line through the origin with normal x and uniform integer noise.

    Parameters
    ----------
    num_points : int
        How many points, at least 2.
    x_mid, x_range : float
        Mean and standard deviation of x.
    y_weight : float
        Slope of the line.
    noise_range : int
        Integers in [-noise_range, noise_range) are added to y; 0 for none.
    seed : int
        The same seed gives the same points.

    Examples
    --------
    >>> line = NoisyLine(num_points=50, x_mid=5, x_range=5, y_weight=10, noise_range=5)
    >>> x, y = line.draw()
    >>> x.shape
    (50,)
    """

    another: ClassVar[str] = "draw the points yourself, and use fm.MSE.from_arrays"
    positional: ClassVar[bool] = True

    num_points: Whole = Field(ge=2, le=MOST_POINTS)
    x_mid: float
    x_range: float = Field(ge=0)
    y_weight: float
    noise_range: Whole = Field(ge=0, le=2**53)
    seed: Whole = Field(default=0, ge=0)

    def draw(self) -> tuple[Column, Column]:
        """Draw the points.

        Returns
        -------
        x, y : ndarray, shape (num_points,)
            Coordinates.
        """
        random = np.random.default_rng(self.seed)
        with np.errstate(over="ignore", invalid="ignore"):
            x = random.normal(self.x_mid, self.x_range, self.num_points)
            y = x * self.y_weight
        if self.noise_range:
            y += random.integers(-self.noise_range, self.noise_range, self.num_points)
        return x, y


def noisy_line(
    num_points: int,
    x_mid: float,
    x_range: float,
    y_weight: float,
    noise_range: int,
    seed: int = 0,
) -> tuple[Column, Column]:
    """Points around a line; see `NoisyLine` for the arguments.

    Returns
    -------
    x, y : ndarray, shape (num_points,)
        Coordinates.

    Raises
    ------
    InputError
        An argument makes no sense.

    Examples
    --------
    >>> x, y = noisy_line(50, 5, 5, 10, noise_range=0)
    >>> bool((y == 10 * x).all())
    True
    """
    return NoisyLine(
        num_points=num_points,
        x_mid=x_mid,
        x_range=x_range,
        y_weight=y_weight,
        noise_range=noise_range,
        seed=seed,
    ).draw()
