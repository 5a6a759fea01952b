"""The variables of a results file: names, dimensions, types, and what to say of each."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        NumPy's code, little-endian; "str" for text.
    attributes : dict
        What the file says of it.
    values : ndarray, optional
        Its values, where they are known beforehand.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    attributes: dict[str, Any] = field(default_factory=dict)
    values: NDArray[Any] | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of its data; Python integers, which do not overflow."""
        size = 16 if self.dtype == "str" else np.dtype(self.dtype).itemsize
        for length in self.shape:
            size *= length
        return size


@dataclass(frozen=True)
class _Places:
    """Start points or initial velocities: a dimension of their numbers, or two of a mesh."""

    name: str
    what: str
    parameters: tuple[str, str]
    axes: tuple[NDArray[np.float64], NDArray[np.float64]]
    is_mesh: bool

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of their coordinates."""
        return tuple(f"{self.name}_{parameter}" for parameter in self.parameters)

    @property
    def dims(self) -> tuple[str, ...]:
        """Names of their dimensions."""
        return self.labels if self.is_mesh else (self.name,)

    def along(self) -> list[Variable]:
        """Coordinates of their dimensions."""
        if self.is_mesh:
            return self._labelled(self.labels)
        number = np.arange(self.axes[0].size, dtype="<i8")
        return [_axis(self.name, number, f"number of the {self.what}")]

    def beside(self) -> list[Variable]:
        """Coordinates of points that are listed."""
        return [] if self.is_mesh else self._labelled((self.name, self.name))

    def _labelled(self, dims: tuple[str, ...]) -> list[Variable]:
        named = zip(self.labels, dims, self.parameters, self.axes, strict=True)
        return [
            _axis(label, values, f"{parameter} of the {self.what}", dim)
            for label, dim, parameter, values in named
        ]


def _places(experiment: Experiment) -> list[_Places]:
    """What else a run starts from than its settings, in the grid's order."""
    grid, parameters = experiment.grid, experiment.objective.parameters
    found = [_Places("start", "start point", parameters, grid.start_axes, grid.is_mesh)]
    if grid.velocity is not None:
        axes, is_mesh = grid.velocity_axes, grid.is_velocity_mesh
        found.append(_Places("velocity", "initial velocity", parameters, axes, is_mesh))
    return found


def dimensions(experiment: Experiment) -> tuple[str, ...]:
    """Names of the grid's dimensions, in order."""
    return ("lr", "momentum", *(dim for places in _places(experiment) for dim in places.dims))


def coordinates(experiment: Experiment) -> list[Variable]:
    """What labels the axes, with values.

    Parameters
    ----------
    experiment : Experiment
        The plan.

    Returns
    -------
    list of Variable
        Coordinates of dimensions first.
    """
    grid, places = experiment.grid, _places(experiment)
    targets = np.array(experiment.stop.targets)
    found = [
        _axis("lr", grid.lr.points, "learning rate"),
        _axis("momentum", grid.momenta, "momentum"),
        *(variable for kind in places for variable in kind.along()),
        Variable(
            "parameter",
            ("parameter",),
            (2,),
            "str",
            {"long_name": "parameter of the objective"},
            np.array(experiment.objective.parameters, dtype=object),
        ),
    ]
    if targets.size:
        found.append(_axis("target", targets, "target on the loss above its minimum"))
    if experiment.record is not None:
        found.append(_axis("step", experiment.recorded, "updates made"))
    return found + [variable for kind in places for variable in kind.beside()]


def _axis(name: str, values: NDArray[Any], long_name: str, dim: str | None = None) -> Variable:
    label = {"long_name": long_name, "units": "1"}
    code = "<f8" if values.dtype.kind == "f" else "<i8"
    return Variable(name, (dim or name,), values.shape, code, label, values)


def _flags() -> dict[str, Any]:
    """The states of a run in CF's words."""
    return {
        "flag_values": np.array([int(status) for status in Status], "u1"),
        "flag_meanings": " ".join(status.name.lower() for status in Status),
    }


def results(experiment: Experiment) -> list[Variable]:
    """What the runs write; a block is a contiguous range of bytes in each.

    Parameters
    ----------
    experiment : Experiment
        The plan.

    Returns
    -------
    list of Variable
        In the order in which a block's checksum goes over them.
    """
    dims, shape = dimensions(experiment), experiment.grid.shape
    beside = [label for kind in _places(experiment) if not kind.is_mesh for label in kind.labels]
    where = {"coordinates": " ".join(beside)} if beside else {}
    n_targets = len(experiment.stop.targets)
    flags = {"long_name": "how the run ended", **_flags(), **where}
    found = [
        Variable("status", dims, shape, "|u1", flags),
        Variable(
            "n_steps", dims, shape, "<i4", {"long_name": "updates made", "units": "1", **where}
        ),
    ]
    if n_targets:
        hit = {"long_name": "first step at which the target was met, -1 for never", "units": "1"}
        found.append(
            Variable("hit_step", (*dims, "target"), (*shape, n_targets), "<i4", {**hit, **where})
        )
    found.append(
        Variable(
            "final",
            (*dims, "parameter"),
            (*shape, 2),
            "<f8",
            {"long_name": "point at the end", "units": "1", **where},
        )
    )
    loss = {"long_name": "loss at the end", "units": "1", **where}
    found.append(Variable("final_loss", dims, shape, "<f8", loss))
    if experiment.rule.restart is not None:
        restarts = {"long_name": "restarts made", "units": "1", **where}
        found.append(Variable("n_restarts", dims, shape, "<i4", restarts))
    if experiment.record is not None:
        code = np.dtype(experiment.record.dtype).newbyteorder("<").str
        path = {"long_name": "point at each recorded step, NaN after the end", "units": "1"}
        found.append(
            Variable(
                "trajectory",
                (*dims, "step", "parameter"),
                (*shape, experiment.recorded.size, 2),
                code,
                {**path, **where},
            )
        )
    return found


def observations(experiment: Experiment) -> list[Variable]:
    """The data of a regression, so that the file can be drawn without its source."""
    data = experiment.objective.observations()
    if data is None:
        return []
    return [_observed(axis, values.size, values) for axis, values in zip("xy", data, strict=True)]


def stored_observations(experiment: Experiment) -> list[Variable]:
    """The same without values, as a file may hold them whose experiment knows no data any more."""
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
    return {v.name: np.empty((n_runs, *tail(experiment, v)), v.dtype) for v in results(experiment)}


def tail(experiment: Experiment, variable: Variable) -> tuple[int, ...]:
    """Sizes of a variable's dimensions beyond the grid's."""
    return variable.shape[len(experiment.grid.shape) :]


def bytes_a_run(experiment: Experiment) -> dict[str, int]:
    """Bytes that one run takes, by variable, in the order of the checksum."""
    return {
        v.name: np.dtype(v.dtype).itemsize * math.prod(tail(experiment, v))
        for v in results(experiment)
    }
