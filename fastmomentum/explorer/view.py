"""The state of a page, its experiment and its link."""

from __future__ import annotations

import dataclasses
import json
import math
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fastmomentum.experiment.plan import Experiment
from fastmomentum.explorer.axes import SPACINGS, Range, fitted, names_of, table, usual_window
from fastmomentum.objectives import MSE, Formula, Objective, Rosenbrock
from fastmomentum.rules.choice import UpdateRule

USUAL_STEPS: Final = 2000
USUAL_TARGET: Final = 1e-4
USUAL_MOMENTUM: Final = 0.9
Point = tuple[float, float]
Cell = tuple[float, float]


@dataclass(frozen=True)
class View:
    """The state of a page.

    Attributes
    ----------
    objective, rule
        Objective and update rule.
    steps : int
        Updates of a run.
    target : float or None
        A run converges where f lies this little above its minimum.
    start : (float, float)
        Where the runs start.
    x, y : str
        Axes of the map, by names of `names_of`.
    windows : mapping of (float, float)
        Their ends, by name.
    lr, momentum : float
        Their values if they are no axis of the map.
    cell : (float, float), optional
        The point of the map whose path is shown.
    theory : bool
        Whether theory is drawn.
    others : mapping
        Further tables of the experiment, such as the schedule.
    """

    objective: Objective
    rule: UpdateRule
    steps: int
    target: float | None
    start: Point
    x: str
    y: str
    windows: Mapping[str, Range]
    lr: float
    momentum: float = USUAL_MOMENTUM
    cell: Point | None = None
    theory: bool = True
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Names of the possible axes."""
        names = names_of(self.objective, self.rule)
        return [n for n in names if n != "momentum"] if self.has_momentum_schedule else names

    @property
    def has_momentum_schedule(self) -> bool:
        """Whether a schedule gives the momentum of every run, so that it cannot be an axis."""
        schedule = self.others.get("schedule")
        return isinstance(schedule, Mapping) and "momentum" in schedule

    @property
    def map_key(self) -> tuple[Any, ...]:
        """Everything that decides the map: views with the same key show the same one."""
        return tuple(
            getattr(self, one.name)
            for one in dataclasses.fields(self)
            if one.name not in ("cell", "theory")
        )

    def changed(self, **changes: Any) -> View:
        """A copy with other values of some attributes."""
        return dataclasses.replace(self, **changes)

    def zoomed(self, windows: Mapping[str, Range]) -> tuple[View, bool]:
        """A copy with another window, and whether doubles end there."""
        ended, made = False, {}
        for name in (self.x, self.y):
            made[name], short = fitted(name, windows.get(name, self.windows[name]), self.rule)
            ended = ended or short
        return self.changed(windows=made), ended

    def fitting(self) -> View:
        """A copy whose axes and windows exist for its objective and rule."""
        names = self.names
        x = self.x if self.x in names else "lr"
        y = self.y if self.y in names and self.y != x else next(n for n in _usual(names) if n != x)
        if y == "lr":  # the learning rate is always horizontal, on a log scale
            x, y = y, x
        windows = {
            name: self.windows[name]
            if name in self.windows
            else usual_window(name, self.objective, self.rule)
            for name in (x, y)
        }
        return self.changed(x=x, y=y, windows=windows)

    @property
    def is_at_end(self) -> bool:
        """Whether the window is as narrow as doubles allow."""
        return any(
            high - low <= 1.01 * SPACINGS * math.ulp(max(abs(low), abs(high)))
            for low, high in (self.windows[self.x], self.windows[self.y])
        )

    def tables(self, axes: Mapping[str, Any]) -> dict[str, Any]:
        """The tables of the experiment file, with these axes of the map."""
        objective = self.objective.model_dump(mode="json", exclude_none=True)
        rule = self.rule.model_dump(mode="json")
        values = dict(axes)
        grid: dict[str, Any] = {"lr": values.get("lr", self.lr)}
        if self.rule.rule.uses_momentum and not self.has_momentum_schedule:
            grid["momentum"] = values.get("momentum", self.momentum)
        for name in values:
            if name in (parameter.name for parameter in self.rule.settable):
                grid.setdefault("rule", {})[name] = values[name]
                rule.pop(name, None)
            elif name.startswith("objective_"):
                constant = name.removeprefix("objective_")
                grid.setdefault("objective", {})[constant] = values[name]
                objective.pop(constant, None)  # an axis has no fixed value as well
        coordinates = dict(zip(self.objective.parameters, self.start, strict=True))
        if self.x.startswith("start_") or self.y.startswith("start_"):
            grid["start"] = {k: values.get(f"start_{k}", [v]) for k, v in coordinates.items()}
        else:
            grid["start"] = [list(coordinates.values())]
        others = {key: dict(given) for key, given in self.others.items()}
        grid |= others.pop("grid", {})
        stop = {"targets": [self.target]} if self.target is not None else {}
        stop |= others.pop("stop", {})
        found = {"rule": rule, "steps": self.steps, "grid": grid, "stop": stop, **others}
        same = not any(name.startswith("objective_") for name in values)
        keeps = same or isinstance(self.objective, Formula)  # minimisers are not searched for again
        return {"objective": self.objective if keeps else objective, **found}

    def experiment(self, nx: int, ny: int) -> Experiment:
        """The experiment of the map with nx by ny cells.

        Raises
        ------
        InputError
            It is invalid; one line for each reason.
        """
        sizes = {self.x: nx, self.y: ny}
        axes = {name: table(name, self.windows[name], num) for name, num in sizes.items()}
        return Experiment.parse(self.tables(axes))

    def experiment_at(self, cell: Cell, every: int) -> Experiment:
        """The experiment of one cell, which records every `every`-th step of its trajectory."""
        axes = {self.x: [cell[0]], self.y: [cell[1]]}
        return Experiment.parse(self.tables(axes) | {"record": {"every": every}})

    @property
    def plain(self) -> dict[str, Any]:
        """The view as plain data, for its link and for the page."""
        objective = self.objective.model_dump(mode="json", exclude_none=True)
        if objective.pop("found", False):
            del objective["minimisers"]
        if isinstance(self.objective, MSE):
            objective = {"name": "mse"}  # the server has its data
        found = {
            "objective": objective,
            "rule": self.rule.model_dump(mode="json"),
            "steps": self.steps,
            "target": self.target,
            "start": list(self.start),
            "windows": {name: list(self.windows[name]) for name in (self.x, self.y)},
            "lr": self.lr,
            "momentum": self.momentum,
            "cell": None if self.cell is None else list(self.cell),
            "theory": self.theory,
        }
        return found | ({"others": dict(self.others)} if self.others else {})

    @property
    def told(self) -> dict[str, Any]:
        """The view for the page, with the names of its possible axes."""
        return {**self.plain, "names": self.names}

    @property
    def link(self) -> str:
        """The query of the page's address that opens this view."""
        text = json.dumps(self.plain, separators=(",", ":"), ensure_ascii=False)
        return "?view=" + urllib.parse.quote(text, safe=",:()*^/=-[]{}")  # + would be a blank


