"""Results as labelled data: opening a file safely, and the plan behind them."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.core.indexing import LazilyIndexedArray

from fastmomentum.errors import FileError, InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.fingerprint import digest as digest
from fastmomentum.results.lazy_array import StoredArray
from fastmomentum.schema import Variable, coordinates, observations, results, stored_observations
from fastmomentum.specification.paths import path_of
from fastmomentum.store import manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.bookkeeping import attributes
from fastmomentum.store.journal import DONE, Journal, RunTotals
from fastmomentum.store.paths import existing, require_whole
from fastmomentum.store.untrusted import LackingError, plain_json, require_known


class ResultsBackend(xr.backends.BackendEntrypoint):
    """Lets xarray open results by their manifest, without an HDF5 library."""

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
        sink = BlockFile.of(contents, writable=False)
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
        closing = RunTotals.read(sink)
        if closing is not None:
            said["wall_time"] = closing.seconds
        ds = xr.Dataset(data, labels, said)
        ds.set_close(sink.close)
        return ds


def open_results(path: str | Path, allow_partial: bool = False) -> xr.Dataset:
    """Open a results file.

    Parameters
    ----------
    path : path
        A results file.
    allow_partial : bool
        Whether an unfinished file may be opened: runs that are not done have the status 0 (not
        run) and NaN everywhere else, and the integers n_steps and hit_step become floats.

    Returns
    -------
    xarray.Dataset
        Labelled and lazy: values are read when they are asked for.

    Raises
    ------
    InputError
        There is no such file, or it is not finished.
    FileError
        It is damaged, or not one of our files.
    """
    path = existing(path_of(path))
    return xr.open_dataset(path, engine=ResultsBackend, allow_partial=allow_partial)


def _lazy(variable: Variable, array: StoredArray) -> xr.Variable:
    return xr.Variable(variable.dims, LazilyIndexedArray(array), _said(variable))


def from_memory(
    experiment: Experiment, variables: dict[str, NDArray[Any]], seconds: float
) -> xr.Dataset:
    """Label results in memory, just as those of a file.

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


def experiment_of(ds: xr.Dataset | xr.DataArray) -> Experiment:
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
        The data set is not one of our results.
    """
    if not isinstance(ds, xr.Dataset | xr.DataArray):
        path = isinstance(ds, str | os.PathLike)
        advice = f"; open it with fm.open({str(ds)!r})" if path else ""
        raise InputError(f"results must be a Dataset: got {type(ds).__name__}{advice}")
    if "experiment" not in ds.attrs:
        raise InputError("these data hold no experiment; open a results file with fm.open")
    return _plan(ds.attrs["experiment"], ds.attrs.get("fastmomentum_version"))


def runnable(ds: xr.Dataset) -> Experiment:
    """The plan of results, with everything that is needed to run it again.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.

    Returns
    -------
    Experiment
        With the rows of its data, if batches are drawn from them.

    Raises
    ------
    InputError
        The data set is not one of our results, or has lost the data that batches are drawn from.
    """
    plan = experiment_of(ds)
    if plan.batch is None:
        return plan
    for name in ("data_x", "data_y"):
        if name not in ds:
            raise InputError(
                f"{name} is missing, and batches are drawn from it; keep data_x and data_y"
            )
    return plan.with_observations(ds.data_x.values, ds.data_y.values)


@functools.lru_cache(maxsize=4)  # lists of starts are long
def _plan(text: str, made_with: str | None) -> Experiment:
    try:
        require_known(plain_json(text.encode(errors="replace")), made_with)
    except LackingError as error:
        raise InputError(f"the experiment of these data {error}") from None
    except FileError:
        pass  # the error below says more about text that is not plain JSON
    return Experiment.from_canonical(text)
