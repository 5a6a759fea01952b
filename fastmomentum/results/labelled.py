"""What selecting and drawing runs asks of labelled results.

`xarray.Dataset` has it, and `StoredResults`, which reads a file without xarray: importing xarray
and pandas takes as long as drawing a picture.
"""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping
from typing import Any, Protocol, Self, TypeVar, runtime_checkable

from numpy.typing import NDArray


@runtime_checkable
class LabelledArray(Protocol):
    """One variable of results with its labels: an `xarray.DataArray`."""

    @property
    def attrs(self) -> dict[Any, Any]:
        """Its attributes, the experiment among them where it was kept."""

    @property
    def dims(self) -> tuple[Hashable, ...]:
        """Names of its dimensions."""

    @property
    def coords(self) -> Container[Hashable]:
        """Names of its coordinates."""

    @property
    def values(self) -> NDArray[Any]:
        """All of its values."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return a coordinate."""


@runtime_checkable
class Labelled(Protocol):
    """Results with labels: an `xarray.Dataset`, or `StoredResults`."""

    @property
    def attrs(self) -> dict[Any, Any]:
        """Attributes of the file, the experiment among them."""

    @property
    def dims(self) -> Container[Hashable]:
        """Names of the dimensions."""

    @property
    def sizes(self) -> Mapping[Hashable, int]:
        """Sizes of the dimensions by name."""

    @property
    def coords(self) -> Container[Hashable]:
        """Names of the coordinates."""

    @property
    def data_vars(self) -> Container[Hashable]:
        """Names of the other variables."""

    def __contains__(self, name: Any, /) -> bool:
        """Tell whether there is a variable of that name."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a variable; with a list of names, the results with these variables alone."""

    def isel(self, indexers: Mapping[Any, Any], /) -> Self:
        """Select an index, or several, along each of some dimensions."""


L = TypeVar("L", bound=Labelled)
