"""The HDF5 side of a results file: laying it out, and reading it back without trusting it.

After `create` HDF5's own structures never change; where each variable's bytes lie is all that the
store needs to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np

from fastmomentum.errors import FileError, InputError
from fastmomentum.experiment import Experiment
from fastmomentum.grid import Blocks
from fastmomentum.objectives import MSE
from fastmomentum.provenance import provenance
from fastmomentum.schema import (
    CONVENTIONS,
    FORMAT_VERSION,
    Variable,
    coordinates,
    journal,
    observations,
    results,
)

LARGEST_ATTRIBUTE: Final = 32 * 2**20
"""Bytes of an attribute, at most; the experiment of a grid with long explicit axes is the largest."""

DIMENSION_ONLY: Final = "This is a netCDF dimension but not a netCDF variable."
TEXT: Final = h5py.string_dtype()


@dataclass(frozen=True)
class Layout:
    """What a file holds and where its bytes lie.

    Attributes
    ----------
    experiment : Experiment
        The plan that the file was laid out for.
    blocks : Blocks
        The runs, cut into blocks.
    offsets : dict of int
        Offset in the file of each variable of the runs and of the journal.
    attributes : dict
        The root attributes.
    size : int
        Bytes of the file.
    """

    experiment: Experiment
    blocks: Blocks
    offsets: dict[str, int]
    attributes: dict[str, Any]
    size: int


def expected_bytes(experiment: Experiment, block_runs: int | None = None) -> int:
    """Bytes that the file of an experiment takes, to within its few kilobytes of structure."""
    blocks = experiment.blocks(block_runs)
    known = [*coordinates(experiment), *results(experiment), *observations(experiment)]
    return 32_768 + sum(v.n_bytes for v in known) + 9 * len(blocks)


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
    """
    with h5py.File(path, "x", libver=("v108", "v108"), track_order=True) as file:
        for name, value in {
            "title": experiment.title,
            "Conventions": CONVENTIONS,
            "format_version": FORMAT_VERSION,
            "experiment": experiment.canonical,
            "experiment_sha256": experiment.sha256,
            "block_runs": np.int64(blocks.block_runs),
            **provenance(),
        }.items():
            file.attrs[name] = value
        data = observations(experiment)
        labels, scales = coordinates(experiment), {}
        for variable in labels:
            dataset = _create_variable(file, variable)
            dataset[...] = variable.values
            if variable.dims == (variable.name,):
                dataset.make_scale(variable.name)
                scales[variable.name] = dataset
        bare = {"block": len(blocks)} | ({"observation": data[0].shape[0]} if data else {})
        for name, length in bare.items():
            scales[name] = _create_bare_dimension(file, name, length)
        for variable in (*results(experiment), *journal(len(blocks)), *data):
            dataset = _create_variable(file, variable)
            if variable.values is not None:
                dataset[...] = variable.values
        # netCDF's readers number the dimensions by this attribute.
        for number, dataset in enumerate(scales.values()):
            dataset.attrs["_Netcdf4Dimid"] = np.int32(number)
        for variable in (*labels, *results(experiment), *journal(len(blocks)), *data):
            if variable.name not in scales:
                for axis, dimension in enumerate(variable.dims):
                    file[variable.name].dims[axis].attach_scale(scales[dimension])


def _create_variable(file: h5py.File, variable: Variable) -> h5py.Dataset:
    if variable.dtype == "str":
        dataset = file.create_dataset(variable.name, variable.shape, TEXT)
    else:
        settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        settings.set_layout(h5py.h5d.CONTIGUOUS)
        settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        kind = h5py.h5t.py_create(np.dtype(variable.dtype), logical=True)
        space = h5py.h5s.create_simple(variable.shape)
        name = variable.name.encode()
        dataset = h5py.Dataset(h5py.h5d.create(file.id, name, kind, space, settings))
    for name, value in variable.attributes.items():
        dataset.attrs[name] = value
    return dataset


def _create_bare_dimension(file: h5py.File, name: str, length: int) -> h5py.Dataset:
    """A dimension without labels, in netCDF-4's way: a data set that is never written."""
    dataset = file.create_dataset(name, (length,), ">f4")
    dataset.make_scale(f"{DIMENSION_ONLY}{length:10d}")
    return dataset


