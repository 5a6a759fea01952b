"""Schedules give the figures of torch.optim.lr_scheduler and of optax, in float64."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from fastmomentum.schedules import Schedule

STEPS = 5000
BASE = 0.1
"""The learning rate that torch's schedulers multiply; it has nothing to do with ours."""


def needs(*names: str) -> Any:
    """Skip where a framework is not installed and need not be."""
    missing = [name for name in names if find_spec(name) is None]
    required = bool(os.environ.get("EVERY_FRAMEWORK"))
    reason = f"{', '.join(missing)} not installed; see make parity"
    return pytest.mark.skipif(bool(missing) and not required, reason=reason)


def factors(lr: Any) -> np.ndarray:
    found: np.ndarray | None = Schedule(lr=lr).lr_factors(0, STEPS)
    assert found is not None
    return found


def momenta(momentum: Any) -> np.ndarray:
    found: np.ndarray | None = Schedule(momentum=momentum).momenta(0, STEPS)
    assert found is not None
    return found


def of_torch(scheduler: Callable[[Any, Any], Any], key: str = "lr") -> np.ndarray:
    """What a scheduler of torch sets before each of the updates."""
    import torch

    optimiser = torch.optim.SGD([torch.zeros(1, dtype=torch.float64)], lr=BASE, momentum=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sequences call their members in a way that torch resents
        steps = scheduler(torch.optim.lr_scheduler, optimiser)
        values = []
        for _ in range(STEPS):
            values.append(optimiser.param_groups[0][key])
            optimiser.step()
            steps.step()
    return np.array(values, np.float64)


TORCH: dict[str, tuple[Any, Callable[[Any, Any], Any]]] = {
    "step": (
        {"kind": "step", "factor": 0.7, "every": 300},
        lambda torch, o: torch.StepLR(o, 300, 0.7),
    ),
    "multistep": (
        {"kind": "multistep", "factor": 0.3, "at": [1, 700, 3000]},
        lambda torch, o: torch.MultiStepLR(o, [1, 700, 3000], 0.3),
    ),
    "exponential": (
        {"kind": "exponential", "factor": 0.999},
        lambda torch, o: torch.ExponentialLR(o, 0.999),
    ),
    "inverse": (
        {"kind": "inverse", "rate": 0.01, "power": 0.75},
        lambda torch, o: torch.LambdaLR(o, lambda t: (1 + 0.01 * t) ** -0.75),
    ),
    "linear": (
        {"kind": "linear", "first": 0.25, "last": 1.0, "steps": 1000},
        lambda torch, o: torch.LinearLR(o, 0.25, 1.0, 1000),
    ),
    "cosine": (
        [{"kind": "cosine", "steps": 4000, "final": 0.01}],
        lambda torch, o: torch.SequentialLR(
            o,
            [
                torch.CosineAnnealingLR(o, 4000, BASE * 0.01),
                torch.ConstantLR(o, 0.01, 10**9),
            ],
            [4000],
        ),
    ),
    "cosine_restarts": (
        {"kind": "cosine_restarts", "steps": 300, "growth": 2, "final": 0.1},
        lambda torch, o: torch.CosineAnnealingWarmRestarts(o, 300, 2, BASE * 0.1),
    ),
    "cosine_restarts, equal": (
        {"kind": "cosine_restarts", "steps": 300},
        lambda torch, o: torch.CosineAnnealingWarmRestarts(o, 300),
    ),
    "warm-up": (
        [
            {"kind": "linear", "first": 0.1, "last": 1.0, "steps": 500},
            {"kind": "step", "factor": 0.5, "every": 1000},
        ],
        lambda torch, o: torch.SequentialLR(
            o, [torch.LinearLR(o, 0.1, 1.0, 500), torch.StepLR(o, 1000, 0.5)], [500]
        ),
    ),
}
"""By name: ours, and torch's over an optimiser."""


@needs("torch")
@pytest.mark.parametrize("name", TORCH)
def test_torch(name: str) -> None:
    ours, theirs = TORCH[name]
    # Most of torch's multiply the last value at each step, so rounding adds up over 5,000 of them.
    np.testing.assert_allclose(factors(ours), of_torch(theirs) / BASE, rtol=1e-10, atol=1e-12)


@needs("torch")
def test_torch_cycles_the_momentum() -> None:
    # Torch's cycle is one update shorter, and its turn lies between two updates; where our turn is
    # a whole number of updates, theirs is asked for one more.
    steps, peak = 4000, 0.25
    theirs = of_torch(
        lambda torch, o: torch.OneCycleLR(
            o, max_lr=1.0, total_steps=STEPS + 1, pct_start=(peak * steps + 1) / (STEPS + 1)
        ),
        "momentum",
    )
    ours = momenta(
        {"kind": "one_cycle", "steps": STEPS, "peak": peak * steps / STEPS, "high": 0.95}
    )
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.fixture
def optax() -> Iterator[Any]:
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    import optax

    yield optax
    jax.config.update("jax_enable_x64", before)


OPTAX: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "step": (
        {"kind": "step", "factor": 0.7, "every": 300},
        lambda optax: optax.exponential_decay(1.0, 300, 0.7, staircase=True),
    ),
    "exponential": (
        {"kind": "exponential", "factor": 0.7, "every": 300},
        lambda optax: optax.exponential_decay(1.0, 300, 0.7),
    ),
    "multistep": (
        {"kind": "multistep", "factor": 0.3, "at": [1, 700, 3000]},
        lambda optax: optax.piecewise_constant_schedule(1.0, {1: 0.3, 700: 0.3, 3000: 0.3}),
    ),
    "linear": (
        {"kind": "linear", "first": 0.25, "last": 1.0, "steps": 1000},
        lambda optax: optax.linear_schedule(0.25, 1.0, 1000),
    ),
    "cosine": (
        {"kind": "cosine", "steps": 4000, "final": 0.01},
        lambda optax: optax.cosine_decay_schedule(1.0, 4000, 0.01),
    ),
    "piecewise": (
        {"kind": "piecewise", "at": [100, 3000], "factors": [0.5, 0.125]},
        lambda optax: optax.piecewise_constant_schedule(1.0, {100: 0.5, 3000: 0.25}),
    ),
    "one_cycle": (
        {"kind": "one_cycle", "steps": 4000},
        lambda optax: optax.cosine_onecycle_schedule(4000, 1.0),
    ),
    "one_cycle, turned early": (
        {"kind": "one_cycle", "steps": 4000, "peak": 0.11, "first": 0.2, "last": 0.002},
        lambda optax: optax.cosine_onecycle_schedule(4000, 1.0, 0.11, 5.0, 100.0),
    ),
    "warm-up": (
        [
            {"kind": "linear", "first": 0.1, "last": 1.0, "steps": 500},
            {"kind": "cosine", "steps": 3500, "final": 0.05},
        ],
        lambda optax: optax.warmup_cosine_decay_schedule(0.1, 1.0, 500, 4000, 0.05),
    ),
}
"""By name: ours, and optax's."""


@needs("jax", "optax")
@pytest.mark.parametrize("name", OPTAX)
def test_optax(name: str, optax: Any) -> None:
    import jax

    ours, make = OPTAX[name]
    theirs = jax.vmap(make(optax))(np.arange(STEPS))
    assert theirs.dtype == np.float64
    np.testing.assert_allclose(factors(ours), np.asarray(theirs), rtol=1e-12, atol=1e-15)


@needs("jax", "optax")
def test_optax_goes_in_a_line(optax: Any) -> None:
    import jax

    theirs = jax.vmap(optax.linear_schedule(0.5, 0.9, 1000))(np.arange(STEPS))
    ours = momenta({"kind": "linear", "first": 0.5, "last": 0.9, "steps": 1000})
    np.testing.assert_allclose(ours, np.asarray(theirs), rtol=1e-13)
