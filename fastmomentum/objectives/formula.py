"""Objectives of one's own, from a line of text."""

from __future__ import annotations

import functools
import json
import math
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_serializer, model_validator

from fastmomentum.errors import InputError
from fastmomentum.objectives import generated
from fastmomentum.objectives.base import Box, Constants, Functions, Objective
from fastmomentum.objectives.grammar import LONGEST_NAME, RESERVED, FormulaError, Node, parse
from fastmomentum.objectives.searching import Landscape, minimisers
from fastmomentum.objectives.trees import evaluate, specialise, uses, weigh
from fastmomentum.specification.base import plain
from fastmomentum.specification.messages import Fault, faults
from fastmomentum.text import shown, suggest

USUAL_BOX: Final[Box] = ((-5.0, 5.0), (-5.0, 5.0))
KEYS: Final = ("formula", "constants", "box", "label", "minimisers", "variables", "name", "found")
MOST_CONSTANTS: Final = 50
MOST_MINIMISERS: Final = 256

Point = tuple[float | str, float | str]


class Formula(Objective):
    """A function written as text; gradient and Hessian are derived from it.

    Numbers, the two variables, constants, ``pi``, ``e``, ``+ - * / ^ **``, parentheses, ``sin cos
    tan exp log sqrt tanh abs min max``, and ``where(condition, then, otherwise)`` with comparisons,
    ``and``, ``or``, ``not``. Whole powers (up to 1,000) are made by products and halves by sqrt;
    others are exp(p log u), which is less exact and needs u >= 0. At a kink the derivative is that
    of the branch taken; abs has 0 at 0. The text is parsed, and never run as Python.

    Parameters
    ----------
    formula : str
        Such as ``"(a - x)^2 + b*(y - x^2)^2"``.
    constants : mapping of str to float, optional
        Values of the constants. In Python each may be a keyword of its own as well.
    minimisers : sequence of (float or str, float or str), optional
        Global minimisers; expressions in the constants may stand for numbers. Left out, they are
        searched for in the box, from fixed starts, and kept if no sample of the box lies lower.
    box : ((float, float), (float, float)), optional
        Usual region, by default [-5, 5] each; in a file ``{ x = [-2, 2], y = [-1, 3] }``.
    label : str, optional
        What titles say instead of the formula.
    variables : (str, str), optional
        Names of the two parameters, by default x and y.

    Raises
    ------
    InputError
        With the column, where the formula is refused.

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
    formula: str = Field(examples=['formula = "x^2 + 3*y^2"'])
    variables: tuple[str, str] = ("x", "y")
    label: str | None = Field(default=None, max_length=200)
    found: bool = False
    # The keys of these three are names of what every objective has.
    given_constants: tuple[tuple[str, float], ...] = Field(default=(), alias="constants")
    given_box: Box = Field(default=USUAL_BOX, alias="box")
    given_minimisers: tuple[Point, ...] | None = Field(default=None, alias="minimisers")

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
            if len(formula) > 1:
                raise InputError(
                    "a formula is one text; the rest goes by name, such as a=1.0 for a constant"
                )
            fields = {key: given.pop(key) for key in KEYS if key in given}
            if formula:
                fields["formula"] = formula[0]
            if given:
                own = fields.get("constants") or {}
                both = sorted(given.keys() & own.keys())
                if both:
                    raise InputError(f"the constant {both[0]} comes twice; drop it in constants")
                for key, value in given.items():
                    if not isinstance(plain(value), int | float):
                        advice = suggest(key, KEYS[:6])
                        raise InputError(f"{key} is no number, as a constant must be; {advice}")
                fields["constants"] = {**own, **given}
            super().__init__(**fields)

        __init__.__pydantic_base_init__ = True  # direct calls alone come here

    @field_validator("formula", mode="before")
    @classmethod
    def _one_line(cls, given: Any) -> Any:
        return " ".join(given.split()) if isinstance(given, str) else given

    @field_validator("label")
    @classmethod
    def _short(cls, label: str | None) -> str | None:
        if label and any(unicodedata.category(c) in ("Cc", "Cs") for c in label):
            raise ValueError(f"must be one line of text: got {label[:50]!r}")
        return label or None

    @field_validator("variables", mode="before")
    @classmethod
    def _two_names(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple) or len(given) != 2:
            raise ValueError(f'must be two names, such as ["u", "v"]: got {shown(given)}')
        for name in given:
            if why := _unfit(name):
                raise ValueError(f"has {shown(name)}, which {why}; choose another name")
        if given[0] == given[1]:
            raise ValueError(f"must be two names that differ: got {shown(given)}")
        return tuple(given)

    @field_validator("given_constants", mode="before")
    @classmethod
    def _named_numbers(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError(f"must be a table such as {{ a = 1.0 }}: got {shown(given)}")
        if len(given) > MOST_CONSTANTS:
            raise ValueError(f"may be {MOST_CONSTANTS} at most: got {len(given)}")
        found = []
        for name, value in given.items():
            if why := _unfit(name):
                raise ValueError(f"has {shown(name)}, which {why}; choose another name")
            found.append((name, _number(value, f"has {name} = {shown(value)}, and")))
        return tuple(sorted(found))  # JSON sorts its keys too

    @field_validator("given_box", mode="before")
    @classmethod
    def _corners(cls, given: Any, info: Any) -> Any:
        names = info.data.get("variables", ("x", "y"))
        if isinstance(given, Mapping):
            if set(given) != set(names):
                raise ValueError(
                    f"needs {names[0]} and {names[1]}, which are the variables: got {shown(given)}"
                )
            given = [given[name] for name in names]
        try:
            (x_low, x_high), (y_low, y_high) = given
            sides = [(x_low, x_high), (y_low, y_high)]
        except (TypeError, ValueError):
            example = f"{{ {names[0]} = [-2, 2], {names[1]} = [-1, 3] }}"
            raise ValueError(f"must be a table such as {example}: got {shown(given)}") from None
        found = []
        for low, high in sides:
            low, high = (_number(end, "has ends that") for end in (low, high))
            if not low < high or math.isinf(high - low):
                raise ValueError(f"must go from a lower to a higher number: got [{low}, {high}]")
            found.append((low, high))
        return tuple(found)

    @field_validator("given_minimisers", mode="before")
    @classmethod
    def _points(cls, given: Any) -> Any:
        if given is None:
            return None
        given = given.tolist() if isinstance(given, np.ndarray) else given
        if not isinstance(given, list | tuple):
            raise ValueError(f"must be a list of points, such as [[1, 1]]: got {shown(given)}")
        if len(given) > MOST_MINIMISERS:
            raise ValueError(f"may be {MOST_MINIMISERS} at most: got {len(given)}")
        found = []
        for point in given:
            point = point.tolist() if isinstance(point, np.ndarray) else point
            if not isinstance(point, list | tuple) or len(point) != 2:
                raise ValueError(f"must be points of two numbers: got {shown(point)}")
            found.append(
                tuple(
                    part if isinstance(part, str) else _number(part, "has coordinates that")
                    for part in point
                )
            )
        return tuple(found)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        wrong: list[Fault] = []
        taken = [name for name, _ in self.given_constants if name in self.variables]
        if taken:
            wrong.append(("constants", f"has {taken[0]!r}, which is a variable; rename one"))
            raise faults(wrong)
        names = tuple(name for name, _ in self.given_constants)
        try:
            trees = [_parsed(self.formula, (*self.variables, *names))]
            self.functions  # noqa: B018  (what cannot be derived is refused here)
        except FormulaError as error:
            raise faults([("formula", str(error))]) from None
        try:
            trees += [_parsed(text, names) for text in self._expressions()]
            points = self.minimisers if self.given_minimisers is not None else ()
        except FormulaError as error:
            raise faults([("minimisers", str(error))]) from None
        for name, _ in self.given_constants:
            if not any(uses(tree, [name]) for tree in trees):
                wrong.append(("constants", f"has {name}, which the formula does not; drop it"))
        for point in points:
            if not np.isfinite(self.value(*point)):
                said = f"({point[0]:g}, {point[1]:g})"
                wrong.append(("minimisers", f"has {said}, where the formula is no finite number"))
        if wrong:
            raise faults(wrong)
        return self

    def _expressions(self) -> list[str]:
        """Coordinates of minimisers that are to be computed from the constants."""
        points = self.given_minimisers or ()
        return [part for point in points for part in point if isinstance(part, str)]

    @property
    def functions(self) -> Functions:
        return _functions(self.formula, self.variables, self.given_constants)

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
        # What stands in an exponent is written into the code, and has one value.
        written = _in_exponents(
            _parsed(self.formula, (*self.variables, *dict(self.given_constants)))
        )
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

    @functools.cached_property
    def _searched(self) -> NDArray[np.float64]:
        functions, constants = self.functions, self.constants
        return minimisers(
            Landscape(
                lambda x, y: functions.value(x, y, constants),
                lambda x, y: functions.gradient(x, y, constants),
                lambda x, y: functions.hessian(x, y, constants),
                self.box,
            )
        )

    @property
    def minimisers(self) -> NDArray[np.float64]:
        if self.given_minimisers is None:
            return self._searched.copy()
        named = dict(self.given_constants)
        points = [
            [evaluate(_parsed(p, tuple(named)), named) if isinstance(p, str) else p for p in point]
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
        """Everything that decides what the formula is; found minimisers are marked as such."""
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
        """What it was made from, by the names that it is made with."""
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
            A new one; minimisers that were found are searched for anew.

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
        """Copy, with other values for some keys; found minimisers are searched for anew."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self)(**(self._given() | dict(update)))

    def __repr_args__(self) -> Any:
        """What was given, and no more."""
        yield from self._given().items()

    def _identity(self) -> str:
        return json.dumps({k: v for k, v in self._given().items() if k != "label"}, sort_keys=True)

    def __eq__(self, other: object) -> bool:
        """Whether it is the same function with the same box; labels do not count."""
        return isinstance(other, Formula) and self._identity() == other._identity()

    def __hash__(self) -> int:
        """Of what is compared."""
        return hash(self._identity())


