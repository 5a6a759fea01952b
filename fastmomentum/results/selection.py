"""Choosing cells of results: by settings, by start point and by initial velocity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.results.asked import Start as Start
from fastmomentum.results.asked import lr_asked, number_asked, place_asked, setting_asked
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import L, Labelled
from fastmomentum.results.labels import labels_of as labels_of
from fastmomentum.results.labels import require_label
from fastmomentum.results.labels import require_labels as require_labels
from fastmomentum.results.nearest import nearest, nearest_cell, nearest_point
from fastmomentum.specification.spans import span
from fastmomentum.text import suggest

BY_NAME: Final = ("seed", "rule", "objective")
"""Kinds of axes that are chosen along by name."""


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
            raise InputError(f"at has {name}, which is an argument of its own; take it out")
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
        By name, what to come near to, such as ``{"nu": 0.7, "objective_b": 10}``; learning rates,
        "lr", are compared by their ratio. A seed, "seed", must be there.

    Returns
    -------
    xarray.Dataset
        Without the dimensions named. Of a list of cells the nearest one, or those of the nearest
        learning rate or momentum where the other is left out.

    Raises
    ------
    InputError
        The grid has no axis of that name, or a value is no number.

    Warns
    -----
    OutsideGridWarning
        A value lies outside of the grid's range.
    """
    asked = dict(at or {})
    if CELL in ds.dims and {"lr", "momentum"} & asked.keys():
        settings = {name: asked.pop(name) for name in ("lr", "momentum") if name in asked}
        ds = ds.isel({CELL: _cells(ds, settings)})
    chosen = _at(ds, asked, ("lr", "momentum", *BY_NAME))
    return ds.isel({name: i for name, i in chosen.items() if name in ds.dims})


def _cells(ds: Labelled, settings: Mapping[Any, object]) -> int | NDArray[np.intp]:
    """The cell of a list that is nearest; of one setting alone, all cells of its nearest value."""
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
    """Indices along the axes that are named."""
    known, found = labels_of(ds, kinds), {}
    for name, asked in (at or {}).items():
        if name not in known:
            advice = _advice(str(name), known)
            raise InputError(f"at has {name}, which is no axis of the grid; {advice}")
        require_labels(ds, kinds)
        if name == "seed":
            found[name] = _seed(ds, asked)
            continue
        value = setting_asked(name, asked)
        found[name] = nearest(name, ds[name].values, value, by_ratio=name == "lr")
    return found


def _seed(ds: Labelled, asked: object) -> int:
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


def select_velocity(ds: L, velocity: Start | None = None) -> L:
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
    chosen = _index(ds, "start", place_asked("start", start))
    return ds.isel({name: index for name, index in chosen.items() if name in ds.dims})


def _index(ds: Labelled, kind: str, wanted: Start | None) -> dict[str, int]:
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


def _labelled(ds: Labelled, kind: str, number: int) -> int:
    """Index of a number in a list, of which some may have been selected."""
    require_label(ds, kind)
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
