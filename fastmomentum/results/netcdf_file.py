"""Selections of results as separate netCDF files, which keep the experiment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from fastmomentum.errors import StorageError
from fastmomentum.experiment.blocks import Box, cut
from fastmomentum.results.dataset import experiment_of
from fastmomentum.schema import Variable, coordinates, results, stored_observations
from fastmomentum.store import files
from fastmomentum.store.whole_file import replacing
from fastmomentum.text import in_units

BYTES_AT_ONCE = 2**23
"""Bytes of a variable in memory at a time; a single trajectory may exceed it."""


def write_netcdf(ds: xr.Dataset, path: Path) -> int:
    """Write results, or a selection of them, as netCDF.

    Parameters
    ----------
    ds : xarray.Dataset
        Results; lazy ones are read in parts.
    path : Path
        The file; it is written whole or not at all.

    Returns
    -------
    int
        How many runs.

    Raises
    ------
    StorageError
        There is no space, or it cannot be written.
    """
    variables = [*_labels(ds), *_values(ds)]
    said = {name: value for name, value in ds.attrs.items() if isinstance(value, str)}
    said |= {name: int(v) for name, v in ds.attrs.items() if isinstance(v, int | np.integer)}
    needed = sum(v.n_bytes for v in variables)
    free = files.free_bytes(path.parent)
    if needed > free:
        raise StorageError(
            f"{path}: the slice takes {in_units(needed)}, and {in_units(free)} are free on that "
            "disk; choose fewer cells, or another disk"
        )
    from fastmomentum.store import layout  # imports HDF5

    with replacing(path) as partial:
        descriptor, offsets = layout.create_export(partial, said, variables)
        try:
            for variable in variables:
                place = offsets.get(variable.name, 0)
                for box in _boxes(variable) if variable.values is None else ():
                    here = ds[variable.name].isel(dict(zip(variable.dims, box, strict=True)))
                    data = np.ascontiguousarray(here.values, variable.dtype)
                    files.write_at(descriptor, data.reshape(-1).view(np.uint8).data, place)
                    files.begin_writing_back(descriptor, place, data.nbytes)
                    place += data.nbytes
        finally:
            os.close(descriptor)
    return int(ds.status.size)


def _boxes(variable: Variable) -> Iterator[Box]:
    if variable.n_bytes:
        yield from cut(variable.shape, max(1, BYTES_AT_ONCE // np.dtype(variable.dtype).itemsize))


def _labels(ds: xr.Dataset) -> list[Variable]:
    """Coordinates of dimensions first, then those along them, then single values."""
    found = []
    for v in coordinates(experiment_of(ds)):
        if v.name in ds.coords:
            one = ds[v.name]
            dims = tuple(map(str, one.dims))
            found.append(
                Variable(v.name, dims, one.shape, v.dtype, v.attributes, np.asarray(one.values))
            )
    return sorted(found, key=lambda v: v.dims != (v.name,))


def _values(ds: xr.Dataset) -> list[Variable]:
    plan = experiment_of(ds)
    beside = [v.name for v in _labels(ds) if v.dims != (v.name,)]
    found = []
    for v in (*results(plan), *stored_observations(plan)):
        if v.name not in ds:
            continue
        one = ds[v.name]
        dims = tuple(map(str, one.dims))
        said = {k: value for k, value in v.attributes.items() if k != "coordinates"}
        along = [n for n in beside if not ds[n].dims or set(ds[n].dims) <= set(one.dims)]
        if along and "observation" not in dims:
            said["coordinates"] = " ".join(along)
        found.append(Variable(v.name, dims, one.shape, v.dtype, said))
    return found
