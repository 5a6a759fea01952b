"""Choosing cells of results: by settings, by start point and by initial velocity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.experiment.named_axes import NAMED
from fastmomentum.results.asked import Start as Start
from fastmomentum.results.asked import lr_asked, number_asked, place_asked, setting_asked
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import L, Labelled
from fastmomentum.results.labels import labels_of as labels_of
from fastmomentum.results.labels import require_label
from fastmomentum.results.labels import require_labels as require_labels
from fastmomentum.results.nearest import nearest, nearest_cell, nearest_point
from fastmomentum.specification.spans import span
from fastmomentum.text import no_such_number, suggest

BY_NAME: Final = ("seed", *NAMED)
"""Fields of the grid whose axes are selected by name."""


def select_cell(
    ds: L,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
) -> L:
    """The cell of the grid nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    lr, momentum : float, optional
        Values to come near to; the first of the axis if left out. Learning rates are compared
        by their ratio.
    start : int or (float, float), optional
        Number of a start point, or coordinates to come near to; the first if left out. The
        number is the label ``start``, also in a selection; for a mesh it counts the points.
    velocity : int or (float, float), optional
        An initial velocity in the same way, if the grid has some.
    at : mapping of float, optional
        Values to come near to along the axes of the rule's parameters and the objective's
        constants, by name, such as ``{"nu": 0.7}``, and a seed; the first of each if left out.

    Returns
    -------
    xarray.Dataset
        Without the grid's dimensions; ``lr``, ``momentum``, the start and all other labels are
        scalar coordinates.

    Raises
    ------
    InputError
        There is no start point or velocity of that number, an argument is not a number, or a
        coordinate was dropped.

    Warns
    -----
    OutsideGridWarning
        A value lies outside of the grid's range; the nearest is taken.
    """
    require_labels(ds)
    rate, share = lr_asked(lr), number_asked("momentum", momentum)
    chosen = {"lr": 0, "momentum": 0}
    if CELL in ds.dims:
        chosen[CELL] = nearest_cell(ds["lr"].values, ds["momentum"].values, rate, share)
    else:
        if rate is not None:
            chosen["lr"] = nearest("lr", ds["lr"].values, rate, by_ratio=True)
        if share is not None:
            chosen["momentum"] = nearest("momentum", ds["momentum"].values, share)
    for name in at or {}:
        if name in ("lr", "momentum"):
            raise InputError(f"at has {name}, which is a separate argument; move it there")
    axes = labels_of(ds, BY_NAME)
    chosen |= dict.fromkeys(axes, 0) | _at(ds, at, BY_NAME)
    chosen |= _index(ds, "start", place_asked("start", start))
    return select_velocity(ds.isel({k: i for k, i in chosen.items() if k in ds.dims}), velocity)


def select_at(ds: L, at: Mapping[str, float] | None = None) -> L:
    """Select settings, parameters of the rule and constants of the objective by value.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    at : mapping of float, optional
        Values to come near to, by name, such as ``{"nu": 0.7, "objective_b": 10}``; learning
        rates, "lr", are compared by their ratio. A seed, "seed", must exist.

    Returns
    -------
    xarray.Dataset
        Without these dimensions. From a list of cells, the nearest one; if only lr or momentum is
        given, all cells with the nearest value.

    Raises
    ------
    InputError
        These are no results, the grid has no axis of that name, or a value is not a number.

    Warns
    -----
    OutsideGridWarning
        A value lies outside of the grid's range.
    """
    experiment_of(ds)  # refuses what is no results
    asked = dict(at or {})
    if CELL in ds.dims and {"lr", "momentum"} & asked.keys():
        settings = {name: asked.pop(name) for name in ("lr", "momentum") if name in asked}
        ds = ds.isel({CELL: _cells(ds, settings)})
    chosen = _at(ds, asked, ("lr", "momentum", *BY_NAME))
    return ds.isel({name: i for name, i in chosen.items() if name in ds.dims})


def _cells(ds: Labelled, settings: Mapping[Any, object]) -> int | NDArray[np.intp]:
    """The nearest cell of a list; for a single setting, all cells with its nearest value."""
    require_labels(ds, ("lr", "momentum"))
    asked = {name: setting_asked(name, value) for name, value in settings.items()}
    place = nearest_cell(
        ds["lr"].values, ds["momentum"].values, asked.get("lr"), asked.get("momentum")
    )
    if len(asked) == 2:
        return place
    known = ds[next(iter(asked))].values
    return np.flatnonzero(known == known[place])


def _at(ds: Labelled, at: Mapping[str, float] | None, kinds: Sequence[str]) -> dict[str, int]:
    """Indices along the axes that are given by name."""
    known, found = labels_of(ds, kinds), {}
    for name, asked in (at or {}).items():
        if name not in known:
            advice = _advice(str(name), known)
            raise InputError(f"at has {name}, which is not an axis of the grid; {advice}")
        require_labels(ds, kinds)
        if name == "seed":
            found[name] = _seed(ds, asked)
            continue
        value = setting_asked(name, asked)
        found[name] = nearest(name, ds[name].values, value, by_ratio=name == "lr")
    return found


def _seed(ds: Labelled, asked: object) -> int:
    """Index of a seed, which must match exactly."""
    seeds = np.atleast_1d(ds["seed"].values)
    there = np.flatnonzero(seeds == asked)
    if not there.size:
        raise InputError(f"the grid has no seed {asked!r}; it has {span(seeds)}")
    return int(there[0])


def _advice(name: str, known: list[str]) -> str:
    if not known:
        return "it has no axes to choose along: leave at out"
    for one in NAMED.values():
        if one.prefix + name in known:
            return f"did you mean '{one.prefix + name}'?"
    return suggest(name, known)


def select_velocity(ds: L, velocity: Start | None = None) -> L:
    """The initial velocity nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    velocity : int or (float, float), optional
        Number of an initial velocity, or components to come near to; the first if left out. The
        number is the label ``velocity``, also in a selection; for a mesh it counts the points.

    Returns
    -------
    xarray.Dataset
        Without dimensions of velocities; unchanged if all runs start at rest.

    Raises
    ------
    InputError
        There is no such initial velocity, or there are none, or the coordinate was dropped.

    Warns
    -----
    OutsideGridWarning
        The components lie outside of the grid's range.
    """
    wanted = place_asked("velocity", velocity)
    if experiment_of(ds).grid.velocity is None:
        if wanted not in (None, 0, (0.0, 0.0)):
            raise InputError(f"all runs start at rest: got the velocity {wanted}; leave it out")
        return ds
    require_labels(ds, ("velocity",))
    chosen = _index(ds, "velocity", wanted)
    return ds.isel({name: index for name, index in chosen.items() if name in ds.dims})


def select_start(ds: L, start: Start | None = None) -> L:
    """Select the start point nearest to what is asked for.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    start : int or (float, float), optional
        As for `select_cell`; all if left out.

    Returns
    -------
    xarray.Dataset
        Without dimensions of starts, if one is given.

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
    chosen = _index(ds, "start", place_asked("start", start))
    return ds.isel({name: index for name, index in chosen.items() if name in ds.dims})


def _index(ds: Labelled, kind: str, wanted: Start | None) -> dict[str, int]:
    """Indices of a start point or an initial velocity, even if one was selected before."""
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
        raise InputError(no_such_number(kind, size, number, ", or a point"))
    return dict(zip(names, divmod(number, second.size), strict=True))


def _labelled(ds: Labelled, kind: str, number: int) -> int:
    """Index of a number in a list, or in a selection of one."""
    require_label(ds, kind)
    labels = np.atleast_1d(ds[kind].values)
    at = np.flatnonzero(labels == number)
    if at.size:
        return int(at[0])
    if np.array_equal(labels, np.arange(labels.size)):
        raise InputError(no_such_number(kind, labels.size, number))
    known = [str(label) for label in labels.tolist()]
    if len(known) > 8:
        known[3:-1] = ["..."]
    raise InputError(f"{kind} must be a number of the selection, {', '.join(known)}: got {number}")
