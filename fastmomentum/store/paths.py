"""Results files from outside: their names, their size, and whether they are complete."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import FileError, InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import coordinates, observations, results

TABLES: Final = (".csv", ".tsv", ".txt", ".json", ".toml", ".yaml", ".xlsx", ".parquet")
ARRAYS: Final = (".npy", ".npz", ".mat", ".pkl", ".zarr", ".zip", ".gz")
PICTURES: Final = (".png", ".jpg", ".svg", ".pdf", ".gif", ".mp4", ".html")
OTHER_KINDS: Final = frozenset((*TABLES, *ARRAYS, *PICTURES))
"""Suffixes that results may not have; any other suffix, or none, is allowed."""


def expected_bytes(experiment: Experiment, block_runs: int | None = None) -> int:
    """Bytes that the file of an experiment takes, to within its few kilobytes of structure."""
    blocks = experiment.blocks(block_runs)
    known = [*coordinates(experiment), *results(experiment), *observations(experiment)]
    text = 3 * len(experiment.canonical)  # as attribute and, escaped, in the manifest
    return 32_768 + text + sum(v.n_bytes for v in known) + 9 * len(blocks)


def partial_name(path: Path) -> Path:
    """Name of a results file until it is finished."""
    return path.with_name(path.name + ".partial")


def is_partial(path: Path) -> bool:
    """Whether a file has the name of an unfinished one."""
    return path.suffix == ".partial"


def existing(path: Path) -> Path:
    """The results file itself, or its unfinished form where only that exists."""
    if os.path.lexists(path):
        return path
    partial = partial_name(path)
    return partial if os.path.lexists(partial) else path


def require_whole(path: Path, done: NDArray[np.bool_]) -> None:
    """Refuse incomplete results.

    Parameters
    ----------
    path : Path
        Their file.
    done : ndarray of bool
        Which blocks are done.

    Raises
    ------
    InputError
        It is not finished.
    FileError
        It has the name of a finished file, but blocks are missing.
    """
    said = f"{int(done.sum()):,} of {done.size:,} blocks are done"
    if is_partial(path):
        raise InputError(
            f"{path} is not finished: {said}; run its experiment again (in Python, "
            "allow_partial=True opens it as it is)"
        )
    if not done.all():
        raise FileError(f"{path}: damaged: only {said}; compute the rest with verify, repair=True")


def require_results_name(path: Path) -> None:
    """Refuse a name with the suffix of another kind of file.

    Parameters
    ----------
    path : Path
        Where the results will go.

    Raises
    ------
    InputError
        Its suffix is that of tables, text, pictures or archives.

    Examples
    --------
    >>> require_results_name(Path("out.csv"))
    Traceback (most recent call last):
        ...
    fastmomentum.errors.InputError: out.csv: results are HDF5, not .csv; name a file such as out.h5
    """
    if path.suffix.lower() in OTHER_KINDS:
        raise InputError(
            f"{path}: results are HDF5, not {path.suffix}; name a file such as "
            f"{path.with_suffix('.h5')}"
        )
