"""Cycles of the heavy ball: the closed form, the function that has them, and runs on it."""

from __future__ import annotations

import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots, theory
from fastmomentum.elementary.polygons import offset, regular_polygon, squared_distance
from fastmomentum.errors import InputError

CLASSES = [(1.0, 1.5), (1.0, 25.0), (0.02, 3.0), (1.0, 1000.0)]
"""Smallest and largest curvatures."""

PERIODS = [2, 3, 4, 5, 7, 12, 25, 64]


def worst_condition(lr: float, m: float, mu: float, top: float, period: int) -> float:
    """By how much the cycle breaks the worst of all pairs' conditions; they hold where <= 0.

    Points w_i, gradients g_i and one value are those of a mu-strongly convex L-smooth function
    where, for all i and j, 0 >= <g_j, w_i - w_j> + (|g_i - g_j|^2/L + mu |w_i - w_j|^2
    - 2 mu/L <g_j - g_i, w_j - w_i>)/(2(1 - mu/L)) (Taylor, Hendrickx and Glineur 2017, theorem 4).
    """
    w = np.exp(2j * np.pi * np.arange(period) / period)
    g = ((1 + m) * w - m * np.roll(w, 1) - np.roll(w, -1)) / lr

    def dot(a: Any, b: Any) -> Any:
        return (a * np.conj(b)).real

    dw, dg, k = w[1:] - w[0], g[1:] - g[0], mu / top
    bent = abs(dg) ** 2 / top + mu * abs(dw) ** 2 - 2 * k * dot(dg, dw)
    conditions = dot(g[0], dw) + bent / (2 * (1 - k))
    return float((conditions / (abs(g[0]) * abs(dw))).max())


@pytest.mark.parametrize(("mu", "top"), CLASSES)
def test_a_cycle_is_where_the_conditions_of_interpolation_hold(mu: float, top: float) -> None:
    inside = 0
    for period, m, part in product(PERIODS, np.linspace(0, 0.99, 23), np.linspace(0.02, 1.2, 41)):
        lr = part * 2 * (1 + m) / top
        worst = worst_condition(lr, m, mu, top, period)
        if abs(worst) > 1e-12:
            found = bool(theory.has_cycle(lr, m, mu, top, period))
            assert found == (worst < 0), (lr, m, period)
            inside += found
    assert inside > 100


@pytest.mark.parametrize(("mu", "top"), CLASSES)
@pytest.mark.parametrize("period", PERIODS)
def test_the_range_is_where_the_answer_changes(mu: float, top: float, period: int) -> None:
    m = 1 - np.geomspace(1e-5, 1, 400)
    low, high = theory.cycle_range(m, mu, top, period)
    there = np.isfinite(low)
    assert there.any()
    kept = there & (high > low * (1 + 1e-6))
    for edge, outward in ((low[kept], 1 - 1e-9), (high[kept], 1 + 1e-9)):
        assert not theory.has_cycle(edge * outward, m[kept], mu, top, period).any()
        assert theory.has_cycle(edge / outward, m[kept], mu, top, period).all()
    rates = np.geomspace(1e-3, 1e3, 400)[:, None] / top
    assert not theory.has_cycle(rates, m[~there], mu, top, period).any()


def test_period_two_is_the_edge_of_stability() -> None:
    m = np.linspace(0, 0.99, 50)
    low, high = theory.cycle_range(m, 0.5, 10.0, 2)
    np.testing.assert_allclose(low, theory.stable_limit("momentum", m) / 10.0, rtol=1e-12)
    np.testing.assert_allclose(high, theory.stable_limit("momentum", m) / 0.5, rtol=1e-12)


def test_the_union_has_the_shortest_period() -> None:
    lr, m = np.geomspace(1e-3, 1, 60)[:, None], np.linspace(0, 0.99, 50)
    each = [theory.has_cycle(lr, m, 1.0, 25.0, period) for period in range(2, 13)]
    union = theory.shortest_cycle(lr, m, 1.0, 25.0, longest=12)
    np.testing.assert_array_equal(union > 0, np.any(each, axis=0))
    for period, found in zip(range(2, 13), each, strict=True):
        assert found[union == period].all()
        assert (union[found] <= period).all()
    assert len(np.unique(union)) > 5


@pytest.mark.parametrize(("mu", "top"), CLASSES)
def test_nothing_cycles_where_convergence_is_proved(mu: float, top: float) -> None:
    lr = np.linspace(0, 2 / top, 300)[1:-1, None]
    m = np.linspace(0, 0.999, 200)
    proved = m < theory.converging_momentum(lr, mu, top)
    assert 0.5 < proved.mean() < 1
    assert not (proved & (theory.shortest_cycle(lr, m, mu, top, 60) > 0)).any()
    assert theory.is_stable("momentum", lr, m, top)[proved].all()


