"""The founding document's own tests: its two ways to fit a line, and its walk on Rosenbrock's.

TensorFlow's part is in ``tests/parity``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.datasets import load_csv, noisy_line
from fastmomentum.reference import Momentum, learn_line
from tests.founding import END, SEEDS, SETTINGS, Setting, least_squares

ROOT = Path(__file__).parents[1]
by_setting = pytest.mark.parametrize(
    "setting", SETTINGS, ids=[f"{s.reduction}-{s.line[0]}-{s.line[2]}" for s in SETTINGS]
)


@by_setting
def test_the_class_fits_the_line(setting: Setting) -> None:
    x, y = setting.data()
    # The gradient of the mean is 2/n times the sum that is learned from.
    lr = setting.lr * (2 / setting.line[0] if setting.reduction == "mean" else 1.0)
    for start in {tuple(start) for start in setting.starts()[::50]}:
        a, b = learn_line(x, y, Momentum(lr=lr, momentum=0.9), setting.steps, start)
        assert np.abs(np.stack([a, b], axis=-1) - least_squares(x, y)).max() < 0.001


@by_setting
def test_the_kernel_fits_the_line_along_the_class_path(setting: Setting) -> None:
    """To the last update but one, as the document asks, and to the last."""
    x, y = setting.data()
    starts, best = setting.starts(), least_squares(x, y)
    for number in SEEDS:
        ds = fm.run(
            fm.Experiment(
                objective=fm.MSE.from_arrays(x[number], y[number], setting.reduction),
                rule="momentum",
                steps=setting.steps,
                grid=fm.Grid(lr=setting.lr, momentum=0.9, start=[tuple(starts[number])]),
                record=fm.Record(steps=[1, 10, setting.steps - 1]),
            ),
            n_jobs=1,
        )
        path = ds.trajectory.values.reshape(-1, 2)
        assert np.abs(path[-2:] - best[number]).max() < 0.001
        if number < 5:
            lr = setting.lr * (2 / setting.line[0] if setting.reduction == "mean" else 1.0)
            for step, point in ((2, path[0]), (11, path[1]), (setting.steps, path[2])):
                walker = Momentum(lr=lr, momentum=0.9)
                want = learn_line(x[number], y[number], walker, step, tuple(starts[number]))
                np.testing.assert_allclose(point, want, rtol=1e-12, atol=1e-12)


def test_the_class_walks_rosenbrocks_valley() -> None:
    """Written out as in the document, without the package's objective."""
    params, walker = {"x": -5.0, "y": -5.0}, Momentum(lr=0.000015, momentum=0.9)
    for _ in range(5000):
        x, y = params["x"], params["y"]
        d = y - x * x
        walker.update(params, {"x": 2 * (x - 1) - 400 * x * d, "y": 200 * d})
    assert (params["x"], params["y"]) == END
    assert {type(value) for value in params.values()} == {float}


def test_the_kernel_walks_the_same_path() -> None:
    """Every point of it, to the last bit; not its end alone."""
    experiment = fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=5000,
        grid=fm.Grid(lr=0.000015, momentum=0.9, start=[(-5, -5)]),
        record=fm.Record(every=1),
    )
    path = fm.run(experiment).trajectory.values.reshape(-1, 2)
    params, walker = {"x": -5.0, "y": -5.0}, Momentum(lr=0.000015, momentum=0.9)
    for point in path:
        assert (params["x"], params["y"]) == tuple(point)
        gx, gy = fm.Rosenbrock().gradient(params["x"], params["y"]).tolist()
        walker.update(params, {"x": gx, "y": gy})
    assert tuple(path[-1]) == END


def test_the_committed_draw_is_the_document_first_setting() -> None:
    path = ROOT / "data" / "noisy_line.csv"
    drawn = noisy_line(50, 5, 5, 10, 5, seed=0)
    np.testing.assert_allclose(load_csv(path, "x", "y"), drawn, rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("small", (50, 5, 5, 10, 5)),
        ("wide", (100, 10, 10, 10, 5)),
        ("far", (100, 10, 5, 10, 5)),
    ],
)
def test_the_example_of_each_setting(name: str, line: tuple[int, ...]) -> None:
    experiment = fm.load(ROOT / "experiments" / f"noisy_line_{name}.toml")
    (setting,) = (
        s
        for s in SETTINGS
        if s.line == line and s.reduction == experiment.objective.reduction  # type: ignore[union-attr]
    )
    data = experiment.objective.data.model_dump()  # type: ignore[union-attr]
    assert tuple(data.values()) == (*line, 0)
    assert experiment.steps == setting.steps
    assert setting.lr in experiment.grid.lr.points
    assert 0.9 in experiment.grid.momenta
