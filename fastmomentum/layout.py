"""Laying a results file out; the only place where HDF5 itself touches one.

After `create` HDF5's own structures never change, and fastmomentum reads the file by its manifest:
no HDF5 library ever has to trust a file that came from elsewhere.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import h5py
import numpy as np

from fastmomentum import files, manifest
from fastmomentum.errors import InputError
from fastmomentum.experiment import Experiment
from fastmomentum.grid import Blocks
from fastmomentum.schema import (
    Variable,
    attributes,
    closing,
    coordinates,
    journal,
    observations,
    results,
)
from fastmomentum.trust import LONGEST_EXPERIMENT

DIMENSION_ONLY: Final = "This is a netCDF dimension but not a netCDF variable."
TEXT: Final = h5py.string_dtype()


def expected_bytes(experiment: Experiment, block_runs: int | None = None) -> int:
    """Bytes that the file of an experiment takes, to within its few kilobytes of structure."""
    blocks = experiment.blocks(block_runs)
    known = [*coordinates(experiment), *results(experiment), *observations(experiment)]
    text = 3 * len(experiment.canonical)  # as attribute and, escaped, in the manifest
    return 32_768 + text + sum(v.n_bytes for v in known) + 9 * len(blocks)


def create(path: Path, experiment: Experiment, blocks: Blocks) -> None:
    """Lay a file out: every variable in its place, coordinates filled, results still to come.

    Parameters
    ----------
    path : Path
        File to make; must not exist.
    experiment : Experiment
        The plan.
    blocks : Blocks
        How its runs are cut.

    Raises
    ------
    InputError
        The experiment's text is longer than a file may hold.
    """
    if len(experiment.canonical) > LONGEST_EXPERIMENT:
        raise InputError(
            f"the experiment takes {len(experiment.canonical):,} characters, and a file holds "
            f"{LONGEST_EXPERIMENT:,}; give long axes as linspace, logspace or arange"
        )
    said = attributes(experiment, blocks.block_runs)
    with h5py.File(path, "x", libver=("v108", "v108"), track_order=True) as file:
        for name, value in said.items():
            file.attrs[name] = np.int64(value) if isinstance(value, int) else value
        data = observations(experiment)
        written = [*coordinates(experiment), *results(experiment), *journal(len(blocks))]
        variables, scales = [*written, *closing(), *data], {}
        for variable in variables:
            dataset = _create_variable(file, variable)
            if variable.values is not None:
                dataset[...] = variable.values
            if variable.dims == (variable.name,):
                dataset.make_scale(variable.name)
                scales[variable.name] = dataset
        bare = {"block": len(blocks)} | ({"observation": data[0].shape[0]} if data else {})
        for name, length in bare.items():
            scales[name] = _create_bare_dimension(file, name, length)
        # netCDF's readers number the dimensions by this attribute.
        for number, dataset in enumerate(scales.values()):
            dataset.attrs["_Netcdf4Dimid"] = np.int32(number)
        for variable in variables:
            if variable.name not in scales:
                for axis, dimension in enumerate(variable.dims):
                    file[variable.name].dims[axis].attach_scale(scales[dimension])
        offsets = {v.name: file[v.name].id.get_offset() for v in variables if v.dtype != "str"}
        text = manifest.text_of(said, offsets)
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(len(text))
        # Last of all, so that its bytes are the file's last.
        dataset = _create_contiguous(file, "manifest", kind, ())
        dataset.attrs["long_name"] = "what this file holds and where, sealed; read without HDF5"
        place = dataset.id.get_offset()
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        manifest.seal(descriptor, experiment, blocks, text, place)
        empty = [v for v in variables if v.values is None]
        files.reserve(descriptor, [(offsets[v.name], offsets[v.name] + v.n_bytes) for v in empty])
        files.sync_data(descriptor)
    finally:
        os.close(descriptor)


def _create_variable(file: h5py.File, variable: Variable) -> h5py.Dataset:
    if variable.dtype == "str":
        dataset = file.create_dataset(variable.name, variable.shape, TEXT)
    else:
        kind = h5py.h5t.py_create(np.dtype(variable.dtype), logical=True)
        dataset = _create_contiguous(file, variable.name, kind, variable.shape)
    for name, value in variable.attributes.items():
        dataset.attrs[name] = value
    return dataset


def _create_contiguous(
    file: h5py.File, name: str, kind: h5py.h5t.TypeID, shape: tuple[int, ...]
) -> h5py.Dataset:
    """A data set in one piece whose bytes have their place now and are left as they are."""
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
