"""Dimensions, entropies and exponents against exact values and published ones."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import fastmomentum as fm
from fastmomentum.analysis import (
    basin_entropy,
    boundary_dimension,
    lyapunov_exponent,
    uncertainty_exponent,
)
from fastmomentum.analysis.sensitivity import measured

X, Y = np.mgrid[:1025, :1025] / 1024


def newton(num: int) -> NDArray[np.int64]:
    """Which cube root of 1 Newton's method finds, from the square of side 2 around 0."""
    side = np.linspace(-1, 1, num)
    z = side[:, None] + 1j * side
    for _ in range(40):
        with np.errstate(all="ignore"):
            z = z - (z**3 - 1) / (3 * z**2)
    angle = np.nan_to_num(np.angle(z) / (2 * np.pi / 3))
    return np.rint(angle).astype(np.int64) % 3


@pytest.mark.parametrize(
    "smooth",
    [X > 0.5003, X + 0.37 * Y > 0.7, np.hypot(X - 0.51, Y - 0.49) < 0.4],
    ids=["edge", "slanted", "circle"],
)
def test_a_smooth_boundary_is_a_line(smooth: Any) -> None:
    found = boundary_dimension(smooth)
    assert abs(found.dimension - 1.0) < 0.03
    assert abs(found.dimension - 1.0) < 3 * found.error + 0.01
    assert found.scales == (2 / 1024, 128 / 1024)
    assert found.counts[0] > 4 * found.counts[3] > 0
    assert basin_entropy(smooth).boundary_entropy < np.log(2)


def test_a_point_has_no_dimension() -> None:
    assert boundary_dimension(np.arange(4097) > 1700).dimension == 0.0