def rounds(period: int, lr: float, m: float, mu: float, top: float, away: float = 0.0) -> float:
    """Distance from the cycle after 3,000 updates that began on it, or `away` from it."""
    f = fm.PolygonCycle(period=period, mu=mu, L=top, lr=lr, momentum=m)
    before, first = f.cycle[-1], f.cycle[0]
    experiment = fm.Experiment(
        objective=f,
        rule="momentum",
        steps=3000,
        grid=fm.Grid(
            lr=lr,
            momentum=m,
            start=[tuple((1 + away) * first)],
            velocity=[tuple(first - before)],
        ),
        stop=fm.Stop(bound=None),
    )
    final = fm.run(experiment, n_jobs=1).final.values.ravel()
    return float(np.hypot(*(final - f.cycle[3000 % period])))


@pytest.mark.parametrize("period", [2, 3, 4, 5, 8, 21])
@pytest.mark.parametrize("m", [0.3, 0.6, 0.9])
def test_runs_go_round_inside_and_leave_outside(period: int, m: float) -> None:
    mu, top = 1.0, 100.0
    low, high = (float(edge) for edge in theory.cycle_range(m, mu, top, period))
    if not np.isfinite(low):
        assert period > 2
        return
    for lr in (1.01 * low, 0.99 * high):
        assert rounds(period, lr, m, mu, top) < 1e-9
    assert rounds(period, 1.01 * low, m, mu, top, away=1e-4) < 1e-6  # it attracts
    for lr in (0.99 * low, 1.01 * high):
        assert not rounds(period, lr, m, mu, top) < 1e-3


@pytest.mark.parametrize("period", range(2, 65))
def test_the_nearest_point_of_a_polygon(period: int) -> None:
    """Against all edges, one by one."""
    corner = 0.7 * np.exp(0.4j)
    corners = corner * np.exp(2j * np.pi * np.arange(period) / period)
    polygon = regular_polygon(period, float(corner.real), float(corner.imag))
    x, y = np.random.default_rng(period).normal(size=(2, 2000))
    z = x + 1j * y
    edges = np.roll(corners, -1) - corners
    part = (((z[:, None] - corners) * np.conj(edges)).real / abs(edges) ** 2).clip(0, 1)
    away = z[:, None] - corners - part * edges
    inside = (((z[:, None] - corners) * np.conj(edges)).imag > 0).all(axis=1)
    nearest = away[np.arange(z.size), abs(away).argmin(axis=1)]
    expected = np.where(inside, 0, nearest)
    dx, dy = offset(x, y, polygon)
    np.testing.assert_allclose(dx + 1j * dy, expected, rtol=0, atol=1e-13)
    squares = squared_distance(x, y, polygon)
    np.testing.assert_allclose(squares, abs(expected) ** 2, rtol=0, atol=1e-13)


QUADRATIC_FORMULAS = [
    fm.Formula("x^2 + b*y^2 + x*y/3", b=7.0),
    fm.Formula("(x + 2*y - 7)^2 + (2*x + y - 5)^2"),
    fm.Formula("-2*x + 3*(u - x)*(u - x)/k + x^p", k=2.0, p=2.0, variables=("x", "u")),
]


@pytest.mark.parametrize(
    "f",
    [
        fm.PolygonCycle(), fm.HeavyBallCycle(), fm.Booth(), fm.Matyas(), *QUADRATIC_FORMULAS,
    ],
)  # fmt: skip
def test_curvatures_bound_the_hessian(f: Any) -> None:
    mu, top = f.curvatures
    x, y = np.random.default_rng(0).uniform(-3, 3, (2, 5000))
    found = np.linalg.eigvalsh(f.hessian(x, y))
    assert found.min() == pytest.approx(mu, rel=1e-12)
    assert found.max() == pytest.approx(top, rel=1e-12)


