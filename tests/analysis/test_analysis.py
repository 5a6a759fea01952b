"""Numbers from results: told apart rightly, fitted rightly, and the same from files of any kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.analysis import Behaviour
from fastmomentum.analysis.attractors import minima
from fastmomentum.errors import InputError
from fastmomentum.experiment.blocks import cut

analysis, theory = fm.analysis, fm.theory

UNDECIDED, MONOTONE, OSCILLATING, TRANSIENT, PERIODIC, DIVERGED = Behaviour
CONVERGED = (MONOTONE, OSCILLATING, TRANSIENT)


def run(objective: Any, steps: int, lr: Any, momentum: Any, start: Any, **more: Any) -> xr.Dataset:
    rule = more.pop("rule", "sgd" if momentum is None else "momentum")
    grid = fm.Grid(lr=lr, momentum=momentum, start=start)
    return fm.run(fm.Experiment(objective=objective, rule=rule, steps=steps, grid=grid, **more))


def behaviours(ds: xr.Dataset, **thresholds: Any) -> list[Behaviour]:
    return [Behaviour(b) for b in analysis.classify(ds, **thresholds).behaviour.values.ravel()]


# ---------------------------------------------------------------- what kind of run it was


def test_the_transient_at_the_optimum_is_told_from_divergence() -> None:
    best = theory.optimum(1.0, 1e4)
    ds = run(fm.Quadratic(1.0, 0.0, 1e4), 2000, best.lr, best.momentum, [(0, 1), (1, 1)])
    found = analysis.classify(ds)
    assert found.behaviour.values.ravel().tolist() == [TRANSIENT, TRANSIENT]
    assert found.growth.values.ravel() == pytest.approx([1353.5, 1353.4], abs=0.1)
    # Before it has come down again, nothing is said.
    for steps in (20, 50, 100, 200):
        ds = run(fm.Quadratic(1.0, 0.0, 1e4), steps, best.lr, best.momentum, [(1, 1)])
        assert behaviours(ds) == [UNDECIDED]


def test_the_heavy_balls_three_cycle() -> None:
    ds = run(fm.HeavyBallCycle(), 400, 1 / 9, 4 / 9, [(3.3, 0.0), (3.3, 1.0)])
    found = analysis.classify(ds)
    assert found.behaviour.values.ravel().tolist() == [PERIODIC, PERIODIC]
    assert found.period.values.ravel().tolist() == [3, 3]
    path = fm.replay(ds).trajectory.values[-3:, 0]
    assert sorted(path.round(6)) == [-1.802449, 0.646531, 2.115918]


def test_starts_beside_the_cycles_basin_converge() -> None:
    start = {"x": np.linspace(-10, 10, 201), "y": [0.0]}
    ds = run(fm.HeavyBallCycle(), 2000, 1 / 9, 4 / 9, start)
    found = analysis.classify(ds).behaviour.values.ravel()
    ends_at_0 = np.abs(ds.final.values.reshape(-1, 2)[:, 0]) < 1e-6
    assert (np.isin(found, CONVERGED) == ends_at_0).all()
    assert ((found == PERIODIC) == ~ends_at_0).all()
    assert (found == PERIODIC).sum() > 10
    for steps in (16, 25, 40, 80):  # the cycle is not taken for anything else on the way to it
        early = analysis.classify(run(fm.HeavyBallCycle(), steps, 1 / 9, 4 / 9, start))
        decided = early.behaviour.values.ravel() != UNDECIDED
        assert ((early.behaviour.values.ravel() == PERIODIC) == (found == PERIODIC))[decided].all()


def test_monotone_and_oscillating_are_the_regimes() -> None:
    bowl, m = fm.Quadratic(1.0, 0.0, 1.0), 0.5
    low, _ = theory.oscillating_range("momentum", m)
    ds = run(bowl, 1000, [0.02, 0.9 * low, 1.5 * low, 1.0, 2.9, 3.2], m, [(1.0, 0.5)])
    found = behaviours(ds)
    assert found == [MONOTONE, MONOTONE, OSCILLATING, OSCILLATING, TRANSIENT, DIVERGED]


def test_gradient_descent_at_the_edge_of_stability_goes_round() -> None:
    ds = run(fm.Quadratic(1.0, 0.0, 0.5), 200, [1.8, 2.0, 2.9], None, [(1, 1)])
    found = analysis.classify(ds)
    assert found.behaviour.values.ravel().tolist() == [MONOTONE, PERIODIC, DIVERGED]
    assert found.period.values.ravel().tolist() == [0, 2, 0]


def test_a_slow_decay_is_no_cycle() -> None:
    """Half the circle at each update, and a part of a millionth lost: not seen to decay, yet."""
    ds = run(fm.Quadratic(1.0, 0.0, 1.0), 500, [2.0 - 1e-6, 2.0 - 1e-3], None, [(1.0, 0.0)])
    assert behaviours(ds) == [UNDECIDED, UNDECIDED]


def saddles() -> list[tuple[float, float]]:
    """The critical points of Himmelblau's function that are no minima, to rounding."""
    near = np.array([(-0.27, -0.92), (-3.07, -0.08), (0.09, 2.88), (3.39, 0.07), (-0.13, -1.95)])
    himmelblau = fm.Himmelblau()
    for _ in range(60):
        step = np.linalg.solve(himmelblau.hessian(*near.T), himmelblau.gradient(*near.T)[..., None])
        near = near - step[..., 0]
    return [(float(x), float(y)) for x, y in near]


