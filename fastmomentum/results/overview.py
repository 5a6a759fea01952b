"""An overview of an experiment, as `plan` and `info` tell it: for JSON, and in lines for people."""

from __future__ import annotations

from typing import Any

from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import dimensions
from fastmomentum.text import printable


def overview_of(experiment: Experiment) -> dict[str, Any]:
    """What an experiment is, ready for JSON."""
    scaling = getattr(experiment.objective, "scaling", None)
    return {
        "title": experiment.title,
        "objective": experiment.objective.name,
        "objective_settings": experiment.objective.settings,
        "objective_words": experiment.objective.words,
        "standardised": scaling.model_dump() if scaling is not None else None,
        "rule": experiment.rule.words,
        "random": experiment.random_words,
        "schedule": None if experiment.schedule is None else experiment.schedule.words,
        "shape": dict(zip(dimensions(experiment), experiment.grid.shape, strict=True)),
        "runs": experiment.grid.n_runs,
        "steps": experiment.steps,
        "recorded_steps": int(experiment.recorded.size),
    }


def heading(said: dict[str, Any]) -> str:
    """Title, rule and objective in a line; a title may come from a stranger's file."""
    title = printable(said["title"]) or "experiment"
    return f"{title}: {said['rule']} on {said['objective_words']}"


def overview_lines(said: dict[str, Any]) -> list[str]:
    """The rest, a line each."""
    shape = " x ".join(f"{n:,} {name}" for name, n in said["shape"].items())
    record = f"{said['recorded_steps']:,} steps of each" if said["recorded_steps"] else "none"
    lines = [
        f"runs          {said['runs']:,} = {shape}",
        *(f"{name:13} {words}" for name, words in said["random"].items()),
        f"updates       {said['steps']:,} a run at most",
        *([f"schedule      {said['schedule']}"] if said["schedule"] else []),
        f"trajectories  {record}",
    ]
    if scaling := said["standardised"]:
        parts = (
            f"{axis} by mean {scaling[f'{axis}_mean']:.6g} and spread "
            f"{scaling[f'{axis}_spread']:.6g}"
            for axis in "xy"
        )
        lines.append(f"standardised  {', '.join(parts)}")
    return lines