def test_the_middle_third_set() -> None:
    """A boundary at each end of each gap: the dimension is log 2 / log 3."""
    inside = np.ones(1, np.int64)
    for _ in range(11):
        inside = np.concatenate([inside, np.zeros(inside.size, np.int64), inside])
    found = boundary_dimension(inside, scales=(1, inside.size // 8))
    exact = np.log(2) / np.log(3)
    assert abs(found.dimension - exact) < 0.03
    assert abs(found.dimension - exact) < 3 * found.error


def test_newtons_basins() -> None:
    """Published: a dimension of 1.42, for Newton's method on z^3 - 1 (box counting)."""
    basins = newton(1024)
    found = boundary_dimension(basins, scales=(1, 64))
    assert abs(found.dimension - 1.42) < 2 * found.error
    assert 0.005 < found.error < 0.04
    # Three basins meet all along the boundary, so that its entropy passes Daza's criterion.
    entropy = basin_entropy(basins)
    assert entropy.boundary_entropy - 3 * entropy.boundary_error > np.log(2)
    assert entropy.entropy < entropy.boundary_entropy
    assert entropy.boundary_boxes < entropy.boxes == 204**2


def test_a_published_uncertainty_exponent() -> None:
    """Grebogi, McDonald, Ott and Yorke 1983: 0.2 for their map, a dimension of 1.8."""

    def ends(points: Any) -> Any:
        angle, x = points
        for _ in range(400):
            angle, x = (
                angle + 1.32 * np.sin(2 * angle) - 0.9 * np.sin(4 * angle) - x * np.sin(angle),
                -0.3 * np.cos(angle),
            )
        return (x > 0).astype(int)

    found = measured(ends, [(0, 2 * np.pi), (-0.5, 0.5)], scales=(1e-7, 1e-3), sample=4000)
    assert round(found.exponent, 1) == 0.2
    assert round(found.dimension, 1) == 1.8
    assert found.error < 0.02


def test_a_straight_edge_leaves_no_more_uncertainty_than_its_width() -> None:
    def ends(points: Any) -> Any:
        return (points[0] + 0.3 * points[1] > 0.6).astype(int)

    found = measured(ends, [(0, 1), (0, 1)], scales=(1e-4, 1e-1))
    assert abs(found.exponent - 1.0) < 3 * found.error
    assert found.error < 0.05
    # Nor where one axis counts in its logarithm.
    found = measured(ends, [(0.01, 1), (0, 1)], (True, False), scales=(1e-4, 1e-1))
    assert abs(found.exponent - 1.0) < 3 * found.error


def quadratic(path: Path | None = None) -> xr.Dataset:
    return fm.run(
        fm.Experiment(
            objective=fm.Quadratic(1.0, 0.0, 10.0),
            rule="momentum",
            steps=3000,
            grid=fm.Grid(
                lr={"logspace": [0.05, 0.8], "num": 129},
                momentum={"linspace": [0.0, 0.9], "num": 129},
                start=[(1, 1)],
            ),
            stop=fm.Stop(targets=[1e-12]),
        ),
        path,
    )


def test_the_edge_of_stability_is_smooth() -> None:
    ds = quadratic().isel(start=0)
    boxes = boundary_dimension(ds)
    assert abs(boxes.dimension - 1.0) < 0.1
    beside = uncertainty_exponent(ds, scales=(1e-4, 1e-1), sample=4000)
    assert abs(beside.exponent - 1.0) < 3 * beside.error
    assert abs(beside.dimension - boxes.dimension) < 3 * (beside.error + boxes.error)


def test_what_is_replayed_is_what_the_map_has() -> None:
    from fastmomentum.analysis.sensitivity import _runs

    ds = quadratic().isel(start=0)
    classify, ends, logs = _runs(ds, "status", ("lr", "momentum"), None)
    assert ends == [(0.05, 0.8), (0.0, 0.9)]
    assert logs == [True, False]
    i, j = np.random.default_rng(1).integers(129, size=(2, 500))
    found = classify((ds.lr.values[i], ds.momentum.values[j]))
    assert np.array_equal(found, ds.status.values[i, j])


def test_basins_of_starts() -> None:
    ds = fm.run(
        fm.Experiment(
            objective="himmelblau",
            rule="momentum",
            steps=800,
            grid=fm.Grid(
                lr=0.01,
                momentum=[0.0, 0.5],
                start={
                    "x": {"linspace": [-5, 5], "num": 65},
                    "y": {"linspace": [-5, 5], "num": 65},
                },
            ),
            stop=fm.Stop(targets=[1e-8]),
        )
    )
    over = "start_x", "start_y"
    one = ds.isel(lr=0, momentum=0)
    found = uncertainty_exponent(one, variable="basin", over=over, scales=(2e-3, 5e-2), sample=9000)
    assert abs(found.exponent - 1.0) < 0.1
    dimension = boundary_dimension(fm.analysis.basin(one), over=over)
    assert abs(dimension.dimension - 1.0) < 0.25
    with pytest.raises(fm.InputError, match="momentum is left: select one value of it first"):
        uncertainty_exponent(ds, variable="basin", over=over)
    with pytest.raises(fm.InputError, match="and momentum is left: select one value"):
        boundary_dimension(ds, over=over)


def test_a_refined_map_has_more_scales(tmp_path: Path) -> None:
    ds = quadratic().isel(lr=slice(0, None, 4), momentum=slice(0, None, 4))
    fm.analysis.refine(ds, tmp_path / "fine.h5", levels=3)
    with fm.open(tmp_path / "fine.h5") as fine:
        found = boundary_dimension(fine)
        assert found.sizes.tolist() == [2, 4, 8, 16, 32]
        assert abs(found.dimension - 1.0) < 0.05
        with pytest.raises(
            fm.InputError, match="only has the boundary of status over lr and momentum"
        ):
            boundary_dimension(fine, variable="n_steps")


@pytest.mark.parametrize(("part", "fractal"), [(0.5, False), (0.9, False), (2.0, True)])
def test_a_cosine_on_a_parabola_is_fractal_once_it_is_not_convex(
    part: float, fractal: bool
) -> None:
    """Liu 2024: x^2 + eps cos(2 pi x/lambda), from eps/lambda^2 = 1/(2 pi^2) on."""
    ds = fm.run(
        fm.Experiment(
            objective=fm.Formula(
                "x^2 + eps*cos(2*pi*x/lam) + y^2", eps=part / (2 * np.pi**2), lam=1.0
            ),
            rule="sgd",
            steps=1000,
            grid=fm.Grid(lr={"linspace": [1.0, 1.2], "num": 2**15 + 1}, start=[(3.0, 0.0)]),
            stop=fm.Stop(bound=1e6),
        )
    )
    diverged = ds.status.isel(start=0, momentum=0) == fm.Status.DIVERGED
    found = boundary_dimension(diverged, over=("lr",))
    assert (found.dimension > 0.5) == fractal
    if not fractal:
        assert found.dimension == 0.0


def test_entropy_by_hand() -> None:
    found = basin_entropy(np.arange(100) >= 52)
    two, three = 2 / 5, 3 / 5
    assert found.boundary_entropy == pytest.approx(-two * np.log(two) - three * np.log(three))
    assert found.entropy == pytest.approx(found.boundary_entropy / 20)
    assert (found.boxes, found.boundary_boxes, found.scales) == (20, 1, (0.05,))
    random = np.random.default_rng(0).integers(0, 2, (1000, 1000))
    assert abs(basin_entropy(random, box=20).entropy - np.log(2)) < 0.005
    alike = basin_entropy(np.zeros((20, 20), int))
    assert alike.entropy == 0.0
    assert np.isnan(alike.boundary_entropy)


def test_the_logistic_map_has_the_exponent_log_2() -> None:
    """Gradient descent on a cubic, lr 1, is x' = 4 x (1 - x)."""
    ds = fm.run(
        fm.Experiment(
            objective=fm.Formula(
                "x^2/2*(1 - r) + r*x^3/3 + y^2/2", r=4.0, minimisers=[(0.75, 0.0)]
            ),
            rule="sgd",
            steps=20_000,
            grid=fm.Grid(lr=1.0, start=[(0.3, 0.1)]),
            stop=fm.Stop(bound=None),
        ),
        n_jobs=1,
    )
    found = lyapunov_exponent(ds)
    assert abs(found.exponent - np.log(2)) < max(4 * found.error, 1e-3)
    assert found.error < 1e-3
    assert found.scales == (4001, 20_000)


@pytest.mark.parametrize("rule", ["momentum", "nesterov", "sutskever", "pytorch", "ema"])
def test_towards_a_minimum_it_is_the_logarithm_of_the_rate(rule: str) -> None:
    f = fm.Quadratic(1.0, 0.0, 10.0)
    grid = fm.Grid(lr=0.05, momentum=[0.3, 0.6], start=[(1, 1)])
    ds = fm.run(fm.Experiment(objective=f, rule=rule, steps=2000, grid=grid), n_jobs=1)
    for momentum in (0.3, 0.6):
        found = lyapunov_exponent(ds, momentum=momentum, skip=400)
        rate = float(fm.theory.predicted_rate(f, rule, 0.05, momentum))
        assert found.exponent == pytest.approx(np.log(rate), abs=3 * found.error + 1e-4)


def test_on_a_cycle_it_is_below_0() -> None:
    f = fm.PolygonCycle()
    velocity = f.cycle[0] - f.cycle[-1]
    grid = fm.Grid(lr=f.lr, momentum=f.momentum, start=[f.cycle[0]], velocity=[velocity])
    ds = fm.run(fm.Experiment(objective=f, rule="momentum", steps=4000, grid=grid), n_jobs=1)
    found = lyapunov_exponent(ds, skip=2000)  # damping is critical: it is off by 1/k at step k
    rate = float(fm.theory.spectral_radius("momentum", f.lr, f.momentum, f.mu))
    assert found.exponent == pytest.approx(np.log(rate), abs=1e-3)


@pytest.mark.parametrize("rule", ["adam", "lion", "rmsprop", "qhm", "adagrad", "nadam", "sgd"])
def test_every_rule_has_one(rule: str) -> None:
    momentum = 0.9 if fm.RULES[rule].uses_momentum else None
    grid = fm.Grid(lr=1e-3, momentum=momentum, start=[(-1.2, 1.0)])
    plan = fm.Experiment(objective="rosenbrock", rule=rule, steps=300, grid=grid)
    found = lyapunov_exponent(fm.run(plan, n_jobs=1))
    assert np.isfinite(found.exponent)
    assert np.isfinite(found.error)


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: boundary_dimension(np.zeros((65, 65))), "there is no boundary"),
        (lambda: boundary_dimension(X[:9, :9] > 0), "the map has 8 spacings along an axis"),
        (lambda: boundary_dimension(X > 0.5, scales=(4, 7)), "scales must be two sizes, the"),
        (lambda: boundary_dimension(X > 0.5, scales=(0, 7)), "scales must be positive: got 0"),
        (lambda: boundary_dimension(X), "status must hold classes, which are whole numbers"),
        (lambda: boundary_dimension(np.zeros((3, 3, 3))), "must have one axis or two"),
        (lambda: basin_entropy(X > 0.5, box=1), "box must be at least 2: got 1"),
        (lambda: basin_entropy(X > 0.5, box=2000), "box must be 1025 cells at most: got 2000"),
        (lambda: measured(lambda p: p[0] > 2, [(0, 1), (0, 1)]), "only 0 of 11 distances"),
        (
            lambda: measured(lambda p: p[0], [(0, 1), (0, 1)], scales=(0.1, 0.9)),
            "scales must be two distances between 0 and 0.5: got 0.1 and 0.9",
        ),
    ],
)
def test_what_makes_no_sense_gets_a_line(call: Any, line: str) -> None:
    with pytest.raises(fm.InputError, match=re.escape(line)):
        call()


