"""How the cost grows with runs, with steps and with jobs; and the figure of it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

import fastmomentum as fm
from benchmarks.measuring import Setting, valley
from benchmarks.storing import scratch
from fastmomentum.machine import usable_cores

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
    steps = (10**2, 10**3) if setting.quick else [10**k for k in range(2, 7)]
    cores = usable_cores()
    jobs = sorted({1, 2, *(2**k for k in range(20) if 2**k < cores), cores})
    fixed = 10**5 if setting.quick else 10**6
    _took(100, 10, -1, setting)  # compiles
    return {
        "runs": [(n, _took(n, 200, -1, setting)) for n in runs],
        "steps": [(n, _took(10**4, n, -1, setting)) for n in steps],
        "jobs": [(n, _took(fixed, 2000, n, setting)) for n in jobs],
    }


def _took(runs: int, steps: int, jobs: int, setting: Setting) -> float:
    lr = 10 ** (len(str(runs)) // 2)
    momentum = runs // lr
    grid = fm.Grid(
        lr={"logspace": [1e-6, 1e-4], "num": lr},
        momentum={"linspace": [0.0, 0.9], "num": momentum},
        start=[(-1.2, 1.0)],
    )
    experiment = valley(1, steps, grid=grid, stop=fm.Stop(targets=[1e-8]))
    times: list[float] = []
    while not times or (sum(times) < 2 and len(times) < 9):
        with scratch(setting, runs * experiment.bytes_per_run) as folder:
            begun = time.perf_counter()
            fm.run(experiment, folder / "out.h5", n_jobs=jobs).close()
            times.append(time.perf_counter() - begun)
    return min(times)


def draw(lines: dict[str, Line], path: Path) -> None:
    """Time against size, a panel each, with what a fixed cost and a straight line would give."""
    fm.plots  # noqa: B018  (brings matplotlib, whatever MPLBACKEND names)
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    said = {
        "runs": "runs of 200 updates",
        "steps": "updates of each of 10,000 runs",
        "jobs": "jobs (10^6 runs of 2,000 updates)",
    }
    panels = figure.subplots(1, 3)
    for axes, colour, (name, line) in zip(panels, COLOURS, lines.items(), strict=True):
        size, took = np.array(line).T
        axes.loglog(size, took, "o", color=colour, label="measured")
        if name == "jobs":
            axes.loglog(size, took[0] / size, "--", color="0.5", label="in inverse proportion")
            axes.set_xticks(size, [f"{n:.0f}" for n in size])
            axes.minorticks_off()
            low, high = took.min() / 2, took.max() * 2
            ticks = [n * 10.0**k for k in range(-3, 4) for n in (1, 2, 5)]
            axes.set_yticks([tick for tick in ticks if low <= tick <= high])
            axes.yaxis.set_major_formatter("{x:g}")
            axes.set_ylim(low, high)
        else:
            each = max((took[-1] - took[0]) / (size[-1] - size[0]), 0.0)
            fixed = max(took[0] - each * size[0], 0.0)
            at = np.geomspace(size[0], size[-1], 200)
            label = f"{1e3 * fixed:.0f} ms + {_seconds(each)} each"
            axes.loglog(at, fixed + each * at, "--", color="0.5", label=label)
        axes.set(xlabel=said[name], ylabel="seconds" if name == "runs" else "")
        axes.grid(which="major", color="0.9")
        axes.legend(frameon=False, loc="upper right" if name == "jobs" else "upper left")
    figure.suptitle("Time to a synced file, by runs, by updates and by jobs")
    figure.savefig(path, dpi=150)


def _seconds(time: float) -> str:
    for unit, size in (("ms", 1e-3), ("µs", 1e-6)):
        if time > size:
            return f"{time / size:.3g} {unit}"
    return f"{time / 1e-9:.3g} ns"
