"""Whatever a public function is given, what comes is a right result or a line of ours.

The functions are found by the public names, so a new one is tested at once: where it needs an
argument that `good` does not know, the test says so.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots, schema
from fastmomentum.schedules import Cosine

FACES = (
    fm, fm.theory, fm.analysis, fm.results, fm.datasets, fm.plots, fm.plots.pages, fm.reference,
)  # fmt: skip

WRONG: dict[str, Any] = {
    "path": "v.h5",
    "number": 3,
    "nothing": None,
    "class": fm.Rosenbrock,
    "name": "rosenbrock",
}
"""What people give by mistake; for some arguments one of these is right."""

SERVES = {("explore", "path"), ("explore", "nothing")}
"""By function, right arguments that start a server: tests/explorer has these."""

SMALL = {"cycles": {"cells": 2, "steps": 3}}
"""By function, options that make a right result cheap."""


def functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Public functions by name, each once."""
    met = set()
    for face in FACES:
        for name in getattr(face, "__all__", None) or dir(face):
            found = getattr(face, name)
            if name.startswith("_") or not inspect.isfunction(found) or found in met:
                continue
            if found.__module__.startswith("fastmomentum"):
                met.add(found)
                yield f"{face.__name__.removeprefix('fastmomentum').lstrip('.')}.{name}", found


FUNCTIONS = dict(functions())


