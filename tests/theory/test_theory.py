"""Closed forms against simulation, exact arithmetic, and what is in print."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.reference import descend
from fastmomentum.rules import Rule
from fastmomentum.rules.base import Form
from fastmomentum.theory import Regime, RuleLike
from fastmomentum.theory.linear import known

theory = fm.theory
DAMPENED = fm.UpdateRule(name="pytorch", dampening=0.3)
AVERAGED = fm.UpdateRule(name="qhm", nu=1.0)
LINEAR = [name for name, rule in fm.RULES.items() if rule.form is not None]
CLOSED = {"sgd", "momentum", "nesterov"}
EVERY = [*(name for name in LINEAR if fm.RULES[name].form.method in CLOSED), DAMPENED, AVERAGED]
linear_rule = pytest.mark.parametrize("rule", [*LINEAR, DAMPENED], ids=str)
every_rule = pytest.mark.parametrize("rule", EVERY, ids=lambda rule: getattr(rule, "words", rule))
with_momentum = pytest.mark.parametrize(
    "rule", EVERY[1:], ids=lambda rule: getattr(rule, "words", rule)
)
momenta = st.floats(0.0, 0.99)
products = st.floats(-1.0, 5.0)  # lr * eigenvalue


@given(products, momenta)
def test_matrices_have_the_published_traces_and_determinants(a: float, m: float) -> None:
    for rule, trace, determinant in (
        ("momentum", 1 + m - a, m),
        ("nesterov", (1 + m) * (1 - a), m * (1 - a)),
        ("sgd", 1 - a, 0.0),
        ("sutskever", (1 + m) * (1 - a), m * (1 - a)),
        ("pytorch", 1 + m - a, m),
        (DAMPENED, 1 + m - (0.7 if m > 0 else 1.0) * a, m),
        ("ema", 1 + m - (1 - m) * a, m),
    ):
        matrix = theory.iteration_matrix(rule, a, m, 1.0)
        assert np.trace(matrix) == pytest.approx(trace, abs=1e-14)
        assert np.linalg.det(matrix) == pytest.approx(determinant, abs=1e-14)


Kept = tuple[Any, ...]


def updated(
    found: fm.UpdateRule, w: Any, v: Any, eigenvalue: Any, lr: Any, m: Any, t: Any = 1.0
) -> tuple[Any, Any]:
    """Point and velocity after an update on the quadratic of an eigenvalue."""
    gradient = eigenvalue * found.rule.gradient_point(w, (v,), m)
    own = tuple(type(lr)(part) if isinstance(lr, Fraction) else part for part in found.parameters)
    w, (v,) = found.rule.update(w, (v,), gradient, lr, m, own, (), t)
    return w, v


@linear_rule
@given(lr=st.floats(1e-3, 2), m=momenta, e=st.floats(-2, 5), w=st.floats(-9, 9), v=st.floats(-9, 9))
def test_the_matrix_is_the_rule(
    rule: RuleLike, lr: float, m: float, e: float, w: float, v: float
) -> None:
    found = known(rule)
    want = updated(found, w, v, e, lr, m)
    got = theory.iteration_matrix(rule, lr, m, e) @ [w, v]
    assert got[0] == pytest.approx(want[0], abs=1e-11)
    if found.rule.uses_momentum:
        assert got[1] == pytest.approx(want[1], abs=1e-11)


@linear_rule
@given(a=products, m=momenta)
def test_spectral_radius_is_the_largest_root(rule: RuleLike, a: float, m: float) -> None:
    roots = np.linalg.eigvals(theory.iteration_matrix(rule, a, m, 1.0))
    assert theory.spectral_radius(rule, a, m, 1.0) == pytest.approx(np.abs(roots).max(), abs=1e-7)


@linear_rule
def test_spectral_radius_is_the_measured_decay(rule: RuleLike) -> None:
    """The state is brought back to length 1 at each update; what it shrank by adds up."""
    part = np.array([0.001, 0.01, 0.03, 0.2, 0.45, 0.7, 0.9, 0.98, 1.02])[:, None]
    m = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    a = part * theory.stable_limit(rule, m)
    found, steps = known(rule), 6000
    w, v, total = np.ones_like(a), np.zeros_like(a), np.zeros_like(a)
    logs = np.empty((steps, *a.shape))
    for t in range(steps):
        w, v = updated(found, w, v, 1.0, a, m)
        size = np.hypot(w, v)
        w, v, total = w / size, v / size, total + np.log(size)
        logs[t] = total
    measured = np.exp((logs[-1000:].max(axis=0) - logs[2000:3000].max(axis=0)) / (steps - 3000))
    np.testing.assert_allclose(measured, theory.spectral_radius(rule, a, m, 1.0), rtol=1e-3)


@every_rule
def test_boundaries_are_where_simulation_turns_to_growth(rule: RuleLike) -> None:
    m = np.array([0.0, 0.3, 0.6, 0.9, 0.99])
    low, high = np.full(5, 0.5), 1.1 * theory.stable_limit(rule, m) + 0.3
    for _ in range(22):
        middle = 0.5 * (low + high)
        bowl = fm.Quadratic(1.0, 0.0, 1.0)
        path = np.abs(descend(bowl, rule, middle, m, (1.0, 0.0), 1500, bound=None).trajectory)
        early, late = path[:, 600:900, 0].max(axis=1), path[:, -300:, 0].max(axis=1)
        grows = ~((late < early) | (late < 1e-200))
        low, high = np.where(grows, low, middle), np.where(grows, middle, high)
    np.testing.assert_allclose(low, theory.stable_limit(rule, m), rtol=3e-6)
    heavy_ball, nesterov = 2 * (1 + m), 2 * (1 + m) / (1 + 2 * m)
    dampening = known(rule).given.get("dampening", 0.0)
    published = {
        "sgd": 2 + 0 * m,
        "momentum": heavy_ball,
        "nesterov": nesterov,
        "sutskever": nesterov,
        "pytorch": heavy_ball / (1 - dampening * (m > 0)),
        "ema": heavy_ball / (1 - m),
        "qhm": heavy_ball / (1 - m),
    }[known(rule).name]
    np.testing.assert_allclose(theory.stable_limit(rule, m), published, rtol=1e-13)


@every_rule
@given(a=products, m=momenta)
def test_stable_is_where_the_rate_is_below_one(rule: RuleLike, a: float, m: float) -> None:
    rate = float(theory.spectral_radius(rule, a, m, 1.0))
    assume(abs(rate - 1) > 1e-7)
    assert bool(theory.is_stable(rule, a, m, 1.0)) == (rate < 1)
    assert (theory.regime(rule, a, m, 1.0) == Regime.UNSTABLE) == (rate >= 1)


@every_rule
@given(a=st.floats(0.003, 4.0), m=st.floats(0.0, 0.95))
@example(a=1.0, m=0.015625)
def test_regimes_show_in_the_signs(rule: RuleLike, a: float, m: float) -> None:
    matrix = theory.iteration_matrix(rule, a, m, 1.0)
    trace, determinant = np.trace(matrix), np.linalg.det(matrix)
    assume(abs(trace * trace - 4 * determinant) > 1e-3)  # roots well apart
    assume(abs(trace) > 1e-3)
    found = theory.regime(rule, a, m, 1.0)
    assume(found != Regime.UNSTABLE)
    path = theory.residual(rule, a, m, 1.0, np.arange(400))
    alive = np.flatnonzero(np.abs(path) > 1e-280)
    signs = np.sign(path[: int(alive[-1]) + 1])
    signs = signs[signs != 0]  # on the way through 0
    changes = signs[1:] != signs[:-1]
    if found == Regime.OVERDAMPED:
        assert changes.sum() <= 1
    elif found == Regime.ALTERNATING:
        assert changes[-3:].all() or changes.size < 3
    else:
        angle = np.arccos(trace / (2 * np.sqrt(determinant)))
        assert changes.sum() == pytest.approx(changes.size * angle / np.pi, abs=2.5)


@given(st.floats(0.01, 0.99), st.floats(0.001, 0.999))
def test_heavy_balls_rate_is_the_root_of_the_momentum_and_not_twice_that(
    m: float, part: float
) -> None:
    low, high = theory.oscillating_range("momentum", m)
    a = low + part * (high - low)
    assert theory.spectral_radius("momentum", a, m, 1.0) == pytest.approx(np.sqrt(m), rel=1e-14)
    assert theory.regime("momentum", a, m, 1.0) == Regime.OSCILLATING


@with_momentum
@given(m=st.floats(0.05, 0.95))
def test_roots_are_complex_inside_the_range_and_real_outside(rule: RuleLike, m: float) -> None:
    low, high = theory.oscillating_range(rule, m)
    assert theory.regime(rule, low * (1 + 1e-9), m, 1.0) == Regime.OSCILLATING
    assert theory.regime(rule, high * (1 - 1e-9), m, 1.0) == Regime.OSCILLATING
    assert theory.regime(rule, low * (1 - 1e-9), m, 1.0) == Regime.OVERDAMPED
    assert theory.regime(rule, high * (1 + 1e-9), m, 1.0) == Regime.ALTERNATING


@with_momentum
@pytest.mark.parametrize("a", [0.001, 0.1, 0.5, 0.95, 2.5, 3.9])
def test_critical_momentum_is_the_best_for_a_learning_rate(rule: RuleLike, a: float) -> None:
    momenta = np.linspace(5e-5, 0.999, 20_001)  # without, there is no dampening
    critical = float(theory.critical_momentum(a, 1.0, rule))
    if np.isnan(critical):  # no momentum below 1 is critical
        assert theory.method(rule) == "nesterov"
        assert a > 1
        return
    rates = theory.spectral_radius(rule, a, momenta, 1.0)
    assert theory.spectral_radius(rule, a, critical, 1.0) <= rates.min() + 1e-7
    assert abs(momenta[rates.argmin()] - critical) < 1e-4


def test_critical_momentum_has_its_limits() -> None:
    assert np.isnan(theory.critical_momentum([-1.0, 4.0], 1.0)).all()
    assert np.isnan(theory.critical_momentum(1.1, 1.0, "nesterov"))
    assert np.isnan(theory.critical_momentum([-1.0, -2.0], 1.0, "ema")).all()
    assert theory.critical_momentum([0.0, 10.0, 100.0], 1.0, "ema").round(6).tolist() == [
        1.0,
        0.669421,
        0.960788,
    ]


@pytest.mark.parametrize("rule", ["momentum", "pytorch", "ema", "nesterov"])
def test_stability_close_to_momentum_one(rule: str) -> None:
    m = 1 - np.geomspace(1e-12, 1e-4, 2000)
    method = theory.stable_limit(theory.method(rule), m)
    off = theory.stable_limit(rule, m) * theory.scale(rule, m) / method - 1
    assert (np.abs(off) <= 2.0**-50 / (1 - m)).all()  # as rounded matrices define it


def test_a_rule_of_ones_own_has_a_matrix_but_no_closed_forms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def update(
        w: float, states: Kept, g: float, lr: float, m: float, p: Kept, shared: Kept, t: float
    ) -> tuple[float, Kept]:
        return w - 0.5 * lr * g, states

    half = Rule(
        "half", "Half", "w' = w - lr*g/2", "here", update, Form("half"), uses_momentum=False
    )
    monkeypatch.setitem(fm.RULES, "half", half)
    assert float(theory.stable_limit("half", 0.5)) == pytest.approx(4.0)
    for call in (theory.optimum, theory.critical_momentum):
        with pytest.raises(InputError, match="no closed form"):
            call(1.0, 2.0, "half")
    with pytest.raises(InputError, match="forms of different methods, half and momentum"):
        theory.convert("half", "momentum", 0.1, 0.5)


@every_rule
@pytest.mark.parametrize("k", [1.0, 3.0, 100.0, 1e4])
def test_no_setting_is_better_than_the_optimum(rule: RuleLike, k: float) -> None:
    best = theory.optimum(2.0, 2.0 * k, rule)
    at_best = [theory.spectral_radius(rule, best.lr, best.momentum, e) for e in (2.0, 2.0 * k)]
    assert max(at_best) == pytest.approx(float(best.rate), abs=1e-7)
    rng = np.random.default_rng(7)
    lr = best.lr * np.exp(rng.normal(0, [[1.0], [0.1], [0.01]], (3, 5000)))
    m = 1 - (1 - best.momentum) * np.exp(rng.normal(0, [[1.0], [0.1], [0.01]], (3, 5000)))
    rates = theory.spectral_radius(rule, lr, np.clip(m, 0, 1 - 1e-9), 2.0 * k)
    rates = np.maximum(rates, theory.spectral_radius(rule, lr, np.clip(m, 0, 1 - 1e-9), 2.0))
    assert rates.min() >= best.rate - 1e-7


def test_the_published_figures_of_rosenbrock() -> None:
    values = theory.eigenvalues(fm.Rosenbrock())
    assert values.round(6).tolist() == [0.399361, 1001.600639]
    best = theory.optimum(*values)
    assert [round(float(number), 8) for number in best] == [0.00383877, 0.92322457, 0.96084576]
    rate = theory.predicted_rate(fm.Rosenbrock(), "momentum", best.lr, best.momentum)
    assert rate == pytest.approx(float(best.rate), abs=1e-7)


def exact(rule: RuleLike, lr: float, m: float, eigenvalue: float, steps: int) -> list[Fraction]:
    """The path from 1 in fractions, which round nothing."""
    found = known(rule)
    settings = Fraction(lr), Fraction(m)
    w, v = Fraction(1), Fraction(0)
    path = [w]
    for t in range(steps):
        w, v = updated(found, w, v, Fraction(eigenvalue), *settings, t=Fraction(t))
        path.append(w)
    return path


DOUBLE_ROOTS = [
    (0.25, 0.25),
    (0.0625, 0.5625),
    (2.25, 0.25),
    (1.0, 0.0),
    (0.01, 0.81),
    (3.61, 0.81),
]


@every_rule
@given(a=st.integers(-512, 4608), m=st.integers(0, 1023))
def test_the_kth_iterate_is_exact(rule: RuleLike, a: int, m: int) -> None:
    check_iterates(rule, a / 1024, m / 1024, 60)


@every_rule
@pytest.mark.parametrize(("a", "m"), DOUBLE_ROOTS)
@pytest.mark.parametrize("off", [0.0, 1e-15, -1e-15, 1e-12, -1e-9])
def test_the_kth_iterate_is_exact_at_double_roots(
    rule: RuleLike, a: float, m: float, off: float
) -> None:
    check_iterates(rule, a * (1 + off), m, 100)


def check_iterates(rule: RuleLike, a: float, m: float, steps: int) -> None:
    want = np.array([float(w) for w in exact(rule, a, m, 1.0, steps)])
    got = theory.residual(rule, a, m, 1.0, np.arange(steps + 1))
    # Rounded settings are as good: what a last bit of lr changes is no error.
    other = np.array([float(w) for w in exact(rule, a * (1 + 2.0**-50), m, 1.0, steps)])
    k = np.arange(steps + 1)
    rate = float(theory.spectral_radius(rule, a, m, 1.0))
    scale = np.maximum(np.abs(want), rate**k)
    assert (np.abs(got - want) <= 1e-14 * (k + 5) * scale + 16 * np.abs(other - want)).all()


@every_rule
def test_iterates_are_the_kernels(rule: RuleLike) -> None:
    objective = fm.Quadratic(3.0, 1.0, 2.0)
    lr, momentum = np.array([0.05, 0.2, 0.4]), np.array([0.0, 0.5, 0.9])
    has_momentum = known(rule).rule.uses_momentum
    velocity = (0.5, -0.25) if has_momentum else (0.0, 0.0)
    ds = fm.run(
        fm.Experiment(
            objective=objective,
            rule=rule,
            steps=80,
            grid=fm.Grid(
                lr=lr,
                momentum=momentum if has_momentum else None,
                start=[(1.0, -2.0)],
                velocity=[velocity],
            ),
            record=fm.Record(every=1),
        )
    )
    got = theory.iterate(
        rule,
        lr[:, None, None],
        ds.momentum.values[:, None],
        objective.hessian(0.0, 0.0),
        (1.0, -2.0),
        np.arange(81),
        velocity=velocity,
    )
    np.testing.assert_allclose(got, ds.trajectory.values[:, :, 0, 0], rtol=1e-10, atol=1e-13)


def test_iterates_go_round_the_minimiser() -> None:
    booth = fm.Booth()
    want = descend(booth, "nesterov", 0.05, 0.7, (4.0, -1.0), 50).trajectory
    hessian, centre = booth.hessian(0.0, 0.0), booth.minimisers[0]
    got = theory.iterate("nesterov", 0.05, 0.7, hessian, (4.0, -1.0), np.arange(51), centre)
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-11)


FORMS = [
    (one, other)
    for method in (["momentum", "pytorch", DAMPENED, "ema", AVERAGED], ["nesterov", "sutskever"])
    for one in method
    for other in method
]


@pytest.mark.parametrize(("rule", "to"), FORMS, ids=str)
@given(lr=st.floats(1e-4, 4e-4), m=st.floats(0.1, 0.95), vx=st.floats(-1, 1), vy=st.floats(-1, 1))
def test_forms_of_a_method_take_the_same_path(
    rule: RuleLike, to: RuleLike, lr: float, m: float, vx: float, vy: float
) -> None:
    valley, start, lr = fm.Rosenbrock(), (-1.2, 1.0), lr / float(theory.scale(rule, m))
    velocity = np.array([vx, vy]) / (100 * lr if known(rule).form.sums_gradients else 100)
    gradient = valley.gradient(*start)
    other = theory.convert(rule, to, lr, m, start, velocity, gradient)
    assert other.rule == known(to)
    path = descend(valley, rule, lr, m, start, 60, velocity=velocity).trajectory
    same = descend(valley, to, other.lr, m, other.start, 60, velocity=other.velocity).trajectory
    if (rule, to) in (("nesterov", "sutskever"), ("sutskever", "nesterov")):
        w, ahead = (path, same) if rule == "sutskever" else (same, path)
        v = np.diff(w, axis=0)  # v_t = w_t - w_(t-1)
        path, same = ahead[1:], w[1:] + m * v
    np.testing.assert_allclose(same, path, rtol=1e-9, atol=1e-9)
    again = theory.convert(to, rule, other.lr, m, other.start, other.velocity, gradient)
    np.testing.assert_allclose(again.lr, lr, rtol=1e-14)
    np.testing.assert_allclose(again.start, start, rtol=1e-12)
    np.testing.assert_allclose(again.velocity, velocity, rtol=1e-9, atol=1e-9)


IDENTITIES = [(0.0, "sgd"), (1.0, "ema"), (1.0, "momentum"), (0.9, "nesterov")]


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize(("nu", "name"), IDENTITIES)
def test_quasi_hyperbolic_runs_are_those_that_they_recover(
    nu: float, name: str, back: bool
) -> None:
    """Ma and Yarats 2019, in either direction, from a start that moves."""
    rule, to = fm.UpdateRule(name="qhm", nu=nu), fm.UpdateRule(name=name)
    if back:
        rule, to = to, rule
    velocity = (0.0, 0.0) if name == "sgd" else (0.01, -0.02)
    lr = 2e-4 / float(theory.scale(rule, 0.9))
    other = theory.convert(rule, to, lr, 0.9, (-1.2, 1.0), velocity)
    assert other.rule == to
    assert theory.method(rule, 0.9) == theory.method(to, 0.9)
    path, same = (
        _path(one, float(eta), 0.9, start, v)
        for one, eta, start, v in (
            (rule, lr, (-1.2, 1.0), velocity),
            (to, other.lr, other.start, other.velocity),
        )
    )
    assert np.ptp(path) > 0.1
    assert np.abs(path - same).max() <= 1e-12 * np.abs(path).max()
    again = theory.convert(to, rule, other.lr, 0.9, other.start, other.velocity)
    np.testing.assert_allclose(again.lr, lr, rtol=1e-14)
    np.testing.assert_allclose(again.velocity, velocity, rtol=1e-12)


def _path(rule: fm.UpdateRule, lr: float, momentum: float, start: Any, velocity: Any) -> Any:
    moves = rule.rule.uses_momentum
    grid = fm.Grid(
        lr=lr,
        momentum=momentum if moves else None,
        start=[tuple(start)],
        velocity=[tuple(velocity)] if moves else None,
    )
    plan = fm.Experiment(
        objective=fm.Rosenbrock(), rule=rule, steps=400, grid=grid, record=fm.Record(every=1)
    )
    return fm.run(plan, n_jobs=1).trajectory.values.reshape(-1, 2)


def test_a_nu_for_all_momenta_or_none() -> None:
    half = fm.UpdateRule(name="qhm", nu=0.5)
    assert theory.method(half, [0.5, 0.0, 0.5]) == "nesterov"  # at 0 all methods are one
    assert theory.scale(half, [0.5, 0.0]).tolist() == [0.5, 1.0]
    assert theory.method(half, [0.5, 0.6]) == theory.method(half) == "qhm"
    axis = fm.UpdateRule(name="qhm").varying(nu=[0.3, 0.6])
    assert theory.method(axis, np.array([0.1, 0.2]) * 3) == "nesterov"  # 0.30000000000000004
    assert theory.method(axis, 0.3) == "qhm"


def test_without_momentum_all_rules_are_one() -> None:
    for rule in EVERY:
        for to in EVERY:
            other = theory.convert(rule, to, 0.25, 0.0, (1.0, 2.0))
            assert (float(other.lr), other.start.tolist()) == (0.25, [1.0, 2.0])
            assert not np.signbit(other.velocity).any()
    assert not theory.convert("momentum", "sgd", 0.1, 0.0, velocity=(1.0, 1.0)).velocity.any()


def test_conversions_broadcast() -> None:
    lr, m = np.array([[1e-3], [2e-3]]), np.array([0.3, 0.6, 0.9])
    start, velocity = np.full((2, 3, 2), [-1.2, 1.0]), np.full((2, 3, 2), [0.1, -0.2])
    gradient = fm.Rosenbrock().gradient(-1.2, 1.0)
    for to in ("ema", "pytorch", DAMPENED):
        other = theory.convert("momentum", to, lr, m, start, velocity, gradient)
        assert other.velocity.shape == (2, 3, 2)
        for i, j in np.ndindex(2, 3):
            one = theory.convert(
                "momentum", to, lr[i, 0], m[j], start[i, j], velocity[i, j], gradient
            )
            assert one.velocity.tolist() == other.velocity[i, j].tolist()
            assert one.lr == np.broadcast_to(other.lr, (2, 3))[i, j]
    same = theory.convert(DAMPENED, DAMPENED, 1e-3, 0.5, start[0, 0], velocity[0, 0])
    np.testing.assert_allclose(same.velocity, velocity[0, 0])


def test_the_transient_at_condition_number_ten_thousand() -> None:
    """The loss grows 1,353-fold before it falls."""
    best = theory.optimum(1.0, 1e4)
    k = np.arange(400)
    loss = np.square(theory.residual("momentum", best.lr, best.momentum, 1e4, k))
    assert loss.max() == pytest.approx(1353.5, abs=0.1)
    assert k[loss.argmax()] == 49


@every_rule
def test_everything_broadcasts(rule: RuleLike) -> None:
    lr, m = np.geomspace(0.01, 3, 5)[:, None], np.linspace(0, 0.9, 4)
    for function in (theory.spectral_radius, theory.is_stable, theory.regime):
        assert function(rule, lr, m, 1.0).shape == (5, 4)
        assert function(rule, 0.1, 0.5, 1.0).shape == ()
    assert theory.iteration_matrix(rule, lr, m, 1.0).shape == (5, 4, 2, 2)
    assert theory.residual(rule, lr, m, 1.0, np.arange(3)[:, None, None]).shape == (3, 5, 4)
    assert theory.iterate(rule, lr, m, np.eye(2), (1, 1), 3).shape == (5, 4, 2)
    assert theory.predicted_rate(fm.Rosenbrock(), rule, lr, m).shape == (5, 4)
    assert theory.stable_limit(rule, m).shape == (4,)
    assert theory.eigenvalues(fm.Himmelblau(), fm.Himmelblau().minimisers).shape == (4, 2)


def test_the_rate_is_the_worst_over_the_eigenvalues() -> None:
    got = theory.predicted_rate(fm.Quadratic(1.0, 0.0, 10.0), "sgd", [0.05, 0.19], 0.0)
    assert got.tolist() == pytest.approx([0.95, 0.9])
    at_saddle = theory.predicted_rate(fm.Saddle(), "sgd", 0.1, 0.0, point=(0.0, 0.0))
    assert float(at_saddle) == pytest.approx(1.2)


def test_wild_settings_give_no_warning() -> None:
    for rule in LINEAR:
        assert theory.spectral_radius(rule, 1e200, 0.9, 1e200) == np.inf
        assert not theory.is_stable(rule, 1e200, 0.9, 1.0)
        assert theory.residual(rule, 1e-300, 0.5, 1.0, 10**6) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: theory.spectral_radius("momentun", 1, 0, 1), "did you mean"),
        (lambda: theory.optimum(-1.0, 2.0), "both positive: got -1.0 and 2.0"),
        (lambda: theory.optimum(2.0, 1.0), "the smallest and the largest"),
        (lambda: theory.oscillating_range("sgd", 0.5), "no closed form of the range"),
        (lambda: theory.critical_momentum(0.1, 1.0, "sgd"), "no closed form of the critical"),
        (lambda: theory.optimum(1.0, 2.0, "adamant"), "a rule of fm.RULES: got 'adamant'"),
        (lambda: theory.convert("sgd", "momentum", 0.1, 0.5), "forms of different methods"),
        (lambda: theory.convert("momentum", "ema", 0.1, 1.0), "momentum must lie in [0, 1): got 1"),
        (lambda: theory.convert("momentum", "ema", 0.1, [0.5, -0.5]), "lie in [0, 1): got -0.5"),
        (
            lambda: theory.convert("momentum", "ema", 0.1, np.nan),
            "momentum must be a finite number",
        ),
        (lambda: theory.convert("ema", "pytorch", 0.0, 0.5), "lr must be positive: got 0.0"),
        (lambda: theory.convert("ema", "pytorch", [0.1, -1], 0.5), "lr must be positive: got -1"),
        (
            lambda: theory.convert("ema", "pytorch", np.nan, 0.5),
            "lr must be a finite number: got nan",
        ),
        (
            lambda: theory.convert("ema", "pytorch", np.inf, 0.5),
            "lr must be a finite number: got inf",
        ),
        (lambda: theory.convert("ema", "nesterov", 0.1, 0.5), "momentum and nesterov: they agree"),
        (
            lambda: theory.convert("qhm", "nesterov", 0.1, 0.9),
            "qhm with nu 0.7 and nesterov agree for no settings but momentum 0: qhm is a form "
            "of sgd where nu = 0, of momentum where nu = 1, of nesterov where nu = momentum, and "
            "of no other rule elsewhere",
        ),
        (
            lambda: theory.convert("nesterov", "qhm", 0.1, [0.7, 0.9]),
            "nesterov and qhm with nu 0.7 agree for no settings but momentum 0",
        ),
        (
            lambda: theory.convert("qhm", fm.UpdateRule(name="qhm", nu=0.3), 0.1, 0.9),
            "qhm with nu 0.7 and qhm with nu 0.3 agree for no settings",
        ),
        (
            lambda: theory.convert(AVERAGED, "nesterov", 0.1, 0.9),
            "qhm with nu 1 and nesterov are forms of different methods, momentum and nesterov",
        ),
        (lambda: theory.convert(DAMPENED, "ema", 0.1, 0.5), "give the gradient at the start"),
        (lambda: theory.eigenvalues(fm.Saddle()), "saddle has no minimiser"),
    ],
)
def test_what_makes_no_sense_is_refused(call: object, text: str) -> None:
    with pytest.raises(InputError) as caught:
        call()  # type: ignore[operator]
    assert text in str(caught.value)
