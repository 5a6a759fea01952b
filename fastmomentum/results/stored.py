"""Results as they lie in a file, labelled, without xarray."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastmomentum.results.lazy_array import StoredArray
from fastmomentum.schema import Variable, coordinates, results, stored_observations
from fastmomentum.specification.paths import path_of
from fastmomentum.store import manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.journal import DONE, Journal, RunTotals
from fastmomentum.store.paths import existing, require_whole

ALL: Final = slice(None)


class StoredVariable:
    """One variable, whose values are read when they are first asked for.

    Parameters
    ----------
    names : tuple of str
        Of the array's dimensions.
    array : StoredArray or ndarray
        All of its values.
    attrs : dict
        Its attributes in the file.
    key : tuple of (int or slice), optional
        What is selected along each dimension; everything without.
    """

    def __init__(
        self,
        names: tuple[Hashable, ...],
        array: StoredArray | NDArray[Any],
        attrs: dict[str, Any],
        key: tuple[int | slice, ...] | None = None,
    ) -> None:
        self.names, self.array, self.attrs = names, array, attrs
        self.key = (ALL,) * len(names) if key is None else key

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Names of the dimensions along which no index was selected."""
        return tuple(n for n, k in zip(self.names, self.key, strict=True) if k == ALL)

    @property
    def shape(self) -> tuple[int, ...]:
        """Their sizes."""
        return tuple(n for n, k in zip(self.array.shape, self.key, strict=True) if k == ALL)

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return int(np.prod(self.shape))

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's type of a value."""
        return self.array.dtype

    @cached_property
    def values(self) -> NDArray[Any]:
        """The values that are selected."""
        read = self.array.read if isinstance(self.array, StoredArray) else self.array.__getitem__
        return np.asarray(read(self.key))

    def item(self) -> Any:
        """The only value, as a Python number."""
        return self.values.item()

    def __float__(self) -> float:
        """Return the only value."""
        return float(self.item())

    def __int__(self) -> int:
        """Return the only value."""
        return int(self.item())

    def isel(self, indexers: Mapping[Any, ArrayLike]) -> StoredVariable:
        """Select an index, or several, along each of some dimensions."""
        chosen = self
        for name in (name for name in self.dims if name in indexers):
            places = np.asarray(indexers[name], np.intp)
            if places.ndim == 0:
                key = zip(chosen.names, chosen.key, strict=True)
                index = tuple(int(places) if n == name else k for n, k in key)
                chosen = StoredVariable(self.names, chosen.array, self.attrs, index)
            else:
                values = np.take(chosen.values, places, chosen.dims.index(name))
                chosen = StoredVariable(chosen.dims, values, self.attrs)
        return chosen


class StoredResults:
    """Results of a file under the names that `xarray.Dataset` has for what it does as well.

    Parameters
    ----------
    data_vars, coords : dict of StoredVariable
        Results, and the labels of runs, by name.
    attrs : dict
        Attributes of the file.
    file : BlockFile
        Open for reading.
    """

    def __init__(
        self,
        data_vars: dict[str, StoredVariable],
        coords: dict[str, StoredVariable],
        attrs: dict[str, Any],
        file: BlockFile,
    ) -> None:
        self.data_vars, self.coords, self.attrs, self._file = data_vars, coords, attrs, file

    @property
    def variables(self) -> dict[str, StoredVariable]:
        """All variables by name."""
        return self.data_vars | self.coords

    @property
    def sizes(self) -> dict[Hashable, int]:
        """Sizes of the dimensions by name."""
        every = self.variables.values()
        return {dim: n for v in every for dim, n in zip(v.dims, v.shape, strict=True)}

    @property
    def dims(self) -> set[Hashable]:
        """Names of the dimensions."""
        return set(self.sizes)

    def __contains__(self, name: object) -> bool:
        """Tell whether there is a variable of that name."""
        return name in self.data_vars or name in self.coords

    def __getitem__(self, name: str | list[str]) -> Any:
        """Return a variable; with a list of names, the results with these variables alone."""
        if isinstance(name, str):
            return self.variables[name]
        chosen = {each: self.data_vars[each] for each in name if each in self.data_vars}
        return StoredResults(chosen, self.coords, self.attrs, self._file)

    def isel(self, indexers: Mapping[Any, ArrayLike]) -> StoredResults:
        """Select an index, or several, along each of some dimensions."""
        data = {name: variable.isel(indexers) for name, variable in self.data_vars.items()}
        labels = {name: variable.isel(indexers) for name, variable in self.coords.items()}
        return StoredResults(data, labels, self.attrs, self._file)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def open_stored(path: str | Path, allow_partial: bool = False) -> StoredResults:
    """Open a results file without xarray, whose import takes as long as drawing a picture.

    Parameters
    ----------
    path, allow_partial
        As for `open_results`.

    Returns
    -------
    StoredResults
        Values are read when they are asked for.

    Raises
    ------
    InputError
        There is no such file, or it is not finished.
    FileError
        It is damaged, or not ours.
    """
    contents = manifest.read(existing(path_of(path)))
    experiment = contents.experiment
    sink = BlockFile.of(contents, writable=False)
    done = Journal(sink).flags() == DONE
    if not allow_partial:
        require_whole(contents.path, done)
    mask = None if done.all() else done
    data = {v.name: _stored(v, StoredArray(sink, v, mask)) for v in results(experiment)}
    for v in stored_observations(experiment):
        if v.name in sink.offsets:
            data[v.name] = _stored(v, StoredArray(sink, v))
    labels = {v.name: _stored(v, values_of(v)) for v in coordinates(experiment)}
    attrs: dict[str, Any] = dict(contents.attributes)
    closing = RunTotals.read(sink)
    if closing is not None:
        attrs["wall_time"] = closing.seconds
    return StoredResults(data, labels, attrs, sink)


def _stored(variable: Variable, array: StoredArray | NDArray[Any]) -> StoredVariable:
    return StoredVariable(variable.dims, array, attributes_of(variable))


def attributes_of(variable: Variable) -> dict[str, Any]:
    """Attributes of a variable, without the one that stands for its coordinates in a file."""
    return {k: v for k, v in variable.attributes.items() if k != "coordinates"}


def values_of(variable: Variable) -> NDArray[Any]:
    """Values of a coordinate, with text as NumPy has it."""
    return np.asarray(variable.values, str if variable.dtype == "str" else None)
