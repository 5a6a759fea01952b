"""Runs that older results files have: found and read instead of being computed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError, StorageError
from fastmomentum.experiment.matching import Matching, differing
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Arrays, block_arrays, bytes_a_run
from fastmomentum.store import files, manifest
from fastmomentum.store.open_file import OpenFile

Reused = tuple[tuple[str, tuple[int, bytes]], ...]
"""Older files, by path and seal."""

NEAR: Final = 2**14
"""Bytes between two runs up to which they are read through: a second read costs more."""
AT_ONCE: Final = 2**22
"""Bytes read at a time; a single run may be longer."""


@dataclass(frozen=True)
class Taken:
    """Which runs of a range are reused.

    Attributes
    ----------
    missing : ndarray of bool, shape (n_runs,)
        Runs that no file has.
    parts : list of (Source, ndarray of int, ndarray of int)
        For each file, the rows that it fills and the numbers of its runs.
    """

    missing: NDArray[np.bool_]
    parts: list[tuple[Source, NDArray[np.int64], NDArray[np.int64]]]

    @property
    def count(self) -> int:
        """How many runs are reused."""
        return int(self.missing.size - self.missing.sum())

    def fill(self, arrays: Arrays) -> None:
        """Write the reused runs into arrays, whose first axis is the run."""
        for source, rows, numbers in self.parts:
            for name, values in arrays.items():
                source.read(name, numbers, values, rows)


class Earlier:
    """Runs of an experiment that older files have.

    Parameters
    ----------
    experiment : Experiment
        Whose runs are wanted.
    reused : tuple of (str, (int, bytes))
        The files, with their seals; a run is read from the first file that has it.

    Attributes
    ----------
    sources : list of Source
        The files.

    Raises
    ------
    InputError
        A file is not there, or its experiment differs in more than grid and title.
    StorageError
        A file was replaced.
    """

    def __init__(self, experiment: Experiment, reused: Reused) -> None:
        self.sources = [Source(experiment, Path(path), seal) for path, seal in reused]
        self._last = threading.local()

    def take(self, runs: range) -> Taken:
        """Find out which runs of a range are reused; each thread remembers its last answer."""
        if getattr(self._last, "runs", None) != runs:
            self._last.taken, self._last.runs = self._take(runs), runs
        taken: Taken = self._last.taken
        return taken

    def _take(self, runs: range) -> Taken:
        numbers = np.arange(runs.start, runs.stop)
        missing, parts = np.ones(numbers.size, bool), []
        for source in self.sources:
            rows = np.flatnonzero(missing)
            found = source.matching.find(numbers[rows])
            there = found >= 0
            if there.any():
                parts.append((source, rows[there], found[there]))
                missing[rows[there]] = False
        return Taken(missing, parts)


class Source:
    """An older file.

    Parameters
    ----------
    experiment : Experiment
        Whose runs are wanted.
    path : Path
        The file.
    seal : (int, bytes)
        Identifies the file.

    Attributes
    ----------
    path : Path
        The file.
    matching : Matching
        Which runs it has.
    """

    def __init__(self, experiment: Experiment, path: Path, seal: tuple[int, bytes]) -> None:
        self.path, self._seal = path, seal
        contents = manifest.read(path)
        if contents.seal != seal:
            raise self._replaced()
        there = contents.experiment
        why = differing(experiment, there)
        if why:
            raise InputError(
                f"{path} cannot be reused: {why}; all but the grid and the title must agree"
            )
        self.matching = Matching(experiment, there)
        self._offsets, self._sizes = contents.offsets, bytes_a_run(there)
        self._one = block_arrays(there, 1)
        self._columns = np.searchsorted(there.recorded, experiment.recorded)
        with files.in_words(f"opening {path}"):
            self._file = OpenFile(str(path), os.O_RDONLY)
        place, sealed = seal
        if files.read_at(self._file.descriptor, len(sealed), place) != sealed:
            raise self._replaced()

    def _replaced(self) -> StorageError:
        return StorageError(f"{self.path}: the file was replaced while it was in use; run again")

    def read(
        self, name: str, numbers: NDArray[np.int64], values: NDArray[Any], rows: NDArray[np.int64]
    ) -> None:
        """Read a variable of some runs into rows of an array.

        Parameters
        ----------
        name : str
            The variable.
        numbers : ndarray of int, shape (n,)
            Runs of this file.
        values : ndarray
            To write into.
        rows : ndarray of int, shape (n,)
            Where each run goes.
        """
        order = np.argsort(numbers, kind="stable")
        numbers, rows = numbers[order], rows[order]
        like = self._one[name]
        for part in _stretches(numbers, self._sizes[name]):
            first, last = int(numbers[part.start]), int(numbers[part.stop - 1])
            size = (last + 1 - first) * self._sizes[name]
            with files.in_words(f"reading {self.path}"):
                offset = self._offsets[name] + first * self._sizes[name]
                data = files.read_at(self._file.descriptor, size, offset)
            found = np.frombuffer(data, like.dtype).reshape(-1, *like.shape[1:])
            found = found[numbers[part.start : part.stop] - first]
            if name == "trajectory":
                found = found[:, self._columns]
            with np.errstate(over="ignore"):  # a point may overflow float32, as in a run
                values[rows[part.start : part.stop]] = found


def _stretches(numbers: NDArray[np.int64], size: int) -> Iterator[range]:
    """Split ascending run numbers, `size` bytes each, where a gap is too long to read through."""
    start, near, most = 0, max(1, NEAR // size), max(1, AT_ONCE // size)
    edges = np.flatnonzero(np.diff(numbers) > near) + 1
    for stop in [*edges.tolist(), numbers.size]:
        while start < stop:
            end = start + int(np.searchsorted(numbers[start:stop], numbers[start] + most))
            yield range(start, end)
            start = end