def read(path: Path) -> Layout:
    """Check that a file is one of ours and whole in its structure, and find its bytes.

    Nothing of the file is believed before it is checked, and no data are read but the attributes
    and the coordinates.

    Parameters
    ----------
    path : Path
        A results file, finished or partial.

    Returns
    -------
    Layout
        Where everything is.

    Raises
    ------
    FileError
        Where it is not.
    InputError
        Where there is no such file.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a results file")
    try:
        with h5py.File(path, "r", locking=False) as file:
            return _checked(file, path)
    except FileError:
        raise
    except PermissionError:
        raise InputError(f"{path}: may not be read; check its permissions") from None
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "file signature not found" in reason:
            reason = "it is no HDF5 file"
        elif "truncated file" in reason:
            reason = "it is cut short"
        raise FileError(f"{path}: not a results file of fastmomentum: {reason}") from None


def _checked(file: h5py.File, path: Path) -> Layout:
    def require(condition: bool, what: str) -> None:
        if not condition:
            raise FileError(f"{path}: not a results file of fastmomentum: {what}")

    kinds = {}
    for name in file:
        link = file.get(name, getlink=True)
        require(isinstance(link, h5py.HardLink), f"{name} is a link to another place")
        kinds[name] = file.get(name, getclass=True)
        require(kinds[name] is h5py.Dataset, f"{name} is no variable")
    attributes = _attributes(file, require)
    for name in ("experiment", "experiment_sha256", "format_version", "block_runs"):
        require(name in attributes, f"the attribute {name} is missing")
    version = attributes["format_version"]
    require(version == FORMAT_VERSION, f"its format is {version!r}, known is {FORMAT_VERSION!r}")
    try:
        experiment = Experiment.from_canonical(str(attributes["experiment"]))
    except InputError as error:
        raise FileError(f"{path}: the experiment in it is damaged: {error}") from None
    require(
        experiment.sha256 == attributes["experiment_sha256"],
        "the experiment does not match its hash",
    )
    block_runs = int(attributes["block_runs"])
    require(0 < block_runs <= experiment.grid.n_runs, f"blocks of {block_runs} runs")
    blocks = Blocks(experiment.grid.n_runs, block_runs)

    written = [*results(experiment), *journal(len(blocks))]
    expected = {v.name: v for v in (*coordinates(experiment), *written)}
    bare = {"block": len(blocks)}
    if isinstance(experiment.objective, MSE) and "data_x" in kinds:
        assert experiment.objective.statistics is not None  # the canonical form has them
        bare["observation"] = experiment.objective.statistics.points
        for name in ("data_x", "data_y"):
            expected[name] = Variable(name, ("observation",), (bare["observation"],), "<f8")
    expected |= {name: Variable(name, (name,), (n,), ">f4") for name, n in bare.items()}
    for name in kinds:
        require(name in expected, f"{name} is no variable of such a file")
    size = path.stat().st_size
    offsets, taken = {}, []
    for name, variable in expected.items():
        require(name in kinds, f"the variable {name} is missing")
        dataset = file[name]
        require(dataset.shape == variable.shape, f"{name} has the shape {dataset.shape}")
        kind = TEXT if variable.dtype == "str" else np.dtype(variable.dtype)
        require(dataset.dtype == kind, f"{name} has the type {dataset.dtype}")
        settings = dataset.id.get_create_plist()
        require(settings.get_layout() == h5py.h5d.CONTIGUOUS, f"{name} is not contiguous")
        require(settings.get_external_count() == 0, f"{name} lies in another file")
        require(settings.get_nfilters() == 0, f"{name} is filtered")
        _attributes(dataset, require)
        offset = dataset.id.get_offset()
        if name in bare:
            require(offset is None, f"{name} has data")
            continue
        require(offset is not None, f"{name} has no data")
        if variable.dtype != "str":
            end = offset + variable.n_bytes
            require(0 < offset and end <= size, f"{name} does not fit in the file")
            taken.append((offset, end, name))
        offsets[name] = offset
    taken.sort()
    for (_, end, before), (start, _, after) in zip(taken, taken[1:], strict=False):
        require(end <= start, f"{before} and {after} overlap")
    for variable in coordinates(experiment):
        values = file[variable.name][...]
        if variable.dtype == "str":
            values = np.array([v.decode(errors="replace") for v in values], dtype=object)
        require(
            np.array_equal(values, np.asarray(variable.values)),
            f"{variable.name} does not match the experiment",
        )
    data = {v.name: offsets[v.name] for v in written}
    return Layout(experiment, blocks, data, attributes, size)


def _attributes(thing: h5py.File | h5py.Dataset, require: Any) -> dict[str, Any]:
    found = {}
    for name in thing.attrs:
        identifier = h5py.h5a.open(thing.id, name.encode())
        n_bytes = identifier.get_storage_size()
        require(n_bytes <= LARGEST_ATTRIBUTE, f"the attribute {name} has {n_bytes:,} bytes")
        if isinstance(thing, h5py.File):
            value = thing.attrs[name]
            require(
                isinstance(value, str | np.integer), f"the attribute {name} is no text or number"
            )
            found[name] = value
    return found


