"""Objectives: derivatives, minima, published values, and the same bits however they are called."""

from __future__ import annotations

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numba.extending import register_jitable

from fastmomentum.errors import InputError
from fastmomentum.objectives import (
    MSE,
    OBJECTIVES,
    Ackley,
    AnyObjective,
    GoldsteinPrice,
    Himmelblau,
    Levi13,
    Objective,
    Quadratic,
    Rosenbrock,
)
from fastmomentum.specification.base import Specification

EPS = float(np.finfo(float).eps)

LINE = {"num_points": 50, "x_mid": 5, "x_range": 5, "y_weight": 10, "noise_range": 5}


def default(objective: type[Objective]) -> Objective:
    return MSE.parse({"data": LINE}) if objective is MSE else objective.example()


CASES = [pytest.param(default(o), id=name) for name, o in OBJECTIVES.items()] + [
    pytest.param(MSE.parse({"data": LINE, "reduction": "half_sum"}), id="mse-half_sum"),
    pytest.param(Rosenbrock(a=0.5, b=3.0), id="rosenbrock-a-b"),
    pytest.param(Quadratic(2.0, -1.0, 3.0), id="quadratic-definite"),
    pytest.param(Quadratic(1.0, 2.0, 4.0), id="quadratic-semidefinite"),
    pytest.param(Quadratic(1.0, 3.0, 1.0), id="quadratic-indefinite"),
    pytest.param(Quadratic(-1.0, 0.0, -2.0), id="quadratic-negative"),
]
every_objective = pytest.mark.parametrize("objective", CASES)


def random_points(objective: Objective, seed: int, count: int = 200) -> tuple[Any, Any]:
    random = np.random.default_rng(seed)
    (x_low, x_high), (y_low, y_high) = objective.box
    return random.uniform(x_low, x_high, count), random.uniform(y_low, y_high, count)


def slopes(function: Any, x: Any, y: Any, objective: Objective) -> tuple[Any, Any]:
    """Derivatives by x and by y: central differences of fourth order."""
    parts = []
    for axis, (low, high) in enumerate(objective.box):
        h = 1e-4 * (high - low)
        hx, hy = (h, 0.0) if axis == 0 else (0.0, h)
        near = function(x + hx, y + hy) - function(x - hx, y - hy)
        far = function(x + 2 * hx, y + 2 * hy) - function(x - 2 * hx, y - 2 * hy)
        parts.append((8 * near - far) / (12 * h))
    return parts[0], parts[1]


def smooth(x: Any, y: Any, objective: Objective) -> Any:
    """Where the Hessian does not jump among the points that `slopes` looks at.

    Across a jump, which objectives made of pieces have, differences are of no order.
    """
    here, widths = objective.hessian(x, y), [high - low for low, high in objective.box]
    largest = np.abs(here).max()
    kept = np.full(np.shape(x), True)
    for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
        there = objective.hessian(x + 2e-4 * dx * widths[0], y + 2e-4 * dy * widths[1])
        kept &= (np.abs(there - here) <= 0.1 * largest).all(axis=(-1, -2))
    assert kept.mean() > 0.97
    return kept


def assert_near(got: Any, expected: Any, relative: float) -> None:
    """Equal within a part of the largest entry."""
    assert np.abs(got - expected).max() <= relative * max(1.0, np.abs(expected).max())


@every_objective
@pytest.mark.parametrize("seed", [1, 2])
def test_gradient_is_the_slope_of_the_value(objective: Objective, seed: int) -> None:
    x, y = random_points(objective, seed)
    expected = np.stack(slopes(objective.value, x, y, objective), axis=-1)
    kept = smooth(x, y, objective)
    assert_near(objective.gradient(x, y)[kept], expected[kept], 1e-6)


@every_objective
@pytest.mark.parametrize("seed", [3, 4])
def test_hessian_is_the_slope_of_the_gradient(objective: Objective, seed: int) -> None:
    x, y = random_points(objective, seed)
    expected = np.stack(slopes(objective.gradient, x, y, objective), axis=-1)
    hessian = objective.hessian(x, y)
    kept = smooth(x, y, objective)
    assert_near(hessian[kept], expected[kept], 1e-6)
    assert np.array_equal(hessian, np.swapaxes(hessian, -1, -2))


