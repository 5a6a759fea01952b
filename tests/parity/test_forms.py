"""The further forms of momentum, as PyTorch and optax have them, with their own gradients."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm

STEPS = 400
START = (-1.2, 1.0)
VALLEY = fm.Rosenbrock()


def needs(*names: str) -> Any:
    """Skip where a framework is not installed and need not be."""
    missing = [name for name in names if find_spec(name) is None]
    required = bool(os.environ.get("EVERY_FRAMEWORK"))
    reason = f"{', '.join(missing)} not installed; see make parity"
    return pytest.mark.skipif(bool(missing) and not required, reason=reason)


def ours(rule: fm.UpdateRule, lr: float, momentum: float) -> np.ndarray:
    """The kernel's path, shape (steps + 1, 2)."""
    plan = fm.Experiment(
        objective=VALLEY,
        rule=rule,
        steps=STEPS,
        grid=fm.Grid(lr=lr, momentum=momentum, start=[START]),
        record=fm.Record(every=1),
    )
    path: np.ndarray = fm.run(plan, n_jobs=1).trajectory.values.reshape(-1, 2)
    assert np.ptp(path, axis=0).max() > 0.1
    return path


def agree(walked: np.ndarray, path: np.ndarray) -> None:
    assert np.abs(walked - path).max() <= 1e-12 * np.abs(path).max()


@needs("torch")
@pytest.mark.parametrize("dampening", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("momentum", [0.0, 0.3, 0.9])
def test_pytorch_dampens_all_but_the_first_gradient(momentum: float, dampening: float) -> None:
    import torch

    lr = 2e-4
    point = [torch.tensor(w, dtype=torch.float64, requires_grad=True) for w in START]
    walker = torch.optim.SGD(point, lr=lr, momentum=momentum, dampening=dampening)
    walked = [START]
    for _ in range(STEPS):
        walker.zero_grad()
        VALLEY.value_at(*point, VALLEY.constants).backward()
        walker.step()
        walked.append(tuple(w.item() for w in point))
    rule = fm.UpdateRule(name="pytorch", dampening=dampening)
    agree(np.array(walked), ours(rule, lr, momentum))


@needs("jax", "optax")
@pytest.mark.parametrize("momentum", [0.3, 0.9])
def test_optax_averages_gradients(momentum: float) -> None:
    import jax
    import optax

    lr = 1e-3
    with jax.enable_x64(True):
        walker = optax.chain(optax.ema(momentum, debias=False), optax.scale(-lr))
        slope = jax.grad(lambda point: VALLEY.value_at(*point, VALLEY.constants))

        def step(carry: Any, _: None) -> Any:
            point, state = carry
            updates, state = walker.update(slope(point), state, point)
            point = optax.apply_updates(point, updates)
            return (point, state), point

        first = tuple(jax.numpy.asarray(w, "float64") for w in START)
        begun = first, walker.init(first)
        _, walked = jax.jit(lambda carry: jax.lax.scan(step, carry, None, STEPS))(begun)
    path = np.concatenate([[START], np.array(walked).T])
    agree(path, ours(fm.UpdateRule(name="ema"), lr, momentum))
