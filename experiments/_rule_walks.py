"""Every rule that other frameworks have, walked by their optimisers with gradients of their own.

Each walk goes down Rosenbrock's function in float64. Where definitions differ, what is set so that
they are one is said with it in `WALKS`; `APART` has what differs as it is, so that it can be seen.
"""

from __future__ import annotations

import importlib.util
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from _problems import Paths

import fastmomentum as fm

STEPS: Final = 400
START: Final = (-1.2, 1.0)
LR: Final = 1e-3
M: Final = 0.9


@dataclass(frozen=True)
class RuleWalk:
    """A rule as a framework has it.

    Attributes
    ----------
    framework : str
        Whose; one of `WALKERS`.
    rule : str
        Ours.
    make : callable
        ``make(module, w)``: the framework's optimiser; `module` is where it keeps its optimisers.
    parameters : dict
        Of our rule, where they are not left out.
    lr : float
        Learning rate of both.
    said : str
        What was set so that it is our rule, or why it is not, in a few words; "" where no more than
        the rule's own parameters is.
    """

    framework: str
    rule: str
    make: Callable[[Any, Any], Any]
    parameters: dict[str, Any] = field(default_factory=dict)
    lr: float = LR
    said: str = ""

    @property
    def name(self) -> str:
        """The rule with its options, as in the README's table."""
        options = [key for key in self.parameters if key not in ("nu", "dampening", "eps")]
        return self.rule + (f" with {', '.join(options)}" if options else "")

    @property
    def missing(self) -> list[str]:
        """Modules that are not installed."""
        needed = (*WALKERS[self.framework][1], *(("qhoptim",) if self.rule == "qhm" else ()))
        return [module for module in needed if importlib.util.find_spec(module) is None]

    def walked(self) -> Paths:
        """Every point of the framework's path, shape (steps + 1, 2)."""
        return np.array(WALKERS[self.framework][0](self.make), float)

    def ours(self) -> Paths:
        """Every point of ours, shape (steps + 1, 2)."""
        rule = fm.UpdateRule(name=self.rule, **self.parameters)
        plan = fm.Experiment(
            objective=fm.Rosenbrock(),
            rule=rule,
            steps=STEPS,
            grid=fm.Grid(
                lr=self.lr, momentum=M if rule.rule.uses_momentum else None, start=[START]
            ),
            record=fm.Record(every=1),
        )
        path: Paths = fm.run(plan, n_jobs=1).trajectory.values.reshape(-1, 2)
        return path

    def difference(self) -> float:
        """Largest of a coordinate at any step, as a part of the path's largest coordinate."""
        path = self.ours()
        return float(np.abs(self.walked() - path).max() / np.abs(path).max())


def _loss(w: Any) -> Any:
    return (1.0 - w[0]) ** 2 + 100.0 * (w[1] - w[0] ** 2) ** 2


def walk_torch(make: Callable[[Any, Any], Any]) -> list[Any]:
    """Walk with PyTorch's gradient by backward()."""
    import torch

    w = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    optimiser, path = make(torch.optim, [w]), [START]
    with warnings.catch_warnings():  # qhoptim calls add_ in a way that PyTorch has left behind
        warnings.filterwarnings("ignore", message="This overload of add_ is deprecated")
        for _ in range(STEPS):
            optimiser.zero_grad()
            _loss(w).backward()
            optimiser.step()
            path.append(tuple(w.detach().numpy().tolist()))
    return path


def walk_optax(make: Callable[[Any, Any], Any]) -> list[Any]:
    """Walk with JAX's gradient, an update compiled."""
    import jax
    import optax

    with jax.enable_x64(True):
        w = jax.numpy.array(START, dtype="float64")
        transform = make(optax, w)
        state, path = transform.init(w), [START]

        @jax.jit
        def step(w: Any, state: Any) -> Any:
            updates, state = transform.update(jax.grad(_loss)(w), state, w)
            return optax.apply_updates(w, updates), state

        for _ in range(STEPS):
            w, state = step(w, state)
            path.append(tuple(np.asarray(w).tolist()))
    return path


