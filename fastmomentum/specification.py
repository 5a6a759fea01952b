"""Frozen, validated specifications, and plain words for what is wrong with one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from fastmomentum.errors import InputError


class Specification(BaseModel):
    """Base of all specifications: frozen, no unknown keys, own exceptions.

    Raises
    ------
    InputError
        With a line for each thing that is wrong.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, arbitrary_types_allowed=True
    )

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as error:
            raise InputError(explain(error, type(self))) from None

    # Pydantic calls an overridden __init__ for nested models too, which would lose where in the
    # file an error lies; marked so, only direct calls come here.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

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


def suggest(word: str, known: Iterable[str]) -> str:
    """The nearest right word, or all of them.

    Parameters
    ----------
    word : str
        What came.
    known : iterable of str
        What could have come.

    Returns
    -------
    str
        The end of a sentence.

    Examples
    --------
    >>> suggest("momentun", ["lr", "momentum"])
    "did you mean 'momentum'?"
    """
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else "known are " + ", ".join(known)


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """A validation error as plain lines.

    Parameters
    ----------
    error : pydantic.ValidationError
        What pydantic says.
    model : type
        The specification that was asked for.

    Returns
    -------
    str
        A line for each fault.
    """
    lines = []
    for fault in error.errors(include_url=False):
        path, here = _walk(fault["loc"], model)
        got = fault.get("input")
        kind, context = fault["type"], fault.get("ctx", {})
        if kind == "extra_forbidden":
            known = here.model_fields if here is not None else ()
            key = str(fault["loc"][-1])
            lines.append(f"{path}: no such key; {suggest(key, known)}")
        elif kind == "missing":
            lines.append(f"{path} is missing; add it")
        elif kind == "union_tag_not_found":
            lines.append(f"{path}.name is missing; add it")
        elif kind == "union_tag_invalid":
            tags = str(context["expected_tags"]).replace("'", "").split(", ")
            lines.append(f"{path}.name: no '{context['tag']}'; {suggest(context['tag'], tags)}")
        elif kind == "value_error":
            lines.append(f"{path} {context['error']}".strip())
        elif kind == "literal_error":
            lines.append(f"{path} must be {context['expected']}: got {_short(got)}")
        elif kind in ("model_type", "model_attributes_type"):
            lines.append(f"{path} must be a table of keys: got {_short(got)}")
        else:
            what = fault["msg"].removeprefix("Input should be ").removeprefix("a valid ")
            lines.append(f"{path} must be {what}: got {_short(got)}")
    return "\n".join(dict.fromkeys(lines))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _walk(
    location: tuple[int | str, ...], model: type[BaseModel]
) -> tuple[str, type[BaseModel] | None]:
    """Where a fault lies, in the file's words, and the model around its last key."""
    words: list[str] = []
    here: type[BaseModel] | None = model
    around = here
    for part in location:
        around = here
        if isinstance(part, int):
            words.append(f"[{part}]")
            continue
        if here is not None and part in here.model_fields:
            words.append(f".{part}")
            here = _model_of(here.model_fields[part].annotation, None)
        elif (tagged := _model_of(_annotation_before(location, part, model), part)) is not None:
            here = tagged  # the tag of a union: not a key of the file
        elif part[:1].islower() and "[" not in part and "-" not in part:
            words.append(f".{part}")
            here = None
    return "".join(words).removeprefix("."), around


def _annotation_before(
    location: tuple[int | str, ...], part: int | str, model: type[BaseModel]
) -> Any:
    index = location.index(part)
    previous = location[index - 1] if index else None
    field = model.model_fields.get(str(previous))
    return field.annotation if field is not None else None


def _model_of(annotation: Any, tag: str | None) -> type[BaseModel] | None:
    """The model that an annotation names; of a union, the one with the tag."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        name = annotation.model_fields.get("name")
        return annotation if tag is None or (name is not None and name.default == tag) else None
    for inner in getattr(annotation, "__args__", ()):
        if (found := _model_of(inner, tag)) is not None:
            return found
    return None
