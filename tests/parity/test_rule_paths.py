"""Adaptive rules and options go through the points of PyTorch and optax, in float64."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.reference import descend

STEPS, LR, M = 300, 1e-3, 0.9
START = (-1.2, 1.0)


def needs(name: str) -> Any:
    """Skip where a framework is not installed and need not be."""
    absent = find_spec(name) is None and not os.environ.get("EVERY_FRAMEWORK")
    return pytest.mark.skipif(absent, reason=f"{name} not installed; see make parity")


def of_torch(make: Callable[[Any, Any], Any]) -> np.ndarray:
    import torch

    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser, path = make(torch.optim, [w]), [START]
    for _ in range(STEPS):
        optimiser.zero_grad()
        ((1 - w[0]) ** 2 + 100 * (w[1] - w[0] ** 2) ** 2).backward()
        optimiser.step()
        path.append(tuple(w.detach().numpy().tolist()))
    return np.array(path)


def of_optax(make: Callable[[Any], Any]) -> np.ndarray:
    import jax
    import optax

    jax.config.update("jax_enable_x64", True)
    w = jax.numpy.array(START, dtype="float64")
    transform = make(optax)
    state, path = transform.init(w), [START]

    @jax.jit
    def step(w: Any, state: Any) -> Any:
        g = jax.grad(lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2)(w)
        updates, state = transform.update(g, state, w)
        return optax.apply_updates(w, updates), state

    for _ in range(STEPS):
        w, state = step(w, state)
        path.append(tuple(np.asarray(w).tolist()))
    return np.array(path)


def agree(path: np.ndarray, rule: dict[str, Any]) -> None:
    momentum = M if fm.RULES[rule["name"]].uses_momentum else 0.0
    ours = descend(fm.Rosenbrock(), fm.UpdateRule(**rule), LR, momentum, START, STEPS).trajectory
    assert np.abs(ours - path).max() <= 1e-12 * np.abs(ours).max()


TORCH: dict[str, tuple[dict[str, Any], Callable[[Any, Any], Any]]] = {
    "adam": ({"name": "adam"}, lambda o, w: o.Adam(w, LR)),
    "rmsprop": ({"name": "rmsprop"}, lambda o, w: o.RMSprop(w, LR, alpha=0.99, momentum=M)),
    "adagrad": ({"name": "adagrad"}, lambda o, w: o.Adagrad(w, LR)),
    "weight_decay": (
        {"name": "pytorch", "weight_decay": 0.1},
        lambda o, w: o.SGD(w, LR, momentum=M, weight_decay=0.1),
    ),
    "adam, weight_decay": (
        {"name": "adam", "weight_decay": 0.1},
        lambda o, w: o.Adam(w, LR, weight_decay=0.1),
    ),
    "adamw": (
        {"name": "adam", "decoupled_weight_decay": 0.1},
        lambda o, w: o.AdamW(w, LR, weight_decay=0.1),
    ),
}

OPTAX: dict[str, tuple[dict[str, Any], Callable[[Any], Any]]] = {
    "adam": ({"name": "adam"}, lambda o: o.adam(LR, b1=M)),
    "nadam": ({"name": "nadam"}, lambda o: o.nadam(LR, b1=M)),
    "lion": ({"name": "lion"}, lambda o: o.lion(LR, b1=M, b2=0.99, weight_decay=0.0)),
    "adamw": (
        {"name": "adam", "decoupled_weight_decay": 0.1},
        lambda o: o.adamw(LR, b1=M, weight_decay=0.1),
    ),
    "clip": (
        {"name": "pytorch", "clip": 1.0},
        lambda o: o.chain(o.clip_by_global_norm(1.0), o.sgd(LR, momentum=M)),
    ),
}


@needs("torch")
@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str) -> None:
    rule, make = TORCH[name]
    agree(of_torch(make), rule)


@needs("optax")
@pytest.mark.parametrize("name", OPTAX)
def test_optax(name: str) -> None:
    rule, make = OPTAX[name]
    agree(of_optax(make), rule)
