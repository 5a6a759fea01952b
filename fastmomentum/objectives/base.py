"""The base of all objectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.errors import InputError
from fastmomentum.specification.base import Specification
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import kind_of

OWN_FUNCTION: Final = (
    'to bring your own function, write it as a formula: fm.Formula("(a - x)^2 + ...", a=1.0), '
    "or decorate it with @fm.objective"
)
"""Advice for functions that are not in the registry."""

Constants = tuple[float, ...]
Box = tuple[tuple[float, float], tuple[float, float]]


def named(name: str, settings: dict[str, Any]) -> str:
    """Format an objective by its name and its `Objective.settings`.

    Examples
    --------
    >>> named("quadratic", {"hyy": 25.0})
    'quadratic, hyy = 25'
    """
    shapes = {float: "{:.6g}".format, bool: lambda flag: str(flag).lower()}  # as a file has them
    said = (f"{key} = {shapes.get(type(v), str)(v)}" for key, v in settings.items())
    return ", ".join([name, *said])


class Functions(NamedTuple):
    """Plain functions of ``(x, y, constants)``, for numba and for NumPy.

    Attributes
    ----------
    value, gradient, hessian : callable
        The value; ``(gx, gy)``; ``(hxx, hxy, hyy)``.
    batch_gradient : callable or None
        For a sum over rows of data: ``(gx, gy)`` over a batch of rows, from ``(x, y, constants,
        sample)``, where the sample has the statistics of these rows.
    """

    value: Callable[..., Any]
    gradient: Callable[..., tuple[Any, Any]]
    hessian: Callable[..., tuple[Any, Any, Any]]
    batch_gradient: Callable[..., tuple[Any, Any]] | None = None


class Objective(Specification):
    """A function of two parameters to be minimised.

    A subclass has three plain static functions of ``(x, y, constants)`` that numba compiles and
    that also take NumPy arrays: ``value_at``, ``gradient_at`` and ``hessian_at``. They are written
    with + - * / and the functions of `fastmomentum.elementary`, so that every machine gives the
    same bits. Those of NumPy and of Python's math would not.

    Attributes
    ----------
    parameters : tuple of str
        Names of the two parameters.
    arithmetic : int
        Raised by one when the functions change so that the last digits of results differ; stored in
        results files, because unfinished and damaged ones are only completed with the same.
    """

    name: str
    another: ClassVar[str] = OWN_FUNCTION
    positional: ClassVar[bool] = True
    parameters: ClassVar[tuple[str, str]] = ("x", "y")
    arithmetic: ClassVar[int] = 1
    untold: ClassVar[frozenset[str]] = frozenset({"name"})
    """Fields that `settings` leaves out."""

    @property
    def settings(self) -> dict[str, Any]:
        """Parameters that differ from their defaults.

        Examples
        --------
        >>> from fastmomentum.objectives import Rosenbrock
        >>> Rosenbrock(b=20.0).settings
        {'b': 20.0}
        """
        told = {k: field for k, field in type(self).model_fields.items() if k not in self.untold}
        values = {name: getattr(self, name) for name in told}
        return {name: v for name, v in values.items() if v != told[name].default}

    @property
    def words(self) -> str:
        """The objective's name in titles, with the settings that are not the defaults.

        Examples
        --------
        >>> from fastmomentum.objectives import Rosenbrock
        >>> Rosenbrock(b=20.0).words
        'rosenbrock, b = 20'
        """
        return named(self.name, self.settings)

    @property
    def functions(self) -> Functions:
        """Value, gradient and Hessian as plain functions, which kernels compile."""
        return Functions(self.value_at, self.gradient_at, self.hessian_at)

    @property
    def no_minimum(self) -> str:
        """The message where targets need a smallest value and there is none."""
        return f"{self.words} has no smallest value; drop them"

    @property
    def way_out_of_divergence(self) -> str:
        """Advice that would let larger learning rates converge; empty where none is known."""
        return ""

    @classmethod
    def example(cls) -> Self:
        """An instance, for tests and tables that cover the registry."""
        return cls.parse({})

    @property
    def constants(self) -> Constants:
        """Numbers that the functions need, in the order in which they are read."""
        return ()

    @property
    def named_constants(self) -> dict[str, float]:
        """Constants that may be axes of a grid, by name, in the order of `constants`.

        Examples
        --------
        >>> from fastmomentum.objectives import Rosenbrock
        >>> Rosenbrock(b=20.0).named_constants
        {'a': 1.0, 'b': 20.0}
        """
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: value for name, value in fields.items() if isinstance(value, float)}

    @property
    def constant_names(self) -> tuple[str | None, ...]:
        """Name of each of `constants`; None for computed ones, which have no name."""
        return tuple(self.named_constants) or (None,) * len(self.constants)

    @property
    def fixed_constants(self) -> frozenset[str]:
        """Names of the constants that were given a value, and so cannot be axes as well."""
        return frozenset(self.model_fields_set & self.named_constants.keys())

    @property
    def searches_minimisers(self) -> bool:
        """Whether its minimisers are found by a search, which takes a while."""
        return False

    def with_constants(self, values: Mapping[str, float]) -> Self:
        """The same objective with other constants.

        Parameters
        ----------
        values : mapping of float
            Some of `named_constants`.

        Returns
        -------
        Objective
            A new one.

        Raises
        ------
        InputError
            A value is out of its range.
        """
        return self.model_copy(update=values) if values else self

    @property
    def minimisers(self) -> NDArray[np.float64]:
        """Global minimisers, shape (n_minimisers, 2); empty where there is none."""
        raise NotImplementedError

    @property
    def has_valley_floor(self) -> bool:
        """Whether f is smallest along a whole line or area, and `minimisers` has one point of it.

        Where minimisers were given, and not found by a search, they are taken for all there are.
        """
        return False

    @property
    def f_min(self) -> float | None:
        """Smallest value; None where the objective is unbounded below."""
        return 0.0

    @property
    def box(self) -> Box:
        """Usual region: ((x_low, x_high), (y_low, y_high))."""
        raise NotImplementedError

    @property
    def curvatures(self) -> tuple[float, float] | None:
        """Smallest and largest curvature over the whole plane; None where the first is not > 0."""
        return None

    @property
    def n_rows(self) -> int | None:
        """Rows of data that it sums over; None where it is no such sum and has no batches."""
        return None

    def observations(self) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
        """The objective's data, shapes (n,) and (n,); None where it has none."""
        return None

    def with_observations(self, x: ArrayLike, y: ArrayLike) -> Self:
        """The same objective with its data, which were stored elsewhere."""
        raise InputError(f"{self.name} has no data")

    @staticmethod
    def value_at(x: Any, y: Any, constants: Any) -> Any:
        """Value at a point; plain, for numba."""
        raise NotImplementedError

    @staticmethod
    def gradient_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any]:
        """Gradient ``(gx, gy)`` at a point; plain, for numba; never x or y themselves."""
        raise NotImplementedError

    @staticmethod
    def hessian_at(x: Any, y: Any, constants: Any) -> tuple[Any, Any, Any]:
        """Second derivatives ``(hxx, hxy, hyy)`` at a point; plain, for numba."""
        raise NotImplementedError

    def value(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Value, elementwise.

        Parameters
        ----------
        x, y : array_like
            Points; shapes that broadcast.

        Returns
        -------
        ndarray
            Of the broadcast shape.
        """
        x, y = _points(x, y)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return np.asarray(self.value_at(x, y, self.constants), float)

    def gradient(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Gradient, elementwise.

        Parameters
        ----------
        x, y : array_like
            Points; shapes that broadcast.

        Returns
        -------
        ndarray, shape (..., 2)
            Derivatives with respect to the first and the second parameter.
        """
        x, y = _points(x, y)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            parts = self.gradient_at(x, y, self.constants)
        return np.stack([np.broadcast_to(part, x.shape) for part in parts], axis=-1)

    def hessian(self, x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
        """Hessian, elementwise.

        Parameters
        ----------
        x, y : array_like
            Points; shapes that broadcast.

        Returns
        -------
        ndarray, shape (..., 2, 2)
            Symmetric.
        """
        x, y = _points(x, y)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            xx, xy, yy = self.hessian_at(x, y, self.constants)
        parts = [np.broadcast_to(part, x.shape) for part in (xx, xy, xy, yy)]
        return np.stack(parts, axis=-1).reshape(*x.shape, 2, 2)


def require_objective(given: object) -> None:
    """Refuse what is no objective: a name, a class, results.

    Raises
    ------
    InputError
        It is none.
    """
    if not isinstance(given, Objective):
        raise InputError(f"objective must be one such as fm.Rosenbrock(): got {kind_of(given)}")


def _points(x: ArrayLike, y: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """Broadcast coordinates; those of diverged paths may be infinite."""
    parts = (numbers(part, name, finite=False) for name, part in (("x", x), ("y", y)))
    return np.broadcast_arrays(*parts)