@pytest.mark.parametrize("momentum", [0.0, 0.5, 0.9])
def test_what_stands_at_a_saddle_is_undecided(momentum: float) -> None:
    ds = run(fm.Himmelblau(), 100, 0.003, momentum, saddles())
    assert behaviours(ds) == [UNDECIDED] * 5


def test_the_way_to_a_saddle_is_undecided() -> None:
    """On the axis, f = x^2 - y^2 falls to the saddle and stays: nothing converges to a minimum."""
    ds = run(fm.Saddle(), 500, 0.05, 0.5, [(1.0, 0.0), (1.0, 1e-300), (1.0, 1.0)])
    assert behaviours(ds) == [UNDECIDED, UNDECIDED, UNDECIDED]
    ds = run(fm.MonkeySaddle(), 500, 0.01, 0.5, [(0.0, 0.0), (1.0, 0.0), (0.5, 0.1)])
    assert behaviours(ds) == [UNDECIDED, UNDECIDED, DIVERGED]


def boundary(objective: Any, lr: float, m: float, one: Any, other: Any, steps: int) -> list[Any]:
    """Points of a basin boundary, from far to the last bit, by bisection."""
    a, b = np.array(one, float), np.array(other, float)
    points = []

    def home(p: np.ndarray) -> int:
        return int(analysis.basin(run(objective, steps, lr, m, [tuple(p)])).values.item())

    from_a = home(a)
    for _ in range(54):
        middle = 0.5 * (a + b)
        points.append((float(middle[0]), float(middle[1])))
        a, b = (middle, b) if home(middle) == from_a else (a, middle)
    return list(dict.fromkeys(points))


def test_points_of_a_basin_boundary_are_undecided_rather_than_wrong() -> None:
    himmelblau = fm.Himmelblau()
    points = boundary(himmelblau, 0.01, 0.5, (-1.0, 3.0), (2.0, 3.0), 3000)
    late = run(himmelblau, 3000, 0.01, 0.5, points)
    home = analysis.basin(late).values.ravel()
    assert len(set(home.tolist())) > 1
    n_undecided = []
    for steps in (20, 40, 60, 80, 120, 200):
        ds = run(himmelblau, steps, 0.01, 0.5, points)
        found = analysis.classify(ds).behaviour.values.ravel()
        reached = analysis.basin(ds).values.ravel()
        assert np.isin(found, (UNDECIDED, *CONVERGED)).all()
        assert (reached[reached >= 0] == home[reached >= 0]).all()
        assert (reached >= 0)[np.isin(found, CONVERGED)].all()
        n_undecided.append(int((found == UNDECIDED).sum()))
    assert n_undecided[0] > 0.8 * len(points)
    assert n_undecided[3] > 5
    assert n_undecided == sorted(n_undecided, reverse=True)


