"""The kernels against the slow reference, bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.kernels.loop import ROUND
from fastmomentum.objectives import Objective
from fastmomentum.reference import descend
from tests.helpers import example_objectives, made_with

OBJECTIVES = {objective.name: objective for objective in example_objectives()}
PAIRS = [(name, "momentum") for name in OBJECTIVES] + [
    (name, rule) for rule in fm.RULES if rule != "momentum" for name in ("rosenbrock", "mse")
]
"""Every objective and every rule; an update knows nothing of the objective that it is for."""


@st.composite
def experiments(draw: st.DrawFn, objective: Objective, rule: str) -> fm.Experiment:
    """Small grids around the objective's usual box, tame and wild, with and without the extras."""
    (x_low, x_high), (y_low, y_high) = objective.box
    coordinates = st.tuples(
        st.floats(2 * x_low - x_high, 2 * x_high - x_low),
        st.floats(2 * y_low - y_high, 2 * y_high - y_low),
    )
    steps = draw(st.sampled_from([1, 2, 7, ROUND - 1, ROUND, ROUND + 1, 2 * ROUND + 50]))
    rates = st.floats(-6, 1).map(lambda exponent: 10.0**exponent)
    lr = draw(st.lists(rates, min_size=1, max_size=7, unique=True))
    momentum = draw(st.lists(st.floats(0, 0.999), min_size=1, max_size=6, unique=True))
    start = draw(st.lists(coordinates, min_size=1, max_size=3, unique=True))
    targets: list[float] = []
    if objective.f_min is not None:
        exponents = st.lists(st.integers(-9, 2), max_size=3, unique=True)
        targets = [10.0**e for e in sorted(draw(exponents), reverse=True)]
    bound = draw(st.sampled_from([1e3, 1e20, float("inf")]))
    if targets:
        bound = max(bound, 2 * abs(objective.f_min or 0.0) + 2 * targets[0])
    record = draw(st.sampled_from([None, {"every": 1}, {"every": 50}, {"log": 9}, {"steps": [1]}]))
    speeds = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
    velocity = draw(st.none() | st.lists(speeds, min_size=1, max_size=2, unique=True))
    own = {}
    for p in fm.RULES[rule].parameters:
        high = min(p.high, 10.0)
        own[p.name] = draw(st.floats(p.low, high - 0.01 if p.high_open else high))
    at_rest = not fm.RULES[rule].uses_momentum
    return fm.Experiment(
        objective=objective,
        rule=fm.UpdateRule(name=rule, **own),
        steps=steps,
        grid=fm.Grid(
            lr=lr,
            momentum=None if at_rest else momentum,
            start=start,
            velocity=None if at_rest else velocity,
        ),
        record=record,
        stop=fm.Stop(targets=targets, bound=bound),
    )


def compare(experiment: fm.Experiment) -> None:
    """Every cell of an experiment against `descend`."""
    ds = fm.run(experiment, n_jobs=1)
    lr, momentum, start, velocity = made_with(experiment.grid)
    want = descend(
        experiment.objective,
        experiment.rule,
        lr,
        momentum,
        start,
        experiment.steps,
        experiment.stop.targets,
        experiment.stop.bound,
        velocity,
    )

    def agree(got: np.ndarray, wanted: np.ndarray) -> None:
        got = got.reshape(wanted.shape)
        np.testing.assert_array_equal(got, wanted)  # NaN aside, whose bits mean nothing
        np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(wanted[got == 0]))

    np.testing.assert_array_equal(ds.status.values.ravel(), want.status)
    np.testing.assert_array_equal(ds.n_steps.values.ravel(), want.n_steps)
    agree(ds.final.values, want.final)
    agree(ds.final_loss.values, want.final_loss)
    if experiment.stop.targets:
        agree(ds.hit_step.values, want.hit_step)
    if experiment.rule.restart is not None:
        agree(ds.n_restarts.values, want.n_restarts)
    if experiment.record is not None:
        agree(ds.trajectory.values, want.trajectory[..., experiment.recorded, :])


@pytest.mark.parametrize(("name", "rule"), PAIRS)
@settings(max_examples=15)
@given(data=st.data())
def test_same_bits_as_the_reference(name: str, rule: str, data: st.DataObject) -> None:
    compare(data.draw(experiments(OBJECTIVES[name], rule)))


@pytest.mark.parametrize(
    "name", ["rosenbrock", "mse", "styblinski_tang", "heavy_ball_cycle", "ackley"]
)
@settings(max_examples=10)
@given(data=st.data())
def test_same_bits_as_the_reference_without_stop_rules(name: str, data: st.DataObject) -> None:
    drawn = data.draw(experiments(OBJECTIVES[name], "momentum"))
    compare(drawn.model_copy(update={"stop": fm.Stop(bound=None)}))


