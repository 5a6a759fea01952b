"""Other frameworks walk our paths.

``make parity`` installs all of them and sets EVERY_FRAMEWORK; without, what is missing is skipped.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from _frameworks import FRAMEWORKS, Framework
from _problems import (
    PRECISIONS,
    RANDOM_STEPS,
    RULES,
    SENSITIVITY,
    Cell,
    Paths,
    difference,
    line_cell,
    ours,
    random_cells,
    rosenbrock_cell,
    sensitivity,
)

from tests.founding import END, SEEDS, SETTINGS, Setting, least_squares

PROBLEMS = ("line", "rosenbrock", "random")


def needs(name: str) -> Any:
    """Skip where a framework is not installed and need not be."""
    missing = "" if os.environ.get("EVERY_FRAMEWORK") else ", ".join(FRAMEWORKS[name].missing)
    return pytest.mark.skipif(bool(missing), reason=f"{missing} not installed; see make parity")


each_framework = pytest.mark.parametrize(
    "framework",
    [pytest.param(FRAMEWORKS[name], id=name, marks=needs(name)) for name in FRAMEWORKS],
)


@functools.cache
def problem(name: str, rule: str) -> tuple[Sequence[Cell], int, Paths]:
    """Cells, steps, and our paths."""
    if name == "random":
        cells, steps = random_cells(rule, each=4, seed=0), RANDOM_STEPS
    else:
        cell, steps = line_cell() if name == "line" else rosenbrock_cell()
        cells = [cell]
    return cells, steps, ours(cells, rule, steps)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_the_cells_are_stable_and_move(name: str, rule: str) -> None:
    cells, steps, paths = problem(name, rule)
    assert np.isfinite(paths).all()
    assert max(sensitivity(cell, rule, steps) for cell in cells) <= SENSITIVITY
    assert (np.ptp(paths, axis=1).max(axis=-1) > 1e-3).all()
    assert len(set(cells)) == len(cells)


@each_framework
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", PROBLEMS)
def test_float64_agrees_along_the_whole_path(framework: Framework, rule: str, name: str) -> None:
    cells, steps, paths = problem(name, rule)
    walked = framework.walk(cells, rule, steps, "float64")
    assert walked.shape == paths.shape
    np.testing.assert_array_equal(walked[:, 0], paths[:, 0])
    assert difference(walked, paths).max() <= 1e-12


@each_framework
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", ["line", "random"])
def test_float32_agrees_within_its_rounding(framework: Framework, rule: str, name: str) -> None:
    """A rounding at each step, none of which grows by more than the sensitivity."""
    cells, steps, paths = problem(name, rule)
    away = difference(framework.walk(cells, rule, steps, "float32"), paths)
    epsilon = float(np.finfo(np.float32).eps)
    assert epsilon / 100 < np.median(away)  # it was not float64
    assert away.max() <= steps * epsilon * SENSITIVITY


def test_a_path_of_its_own_is_noticed() -> None:
    cells, steps, paths = problem("line", "momentum")
    assert difference(ours(cells, "nesterov", steps), paths).max() > 1e-3


@needs("tensorflow1")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("setting", [s for s in SETTINGS if s.reduction == "mean"])
def test_tensorflow_fits_the_line_as_the_document_did(setting: Setting, precision: str) -> None:
    """Its own loss, optimiser and session; a line for each seed, side by side."""
    import tensorflow as tf

    v1 = tf.compat.v1
    x, y = setting.data()
    with tf.Graph().as_default(), v1.Session() as session:
        slope, intercept = (
            v1.Variable(w[:, np.newaxis], dtype=precision) for w in setting.starts().T
        )
        line = slope * tf.constant(x, precision) + intercept
        losses = tf.reduce_mean(tf.square(line - tf.constant(y, precision)), axis=-1)
        walker = v1.train.MomentumOptimizer(np.float64(setting.lr), np.float64(0.9))
        # Their sum: each line's derivatives are those of its own loss.
        train = walker.minimize(tf.reduce_sum(losses), gate_gradients=v1.train.Optimizer.GATE_GRAPH)
        session.run(v1.global_variables_initializer())
        for _ in range(setting.steps):
            session.run(train)
        found = np.concatenate(session.run([slope, intercept]), axis=-1)
    assert found.shape == (len(SEEDS), 2)
    assert np.abs(found - least_squares(x, y)).max() < 0.001


@needs("tensorflow1")
def test_tensorflow_ends_in_rosenbrocks_valley_where_we_do() -> None:
    cell, steps = rosenbrock_cell()
    path = FRAMEWORKS["tensorflow1"].walk([cell], "momentum", steps, "float64")[0]
    np.testing.assert_allclose(path[-1], END, rtol=1e-12)
