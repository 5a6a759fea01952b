"""The changes to a view that a page may request."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from fastmomentum.errors import InputError
from fastmomentum.explorer.axes import enlarged, usual_window
from fastmomentum.explorer.links import number_of, objective_of, others_of, steps_of
from fastmomentum.explorer.tables import noise, schedule, seed
from fastmomentum.explorer.view import View, usual_start
from fastmomentum.objectives import Objective
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.text import suggest

Asked = Mapping[str, Any]

_CONSTANT: Final = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(\S+)\s*")


def objective(view: View, asked: Asked, given: View) -> View:
    """Change the objective: to a table, or to a formula and its constants as text."""
    if "formula" in asked:
        table: dict[str, Any] = {"name": "formula", "formula": str(asked["formula"])}
        table["constants"] = constants_of(str(asked.get("constants", "")))
    else:
        table = dict(asked["table"]) if isinstance(asked.get("table"), Mapping) else {}
    made = objective_of(table, given)
    return _with_objective(view, made, given)


def _with_objective(view: View, made: Objective, given: View) -> View:
    old = view.objective
    is_same = (made.name, made.parameters) == (old.name, old.parameters)
    if is_same and getattr(made, "formula", "") == getattr(old, "formula", ""):
        return view.changed(objective=made).fitting()
    windows = {
        name: usual_window(name, made, view.rule) if name == "lr" else window
        for name, window in view.windows.items()
        if not name.startswith(("start_", "objective_"))
    }
    start = given.start if made == given.objective else usual_start(made)
    target = view.target if made.f_min is not None else None
    changed = view.changed(objective=made, start=start, windows=windows, cell=None, target=target)
    return changed.fitting()


def constants_of(text: str) -> dict[str, float]:
    """Parse constants as they are typed.

    Examples
    --------
    >>> constants_of("a = 1, b=100")
    {'a': 1.0, 'b': 100.0}
    """
    found: dict[str, float] = {}
    for part in filter(str.strip, re.split(r"[,;]", text)):
        match = _CONSTANT.fullmatch(part)
        if match is None:
            raise InputError(f"constants must be like a = 1, b = 100: got {part.strip()[:40]!r}")
        found[match[1]] = number_of(match[1], match[2])
    return found


def rule(view: View, asked: Asked, given: View) -> View:
    """Change the rule or its parameters."""
    made = UpdateRule.parse(dict(asked["table"]))
    return view.changed(rule=made).fitting()


def steps(view: View, asked: Asked, given: View) -> View:
    """Change the number of updates."""
    return view.changed(steps=steps_of(asked["value"]))


def target(view: View, asked: Asked, given: View) -> View:
    """Change the target; an empty text removes it."""
    text = str(asked["value"]).strip()
    value = None if text in ("", "None") else number_of("target", text)
    return view.changed(target=value)


def start(view: View, asked: Asked, given: View) -> View:
    """Change the start."""
    x, y = (number_of("start", part) for part in asked["value"])
    return view.changed(start=(x, y))


def settings(view: View, asked: Asked, given: View) -> View:
    """Change the learning rate or momentum of a map that has other axes."""
    changes = {name: number_of(name, asked[name]) for name in ("lr", "momentum") if name in asked}
    return view.changed(**changes)


def axes(view: View, asked: Asked, given: View) -> View:
    """Change the axes of the map."""
    x, y = str(asked["x"]), str(asked["y"])
    for name in (x, y):
        if name not in view.names:
            raise InputError(f"the map has no axis {name!r}; {suggest(name, view.names)}")
    if x == y:
        raise InputError(f"the map needs two different axes: got {x} twice")
    return view.changed(x=x, y=y, cell=None).fitting()


def window(view: View, asked: Asked, given: View) -> View:
    """Change the window; where doubles end, `View.zoomed` widens it."""
    made = {}
    for name in (view.x, view.y):
        low, high = asked["windows"].get(name, view.windows[name])
        made[name] = (number_of(name, low), number_of(name, high))
    return view.zoomed(made)[0]


def nudge(view: View, asked: Asked, given: View) -> View:
    """Scale the window by a factor, or shift it by a share of its width."""
    factor = min(max(number_of("factor", asked.get("factor", 1.0)), 0.01), 100.0)
    shifts = [number_of("shift", part) for part in asked.get("shift", (0.0, 0.0))]
    made = {
        name: enlarged(name, view.windows[name], factor, min(max(shift, -10.0), 10.0))
        for name, shift in zip((view.x, view.y), shifts, strict=True)
    }
    return view.zoomed(made)[0]


def cell(view: View, asked: Asked, given: View) -> View:
    """Choose the cell whose path is shown."""
    x, y = (number_of("cell", part) for part in asked["value"])
    return view.changed(cell=(x, y))


def theory(view: View, asked: Asked, given: View) -> View:
    """Show or hide theory."""
    return view.changed(theory=bool(asked["value"]))


def reset(view: View, asked: Asked, given: View) -> View:
    """Return to the windows that the explorer started with."""
    if view.changed(windows=given.windows, cell=None).map_key == given.map_key:
        return given.changed(theory=view.theory)
    windows = {name: usual_window(name, view.objective, view.rule) for name in (view.x, view.y)}
    return view.changed(windows=windows)


def others(view: View, asked: Asked, given: View) -> View:
    """Replace the further tables of the experiment, such as its schedule."""
    return view.changed(others=others_of(asked["tables"]))


CHANGES: Final[dict[str, Callable[[View, Asked, View], View]]] = {
    change.__name__: change
    for change in (
        objective, rule, steps, target, start, settings, axes, window, nudge, cell, theory, reset,
        others, schedule, noise, seed,
    )
}  # fmt: skip
"""By name; each takes the view, the request and the view at the start, and returns a view."""

FIELDS: Final = {
    "objective": "objective", "rule": "rule", "steps": "steps", "stop": "target",
    "target": "target", "schedule": "schedule", "noise": "noise", "batch": "others",
}  # fmt: skip
"""Field of the page beside which an error is shown, by the first part of the key it names."""


def field_of(change: str, message: str) -> str:
    """The field beside which an error message is shown."""
    key = message.split(" ", 1)[0].split(".")[0].rstrip(":")
    return FIELDS.get(key, change)
