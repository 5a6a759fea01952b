"""The variables of a results file: names, dimensions, types and attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.labels import Label
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.experiment.plan import Experiment
from fastmomentum.status import Status


@dataclass(frozen=True)
class Variable:
    """One array of the file.

    Attributes
    ----------
    name : str
        Its name.
    dims : tuple of str
        Names of its dimensions.
    shape : tuple of int
        Their sizes.
    dtype : str
        NumPy's type code, little-endian; "str" for text.
    attributes : dict
        Its attributes in the file.
    values : ndarray, optional
        Its values, where they are known before the run.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    attributes: dict[str, Any] = field(default_factory=dict)
    values: NDArray[Any] | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of its data, in Python integers, which do not overflow."""
        size = 16 if self.dtype == "str" else np.dtype(self.dtype).itemsize
        for length in self.shape:
            size *= length
        return size


def dimensions(experiment: Experiment) -> tuple[str, ...]:
    """Names of the grid's dimensions, in order."""
    return tuple(experiment.grid.axes)


def coordinates(experiment: Experiment) -> list[Variable]:
    """Coordinates of the axes, with their values.

    Parameters
    ----------
    experiment : Experiment
        The plan.

    Returns
    -------
    list of Variable
        Coordinates of dimensions first.
    """
    labels = {label.name: label for label in experiment.labels}
    targets = np.array(experiment.stop.targets)
    found = [
        _axis(name, values, _meaning(experiment, labels.get(name), name))
        for name, values in experiment.grid.axes.items()
    ]
    found.append(
        Variable(
            "parameter",
            ("parameter",),
            (2,),
            "str",
            {"long_name": "parameter of the objective"},
            np.array(experiment.objective.parameters, dtype=object),
        )
    )
    if targets.size:
        found.append(_axis("target", targets, "target on the loss above its minimum"))
    if experiment.record is not None:
        found.append(_axis("step", experiment.recorded, "updates made"))
    return found + [
        _axis(label.name, label.values, _meaning(experiment, label, label.name), label.axis)
        for label in _beside(experiment)
    ]


def _beside(experiment: Experiment) -> list[Label]:
    """Labels of listed points, which are not dimensions themselves."""
    return [label for label in experiment.labels if label.axis != label.name]


_PLACES: Final = {"start": "start point", "velocity": "initial velocity"}


def _meaning(experiment: Experiment, label: Label | None, axis: str) -> str:
    """Describe a label; without one, the axis numbers cells or listed points."""
    if axis == CELL:
        return "number of the cell, of learning rates x momenta"
    if label is None:
        return f"number of the {_PLACES[axis]}"
    if label.kind in NAMED:
        return NAMED[label.kind].meaning(experiment.parts[label.kind], label.what)
    if label.kind in _PLACES:
        return f"{label.what} of the {_PLACES[label.kind]}"
    words = {"seed": "seed of what is random", "lr": "learning rate", "momentum": "momentum"}
    return words[label.kind]


def _axis(name: str, values: NDArray[Any], long_name: str, dim: str | None = None) -> Variable:
    label = {"long_name": long_name, "units": "1"}
    code = "<f8" if values.dtype.kind == "f" else "<i8"
    return Variable(name, (dim or name,), values.shape, code, label, values)


def _flags() -> dict[str, Any]:
    """Status codes as CF's flag attributes."""
    return {
        "flag_values": np.array([int(status) for status in Status], "u1"),
        "flag_meanings": " ".join(status.name.lower() for status in Status),
    }


_SAID: Final[dict[str, dict[str, Any]]] = {
    "status": {"long_name": "how the run ended", **_flags()},
    "n_steps": {"long_name": "updates made", "units": "1"},
    "hit_step": {
        "long_name": "first step at which the target was met, -1 for never", "units": "1"
    },
    "final": {"long_name": "point at the end", "units": "1"},
    "final_loss": {"long_name": "loss at the end", "units": "1"},
    "n_restarts": {"long_name": "restarts made", "units": "1"},
    "trajectory": {
        "long_name": "point at each recorded step, NaN after the end", "units": "1"
    },
}  # fmt: skip
"""Attributes of each result."""


def results(experiment: Experiment) -> list[Variable]:
    """Variables that the runs write; a block is a contiguous range of bytes in each.

    Parameters
    ----------
    experiment : Experiment
        The plan.

    Returns
    -------
    list of Variable
        In the order in which a block's checksum covers them.
    """
    grid, beside = experiment.grid, " ".join(label.name for label in _beside(experiment))
    where = {"coordinates": beside} if beside else {}
    return [
        Variable(
            one.name,
            (*grid.axes, *one.dims),
            (*grid.shape, *one.shape),
            one.dtype,
            {**_SAID[one.name], **where},
        )
        for one in experiment.outcomes
    ]


def observations(experiment: Experiment) -> list[Variable]:
    """The data of a regression, so that results can be plotted without the data file."""
    data = experiment.objective.observations()
    if data is None:
        return []
    return [_observed(axis, values.size, values) for axis, values in zip("xy", data, strict=True)]


def stored_observations(experiment: Experiment) -> list[Variable]:
    """The same without values, for an experiment read from a file, which has statistics alone."""
    statistics = getattr(experiment.objective, "statistics", None)
    return [] if statistics is None else [_observed(axis, statistics.points) for axis in "xy"]


def _observed(axis: str, size: int, values: NDArray[Any] | None = None) -> Variable:
    label = {"long_name": {"x": "regressor", "y": "response"}[axis]}
    return Variable(f"data_{axis}", ("observation",), (size,), "<f8", label, values)


Arrays = dict[str, NDArray[Any]]


def block_arrays(experiment: Experiment, n_runs: int) -> Arrays:
    """Empty arrays for the results of some runs, by variable; the run is the first axis.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    n_runs : int
        How many runs.

    Returns
    -------
    dict of ndarray
        In the order of the checksum.
    """
    return {one.name: np.empty((n_runs, *one.shape), one.dtype) for one in experiment.outcomes}


def tail(experiment: Experiment, variable: Variable) -> tuple[int, ...]:
    """Sizes of a variable's dimensions beyond the grid's."""
    return variable.shape[len(experiment.grid.axes) :]


def bytes_a_run(experiment: Experiment) -> dict[str, int]:
    """Bytes per run, by variable, in the order of the checksum."""
    return {one.name: one.n_bytes for one in experiment.outcomes}
