"""The rules as other frameworks walk them: their optimisers, with gradients of their own making.

With constant lr and momentum all of them, from w and an accumulator of zeros, walk one path; they
differ in what they keep and in how they round. g is the gradient at w, v ours:

=====================  ======================  ======================  =========================
framework              keeps                   heavy ball              Nesterov
=====================  ======================  ======================  =========================
fastmomentum, Keras    v' = m*v - lr*g         w' = w + v'             w' = w + m*v' - lr*g
TensorFlow 1           a' = m*a + g            w' = w - lr*a'          w' = w - (lr*g + m*lr*a')
PyTorch                a' = m*a + g, a1 = g1   w' = w - lr*a'          w' = w - lr*(g + m*a')
optax                  a' = g + m*a            w' = w - lr*a'          w' = w - lr*(g + m*a')
=====================  ======================  ======================  =========================

Put v = -lr*a: then v' = -lr*a' = m*v - lr*g, and each entry of a column becomes the first.
PyTorch's first accumulator, a1 = g1, is m*0 + g1. So what is measured is rounding alone; were lr to
change on the way, v = -lr*a would no longer hold and the paths would part.

The gradients are the frameworks' own, by automatic differentiation of the loss: for mse of the mean
over the points as the document wrote it, otherwise of the objective's value.

Two traps for float64, both avoided here, either of which costs eight digits. TensorFlow turns a
Python float into float32 before it is cast to the variables' float64, and so TensorFlow 1 does with
lr and momentum, Keras on TensorFlow with momentum: give them `np.float64`. Keras keeps lr in
``keras.config.floatx()``, which is float32 unless set.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from _problems import Cell, Paths

from fastmomentum.reference import optimiser


def walk_numpy(cells: Sequence[Cell], rule: str, steps: int, precision: str) -> Paths:
    """Walk with the reference classes, the gradient of mse summed over the points."""
    dtype = np.dtype(precision).type
    paths = np.empty((len(cells), steps + 1, 2))
    for path, cell in zip(paths, cells, strict=True):
        walker = optimiser(rule, cell.lr, cell.momentum)
        params = {"x": dtype(cell.start[0]), "y": dtype(cell.start[1])}
        data = cell.objective.observations()
        path[0] = params["x"], params["y"]
        for t in range(1, steps + 1):
            x, y = params["x"], params["y"]
            if data is None:
                gx, gy = cell.objective.gradient_at(x, y, cell.objective.constants)
            else:
                xs, ys = data[0].astype(dtype), data[1].astype(dtype)
                residual = x * xs + y - ys
                gx, gy = 2 * np.mean(residual * xs), 2 * np.mean(residual)
            walker.update(params, {"x": gx, "y": gy})
            path[t] = params["x"], params["y"]
    return paths


def _quiet() -> None:
    """Keep TensorFlow from telling about the machine; what it tells is of no use here."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def walk_tensorflow1(cells: Sequence[Cell], rule: str, steps: int, precision: str) -> Paths:
    """Walk with `tf.compat.v1.train.MomentumOptimizer`: a graph, and a session that runs it.

    The gate holds the first update back until all derivatives are taken; without, they may race.
    """
    _quiet()
    import tensorflow as tf

    v1 = tf.compat.v1
    points, updates = [], []
    with tf.Graph().as_default(), v1.Session() as session:
        for cell in cells:
            x, y = (v1.Variable(w, dtype=precision) for w in cell.start)
            walker = v1.train.MomentumOptimizer(
                np.float64(cell.lr), np.float64(cell.momentum), use_nesterov=rule == "nesterov"
            )
            loss = cell.loss(x, y, lambda data: tf.constant(data, precision), tf.reduce_mean)
            points.append((x, y))
            updates.append(walker.minimize(loss, gate_gradients=v1.train.Optimizer.GATE_GRAPH))
        update = tf.group(updates)
        session.run(v1.global_variables_initializer())
        walked = [session.run(points)]
        for _ in range(steps):
            session.run(update)
            walked.append(session.run(points))
    return np.array(walked, float).swapaxes(0, 1)


def walk_keras(cells: Sequence[Cell], rule: str, steps: int, precision: str) -> Paths:
    """Walk with `keras.optimizers.SGD` on TensorFlow, compiled.

    Gradients and update are functions of their own: in one, TensorFlow 2.21 now and then took the
    derivative by x after y was updated.
    """
    _quiet()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    usual = keras.config.floatx()
    keras.config.set_floatx(precision)
    try:
        points = [[keras.Variable(w, dtype=precision) for w in cell.start] for cell in cells]
        walkers = [
            keras.optimizers.SGD(
                cell.lr, momentum=np.float64(cell.momentum), nesterov=rule == "nesterov"
            )
            for cell in cells
        ]
        for walker, point in zip(walkers, points, strict=True):
            walker.build(point)

        def constant(data: Any) -> Any:
            return tf.constant(data, precision)

        @tf.function
        def gradients() -> Any:
            found = []
            for cell, point in zip(cells, points, strict=True):
                with tf.GradientTape() as tape:
                    x, y = (w.value for w in point)
                    loss = cell.loss(x, y, constant, tf.reduce_mean)
                found.append(tape.gradient(loss, [x, y]))
            return found

        @tf.function
        def update(found: Any) -> None:
            for walker, point, gradient in zip(walkers, points, found, strict=True):
                walker.apply(gradient, point)

        @tf.function
        def values() -> Any:
            return tf.stack([tf.stack([w.value for w in point]) for point in points])

        walked = [values().numpy()]
        for _ in range(steps):
            update(gradients())
            walked.append(values().numpy())
    finally:
        keras.config.set_floatx(usual)
    return np.array(walked, float).swapaxes(0, 1)


