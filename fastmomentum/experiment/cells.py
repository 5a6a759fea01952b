"""Lists of cells: a subset of the learning rates x momenta of a map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from fastmomentum.errors import InputError
from fastmomentum.text import shown

Cells = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(strict=False, fail_fast=True)]

MOST_LISTED: Final = 2_000_000
"""Most cells of a list, which is stored in the results file number by number."""

CELL: Final = "cell"
"""The dimension of a list of cells, instead of lr and momentum."""


def listed_cells(given: Any) -> Any:
    """Convert cells to a list, whose entries pydantic then checks.

    Parameters
    ----------
    given : object
        A list or an array.

    Returns
    -------
    object
        A list.

    Raises
    ------
    ValueError
        It is no list of whole numbers, or too long.
    """
    if hasattr(given, "__array__"):
        array = np.asarray(given)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise ValueError(
                "must be a list of whole numbers, those of cells: got an array of "
                f"{array.dtype}, shape {array.shape}"
            )
        given = array.tolist()
    if isinstance(given, range):
        given = list(given)
    if not isinstance(given, list | tuple):
        raise ValueError(f"must be a list of whole numbers, those of cells: got {shown(given)}")
    if not given:
        raise ValueError("is empty; give at least one number, or leave it out for all cells")
    if len(given) > MOST_LISTED:
        raise ValueError(f"has {len(given):,} numbers, and may have {MOST_LISTED:,}")
    return given


def sorted_cells(cells: tuple[int, ...]) -> tuple[int, ...]:
    """Cells in the order of their numbers, each once.

    Raises
    ------
    ValueError
        One comes twice.

    Examples
    --------
    >>> sorted_cells((7, 2))
    (2, 7)
    """
    numbers = np.array(cells, np.int64)
    order = np.argsort(numbers, kind="stable")
    found = numbers[order]
    twice = np.flatnonzero(found[1:] == found[:-1])
    if twice.size:
        one, other = sorted(order[twice[0] : twice[0] + 2].tolist())
        raise ValueError(
            f"has {found[twice[0]]} more than once (entries {one} and {other}); list each once"
        )
    return cells if (order[1:] > order[:-1]).all() else tuple(found.tolist())


def settings_of(
    cells: NDArray[np.int64], lr: NDArray[np.float64], momentum: NDArray[np.float64]
) -> dict[str, NDArray[np.float64]]:
    """Learning rate and momentum of each cell; the momentum varies fastest.

    Parameters
    ----------
    cells : ndarray of int, shape (n,)
        Numbers of cells.
    lr, momentum : ndarray
        Axes of the map.

    Returns
    -------
    dict of ndarray, shape (n,)
        By "lr" and "momentum".

    Examples
    --------
    >>> settings_of(np.array([0, 3]), np.array([0.1, 0.2]), np.array([0.0, 0.9]))["lr"].tolist()
    [0.1, 0.2]
    """
    first, second = np.divmod(cells, momentum.size)
    return {"lr": lr[first], "momentum": momentum[second]}


def cells_at(
    values: Mapping[str, ArrayLike], lr: NDArray[np.float64], momentum: NDArray[np.float64]
) -> list[int] | None:
    """Numbers of the cells with these settings.

    Parameters
    ----------
    values : mapping
        Those of each cell, by "lr" and "momentum".
    lr, momentum : ndarray
        Axes of the map.

    Returns
    -------
    list of int or None
        None where the settings are not a list of cells of that map.

    Raises
    ------
    InputError
        There are not as many learning rates as momenta.

    Examples
    --------
    >>> cells_at({"lr": [0.1, 0.2], "momentum": [0.0, 0.9]}, np.array([0.1, 0.2]),
    ...     np.array([0.0, 0.9]))
    [0, 3]
    """
    places = []
    for name, axis in (("lr", lr), ("momentum", momentum)):
        if isinstance(values[name], Mapping):
            return None
        asked = np.atleast_1d(np.asarray(values[name], float))
        at = np.searchsorted(axis, asked).clip(0, axis.size - 1)
        if not np.array_equal(axis[at], asked):
            return None
        places.append(at)
    if places[0].size != places[1].size:
        raise InputError(
            "a list of cells has as many learning rates as momenta: "
            f"got {places[0].size} and {places[1].size}"
        )
    found: list[int] = (places[0] * momentum.size + places[1]).tolist()
    return found
