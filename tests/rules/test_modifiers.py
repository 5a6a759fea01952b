"""Options of every rule: decay, clipping, restarts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.reference import SGD, Modified, Momentum, Nesterov, descend, optimiser
from fastmomentum.results import digest
from fastmomentum.results.stability import stability_of
from fastmomentum.rules.modifiers import OPTIONS, RESTARTS
from tests.helpers import example_objectives
from tests.kernels.test_kernels import compare, experiments

OBJECTIVES = {objective.name: objective for objective in example_objectives()}
RESTARTING = [name for name, rule in fm.RULES.items() if rule.restarts]
ALL = tuple(option.name for option in OPTIONS)

USED = [
    ("rosenbrock", "sgd", ALL, None),
    ("rosenbrock", "momentum", (), "function"),
    ("rosenbrock", "nesterov", ALL, "gradient"),
    ("booth", "sutskever", ("weight_decay",), "gradient"),
    ("mse", "pytorch", ("decoupled_weight_decay",), "gradient"),
    ("ackley", "ema", ("clip",), "function"),
    ("booth", "qhm", ("weight_decay",), "gradient"),
    ("rosenbrock", "adam", ("weight_decay", "decoupled_weight_decay"), None),
    ("booth", "lion", ("clip", "decoupled_weight_decay"), None),
]
"""Objective, rule, its options and its restart."""


@pytest.mark.parametrize(("name", "rule", "used", "restart"), USED)
@settings(max_examples=12)
@given(data=st.data())
def test_same_bits_as_the_reference(
    name: str, rule: str, used: tuple[str, ...], restart: str | None, data: st.DataObject
) -> None:
    drawn = data.draw(experiments(OBJECTIVES[name], rule))
    ranges = {"clip": st.floats(1e-3, 1e3)}
    own = {option: data.draw(ranges.get(option, st.floats(1e-4, 2.0))) for option in used}
    again = fm.UpdateRule(name=rule, **drawn.rule.given, **own, restart=restart)
    compare(drawn.model_copy(update={"rule": again}))


def bowl(curvature: float = 1e-4, **changes: Any) -> fm.Experiment:
    """Nesterov's rule on a narrow bowl, to f = 1e-20."""
    fields: dict[str, Any] = {
        "objective": fm.Quadratic(1.0, 0.0, curvature),
        "rule": {"name": "nesterov"},
        "steps": 100_000,
        "grid": fm.Grid(lr=0.9, momentum=0.999, start=[(1.0, 1.0)]),
        "stop": fm.Stop(targets=[1e-20]),
    }
    return fm.Experiment(**(fields | changes))


def _with_schedule(condition: float, restart: str | None) -> fm.Experiment:
    return bowl(
        1 / condition,
        rule={"name": "nesterov", "restart": restart},
        grid=fm.Grid(lr=0.9, start=[(1.0, 1.0)]),
        schedule={"momentum": {"kind": "nesterov"}},
    )


@pytest.mark.parametrize("condition", [1e2, 1e3, 1e4, 1e5, 1e6])
def test_restarts_beat_none_as_o_donoghue_and_candes_report(condition: float) -> None:
    without, *others = (
        int(fm.run(_with_schedule(condition, restart), n_jobs=1).n_steps.squeeze())
        for restart in (None, *RESTARTS)
    )
    assert all(4 * steps < without for steps in others)
    if condition == 1e4:
        assert without == 35_513
        assert all(1_150 < steps < 1_250 for steps in others)


def test_the_ripples_period_goes_with_the_root_of_the_condition_number() -> None:
    """Along the flat side w is near to J_1(t sqrt(lr L))/t, whose zeros lie pi apart."""
    for condition in (1e3, 1e4, 1e5):
        period = np.pi * np.sqrt(condition / 0.9)
        found = descend(
            fm.Quadratic(1.0, 0.0, 1 / condition), "nesterov", 0.9, 0.0, (0.0, 1.0),
            int(8 * period), schedule=_with_schedule(condition, None).schedule,
        )  # fmt: skip
        zeros = np.flatnonzero(np.diff(np.sign(found.trajectory[:, 1])))
        np.testing.assert_allclose(np.diff(zeros[2:]).mean() / period, 1.0, rtol=0.02)


