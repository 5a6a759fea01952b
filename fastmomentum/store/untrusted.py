"""Text from a file that anyone may have written: read within bounds, and fully checked."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from typing import Any, Final

from fastmomentum.errors import FastmomentumError, FileError, StorageError
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.randomness import Batch, Noise
from fastmomentum.experiment.recording import Record
from fastmomentum.experiment.stopping import Stop
from fastmomentum.objectives import OBJECTIVES
from fastmomentum.provenance import package_version
from fastmomentum.rules import RULES
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.specification.base import Specification
from fastmomentum.text import printable

LONGEST_EXPERIMENT: Final = 32 * 2**20
"""Characters of an experiment's text, at most; long explicit axes make the longest."""
LONGEST_ATTRIBUTE: Final = 65_536
"""Characters of another attribute, at most."""
MOST_BRACKETS: Final = 4_000_000
"""Lists and tables in a text, at most: each takes about a hundred bytes of memory."""

Attributes = dict[str, str | int]


def plain_json(text: bytes) -> Any:
    """Parse JSON as plain as ours: no duplicate key, no NaN, no deep nesting, few brackets.

    Parameters
    ----------
    text : bytes
        Of any content.

    Returns
    -------
    object
        The parsed value.

    Raises
    ------
    FileError
        It is not; the message lacks the file's name.

    Examples
    --------
    >>> plain_json(b'{"lr": [0.1, 1e-3]}')
    {'lr': [0.1, 0.001]}
    """
    if text.count(b"[") + text.count(b"{") > MOST_BRACKETS:
        raise FileError("its text nests too much")
    try:
        return json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise FileError(f"its text is no plain JSON: {printable(error)}") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key comes twice")
    return table


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def checked_attributes(told: object) -> Attributes:
    """Check the attributes of a file.

    Parameters
    ----------
    told : object
        Parsed JSON.

    Returns
    -------
    dict of str or int
        As `bookkeeping.attributes` made them.

    Raises
    ------
    FileError
        They are not; the message lacks the file's name.
    """
    if not isinstance(told, dict):
        raise FileError("its attributes are no table")
    for name, value in told.items():
        longest = LONGEST_EXPERIMENT if name == "experiment" else LONGEST_ATTRIBUTE
        if not name.isidentifier() or len(name) > 100:
            raise FileError(f"an attribute has the name {printable(name)}")
        if type(value) is not int and not (isinstance(value, str) and len(value) <= longest):
            raise FileError(f"the attribute {name} is no number and no short text")
    return told


class LackingError(FileError):
    """A sound file that needs something that this installation lacks."""


def require_known(tree: object, made_with: object) -> None:
    """Refuse an experiment of an objective, a rule or a key that this installation lacks.

    Parameters
    ----------
    tree : object
        Parsed canonical form.
    made_with : object
        The version of fastmomentum that made the file, as it says.

    Raises
    ------
    LackingError
        Names what is lacking and that version; the message lacks the file's name.

    Examples
    --------
    >>> require_known({"objective": {"name": "rosenbrock"}}, "0.1.0")
    """
    needs = list(_unknown(tree)) if isinstance(tree, dict) else []
    if not needs:
        return
    here, there = package_version("fastmomentum"), printable(made_with or "unknown")
    install = "a version that has it" if there in ("unknown", here) else "that, or a later one"
    raise LackingError(
        f"needs {' and '.join(needs[:3])}, which this installation (fastmomentum {here}) lacks; "
        f"it was made with fastmomentum {there}: install {install}"
    )


def _keys_of(model: type[Specification]) -> set[str]:
    """Keys of a table, as a file has them."""
    return {field.alias or name for name, field in model.model_fields.items()}


def _unknown(tree: dict[str, Any]) -> Iterator[str]:
    """Names in an experiment that this installation does not know."""
    models: dict[str, type[Specification]] = {
        "grid": Grid, "record": Record, "stop": Stop, "noise": Noise, "batch": Batch
    }  # fmt: skip
    keys = {above: _keys_of(model) for above, model in models.items()}
    for kind, known in (("objective", OBJECTIVES), ("rule", RULES)):
        table = tree.get(kind)
        name = table.get("name") if isinstance(table, dict) else None
        if isinstance(name, str) and name not in known:
            yield f"the {kind} {printable(repr(name))}"
        elif isinstance(name, str):
            own = _keys_of(OBJECTIVES[name]) if kind == "objective" else UpdateRule.keys_of(name)
            keys[kind] = set(own)
    for key in tree.keys() - Experiment.model_fields.keys():
        yield f"the key {printable(key)}"
    for above, known_keys in keys.items():
        table = tree.get(above)
        if isinstance(table, dict):
            for key in sorted(table.keys() - known_keys):
                yield f"the key {above}.{printable(key)}"
    grid = tree.get("grid")
    axes = grid.get("rule") if isinstance(grid, dict) else None
    known_axes = keys.get("rule")  # the keys of an unknown rule are unknown
    for key in sorted(axes.keys() - known_axes) if isinstance(axes, dict) and known_axes else ():
        yield f"the key grid.rule.{printable(key)}"


def parsed_experiment(
    text: str, sha256: object, most_bytes: int, made_with: object = None
) -> Experiment:
    """Read the canonical form of an experiment from a results file.

    Parameters
    ----------
    text : str
        JSON.
    sha256 : object
        Its hash, as the file says.
    most_bytes : int
        Size of the file: an experiment with more runs is refused before its axes are computed.
    made_with : object
        The version of fastmomentum that made the file, as it says.

    Returns
    -------
    Experiment
        Whose canonical form is the text, byte for byte.

    Raises
    ------
    FileError
        It is not a sound experiment; the message lacks the file's name.
    """
    if hashlib.sha256(text.encode(errors="replace")).hexdigest() != sha256:
        raise FileError("the experiment does not match its hash")
    tree = plain_json(text.encode(errors="replace"))
    require_known(tree, made_with)
    try:
        if _fewest_runs(tree["grid"]) > most_bytes:
            raise FileError("the experiment has more runs than the file has bytes")
        if tree["objective"]["name"] == "mse" and not tree["objective"].get("statistics"):
            raise FileError("the experiment would read data from elsewhere")
        experiment = Experiment.parse(tree)
        same = experiment.canonical == text
    except (FileError, StorageError):
        raise
    except (FastmomentumError, ArithmeticError, LookupError, AttributeError, TypeError,
            ValueError, RecursionError) as error:  # fmt: skip
        raise FileError(f"the experiment in it makes no sense: {printable(error)}") from None
    if not same:
        raise FileError("the experiment is not in its canonical form")
    return experiment


def _fewest_runs(grid: dict[str, Any]) -> int:
    """A lower bound on the runs of a grid, from its numbers alone."""
    cells = grid.get("cells")
    axes = [grid["lr"], grid.get("momentum")] if cells is None else [{"values": cells}]
    for places in (grid["start"], grid.get("velocity")):
        axes += places.values() if isinstance(places, dict) else [{"values": places}]
    for kind in ("rule", "objective"):
        table = grid.get(kind)
        axes += table.values() if isinstance(table, dict) else []
    seed = grid.get("seed")
    seeds = seed if isinstance(seed, int) else len(seed) if isinstance(seed, list) else 1
    return seeds * math.prod(_fewest_values(axis) for axis in axes)


def _fewest_values(axis: Any) -> int:
    if not isinstance(axis, dict):
        return 1
    num = axis.get("num")
    return max(1, num if isinstance(num, int) else len(axis.get("values") or ()))
