"""What makes no sense to the theory of second moments gets a line, and never a number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fastmomentum import theory
from fastmomentum.errors import InputError

ONE, NOISE = [[2.0, 0.0], [0.0, 1.0]], [[0.1, 0.0], [0.0, 0.1]]
ROWS, PULLS = [[[1.0, 0.0], [0.0, 1.0]]] * 2, [[0.5, 0.0], [-0.5, 0.0]]


def stationary(**given: Any) -> Any:
    usual = {"lr": 0.1, "momentum": 0.5, "hessian": ONE, "noise_covariance": NOISE}
    return theory.stationary_covariance("momentum", **usual | given)


def loss(**given: Any) -> Any:
    usual = {"lr": 0.1, "momentum": 0.5, "hessian": ONE, "noise_covariance": NOISE}
    return theory.expected_loss("momentum", **usual | {"start": (1.0, 1.0), "steps": 3} | given)


def covariance(**given: Any) -> Any:
    return theory.minibatch_covariance(**{"row_gradients": PULLS, "size": 1} | given)


def radius(**given: Any) -> Any:
    usual = {"lr": 0.1, "momentum": 0.5, "row_hessians": ROWS, "size": 1}
    return theory.mean_square_radius("momentum", **usual | given)


def limit(**given: Any) -> Any:
    usual = {"momentum": 0.5, "row_hessians": ROWS, "size": 1}
    return theory.mean_square_limit("momentum", **usual | given)


BATCHED = {"lr": 0.1, "momentum": 0.5, "row_hessians": ROWS, "row_gradients": PULLS, "size": 1}


def settled(**given: Any) -> Any:
    return theory.batch_stationary_covariance("momentum", **BATCHED | given)


def curve(**given: Any) -> Any:
    usual = BATCHED | {"start": (1.0, 1.0), "steps": 3}
    return theory.batch_expected_loss("momentum", **usual | given)


NUMBERS = {
    "lr": (stationary, loss, radius, settled, curve),
    "momentum": (stationary, loss, radius, limit, settled, curve),
    "hessian": (stationary, loss),
    "noise_covariance": (stationary, loss, settled, curve),
    "start": (loss, curve),
    "row_gradients": (covariance, settled, curve),
    "row_hessians": (radius, limit, settled, curve),
    "size": (covariance, radius, limit, settled, curve),
    "steps": (loss, curve),
}
CALLS = [(name, call) for name, calls in NUMBERS.items() for call in calls]
NO_NUMBERS = [
    np.nan,
    np.inf,
    True,
    "0.1",
    1j,
    None,
    np.ma.masked,
    np.ma.masked_equal([1.0, 2.0], 2.0),
    [[1.0, np.nan], [np.nan, 1.0]],
    [[1.0, 1j], [-1j, 1.0]],
]


@pytest.mark.parametrize("bad", NO_NUMBERS, ids=str)
@pytest.mark.parametrize(("name", "call"), CALLS, ids=lambda each: getattr(each, "__name__", each))
def test_what_are_no_numbers(name: str, call: Callable[..., Any], bad: Any) -> None:
    if bad is None and name == "noise_covariance" and call in (settled, curve):
        assert np.isfinite(call(noise_covariance=None)).all()  # there it may be left out
        return
    with pytest.raises(InputError, match=rf"^{name} must be .*: got "):
        call(**{name: bad})


SQUARE = r"must be a square matrix: got the shape"
SHAPES: list[tuple[Callable[..., Any], dict[str, Any], str]] = [
    (stationary, {"noise_covariance": -np.eye(2)}, "noise_covariance must be a covariance, whose "
     "eigenvalues are at least 0: got one of -1"),
    (loss, {"noise_covariance": [[1.0, 2.0], [2.0, 1.0]]}, "at least 0: got one of -1"),
    (settled, {"noise_covariance": -np.eye(2)}, "at least 0: got one of -1"),
    (curve, {"noise_covariance": -np.eye(2)}, "at least 0: got one of -1"),
    (stationary, {"hessian": [[1.0, 2.0], [0.0, 1.0]]}, "hessian must be symmetric: got"),
    (stationary, {"hessian": [1.0, 2.0]}, rf"hessian {SQUARE} \(2,\)"),
    (stationary, {"hessian": np.empty((0, 0))}, rf"hessian {SQUARE} \(0, 0\)"),
    (loss, {"noise_covariance": [[1.0]]}, r"must have the shape of the hessian, \(2, 2\): got"),
    (settled, {"noise_covariance": [[1.0]]}, r"noise_covariance must have the shape of .*\(2, 2\)"),
    (stationary, {"lr": [0.1, 0.2], "momentum": [0.1, 0.2, 0.3]}, r"lr, momentum must have shapes "
     r"that broadcast: got lr \(2,\), momentum \(3,\)"),
    (curve, {"lr": [0.1, 0.2], "momentum": [0.1, 0.2, 0.3]}, "must have shapes that broadcast"),
    (loss, {"steps": -1}, "steps must be at least 0: got -1"),
    (loss, {"steps": 2.5}, "steps must be a whole number: got 2.5"),
    (curve, {"steps": -1}, "steps must be at least 0: got -1"),
    (curve, {"steps": 2.5}, "steps must be a whole number: got 2.5"),
    (loss, {"start": [1.0, 2.0, 3.0]}, r"start must have the shape \(2,\): got \(3,\)"),
    (curve, {"start": 1.0}, r"start must have the shape \(2,\): got \(\)"),
    *((call, {"size": 1.5}, "size must be a whole number: got 1.5") for call in NUMBERS["size"]),
    *((call, {"size": 0}, "size must be positive: got 0") for call in NUMBERS["size"]),
    (covariance, {"size": 3, "replacement": False}, "size must be from 1 to the 2 rows: got 3"),
    (covariance, {"replacement": "no"}, "replacement must be True or False: got 'no'"),
    (covariance, {"row_gradients": [1.0, 2.0]}, r"row_gradients must have the shape \(n, d\).*: "
     r"got \(2,\)"),
    (covariance, {"row_gradients": np.empty((0, 2))}, r"of one row at least: got \(0, 2\)"),
    *((call, {"row_hessians": ONE}, r"row_hessians must have the shape \(n, d, d\), of one row at "
       r"least: got \(2, 2\)") for call in NUMBERS["row_hessians"]),
    (radius, {"row_hessians": np.empty((0, 2, 2))}, r"of one row at least: got \(0, 2, 2\)"),
    (limit, {"row_hessians": np.ones((3, 2, 1))}, r"\(n, d, d\), of one row at least: got \(3, 2"),
    (radius, {"row_hessians": [ONE, [[1.0, 2.0], [0.0, 1.0]]]}, r"row_hessians must be symmetric: "
     r"got .* \(entry 1\)"),
    (settled, {"row_gradients": [[0.5, 0.0]] * 3}, r"row_gradients must have the shape \(2, 2\), "
     r"one gradient for each of row_hessians: got \(3, 2\)"),
    (curve, {"row_gradients": [[0.5], [0.5]]}, r"row_gradients must have the shape \(2, 2\)"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "given", "line"), SHAPES)
def test_what_does_not_go_together(call: Callable[..., Any], given: Any, line: str) -> None:
    with pytest.raises(InputError, match=line):
        call(**given)


def test_the_rest_of_theory_says_which_shapes_do_not_go_together() -> None:
    line = r"lr \(2,\), momentum \(3,\), eigenvalue \(\)"
    with pytest.raises(InputError, match=line):
        theory.spectral_radius("momentum", [0.1, 0.2], [0.1, 0.2, 0.3], 1.0)
    for name in ("start", "minimiser", "velocity"):
        with pytest.raises(InputError, match=rf"{name} must have the shape \(2,\): got \(3,\)"):
            theory.iterate("sgd", 0.1, 0.0, ONE, **{"start": (1, 1), "step": 3, name: (1, 1, 1)})


def test_what_makes_sense_is_taken() -> None:
    """A covariance of rank one, a whole number written as 1e0, integers."""
    flat = np.outer([1.0, 3.0], [1.0, 3.0])
    assert np.isfinite(stationary(noise_covariance=flat)).all()
    assert np.isfinite(stationary(noise_covariance=0 * flat)).all()
    assert radius(size=1e0) == radius(size=1)
    assert curve(lr=1, steps=0).tolist() == [1.0]
    assert np.isfinite(settled(row_gradients=[[1, 0], [-1, 0]])).all()
