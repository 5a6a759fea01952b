"""What the explorer is started with: nothing, an experiment file, or a results file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.toml import experiment_from
from fastmomentum.explorer.axes import Range, names_of
from fastmomentum.explorer.links import MOST_STEPS_SHOWN
from fastmomentum.explorer.maps import require_few_steps
from fastmomentum.explorer.plane import Plane, file_window, plane_of
from fastmomentum.explorer.view import View, first_view
from fastmomentum.plots.cells import cells_of
from fastmomentum.results.dataset import experiment_of, open_results, runnable


class Source:
    """What the explorer is started with.

    Parameters
    ----------
    given : Experiment, Dataset or path, optional
        An experiment or the file that holds it; results or their file.

    Attributes
    ----------
    view : View
        What a page begins with.
    results : Dataset or None
        If it was started from results.

    Raises
    ------
    InputError
        `given` is none of these, its runs take too many updates, or results with batches have lost
        the rows of their data.
    """

    def __init__(self, given: object = None) -> None:
        self.results: xr.Dataset | None = None
        if given is None:
            self.view = first_view()
            return
        if isinstance(given, str | os.PathLike) and Path(given).suffix == ".h5":
            given = open_results(Path(given))
        if isinstance(given, xr.Dataset):
            self.view = _view(runnable(given), given)
            if {self.view.x, self.view.y} <= set(map(str, given["status"].dims)):
                self.results = given
                windows = file_window(given, self.view.x, self.view.y)
                self.view = self.view.changed(windows=windows)
        else:
            self.view = _view(experiment_from(given))
        if self.results is None:
            require_few_steps(self.view)

    def has(self, view: View) -> bool:
        """Whether the results have the map of a view."""
        return self.results is not None and view.map_key == self.view.map_key

    def experiment_of(self, view: View) -> Experiment | None:
        """The experiment of the results, where they have the map of a view."""
        return experiment_of(self.results) if self.has(view) and self.results is not None else None

    @cached_property
    def plane(self) -> Plane:
        """The map of the results."""
        assert self.results is not None
        return plane_of(self.results, self.view.x, self.view.y)


def _view(experiment: Experiment, results: xr.Dataset | None = None) -> View:
    """The view of an experiment: a map over its first two axes with several values."""
    if experiment.steps > MOST_STEPS_SHOWN:
        raise InputError(
            f"the explorer runs at most {MOST_STEPS_SHOWN:,} updates: got "
            f"{experiment.steps:,}; set steps lower"
        )
    # Where cells are listed, they are a part of this grid.
    grid = experiment.grid.model_copy(update={"cells": None})
    first = _first_values(experiment, results)
    rule = experiment.rule
    varying = {name: first[name] for name in grid.rule or {}}
    if varying:
        rule = type(rule)(**(rule.model_dump() | varying))
    constants = {name: first[f"objective_{name}"] for name in grid.objective or {}}
    objective = experiment.objective.with_constants(constants)
    parameters = objective.parameters
    base = first_view(objective)
    known = names_of(objective, rule)  # neither seeds nor velocities are an axis of the page
    long = [n for n in grid.axes if n in known and grid.axes[n].size > 1]
    x, y = [*long, *(n for n in ("lr", "momentum") if n not in long)][:2]
    view = base.changed(
        rule=rule,
        steps=experiment.steps,
        target=experiment.stop.targets[-1] if experiment.stop.targets else None,
        start=(first[f"start_{parameters[0]}"], first[f"start_{parameters[1]}"]),
        x=x,
        y=y,
        lr=first["lr"],
        momentum=first["momentum"],
        others=_others(experiment, first),
    )
    windows = {n: _around(n, grid.axes[n]) for n in (x, y) if n in long}
    return view.changed(windows=windows).fitting()


def _first_values(experiment: Experiment, results: xr.Dataset | None) -> dict[str, Any]:
    """The first value of each label: those that a map shows which has no axis for them.

    Results may be a part of what was run, such as a single seed, and then have that part's first.
    """
    found: dict[str, Any] = {}
    for label in experiment.labels:
        values = label.values
        if results is not None and label.name in results.coords:
            values = results[label.name].values
        found[label.name] = np.ravel(values)[0].item()
    return found


def _around(name: str, values: np.ndarray[Any, Any]) -> Range:
    """The window whose cells are centred at these values."""
    cells = cells_of(np.asarray(values, float), np.zeros(1))
    low, high = float(cells.edges[0][0]), float(cells.edges[0][-1])
    if name == "momentum":
        low, high = max(low, 0.0), min(high, 1.0)
    if name == "lr" and low <= 0:
        low = float(values[0]) / 2
    return low, high


def _others(experiment: Experiment, first: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of an experiment that the page has no fields for."""
    plain = experiment.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    known = {"objective", "rule", "steps", "grid", "record", "stop", "title"}
    found = {key: table for key, table in plain.items() if key not in known}
    if experiment.stop.bound is None:
        found["stop"] = {"bound": False}
    elif experiment.stop.bound != 1e20:
        found["stop"] = {"bound": experiment.stop.bound}
    grid: dict[str, Any] = {}
    if experiment.grid.velocity is not None:
        grid["velocity"] = [[first[f"velocity_{n}"] for n in experiment.objective.parameters]]
    if experiment.grid.seed is not None:
        grid["seed"] = [first["seed"]]
    return found | ({"grid": grid} if grid else {})
