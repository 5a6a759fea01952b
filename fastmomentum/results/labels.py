"""Labels of results: the coordinates that say which run is which."""

from __future__ import annotations

from collections.abc import Iterable

from fastmomentum.errors import InputError
from fastmomentum.experiment.labels import KINDS
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import Labelled, LabelledArray


def labels_of(ds: Labelled | LabelledArray, kinds: Iterable[str] = KINDS) -> list[str]:
    """Names of the coordinates that say which run is which.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    kinds : iterable of str
        Fields of the grid; see `experiment.labels.KINDS`.

    Returns
    -------
    list of str
        In the grid's order; none for the velocity where all runs start at rest.
    """
    chosen = set(kinds)
    return [label.name for label in experiment_of(ds).labels if label.kind in chosen]


def require_labels(
    ds: Labelled | LabelledArray,
    kinds: Iterable[str] = KINDS,
) -> None:
    """Refuse results that no longer say which runs they are.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    kinds : iterable of str
        Fields of the grid whose labels must be there.

    Raises
    ------
    InputError
        A coordinate was dropped.
    """
    for name in labels_of(ds, kinds):
        require_label(ds, name)


def require_label(ds: Labelled | LabelledArray, name: str) -> None:
    """Refuse results that lack a coordinate.

    Raises
    ------
    InputError
        It was dropped.
    """
    if name not in ds.coords:
        raise InputError(f"{name} was dropped; select without drop=True")
