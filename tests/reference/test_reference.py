"""The slow and obvious optimisers, on their own."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import InputError
from fastmomentum.reference import (
    EMA,
    QHM,
    SGD,
    AdaGrad,
    Adam,
    Lion,
    Momentum,
    NAdam,
    Nesterov,
    PyTorch,
    RMSProp,
    Sutskever,
    descend,
    learn_line,
    optimiser,
)

CLASSES = [SGD, Momentum, Nesterov, Sutskever, PyTorch, EMA]


def test_constructor_arguments_and_defaults() -> None:
    assert str(inspect.signature(SGD)) == "(lr: 'float' = 0.01) -> 'None'"
    for momentum in (Momentum, Nesterov):
        signature = "(lr: 'float' = 0.01, momentum: 'float' = 0.9) -> 'None'"
        assert str(inspect.signature(momentum)) == signature
        assert (momentum().lr, momentum().momentum, momentum().v) == (0.01, 0.9, None)
        assert (momentum(0.5, 0.25).lr, momentum(0.5, 0.25).momentum) == (0.5, 0.25)
        assert momentum(momentum=0.5, lr=2.0).lr == 2.0
    assert SGD().lr == 0.01
    assert SGD(0.5).lr == SGD(lr=0.5).lr == 0.5


def test_each_rule_by_hand() -> None:
    # lr 0.25 and momentum 0.5, from w = 1 and v = 0, gradients 2 and 4.
    paths = {
        SGD: [0.5, -0.5],  # 1 - 0.25*2, then - 0.25*4
        Momentum: [0.5, -0.75],  # v = -0.5, then -0.25 - 1
        Nesterov: [0.25, -1.375],  # w + v/2 - lr*g: 1 - 0.25 - 0.5, then - 0.625 - 1
        Sutskever: [0.5, -0.75],  # as Momentum: the gradients are given
        PyTorch: [0.5, -0.5],  # v = 2, then 1 + (1 - 0.25)*4 = 4
        EMA: [0.75, 0.125],  # v = 1, then 0.5 + 2
    }
    for kind, path in paths.items():
        settings = {SGD: (0.25,), PyTorch: (0.25, 0.5, 0.25)}.get(kind, (0.25, 0.5))
        walker = kind(*settings)
        params = {"w": 1.0}
        for gradient, wanted in zip((2.0, 4.0), path, strict=True):
            walker.update(params, {"w": gradient})
            assert params["w"] == wanted


@pytest.mark.parametrize("kind", CLASSES)
def test_floats_stay_floats_and_arrays_are_updated_in_place(kind: Any) -> None:
    array, matrix = np.array([1.0, 2.0]), np.ones((2, 3), np.float32)
    params = {"float": 1.0, "int": 1, "array": array, "matrix": matrix}
    gradients = {"float": 2.0, "int": 2, "array": np.array([2.0, 4.0]), "matrix": matrix * 2}
    untouched = copy.deepcopy(gradients)
    walker = kind()
    for _ in range(3):
        walker.update(params, gradients)
    assert params["array"] is array
    assert params["matrix"] is matrix
    assert matrix.dtype == np.float32
    assert type(params["float"]) is type(params["int"]) is float
    # Each entry walks as if it were alone.
    assert params["float"] == params["int"] == array[0]
    np.testing.assert_allclose(matrix, array[0], rtol=1e-6)
    for key, gradient in untouched.items():
        np.testing.assert_array_equal(gradients[key], gradient)


@pytest.mark.parametrize("kind", [Momentum, Nesterov])
def test_velocities_start_at_zero_each_by_its_key(kind: Any) -> None:
    walker = kind(lr=0.5, momentum=0.5)
    params = {"a": 0.0, "b": np.zeros(2)}
    walker.update(params, {"a": 1.0, "b": np.array([2.0, 4.0])})
    assert set(walker.v) == {"a", "b"}
    assert walker.v["a"] == -0.5
    assert walker.v["b"].tolist() == [-1.0, -2.0]
    assert walker.v["b"] is not params["b"]


@pytest.mark.parametrize("kind", CLASSES[1:])
def test_without_momentum_it_is_plain_descent(kind: Any) -> None:
    sgd, other = {"w": 1.0}, {"w": 1.0}
    plain, walker = SGD(0.1), kind(0.1, 0.0)
    for _ in range(20):
        plain.update(sgd, {"w": sgd["w"] ** 3})
        walker.update(other, {"w": walker.gradient_point(other)["w"] ** 3})
    assert sgd == other


def test_an_optimiser_for_each_rule_of_the_registry() -> None:
    kinds = {name: type(optimiser(name, 0.1, 0.9)) for name in fm.RULES}
    assert kinds == {
        "sgd": SGD,
        "momentum": Momentum,
        "nesterov": Nesterov,
        "sutskever": Sutskever,
        "pytorch": PyTorch,
        "ema": EMA,
        "qhm": QHM,
        "adam": Adam,
        "nadam": NAdam,
        "rmsprop": RMSProp,
        "adagrad": AdaGrad,
        "lion": Lion,
    }


@pytest.mark.parametrize("rule", fm.RULES)
def test_the_classes_do_what_the_rules_say(rule: str) -> None:
    found = fm.UpdateRule(name=rule, dampening=0.3 if rule == "pytorch" else None)
    walker, params = optimiser(found, 0.03, 0.8, {"w": 0.25}), {"w": 1.5}
    one, shared = found.rule, found.rule.shared
    w, states = 1.5, (0.25 * one.uses_momentum, 0.0)[: len(one.states)]
    for t in range(50):
        at = one.gradient_point(w, states, 0.8)
        assert walker.gradient_point(params)["w"] == at
        gradient = np.cos(at) * at
        shared = one.advance(shared, 0.8, found.parameters)
        w, states = one.update(w, states, gradient, 0.03, 0.8, found.parameters, shared, float(t))
        walker.update(params, {"w": gradient})
        assert params["w"] == w


def test_descend_takes_many_settings_at_once() -> None:
    lr, momentum = np.array([[1e-4], [1e-3]]), np.array([0.0, 0.5, 0.9])
    together = descend(fm.Rosenbrock(), "momentum", lr, momentum, (-1.2, 1.0), 40, [1.0], 1e3)
    assert together.trajectory.shape == (2, 3, 41, 2)
    for i, j in np.ndindex(2, 3):
        alone = descend(
            fm.Rosenbrock(), "momentum", lr[i, 0], momentum[j], (-1.2, 1.0), 40, [1.0], 1e3
        )
        for name in ("trajectory", "status", "n_steps", "hit_step", "final", "final_loss"):
            one, other = getattr(alone, name), getattr(together, name)[i, j]
            np.testing.assert_array_equal(one, other, name)


def test_a_line_is_learned_to_before_the_last_update() -> None:
    x, y = np.array([0.0, 1.0, 3.0]), np.array([1.0, 2.0, 7.0])
    params, walker = {"a": -20.0, "b": -20.0}, Momentum(lr=0.01)
    seen = []
    for _ in range(7):
        seen.append((params["a"], params["b"]))
        residuals = [v - (params["a"] * u + params["b"]) for u, v in zip(x, y, strict=True)]
        da = sum(-r * u for r, u in zip(residuals, x, strict=True))
        walker.update(params, {"a": da, "b": sum(-r for r in residuals)})
    for steps in (1, 2, 7):
        a, b = learn_line(x, y, Momentum(lr=0.01), steps)
        assert (float(a), float(b)) == pytest.approx(seen[steps - 1], rel=1e-14)


def test_lines_are_learned_side_by_side() -> None:
    x, y = np.random.default_rng(1).normal(size=(2, 4, 3, 10))
    a, b = learn_line(x, y, Nesterov(lr=0.01), 20, start=(1, -1))
    assert a.shape == b.shape == (4, 3)
    for place in np.ndindex(4, 3):
        alone = learn_line(x[place], y[place], Nesterov(lr=0.01), 20, start=(1, -1))
        np.testing.assert_allclose(alone, (a[place], b[place]), rtol=1e-12)


def test_a_line_cannot_be_learned_without_steps() -> None:
    with pytest.raises(InputError, match="steps must be at least 1: got 0"):
        learn_line([0.0, 1.0], [0.0, 1.0], SGD(), 0)
