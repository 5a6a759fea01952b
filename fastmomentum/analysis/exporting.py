"""Results for other programs: tables of runs or of steps, and netCDF files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import xarray as xr

from fastmomentum.analysis.replaying import replay
from fastmomentum.errors import InputError
from fastmomentum.results.dataset import experiment_of, open_results
from fastmomentum.results.netcdf_file import write_netcdf
from fastmomentum.results.parquet_file import require_pyarrow, write_parquet
from fastmomentum.results.selection import (
    Start,
    labels_of,
    require_labels,
    select_at,
    select_start,
    select_velocity,
)
from fastmomentum.results.tables import Steps, Summaries, Table, write_csv
from fastmomentum.specification.numbers import require_flag
from fastmomentum.specification.paths import path_of, require_folder

SUFFIXES: Final = (".csv", ".nc", ".parquet")


class Exported(NamedTuple):
    """What `export` wrote.

    Attributes
    ----------
    path : Path
        The file.
    rows : int
        Rows of a table; runs of a netCDF file.
    said : list of str
        Lines for people: which values were taken for the ones that were asked for.
    """

    path: Path
    rows: int
    said: list[str]


def export(
    results: xr.Dataset | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
    trajectory: bool = False,
    overwrite: bool = False,
) -> Exported:
    """Write results for other programs: all runs, a slice, or trajectories.

    They are read and written in parts, so that memory does not grow with them.

    Parameters
    ----------
    results : path or xarray.Dataset
        A results file, results in memory, or a selection of either.
    path : path
        What to write, by its suffix: ``.csv``, ``.parquet`` (needs pyarrow), or ``.nc``, a netCDF
        file that keeps the experiment: opened with `xarray.open_dataset`, it works with `replay`,
        `select_cell` and pictures.
    lr, momentum : float, optional
        Values to select along these axes: the nearest is taken; all if left out.
    start, velocity : int or (float, float), optional
        Start point and initial velocity, as for `select_cell`; all if left out.
    at : mapping of float, optional
        Values to select along further axes, by name.
    trajectory : bool
        Whether a table has a row for each step, with the loss, instead of one for each run: every
        step of a single cell, which is run again if needed, or the stored steps of several.
    overwrite : bool
        Whether an existing file may be replaced.

    Returns
    -------
    Exported
        The file, its rows, and which cells were taken.

    Raises
    ------
    InputError
        The suffix is unknown, a file is in the way, nothing is recorded, or an argument is wrong.
    FileError
        The results file is damaged, or not one of ours.
    StorageError
        No space or no permission; an existing file is kept.

    Warns
    -----
    OutsideGridWarning
        A value lies outside of the grid's range.

    Examples
    --------
    >>> import tempfile
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective="booth", rule="sgd", steps=10,
    ...     grid=fm.Grid(lr=[0.01, 0.02], start=[(1, 1)])))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = fm.export(ds, f"{folder}/booth.csv", lr=0.02).path
    ...     print(file.read_text().splitlines()[0])
    lr,start,start_x,start_y,status,n_steps,final_x,final_y,final_loss
    """
    require_flag(trajectory, "trajectory")
    require_flag(overwrite, "overwrite")
    path = path_of(path)
    suffix = _place(path, overwrite)
    with contextlib.ExitStack() as stack:
        if isinstance(results, xr.Dataset):
            ds = results
        else:
            source = path_of(results, "results")
            _require_another(source, path)
            ds = stack.enter_context(open_results(source))
        _require_finished(ds)
        asked = {"lr": lr, "momentum": momentum, **(at or {})}
        one = select_at(ds, {name: value for name, value in asked.items() if value is not None})
        one = select_start(one, start)
        one = select_velocity(one, velocity) if velocity is not None else one
        require_labels(one)
        said = _taken(ds, one)
        if trajectory:
            one = _with_steps(one)
        if suffix == ".nc":
            return Exported(path, write_netcdf(one, path), said)
        table: Table = Steps(one) if trajectory else Summaries(one)
        write = write_csv if suffix == ".csv" else write_parquet
        write(table, path)
        return Exported(path, table.rows, said)


def _place(path: Path, overwrite: bool) -> str:
    """Check the file's path, and return its suffix."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        got = repr(path.suffix) if path.suffix else "no suffix"
        raise InputError(f"{path}: the name must end in {', '.join(SUFFIXES)}: got {got}")
    if suffix == ".parquet":
        require_pyarrow()
    require_folder(path)
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it, such as {path / 'out.csv'}")
    if os.path.lexists(path) and not overwrite:
        raise InputError(
            f"{path} exists already; choose another file, or replace it with overwrite=True"
        )
    return suffix


def _require_another(source: Path, path: Path) -> None:
    """Refuse to overwrite the file that is read."""
    with contextlib.suppress(OSError):
        if path.samefile(source):
            raise InputError(f"{path} is the results file itself; choose another file")


def _require_finished(ds: xr.Dataset) -> None:
    experiment_of(ds)  # refuses other data sets
    for name in ("status", "n_steps"):
        if name not in ds:
            raise InputError(f"these results lack {name}; export them before dropping it")
    if ds.n_steps.dtype.kind == "f":
        raise InputError("these results are not finished; run their experiment again")


def _taken(ds: xr.Dataset, one: xr.Dataset) -> list[str]:
    """Values that were selected, along axes that had several."""
    left = {name: np.unique(one[name].values) for name in labels_of(ds)}
    gone = [  # of listed cells, all with one lr or momentum may be taken
        name
        for name, values in left.items()
        if (one[name].ndim < ds[name].ndim or one[name].size < ds[name].size) and values.size == 1
    ]
    if not gone:
        return []
    return ["at " + ", ".join(f"{name} {left[name].item():.6g}" for name in gone)]


def _with_steps(one: xr.Dataset) -> xr.Dataset:
    """The same with trajectories; those of a single cell have every step."""
    if one.status.size > 1:
        if "trajectory" not in one:
            varying = [f"{name} ({one.sizes[name]:,})" for name in one.status.dims]
            raise InputError(
                f"no trajectories are stored, and only one cell can be run again: choose one of "
                f"each {', '.join(map(str, varying))}"
            )
        return one
    plan = experiment_of(one)
    stored = one.step.values if "trajectory" in one else np.empty(0)
    if np.array_equal(stored, np.arange(plan.steps + 1)) and one.trajectory.dtype == np.float64:
        return one
    return replay(one)