def walk_torch(cells: Sequence[Cell], rule: str, steps: int, precision: str) -> Paths:
    """Walk with `torch.optim.SGD`."""
    import torch

    dtype = getattr(torch, precision)
    paths = np.empty((len(cells), steps + 1, 2))
    for path, cell in zip(paths, cells, strict=True):
        point = [torch.tensor(w, dtype=dtype, requires_grad=True) for w in cell.start]
        walker = torch.optim.SGD(
            point, lr=cell.lr, momentum=cell.momentum, nesterov=rule == "nesterov"
        )
        # As constants: made anew at each step they would take most of the time.
        made: dict[int, Any] = {}

        def array(data: Any, made: dict[int, Any] = made) -> Any:
            if id(data) not in made:
                made[id(data)] = torch.tensor(data, dtype=dtype)
            return made[id(data)]

        path[0] = [w.item() for w in point]
        for t in range(1, steps + 1):
            walker.zero_grad()
            cell.loss(*point, array, torch.mean).backward()
            walker.step()
            path[t] = [w.item() for w in point]
    return paths


def walk_optax(cells: Sequence[Cell], rule: str, steps: int, precision: str) -> Paths:
    """Walk with `optax.sgd`, compiled as one loop."""
    import jax
    import optax

    with jax.enable_x64(precision == "float64"):
        walkers = [
            optax.sgd(cell.lr, momentum=cell.momentum, nesterov=rule == "nesterov")
            for cell in cells
        ]
        points = [tuple(jax.numpy.asarray(w, precision) for w in cell.start) for cell in cells]
        states = [walker.init(point) for walker, point in zip(walkers, points, strict=True)]

        def step(carry: Any, _: None) -> Any:
            new_points, new_states = [], []
            for cell, walker, point, state in zip(cells, walkers, *carry, strict=True):

                def loss(point: Any, cell: Cell = cell) -> Any:
                    def array(data: Any) -> Any:
                        return jax.numpy.asarray(data, precision)

                    return cell.loss(*point, array, jax.numpy.mean)

                updates, new_state = walker.update(jax.grad(loss)(point), state, point)
                new_points.append(optax.apply_updates(point, updates))
                new_states.append(new_state)
            return (new_points, new_states), new_points

        _, walked = jax.jit(lambda carry: jax.lax.scan(step, carry, None, steps))((points, states))
        rest = np.array(walked, float)  # shape (n_cells, 2, steps)
    first = np.array([[float(w) for w in point] for point in points])
    return np.concatenate([first[:, np.newaxis], rest.swapaxes(1, 2)], axis=1)


@dataclass(frozen=True)
class Framework:
    """Another way to walk.

    Attributes
    ----------
    title : str
        For people.
    optimiser : str
        What it walks with.
    modules : tuple of str
        What it is made of.
    walk : callable
        ``walk(cells, rule, steps, precision) -> paths``, shape (n_cells, steps + 1, 2).
    """

    title: str
    optimiser: str
    modules: tuple[str, ...]
    walk: Callable[[Sequence[Cell], str, int, str], Paths]

    @property
    def missing(self) -> list[str]:
        """Modules that are not installed."""
        return [name for name in self.modules if importlib.util.find_spec(name) is None]

    @property
    def versions(self) -> str:
        """What walked, once it has."""
        parts = (f"{name} {sys.modules[name].__version__}" for name in self.modules)
        return f"{self.title}: {self.optimiser}, with {' and '.join(parts)}"


FRAMEWORKS: Final = {
    "numpy": Framework(
        "NumPy classes", "fastmomentum.reference.Momentum and Nesterov", ("numpy",), walk_numpy
    ),
    "tensorflow1": Framework(
        "TensorFlow 1",
        "tf.compat.v1.train.MomentumOptimizer",
        ("tensorflow",),
        walk_tensorflow1,
    ),
    "keras": Framework("Keras", "keras.optimizers.SGD", ("keras", "tensorflow"), walk_keras),
    "torch": Framework("PyTorch", "torch.optim.SGD", ("torch",), walk_torch),
    "optax": Framework("optax", "optax.sgd", ("optax", "jax"), walk_optax),
}
