"""Choosing cells of results: by settings, by start point and by initial velocity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.labels import KINDS
from fastmomentum.experiment.points import Point
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.nearest import nearest, nearest_cell, nearest_point
from fastmomentum.specification.numbers import numbers
from fastmomentum.specification.spans import span
from fastmomentum.text import suggest

Start = int | Point

BY_NAME: Final = ("seed", "rule", "objective")
"""Kinds of axes that are chosen along by name."""


def select_cell(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """The cell of the grid nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    lr, momentum : float, optional
        What to come near to; the first of the axis where left out. Learning rates are compared
        by their ratio.
    start : int or (float, float), optional
        Number of a start point, or coordinates to come near to; the first where left out. The
        number is the label ``start``, also in a selection; that of a mesh is a place in it.
    velocity : int or (float, float), optional
        An initial velocity in the same way, where the grid has some.
    at : mapping of float, optional
        By name, what to come near to along the axes of the rule's parameters and the objective's
        constants, such as ``{"nu": 0.7}``, and a seed; the first of each where left out.

    Returns
    -------
    xarray.Dataset
        Without the grid's dimensions; ``lr``, ``momentum``, the start and all else that says which
        run it is are scalar coordinates.

    Raises
    ------
    InputError
        There is no start point or velocity of that number, an argument is no number, or a
        coordinate was dropped.

    Warns
    -----
    OutsideGridWarning
        What is asked for lies outside of the grid's range; the nearest is taken all the same.
    """
    require_labels(ds)
    rate, share = _number("lr", lr), _number("momentum", momentum)
    if rate is not None and rate <= 0:
        raise InputError(f"lr must be positive: got {lr!r}")
    chosen = {"lr": 0, "momentum": 0}
    if CELL in ds.dims:
        chosen[CELL] = nearest_cell(ds.lr.values, ds.momentum.values, rate, share)
    else:
        if rate is not None:
            chosen["lr"] = nearest("lr", ds.lr.values, rate, by_ratio=True)
        if share is not None:
            chosen["momentum"] = nearest("momentum", ds.momentum.values, share)
    for name in at or {}:
        if name in ("lr", "momentum"):
            raise InputError(f"at has {name}, which is an argument of its own; take it out")
    axes = labels_of(ds, BY_NAME)
    chosen |= dict.fromkeys(axes, 0) | _at(ds, at, BY_NAME)
    chosen |= _index(ds, "start", _place("start", start))
    return select_velocity(ds.isel({k: i for k, i in chosen.items() if k in ds.dims}), velocity)


def select_at(ds: xr.Dataset, at: Mapping[str, float] | None = None) -> xr.Dataset:
    """Select settings, parameters of the rule and constants of the objective by value.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    at : mapping of float, optional
        By name, what to come near to, such as ``{"nu": 0.7, "objective_b": 10}``; learning rates,
        "lr", are compared by their ratio. A seed, "seed", must be there.

    Returns
    -------
    xarray.Dataset
        Without the dimensions named.

    Raises
    ------
    InputError
        The grid has no axis of that name, or a value is no number.

    Warns
    -----
    OutsideGridWarning
        A value lies outside of the grid's range.
    """
    chosen = _at(ds, at, ("lr", "momentum", *BY_NAME))
    return ds.isel({name: i for name, i in chosen.items() if name in ds.dims})


def _at(ds: xr.Dataset, at: Mapping[str, float] | None, kinds: Sequence[str]) -> dict[str, int]:
    """Indices along the axes that are named."""
    known, found = labels_of(ds, kinds), {}
    for name, asked in (at or {}).items():
        if name not in known:
            advice = _advice(str(name), known)
            raise InputError(f"at has {name}, which is no axis of the grid; {advice}")
        require_labels(ds, kinds)
        if name in ("lr", "momentum") and CELL in ds.dims:
            raise InputError(
                f"at has {name}, along which these results list cells; select one with "
                "fm.select_cell(ds, lr=..., momentum=...)"
            )
        if name == "seed":
            found[name] = _seed(ds, asked)
            continue
        value = _number(name, asked)
        if value is None:
            raise InputError(f"{name} must be a number: got None")
        if name == "lr" and value <= 0:
            raise InputError(f"lr must be positive: got {asked!r}")
        found[name] = nearest(name, ds[name].values, value, by_ratio=name == "lr")
    return found


def _seed(ds: xr.Dataset, asked: object) -> int:
    """Index of a seed: there is none that is nearly another."""
    seeds = np.atleast_1d(ds["seed"].values)
    there = np.flatnonzero(seeds == asked)
    if not there.size:
        raise InputError(f"the grid has no seed {asked!r}; it has {span(seeds)}")
    return int(there[0])


def _advice(name: str, known: list[str]) -> str:
    if not known:
        return "it has no such axes: leave at out"
    constant = f"objective_{name}"
    return f"did you mean '{constant}'?" if constant in known else suggest(name, known)


def select_velocity(ds: xr.Dataset, velocity: Start | None = None) -> xr.Dataset:
    """The initial velocity nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    velocity : int or (float, float), optional
        Number of an initial velocity, or components to come near to; the first where left out. The
        number is the label ``velocity``, also in a selection; that of a mesh is a place in it.

    Returns
    -------
    xarray.Dataset
        Without dimensions of velocities; as it is where all runs start at rest.

    Raises
    ------
    InputError
        There is no initial velocity of that number, or there are none at all, or it was dropped.

    Warns
    -----
    OutsideGridWarning
        The components lie outside of the grid's range.
    """
    wanted = _place("velocity", velocity)
    if experiment_of(ds).grid.velocity is None:
        if wanted not in (None, 0, (0.0, 0.0)):
            raise InputError(f"all runs start at rest: got the velocity {wanted}; leave it out")
        return ds
    require_labels(ds, ("velocity",))
    chosen = _index(ds, "velocity", wanted)
    return ds.isel({name: index for name, index in chosen.items() if name in ds.dims})


def select_start(ds: xr.Dataset, start: Start | None = None) -> xr.Dataset:
    """Select the start point nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    start : int or (float, float), optional
        As for `select_cell`; all of them where left out.

    Returns
    -------
    xarray.Dataset
        Without dimensions of starts, where one is asked for.

    Raises
    ------
    InputError
        There is no start point of that number, or a coordinate was dropped.

    Warns
    -----
    OutsideGridWarning
        The coordinates lie outside of the grid's range.
    """
    if start is None:
        return ds
    require_labels(ds, ("start",))
    chosen = _index(ds, "start", _place("start", start))
    return ds.isel({name: index for name, index in chosen.items() if name in ds.dims})


def labels_of(ds: xr.Dataset | xr.DataArray, kinds: Iterable[str] = KINDS) -> list[str]:
    """Names of the coordinates that say which run is which.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    kinds : iterable of str
        Of what.

    Returns
    -------
    list of str
        In the grid's order; none for the velocity where all runs start at rest.
    """
    chosen = set(kinds)
    return [label.name for label in experiment_of(ds).labels if label.kind in chosen]


def require_labels(
    ds: xr.Dataset | xr.DataArray,
    kinds: Iterable[str] = KINDS,
) -> None:
    """Refuse results of which it is not known any more what runs they are.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    kinds : iterable of str
        What must be known.

    Raises
    ------
    InputError
        A coordinate was dropped.
    """
    for name in labels_of(ds, kinds):
        _require(ds, name)


def _require(ds: xr.Dataset | xr.DataArray, name: str) -> None:
    if name not in ds.coords:
        raise InputError(f"{name} was dropped; select without drop=True")


def _index(ds: xr.Dataset, kind: str, wanted: Start | None) -> dict[str, int]:
    """Indices of a start point or an initial velocity, also where it was selected before."""
    names, grid = labels_of(ds, (kind,)), experiment_of(ds).grid
    first, second = (np.atleast_1d(ds[name].values) for name in names)
    is_mesh = kind not in grid.axes
    if isinstance(wanted, tuple):
        parameters = experiment_of(ds).objective.parameters
        index = nearest_point(kind, parameters, (first, second), wanted, is_mesh)
        return dict(zip(names if is_mesh else [kind], index, strict=True))
    if not is_mesh:
        return {kind: 0 if wanted is None else _labelled(ds, kind, wanted)}
    number, size = wanted or 0, first.size * second.size
    if not 0 <= number < size:
        raise InputError(f"{kind} must be a number from 0 to {size - 1}, or a point: got {number}")
    return dict(zip(names, divmod(number, second.size), strict=True))


def _labelled(ds: xr.Dataset, kind: str, number: int) -> int:
    """Index of a number in a list, of which some may have been selected."""
    _require(ds, kind)
    labels = np.atleast_1d(ds[kind].values)
    at = np.flatnonzero(labels == number)
    if at.size:
        return int(at[0])
    if np.array_equal(labels, np.arange(labels.size)):
        raise InputError(f"{kind} must be a number from 0 to {labels.size - 1}: got {number}")
    known = [str(label) for label in labels.tolist()]
    if len(known) > 8:
        known[3:-1] = ["..."]
    raise InputError(f"{kind} must be a number of the selection, {', '.join(known)}: got {number}")


def _numbers(given: object) -> NDArray[Any] | None:
    """Finite numbers as an array; None where it holds anything else."""
    try:
        found = numbers(given)
    except InputError:
        return None
    # An index is told from a coordinate by its type.
    return np.asarray(given) if np.asarray(given).dtype.kind in "iu" else found


def _number(name: str, given: object) -> float | None:
    if given is None:
        return None
    found = _numbers(given)
    if found is None or found.ndim:
        raise InputError(f"{name} must be a number: got {given!r}")
    return float(found)


def _place(kind: str, given: object) -> Start | None:
    """A number or a point, of whatever type."""
    if given is None:
        return None
    found = _numbers(given)
    if found is not None and found.shape == (2,):
        return float(found[0]), float(found[1])
    if found is not None and found.ndim == 0 and found.dtype.kind in "iu":
        return int(found)
    got = " ".join(repr(given).split())
    raise InputError(f"{kind} must be a whole number, or a point of two finite numbers: got {got}")
