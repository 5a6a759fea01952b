"""Linear regression as an objective, in a form that needs only statistics of the data."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.objectives.base import Box, Constants, Functions
from fastmomentum.objectives.observed import ObservedObjective
from fastmomentum.objectives.quadratics import constant_curvatures


class MSE(ObservedObjective):
    """The loss of the line ``y = a x + b`` over data: squared residuals, averaged or summed.

    With e = a - slope and c = e x_mean + (b - intercept), the mean of (a x + b - y)^2 is exactly
    ``residual + x_variance e^2 + c^2``. So an update costs the same for 50 points or 50 million,
    and an offset of the data costs no digits.

    Parameters
    ----------
    data : str, Table or NoisyLine
        Path of a CSV file, relative to the experiment file (in Python: to the working directory),
        a table with the options to read the file, or a line to draw points around.
    x, y : str or int, optional
        For a file: names of the columns, or their numbers from 1.
    reduction : {"mean", "half_sum"}
        ``mean``: mean of squared residuals. ``half_sum``: half their sum, whose gradient is the
        plain sum over the points.
    standardise : bool
        Whether to fit in standardised x and y, (value - mean)/spread each: a and b are slope and
        intercept between these, `own_line` gives them in the data's units. That turns a condition
        number of 10^10 into 1.
    statistics : Statistics, optional
        If given, the data are not read, so a results file can be replayed without them.

    References
    ----------
    Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983.

    Examples
    --------
    >>> mse = MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    >>> mse.minimisers
    array([[2., 1.]])
    """

    name: Literal["mse"] = "mse"
    reduction: Literal["mean", "half_sum"] = "mean"
    parameters: ClassVar[tuple[str, str]] = ("a", "b")

    @classmethod
    def from_arrays(
        cls,
        x: ArrayLike,
        y: ArrayLike,
        reduction: Literal["mean", "half_sum"] = "mean",
        *,
        standardise: bool = False,
    ) -> Self:
        """Loss over data in memory.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            Finite numbers.
        reduction : {"mean", "half_sum"}
            As in the class.
        standardise : bool
            As in the class.

        Returns
        -------
        MSE
            Its `data` is the word "arrays".

        Raises
        ------
        InputError
            The arrays make no sense.
        """
        return cls._of_arrays(x, y, standardise, reduction=reduction)

    @classmethod
    def example(cls) -> Self:
        """A line through three points."""
        return cls.from_arrays([1.0, 2.0, 4.0], [2.0, 3.5, 9.0])

    @property
    def way_out_of_divergence(self) -> str:
        if self.standardise:
            return ""
        k = self._known
        xx, xy = k.x_variance + k.x_mean * k.x_mean, k.x_mean
        low, high = np.linalg.eigvalsh([[xx, xy], [xy, 1.0]]).tolist()
        ratio = high * high / k.x_variance if low <= 0 else high / low  # low * high = variance
        return (
            f"standardise = true in [objective] brings the condition number from {ratio:.2g} to 1"
        )

    @property
    def _scale(self) -> float:
        return 1.0 if self.reduction == "mean" else self._known.points / 2

    @property
    def functions(self) -> Functions:
        return super().functions._replace(batch_gradient=self.batch_gradient_at)

    @property
    def constants(self) -> Constants:
        k = self._known
        s = self._scale
        line = (k.slope, k.intercept, k.intercept_rest)
        return (*line, k.x_mean, k.x_variance, k.residual, s, 2.0 * s)

    @property
    def minimisers(self) -> NDArray[np.float64]:
        k = self._known
        return np.array([[k.slope, k.intercept]])

    @property
    def f_min(self) -> float | None:
        return self._scale * self._known.residual

    @property
    def curvatures(self) -> tuple[float, float] | None:
        return constant_curvatures(self)

    @property
    def box(self) -> Box:
        """The box around the ellipse on which the loss exceeds its minimum by the variance of y.

        So the horizontal line through the data's centre lies on the ellipse. If y is constant, 1 is
        used instead of the variance.
        """
        k = self._known
        x_spread = math.sqrt(k.x_variance)
        y_spread = math.hypot(k.slope * x_spread, math.sqrt(k.residual)) or 1.0
        reach = (y_spread / x_spread, y_spread * math.hypot(1.0, k.x_mean / x_spread))
        (a, b), (da, db) = self.minimisers[0].tolist(), reach
        return ((a - da, a + da), (b - db, b + db))

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        slope, intercept, rest, x_mean, x_variance, residual, s, _ = constants
        e = x - slope
        c = e * x_mean + ((y - intercept) - rest)
        return s * (residual + x_variance * e * e + c * c)

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        slope, intercept, rest, x_mean, x_variance, _, _, s2 = constants
        e = x - slope
        c = e * x_mean + ((y - intercept) - rest)
        return s2 * (x_variance * e + x_mean * c), s2 * c

    @staticmethod
    def batch_gradient_at(x: Any, y: Any, constants: Any, sample: Any) -> tuple[Any, Any]:
        """Gradient over a batch, from the result of `statistics.sample_of`.

        For "mean" it is that of the batch's mean; for "half_sum" that of its half sum, times the
        number of rows over the size of the batch.
        """
        slope, intercept, rest, _, _, _, _, s2 = constants
        x_mean, xx_mean, r_mean, xr_mean = sample
        e = x - slope
        d = (y - intercept) - rest
        return xx_mean * e + x_mean * d + xr_mean, x_mean * e + s2 * d + r_mean

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        _, _, _, x_mean, x_variance, _, _, s2 = constants
        return s2 * (x_variance + x_mean * x_mean), s2 * x_mean, s2