@every_objective
def test_minimisers_are_critical_and_reach_the_minimum(objective: Objective) -> None:
    assert objective.minimisers.ndim == 2
    assert objective.minimisers.shape[1] == 2
    assert (objective.f_min is None) == (len(objective.minimisers) == 0)
    for x, y in objective.minimisers:
        # Rounding the minimiser to float64 moves the gradient by H w eps; its own terms, which
        # cancel, are of that order too.
        scale = 1.0 + np.linalg.norm(objective.hessian(x, y)) * (1.0 + np.hypot(x, y))
        assert np.linalg.norm(objective.gradient(x, y)) <= 8 * EPS * scale
        assert objective.f_min is not None
        rounding = 8 * EPS * max(1.0, abs(objective.f_min))
        assert abs(objective.value(x, y) - objective.f_min) <= rounding


@every_objective
@pytest.mark.parametrize("seed", [5, 6])
def test_nothing_is_below_the_minimum(objective: Objective, seed: int) -> None:
    x, y = random_points(objective, seed, 10_000)
    if objective.f_min is None:
        assert objective.value(1e4 * x, 1e4 * y).min() < -1e6
    else:
        rounding = 8 * EPS * max(1.0, abs(objective.f_min))
        assert objective.value(x, y).min() >= objective.f_min - rounding


@every_objective
def test_minimisers_lie_in_the_box(objective: Objective) -> None:
    low, high = np.array(objective.box).T
    assert (low < high).all()
    assert ((objective.minimisers > low) & (objective.minimisers < high)).all()


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_floats_arrays_and_compiled_code_agree(objective: type[Objective]) -> None:
    import fastmomentum.kernels.loop  # noqa: F401  (numba knows the elementary functions by it)

    this = default(objective)
    value = register_jitable(this.functions.value)
    gradient = register_jitable(this.functions.gradient)

    @njit(error_model="numpy")
    def compiled(x, y, constants, out):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            out[i, 0] = value(x[i], y[i], constants)
            out[i, 1], out[i, 2] = gradient(x[i], y[i], constants)

    k = this.constants
    x, y = random_points(this, seed=7)
    from_arrays = np.column_stack([this.value(x, y), this.gradient(x, y)])
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    from_floats = np.array([(this.value_at(p, q, k), *this.gradient_at(p, q, k)) for p, q in pairs])
    from_compiled = np.empty((x.size, 3))
    compiled(x, y, k, from_compiled)
    for got in (from_floats, from_compiled):
        assert np.array_equal(got, from_arrays)


@pytest.mark.parametrize("objective", OBJECTIVES.values(), ids=OBJECTIVES)
def test_no_function_of_a_library_is_called(objective: type[Objective]) -> None:
    """Those of NumPy and of Python's math differ from machine to machine."""
    for function in default(objective).functions:
        assert not {"np", "math"} & set(function.__code__.co_names)


@every_objective
def test_shapes_broadcast(objective: Objective) -> None:
    x, y = np.zeros((4, 1)), np.ones(3)
    assert objective.value(x, y).shape == (4, 3)
    assert objective.gradient(x, y).shape == (4, 3, 2)
    assert objective.hessian(x, y).shape == (4, 3, 2, 2)
    assert objective.hessian(0.0, 0.0).shape == (2, 2)


@every_objective
def test_rebuilt_from_json_and_from_a_pickle(objective: Objective) -> None:
    class Holder(Specification):
        objective: AnyObjective

    text = json.dumps(objective.model_dump(mode="json", exclude_none=True))
    rebuilt = Holder.parse({"objective": json.loads(text)}).objective
    for same in (rebuilt, pickle.loads(pickle.dumps(objective))):
        assert same == objective
        assert hash(same) == hash(objective)
        assert same.constants == objective.constants


def test_the_registry_goes_by_name() -> None:
    for name, objective in OBJECTIVES.items():
        assert default(objective).name == name
        assert objective.__name__.lower() == name.replace("_", "")


