"""Objectives over rows of data: where the rows come from, and which statistics are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Self

import numpy as np
from numpy.typing import ArrayLike
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
from fastmomentum.objectives.base import Objective
from fastmomentum.objectives.statistics import Scaling, Statistics, digest_of, residuals
from fastmomentum.specification.base import Whole
from fastmomentum.specification.numbers import numbers, require_flag

ARRAYS: Final = "arrays"
"""The value of `data` where the data came as arrays."""


class ObservedObjective(Objective):
    """An objective over pairs of x and y that depends on them through a few statistics alone.

    Its fields are those of `MSE`.
    """

    data: str | Table | NoisyLine = Field(examples=['data = "points.csv"'])
    x: str | Whole | None = None
    y: str | Whole | None = None
    standardise: bool | None = None
    statistics: Statistics | None = None
    untold: ClassVar[frozenset[str]] = frozenset({"name", "data", "x", "y", "statistics"})
    _observations: tuple[Column, Column] | None = PrivateAttr(default=None)
    _rows: tuple[Column, Column] | None = PrivateAttr(default=None)

    @classmethod
    def _of_arrays(cls, x: ArrayLike, y: ArrayLike, standardise: bool, **fields: Any) -> Self:
        """Take data in memory; see `MSE.from_arrays`."""
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
        flag = True if standardise else None  # also from a NumPy truth value
        found = cls(data=ARRAYS, standardise=flag, statistics=statistics, **fields)
        found._observations = columns
        return found

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy as any specification; where the data change, the new ones are read."""
        if update and not update.keys().isdisjoint({"data", "x", "y", "standardise"}):
            update = {"statistics": None, **update}
        return super().model_copy(update=update, deep=deep)

    def observations(self) -> tuple[Column, Column] | None:
        """Return the data, if they are in memory.

        Returns
        -------
        (x, y) or None
            Read-only arrays; None where the objective was rebuilt from its statistics or a pickle.
        """
        return self._observations

    @field_validator("standardise")
    @classmethod
    def _only_true_is_kept(cls, given: bool | None) -> bool | None:
        """Store False as None, so that old plans, which lack this key, stay the same."""
        return given or None

    def with_observations(self, x: ArrayLike, y: ArrayLike) -> Self:
        """The same objective with its data, which were stored elsewhere.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            The data that the statistics were computed from.

        Returns
        -------
        MSE
            A new one.

        Raises
        ------
        InputError
            They are not those data.

        Examples
        --------
        >>> from fastmomentum.objectives import MSE
        >>> mse = MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
        >>> mse.with_observations([0.0, 1.0, 2.0], [1.0, 3.0, 5.0]) == mse
        True
        """
        columns = (_column("x", x), _column("y", y))
        if digest_of(*columns) != self._known.sha256:
            raise InputError("the data are not those of the experiment: their digests differ")
        other = self.model_copy()
        other._observations = columns
        return other

    @property
    def rows(self) -> tuple[Column, Column]:
        """What batch gradients need from each row: x and the residual; see `residuals`.

        Raises
        ------
        InputError
            The data are not known: the objective was rebuilt from its statistics.
        """
        if self._rows is None:
            if self._observations is None:
                raise InputError(
                    "batches need the rows of the data, and this objective knows their statistics "
                    "alone; take the experiment from its file, with fm.load, or open its results"
                )
            x, y = self._observations
            if self.scaling is not None:
                x, y = self.scaling.standardised(x, y)
            rest = residuals(x, y, self._known.slope)
            self._rows = np.ascontiguousarray(x, float), np.ascontiguousarray(rest)
        return self._rows

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
                assert self.x is not None  # checked in the loop
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
        """Compare the fields, among them the digest of the data."""
        return isinstance(other, type(self)) and self.model_dump() == other.model_dump()

    def __getstate__(self) -> dict[Any, Any]:
        """Pickle without the data: a worker process needs only the statistics."""
        return super().__getstate__() | {
            "__pydantic_private__": {"_observations": None, "_rows": None}
        }

    @property
    def n_rows(self) -> int | None:
        return self._known.points

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
            Parameters of the objective.

        Returns
        -------
        slope, intercept : float or ndarray
            The same where the data were not standardised.

        Examples
        --------
        >>> from fastmomentum.objectives import MSE
        >>> mse = MSE.from_arrays([10.0, 20.0, 30.0], [1.0, 3.0, 5.0], standardise=True)
        >>> [round(float(part), 12) for part in mse.own_line(*mse.minimisers[0])]
        [0.2, -1.0]
        """
        return (a, b) if self.scaling is None else self.scaling.line(a, b)


def _fault(key: str, message: str) -> ValidationError:
    """Make an error that pydantic locates at a key of the objective's table."""
    return ValidationError.from_exception_data(
        "MSE",
        [{"type": "value_error", "loc": (key,), "input": None, "ctx": {"error": message}}],
    )


def _column(name: str, values: ArrayLike) -> Column:
    column = numbers(values, name).copy()  # a copy, because it is made read-only
    if column.ndim != 1:
        raise InputError(f"{name} must be one-dimensional: got the shape {column.shape}")
    column.setflags(write=False)
    return column