@pytest.mark.parametrize("restart", RESTARTS)
def test_restarts_come_sooner_to_the_minimum(restart: str) -> None:
    without, with_restarts = (
        fm.run(bowl(rule={"name": "nesterov", "restart": one}), n_jobs=1).squeeze()
        for one in (None, restart)
    )
    assert "n_restarts" not in without
    assert int(with_restarts.n_steps) < 0.5 * int(without.n_steps)
    assert int(with_restarts.n_restarts) > 1


def test_restarts_are_those_of_the_paper_written_out() -> None:
    """O'Donoghue and Candes 2015: the momentum is lost where f rises, and where g'(w' - w) > 0."""
    lr, m = 0.9, 0.95
    hessian = np.array([1.0, 0.01])
    for restart in RESTARTS:
        w, v, count, path = np.ones(2), np.zeros(2), 0, []
        for _ in range(400):
            g = hessian * (w + m * v)
            before, v = w, m * v - lr * g
            w = w + v
            rose = hessian @ w**2 > hessian @ before**2
            if rose if restart == "function" else g @ v > 0:
                v, count = np.zeros(2), count + 1
            path.append(w)
        experiment = bowl(
            0.01,
            rule={"name": "sutskever", "restart": restart},
            steps=400,
            grid=fm.Grid(lr=lr, momentum=m, start=[(1.0, 1.0)]),
            stop=fm.Stop(),
            record=fm.Record(every=1),
        )
        ds = fm.run(experiment, n_jobs=1).squeeze()
        assert int(ds.n_restarts) == count > 3
        np.testing.assert_allclose(ds.trajectory.values[1:], path, rtol=1e-9, atol=1e-12)


def test_forms_of_the_heavy_ball_restart_at_the_same_steps() -> None:
    """Their velocities have other signs and units; the way is the same."""
    counts = {}
    for rule, lr in (("momentum", 0.5), ("pytorch", 0.5), ("ema", 5.0)):
        found = descend(
            fm.Quadratic(1.0, 0.0, 0.01),
            fm.UpdateRule(name=rule, restart="gradient"),
            lr,
            0.9,
            (1.0, 1.0),
            200,
        )
        counts[rule] = (int(found.n_restarts), found.final.round(9).tolist())
    assert counts["momentum"][0] > 2
    assert counts["momentum"] == counts["pytorch"] == counts["ema"]


def test_restarts_after_the_end_are_not_counted() -> None:
    """A lane goes on after its run is over, till its round ends."""
    rule = {"name": "nesterov", "restart": "function"}
    grid = fm.Grid(lr=0.9, momentum=[0.9, 0.99, 0.999], start=[(1.0, 1.0), (-2.0, 5.0)])
    for targets in ([1e-20], [1e-2, 1e-3, 1e-20], [1e-1]):
        compare(bowl(0.01, rule=rule, steps=2000, grid=grid, stop=fm.Stop(targets=targets)))


def test_clipped_gradients_have_the_norm_exactly() -> None:
    params = {"a": 0.0, "b": 0.0}
    Modified(SGD(lr=1.0), clip=2.5).update(params, {"a": 3.0, "b": -4.0})
    assert (params["a"], params["b"]) == (-1.5, 2.0)
    for size in (1e-200, 1e200):  # whose squares are no numbers of double precision
        params = {"a": 0.0, "b": 0.0}
        Modified(SGD(lr=1.0), clip=2.5 * size).update(params, {"a": 3.0 * size, "b": -4.0 * size})
        np.testing.assert_allclose([params["a"], params["b"]], [-1.5 * size, 2 * size], rtol=1e-15)
    untouched = {"a": 0.0, "b": 0.0}
    Modified(SGD(lr=1.0), clip=5.0).update(untouched, {"a": 3.0, "b": -4.0})
    assert (untouched["a"], untouched["b"]) == (-3.0, 4.0)


