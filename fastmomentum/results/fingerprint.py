"""One number for the whole content of results, however they were computed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Variable, coordinates, results
from fastmomentum.specification.paths import path_of
from fastmomentum.store import checksums, files, manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.journal import DONE, Journal
from fastmomentum.store.paths import existing, require_whole

if TYPE_CHECKING:
    import xarray as xr


def digest(results_of: str | Path | xr.Dataset) -> str:
    """Digest of the content: equal for equal results and labels, however they were computed.

    XXH3-128 of every label and result, one after the other: name, type and shape as a line of text,
    then the values, little-endian in C order. Blocks, jobs, backend and interruptions do not
    change it, nor do title, time, machine and command line.

    Parameters
    ----------
    results_of : path or xarray.Dataset
        A finished results file, or results in memory.

    Returns
    -------
    str
        32 hexadecimal digits.

    Raises
    ------
    InputError
        There is no such file, or it is not finished.
    FileError
        It is damaged, or not ours.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=10,
    ...     grid=fm.Grid(lr=[1e-4, 1e-3], momentum=[0.0, 0.9], start=[(-5, -5)]))
    >>> digest(fm.run(experiment)) == digest(fm.run(experiment, block_runs=3, n_jobs=2))
    True
    """
    if isinstance(results_of, str | Path) or not hasattr(results_of, "attrs"):
        return checksums.wide(_of_file(path_of(results_of, "results_of")))
    return checksums.wide(_of_dataset(results_of))


def _of_file(path: Path) -> Iterator[bytes | memoryview]:
    contents = manifest.read(existing(path))
    sink = BlockFile.of(contents, writable=False)
    require_whole(contents.path, Journal(sink).flags() == DONE)
    for v in coordinates(contents.experiment):
        yield _line(v)
        yield _bytes(v, v.values)
    for v in results(contents.experiment):
        yield _line(v)
        start = sink.offsets[v.name]
        with files.in_words(f"reading {sink.path}"):
            yield from files.parts(sink.descriptor, start, start + v.n_bytes)


def _of_dataset(ds: xr.Dataset) -> Iterator[bytes]:
    plan = Experiment.from_canonical(ds.attrs["experiment"])
    if ds.n_steps.dtype.kind == "f":
        raise InputError(
            "these results are not finished, and have no digest yet; run their experiment again"
        )
    for v in (*coordinates(plan), *results(plan)):
        yield _line(v)
        yield from (_bytes(v, part) for part in _in_parts(ds[v.name]))


def _line(variable: Variable) -> bytes:
    return f"{variable.name} {variable.dtype} {variable.shape}\n".encode()


def _bytes(variable: Variable, values: Any) -> bytes:
    if variable.dtype == "str":
        return "\0".join(str(value) for value in values).encode()
    return np.ascontiguousarray(values, variable.dtype).tobytes()


def _in_parts(values: xr.DataArray) -> Iterator[NDArray[Any]]:
    """Values in parts, some entries of the first dimension at a time."""
    at_once = max(1, files.AT_ONCE * values.shape[0] // max(1, values.nbytes))
    for first in range(0, values.shape[0], at_once):
        yield values[first : first + at_once].values