def test_what_makes_no_sense_of_results_gets_a_line() -> None:
    grid = fm.Grid(lr=[0.05, 0.5], momentum=[0.0, 0.5], start=[(1, 1), (2, 1)])
    plan = fm.Experiment(objective="booth", rule="momentum", steps=15, grid=grid)
    ds = fm.run(plan, n_jobs=1)
    for call, line in (
        (lambda: boundary_dimension(ds), "and start is left"),
        (
            lambda: boundary_dimension(ds, variable="nothing"),
            "have no variable nothing; known are ",
        ),
        (lambda: boundary_dimension(ds.isel(start=0), over=("nu",)), "and lr is left"),
        (lambda: uncertainty_exponent(ds), "start is left: select one value of it first"),
        (lambda: uncertainty_exponent(ds, variable="final"), "must be status or basin"),
        (lambda: uncertainty_exponent(ds, over=("lr", "nu")), "over must be lr and momentum, or"),
        (lambda: uncertainty_exponent(ds, sample=5), "sample must be at least 100: got 5"),
        (
            lambda: uncertainty_exponent(ds.isel(start=0, lr=[0])),
            "a map needs at least two values of lr",
        ),
        (lambda: lyapunov_exponent(ds), "the average needs 20 steps or more: got 12, after 3"),
        (lambda: lyapunov_exponent(ds, steps=40, skip=30), "20 steps or more: got 10, after 30"),
        (lambda: lyapunov_exponent(ds, lr=0.5, steps=5000), "the run overflows at step"),
    ):
        with pytest.raises(fm.InputError, match=re.escape(line)):
            call()  # type: ignore[no-untyped-call]


@pytest.mark.parametrize(
    "more", [{"noise": {"gaussian": 0.1}}, {"schedule": {"lr": {"kind": "cosine", "steps": 90}}}]
)
def test_a_map_that_changes_has_no_exponent_here(more: dict[str, Any]) -> None:
    grid = fm.Grid(lr=0.05, momentum=0.5, start=[(1, 1)])
    plan = fm.Experiment(objective="booth", rule="momentum", steps=99, grid=grid, **more)
    with pytest.raises(fm.InputError, match="defined for a fixed map, and this experiment has a "):
        lyapunov_exponent(fm.run(plan, n_jobs=1))
