"""The same runs the way others would make them. JAX is optional."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import fastmomentum as fm
from fastmomentum.reference import Momentum

UPDATES = 40_000_000
"""Updates of a measurement, about."""


def has_jax() -> bool:
    """Whether JAX can be compared with."""
    try:
        return importlib.util.find_spec("jax") is not None
    except ValueError:  # it is switched off
        return False


def numpy_batch(size: int) -> Callable[[], float]:
    """NumPy over a batch of runs, every operation in place; gives 10^6 updates a second."""
    steps = max(10, UPDATES // 4 // size)
    lr, momentum = np.geomspace(1e-6, 1e-4, size), np.full(size, 0.9)

    def rate() -> float:
        x, y = np.full(size, -1.2), np.full(size, 1.0)
        vx, vy = np.zeros(size), np.zeros(size)
        d, g, e = np.empty(size), np.empty(size), np.empty(size)
        begun = time.perf_counter()
        for _ in range(steps):
            np.multiply(x, x, out=d)
            np.subtract(y, d, out=d)
            np.subtract(x, 1.0, out=g)
            np.multiply(g, 2.0, out=g)
            np.multiply(x, 400.0, out=e)
            np.multiply(e, d, out=e)
            np.subtract(g, e, out=g)
            np.multiply(g, lr, out=g)
            np.multiply(vx, momentum, out=vx)
            np.subtract(vx, g, out=vx)
            np.add(x, vx, out=x)
            np.multiply(d, 200.0, out=d)
            np.multiply(d, lr, out=d)
            np.multiply(vy, momentum, out=vy)
            np.subtract(vy, d, out=vy)
            np.add(y, vy, out=y)
        return size * steps / (time.perf_counter() - begun) / 1e6

    return rate


def founding_loop() -> Callable[[], float]:
    """One run after another through `Momentum.update`; gives 10^6 updates a second."""
    objective, steps = fm.Rosenbrock(), 20_000

    def rate() -> float:
        begun = time.perf_counter()
        for lr in (1e-6, 1e-5, 1e-4):
            params = {"x": np.float64(-1.2), "y": np.float64(1.0)}
            optimiser = Momentum(lr, 0.9)
            for _ in range(steps):
                gx, gy = objective.gradient_at(params["x"], params["y"], objective.constants)
                optimiser.update(params, {"x": gx, "y": gy})
        return 3 * steps / (time.perf_counter() - begun) / 1e6

    return rate


def _jax() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def _step(state: Any, lr: Any, momentum: Any) -> Any:
    x, y, vx, vy = state
    d = y - x * x
    vx = momentum * vx - lr * (2.0 * (x - 1.0) - 400.0 * x * d)
    vy = momentum * vy - lr * (200.0 * d)
    return x + vx, y + vy, vx, vy


def jax_fixed(size: int) -> Callable[[], float]:
    """JAX's `vmap` over a `fori_loop`; gives 10^6 updates a second."""
    jax = _jax()
    steps = max(100, UPDATES // size)

    def one(lr: Any, momentum: Any) -> Any:
        begin = (-1.2, 1.0, 0.0, 0.0)
        return jax.lax.fori_loop(0, steps, lambda _, state: _step(state, lr, momentum), begin)

    batch = jax.jit(jax.vmap(one))
    lr, momentum = np.geomspace(1e-6, 1e-4, size), np.full(size, 0.9)

    def rate() -> float:
        begun = time.perf_counter()
        jax.block_until_ready(batch(lr, momentum))
        return size * steps / (time.perf_counter() - begun) / 1e6

    return rate


def jax_diagram(experiment: fm.Experiment, size: int) -> Callable[[], float]:
    """JAX's `lax.map` over vmapped `while_loop`s with the same stop rules; gives seconds."""
    jax = _jax()
    jnp = jax.numpy
    target, bound, steps = experiment.stop.targets[-1], experiment.stop.bound, experiment.steps

    def loss(state: Any) -> Any:
        x, y, _, _ = state
        d = y - x * x
        return (x - 1.0) * (x - 1.0) + 100.0 * (d * d)

    def one(settings: Any) -> Any:
        lr, momentum = settings

        def walks(carry: Any) -> Any:
            t, state = carry
            f = loss(state)
            return (t < steps) & (f > target) & (f <= bound)

        def walk(carry: Any) -> Any:
            t, state = carry
            return t + 1, _step(state, lr, momentum)

        t, state = jax.lax.while_loop(walks, walk, (0, (-1.2, 1.0, 0.0, 0.0)))
        return t, state[0], state[1], loss(state)

    whole = jax.jit(lambda settings: jax.lax.map(one, settings, batch_size=size))
    lr, momentum = np.meshgrid(experiment.grid.lr.points, experiment.grid.momenta, indexing="ij")
    settings = jnp.asarray(lr.ravel()), jnp.asarray(momentum.ravel())

    def took() -> float:
        begun = time.perf_counter()
        jax.block_until_ready(whole(settings))
        return time.perf_counter() - begun

    return took
