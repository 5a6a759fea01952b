"""Results of a file as xarray's labelled data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from xarray.backends import BackendArray, BackendEntrypoint
from xarray.core import indexing

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.labelled import Labelled
from fastmomentum.results.lazy_array import StoredArray
from fastmomentum.results.stored import (
    StoredResults,
    StoredVariable,
    attributes_of,
    open_stored,
    values_of,
)
from fastmomentum.schema import Variable, coordinates, observations, results
from fastmomentum.specification.numbers import number
from fastmomentum.store.bookkeeping import attributes
from fastmomentum.text import kind_of


class ResultsBackend(BackendEntrypoint):
    """Lets xarray open results by their manifest, with no HDF5 library."""

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Any = None,
        allow_partial: bool = False,
    ) -> xr.Dataset:
        """Open a results file; see `open_results`."""
        stored = open_stored(filename_or_obj, allow_partial)
        ds = as_dataset(stored)
        ds.set_close(stored.close)
        return ds


def as_dataset(labelled: Labelled) -> xr.Dataset:
    """Results as a data set of xarray; what is one already comes back as it is.

    Parameters
    ----------
    labelled : xarray.Dataset or StoredResults
        Opened, or a selection.

    Returns
    -------
    xarray.Dataset
        Lazy where the results are; the file stays theirs to close.
    """
    if isinstance(labelled, xr.Dataset):
        return labelled
    assert isinstance(labelled, StoredResults)
    data, labels = (
        {name: _variable(variable) for name, variable in part.items()}
        for part in (labelled.data_vars, labelled.coords)
    )
    return xr.Dataset(data, labels, labelled.attrs)


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

    Raises
    ------
    InputError
        The plan is no experiment, or a variable lacks or has another size.
    """
    if not isinstance(experiment, Experiment):
        raise InputError(f"experiment must be an fm.Experiment: got {kind_of(experiment)}")
    for v in results(experiment):
        given = variables.get(v.name) if isinstance(variables, dict) else None
        if not isinstance(given, np.ndarray) or given.size != math.prod(v.shape):
            raise InputError(
                f"variables must hold an array {v.name} of {math.prod(v.shape):,} values: got "
                f"{given.size if isinstance(given, np.ndarray) else kind_of(given)}"
            )
    seconds = number(seconds, "seconds")
    data = {v.name: _named(v, variables[v.name].reshape(v.shape)) for v in results(experiment)}
    data |= {v.name: _named(v, values_of(v)) for v in observations(experiment)}
    labels = {v.name: _named(v, values_of(v)) for v in coordinates(experiment)}
    attrs = {**attributes(experiment, experiment.block_runs), "wall_time": seconds}
    return xr.Dataset(data, labels, attrs)


def _named(variable: Variable, values: NDArray[Any]) -> xr.Variable:
    return xr.Variable(variable.dims, values, attributes_of(variable))


class _LazyArray(BackendArray):
    """A stored array as xarray indexes it."""

    def __init__(self, array: StoredArray) -> None:
        self.shape, self.dtype, self._array = array.shape, array.dtype, array

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Values at a key, as xarray asks for them."""
        if isinstance(key, indexing.OuterIndexer):  # xarray before 2026 fails where none is chosen
            chosen = [np.arange(n)[k] for n, k in zip(self.shape, key.tuple, strict=True)]
            if not all(one.size for one in chosen):
                return np.empty([one.size for one in chosen if one.ndim], self.dtype)
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._array.read
        )


def _variable(stored: StoredVariable) -> xr.Variable:
    if not isinstance(stored.array, StoredArray):
        return xr.Variable(stored.dims, stored.values, stored.attrs)
    whole = indexing.LazilyIndexedArray(_LazyArray(stored.array))
    return xr.Variable(stored.names, whole, stored.attrs)[stored.key]
