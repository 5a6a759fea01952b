"""Frozen, validated specifications: strict about types, with NumPy's numbers accepted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

import numpy as np
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic.functional_validators import ModelWrapValidatorHandler

from fastmomentum.errors import InputError
from fastmomentum.specification.messages import explain
from fastmomentum.specification.spans import LONG, Spanned


def plain(value: Any) -> Any:
    """NumPy's scalars as Python's, also in lists and tuples (which become lists); -0.0 as 0.0.

    Parameters
    ----------
    value : object
        Anything; what is neither NumPy's nor a list is returned unchanged.

    Returns
    -------
    object
        As parsed from a TOML file.

    Examples
    --------
    >>> plain((np.float64(0.5), [np.int64(2)], "x"))
    [0.5, [2], 'x']
    """
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, np.datetime64 | np.timedelta64):
        return str(value)  # pydantic would accept them as numbers
    if isinstance(value, np.complexfloating):
        return complex(value)  # and would use the real part of these
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) + 0.0  # else -0.0 and 0.0 were two experiments
    if isinstance(value, list | tuple):
        return [plain(_listed(e) if isinstance(e, np.ndarray) else e) for e in value]
    return value


def _by_name(model: type[Specification], given: tuple[Any, ...], further: Mapping[str, Any]) -> str:
    """Say what to write instead of positional arguments, beside those that have their names."""
    kind = model.__name__
    fields = {
        name: field
        for name, field in model.model_fields.items()
        if not _is_tag(field) and not field.kw_only
    }
    keys = {*model.model_fields, *getattr(model, "further_keys", ())}
    further = {name: value for name, value in further.items() if name in keys}
    if model.positional and len(given) <= len(fields):
        pairs = dict(zip(fields, given, strict=False))
        twice = next((name for name in pairs if name in further), None)
        if twice:
            return f"{kind} has two values for {twice}: drop the one without a name"
        pairs |= further
        shown = (f"{name}={' '.join(repr(value).split())}" for name, value in pairs.items())
        written = ", ".join(shown)
        if len(written) <= 60:
            return f"{kind} takes its arguments by name: write {kind}({written})"
    ordered = sorted(fields, key=lambda name: not fields[name].is_required())
    ordered += [name for name in further if name not in fields]
    known = ", ".join(f"{name}=..." for name in ordered)
    if not known:
        return f"{kind} takes no arguments: write {kind}()"
    return f"{kind} takes its arguments by name: write {kind}({known}), with those that you need"


def _is_tag(field: FieldInfo) -> bool:
    """Whether a field only tags its class."""
    return get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1


def _listed(array: NDArray[Any]) -> Any:
    """An array as a list; dates stay dates, which ``tolist`` would turn into numbers."""
    return list(array) if array.dtype.kind in "mM" and array.ndim else array.tolist()


def _whole(given: Any) -> Any:
    return int(given) if isinstance(given, float) and given.is_integer() else given


Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number; 5e3 counts as one."""


class Specification(BaseModel):
    """Base of all specifications: frozen, no unknown keys, own exceptions.

    Numbers must be numbers: neither text nor true and false are accepted.

    Raises
    ------
    InputError
        With a line for each thing that is wrong.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    unwritten: ClassVar[frozenset[str]] = frozenset()
    """Keys that stand for the whole table: a fault in one is reported for the table."""

    another: ClassVar[str] = ""
    """Advice for who passes a subclass, which files and workers would not know."""
    positional: ClassVar[bool] = False
    """Whether the order of the fields shows which positional argument was meant for which."""

    def __init__(self, /, *given: Any, **fields: Any) -> None:
        if given:
            raise InputError(_by_name(type(self), given, fields))
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InputError(explain(error, type(self))) from None

    # Pydantic calls an overridden __init__ for nested models too, which would lose the error's
    # location in the file; with this mark, only direct calls come here.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # pydantic's own mark

    @model_validator(mode="before")
    @classmethod
    def _python_numbers(cls, given: Any) -> Any:
        if isinstance(given, dict):
            return {key: plain(value) for key, value in given.items()}
        return given

    @model_validator(mode="wrap")
    @classmethod
    def _no_subclass(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Refuse subclasses: files and workers would turn them into this class."""
        if isinstance(given, cls) and type(given) is not cls:
            kind, name = cls.__name__, type(given).__name__
            advice = cls.another or f"make it with fm.{kind}(...)"
            raise ValueError(f"must be of the class {kind}: got its subclass {name}; {advice}")
        return validate(given)

    @classmethod
    def parse(cls, fields: object) -> Self:
        """Build from plain data, such as a parsed TOML or JSON file.

        Parameters
        ----------
        fields : object
            A mapping of keys to values.

        Returns
        -------
        Specification
            Validated.

        Raises
        ------
        InputError
            With a line for each thing that is wrong.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise InputError(explain(error, cls)) from None

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        """Only what was given; long lists as ranges."""
        fields = type(self).model_fields
        for name, value in super().__repr_args__():
            if name in self.model_fields_set and value != fields[name].default:
                is_long = isinstance(value, tuple) and len(value) > LONG
                yield name, Spanned(value) if is_long else value

    def __eq__(self, other: object) -> bool:
        """Whether the fields agree; values computed from them and cached do not count."""
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse, except for pydantic's private attributes."""
        if not name.startswith("_"):
            raise InputError(f"{name} cannot be changed; make a new {type(self).__name__}")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        """Refuse."""
        raise InputError(f"{name} cannot be taken away; make a new {type(self).__name__}")

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Copy, with other values for some fields; unlike pydantic's, the result is validated.

        Parameters
        ----------
        update : mapping, optional
            Values by field.
        deep : bool
            As in pydantic; without an `update`.

        Returns
        -------
        Specification
            A new one.

        Raises
        ------
        InputError
            As for a new one.
        """
        if not update:
            return super().model_copy(deep=deep)
        kept = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**(kept | dict(update)))
