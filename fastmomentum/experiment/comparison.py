"""Several experiments in one file: what they have in common, and the rule and schedule of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.toml import COMPARED, checked, tree_of
from fastmomentum.rules import RULES
from fastmomentum.specification.paths import path_of
from fastmomentum.text import printable, shown, suggest

OWN: Final = ("rule", "schedule", "grid")
"""What an experiment that is compared may have of its own."""

MOST: Final = 12
"""Experiments in a comparison: more cannot be told apart in a picture."""


def load_comparison(path: str | Path, overrides: str | Sequence[str] = ()) -> dict[str, Experiment]:
    """Read a file that compares experiments.

    It is an experiment file with a table ``[compare.NAME]`` for each of them, which holds a rule, a
    schedule, or axes of the grid: rule and schedule in place of the file's, axes set over those of
    the file. Where a rule has no momentum, or a schedule gives it, the file's axis of momenta is
    left out. All else is common to all.

    Parameters
    ----------
    path : path
        A TOML file.
    overrides : sequence of str
        As for `load`; keys of the file, set before experiments are made of it.

    Returns
    -------
    dict of Experiment
        By name, in the order of the file.

    Raises
    ------
    InputError
        As of `load`; or there is nothing to compare.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = tempfile.TemporaryDirectory()
    >>> file = Path(folder.name) / "two.toml"
    >>> _ = file.write_text('''
    ... steps = 100
    ... objective = "booth"
    ... grid = { lr = 0.1, momentum = 0.9, start = [[1, 1]] }
    ... [compare]
    ... plain = { rule = "sgd" }
    ... averaged = { rule = { name = "adam", beta2 = 0.99 } }
    ... ''')
    >>> {name: plan.rule.words for name, plan in load_comparison(file).items()}
    {'plain': 'sgd', 'averaged': 'adam with beta2 0.99'}
    >>> folder.cleanup()
    """
    path = path_of(path)
    tree = tree_of(path, overrides)
    compared = tree.pop(COMPARED, None)
    if compared is None:
        raise InputError(
            f"{path}: there is nothing to compare; give each experiment a table, such as "
            '[compare.adam] with rule = "adam", or run the file with fastmomentum run'
        )
    if not isinstance(compared, dict) or not all(isinstance(v, dict) for v in compared.values()):
        got = compared if not isinstance(compared, dict) else next(
            value for value in compared.values() if not isinstance(value, dict)
        )  # fmt: skip
        raise InputError(
            f"{path}: compare must have a table for each experiment, such as [compare.adam] with "
            f'rule = "adam": got {shown(got)}'
        )
    if not 2 <= len(compared) <= MOST:
        raise InputError(f"{path}: compare must have 2 to {MOST} experiments: got {len(compared)}")
    found = {}
    for name, own in compared.items():
        where = f"compare.{printable(name)}"
        for key in own:
            if key not in OWN:
                common = key in Experiment.model_fields
                advice = "set it for all, above" if common else suggest(key, OWN)
                said = "is common to all that are compared" if common else "no such key"
                raise InputError(f"{path}: {where}.{printable(key)} {said}; {advice}")
        found[name] = checked(_with(tree, own), path, f"{where}: ")
    return found


def _with(tree: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The file's tree with what one experiment has of its own."""
    made = {**tree, **{key: value for key, value in own.items() if key != "grid"}}
    common, axes = tree.get("grid", {}), own.get("grid", {})
    if not isinstance(common, dict) or not isinstance(axes, dict):
        return made | {"grid": axes if "grid" in own else common}
    grid = {**common, **axes}
    if "momentum" not in axes and _has_no_momentum(made):
        grid.pop("momentum", None)
    return made | {"grid": grid}


def _has_no_momentum(tree: Mapping[str, Any]) -> bool:
    """Whether the grid's momentum has nothing to say."""
    rule, schedule = tree.get("rule"), tree.get("schedule")
    name = rule.get("name") if isinstance(rule, dict) else rule
    known = RULES.get(name) if isinstance(name, str) else None
    scheduled = isinstance(schedule, dict) and "momentum" in schedule
    return scheduled or (known is not None and not known.uses_momentum)
