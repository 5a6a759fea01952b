"""Plain words for what is wrong with a specification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from fastmomentum.specification.slips import slip_in_value
from fastmomentum.text import _nearest, shown, suggest

Fault = tuple[str, str]

MOST_LINES: Final = 5
"""Lines of a message."""

MOST_READ: Final = 100
"""Faults that are examined: a file may have any number of them."""

EXPECTED: Final = {
    "bool_type": "true or false",
    "date_type": "a date",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "a whole number",
    "list_type": "a list",
    "string_type": "text, in quotes",
    "tuple_type": "a list",
    "greater_than": "greater than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
    "string_too_long": "text of {max_length} characters at most",
}
"""What is expected instead, by pydantic's name of the fault."""


def faults(found: Iterable[Fault]) -> ValidationError:
    """An error for a validator to raise, with its faults located at keys of the table.

    Parameters
    ----------
    found : iterable of (str, str)
        The key, dotted where it is nested; and what is wrong, to follow the key.

    Returns
    -------
    pydantic.ValidationError
        Pydantic prefixes the keys with the table's own location.
    """
    details: list[Any] = [
        {
            "type": "value_error",
            "loc": tuple(key.split(".")),
            "input": None,
            "ctx": {"error": message},
        }
        for key, message in found
    ]
    return ValidationError.from_exception_data("", details)


def no_such_keys(keys: Iterable[str]) -> ValidationError:
    """As `faults`, for keys that a table does not have; the message suggests the closest key."""
    details: list[Any] = [{"type": "extra_forbidden", "loc": (key,), "input": None} for key in keys]
    return ValidationError.from_exception_data("", details)


def fault(key: str, message: str) -> ValidationError:
    """As `faults`, for a single one."""
    return faults([(key, message)])


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Explain a validation error in plain lines.

    Parameters
    ----------
    error : pydantic.ValidationError
        Pydantic's error.
    model : type
        The specification that was to be built.

    Returns
    -------
    str
        A line for each fault, but no more than a few.
    """
    faults = error.errors(include_url=False)
    n_faults, faults = len(faults), faults[:MOST_READ]
    # A misspelt key must not be reported as missing too.
    spelt = {guess for one in faults if (guess := _meant(one, model))}
    lines = [_line(one, model) for one in faults if not _is_spelt(one, spelt)]
    lines = list(dict.fromkeys(lines))
    if len(lines) > MOST_LINES:
        left = len(lines) + max(0, n_faults - MOST_READ) - MOST_LINES + 1
        lines = [*lines[: MOST_LINES - 1], f"and {left:,} more faults"]
    return "\n".join(lines)


def _meant(one: ErrorDetails, model: type[BaseModel]) -> tuple[int | str, ...] | None:
    """Location of the key that a misspelt one was meant to be."""
    if one["type"] != "extra_forbidden":
        return None
    _, around = _walk(one, model)
    near = _nearest(str(one["loc"][-1]), _keys(around))
    return (*one["loc"][:-1], near) if near else None


def _is_spelt(one: ErrorDetails, spelt: set[tuple[int | str, ...]]) -> bool:
    return one["type"] == "missing" and one["loc"] in spelt


def _line(one: ErrorDetails, model: type[BaseModel]) -> str:
    path, around = _walk(one, model)
    path = path or model.__name__.lower()
    kind, got = one["type"], one["input"]
    context = {key: _unpointed(value) for key, value in one.get("ctx", {}).items()}
    if kind == "extra_forbidden":
        word = str(one["loc"][-1])
        there = sorted(_elsewhere(word, model), key=lambda key: key.count("."))
        first = [key for key in there if key.count(".") == there[0].count(".")]
        if len(first) > 1 and f"grid.{word}" in first:  # a schedule has lr and momentum, too
            first = there = [f"grid.{word}"]
        if len(first) == 1:
            return f"{path}: no such key; did you mean '{there[0]}'?"
        return f"{path}: no such key; {suggest(word, _keys(around))}"
    if kind == "missing":
        field = _fields(around).get(str(one["loc"][-1])) if around else None
        example = f", such as {field.examples[0]}" if field and field.examples else ""
        return f"{path} is missing; add it{example}"
    if kind == "union_tag_not_found":
        near = _nearest("name", map(str, got)) if isinstance(got, dict) else None
        if near:
            return f"{path}.{near}: no such key; did you mean 'name'?"
        return f'{path}.name is missing; add it, such as name = "rosenbrock"'
    if kind == "union_tag_invalid":
        known = str(context["expected_tags"]).replace("'", "").split(", ")
        name = str(context["tag"])
        return f"{path}.name must name an {path}: got {name!r}; {suggest(name, known)}"
    if kind == "value_error":
        return f"{path} {context['error']}"
    if kind in ("model_type", "model_attributes_type"):
        fields = {} if around is None else _fields(around)
        keys = ", ".join(name for name, field in fields.items() if not field.kw_only) or "name"
        keys = f"keys {keys}" if "," in keys else f"key {keys}"
        twice = isinstance(got, list) and len(got) > 0 and isinstance(got[0], dict)
        advice = f"; write [{path}], not [[{path}]]" if twice else ""
        return f"{path} must be a table with the {keys}: got {shown(got)}{advice}"
    must = EXPECTED.get(kind)
    what = must.format(**context) if must else one["msg"].removeprefix("Input should be ")
    if kind == "float_type" and isinstance(got, int) and not isinstance(got, bool):
        what = "a number that float64 can hold"
    entry = next((part for part in one["loc"] if isinstance(part, int)), None)
    where = "" if entry is None else f" (entry {entry})"
    return f"{path} must be {what}: got {shown(got)}{where}{_advice(kind, got, entry)}"


def _advice(kind: str, got: object, entry: int | None) -> str:
    if kind == "finite_number" and entry is not None:
        return "; drop it"
    number = isinstance(got, int | float) and not isinstance(got, bool)
    if kind in ("tuple_type", "list_type") and number:
        return f"; write [{shown(got)}]"
    if kind in ("int_type", "float_type", "bool_type") and isinstance(got, str):
        if _is_number(got):
            return "; write it without quotes"
        slip = slip_in_value(got) or ""
        return f"; {slip}, without quotes" if slip.startswith("write") and '"' not in slip else ""
    return ""


def _elsewhere(word: str, model: type[BaseModel], above: str = "") -> set[str]:
    """Dotted paths in an experiment file of all keys with this name."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        path = f"{above}.{name}" if above else name
        inner = [m for m in _models(field.annotation) if "values" not in m.model_fields]
        found |= {path} if name == word else set()
        if len(inner) == 1 and path.count(".") < 2:  # of several, each has keys of its own
            found |= _elsewhere(word, inner[0], path)
    return found


