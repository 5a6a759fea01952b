"""Which runs of one experiment another has: against looking at every pair of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.experiment.labels import values_of
from fastmomentum.experiment.matching import Matching, differing

LRS, MOMENTA, COORDINATES = [0.01, 0.02, 0.05, 0.1], [0.0, 0.3, 0.9], [-1.0, 0.0, 0.5, 2.0]


def some(values: list[float]) -> st.SearchStrategy[list[float]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=4, unique=True)


POINTS = st.one_of(
    st.lists(
        st.tuples(st.sampled_from(COORDINATES), st.sampled_from(COORDINATES)),
        min_size=1,
        max_size=5,
        unique=True,
    ),
    st.fixed_dictionaries({"x": some(COORDINATES), "y": some(COORDINATES)}),
)
EXPERIMENTS = st.builds(
    lambda lr, momentum, start, velocity, nu, b: fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="qhm",
        steps=3,
        grid=fm.Grid(
            lr=lr,
            momentum=momentum,
            start=start,
            velocity=velocity,
            rule=None if nu is None else {"nu": nu},
            objective=None if b is None else {"b": b},
        ),
    ),
    some(LRS),
    some(MOMENTA),
    POINTS,
    st.none() | POINTS,
    st.none() | some([0.0, 0.7, 1.0]),  # 0.7 is what counts without
    st.none() | some([10.0, 100.0]),  # and 100
)


def made_with(plan: fm.Experiment) -> list[tuple[float, ...]]:
    """Every number of every run, what is no axis included."""
    runs = np.arange(plan.grid.n_runs)
    found = {label.name: values for label, values in values_of(plan.grid, runs)}
    fixed = {"nu": 0.7, "objective_b": 100.0, "velocity_x": 0.0, "velocity_y": 0.0}
    names = ["lr", "momentum", *fixed, "start_x", "start_y"]
    columns = [found.get(n, np.full(runs.size, fixed.get(n, np.nan))) for n in names]
    return list(zip(*(column.tolist() for column in columns), strict=True))


@given(EXPERIMENTS, EXPERIMENTS)
def test_it_finds_what_looking_at_every_pair_does(
    here: fm.Experiment, there: fm.Experiment
) -> None:
    known = {run: number for number, run in enumerate(made_with(there))}
    wanted = [known.get(run, -1) for run in made_with(here)]
    matching = Matching(here, there)
    runs = np.arange(here.grid.n_runs)
    assert matching.find(runs).tolist() == wanted
    assert matching.find(runs[::-2]).tolist() == wanted[::-2]
    assert matching.count == sum(number >= 0 for number in wanted)
    assert differing(here, there) == ""


@pytest.mark.parametrize(
    ("given", "found"), [({}, [-1, -1, -1]), ({"weight_decay": 0.1}, [-1, 0, -1])]
)
def test_an_option_that_is_not_used_has_no_value(given: dict[str, float], found: list[int]) -> None:
    def plan(rule: dict[str, float], axes: dict[str, list[float]] | None) -> fm.Experiment:
        grid = fm.Grid(lr=0.1, momentum=0.9, start=[(1, 1)], rule=axes)
        return fm.Experiment(
            objective="booth", rule={"name": "momentum", **rule}, steps=3, grid=grid
        )

    here = plan({}, {"weight_decay": [0.0, 0.1, 0.2]})
    assert Matching(here, plan(given, None)).find(np.arange(3)).tolist() == found
    assert differing(here, plan(given, None)) == ""


def test_a_grid_of_10_to_the_15_runs_is_not_laid_out() -> None:
    def plan(num: int) -> fm.Experiment:
        axis = {"linspace": [-1.0, 1.0], "num": num}
        return fm.Experiment(
            objective="booth",
            rule="momentum",
            steps=3,
            grid=fm.Grid(
                lr=np.geomspace(1e-3, 1e-1, 1000),
                momentum=np.linspace(0.0, 0.9, 1000),
                start={"x": axis, "y": axis},
            ),
        )

    matching = Matching(plan(32769), plan(16385))
    assert matching.count == 10**6 * 16385**2
    last = plan(32769).grid.n_runs - 1
    assert matching.find(np.array([last - 1, last])).tolist() == [-1, 10**6 * 16385**2 - 1]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"steps": 4}, "steps is 4 there and 3 here"),
        ({"rule": "ema"}, "rule.name is 'ema' there and 'momentum' here"),
        ({"objective": fm.Booth()}, "objective.name is 'booth' there and 'rosenbrock' here"),
        ({"objective": fm.Rosenbrock(b=7.0)}, "objective.b is 7.0 there and 100.0 here"),
        ({"stop": fm.Stop(targets=[1e-3])}, "stop.targets is [0.001] there and [] here"),
        ({"stop": fm.Stop(bound=5.0)}, "stop.bound is 5.0 there and 1e+20 here"),
        ({"title": "another"}, ""),
        ({"record": fm.Record(every=1)}, ""),  # and summaries are wanted
    ],
)
def test_what_differs_is_named(changes: dict[str, object], text: str) -> None:
    fields: dict[str, object] = {
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": 3,
        "grid": fm.Grid(lr=0.1, momentum=0.9, start=[(1, 1)]),
    }
    assert differing(fm.Experiment(**fields), fm.Experiment(**(fields | changes))) == text


@pytest.mark.parametrize(
    ("here", "there", "text"),
    [
        (fm.Record(every=2), fm.Record(every=1), ""),
        (fm.Record(every=1), None, "record has no step 0 there"),
        (fm.Record(every=1), fm.Record(every=2), "record has no step 1 there"),
        (fm.Record(every=2, dtype="float32"), fm.Record(every=1), ""),
        (
            fm.Record(every=2),
            fm.Record(every=1, dtype="float32"),
            "record.dtype is 'float32' there and 'float64' here",
        ),
    ],
)
def test_what_is_recorded_there_must_be_enough(
    here: fm.Record, there: fm.Record | None, text: str
) -> None:
    one, other = (
        fm.Experiment(
            objective="booth",
            rule="sgd",
            steps=6,
            grid=fm.Grid(lr=0.1, start=[(1, 1)]),
            record=record,
        )
        for record in (here, there)
    )
    assert differing(one, other).startswith(text)
    assert bool(differing(one, other)) == bool(text)