def test_curvatures_of_what_is_not_strongly_convex() -> None:
    for f in (fm.Rosenbrock(), fm.Saddle(), fm.Quadratic(1.0, 1.0, 1.0), fm.Rastrigin()):
        assert f.curvatures is None
    for text in (
        "x^2 - y^2", "x^2", "x^4 + y^2", "x*y*x + y^2", "x^2 + y^2 + abs(x)", "2^x + x^2 + y^2",
        "where(x > 0, x^2, 3*x^2) + y^2", "x^2 + 1/y^2", "(x^2 + y^2)^1.5",
    ):  # fmt: skip
        assert fm.Formula(text, minimisers=[]).curvatures is None
    assert fm.Formula("k*k*x^2 + y^2", k=1e200, minimisers=[]).curvatures is None
    assert fm.Quadratic(1.0, 0.0, 5.0).curvatures == (1.0, 5.0)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: theory.has_cycle(0.1, 0.5, 2.0, 1.0, 3), "0 < mu < L: got mu = 2.0, L = 1.0"),
        (lambda: theory.has_cycle(0.1, 0.5, 1.0, 9.0, 2.5), "a whole number from 2: got 2.5"),
        (lambda: theory.cycle_range(0.5, 1.0, 9.0, 1), "a whole number from 2: got 1.0"),
        (lambda: theory.shortest_cycle(0.1, 0.5, 1.0, 9.0, 1), "longest must be a whole number"),
        (lambda: theory.converging_momentum(0.1, 0.0, 9.0), "0 < mu < L"),
        (lambda: fm.PolygonCycle(mu=3.0, L=2.0), "L must be greater than mu, which is 3.0: got"),
        (lambda: fm.PolygonCycle(period=65), "period must be"),
        (lambda: fm.PolygonCycle(lr=0.0), "lr must be greater than 0"),
    ],
)
def test_what_makes_no_sense_is_refused(call: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        call()
    assert text in str(caught.value)


def drawn_region(rule: str = "momentum", scale: str = "linear") -> tuple[Any, Any]:
    ax = Figure().add_subplot(xlim=(1e-3, 0.3), ylim=(0, 1), xscale=scale)
    return ax, plots.cycle_region(ax, 1.0, 25.0, rule)


def inside(region: Any, lr: float, m: float) -> bool:
    return bool(region.cycles.get_paths()[0].contains_point((lr, m)))


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_the_region_is_drawn_where_the_cycles_are(scale: str) -> None:
    ax, region = drawn_region(scale=scale)
    assert inside(region, 1 / 9, 4 / 9)
    assert not inside(region, 0.05, 4 / 9)
    assert ax.get_xlim() == (1e-3, 0.3)
    lr, m = region.proved.get_data()
    assert lr[-2:].tolist() == [2 / 25, 2 / 25]  # its end; of these rates nothing is proved
    np.testing.assert_allclose(m[:-2], theory.converging_momentum(lr[:-2], 1.0, 25.0))
    said = [handle.get_label() for handle in region.handles]
    assert said[0] == "cycles of 2 to 25 points: on some f of curvature 1 to 25 (theory)"


def test_the_region_of_another_form_is_at_its_own_learning_rates() -> None:
    _, region = drawn_region("ema")
    found = theory.shortest_cycle(0.1, 0.6, 1.0, 25.0) > 0
    assert inside(region, 0.1 / (1 - 0.6), 0.6) == found
    assert inside(region, 0.2, 4 / 9)  # 0.2 (1 - 4/9) = 1/9
    assert not inside(region, 1 / 9, 4 / 9)
    with pytest.raises(InputError, match="for the heavy ball and its forms only: got nesterov"):
        drawn_region("nesterov")


def test_measured_cycles_are_the_closed_forms(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "experiments" / "plot_cycles.py"
    picture = tmp_path / "cycles.png"
    words = ["-o", str(picture), "--cells", "24", "--steps", "1500"]
    done = subprocess.run(
        [sys.executable, str(script), *words], capture_output=True, text=True, check=True
    )
    assert "576 runs of 1,500 updates" in done.stdout
    assert ": 576 end as the closed form says, " in done.stdout
    assert picture.stat().st_size > 10_000
    refused = subprocess.run(
        [sys.executable, str(script), *words, "--longest", "1"], capture_output=True, text=True
    )
    assert refused.returncode == 2
    assert refused.stderr.strip().endswith("--longest must be 2 or more: got 1")


def test_the_region_over_a_map(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / "experiments" / "plot_phase.py"
    grid = fm.Grid(lr=np.linspace(0.01, 0.2, 9), momentum=[0.0, 0.5, 0.9], start=[(1.0, 1.0)])
    for objective, said in ((fm.Quadratic(), ""), (fm.Rosenbrock(), "known curvatures 0 < mu < L")):
        runs = tmp_path / f"{objective.name}.h5"
        fm.run(fm.Experiment(objective=objective, rule="momentum", steps=50, grid=grid), runs)
        words = [str(runs), "-o", str(tmp_path / "map.png"), "--show", "status", "--cycles"]
        done = subprocess.run([sys.executable, str(script), *words], capture_output=True, text=True)
        assert (done.returncode == 0) == (not said), done.stderr
        assert said in done.stderr