def required(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """The first parameter, and the others that must be given."""
    first, *others = inspect.signature(function).parameters.values()
    plain = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [first, *(one for one in others if one.default is one.empty and one.kind in plain)]


def called(function: Callable[..., Any], given: dict[str, Any]) -> Any:
    """Call with the first argument in its place, as people do, and the others by name."""
    (_, first), *others = given.items()
    return function(first, **dict(others))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where there is a results file of the name that is given for results."""
    made = tmp_path_factory.mktemp("first")
    plan = fm.Experiment(
        objective=fm.Quadratic(1.0, 0.0, 10.0),
        rule="momentum",
        steps=5,
        grid=fm.Grid(lr=[0.01, 0.1], momentum=[0.0, 0.5], start=[(1, 1)]),
        record=fm.Record(every=1),
        stop=fm.Stop(targets=[1e-8]),
    )
    fm.run(plan, made / "v.h5", n_jobs=1)
    return made


@pytest.fixture(scope="module")
def good(folder: Path) -> dict[str, Any]:
    """By parameter, or function and parameter: a right argument."""
    ds = fm.open(folder / "v.h5").load()
    ds.close()
    plan = fm.experiment_of(ds)
    objective = plan.objective
    run = plots.run_of(fm.select_cell(ds))
    field = plots.sample(objective, ((-1, 1), (-1, 1)), points=11)
    plane = ds.isel(start=0)
    axes = [Figure().add_subplot() for _ in range(5)]
    phases = plots.phase_map(axes[0], plane)
    rates = fm.analysis.predicted_rate(ds)
    return {
        "ax": axes[4], "axes": axes[4:], "cell": fm.select_cell(ds), "covariance": np.eye(2),
        "ds": ds, "experiment": plan, "fields": None, "figure": axes[4].figure,
        "function": None, "given": plan, "last": 10, "line": axes[4].plot([0])[0],
        "measured": fm.analysis.measured_rate(ds), "num_points": 3, "results_of": ds,
        "smallest": 1.0, "gap_ratio.measured": rates,
        "open.path": folder / "v.h5", "open_results.path": folder / "v.h5",
        "verify.path": folder / "v.h5",
        "variables": {one.name: ds[one.name].values for one in schema.results(plan)},
        "L": 25.0, "a": 1.0, "b": 0.0, "count": 2, "eigenvalue": 1.0, "field": field,
        "first": plane, "found": plane, "hessian": np.eye(2), "keys": [], "label": "a label",
        "labels": ["a label"], "largest": 10.0, "levels": 1, "lr": 0.1, "momentum": 0.5, "mu": 1.0,
        "names": ("one", "other"), "noise_covariance": np.eye(2), "noise_range": 1.0,
        "objective": objective, "optimiser": fm.reference.SGD(lr=0.1), "other": ds, "others": [ds],
        "over": "momentum", "partings": plane.status, "path": folder / "made", "period": 3,
        "points": [[0.0, 0.0], [1.0, 1.0]], "predicted": rates, "quantiles": [plane.final_loss],
        "rates": rates, "ratio": rates, "results": plane, "row_gradients": [[0.5], [-0.5]],
        "row_hessians": [[[1.0]], [[1.0]]], "rule": "momentum", "run": run, "runs": [run],
        "schedules": [Cosine(steps=4)], "second": plane, "seconds": 1.0, "share": 0.5, "size": 1,
        "start": (1.0, 1.0), "step": 2, "steps": 3, "target": 1e-8, "to": "nesterov",
        "window": ((-1, 1), (-1, 1)), "x": [0.0, 1.0, 2.0], "x_mid": 0.0,
        "x_range": 1.0, "y": [1.0, 3.0, 5.0], "y_weight": 1.0,
        "phases": phases,
        "load_csv.x": "x", "load_csv.y": "y",
        "legend.drawn": plots.paths(axes[1], [run], field),
        "legend.minima": plots.contour(axes[1], field).minima,
        "duel_bar.drawn": plots.duel_map(axes[2], plane, plane, ("one", "other")),
        "rate_bar.drawn": plots.rate_map(axes[3], rates),
        "shades_bar.drawn": plots.BasinMap(phases.ends, [], [], None, None),
    }  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_argument_gets_a_line(
    name: str, good: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, own = FUNCTIONS[name], name.rpartition(".")[2]
    monkeypatch.chdir(folder)
    right: dict[str, Any] = {}
    parameters = required(function)
    for one in parameters:
        known = f"{own}.{one.name}" if f"{own}.{one.name}" in good else one.name
        assert known in good, f"add a right {one.name} of {name} to `good`"
        right[one.name] = good[known]
    right |= SMALL.get(own, {})
    if "ax" in right:  # what others drew is in no one's way
        right["ax"] = Figure().add_subplot()
    said = {}
    for one, kind in itertools.product(parameters, WRONG):
        if (own, kind) in SERVES:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fm.FastmomentumWarning)
            try:
                called(function, right | {one.name: WRONG[kind]})
            except fm.FastmomentumError as error:
                if not str(error) or "ModelMetaclass" in str(error):
                    said[one.name, kind] = str(error)
            except Exception as error:
                said[one.name, kind] = f"{type(error).__name__}: {error}"
    assert said == {}


def test_all_faces_are_gone_over() -> None:
    assert len(FUNCTIONS) > 110
    assert {"run", "theory.row_terms", "plots.sample", "plots.pages.contour"} <= {
        name.lstrip(".") for name in FUNCTIONS
    }


BOWL = fm.Quadratic()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: fm.theory.largest_stable_lr("rosenbrock", "momentum", 0.9),
            "objective must be one such as fm.Rosenbrock(): got a str",
        ),
        (
            lambda: fm.theory.largest_stable_lr(fm.Rosenbrock, "momentum", 0.9),
            "objective must be one such as fm.Rosenbrock(): got the class Rosenbrock",
        ),
        (
            lambda: fm.analysis.fastest("v.h5"),
            "results must be a Dataset: got a str; open it with fm.open('v.h5')",
        ),
        (
            lambda: fm.analysis.gap_ratio(3, 0.5),
            "measured must be a DataArray, such as fm.analysis.measured_rate(ds).rate: got an int",
        ),
        (
            lambda: fm.plots.pages.schedule("v.toml"),
            "schedule: experiment must be an Experiment, such as fm.load('experiment.toml'): got a "
            "str",
        ),
        (
            lambda: plots.steps_bar(Figure().add_subplot(), 3),
            "steps_bar: phases must be what fm.plots.phase_map gives: got an int",
        ),
        (
            lambda: plots.shades_bar([], 3),
            "shades_bar: axes must be a list of Axes of matplotlib, one at least: got a list",
        ),
        (
            lambda: plots.thinned(10, 3, "square"),
            "spacing must be log or linear: got 'square'",
        ),
        (
            lambda: plots.clip(np.zeros(3), ((-1, 1), (-1, 1))),
            "points must have the shape (n, 2): got (3,)",
        ),
        (
            lambda: plots.sample(BOWL, ((1, -1), (0, 1))),
            "window must be ((x_low, x_high), (y_low, y_high)), the lower ends first: got "
            "[[1.0, -1.0], [0.0, 1.0]]",
        ),
        (
            lambda: plots.sample(BOWL, (0, 1)),
            "window must be ((x_low, x_high), (y_low, y_high)): got numbers of the shape (2,)",
        ),
        (
            lambda: fm.reference.descend(BOWL, "sgd", 0.1, 0.0, 0.1, 3),
            "start must be of the shape (..., 2): got the shape ()",
        ),
    ],
)
def test_the_line_says_what_was_expected(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        call()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "end", [np.datetime64("2024-01-01"), "0.5", float("nan"), float("inf"), True, None, 1j]
)
def test_a_window_is_made_of_numbers(end: Any) -> None:
    for window in (((-1.0, end), (-1.0, 1.0)), ((-1.0, 1.0), (end, 1.0))):
        with pytest.raises(fm.InputError, match=r"^window must be"):
            plots.sample(BOWL, window)
