"""Results as labelled data: opening a file safely, choosing cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.core.indexing import LazilyIndexedArray

from fastmomentum import manifest
from fastmomentum.digest import digest as digest
from fastmomentum.errors import InputError
from fastmomentum.experiment import Experiment
from fastmomentum.journal import DONE, Closing, Journal
from fastmomentum.lazy import StoredArray
from fastmomentum.outputs import existing, require_whole
from fastmomentum.schema import (
    Variable,
    attributes,
    coordinates,
    observations,
    results,
    stored_observations,
)
from fastmomentum.sinks import FileSink

Start = int | tuple[float, float]


class ResultsBackend(xr.backends.BackendEntrypoint):
    """Lets xarray open results by their manifest, with no HDF5 library."""

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Any = None,
        allow_partial: bool = False,
    ) -> xr.Dataset:
        """Open a results file; see `open_results`."""
        contents = manifest.read(Path(filename_or_obj))
        experiment, path = contents.experiment, contents.path
        sink = FileSink.of(contents, writable=False)
        done = Journal(sink).flags() == DONE
        if not allow_partial:
            require_whole(path, done)
        mask = None if done.all() else done
        data = {v.name: _lazy(v, StoredArray(sink, v, mask)) for v in results(experiment)}
        for v in stored_observations(experiment):
            if v.name in sink.offsets:
                data[v.name] = _lazy(v, StoredArray(sink, v))
        labels = {v.name: _labelled(v, v.values) for v in coordinates(experiment)}
        said: dict[str, Any] = dict(contents.attributes)
        closing = Closing.read(sink)
        if closing is not None:
            said["wall_time"] = closing.seconds
        return xr.Dataset(data, labels, said)


def open_results(path: str | Path, allow_partial: bool = False) -> xr.Dataset:
    """Open a results file.

    Parameters
    ----------
    path : path
        A file of fastmomentum's.
    allow_partial : bool
        Whether an unfinished file may be opened: then the runs not done have the status 0
        (not run) and NaN everywhere else, and the integers n_steps and hit_step become floats.

    Returns
    -------
    xarray.Dataset
        Labelled and lazy: values are read when they are asked for.

    Raises
    ------
    InputError
        There is no such file, or it is not finished.
    FileError
        It is damaged, or not ours.
    """
    path = existing(Path(path))
    return xr.open_dataset(path, engine=ResultsBackend, allow_partial=allow_partial)


def _lazy(variable: Variable, array: StoredArray) -> xr.Variable:
    return xr.Variable(variable.dims, LazilyIndexedArray(array), _said(variable))


def from_memory(
    experiment: Experiment, variables: dict[str, NDArray[Any]], seconds: float
) -> xr.Dataset:
    """Label results that lie in memory, just as a file's would be.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    variables : dict of ndarray
        Results by variable, the run as first axis.
    seconds : float
        Time that the runs took.

    Returns
    -------
    xarray.Dataset
        Its arrays are views.
    """
    data = {v.name: _labelled(v, variables[v.name].reshape(v.shape)) for v in results(experiment)}
    data |= {v.name: _labelled(v, v.values) for v in observations(experiment)}
    labels = {v.name: _labelled(v, v.values) for v in coordinates(experiment)}
    said = {**attributes(experiment, experiment.block_runs), "wall_time": seconds}
    return xr.Dataset(data, labels, said)


def _said(variable: Variable) -> dict[str, Any]:
    return {k: v for k, v in variable.attributes.items() if k != "coordinates"}


def _labelled(variable: Variable, values: NDArray[Any] | None) -> xr.Variable:
    if variable.dtype == "str":
        values = np.asarray(values, str)
    return xr.Variable(variable.dims, values, _said(variable))


def experiment_of(ds: xr.Dataset) -> Experiment:
    """The plan that results were made from.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.

    Returns
    -------
    Experiment
        As it was run.

    Raises
    ------
    InputError
        The data set is none of ours.
    """
    if "experiment" not in ds.attrs:
        raise InputError("these data hold no experiment; open a results file with fm.open")
    return Experiment.from_canonical(ds.attrs["experiment"])


def select_cell(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    velocity: Start | None = None,
) -> xr.Dataset:
    """The cell of the grid nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    lr, momentum : float, optional
        What to come near to; the first of the axis where left out. Learning rates are compared
        by their ratio.
    start : int or (float, float), optional
        Number of a start point, or coordinates to come near to; the first where left out.
    velocity : int or (float, float), optional
        An initial velocity in the same way, where the grid has some.

    Returns
    -------
    xarray.Dataset
        Without the grid's dimensions; ``lr``, ``momentum``, the start and the initial velocity are
        scalar coordinates.

    Raises
    ------
    InputError
        There is no start point or velocity of that number, or an argument is no number.
    """
    for name, value in (("lr", lr), ("momentum", momentum)):
        if value is not None and not np.isfinite(value):
            raise InputError(f"{name} must be a number: got {value!r}")
    if lr is not None and lr <= 0:
        raise InputError(f"lr must be positive: got {lr!r}")
    chosen = {"lr": 0, "momentum": 0}
    if lr is not None:
        chosen["lr"] = int(np.abs(np.log(np.atleast_1d(ds.lr.values)) - np.log(lr)).argmin())
    if momentum is not None:
        chosen["momentum"] = int(np.abs(np.atleast_1d(ds.momentum.values) - momentum).argmin())
    chosen |= _index(ds, "start", start)
    return select_velocity(ds.isel({k: i for k, i in chosen.items() if k in ds.dims}), velocity)


def select_velocity(ds: xr.Dataset, velocity: Start | None = None) -> xr.Dataset:
    """The initial velocity nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    velocity : int or (float, float), optional
        Number of an initial velocity, or components to come near to; the first where left out.

    Returns
    -------
    xarray.Dataset
        Without dimensions of velocities; as it is where all runs start at rest.

    Raises
    ------
    InputError
        There is no initial velocity of that number, or there are none at all.
    """
    if not _has_velocities(ds):
        if velocity not in (None, 0, (0.0, 0.0)):
            raise InputError(f"all runs start at rest: got the velocity {velocity}; leave it out")
        return ds
    chosen = _index(ds, "velocity", velocity)
    return ds.isel({name: index for name, index in chosen.items() if name in ds.dims})


def _has_velocities(ds: xr.Dataset) -> bool:
    return f"velocity_{ds.parameter.values[0]}" in ds.coords


def _index(ds: xr.Dataset, kind: str, wanted: Start | None) -> dict[str, int]:
    """Indices of a start point or an initial velocity, also where it was selected before."""
    names = [f"{kind}_{name}" for name in ds.parameter.values]
    first, second = (np.atleast_1d(ds[name].values) for name in names)
    is_mesh = kind not in ds.coords
    if isinstance(wanted, tuple):
        away = np.abs(first - wanted[0]), np.abs(second - wanted[1])
        if is_mesh:
            return {name: int(far.argmin()) for name, far in zip(names, away, strict=True)}
        return {kind: int(np.hypot(*away).argmin())}
    number, size = wanted or 0, first.size * second.size if is_mesh else first.size
    if not 0 <= number < size:
        point = ", or a point" if is_mesh else ""
        raise InputError(f"{kind} must be a number from 0 to {size - 1}{point}: got {number}")
    if is_mesh:
        return dict(zip(names, divmod(number, second.size), strict=True))
    return {kind: number}


def one_cell(ds: xr.Dataset, cell: xr.Dataset) -> dict[str, list[tuple[float, ...]]]:
    """Start and initial velocity of a cell, as the fields of a grid.

    Parameters
    ----------
    ds, cell : xarray.Dataset
        Results, and one cell of them, from `select_cell`.

    Returns
    -------
    dict of list
        ``start`` and, where the grid has initial velocities, ``velocity``: a point each.
    """
    kinds = ("start", "velocity") if _has_velocities(ds) else ("start",)
    names = ds.parameter.values
    return {kind: [tuple(float(cell[f"{kind}_{name}"]) for name in names)] for kind in kinds}