def triangle(x: Any, y: Any) -> Any:
    """The default PolygonCycle from complex numbers: squared distance to three segments, or 0."""
    mu, top, lr, m = 1.0, 25.0, 1 / 9, 4 / 9
    w = np.exp(2j * np.pi * np.arange(3) / 3)
    gradients = ((1 + m) * w - m * np.roll(w, 1) - np.roll(w, -1)) / lr
    corners = (gradients - mu * w) / (top - mu)
    z = np.asarray(x) + 1j * np.asarray(y)
    squares, inside = [], np.full(z.shape, True)
    for a, b in zip(corners, np.roll(corners, -1), strict=True):
        part = (((z - a) * np.conj(b - a)).real / abs(b - a) ** 2).clip(0, 1)
        squares.append(abs(z - a - part * (b - a)) ** 2)
        inside &= ((z - a) * np.conj(b - a)).imag >= 0
    distance = np.where(inside, 0, np.min(squares, axis=0))
    return mu / 2 * abs(z) ** 2 + (top - mu) / 2 * (abs(z) ** 2 - distance)


PUBLISHED = {
    "rosenbrock": lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
    "quadratic": lambda x, y: (x**2 + 10 * y**2) / 2,
    "beale": lambda x, y: (
        (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2
    ),
    "booth": lambda x, y: (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2,
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "matyas": lambda x, y: 0.26 * (x**2 + y**2) - 0.48 * x * y,
    "three_hump_camel": lambda x, y: 2 * x**2 - 1.05 * x**4 + x**6 / 6 + x * y + y**2,
    "styblinski_tang": lambda x, y: (x**4 - 16 * x**2 + 5 * x) / 2 + (y**4 - 16 * y**2 + 5 * y) / 2,
    "goldstein_price": lambda x, y: (
        (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x**2 - 14 * y + 6 * x * y + 3 * y**2))
        * (30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x**2 + 48 * y - 36 * x * y + 27 * y**2))
    ),
    "rastrigin": lambda x, y: (
        20 + x**2 - 10 * np.cos(2 * np.pi * x) + y**2 - 10 * np.cos(2 * np.pi * y)
    ),
    "ackley": lambda x, y: (
        -20 * np.exp(-0.2 * np.sqrt(0.5 * (x**2 + y**2)))
        - np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)))
        + np.e
        + 20
    ),
    "levi13": lambda x, y: (
        np.sin(3 * np.pi * x) ** 2
        + (x - 1) ** 2 * (1 + np.sin(3 * np.pi * y) ** 2)
        + (y - 1) ** 2 * (1 + np.sin(2 * np.pi * y) ** 2)
    ),
    "saddle": lambda x, y: x**2 - y**2,
    "monkey_saddle": lambda x, y: x**3 - 3 * x * y**2,
    "heavy_ball_cycle": lambda x, y: (
        np.where(
            x < 1,
            12.5 * x**2,
            np.where(x < 2, x**2 / 2 + 24 * x - 12, 12.5 * x**2 - 24 * x + 36),
        )
        + y**2 / 2
    ),
    "polygon_cycle": triangle,
}


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name not in ("mse", "formula")])
def test_value_is_the_published_formula(name: str) -> None:
    objective = default(OBJECTIVES[name])
    x, y = random_points(objective, seed=8)
    assert_near(objective.value(x, y), PUBLISHED[name](x, y), 1e-13)


@pytest.mark.parametrize(
    ("name", "x", "y", "expected"),
    [
        ("rosenbrock", -1.2, 1.0, 24.2),
        ("beale", 3.0, 0.5, 0.0),
        ("beale", 0.0, 0.0, 14.203125),
        ("booth", 1.0, 3.0, 0.0),
        ("booth", 0.0, 0.0, 74.0),
        ("himmelblau", 3.0, 2.0, 0.0),
        ("himmelblau", -2.805118, 3.131312, 0.0),
        ("himmelblau", -3.779310, -3.283186, 0.0),
        ("himmelblau", 3.584428, -1.848126, 0.0),
        ("himmelblau", -0.270845, -0.923039, 181.6165),
        ("three_hump_camel", -1.7475, 0.8738, 0.298638),
        ("styblinski_tang", -2.903534, -2.903534, -78.332332),
        ("goldstein_price", 0.0, -1.0, 3.0),
        ("goldstein_price", -0.6, -0.4, 30.0),
        ("goldstein_price", 1.8, 0.2, 84.0),
        ("goldstein_price", 1.2, 0.8, 840.0),
        ("rastrigin", 0.5, 0.5, 40.5),
        ("ackley", 0.0, 0.0, 0.0),
        ("levi13", 1.0, 1.0, 0.0),
        ("levi13", 0.0, 0.0, 2.0),
    ],
)
def test_published_values(name: str, x: float, y: float, expected: float) -> None:
    assert default(OBJECTIVES[name]).value(x, y) == pytest.approx(expected, rel=2e-6, abs=1e-9)


