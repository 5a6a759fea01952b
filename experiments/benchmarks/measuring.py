"""How things are measured: by turns, several times, with the machine's name beside the figures."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

import fastmomentum as fm
from fastmomentum.kernels.block import run_block
from fastmomentum.schema import block_arrays

Samples = dict[str, list[float]]


@dataclass(frozen=True)
class Setting:
    """How to measure.

    Attributes
    ----------
    quick : bool
        Small sizes and few repeats: to see that all works, not to quote.
    folder : Path
        Where the large files go, and go away again.
    """

    quick: bool
    folder: Path

    @property
    def repeats(self) -> int:
        """Turns that each contender gets."""
        return 3 if self.quick else 9


@dataclass
class Row:
    """A line of the table.

    Attributes
    ----------
    name : str
        For --only.
    what, goal, figure : str
        What was measured, what it should be at least, what it is.
    met : bool or None
        Whether the goal is reached; None where there is none, or nothing was measured.
    samples : dict of list
        What each contender did in each of its turns.
    notes : dict
        Sizes and settings.
    """

    name: str
    what: str
    goal: str
    figure: str
    met: bool | None = None
    samples: Samples = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def by_turns(contenders: Mapping[str, Callable[[], float]], repeats: int) -> Samples:
    """Let contenders run in turn, so that what slows the machine slows all of them.

    Parameters
    ----------
    contenders : mapping of callables
        Each measures itself once: a rate or a time.
    repeats : int
        Turns; every other one goes backwards.

    Returns
    -------
    dict of list
        What each gave.
    """
    samples: Samples = {name: [] for name in contenders}
    for turn in range(repeats):
        order = list(contenders)[:: -1 if turn % 2 else 1]
        for name in order:
            samples[name].append(contenders[name]())
    return samples


def median(values: list[float]) -> float:
    """Middle value."""
    return statistics.median(values)


def spread(values: list[float]) -> str:
    """Half the range between the quartiles, as a percentage of the median."""
    low, high = np.quantile(values, [0.25, 0.75])
    return f"±{50 * (high - low) / median(values):.0f}%"


def seconds(call: Callable[[], Any]) -> float:
    """Time of a call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def whole_grid(experiment: fm.Experiment, n_steps: int | None = None) -> Callable[[], float]:
    """One core's rate over all runs of an experiment as one block: 10^6 updates a second.

    It counts CPU time, like peak.c, so that other work on the machine does not matter.

    Parameters
    ----------
    experiment : Experiment
        What to run; its kernel is compiled here.
    n_steps : int, optional
        As for `run_block`.

    Returns
    -------
    callable
        Measures once.
    """
    runs = range(experiment.grid.n_runs)
    arrays = block_arrays(experiment, len(runs))
    run_block(experiment, runs, arrays, 0)

    def rate() -> float:
        begun = time.thread_time()
        run_block(experiment, runs, arrays, n_steps)
        took = time.thread_time() - begun
        return float(arrays["n_steps"].sum(dtype=float) / took / 1e6)

    return rate


def valley(n_runs: int, steps: int, **changes: Any) -> fm.Experiment:
    """Rosenbrock by momentum, tame: no run ends before its last update."""
    fields: dict[str, Any] = {
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": steps,
        "grid": fm.Grid(
            lr={"logspace": [1e-6, 1e-4], "num": n_runs}, momentum=0.9, start=[(-1.2, 1.0)]
        ),
        "stop": fm.Stop(bound=None),
    }
    return fm.Experiment(**(fields | changes))


def in_memory(experiment: fm.Experiment, jobs: int) -> Callable[[], float]:
    """Rate of `fm.run` without a file: 10^6 updates a second, all in all."""

    def rate() -> float:
        begun = time.perf_counter()
        made = fm.run(experiment, n_jobs=jobs)
        took = time.perf_counter() - begun
        return float(made.n_steps.values.sum(dtype=float) / took / 1e6)

    rate()
    return rate


def machine() -> dict[str, str]:
    """What the figures were measured on, and with."""
    from fastmomentum.machine import cpu_name, usable_cores

    packages = ("fastmomentum", "numpy", "numba", "llvmlite", "h5py", "jax", "jaxlib")
    versions = {}
    for name in packages:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    compiler = "none"
    with contextlib.suppress(OSError):
        told = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False)
        compiler = (told.stdout.splitlines() or ["none"])[0]
    memory = "unknown"
    with contextlib.suppress(AttributeError):  # Windows has no sysconf
        memory = f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    return {
        "cpu": cpu_name(),
        "cores": str(usable_cores()),
        "vectors": "AVX-512" if "avx512f" in flags() else "AVX2" if "avx2" in flags() else "SSE",
        "memory": memory,
        "system": platform.platform(),
        "python": platform.python_version(),
        **versions,
        "cc": compiler,
        "date": datetime.now(UTC).date().isoformat(),
    }


def flags() -> set[str]:
    """What the processor can do; empty where only the system's own tools would tell."""
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    found = [line.partition(":")[2].split() for line in lines if line.startswith("flags")]
    return set(found[0]) if found else set()
