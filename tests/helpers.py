"""Small things that several test modules need."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.experiment.labels import values_of
from fastmomentum.objectives import Objective
from fastmomentum.schema import results

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="as Linux has it")
not_on_windows = pytest.mark.skipif(sys.platform == "win32", reason="Windows has it otherwise")


def needs(*names: str) -> pytest.MarkDecorator:
    """Skip a test where the system lacks a call, a module or a file, which the skip names.

    Parameters
    ----------
    *names : str
        Such as "os.mkfifo", "resource" or "/dev/full".
    """
    absent = [name for name in names if _is_absent(name)]
    return pytest.mark.skipif(bool(absent), reason=f"this system has no {', '.join(absent)}")


def _is_absent(name: str) -> bool:
    if name.startswith("/"):
        return not Path(name).exists()
    module, _, attribute = name.partition(".")
    try:
        found = importlib.import_module(module)
    except ImportError:
        return True
    return bool(attribute) and not hasattr(found, attribute)


def kilobytes(ru_maxrss: str | int) -> int:
    """The most memory that a process had; macOS tells bytes, the others kilobytes."""
    return int(ru_maxrss) // (1024 if sys.platform == "darwin" else 1)


LINE_X = np.array([1.0, 2.0, 4.0, 7.0])
LINE_Y = np.array([2.0, 3.5, 9.0, 13.0])


def example_objectives() -> Iterator[Objective]:
    """One of each objective of the registry."""
    for name, objective in fm.OBJECTIVES.items():
        yield fm.MSE.from_arrays(LINE_X, LINE_Y) if name == "mse" else objective.example()


def made_with(grid: fm.Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Learning rate, momentum, start and velocity of each run, as `descend` takes them."""
    found: dict[str, list[np.ndarray]] = {}
    for label, values in values_of(grid, np.arange(grid.n_runs)):
        found.setdefault(label.kind, []).append(values)
    start = np.stack(found["start"], axis=-1)
    velocity = np.stack(found["velocity"], axis=-1) if grid.velocity else np.zeros_like(start)
    return *found["lr"], *found["momentum"], start, velocity


def same_bits(one: xr.Dataset, other: xr.Dataset) -> None:
    """Assert that two sets of results agree in every bit."""
    for variable in results(fm.experiment_of(one)):
        a, b = one[variable.name].values, other[variable.name].values
        assert a.dtype == b.dtype
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes(), variable.name