def test_the_four_minimisers_of_himmelblau_are_apart() -> None:
    minimisers = Himmelblau().minimisers
    assert len(np.unique(minimisers.round(1), axis=0)) == 4


@pytest.mark.parametrize("objective", [GoldsteinPrice(), Ackley(), Levi13()], ids=str)
def test_the_minimum_is_met_exactly(objective: Objective) -> None:
    x, y = objective.minimisers[0]
    assert objective.value(x, y) == objective.f_min
    assert (objective.gradient(x, y) == 0.0).all()


def test_momentum_on_rosenbrock_ends_at_the_known_point() -> None:
    rosenbrock = Rosenbrock()
    x, y, vx, vy = -5.0, -5.0, 0.0, 0.0
    for _ in range(5000):
        gx, gy = rosenbrock.gradient_at(x, y, rosenbrock.constants)
        vx, vy = 0.9 * vx - 0.000015 * gx, 0.9 * vy - 0.000015 * gy
        x, y = x + vx, y + vy
    assert (x, y) == (0.9501902605527726, 0.9026561642182237)


def test_ackley_at_the_tip_of_its_cone() -> None:
    ackley = Ackley()
    tip = np.array([0.0, -0.0, 1e-200])
    assert np.array_equal(ackley.gradient(tip, 0.0)[:2], np.zeros((2, 2)))
    assert np.abs(ackley.gradient(tip, 0.0)).max() < 1e-190
    ripples = 2 * np.pi**2 * np.e
    assert ackley.hessian(tip, 0.0) == pytest.approx(np.array([np.eye(2) * ripples] * 3))
    assert ackley.gradient_at(0.0, 0.0, ()) == (0.0, 0.0)


def test_quadratic_takes_its_entries_in_order_or_by_name() -> None:
    assert Quadratic(1.0, 2.0, 3.0) == Quadratic(hyy=3.0, hxy=2.0, hxx=1.0)
    assert Quadratic(4.0) == Quadratic.parse({"hxx": 4.0})
    assert Quadratic(1.0, 2.0, 3.0).hessian(5.0, 6.0).tolist() == [[1.0, 2.0], [2.0, 3.0]]


@given(*[st.integers(-3, 3)] * 3)
def test_quadratic_is_bounded_where_no_eigenvalue_is_negative(hxx: int, hxy: int, hyy: int) -> None:
    objective = Quadratic(hxx, hxy, hyy)
    lowest = np.linalg.eigvalsh([[hxx, hxy], [hxy, hyy]])[0]
    assert objective.f_min == (0.0 if lowest > -1e-12 else None)
    assert objective.minimisers.tolist() == ([[0.0, 0.0]] if lowest > -1e-12 else [])


def test_quadratic_is_judged_without_rounding() -> None:
    assert Quadratic(0.1, 0.1, 0.1).f_min == 0.0
    assert Quadratic(0.1, 0.1, float(np.nextafter(0.1, 0))).f_min is None
    assert Quadratic(1e300, 0.0, 1e300).f_min == 0.0
    assert Quadratic(1e-300, 0.0, 1e-300).f_min == 0.0


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Rosenbrock(b=0.0), "b must be greater than 0: got 0.0"),
        (lambda: Rosenbrock(b=-1.0), "b must be greater than 0: got -1.0"),
        (lambda: Rosenbrock.parse({"c": 1.0}), "c: no such key; known are name, a, b"),
        (lambda: Quadratic(1.0, float("nan"), 1.0), "finite number: got nan"),
        (lambda: Quadratic(1.0, 0.0, "steep"), "hyy must be a number"),  # type: ignore[arg-type]
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, text: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert text in str(caught.value)
