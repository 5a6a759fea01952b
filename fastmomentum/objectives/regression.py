"""Linear regression as an objective, in a form that needs no data to descend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import (
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from fastmomentum.datasets import Column, NoisyLine, Table, load_csv
from fastmomentum.errors import InputError
from fastmomentum.objectives.base import Box, Constants, Objective
from fastmomentum.objectives.quadratics import constant_curvatures
from fastmomentum.objectives.statistics import Scaling, Statistics
from fastmomentum.specification.base import Whole
from fastmomentum.specification.numbers import numbers, require_flag

ARRAYS: Final = "arrays"
"""What stands for the path where the data came as arrays."""


class MSE(Objective):
    """The loss of the line ``y = a x + b`` over data: squared residuals, averaged or summed.

    With e = a - slope and c = e x_mean + (b - intercept), the mean of (a x + b - y)^2 is exactly
    ``residual + x_variance e^2 + c^2``. So an update costs the same for 50 points or 50 million,
    and an offset of the data costs no digits.

    Parameters
    ----------
    data : str, Table or NoisyLine
        Path of a CSV file, relative to the experiment file (in Python: to the working directory),
        a table that says how the file is written, or a line to draw points around.
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
        Where given, the data are not read: so a results file can be replayed without them.

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
    data: str | Table | NoisyLine = Field(examples=['data = "points.csv"'])
    x: str | Whole | None = None
    y: str | Whole | None = None
    reduction: Literal["mean", "half_sum"] = "mean"
    standardise: bool | None = None
    statistics: Statistics | None = None
    parameters: ClassVar[tuple[str, str]] = ("a", "b")
    untold: ClassVar[frozenset[str]] = frozenset({"name", "data", "x", "y", "statistics"})
    _observations: tuple[Column, Column] | None = PrivateAttr(default=None)

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
            Where the arrays make no sense.
        """
        columns = (_column("x", x), _column("y", y))
        if columns[0].size != columns[1].size:
            raise InputError(
                f"x and y must be of one length: got {columns[0].size} and {columns[1].size}"
            )
        require_flag(standardise, "standardise")
        try:
            statistics = Statistics.of(*columns, standardise=bool(standardise))
        except InputError as error:
            raise InputError(f"data {error}") from None
        flag = True if standardise else None  # a NumPy truth value, too
        mse = cls(data=ARRAYS, reduction=reduction, standardise=flag, statistics=statistics)
        mse._observations = columns
        return mse

    @classmethod
    def example(cls) -> Self:
        """A line through three points."""
        return cls.from_arrays([1.0, 2.0, 4.0], [2.0, 3.5, 9.0])

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy as any specification; where the data are to be others, they are read."""
        if update and not update.keys().isdisjoint({"data", "x", "y", "standardise"}):
            update = {"statistics": None, **update}
        return super().model_copy(update=update, deep=deep)

    def observations(self) -> tuple[Column, Column] | None:
        """Give the data, where they are in memory.

        Returns
        -------
        (x, y) or None
            Read-only arrays; None where the objective was rebuilt from its statistics or a pickle.
        """
        return self._observations

    @field_validator("standardise")
    @classmethod
    def _only_true_is_kept(cls, given: bool | None) -> bool | None:
        """Plans without it stay what they were before there was such a key."""
        return given or None

    @field_validator("data", mode="before")
    @classmethod
    def _path_or_line(cls, given: Any) -> str | Table | NoisyLine:
        if isinstance(given, str | Path):
            return str(given)
        if isinstance(given, Table) or (isinstance(given, dict) and "file" in given):
            return Table.model_validate(given)
        if isinstance(given, NoisyLine | dict):
            return NoisyLine.model_validate(given)
        keys = ", ".join(NoisyLine.model_fields)
        raise ValueError(f"must be the path of a CSV file or a table of {keys}: got {given!r:.60}")

    @model_validator(mode="after")
    def _read(self, info: ValidationInfo) -> Self:
        columns = (("x", self.x), ("y", self.y))
        if isinstance(self.data, NoisyLine):
            for key, name in columns:
                if name is not None:
                    raise _fault(key, "names a column of a file, and data is not one; drop it")
        if self.statistics is not None:
            if (self.statistics.scaling is not None) != bool(self.standardise):
                raise _fault("standardise", "does not go with the statistics; drop these")
            return self
        if self.data == ARRAYS and self.standardise:
            raise _fault("data", "are arrays; give standardise to fm.MSE.from_arrays")
        try:
            if isinstance(self.data, NoisyLine):
                x, y = self.data.draw()
            else:
                for key, name in columns:
                    if name is None:
                        file = self.data.file if isinstance(self.data, Table) else self.data
                        raise _fault(key, f"is missing; name a column of {file}")
                assert self.x is not None  # as the loop has made sure
                assert self.y is not None
                folder = (info.context or {}).get("folder", "")
                if isinstance(self.data, Table):
                    x, y = self.data.read(folder, self.x, self.y)
                else:
                    x, y = load_csv(Path(folder, self.data).absolute(), self.x, self.y)
            statistics = Statistics.of(x, y, bool(self.standardise))
        except InputError as error:
            raise _fault("data", str(error)) from None
        for column in (x, y):
            column.setflags(write=False)
        object.__setattr__(self, "statistics", statistics)  # frozen for everyone else
        self.model_fields_set.add("statistics")
        self._observations = (x, y)
        return self

    def __eq__(self, other: object) -> bool:
        """Compare the fields; among them is the digest that stands for data in memory."""
        return isinstance(other, MSE) and self.model_dump() == other.model_dump()

    def __getstate__(self) -> dict[Any, Any]:
        """Leave the data at home: a worker process needs the statistics alone."""
        return super().__getstate__() | {"__pydantic_private__": {"_observations": None}}

    @property
    def _known(self) -> Statistics:
        assert self.statistics is not None  # filled in at validation
        return self.statistics

    @property
    def scaling(self) -> Scaling | None:
        """Means and spreads of the data, where they were standardised."""
        return self._known.scaling

    def own_line(self, a: Any, b: Any) -> tuple[Any, Any]:
        """Slope and intercept of a line in the data's own units.

        Parameters
        ----------
        a, b : float or ndarray
            A point that is descended to.

        Returns
        -------
        slope, intercept : float or ndarray
            The same where the data were not standardised.

        Examples
        --------
        >>> mse = MSE.from_arrays([10.0, 20.0, 30.0], [1.0, 3.0, 5.0], standardise=True)
        >>> [round(float(part), 12) for part in mse.own_line(*mse.minimisers[0])]
        [0.2, -1.0]
        """
        return (a, b) if self.scaling is None else self.scaling.line(a, b)

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
        """Where the loss exceeds its minimum by the variance of y: the box around that ellipse.

        So the horizontal line through the data's centre lies on the ellipse. If y is constant, 1
        takes the variance's place.
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
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        _, _, _, x_mean, x_variance, _, _, s2 = constants
        return s2 * (x_variance + x_mean * x_mean), s2 * x_mean, s2


def _fault(key: str, message: str) -> ValidationError:
    """Make an error that pydantic puts at a key of the objective's table."""
    return ValidationError.from_exception_data(
        "MSE",
        [{"type": "value_error", "loc": (key,), "input": None, "ctx": {"error": message}}],
    )


def _column(name: str, values: ArrayLike) -> Column:
    column = numbers(values, name).copy()  # ours, for it is made read-only
    if column.ndim != 1:
        raise InputError(f"{name} must be one-dimensional: got the shape {column.shape}")
    column.setflags(write=False)
    return column
