"""Batches: the path of a PyTorch loop that is handed the same row numbers, to 1e-12."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.noise import batch_rows

STEPS, SEED = 400, 3
X = np.linspace(-1.0, 4.0, 50)
Y = 2.0 * X - 1.0 + np.sin(9.0 * X)
required = bool(os.environ.get("EVERY_FRAMEWORK"))
needs_torch = pytest.mark.skipif(
    find_spec("torch") is None and not required, reason="torch not installed; see make parity"
)


def by_torch(
    rule: str, lr: float, momentum: float, batch: dict[str, Any], half: bool
) -> np.ndarray:
    """Every point of a loop with autograd, in float64."""
    import torch

    x, y = torch.tensor(X), torch.tensor(Y)
    line = torch.tensor([1.5, -2.0], dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.SGD([line], lr=lr, momentum=momentum, nesterov=rule == "nesterov")
    points = [line.detach().numpy().copy()]
    for step in range(STEPS):
        rows = torch.from_numpy(batch_rows(SEED, step, X.size, batch["size"], batch["draw"]))
        optimiser.zero_grad()
        off = line[0] * x[rows] + line[1] - y[rows]
        loss = 0.5 * X.size / len(rows) * (off**2).sum() if half else (off**2).mean()
        loss.backward()
        optimiser.step()
        points.append(line.detach().numpy().copy())
    return np.array(points)


@needs_torch
@pytest.mark.parametrize("reduction", ["mean", "half_sum"])
@pytest.mark.parametrize("draw", ["shuffle", "replacement"])
@pytest.mark.parametrize("size", [1, 8, 50])  # 8 does not divide 50: the last batch has two rows
@pytest.mark.parametrize(("rule", "momentum"), [("sgd", 0.0), ("momentum", 0.9)])
def test_the_same_path(rule: str, momentum: float, size: int, draw: str, reduction: Any) -> None:
    half = reduction == "half_sum"
    lr = 0.01 / (X.size / 2 if half else 1)
    batch = {"size": size, "draw": draw}
    experiment = fm.Experiment(
        objective=fm.MSE.from_arrays(X, Y, reduction),
        rule=rule,
        steps=STEPS,
        grid=fm.Grid(
            lr=lr, momentum=momentum if momentum else None, start=[(1.5, -2.0)], seed=[SEED]
        ),
        record=fm.Record(every=1),
        batch=batch,
    )
    found = fm.run(experiment).trajectory.values.reshape(-1, 2)
    told = by_torch(rule, lr, momentum, batch, half)
    np.testing.assert_allclose(found, told, rtol=0, atol=1e-12 * np.abs(told).max())