def test_the_order_of_an_update() -> None:
    """Clip, then decay, then the rule, then decoupled decay of the point as it was."""
    rule = fm.UpdateRule(name="sgd", clip=1.0, weight_decay=0.5, decoupled_weight_decay=0.25)
    params = {"w": 8.0}
    Modified.of(rule, optimiser(rule, 0.5, 0.0)).update(params, {"w": 100.0})
    assert params["w"] == 8.0 - 0.5 * (1.0 + 0.5 * 8.0) - 0.5 * 0.25 * 8.0


def test_weight_decay_descends_the_objective_with_a_bowl_added() -> None:
    """In every form: it is the point of the gradient that decays."""
    for rule in fm.RULES:
        found = (
            descend(
                fm.Quadratic(a, 0.0, c), one, 0.01, 0.8 * fm.RULES[rule].uses_momentum, (3, 1), 50
            )
            for a, c, one in (
                (1.0, 4.0, fm.UpdateRule(name=rule, weight_decay=0.5)),
                (1.5, 4.5, fm.UpdateRule(name=rule)),
            )
        )
        one, other = (runs.trajectory for runs in found)
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12, err_msg=rule)


def test_decoupled_decay_leaves_the_velocity_alone() -> None:
    one, plain = Momentum(0.1, 0.9), Momentum(0.1, 0.9)
    params, others = {"w": 2.0}, {"w": 2.0}
    Modified(one, decoupled_weight_decay=0.5).update(params, {"w": 1.0})
    plain.update(others, {"w": 1.0})
    assert one.v == plain.v
    assert params["w"] == others["w"] - 0.1 * 0.5 * 2.0


def test_what_is_written_in_the_file() -> None:
    plain = {"name": "nesterov"}
    for idle in ({}, {"weight_decay": 0.0}, {"decoupled_weight_decay": 0}, {"restart": None}):
        assert bowl(rule={**plain, **idle}).canonical == bowl().canonical
        assert fm.UpdateRule(**plain, **idle) == fm.UpdateRule(**plain)
    said = {"clip": 2.0, "restart": "gradient", "weight_decay": 0.1}
    one = bowl(rule={**plain, **said})
    assert fm.Experiment.from_canonical(one.canonical) == one
    assert one.rule.model_dump() == {**plain, **said}
    assert one.rule.words == "nesterov with weight_decay 0.1, clip 2, restart by gradient"
    assert len({one.rule, fm.UpdateRule(**plain), fm.UpdateRule(**plain, clip=2.0)}) == 3


@pytest.mark.parametrize("stop", [fm.Stop(targets=[1e-20]), fm.Stop(bound=None)])
def test_the_number_of_restarts_is_a_variable_of_the_file(tmp_path: Path, stop: fm.Stop) -> None:
    grid = fm.Grid(lr=[0.5, 0.9], momentum=[0.9, 0.99], start=[(1.0, 1.0)])
    rule = {"name": "nesterov", "restart": "function"}
    experiment = bowl(0.01, rule=rule, steps=900, grid=grid, stop=stop)
    there = tmp_path / "restarts.h5"
    fm.run(experiment, there, n_jobs=2, block_runs=3)
    with fm.open(there) as ds:
        found = ds.load()
    assert found.n_restarts.dtype == np.int32
    assert found.n_restarts.dims == found.n_steps.dims
    assert found.n_restarts.min() > 0
    again = fm.run(experiment, n_jobs=1)
    assert digest(found) == digest(again)
    one = fm.replay(found, lr=0.9, momentum=0.99)
    assert int(one.n_restarts) == int(found.n_restarts.sel(lr=0.9, momentum=0.99).squeeze())
    assert experiment.bytes_per_run == bowl(stop=stop).bytes_per_run + 4