def _number(value: Any, what: str) -> float:
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{what} must be a number: got {shown(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{what} must be a finite number: got {shown(value)}")
    return number + 0.0


def _unfit(name: Any) -> str | None:
    """Why this cannot be a name in a formula."""
    if not isinstance(name, str) or not name.isascii() or not name.isidentifier():
        return "must be made of letters, digits and _"
    if len(name) > LONGEST_NAME:
        return f"has more than {LONGEST_NAME} characters"
    return "means something else" if name in RESERVED else None


@functools.lru_cache(maxsize=256)
def _parsed(formula: str, names: tuple[str, ...]) -> Node:
    return parse(formula, names)


def _in_exponents(node: Node) -> set[str]:
    """Names that stand in exponents."""
    found = {name for part in node.parts for name in _in_exponents(part)}
    return found | _names(node.parts[1]) if node.kind == "power" else found


def _names(node: Node) -> set[str]:
    own = {node.word} if node.kind == "name" else set()
    return own.union(*(_names(part) for part in node.parts))


@functools.lru_cache(maxsize=256)
def _functions(
    formula: str, variables: tuple[str, str], constants: tuple[tuple[str, float], ...]
) -> Functions:
    names = [name for name, _ in constants]
    tree = specialise(_parsed(formula, (*variables, *names)), variables, dict(constants))
    weigh(tree, variables)
    if not uses(tree, variables):
        raise FormulaError(f"must depend on {variables[0]} or {variables[1]}, and does not")

    def write() -> str:
        from fastmomentum.objectives.derivation import derive  # SymPy takes its time to import

        return derive(tree, variables, names)

    return generated.functions(f"{variables} {names} {tree.spelt()}", write)