def first_view(objective: Objective | None = None) -> View:
    """The view that a page starts with.

    Parameters
    ----------
    objective : Objective, optional
        By default Rosenbrock's function.

    Returns
    -------
    View
        A map over learning rate and momentum.

    Examples
    --------
    >>> view = first_view()
    >>> view.x, view.y, view.start
    ('lr', 'momentum', (-1.2, 1.0))
    """
    objective = objective or Rosenbrock()
    rule = UpdateRule(name="momentum")
    windows = {name: usual_window(name, objective, rule) for name in ("lr", "momentum")}
    return View(
        objective=objective,
        rule=rule,
        steps=USUAL_STEPS,
        target=None if objective.f_min is None else USUAL_TARGET,
        start=usual_start(objective),
        x="lr",
        y="momentum",
        windows=windows,
        lr=math.sqrt(math.prod(windows["lr"])),
    )


def _usual(names: Sequence[str]) -> list[str]:
    """Names in the order of preference for an axis that the rule does not have."""
    first = [n for n in names if n.startswith(("momentum", "objective_", "start_"))]
    return [*first, *(n for n in names if n not in first)]


def usual_start(objective: Objective) -> Point:
    """A start away from the centre of an objective's box."""
    (left, right), (low, high) = objective.box
    x, y = 0.8 * left + 0.2 * right, 0.5 * low + 0.5 * high
    other = 0.3 * low + 0.7 * high
    return (round(x, 6), round(y if y != 0 else other, 6))
