"""An experiment as the text of an experiment file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from fastmomentum.experiment.plan import Experiment
from fastmomentum.objectives import MSE
from fastmomentum.objectives.observed import ARRAYS

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")

ROWS_ELSEWHERE: Final = (
    "# Batches need rows, and those of these data came as arrays: only results, here OUT.h5, have",
    "# them. With points.csv beside this file it can be run; this line of Python writes that:",
    '# fm.open("OUT.h5")[["data_x", "data_y"]].to_dataframe().to_csv("points.csv")',
)
ROWS_OF_RESULTS: Final = {"data": "points.csv", "x": "data_x", "y": "data_y"}
"""Data of an experiment whose rows lie in results, once they were written as that comment says."""


def toml_of(experiment: Experiment) -> str:
    """Write an experiment as an experiment file.

    Parameters
    ----------
    experiment : Experiment
        What to write.

    Returns
    -------
    str
        TOML that reads back as the same experiment, to the bit. The data of mse are not included:
        of a file its name, of arrays their statistics; where batches need the rows of arrays, a
        comment says how to get them out of results.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> print(toml_of(fm.Experiment(objective="booth", rule="sgd", steps=10,
    ...     grid=fm.Grid(lr=0.01, start=[(1, 1)]))))
    steps = 10
    <BLANKLINE>
    [objective]
    name = "booth"
    <BLANKLINE>
    [rule]
    name = "sgd"
    <BLANKLINE>
    [grid]
    lr = [0.01]
    start = [[1.0, 1.0]]
    <BLANKLINE>
    """
    tree = json.loads(experiment.canonical)
    notes: dict[str, tuple[str, ...]] = {}
    if isinstance(experiment.objective, MSE):
        in_arrays = experiment.objective.data == ARRAYS
        if not in_arrays or experiment.batch is not None:
            tree["objective"].pop("statistics", None)
        if in_arrays and experiment.batch is not None:
            tree["objective"] |= ROWS_OF_RESULTS
            notes["objective"] = ROWS_ELSEWHERE
    if tree["objective"].pop("found", False):
        del tree["objective"]["minimisers"]  # they will be searched for again
    if tree["stop"].get("bound") == 1e20:
        del tree["stop"]["bound"]
    if not tree["stop"].get("targets"):
        tree["stop"].pop("targets", None)
    order = ["title", "steps", "objective", "rule", "grid"]
    tree = {key: tree[key] for key in sorted(tree, key=lambda k: (*order, k).index(k))}
    plain = {k: v for k, v in tree.items() if not isinstance(v, dict) and v != ""}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, table in tree.items():
        if isinstance(table, dict) and table:
            lines += ["", f"[{_key(key)}]", *notes.get(key, ())]
            lines += [f"{_key(name)} = {_value(value)}" for name, value in _ordered(table)]
    return "\n".join([*lines, ""])


def _ordered(table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    first = ("name", "formula", "lr", "momentum")
    return sorted(table.items(), key=lambda pair: (*first, pair[0]).index(pair[0]))


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        table = {k: v for k, v in value.items() if not (k == "include" and v == [])}
        if table.keys() == {"values"}:
            return _value(table["values"])
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in table.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
