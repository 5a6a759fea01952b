"""Reading an experiment file, with some keys overridden."""

from __future__ import annotations

import contextlib
import math
import os
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.specification.messages import explain
from fastmomentum.specification.paths import path_of
from fastmomentum.specification.slips import UNCLOSED, slip_in_line, slip_in_value
from fastmomentum.text import kind_of, near_file, shown

MOST_BYTES: Final = 64 * 2**20
"""Most bytes of an experiment file: naming a device or a film by mistake must fail quickly."""

COMPARED: Final = "compare"
"""The table of a file that compares experiments."""

_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)$")
_TWICE: Final = re.compile(r"^Cannot (?:overwrite a value|declare \('(.*?)',?\) twice)")

_RESULTS: Final = b"\x89HDF\r\n\x1a\n"
"""How a results file begins."""

_NOT_A_WORD: Final = re.compile(r"""\s*(?:[\[{"'+\-.0-9]|$)""")
"""How values begin that are not bare words."""


BACKSLASHES: Final = (
    "in double quotes a backslash begins an escape: write C:/data.csv, or 'C:\\data.csv' in single "
    "quotes"
)
_WINDOWS_PATH: Final = re.compile(r""""[A-Za-z]:\\""")
"""How a path begins whose backslashes TOML reads as escapes."""


def load(path: str | Path, overrides: str | Sequence[str] = ()) -> Experiment:
    """Read an experiment file.

    Parameters
    ----------
    path : path
        A TOML file.
    overrides : sequence of str
        Such as ``"grid.lr.num=128"``: a key and a value in TOML's notation, which replace the
        file's. A word needs no quotes: ``"rule.name=nesterov"``. Each key once.

    Returns
    -------
    Experiment
        Checked.

    Raises
    ------
    InputError
        The file cannot be read, is no TOML, or describes no sensible experiment; each line of the
        message begins with the file's name. Or two overrides are of the same key.
    """
    path = path_of(path)
    tree = tree_of(path, overrides)
    if COMPARED in tree:
        raise InputError(
            f"{path} is a comparison of several experiments; run it with fastmomentum compare, or "
            "read it with fm.load_comparison"
        )
    return checked(tree, path)


def tree_of(path: Path, overrides: str | Sequence[str] = ()) -> dict[str, Any]:
    """What a TOML file says, with keys set over it; see `load`."""
    tree = _read(path)
    before: list[list[str]] = []
    for override in [overrides] if isinstance(overrides, str) else overrides:
        keys = _set(tree, str(override))
        for other in before:
            if other == keys:
                raise InputError(f"--set names {'.'.join(keys)} twice; leave one out")
            if other[: len(keys)] == keys:  # a part of what is replaced whole
                raise InputError(
                    f"--set {'.'.join(keys)} undoes --set {'.'.join(other)} before it; "
                    "leave one out, or swap them"
                )
        before.append(keys)
    return tree


def checked(tree: dict[str, Any], path: Path, where: str = "") -> Experiment:
    """The experiment that a tree describes; lines of messages begin with the file's name.

    Parameters
    ----------
    tree : dict
        As TOML has it.
    path : path
        The file; data are looked for beside it.
    where : str
        In the file, for messages.

    Raises
    ------
    InputError
        It describes no sensible experiment.
    """
    try:
        return Experiment.model_validate(tree, context={"folder": path.parent})
    except ValidationError as error:
        lines = explain(error, Experiment).splitlines()
        raise InputError("\n".join(f"{path}: {where}{line}" for line in lines)) from None


