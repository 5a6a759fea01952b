"""Schedules, noise and seeds that a page requests: further tables of the experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastmomentum.errors import InputError
from fastmomentum.explorer.links import number_of
from fastmomentum.explorer.view import View
from fastmomentum.schedules.base import Scheduled
from fastmomentum.schedules.registry import LR_SCHEDULES, MOMENTUM_SCHEDULES
from fastmomentum.text import suggest

Asked = Mapping[str, Any]

KINDS: Final[Mapping[str, Mapping[str, type[Scheduled]]]] = {
    "lr": LR_SCHEDULES,
    "momentum": MOMENTUM_SCHEDULES,
}

USUAL: Final = {
    "factor": 0.5, "rate": 0.01, "first": 0.1, "last": 0.9, "most": 0.99, "factors": [0.3, 0.1],
}  # fmt: skip
"""First values of a schedule's required parameters."""

MOST_SEED: Final = 2**53
"""From here on, the page's numbers cannot tell whole numbers apart."""


def schedules_told() -> dict[str, list[dict[str, Any]]]:
    """The kinds of schedules and their parameters, for the page."""
    return {of: [_told(kind) for kind in kinds.values()] for of, kinds in KINDS.items()}


def _told(kind: type[Scheduled]) -> dict[str, Any]:
    parameters = [
        {"name": name, "default": None if one.is_required() else one.default}
        for name, one in kind.model_fields.items()
        if name != "kind"
    ]
    name = kind.model_fields["kind"].default
    told = {"name": name, "title": kind.title, "equation": kind.equation}
    return {**told, "parameters": parameters}


def usual_table(of: str, name: str, steps: int) -> dict[str, Any]:
    """A schedule that has just been chosen, with values that fit the number of updates.

    Parameters
    ----------
    of : str
        ``"lr"`` or ``"momentum"``.
    name : str
        Its kind.
    steps : int
        Updates of a run.

    Returns
    -------
    dict
        As in an experiment file.

    Examples
    --------
    >>> usual_table("lr", "step", 2000)
    {'kind': 'step', 'factor': 0.5, 'every': 500}
    """
    kinds = KINDS[of]
    if name not in kinds:
        raise InputError(f"schedule.{of}.kind must name a schedule; {suggest(name, kinds)}")
    quarter, half = max(steps // 4, 1), max(steps // 2, 1)
    usual = USUAL | {"steps": steps, "every": quarter, "at": [half, half + quarter]}
    if name == "one_cycle":
        usual["steps"] = max(steps, 4)
    needed = [n for n, one in kinds[name].model_fields.items() if one.is_required()]
    return {"kind": name} | {key: usual[key] for key in needed}


def schedule(view: View, asked: Asked, given: View) -> View:
    """Change the schedule of the learning rate or momentum; an empty table removes it."""
    of = str(asked["of"])
    if of not in KINDS:
        raise InputError(f"schedule has no key {of!r}; {suggest(of, KINDS)}")
    table = dict(asked["table"])
    if table.keys() == {"kind"}:
        table = usual_table(of, str(table["kind"]), view.steps)
    tables = dict(view.others.get("schedule", {}))
    tables.pop(of, None)
    changed = view.changed(others=_with(view, "schedule", tables | ({of: table} if table else {})))
    if "momentum" in changed.names and "momentum" not in view.names:
        changed = changed.changed(y="momentum")  # momentum can be an axis again
    return changed.fitting()


def noise(view: View, asked: Asked, given: View) -> View:
    """Change the standard deviation of the noise on gradients; an empty text removes it."""
    text = str(asked["value"]).strip()
    deviation = number_of("noise", text) if text not in ("", "None") else 0.0
    if deviation:
        table = {**view.others.get("noise", {}), "gaussian": deviation}
        return view.changed(others=_with(view, "noise", table))
    view = view.changed(others=_with(view, "noise", {}))
    return view if "batch" in view.others else view.changed(others=_with_seed(view, None))


def seed(view: View, asked: Asked, given: View) -> View:
    """Change the seed."""
    value = number_of("seed", asked["value"])
    if value != int(value) or not 0 <= value < MOST_SEED:
        raise InputError(f"seed must be a whole number from 0 to {MOST_SEED - 1:,}: got {value:g}")
    if not {"noise", "batch"} & view.others.keys():
        raise InputError("seed makes no difference where nothing is random; add noise first")
    return view.changed(others=_with_seed(view, int(value)))


def _with(view: View, name: str, table: Mapping[str, Any]) -> dict[str, Any]:
    rest = {key: value for key, value in view.others.items() if key != name}
    return rest | ({name: dict(table)} if table else {})


def _with_seed(view: View, value: int | None) -> dict[str, Any]:
    grid = {k: v for k, v in view.others.get("grid", {}).items() if k != "seed"}
    return _with(view, "grid", grid if value is None else grid | {"seed": [value]})
