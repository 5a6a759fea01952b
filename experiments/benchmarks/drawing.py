"""Rows about what is random: noise and batches against the same updates without."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import fastmomentum as fm
from benchmarks.measuring import Row, Setting, by_turns, median, seconds, spread, whole_grid
from fastmomentum.objectives import Objective

CELLS = 64
"""Learning rates, and momenta: 4,096 runs of a seed."""


def noise(setting: Setting) -> Row:
    """Noise that all cells share, and noise of each run's own, against none."""
    steps = 500 if setting.quick else 4000
    contenders = {
        "none": whole_grid(grid(fm.Rosenbrock(), steps)),
        "common": whole_grid(grid(fm.Rosenbrock(), steps, noise={"gaussian": 0.1})),
        "own": whole_grid(grid(fm.Rosenbrock(), steps, noise={"gaussian": 0.1, "common": False})),
    }
    samples = by_turns(contenders, setting.repeats)
    none, common, own = (median(rates) for rates in samples.values())
    figure = (
        f"{common / none:.2f} x shared by the cells; each its own {own:,.0f} "
        f"{spread(samples['own'])} M updates/s ({own / none:.3f} x)"
    )
    what = "noisy Rosenbrock updates on one core, against noiseless ones"
    return Row("noise", what, "0.5 x; 150", figure, common / none >= 0.5 and own >= 150, samples)


def batches(setting: Setting) -> Row:
    """Updates of a line by batches of 32 of 1,000 rows against those by all rows."""
    x = np.linspace(0.0, 5.0, 1000)
    line = fm.MSE.from_arrays(x, 2.0 * x + np.sin(40.0 * x))
    steps = 500 if setting.quick else 4000
    contenders = {
        "all rows": whole_grid(grid(line, steps)),
        "batches": whole_grid(grid(line, steps, batch={"size": 32})),
    }
    samples = by_turns(contenders, setting.repeats)
    whole, parts = (median(rates) for rates in samples.values())
    what = "an update with a batch of 32 rows against one with all, 4,096 runs, one core"
    figure = f"{whole / parts:.2f} x the time ({parts:,.0f} against {whole:,.0f} M updates/s)"
    return Row("batches", what, "at most 1.3 x", figure, whole / parts <= 1.3, samples)


def seeds(setting: Setting) -> Row:
    """One cell over a million seeds."""
    count = 10_000 if setting.quick else 1_000_000
    experiment = fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=1000,
        grid=fm.Grid(lr=1e-4, momentum=0.9, start=[(-1.2, 1)], seed=count),
        noise={"gaussian": 0.1},
        stop=fm.Stop(bound=None),
    )
    fm.run(experiment)
    contenders: dict[str, Callable[[], float]] = {
        "seconds": lambda: seconds(lambda: fm.run(experiment))
    }
    samples = by_turns(contenders, 3)
    figure = f"{median(samples['seconds']):.1f} s"
    what = f"{count:,} seeds of a cell, 1,000 noisy updates each, all cores"
    return Row("seeds", what, "seconds", figure, None, samples)


def grid(objective: Objective, steps: int, **options: object) -> fm.Experiment:
    """4,096 runs that take all their updates."""
    fields: dict[str, object] = {
        "objective": objective,
        "rule": "momentum",
        "steps": steps,
        "grid": fm.Grid(
            lr=np.geomspace(1e-5, 1e-3, CELLS),
            momentum=np.linspace(0.0, 0.9, CELLS),
            start=[(-1.2, 1)],
        ),
        "stop": fm.Stop(bound=None),
    }
    return fm.Experiment.parse(fields | options)


ROWS: dict[str, Callable[[Setting], Row]] = {row.__name__: row for row in (noise, batches, seeds)}