def experiment_from(given: object) -> Experiment:
    """The experiment to run, from an experiment or an experiment file.

    Parameters
    ----------
    given : object
        An `Experiment`, or the path of a TOML file.

    Returns
    -------
    Experiment
        Checked.

    Raises
    ------
    InputError
        It is neither, or the file is refused by `load`.
    """
    if type(given) is Experiment:
        return given
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        if path.suffix in (".h5", ".partial"):
            raise InputError(
                f"{path} is a results file, to judge by its name; name an experiment file "
                "(.toml), or open the results with fm.open"
            )
        return load(path)
    kind = type(given).__name__
    if isinstance(given, Experiment):
        raise InputError(
            f"experiment must be of the class Experiment: got its subclass {kind}, which no file "
            "can store; make it with fm.Experiment(...)"
        )
    advice = {
        "dict": "; make one with fm.Experiment.parse(...)",
        "Dataset": "; results hold theirs: fm.experiment_of(ds)",
    }.get(kind, "")
    raise InputError(
        "experiment must be an fm.Experiment or the path of an experiment file: got "
        f"{kind_of(given)}{advice}"
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        advice = "correct the path or create it"
        if near := near_file(path, ".toml"):
            advice = f"did you mean {near}?"
        raise InputError(f"{path}: no such file; {advice}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name an experiment file in it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path}: cannot be read: {reason}") from None
    except ValueError as error:  # a path that no file can have
        raise InputError(f"{str(path)!r} is not a path: {error}") from None
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{path}: larger than {MOST_BYTES // 2**20} MiB; an experiment file is short text"
        )
    if data.startswith(_RESULTS):
        raise InputError(
            f"{path} is a results file; name an experiment file, such as "
            f"{path.with_suffix('.toml').name} (info shows what results hold, and what made them)"
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not UTF-8 text (byte {error.start}); name an experiment file, saved as UTF-8"
        ) from None
    try:
        tree = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        usual = _advice(error, text) or "correct it"
        advice = BACKSLASHES if _WINDOWS_PATH.search(text) else usual
        raise InputError(f"{path}: not valid TOML: {_reason(error)}; {advice}") from None
    if any(_mangled(value) for value in _texts(tree)):
        raise InputError(f"{path}: a path has control characters; {BACKSLASHES}")
    return tree


def _advice(error: Exception, text: str) -> str | None:
    """Say what to write instead, where the line that stopped the parser has a common slip."""
    if not isinstance(error, tomllib.TOMLDecodeError):
        return None
    if match := _TWICE.search(str(error)):
        return f"{match[1] or 'the key'} is there twice: keep one".replace("', '", ".")
    lines = text.splitlines()
    if match := _LINE.search(str(error)):
        return slip_in_line(lines[int(match[1]) - 1]) if int(match[1]) <= len(lines) else None
    # At the end of the document: quotes left open anywhere, or a slip in the last line.
    slips = [slip_in_line(line) for line in lines if line.strip()]
    return UNCLOSED if UNCLOSED in slips else (slips or [None])[-1]


def _texts(tree: dict[str, Any]) -> Iterator[str]:
    """All text in a parsed file, without recursion: dotted keys nest to any depth."""
    left: list[Any] = [tree]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict | list):
            left += value.values() if isinstance(value, dict) else value


def _mangled(text: str) -> bool:
    """Whether it was a path whose backslashes were read as escapes, such as a tab's."""
    return text[1:2] == ":" and text[:1].isalpha() and any(c in "\b\t\n\f\r" for c in text)


def _reason(error: Exception) -> str:
    if isinstance(error, tomllib.TOMLDecodeError):
        message = str(error)
        return message[:1].lower() + message[1:]
    if isinstance(error, RecursionError):
        return "too deeply nested"
    return "a number has too many digits"


def _set(tree: dict[str, Any], override: str) -> list[str]:
    """Override one key of the file; gives its parts."""
    key, _, text = override.partition("=")
    keys = [part.strip() for part in key.split(".")]
    if not text.strip() or not all(keys):
        raise InputError(f"--set takes KEY=VALUE, such as grid.lr.num=128: got {override!r}")
    value = _value(text, override)
    for depth, part in enumerate(keys[:-1], start=1):
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            above = ".".join(keys[:depth])
            raise InputError(
                f"--set {override}: {above} is no table in the file, but {shown(inner)}; "
                f"set {above} whole"
            )
        tree = inner
    tree[keys[-1]] = value
    return keys


def _value(text: str, override: str) -> Any:
    advice = "correct it"
    try:
        parsed = tomllib.loads(f"value = {text}")
        if parsed.keys() == {"value"}:
            return parsed["value"]
        reason = "more than one line"
    except (ValueError, RecursionError) as error:
        if not _NOT_A_WORD.match(text):
            return text.strip()
        with contextlib.suppress(ValueError):
            if math.isfinite(number := float(text)):
                return number  # such as .5, which is not valid TOML
        reason = _reason(error).partition(" (at ")[0]
        advice = slip_in_value(text) or advice
    line = " ".join(override.split())
    raise InputError(f"--set {line}: the value is not valid TOML: {reason}; {advice}")
