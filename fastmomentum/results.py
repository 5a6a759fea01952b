"""Results as labelled data: opening a file safely, choosing cells, replaying runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum import layout
from fastmomentum.errors import InputError
from fastmomentum.experiment import Experiment
from fastmomentum.grid import Grid
from fastmomentum.provenance import provenance
from fastmomentum.schema import (
    CONVENTIONS,
    FORMAT_VERSION,
    Variable,
    coordinates,
    dimensions,
    observations,
    results,
)

Start = int | tuple[float, float]


def open_results(path: str | Path) -> xr.Dataset:
    """Open a results file.

    Parameters
    ----------
    path : path
        A finished file of fastmomentum's.

    Returns
    -------
    xarray.Dataset
        Labelled and lazy: values are read when they are asked for. Close it, or use it in a `with`.

    Raises
    ------
    InputError
        There is no such file, or it is not finished.
    FileError
        It is damaged, or not ours.
    """
    path = Path(path)
    if not path.exists() and (partial := path.with_name(path.name + ".partial")).exists():
        raise InputError(f"{path} is not finished ({partial.name}); run its experiment again")
    layout.read(path)
    return xr.open_dataset(path, engine="h5netcdf")


def from_memory(experiment: Experiment, variables: dict[str, NDArray[Any]]) -> xr.Dataset:
    """Label results that lie in memory, just as a file's would be.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    variables : dict of ndarray
        Results by variable, the run as first axis.

    Returns
    -------
    xarray.Dataset
        Its arrays are views.
    """
    data = {
        v.name: _labelled(v, variables[v.name].reshape(v.shape)) for v in results(experiment)
    }
    data |= {v.name: _labelled(v, v.values) for v in observations(experiment)}
    labels = {v.name: _labelled(v, v.values) for v in coordinates(experiment)}
    attributes = {
        "title": experiment.title,
        "Conventions": CONVENTIONS,
        "format_version": FORMAT_VERSION,
        "experiment": experiment.canonical,
        "experiment_sha256": experiment.sha256,
        "block_runs": np.int64(experiment.block_runs),
        **provenance(),
    }
    return xr.Dataset(data, labels, attributes)


def _labelled(variable: Variable, values: NDArray[Any] | None) -> xr.Variable:
    said = {k: v for k, v in variable.attributes.items() if k != "coordinates"}
    if variable.dtype == "str":
        values = np.asarray(values, str)
    return xr.Variable(variable.dims, values, said)


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

    Returns
    -------
    xarray.Dataset
        Without the grid's dimensions; ``lr``, ``momentum`` and the start are scalar coordinates.

    Raises
    ------
    InputError
        There is no start point of that number, or an argument is no number.
    """
    for name, value in (("lr", lr), ("momentum", momentum)):
        if value is not None and not np.isfinite(value):
            raise InputError(f"{name} must be a number: got {value!r}")
    if lr is not None and lr <= 0:
        raise InputError(f"lr must be positive: got {lr!r}")
    chosen = {"lr": 0, "momentum": 0}
    if lr is not None:
        chosen["lr"] = int(np.abs(np.log(ds.lr.values) - np.log(lr)).argmin())
    if momentum is not None:
        chosen["momentum"] = int(np.abs(ds.momentum.values - momentum).argmin())
    return ds.isel(chosen | _start_index(ds, start))


def _start_index(ds: xr.Dataset, start: Start | None) -> dict[str, int]:
    first, second = (f"start_{name}" for name in ds.parameter.values)
    if "start" in ds.dims:
        number = start
        if isinstance(start, tuple):
            away = (ds[first].values - start[0]) ** 2 + (ds[second].values - start[1]) ** 2
            number = int(away.argmin())
        if number is not None and not 0 <= int(number) < ds.sizes["start"]:  # type: ignore[arg-type]
            raise InputError(
                f"start must be a number from 0 to {ds.sizes['start'] - 1}: got {number}"
            )
        return {"start": int(number or 0)}  # type: ignore[arg-type]
    shape = ds.sizes[first], ds.sizes[second]
    if isinstance(start, tuple):
        return {
            name: int(np.abs(ds[name].values - near).argmin())
            for name, near in zip((first, second), start, strict=True)
        }
    if start is not None and not 0 <= start < shape[0] * shape[1]:
        raise InputError(
            f"start must be a number from 0 to {shape[0] * shape[1] - 1}, or a point: got {start}"
        )
    return dict(zip((first, second), divmod(start or 0, shape[1]), strict=True))


def replay(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    every: int = 1,
) -> xr.Dataset:
    """Run one cell again and keep its whole trajectory: the same bits as in the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results; summaries suffice.
    lr, momentum, start
        Which cell: see `select_cell`.
    every : int
        Keep each so-manieth step.

    Returns
    -------
    xarray.Dataset
        The cell, with ``trajectory`` (step, parameter).

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=[1e-5, 1.5e-5], momentum=[0.5, 0.9], start=[(-5, -5)]))
    >>> ds = fm.run(experiment)
    >>> fm.replay(ds, lr=1.5e-5, momentum=0.9).trajectory.values[-1]
    array([0.95019026, 0.90265616])
    """
    from fastmomentum.runner import run

    cell = select_cell(ds, lr, momentum, start)
    plan = experiment_of(ds)
    point = tuple(float(cell[f"start_{name}"]) for name in plan.objective.parameters)
    has_momentum = plan.grid.momentum is not None
    grid = Grid(
        lr=float(cell.lr), momentum=float(cell.momentum) if has_momentum else None, start=[point]
    )
    fields = {name: getattr(plan, name) for name in ("title", "objective", "rule", "stop", "steps")}
    again = Experiment(grid=grid, record={"every": every}, **fields)
    one = run(again, n_jobs=1)
    return one.isel(dict.fromkeys(dimensions(again), 0))