def walk_keras(make: Callable[[Any, Any], Any]) -> list[Any]:
    """Walk with Keras on TensorFlow, its gradient taken apart from the update."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import tensorflow as tf

    usual = keras.config.floatx()
    keras.config.set_floatx("float64")  # in which it keeps its learning rate
    try:
        w = keras.Variable(np.array(START), dtype="float64")
        optimiser, path = make(keras.optimizers, [w]), [START]
        optimiser.build([w])

        @tf.function
        def gradient() -> Any:
            with tf.GradientTape() as tape:
                loss = _loss(w.value)
            return tape.gradient(loss, w.value)

        @tf.function
        def update(g: Any) -> None:
            optimiser.apply([g], [w])

        for _ in range(STEPS):
            update(gradient())
            path.append(tuple(w.numpy().tolist()))
    finally:
        keras.config.set_floatx(usual)
    return path


WALKERS: Final[dict[str, tuple[Callable[[Any], list[Any]], tuple[str, ...]]]] = {
    "PyTorch": (walk_torch, ("torch",)),
    "optax": (walk_optax, ("optax", "jax")),
    "Keras": (walk_keras, ("keras", "tensorflow")),
}
"""By framework: what walks with it, and the modules that takes."""


def _qhm(_: Any, w: Any) -> Any:
    from qhoptim.pyt import QHM

    return QHM(w, lr=LR, nu=0.7, momentum=M)


F = np.float64  # Keras would turn a plain float into float32 where it casts one
NO_EPS: Final = {"eps": 0.0}
ADAMW: Final = {"decoupled_weight_decay": 0.1}
DECAY: Final = {"weight_decay": 0.1}
CLIP: Final = {"clip": 1.0}

WALKS: Final = (
    RuleWalk("PyTorch", "sgd", lambda o, w: o.SGD(w, LR)),
    RuleWalk("PyTorch", "momentum", lambda o, w: o.SGD(w, LR, momentum=M)),
    RuleWalk("PyTorch", "nesterov", lambda o, w: o.SGD(w, LR, momentum=M, nesterov=True)),
    RuleWalk(
        "PyTorch", "pytorch", lambda o, w: o.SGD(w, LR, momentum=M, dampening=0.5),
        {"dampening": 0.5},
    ),
    RuleWalk("PyTorch", "qhm", _qhm, {"nu": 0.7}, said="its authors' package qhoptim"),
    RuleWalk("PyTorch", "adam", lambda o, w: o.Adam(w, LR, betas=(M, 0.999))),
    RuleWalk("PyTorch", "rmsprop", lambda o, w: o.RMSprop(w, LR, alpha=0.99, momentum=M)),
    RuleWalk("PyTorch", "adagrad", lambda o, w: o.Adagrad(w, LR)),
    RuleWalk(
        "PyTorch", "pytorch", lambda o, w: o.SGD(w, LR, momentum=M, weight_decay=0.1), DECAY
    ),
    RuleWalk("PyTorch", "adam", lambda o, w: o.Adam(w, LR, (M, 0.999), weight_decay=0.1), DECAY),
    RuleWalk("PyTorch", "adam", lambda o, w: o.AdamW(w, LR, (M, 0.999), weight_decay=0.1), ADAMW),
    RuleWalk("optax", "sgd", lambda o, w: o.sgd(LR)),
    RuleWalk("optax", "momentum", lambda o, w: o.sgd(LR, momentum=M)),
    RuleWalk("optax", "nesterov", lambda o, w: o.sgd(LR, momentum=M, nesterov=True)),
    RuleWalk("optax", "ema", lambda o, w: o.chain(o.ema(M, debias=False), o.scale(-LR))),
    RuleWalk("optax", "adam", lambda o, w: o.adam(LR, b1=M)),
    RuleWalk("optax", "nadam", lambda o, w: o.nadam(LR, b1=M)),
    RuleWalk(
        "optax", "rmsprop",
        lambda o, w: o.rmsprop(LR, decay=0.99, eps=1e-8, eps_in_sqrt=False, momentum=M),
        said="`eps_in_sqrt=False`",
    ),
    RuleWalk(
        "optax", "adagrad",
        lambda o, w: o.adagrad(LR, initial_accumulator_value=0.0, eps=0.0),
        NO_EPS, said="`initial_accumulator_value=0` and eps 0 in both",
    ),
    RuleWalk("optax", "lion", lambda o, w: o.lion(LR, b1=M, b2=0.99, weight_decay=0.0)),
    RuleWalk(
        "optax", "pytorch",
        lambda o, w: o.chain(o.add_decayed_weights(0.1), o.sgd(LR, momentum=M)), DECAY,
    ),
    RuleWalk("optax", "adam", lambda o, w: o.adamw(LR, b1=M, weight_decay=0.1), ADAMW),
    RuleWalk(
        "optax", "pytorch",
        lambda o, w: o.chain(o.clip_by_global_norm(1.0), o.sgd(LR, momentum=M)), CLIP,
    ),
    RuleWalk("Keras", "sgd", lambda o, w: o.SGD(LR)),
    RuleWalk("Keras", "momentum", lambda o, w: o.SGD(LR, momentum=F(M))),
    RuleWalk("Keras", "nesterov", lambda o, w: o.SGD(LR, momentum=F(M), nesterov=True)),
    RuleWalk(
        "Keras", "adam", lambda o, w: o.Adam(LR, F(M), F(0.999), epsilon=0.0), NO_EPS,
        said="eps 0 in both",
    ),
    RuleWalk(
        "Keras", "rmsprop", lambda o, w: o.RMSprop(LR, rho=0.99, momentum=M, epsilon=0.0), NO_EPS,
        said="eps 0 in both",
    ),
    RuleWalk(
        "Keras", "adagrad",
        lambda o, w: o.Adagrad(LR, initial_accumulator_value=0.0, epsilon=0.0), NO_EPS,
        said="`initial_accumulator_value=0` and eps 0 in both",
    ),
    RuleWalk("Keras", "lion", lambda o, w: o.Lion(LR, F(M), F(0.99))),
    RuleWalk(
        "Keras", "adam",
        lambda o, w: o.AdamW(LR, weight_decay=F(0.1), beta_1=F(M), beta_2=F(0.999), epsilon=0.0),
        NO_EPS | ADAMW, said="eps 0 in both",
    ),
    RuleWalk(
        "Keras", "pytorch",
        lambda o, w: o.SGD(LR, momentum=F(M), global_clipnorm=1.0), CLIP,
    ),
)  # fmt: skip
"""What is one rule, framework by framework."""


def _clipped(o: Any, w: Any) -> Any:
    import torch

    class Clipped(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            torch.nn.utils.clip_grad_norm_(w, 1.0)
            return super().step(closure)

    return Clipped(w, LR, momentum=M)


APART: Final = (
    RuleWalk(
        "PyTorch", "nadam", lambda o, w: o.NAdam(w, LR, (M, 0.999)),
        said="as its momentum is m (1 - 0.96^(t/250)/2)",
    ),
    RuleWalk("PyTorch", "pytorch", _clipped, CLIP, said="as 1e-6 is added to the norm"),
    RuleWalk(
        "optax", "rmsprop", lambda o, w: o.rmsprop(LR, decay=0.99, momentum=M),
        said="as eps is inside the root",
    ),
    RuleWalk(
        "optax", "adagrad", lambda o, w: o.adagrad(LR),
        said="as s begins at 0.1 and eps is inside the root",
    ),
    RuleWalk(
        "Keras", "adam", lambda o, w: o.Adam(LR, F(M), F(0.999), epsilon=1e-8),
        said="as eps is added to the root before the bias is corrected",
    ),
    RuleWalk(
        "Keras", "nadam", lambda o, w: o.Nadam(LR, F(M), F(0.999), epsilon=1e-8),
        said="as its momentum is m (1 - 0.96^t/2)",
    ),
    RuleWalk(
        "Keras", "rmsprop", lambda o, w: o.RMSprop(LR, rho=0.99, momentum=M, epsilon=1e-8),
        said="as eps is inside the root",
    ),
    RuleWalk(
        "Keras", "adagrad", lambda o, w: o.Adagrad(LR),
        said="as s begins at 0.1 and eps is inside the root",
    ),
)  # fmt: skip
"""What goes by the same name there, and is another rule as it is: how, and so how far apart."""