def test_founding_run_ends_where_it_always_did() -> None:
    experiment = fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=5000,
        grid=fm.Grid(lr=1.5e-5, momentum=0.9, start=[(-5, -5)]),
    )
    final = fm.run(experiment).final.values.ravel()
    assert final.tolist() == [0.9501902605527726, 0.9026561642182237]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_same_bits_for_every_place_in_a_tile(name: str) -> None:
    """A run's neighbours, its lane and the round it is compacted in have no say."""
    (x_low, x_high), (y_low, y_high) = OBJECTIVES[name].box
    rng = np.random.default_rng(11)
    start = rng.uniform((x_low, y_low), (x_high, y_high), (45, 2))
    has_minimum = OBJECTIVES[name].f_min is not None
    common = {
        "objective": OBJECTIVES[name],
        "rule": "momentum",
        "steps": 400,
        "stop": fm.Stop(targets=[1e-3] if has_minimum else [], bound=1e5),
        "record": fm.Record(every=7),
    }
    together = fm.run(
        fm.Experiment(grid=fm.Grid(lr=[1e-3, 3e-2], momentum=0.9, start=start), **common)
    )
    for number in (0, 1, 31, 32, 44):
        alone = fm.run(
            fm.Experiment(
                grid=fm.Grid(lr=[1e-3, 3e-2], momentum=0.9, start=start[number : number + 1]),
                **common,
            )
        )
        for variable in ("status", "n_steps", "final", "final_loss", "trajectory"):
            one = together[variable].isel(start=number).values
            other = alone[variable].isel(start=0).values
            assert one.tobytes() == other.tobytes()


def run_one(**changes: object) -> fm.Experiment:
    """Descent on a bowl, f = (x^2 + y^2)/2, from (1, 0) with lr 0.5: x halves at each update."""
    fields: dict[str, object] = {
        "objective": fm.Quadratic(1.0, 0.0, 1.0),
        "rule": "sgd",
        "steps": 10,
        "grid": fm.Grid(lr=0.5, start=[(1.0, 0.0)]),
    }
    return fm.Experiment(**(fields | changes))


def test_the_start_is_asked_first() -> None:
    ds = fm.run(run_one(stop=fm.Stop(targets=[1.0]), record=fm.Record(every=5))).squeeze()
    assert int(ds.status) == fm.Status.CONVERGED
    assert int(ds.n_steps) == 0
    assert ds.trajectory.values[0].tolist() == [1.0, 0.0]
    assert np.isnan(ds.trajectory.values[1:]).all()


def test_the_last_point_is_asked_too() -> None:
    # After 10 updates f = 2**-21; met exactly at the last chance.
    ds = fm.run(run_one(stop=fm.Stop(targets=[2.0**-21]))).squeeze()
    assert (int(ds.status), int(ds.n_steps)) == (fm.Status.CONVERGED, 10)
    ds = fm.run(run_one(stop=fm.Stop(targets=[2.0**-22]))).squeeze()
    assert (int(ds.status), int(ds.n_steps)) == (fm.Status.MAX_STEPS, 10)
    assert ds.hit_step.values.tolist() == -1


def test_several_targets_are_met_in_turn_and_two_at_once() -> None:
    targets = [2.0**-3, 2.0**-4, 2.0**-9]  # f = 2**-(2t + 1)
    ds = fm.run(run_one(stop=fm.Stop(targets=targets))).squeeze()
    assert ds.hit_step.values.tolist() == [1, 2, 4]
    assert int(ds.n_steps) == 4


def test_divergence_is_dated_exactly() -> None:
    grid = fm.Grid(lr=3.0, start=[(1.0, 0.0)])  # x doubles and changes sign: f = 2**(2t - 1)
    ds = fm.run(run_one(grid=grid, steps=600, stop=fm.Stop(bound=2.0**199))).squeeze()
    assert (int(ds.status), int(ds.n_steps)) == (fm.Status.DIVERGED, 101)
    ds = fm.run(run_one(grid=grid, steps=600, stop=fm.Stop(bound=float("inf")))).squeeze()
    assert (int(ds.status), int(ds.n_steps)) == (fm.Status.DIVERGED, 512)
    assert float(ds.final_loss) == np.inf
    ds = fm.run(run_one(grid=grid, steps=600, stop=fm.Stop(bound=None))).squeeze()
    assert (int(ds.status), int(ds.n_steps)) == (fm.Status.DIVERGED, 600)


def test_falling_without_end_is_divergence() -> None:
    experiment = fm.Experiment(
        objective=fm.OBJECTIVES["saddle"](),
        rule="sgd",
        steps=2000,
        grid=fm.Grid(lr=1.0, start=[(0.0, 1.0)]),
    )
    ds = fm.run(experiment).squeeze()  # y trebles: f = -9**t falls to -inf at 3**(2t) > 2**1024
    assert int(ds.status) == fm.Status.DIVERGED
    assert float(ds.final_loss) == -np.inf
    assert int(ds.n_steps) == int(np.ceil(1024 / np.log2(9)))


def test_float32_records_are_the_rounded_float64_ones() -> None:
    wide, narrow = (
        fm.run(run_one(record=fm.Record(every=1, dtype=dtype))).trajectory.values
        for dtype in ("float64", "float32")
    )
    assert narrow.dtype == np.float32
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)


@seed(0)
@settings(max_examples=30)
@given(st.integers(1, 5000), st.integers(2, 40), st.integers(1, 600))
def test_recorded_steps_go_from_zero_to_the_last(steps: int, log: int, every: int) -> None:
    for record in (fm.Record(log=log), fm.Record(every=every)):
        recorded = record.recorded(steps)
        assert recorded[0] == 0
        assert recorded[-1] == steps
        assert (np.diff(recorded) > 0).all()
        assert recorded.size <= record.count(steps)
