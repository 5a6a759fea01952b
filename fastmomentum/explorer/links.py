"""Read links and values that a page sends: nothing in them is trusted."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.explorer.maps import require_few_steps
from fastmomentum.explorer.view import Point, View
from fastmomentum.objectives import MSE, OBJECTIVES, Objective
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.text import suggest

MOST_STEPS_SHOWN: Final = 100_000
"""Most updates of a run: a page asks for a quarter of a million runs at a time."""

MOST_LINK: Final = 8_000
"""Most characters of a link."""

NOT_A_VIEW: Final = "the link is incomplete or not of the explorer; copy the whole of it"

OF_OTHERS: Final = {"grid": ("velocity", "seed"), "stop": ("bound",)}
"""Keys that a page may set in tables that the map fills; others could mean any number of runs."""


def view_of(link: str, given: View) -> View:
    """The view of a link.

    Parameters
    ----------
    link : str
        The JSON text in it.
    given : View
        What the explorer was started with; only this may have data.

    Returns
    -------
    View
        A valid one.

    Raises
    ------
    InputError
        The link is not a valid view.
    """
    if len(link) > MOST_LINK:
        raise InputError(f"a link may have {MOST_LINK:,} characters at most: got {len(link):,}")
    try:
        plain = json.loads(link)
    except (ValueError, RecursionError):
        raise InputError(NOT_A_VIEW) from None
    keys = {"objective", "rule", "steps", "target", "start", "windows", "lr", "momentum"}
    if not isinstance(plain, dict) or not keys <= plain.keys():
        raise InputError(NOT_A_VIEW)
    try:
        x, y = plain["windows"]
        view = View(
            objective=objective_of(plain["objective"], given),
            rule=UpdateRule.parse(plain["rule"]),
            steps=steps_of(plain["steps"]),
            target=None if plain["target"] is None else number_of("target", plain["target"]),
            start=_pair("start", plain["start"]),
            x=str(x),
            y=str(y),
            windows={str(name): _pair(str(name), plain["windows"][name]) for name in (x, y)},
            lr=number_of("lr", plain["lr"]),
            momentum=number_of("momentum", plain["momentum"]),
            cell=None if plain.get("cell") is None else _pair("cell", plain["cell"]),
            theory=plain.get("theory") is not False,
            others=others_of(plain.get("others", {})),
        )
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(NOT_A_VIEW) from None
    for name in (view.x, view.y):
        if name not in view.names:
            raise InputError(f"the map has no axis {name}; {suggest(name, view.names)}")
    view = view.fitting()
    view, _ = view.zoomed(view.windows)
    check(view)
    return view


def check(view: View) -> None:
    """Raise if a view cannot be shown.

    Raises
    ------
    InputError
        Its experiment is invalid, has more runs than those of the map, or is too much work.
    """
    experiment = view.experiment(8, 8)
    if experiment.grid.n_runs != 8 * 8:
        raise InputError("a page shows one map; give every other axis of the grid a single value")
    require_few_steps(view)


def objective_of(table: object, given: View) -> Objective:
    """An objective that a page asks for; a page may not name files."""
    if not isinstance(table, Mapping):
        raise InputError("objective must be a table")
    name = table.get("name", "formula" if "formula" in table else None)
    if name == "mse":
        if isinstance(given.objective, MSE):
            return given.objective
        raise InputError(
            "objective mse needs data; start the explorer with an experiment file that has them"
        )
    if name not in OBJECTIVES:
        known = suggest(str(name), OBJECTIVES)
        raise InputError(f"objective: there is none called {str(name)[:40]!r}; {known}")
    return OBJECTIVES[str(name)].parse(dict(table))


def others_of(given: object) -> dict[str, Any]:
    """Further tables of an experiment that a page may ask for."""
    known = Experiment.model_fields.keys() - {"objective", "rule", "steps", "record", "title"}
    if not isinstance(given, Mapping) or not all(isinstance(v, Mapping) for v in given.values()):
        raise InputError("others must be tables of an experiment")
    if unknown := sorted(map(str, given.keys() - known)):
        raise InputError(f"there is no table {unknown[0]!r}; {suggest(unknown[0], sorted(known))}")
    for key, inner in OF_OTHERS.items():
        if strange := sorted(map(str, given.get(key, {}).keys() - set(inner))):
            raise InputError(f"a page may not set {key}.{strange[0]}; {suggest(strange[0], inner)}")
    return {str(key): dict(table) for key, table in given.items()}


def steps_of(given: object) -> int:
    """Updates of a run that a page asks for."""
    value = number_of("steps", given)
    if value != int(value) or not 1 <= value <= MOST_STEPS_SHOWN:
        raise InputError(
            f"steps must be a whole number from 1 to {MOST_STEPS_SHOWN:,}: got {value:g}"
        )
    return int(value)


def number_of(name: str, given: object) -> float:
    """A finite number from the page, also as text."""
    try:
        value = float(given) if not isinstance(given, bool) else math.nan  # type: ignore[arg-type]  # a TypeError is reported below
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{name} must be a number: got {str(given)[:40]!r}")
    return value


def _pair(name: str, given: object) -> Point:
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise InputError(f"{name} must be two numbers: got {str(given)[:40]}")
    return number_of(name, given[0]), number_of(name, given[1])
