"""Lay a results file out: the only use of the HDF5 library, and only in memory.

HDF5 makes the structures and `files` writes them. After `create` they never change, and
fastmomentum reads the file by its manifest, so HDF5 never has to parse a file from elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Variable, coordinates, observations, results
from fastmomentum.store import files, manifest
from fastmomentum.store.bookkeeping import attributes, closing, journal
from fastmomentum.store.sparse_memory_file import SparseMemoryFile
from fastmomentum.store.untrusted import LONGEST_EXPERIMENT

DIMENSION_ONLY: Final = "This is a netCDF dimension but not a netCDF variable."
COORDINATES: Final = "_Netcdf4Coordinates"
"""Attribute that lists a variable's dimensions for netCDF's readers."""


def create(path: Path, experiment: Experiment, blocks: Blocks) -> None:
    """Lay a file out: every variable in its place, coordinates written, results still empty.

    Parameters
    ----------
    path : Path
        File to make; must not exist.
    experiment : Experiment
        The plan.
    blocks : Blocks
        How its runs are cut into blocks.

    Raises
    ------
    InputError
        The experiment's text or its blocks exceed a file's limits, or the rows for batches are
        missing.
    """
    if len(experiment.canonical) > LONGEST_EXPERIMENT:
        raise InputError(
            f"the experiment takes {len(experiment.canonical):,} characters, and a file holds "
            f"{LONGEST_EXPERIMENT:,}; give long axes as linspace, logspace or arange"
        )
    if len(blocks) > manifest.MOST_BLOCKS:
        raise InputError(
            f"{len(blocks):,} blocks are more than the {manifest.MOST_BLOCKS:,} that a file may "
            f"have; run more than {blocks.block_runs:,} runs a block, or make the grid smaller"
        )
    said = attributes(experiment, blocks.block_runs)
    data = observations(experiment)
    if experiment.batch is not None and not data:
        raise InputError(
            "batches need the rows of the data, and this experiment knows their statistics alone; "
            "take it from its file, with fm.load, or open its results"
        )
    written = [*coordinates(experiment), *results(experiment), *journal(len(blocks))]
    variables = [*written, *closing(), *data]
    sheet = SparseMemoryFile()
    with h5py.File(sheet, "w", libver=("v108", "v108"), track_order=True) as file:
        scales = _draw(file, said, variables)
        numbers = [v for v in variables if v.dtype != "str"]
        offsets = {v.name: file[v.name].id.get_offset() for v in numbers}
        text = manifest.text_of(said, offsets)
        length = _create_bare_dimension(file, "manifest_length", len(text))
        length.attrs["_Netcdf4Dimid"] = np.int32(len(scales))
        # Last of all, so that it lies at the end of the file.
        dataset = _create_contiguous(file, "manifest", h5py.h5t.C_S1, (len(text),))
        dataset.dims[0].attach_scale(length)
        _say(dataset, "long_name", "what this file holds and where, sealed; read without HDF5")
        place = dataset.id.get_offset()
    descriptor = files.create(path, sheet.size)
    try:
        _write(descriptor, sheet, numbers, offsets)
        manifest.seal(descriptor, experiment, blocks, text, place)
        empty = [v for v in numbers if v.values is None]
        files.reserve(descriptor, [(offsets[v.name], offsets[v.name] + v.n_bytes) for v in empty])
        files.sync_data(descriptor)
    finally:
        os.close(descriptor)


def create_export(
    path: Path, said: Mapping[str, str | int], variables: Sequence[Variable]
) -> tuple[int, dict[str, int]]:
    """Lay out a plain netCDF file, without the journal and manifest of a results file.

    Parameters
    ----------
    path : Path
        File to make; must not exist.
    said : mapping
        Attributes of the root.
    variables : sequence of Variable
        Coordinates of dimensions first; those with values are written.

    Returns
    -------
    descriptor : int
        The open file; the caller writes the other variables and closes it.
    offsets : dict of int
        Offset of each variable.
    """
    sheet = SparseMemoryFile()
    with h5py.File(sheet, "w", libver=("v108", "v108"), track_order=True) as file:
        _draw(file, said, variables)
        numbers = [v for v in variables if v.dtype != "str"]
        offsets = {v.name: file[v.name].id.get_offset() for v in numbers}
    descriptor = files.create(path, sheet.size)
    try:
        _write(descriptor, sheet, numbers, offsets)
        empty = [v for v in numbers if v.values is None and v.n_bytes]
        files.reserve(descriptor, [(offsets[v.name], offsets[v.name] + v.n_bytes) for v in empty])
        files.write_at(descriptor, manifest.EXPORTED, sheet.size)  # HDF5 reads no further
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, offsets


def _draw(
    file: h5py.File, said: Mapping[str, Any], variables: Sequence[Variable]
) -> dict[str, h5py.Dataset]:
    """Create attributes and variables; return the dimensions."""
    for name, value in said.items():
        _say(file, name, value)
    scales: dict[str, h5py.Dataset] = {}
    for variable in variables:
        dataset = _create_variable(file, variable)
        if variable.dims == (variable.name,):
            dataset.make_scale(variable.name)
            scales[variable.name] = dataset
    texts = [v for v in variables if v.dtype == "str"]
    bare = {d: n for v in variables for d, n in zip(v.dims, v.shape, strict=True)}
    bare = {name: n for name, n in bare.items() if name not in scales}
    for name, length in (bare | {_length_of(v): _longest(v) for v in texts}).items():
        scales[name] = _create_bare_dimension(file, name, length)
    # netCDF's readers number the dimensions by this attribute.
    for number, dataset in enumerate(scales.values()):
        dataset.attrs["_Netcdf4Dimid"] = np.int32(number)
    numbers_of = {name: number for number, name in enumerate(scales)}
    for variable in texts:
        dims = (*variable.dims, _length_of(variable))
        file[variable.name].attrs[COORDINATES] = np.array(
            [numbers_of[dim] for dim in dims], np.int32
        )
    for variable in variables:
        if variable.name not in scales:
            for axis, dimension in enumerate(variable.dims):
                file[variable.name].dims[axis].attach_scale(scales[dimension])
    return scales


def _write(
    descriptor: int, sheet: SparseMemoryFile, numbers: Sequence[Variable], offsets: dict[str, int]
) -> None:
    """Write the structures, and the values that are known."""
    for offset, page in sheet.pages():
        files.write_at(descriptor, page, offset)
    for variable in numbers:
        if variable.values is not None:
            values = np.ascontiguousarray(variable.values, variable.dtype)
            files.write_at(descriptor, values.data, offsets[variable.name])


def _create_variable(file: h5py.File, variable: Variable) -> h5py.Dataset:
    if variable.dtype == "str":
        # Characters along a dimension of their own: many readers support no other text.
        encoded = np.char.encode(np.asarray(variable.values, str), "utf-8")
        letters = encoded.view("S1").reshape(*variable.shape, _longest(variable))
        dataset = file.create_dataset(variable.name, data=letters)
        _say(dataset, "_Encoding", "utf-8")
    else:
        kind = h5py.h5t.py_create(np.dtype(variable.dtype), logical=True)
        dataset = _create_contiguous(file, variable.name, kind, variable.shape)
    for name, value in variable.attributes.items():
        _say(dataset, name, value)
    return dataset


def _length_of(variable: Variable) -> str:
    """The dimension along which the characters of a text lie."""
    return f"{variable.name}_length"


def _longest(variable: Variable) -> int:
    """Bytes of the longest text, at least one."""
    texts = np.ravel(np.asarray(variable.values)).tolist()
    return max(len(str(text).encode()) for text in ["x", *texts])


def _say(place: h5py.File | h5py.Dataset, name: str, value: Any) -> None:
    """Set an attribute; text as a fixed number of characters, which netCDF calls NC_CHAR.

    CF does not count text of variable length, NC_STRING, as text; many readers skip it or fail.
    """
    if isinstance(value, int):
        value = np.int32(value) if value < 2**31 else np.int64(value)
    if not isinstance(value, str):
        place.attrs[name] = value
    elif value:
        text = value.encode()
        place.attrs.create(name, text, dtype=h5py.string_dtype("utf-8", len(text)))
    else:  # HDF5 has no text of length zero; netCDF's own library writes this
        place.attrs.create(name, h5py.Empty("S1"))


def _create_contiguous(
    file: h5py.File, name: str, kind: h5py.h5t.TypeID, shape: tuple[int, ...]
) -> h5py.Dataset:
    """A contiguous data set whose bytes are allocated now and never filled by HDF5."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_layout(h5py.h5d.CONTIGUOUS)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    return h5py.Dataset(h5py.h5d.create(file.id, name.encode(), kind, space, settings))


def _create_bare_dimension(file: h5py.File, name: str, length: int) -> h5py.Dataset:
    """A dimension without labels, in netCDF-4's way: a data set that is never written."""
    dataset = file.create_dataset(name, (length,), ">f4")
    dataset.make_scale(f"{DIMENSION_ONLY}{length:10d}")
    return dataset
