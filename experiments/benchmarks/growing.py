"""How the cost grows with runs, with steps and with jobs; and the figure of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

import fastmomentum as fm
from benchmarks.measuring import Setting, valley
from benchmarks.storing import scratch

Line = list[tuple[float, float]]

COLOURS = ("#0072b2", "#d55e00", "#009e73")  # of Okabe and Ito: told apart by every eye


def growth(setting: Setting) -> dict[str, Line]:
    """Time of `fm.run` to a file by runs, by steps and by jobs.

    Parameters
    ----------
    setting : Setting
        How to measure.

    Returns
    -------
    dict of list
        By what grows: pairs of its size and the seconds, the best of some turns.
    """
    runs = (10**3, 10**4, 10**5) if setting.quick else [10**k for k in range(3, 9)]
    steps = (10**2, 10**3) if setting.quick else (10**2, 10**3, 10**4, 10**5)
    cores = len(os.sched_getaffinity(0))
    jobs = sorted({1, 2, *(2**k for k in range(20) if 2**k < cores), cores})
    fixed = 10**5 if setting.quick else 10**6
    return {
        "runs": [(n, _took(n, 200, -1, setting)) for n in runs],
        "steps": [(n, _took(10**4, n, -1, setting)) for n in steps],
        "jobs": [(n, _took(fixed, 2000, n, setting)) for n in jobs],
    }


def _took(runs: int, steps: int, jobs: int, setting: Setting) -> float:
    side = round(runs**0.5)
    sides = (side, side) if side * side == runs else (runs // 10 ** (len(str(runs)) // 2), 0)
    lr, momentum = sides[0], sides[1] or runs // sides[0]
    grid = fm.Grid(
        lr={"logspace": [1e-6, 1e-4], "num": lr},
        momentum={"linspace": [0.0, 0.9], "num": momentum},
        start=[(-1.2, 1.0)],
    )
    experiment = valley(1, steps, grid=grid, stop=fm.Stop(targets=[1e-8]))
    times: list[float] = []
    while len(times) < 1 or (sum(times) < 1 and len(times) < 5):
        with scratch(setting, runs * experiment.bytes_per_run) as folder:
            begun = time.perf_counter()
            fm.run(experiment, folder / "out.h5", n_jobs=jobs).close()
            times.append(time.perf_counter() - begun)
    return min(times)


def draw(lines: dict[str, Line], path: Path) -> None:
    """Time against size, a panel each, with the straight line that it should be."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    said = {
        "runs": ("runs of 200 updates", +1),
        "steps": ("updates of each of 10,000 runs", +1),
        "jobs": ("jobs", -1),
    }
    for axes, colour, (name, line) in zip(
        figure.subplots(1, 3, sharey=False), COLOURS, lines.items(), strict=True
    ):
        label, slope = said[name]
        size, took = np.array(line).T
        axes.loglog(size, took, "o-", color=colour, label="measured")
        at = -1 if slope > 0 else 0
        straight = took[at] * (size / size[at]) ** slope
        axes.loglog(size, straight, "--", color="0.5", label="in proportion")
        axes.set(xlabel=label, ylabel="seconds" if name == "runs" else "")
        axes.grid(which="major", color="0.9")
        axes.legend(frameon=False)
        if name == "jobs":
            axes.set_xticks(size, [f"{n:.0f}" for n in size])
            axes.minorticks_off()
            axes.set_ylim(took.min() / 2, took.max() * 2)
    figure.suptitle("Time of a run to a file: layout, computation, writing, sync")
    figure.savefig(path, dpi=150)