@pytest.mark.parametrize(
    ("rule", "given", "said"),
    [
        ("sgd", {"restart": "function"}, "restart must be left out, as the rule sgd has no vel"),
        ("adam", {"restart": "gradient"}, "restart must be left out, as the rule adam is not lin"),
        ("nesterov", {"restart": "functon"}, "did you mean 'function'"),
        ("nesterov", {"restart": 1}, "restart must be text"),
        ("nesterov", {"clip": 0.0}, "must be greater than 0: got 0.0"),
        ("nesterov", {"weight_decay": -0.1}, "must be at least 0: got -0.1"),
        ("lion", {"decoupled_weight_decay": -1}, "must be at least 0: got -1.0"),
        ("lion", {"weight_decai": 1.0}, "did you mean 'weight_decay'"),
    ],
)
def test_what_is_refused(rule: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        fm.UpdateRule(name=rule, **given)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_restart_by_function_needs_one() -> None:
    with pytest.raises(InputError, match="value="):
        Modified(Nesterov(), restart="function")


def test_rules_that_restart_have_a_velocity() -> None:
    assert RESTARTING == ["momentum", "nesterov", "sutskever", "pytorch", "ema", "qhm"]


ASKED = {
    "spectral_radius": lambda rule: fm.theory.spectral_radius(rule, 0.1, 0.5, 1.0),
    "residual": lambda rule: fm.theory.residual(rule, 0.1, 0.5, 1.0, 3),
    "is_stable": lambda rule: fm.theory.is_stable(rule, 0.1, 0.5, 1.0),
    "stable_limit": lambda rule: fm.theory.stable_limit(rule, 0.5),
    "optimum": lambda rule: fm.theory.optimum(1.0, 10.0, rule),
    "critical_momentum": lambda rule: fm.theory.critical_momentum(0.1, 1.0, rule),
    "convert": lambda rule: fm.theory.convert(rule, "sutskever", 0.1, 0.5),
    "predicted_rate": lambda rule: fm.theory.predicted_rate(fm.Booth(), rule, 0.1, 0.5),
    "iterate": lambda rule: fm.theory.iterate(rule, 0.1, 0.5, np.eye(2), (1, 1), 3, (1.0, 0.0)),
}


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("options", [{"clip": 1.0}, {"weight_decay": 0.1}, {"restart": "gradient"}])
def test_theory_is_never_that_of_the_rule_without_its_options(
    options: dict[str, Any], asked: str
) -> None:
    of_maps = ["spectral_radius", "residual", "is_stable"]
    if "weight_decay" in options and asked in of_maps:
        pytest.skip("decay leaves it a linear map: below")
    for rule in (fm.UpdateRule(name="nesterov", **options), _varying("nesterov", options)):
        with pytest.raises(InputError, match="nesterov"):
            ASKED[asked](rule)


def _varying(name: str, options: dict[str, Any]) -> Any:
    numeric = {key: [value, value] for key, value in options.items() if key != "restart"}
    return fm.UpdateRule(name=name, restart=options.get("restart")).varying(**numeric)


def test_nothing_is_told_of_the_stability_of_decayed_runs() -> None:
    assert stability_of(bowl()) is not None
    assert stability_of(bowl(rule={"name": "nesterov", "weight_decay": 0.1})) is None
    axis = fm.Grid(lr=0.9, momentum=0.9, start=[(1, 1)], rule={"weight_decay": [0.0, 0.1]})
    assert stability_of(bowl(grid=axis)) is None


@pytest.mark.parametrize("rule", RESTARTING)
def test_decay_leaves_a_linear_map(rule: str) -> None:
    """The run on a quadratic about 0, update by update."""
    hessian, lr, m = np.array([[3.0, 1.0], [1.0, 2.0]]), 0.05, 0.8
    one = fm.UpdateRule(name=rule, weight_decay=0.3, decoupled_weight_decay=0.2)
    found = descend(fm.Quadratic(3.0, 1.0, 2.0), one, lr, m, (1.0, -2.0), 60)
    want = fm.theory.iterate(one, lr, m, hessian, (1.0, -2.0), np.arange(61))
    np.testing.assert_allclose(found.trajectory, want, rtol=1e-9, atol=1e-12)
    added = fm.UpdateRule(name=rule, weight_decay=0.3)
    for ask in (fm.theory.spectral_radius, fm.theory.is_stable):
        np.testing.assert_allclose(
            ask(added, [0.1, 3.0], m, 2.0), ask(rule, [0.1, 3.0], m, 2.3), rtol=1e-12
        )


OPTION_AXES = {
    "weight_decay": [0.0, 0.1, 0.5],
    "decoupled_weight_decay": [0.0, 0.25],
    "clip": [0.5, 3.0],
}


def test_options_are_axes_too() -> None:
    """A value that does nothing gives the plain rule's bits."""
    grid = fm.Grid(lr=[0.05], momentum=[0.5, 0.9], start=[(1.0, -2.0)], rule=OPTION_AXES)
    experiment = fm.Experiment(
        objective=fm.Rosenbrock(), rule={"name": "qhm", "nu": 0.6}, steps=40, grid=grid,
        record=fm.Record(every=1),
    )  # fmt: skip
    ds = fm.run(experiment, n_jobs=1)
    dims = ("lr", "momentum", *OPTION_AXES, "start")
    assert ds.final_loss.dims == dims
    assert ds["clip"].attrs["long_name"] == "largest norm of the gradient"
    assert fm.Experiment.from_canonical(experiment.canonical) == experiment
    for cell in np.ndindex(1, 2, 3, 2, 2, 1):
        at = ds.isel(dict(zip(dims, cell, strict=True)))
        own = {name: float(at[name]) for name in OPTION_AXES}
        rule = fm.UpdateRule(name="qhm", nu=0.6, **own)
        want = descend(fm.Rosenbrock(), rule, 0.05, float(at.momentum), (1.0, -2.0), 40)
        np.testing.assert_array_equal(at.trajectory.values, want.trajectory)
    own = {"weight_decay": 0.1, "clip": 3.0, "decoupled_weight_decay": 0.0}
    one = fm.replay(ds, lr=0.05, momentum=0.9, at=own)
    np.testing.assert_array_equal(
        one.trajectory.values.squeeze(),
        ds.trajectory.sel(momentum=0.9, **own).values.squeeze(),
    )


@pytest.mark.parametrize(
    ("rule", "axes", "said"),
    [
        ({"name": "sgd", "clip": 2.0}, {"clip": [1.0]}, "is an axis, and rule.clip = 2 is fixed"),
        ({"name": "sgd"}, {"clip": [0.0, 1.0]}, "must be greater than 0"),
        ({"name": "sgd"}, {"weight_decay": [-0.5]}, "must be at least 0"),
        ({"name": "sgd"}, {"weight_decai": [0.5]}, "did you mean 'weight_decay'"),
        ({"name": "momentum"}, {"restart": [0.5]}, "is text, and can be no axis"),
    ],
)
def test_axes_of_options_that_are_refused(
    rule: dict[str, Any], axes: dict[str, Any], said: str
) -> None:
    momentum = None if rule["name"] == "sgd" else 0.9
    with pytest.raises(InputError) as caught:
        bowl(rule=rule, grid=fm.Grid(lr=0.1, momentum=momentum, start=[(1, 1)], rule=axes))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_rule_of_old_experiments_is_written_as_ever() -> None:
    assert bowl(rule="pytorch").canonical.count('"rule":{"name":"pytorch"}') == 1
    dampened = bowl(rule={"name": "pytorch", "dampening": 0.5})
    assert '"rule":{"dampening":0.5,"name":"pytorch"}' in dampened.canonical