def test_a_minimum_that_does_not_attract_is_no_end() -> None:
    """The gentle direction comes near while the steep one still grows out of nothing."""
    ds = run(fm.Quadratic(1.0, 0.0, 10.0), 100, 0.21, None, [(1.0, 1e-30)])
    assert float(ds.final.values.ravel()[0]) < 1e-9
    assert behaviours(ds) == [UNDECIDED]


def test_a_small_cycle_is_not_taken_for_convergence() -> None:
    """The steps that a cone's slope makes stay as long as they are: near is not there."""
    ds = run(fm.Ackley(), 2000, [1e-4, 1e-3, 1e-2, 0.1], [0.0, 0.5, 0.9], [(0.3, 0.4)])
    assert set(behaviours(ds)) <= {UNDECIDED, PERIODIC}


@pytest.mark.parametrize(
    ("objective", "low", "high", "start"),
    [
        (fm.Himmelblau(), 1e-4, 0.05, [(-4.0, 4.0), (0.0, 0.0), (100.0, 3.0)]),
        (fm.Rosenbrock(), 1e-4, 5e-3, [(-1.2, 1.0), (-5.0, -5.0)]),
        (fm.Beale(), 1e-3, 0.1, [(1.0, 1.0), (3.0, 3.0)]),
        (fm.ThreeHumpCamel(), 1e-2, 0.5, [(-2.0, 2.0), (4.0, -4.0)]),
        (fm.StyblinskiTang(), 1e-3, 0.2, [(0.1, 0.2), (4.0, -4.0)]),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_what_is_said_early_is_not_taken_back(
    objective: Any, low: float, high: float, start: Any
) -> None:
    """A short look says less than a long one, and nothing else."""
    lr, momentum = np.geomspace(low, high, 12), np.linspace(0, 0.95, 8)
    late = analysis.classify(run(objective, 10_000, lr, momentum, start)).behaviour.values
    for steps in (50, 200, 1000):
        early = analysis.classify(run(objective, steps, lr, momentum, start)).behaviour.values
        both = (early != UNDECIDED) & (late != UNDECIDED)
        assert (np.isin(early, CONVERGED) == np.isin(late, CONVERGED))[both].all()
        assert ((early == PERIODIC) == (late == PERIODIC))[both].all()
        same = both & np.isin(early, CONVERGED) & (early != late)
        assert same.mean() < 0.05  # a loss may rise for the first time later


def test_minima_of_any_kind_are_ends() -> None:
    for objective, lr, start in (
        (fm.Rastrigin(), 1e-3, (2.2, 1.3)),  # a local minimum, not named
        (fm.Quadratic(1.0, 0.0, 0.0), 0.3, (2.0, 1.0)),  # a trough
        (fm.MSE.from_arrays([1.0, 2.0, 4.0], [2.0, 3.0, 9.0]), 0.05, (0.0, 0.0)),
        (fm.GoldsteinPrice(), 1e-5, (-0.1, -0.8)),
        (fm.Rosenbrock(), 1e-3, (1.0, 1.0)),  # the start itself
    ):
        ds = run(objective, 4000, lr, 0.5, [start])
        assert behaviours(ds)[0] in (MONOTONE, OSCILLATING), objective.name


def test_a_run_that_met_its_target_has_converged() -> None:
    stop = fm.Stop(targets=[1e-3])
    ds = run(fm.Ackley(), 500, 1e-5, 0.5, [(1e-4, 0.0)], stop=stop)
    assert behaviours(ds) == [MONOTONE]
    best = theory.optimum(1.0, 1e4)
    bowl = fm.Quadratic(1.0, 0.0, 1e4)
    ds = run(bowl, 2000, best.lr, best.momentum, [(0, 1)], stop=stop)
    assert ds.status.item() == fm.Status.CONVERGED
    assert behaviours(ds) == [TRANSIENT]


def test_thresholds_are_arguments() -> None:
    best = theory.optimum(1.0, 1e4)
    ds = run(fm.Quadratic(1.0, 0.0, 1e4), 2000, best.lr, best.momentum, [(0, 1)])
    assert behaviours(ds, growth=2000.0) == [OSCILLATING]
    assert behaviours(ds, growth=2000.0, rise=1e9) == [MONOTONE]
    short = run(fm.Quadratic(1.0, 0.0, 2.0), 60, 0.03, None, [(1.0, 0.0)])
    assert behaviours(short) == [UNDECIDED]
    assert behaviours(short, approach=0.9) == [MONOTONE]
    assert behaviours(short, approach=0.9, contraction=0.1, steady=0.5) == [UNDECIDED]
    cycle = run(fm.HeavyBallCycle(), 60, 1 / 9, 4 / 9, [(3.3, 0.0)])
    assert behaviours(cycle) == [UNDECIDED]  # still closing in on the cycle
    assert behaviours(cycle, repeat=0.1) == [PERIODIC]
    assert behaviours(cycle, repeat=0.1, longest_period=2) == [UNDECIDED]


@pytest.mark.parametrize(
    ("thresholds", "text"),
    [
        ({"growth": 0.5}, "growth must lie in [1.0, inf]: got 0.5"),
        ({"approach": 2.0}, "approach must lie in [0.0, 1.0]"),
        ({"longest_period": 1}, "longest_period must lie in"),
        ({"rise": float("nan")}, "rise must lie in"),
        ({"n_jobs": 0}, "n_jobs must be positive"),
    ],
)
def test_thresholds_that_make_no_sense_are_refused(thresholds: Any, text: str) -> None:
    ds = run(fm.Quadratic(), 10, 0.01, 0.5, [(1, 1)])
    with pytest.raises(InputError) as caught:
        analysis.classify(ds, **thresholds)
    assert text in str(caught.value)


def test_few_steps_or_one_say_nothing() -> None:
    for steps in (1, 2, 3, 7, 15):
        assert behaviours(run(fm.Quadratic(), steps, 0.01, 0.5, [(1, 1)])) == [UNDECIDED]


# ---------------------------------------------------------------- the same from any results

WHOLE = {
    "objective": fm.Himmelblau(),
    "steps": 150,
    "lr": [0.005, 0.01, 0.02, 0.05],
    "momentum": [0.0, 0.5, 0.9],
    "start": {"x": [-4.0, 0.5, 3.0], "y": [-3.0, 0.1]},
}


def same(one: xr.Dataset, other: xr.Dataset) -> None:
    assert set(one.data_vars) == set(other.data_vars)
    for name in one.data_vars:
        xr.testing.assert_identical(one[name], other[name])


@pytest.mark.parametrize("look", [analysis.classify, analysis.measured_rate])
def test_stored_paths_and_summaries_give_the_same(look: Any, tmp_path: Path) -> None:
    want = look(run(**WHOLE))
    for record in (fm.Record(every=1), fm.Record(every=7), fm.Record(every=1, dtype="float32")):
        same(look(run(**WHOLE, record=record)), want)
    ds = run(**WHOLE, record=fm.Record(every=1))
    file = tmp_path / "out.h5"
    fm.run(fm.experiment_of(ds), file).close()
    with fm.open(file) as opened:
        same(look(opened, n_jobs=2), want)
        same(look(opened.isel(lr=2), n_jobs=1), want.isel(lr=2))


@pytest.mark.parametrize("stored", [False, True])
def test_selections_give_the_selected(stored: bool) -> None:
    ds = run(**WHOLE, record=fm.Record(every=1) if stored else None)
    want = analysis.classify(ds)
    for chosen in (
        {"lr": 1},
        {"momentum": [0, 2]},
        {"lr": slice(1, 3), "start_x": 0},
        {"lr": 3, "momentum": 1, "start_x": 2, "start_y": 0},
    ):
        same(analysis.classify(ds.isel(chosen)), want.isel(chosen))
    order = ("start_y", "lr", "start_x", "momentum")
    found = analysis.classify(ds.transpose(*order, ...))
    assert found.behaviour.dims == order
    same(found.transpose(*ds.status.dims), want)


def test_a_mesh_of_a_regression_is_looked_at_too() -> None:
    mse = fm.MSE.from_arrays([1.0, 2.0, 4.0], [2.0, 3.0, 9.0])
    start = {"a": np.linspace(-1, 1, 4), "b": np.linspace(-2, 2, 5)}
    ds = run(mse, 1500, 0.05, 0.5, start)
    want = analysis.classify(ds)
    assert want.behaviour.dims == ("lr", "momentum", "start_a", "start_b")
    assert np.isin(want.behaviour.values, (MONOTONE, OSCILLATING)).all()
    same(analysis.classify(ds.isel(start_b=2)), want.isel(start_b=2))
    assert (analysis.basin(ds).values == 0).all()


def test_selections_that_are_no_grid_are_refused() -> None:
    ds = run(fm.Quadratic(), 20, [0.01, 0.02], [0.1, 0.5], [(1, 1), (2, 1)])
    with pytest.raises(InputError, match="in the grid's order"):
        analysis.classify(ds.isel(lr=[1]).isel(momentum=[1, 0]))
    pairs = xr.DataArray([0, 1], dims="pair")
    with pytest.raises(InputError, match="along the grid's dimensions: got pair"):
        analysis.classify(ds.isel(lr=pairs, momentum=pairs))
    same(analysis.classify(ds.isel(start=[1])), analysis.classify(ds).isel(start=[1]))


@given(st.lists(st.integers(1, 7), min_size=1, max_size=4), st.integers(1, 50))
def test_boxes_are_the_grid_in_its_order(shape: list[int], most: int) -> None:
    cells = np.arange(np.prod(shape)).reshape(shape)
    boxes = [cells[box].ravel() for box in cut(tuple(shape), most)]
    assert np.concatenate(boxes).tolist() == cells.ravel().tolist()
    assert max(box.size for box in boxes) <= most


def test_memory_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many runs there are, few are looked at at a time."""
    from fastmomentum.analysis import trajectories

    seen = []
    whole = trajectories._walks

    def watch(*args: Any) -> trajectories.Trajectories:
        found = whole(*args)
        seen.append(found.x.nbytes)
        return found

    monkeypatch.setattr(trajectories, "_walks", watch)
    ds = run(fm.Quadratic(), 300, np.geomspace(1e-3, 0.1, 150), np.linspace(0, 0.9, 50), [(1, 1)])
    analysis.classify(ds)
    assert max(seen) <= trajectories.TRAJECTORY_BYTES
    assert len(seen) > 5


# ---------------------------------------------------------------- rates


@pytest.mark.parametrize("rule", [name for name, rule in fm.RULES.items() if rule.form])
def test_measured_rates_are_the_predicted_ones(rule: str) -> None:
    m = np.linspace(0, 0.95, 20) if fm.RULES[rule].uses_momentum else None
    lr = np.linspace(0.01, 0.4, 30)
    ds = run(fm.Quadratic(1.0, 0.3, 10.0), 1500, lr, m, [(1.0, 1.3)], rule=rule)
    measured = analysis.measured_rate(ds)
    said = analysis.agreement(measured, analysis.predicted_rate(ds), within=0.02)
    assert said.share_sided == 1.0
    assert said.n_sided >= ds.status.size - (rule == "qhm")  # the fit of one cell is bad
    assert said.n_compared > 0.2 * ds.status.size
    assert said.share_within > 0.99
    assert said.median < 1e-4
    assert said.largest < 0.01


def test_rates_near_a_minimiser_of_any_objective_are_its_hessians() -> None:
    lr, m = np.geomspace(3e-4, 3e-3, 12), np.linspace(0.5, 0.95, 10)
    ds = run(fm.Rosenbrock(), 4000, lr, m, [(1.01, 1.02)])
    measured = analysis.measured_rate(ds)
    said = analysis.agreement(measured, analysis.predicted_rate(ds), within=0.1)
    assert said.share_within == 1.0
    assert said.n_compared >= 100
    local = run(fm.Rastrigin(), 400, 1e-3, [0.0, 0.3], [(2.2, 1.3)])  # not a named minimiser
    x, y, found = minima(fm.Rastrigin(), *local.final.values.reshape(2, 2).T)
    assert found.all()
    want = theory.predicted_rate(fm.Rastrigin(), "momentum", 1e-3, [0.0, 0.3], (x[0], y[0]))
    got = analysis.measured_rate(local).rate.values.ravel()
    np.testing.assert_allclose(got, want, rtol=0.01)  # some thirty updates to rounding


def test_rounding_at_the_minimum_does_not_flatten_the_line() -> None:
    """After 200 of 5,000 updates there is nothing left but rounding."""
    ds = run(fm.Booth(), 5000, 0.05, [0.0, 0.2], [(5.0, -3.0)])
    found = analysis.measured_rate(ds)
    np.testing.assert_allclose(
        found.rate.values.ravel(), analysis.predicted_rate(ds).values.ravel(), rtol=2e-3
    )
    assert (found.last_step.values < 700).all()
    assert (found.r_squared.values > 0.999).all()


def test_rates_of_runs_that_diverge_or_stay_or_are_there_at_once() -> None:
    bowl = fm.Quadratic(1.0, 0.0, 1.0)
    ds = run(bowl, 300, [0.5, 1.0, 2.0, 3.0], None, [(1.0, 0.5)])
    found = analysis.measured_rate(ds)
    rate = found.rate.values.ravel()
    assert rate[[0, 2, 3]] == pytest.approx([0.5, 1.0, 2.0])
    assert np.isnan(rate[1])  # at the minimum after one update
    assert found.n_points.values.ravel()[1] < 5
    assert found.r_squared.values.ravel()[[0, 2, 3]] == pytest.approx([1, 1, 1])
    assert np.isnan(analysis.measured_rate(run(fm.Saddle(), 99, 0.1, 0.5, [(1, 1)])).rate).all()


def test_the_fit_says_how_good_it_is() -> None:
    ds = run(fm.Rastrigin(), 500, 0.03, 0.9, [(2.3, 1.2)])  # chaos
    found = analysis.measured_rate(ds)
    assert found.r_squared.item() < 0.5
    assert found.rate.item() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(("argument", "value"), [("tail", 0.0), ("tail", 1.5), ("least", 2)])
def test_fits_that_make_no_sense_are_refused(argument: str, value: Any) -> None:
    with pytest.raises(InputError, match=f"{argument} must"):
        analysis.measured_rate(run(fm.Quadratic(), 9, 0.1, 0.5, [(1, 1)]), **{argument: value})


def test_agreement_is_of_1_minus_the_rate() -> None:
    """A rate of 0.999 against 0.998 is a factor of two, not a difference of 0.001."""
    got, want = xr.DataArray([0.999, 0.5, 0.9, 0.9]), xr.DataArray([0.998, 0.5, 0.895, 1.2])
    measured = xr.Dataset({"rate": got, "r_squared": xr.ones_like(got)})
    said = analysis.agreement(measured, want)
    assert said.n_compared == 4
    assert said.share_within == 0.5  # the second and the third
    assert said.largest == np.inf
    assert analysis.agreement(measured[{"dim_0": slice(2)}], want[:2]).largest == pytest.approx(1.0)
    assert analysis.gap_ratio(got, want).values == pytest.approx(
        [0.5, 1.0, 0.1 / 0.105, np.nan], nan_ok=True
    )
    with pytest.raises(InputError, match=r"within must be positive: got 0\.0"):
        analysis.agreement(measured, want, within=0.0)


def test_runs_are_foretold_by_regime() -> None:
    bowl = fm.Quadratic(1.0, 0.0, 10.0)
    ds = run(bowl, 9000, np.geomspace(0.01, 1.0, 30), np.linspace(0, 0.95, 20), [(1.0, 1.3)])
    found = analysis.foretold(ds)
    assert found.share == 1.0
    assert sorted(found.by_regime) == ["alternating", "oscillating", "overdamped", "unstable"]
    assert sum(count for _, count in found.by_regime.values()) == ds.status.size
    assert {share for share, _ in found.by_regime.values()} == {1.0}
    assert found.partings.dims == ds.status.dims
    assert (found.partings == analysis.Parting.BOTH_DIVERGE).equals(ds.status == 2)
    # The slowest eigenvector decides, and what it says is the regime's closed form.
    both = [theory.regime("momentum", 0.05, 0.5, e) for e in (1.0, 10.0)]
    one = analysis.foretold(run(bowl, 900, 0.05, 0.5, [(1.0, 1.3)])).by_regime
    slow = theory.spectral_radius("momentum", 0.05, 0.5, [1.0, 10.0]).argmax()
    assert list(one) == [theory.Regime(int(both[slow])).name.lower()]


def test_where_theory_and_map_part() -> None:
    lr, m = np.geomspace(1e-3, 8e-3, 20), np.linspace(0.5, 0.95, 10)
    ds = run(fm.Rosenbrock(), 3000, lr, m, [(-1.2, 1.0)])
    found = analysis.foretold(ds)
    diverged = ds.status.values == fm.Status.DIVERGED
    stable = analysis.predicted_rate(ds).values[..., None] < 1.0
    code = found.partings.values
    assert np.array_equal(code == analysis.Parting.ONLY_DIVERGED, diverged & stable)
    assert np.array_equal(code == analysis.Parting.ONLY_STAYED, ~diverged & ~stable)
    assert found.share == np.mean(diverged != stable) < 1.0
    total = sum(share * count for share, count in found.by_regime.values())
    assert total == pytest.approx(found.share * ds.status.size)


def test_agreement_of_nothing_is_none() -> None:
    ds = run(fm.Quadratic(), 5, 0.01, 0.5, [(1, 1)])
    said = analysis.agreement(analysis.measured_rate(ds, least=50), analysis.predicted_rate(ds))
    assert (said.n_compared, said.n_sided) == (0, 0)
    assert np.isnan(said.median)


# ---------------------------------------------------------------- losses, basins, cells


@settings(max_examples=20)
@given(st.floats(1e-4, 0.05), st.floats(0, 0.95))
def test_losses_and_distances_along_the_way(lr: float, m: float) -> None:
    himmelblau = fm.Himmelblau()
    ds = run(himmelblau, 20, lr, m, [(0.0, 1.0), (4.0, 4.0)], record=fm.Record(every=5))
    path = ds.trajectory.values
    loss, away = analysis.loss(ds), analysis.distance(ds)
    assert loss.dims == away.dims == ("lr", "momentum", "start", "step")
    np.testing.assert_array_equal(loss.values, himmelblau.value(path[..., 0], path[..., 1]))
    np.testing.assert_array_equal(analysis.excess(ds).values, loss.values)
    gaps = np.linalg.norm(path[..., None, :] - himmelblau.minimisers, axis=-1).min(axis=-1)
    np.testing.assert_allclose(away.values, gaps, rtol=1e-13)
    one = ds.isel(start=1, step=-1)
    xr.testing.assert_equal(analysis.loss(one), loss.isel(start=1, step=-1))


def test_losses_are_nan_after_the_end() -> None:
    stop = fm.Stop(targets=[0.1])
    ds = run(fm.Quadratic(), 50, 0.05, 0.5, [(1, 1)], stop=stop, record=fm.Record(every=1))
    end = ds.n_steps.item()
    for found in (analysis.loss(ds), analysis.distance(ds)):
        assert np.isfinite(found.values.ravel()[: end + 1]).all()
        assert np.isnan(found.values.ravel()[end + 1 :]).all()


def test_basins_are_the_minimisers_reached() -> None:
    start = [(3.1, 2.1), (-2.7, 3.0), (-3.7, -3.2), (3.5, -1.8), (0.0, 1e5), (0.0, 0.0)]
    stops = [{}, {"stop": fm.Stop(targets=[1.0])}]
    for more in stops:  # stopped a long way off the minimiser, too
        ds = run(fm.Himmelblau(), 300, 0.005, 0.5, start, **more)
        assert analysis.basin(ds).values.ravel()[:5].tolist() == [0, 1, 2, 3, -1]
    ds = run(fm.Himmelblau(), 3, 1e-4, 0.5, start)
    assert analysis.basin(ds, radius=0.01).values.ravel().tolist() == [-1] * 6
    assert analysis.basin(ds, radius=0.3).values.ravel()[:4].tolist() == [0, 1, 2, 3]
    tang = run(fm.StyblinskiTang(), 500, 0.01, 0.5, [(-3.0, -3.0), (3.0, 3.0)])
    assert analysis.basin(tang).values.ravel().tolist() == [0, -1]


def test_the_best_cell_of_each_target() -> None:
    stop = fm.Stop(targets=[1e-2, 1e-6, 1e-200])
    lr, m = np.linspace(0.01, 0.15, 8), np.linspace(0, 0.9, 7)
    ds = run(fm.Quadratic(), 100, lr, m, [(1, 1), (-2, 0.5)], stop=stop)
    found = analysis.best(ds)
    for k in (0, 1):
        hit = ds.hit_step.isel(target=k)
        least = int(hit.where(hit >= 0).min())
        assert int(found.hit_step[k]) == least
        cell = ds.sel(lr=float(found.lr[k]), momentum=float(found.momentum[k])).isel(target=k)
        number = [(1.0, 1.0), (-2.0, 0.5)].index((float(found.start_x[k]), float(found.start_y[k])))
        assert int(cell.hit_step[number]) == least
    assert int(found.hit_step[2]) == -1
    assert np.isnan(found.lr[2])
    one = analysis.best(ds.isel(target=0, start=1))
    assert one.hit_step.values.tolist() == [
        int(ds.hit_step.isel(target=0, start=1).where(lambda hit: hit >= 0).min())
    ]


def test_shares_of_runs_that_met_their_targets() -> None:
    stop = fm.Stop(targets=[1.0, 1e-6])
    ds = run(**WHOLE, stop=stop)
    found = analysis.fraction_converged(ds)
    assert found.dims == ("lr", "momentum", "target")
    want = (ds.hit_step.values >= 0).mean(axis=(2, 3))
    np.testing.assert_allclose(found.values, want)
    assert 0 < float(found.mean()) < 1
    over = analysis.fraction_converged(ds, over=["lr", "momentum", "start_x", "start_y"])
    assert over.dims == ("target",)
    assert analysis.fraction_converged(ds, over="lr").sizes["momentum"] == 3


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda ds: analysis.loss(ds), "hold no trajectories; take a cell's with fm.replay"),
        (lambda ds: analysis.distance(ds), "saddle has no minimiser"),
        (lambda ds: analysis.basin(ds), "saddle has no minimiser"),
        (lambda ds: analysis.excess(ds), "saddle has no smallest value"),
        (lambda ds: analysis.best(ds), "has no targets; give it some under [stop]"),
        (lambda ds: analysis.fraction_converged(ds), "has no targets"),
        (lambda ds: analysis.predicted_rate(ds), "saddle has no minimiser"),
        (lambda ds: analysis.classify(xr.Dataset()), "hold no experiment"),
    ],
)
def test_what_cannot_be_told_is_refused(call: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        call(run(fm.Saddle(), 5, 0.1, 0.5, [(1, 1)]))
    assert text in str(caught.value)


def test_arguments_that_make_no_sense_are_refused() -> None:
    ds = run(fm.Quadratic(), 5, 0.1, 0.5, [(1, 1)], stop=fm.Stop(targets=[1e-3]))
    with pytest.raises(InputError, match="radius must be positive"):
        analysis.basin(ds, radius=0.0)
    with pytest.raises(InputError, match="no dimension 'step'"):
        analysis.fraction_converged(ds, over="step")
    long = run(fm.Quadratic(), 5, 0.1, 0.5, [(1, 1)])
    plan = fm.experiment_of(long).canonical.replace('"steps":5', '"steps":99999999')
    with pytest.raises(InputError, match="too long to use every step"):
        analysis.classify(long.assign_attrs(experiment=plan))