def _unpointed(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [*_fields(model), *getattr(model, "further_keys", ())] if model is not None else []


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Fields by their keys in a file."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _walk(one: ErrorDetails, model: type[BaseModel]) -> tuple[str, type[BaseModel] | None]:
    """Location of a fault as a dotted key of the file, and the model around its last key.

    Pydantic's location also has the tags of unions and names of its own, which no file has.
    """
    words: list[str] = []
    known: list[type[BaseModel]] = [model]  # models possible at this point of the path
    around: type[BaseModel] | None = None
    location = one["loc"]
    named = False  # whether the next part is a key of a mapping, which no model has
    for place, part in enumerate(location):
        if named:
            words.append(str(part))
            named = False
            continue
        tagged = [m for m in known if len(known) > 1 and _tag(m) == part]
        home = next((m for m in known if part in _fields(m)), None)
        if tagged:
            known = tagged
        elif home is not None:
            around = home
            if part not in getattr(home, "unwritten", ()):
                words.append(str(part))
            annotation = _fields(home)[str(part)].annotation
            known, named = list(_models(annotation)), _is_mapping(annotation)
        elif place and location[place - 1] == "mesh" and hasattr(known[0], "others"):
            others = [known[0].others]  # any key is allowed there
            around, known = known[0], others
            words.append(str(part))
        elif known and hasattr(known[-1], "further_keys"):
            around = known[-1]
            words.append(str(part))
        elif one["type"] == "extra_forbidden" and place == len(location) - 1:
            # Of several models, the one with a similar key.
            alike = [one for one in known if _nearest(str(part), _keys(one))]
            around = next(iter(alike or known), None)
            words.append(shown(part)[1:-1])
    if one["type"] in ("model_type", "model_attributes_type"):
        around = known[0] if len(known) == 1 else None
    return ".".join(words), around


def _tag(model: type[BaseModel]) -> Any:
    name = model.model_fields.get("name")
    return name.default if name is not None else None


def _is_mapping(annotation: Any) -> bool:
    return get_origin(annotation) is dict or any(map(_is_mapping, get_args(annotation)))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
