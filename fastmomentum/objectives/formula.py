"""User-defined objectives, from a line of text."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BeforeValidator, Field, model_serializer, model_validator

from fastmomentum.errors import InputError
from fastmomentum.objectives.base import Box, Constants, Functions, Objective
from fastmomentum.objectives.floors import has_floor
from fastmomentum.objectives.formula_functions import degree, formula_faults, functions, parsed
from fastmomentum.objectives.formula_keys import (
    KEYS,
    arguments,
    corners,
    in_python,
    named_numbers,
    one_line,
    points,
    short,
    two_names,
)
from fastmomentum.objectives.quadratics import constant_curvatures
from fastmomentum.objectives.searching import landscape_of, minimisers
from fastmomentum.objectives.trees import evaluate, in_exponents
from fastmomentum.specification.messages import faults
from fastmomentum.text import suggest

USUAL_BOX: Final[Box] = ((-5.0, 5.0), (-5.0, 5.0))

Point = tuple[float | str, float | str]


class Formula(Objective):
    """A function written as text; gradient and Hessian are derived from it.

    Numbers, the two variables, constants, ``pi``, ``e``, ``+ - * / ^ **``, parentheses, ``sin cos
    tan exp log sqrt tanh abs min max``, and ``where(condition, then, otherwise)`` with comparisons,
    ``and``, ``or``, ``not``. Whole powers (up to 1,000) are computed by products and halves by
    sqrt; others are exp(p log u), which is less accurate and needs u >= 0. At a kink the derivative
    is that of the branch taken; that of abs at 0 is 0. The text is parsed, and never run as Python.

    Parameters
    ----------
    formula : str
        Such as ``"(a - x)^2 + b*(y - x^2)^2"``.
    constants : mapping of str to float, optional
        Values of the constants. In Python each may also be a keyword argument.
    minimisers : sequence of (float or str, float or str), optional
        Global minimisers; coordinates may be expressions in the constants. Left out, they are
        searched for in the box, from fixed starts, and kept if no sample of the box lies lower. Of
        a valley's floor, such as the circle of (x^2 + y^2 - 1)^2, one point is kept: `f_min` and
        targets are right, but distances and basins are those of this point (`has_valley_floor`).
    box : ((float, float), (float, float)), optional
        Usual region, by default [-5, 5] each; in a file ``{ x = [-2, 2], y = [-1, 3] }``.
    label : str, optional
        Title to use instead of the formula.
    variables : (str, str), optional
        Names of the two parameters, by default x and y.

    Raises
    ------
    InputError
        The formula or another argument makes no sense; the message names the column.

    Examples
    --------
    >>> valley = Formula("(a - x)^2 + b*(y - x^2)^2", a=1.0, b=100.0)
    >>> valley.minimisers
    array([[1., 1.]])
    >>> valley.gradient(0.0, 1.0)
    array([ -2., 200.])
    >>> valley(b=10.0).gradient(0.0, 1.0)
    array([-2., 20.])
    """

    name: Literal["formula"] = "formula"
    untold: ClassVar[frozenset[str]] = frozenset(KEYS) | {
        "given_constants",
        "given_box",
        "given_minimisers",
    }
    formula: Annotated[str, BeforeValidator(one_line)] = Field(examples=['formula = "x^2 + 3*y^2"'])
    variables: Annotated[tuple[str, str], BeforeValidator(two_names)] = ("x", "y")
    label: Annotated[str | None, AfterValidator(short)] = Field(default=None, max_length=200)
    found: bool = False
    # Every objective has properties with the names of these three keys.
    given_constants: Annotated[tuple[tuple[str, float], ...], BeforeValidator(named_numbers)] = (
        Field(default=(), alias="constants")
    )
    given_box: Annotated[Box, BeforeValidator(corners)] = Field(default=USUAL_BOX, alias="box")
    given_minimisers: Annotated[tuple[Point, ...] | None, BeforeValidator(points)] = Field(
        default=None, alias="minimisers"
    )

    if TYPE_CHECKING:

        def __init__(
            self,
            formula: str,
            *,
            constants: Mapping[str, float] = ...,
            minimisers: Sequence[Sequence[float | str]] | NDArray[Any] | None = None,
            box: Sequence[Sequence[float]] | Mapping[str, Sequence[float]] = ...,
            label: str | None = None,
            variables: Sequence[str] = ...,
            **each: float,
        ) -> None: ...

    else:

        def __init__(self, /, *formula: str, **given: Any) -> None:
            try:
                super().__init__(**arguments(formula, given))
            except InputError as error:
                raise InputError(in_python(str(error))) from None

        __init__.__pydantic_base_init__ = True  # only direct calls come here

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        points = self.given_minimisers or ()
        expressions = [part for point in points for part in point if isinstance(part, str)]
        wrong = formula_faults(self.formula, self.variables, self.given_constants, expressions)
        for point in self.minimisers if points else ():
            if not np.isfinite(self.value(*point)):
                said = f"({point[0]:g}, {point[1]:g})"
                wrong.append(("minimisers", f"has {said}, where the formula is no finite number"))
        if wrong:
            raise faults(wrong)
        return self

    @property
    def functions(self) -> Functions:
        return functions(self.formula, self.variables, self.given_constants)

    @property
    def parameters(self) -> tuple[str, str]:  # type: ignore[override]  # one instance's own
        return self.variables

    @property
    def words(self) -> str:
        text = self.label or self.formula
        return text if len(text) <= 60 else text[:57] + "..."

    @property
    def constants(self) -> Constants:
        return tuple(value for _, value in self.given_constants)

    @property
    def named_constants(self) -> dict[str, float]:
        # A constant in an exponent is written into the code, so it has a single value.
        written = in_exponents(parsed(self.formula, (*self.variables, *dict(self.given_constants))))
        return {name: value for name, value in self.given_constants if name not in written}

    @property
    def constant_names(self) -> tuple[str | None, ...]:
        return tuple(name for name, _ in self.given_constants)

    @property
    def fixed_constants(self) -> frozenset[str]:
        return frozenset()

    @property
    def searches_minimisers(self) -> bool:
        return self.given_minimisers is None or self.found

    def with_constants(self, values: Mapping[str, float]) -> Self:
        return type(self).model_copy(
            self, update={"constants": dict(self.given_constants) | dict(values)}
        )

    @property
    def box(self) -> Box:
        return self.given_box

    @property
    def curvatures(self) -> tuple[float, float] | None:
        is_quadratic = degree(self.formula, self.variables, self.given_constants) == 2
        return constant_curvatures(self) if is_quadratic else None

    @functools.cached_property
    def _searched(self) -> NDArray[np.float64]:
        return minimisers(landscape_of(self.functions, self.constants, self.box))

    @functools.cached_property
    def has_valley_floor(self) -> bool:
        landscape = landscape_of(self.functions, self.constants, self.box)
        return self.searches_minimisers and has_floor(landscape, self.minimisers)

    @property
    def minimisers(self) -> NDArray[np.float64]:
        if self.given_minimisers is None:
            return self._searched.copy()
        named = dict(self.given_constants)
        points = [
            [evaluate(parsed(p, tuple(named)), named) if isinstance(p, str) else p for p in point]
            for point in self.given_minimisers
        ]
        return np.array(points, float).reshape(-1, 2)

    @property
    def f_min(self) -> float | None:
        points = self.minimisers
        return float(self.value(*points.T).min()) if len(points) else None

    @property
    def no_minimum(self) -> str:
        if self.given_minimisers is not None and not self.found:
            return f"{self.words} is said to have no minimiser; drop them, or give minimisers"
        (x_low, x_high), (y_low, y_high) = self.box
        x, y = self.variables
        return (
            f"no minimum of {self.words} was found in its box, {x} in [{x_low:g}, {x_high:g}] and "
            f"{y} in [{y_low:g}, {y_high:g}]; give objective.minimisers, or a larger objective.box"
        )

    @classmethod
    def example(cls) -> Self:
        """A hill and a hollow."""
        return cls("x*exp(-x^2 - a*y^2) + (x^2 + y^2)/20", constants={"a": 1.0})

    def value_at(self, x: Any, y: Any, constants: Any) -> Any:  # type: ignore[override]
        """Value at a point."""
        return self.functions.value(x, y, constants)

    def gradient_at(  # type: ignore[override]
        self, x: Any, y: Any, constants: Any
    ) -> tuple[Any, Any]:
        """Gradient ``(gx, gy)`` at a point."""
        return self.functions.gradient(x, y, constants)

    def hessian_at(  # type: ignore[override]
        self, x: Any, y: Any, constants: Any
    ) -> tuple[Any, Any, Any]:
        """Second derivatives ``(hxx, hxy, hyy)`` at a point."""
        return self.functions.hessian(x, y, constants)

    @model_serializer
    def _table(self) -> dict[str, Any]:
        """Everything that defines the objective; minimisers found by search are marked as such."""
        given = self.given_minimisers
        points = self._searched.tolist() if given is None else [list(point) for point in given]
        return {
            "name": self.name,
            "formula": self.formula,
            "constants": dict(self.given_constants),
            "variables": list(self.variables),
            "box": {n: list(ends) for n, ends in zip(self.variables, self.box, strict=True)},
            "minimisers": points,
            **({"found": True} if given is None or self.found else {}),
            **({"label": self.label} if self.label else {}),
        }

    def _given(self) -> dict[str, Any]:
        """The arguments it was made from, by name."""
        given: dict[str, Any] = {"formula": self.formula}
        if self.given_constants:
            given["constants"] = dict(self.given_constants)
        if self.given_minimisers is not None and not self.found:
            given["minimisers"] = [list(point) for point in self.given_minimisers]
        for key, value, usual in (
            ("box", self.box, USUAL_BOX),
            ("label", self.label, None),
            ("variables", self.variables, ("x", "y")),
        ):
            if value != usual:
                given[key] = value
        return given

    def __call__(self, **constants: float) -> Self:
        """The same formula with other values for some constants.

        Parameters
        ----------
        **constants : float
            By name.

        Returns
        -------
        Formula
            A new one; minimisers found by search are searched for again.

        Raises
        ------
        InputError
            A constant that the formula does not have.
        """
        known = dict(self.given_constants)
        for name in constants:
            if name not in known:
                raise InputError(f"{name} is no constant of {self.words}; {suggest(name, known)}")
        return self.model_copy(update={"constants": known | constants})

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, with other values for some keys; minimisers found by search are searched again."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self)(**(self._given() | dict(update)))

    def __repr_args__(self) -> Any:
        """Only what was given."""
        yield from self._given().items()

    def _identity(self) -> str:
        return json.dumps({k: v for k, v in self._given().items() if k != "label"}, sort_keys=True)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same function with the same box; labels do not count."""
        return isinstance(other, Formula) and self._identity() == other._identity()

    def __hash__(self) -> int:
        """Hash of what is compared."""
        return hash(self._identity())
