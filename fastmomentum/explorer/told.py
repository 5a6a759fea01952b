"""What the page is told at its start: objectives, rules and schedules to choose from."""

from __future__ import annotations

from typing import Any

from fastmomentum.explorer.links import MOST_STEPS_SHOWN
from fastmomentum.explorer.plane import COLOURS_OF_STEPS, PALETTE
from fastmomentum.explorer.tables import schedules_told
from fastmomentum.explorer.view import View
from fastmomentum.objectives import MSE, OBJECTIVES, Objective
from fastmomentum.rules import RULES
from fastmomentum.rules.base import Parameter
from fastmomentum.rules.modifiers import OPTIONS, RESTARTS


def registries(given: View) -> dict[str, Any]:
    """Objectives, rules and schedules with their parameters, for the fields of the page."""
    objectives = []
    for name, kind in OBJECTIVES.items():
        if name == "mse" and not isinstance(given.objective, MSE):
            continue  # it needs data
        one: Objective = given.objective if name == "mse" else kind.example()
        constants = {} if name == "formula" else one.named_constants
        objectives.append({"name": name, "constants": constants})
    rules = [
        {
            "name": rule.name,
            "title": rule.title,
            "equation": rule.equation,
            "parameters": [_told(parameter) for parameter in rule.parameters],
        }
        for rule in RULES.values()
    ]
    return {
        "objectives": objectives,
        "rules": rules,
        "options": [_told(option) for option in OPTIONS],
        "restarts": dict(RESTARTS),
        "schedules": schedules_told(),
        "palette": PALETTE,
        "colours_of_steps": COLOURS_OF_STEPS,
        "most_steps": MOST_STEPS_SHOWN,
    }


def _told(parameter: Parameter) -> dict[str, Any]:
    default = parameter.default if parameter.default < float("inf") else None
    named = {"name": parameter.name, "meaning": parameter.meaning}
    return {**named, "default": default, "range": parameter.range}


def end_words(view: View) -> str:
    """A warning where doubles end; empty elsewhere."""
    if not view.is_at_end:
        return ""
    return (
        "Here doubles end: the window is only ten thousand spacings of doubles wide, and soon "
        "neighbouring cells would be the same number. Zooming in stops."
    )
