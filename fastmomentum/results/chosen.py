"""The objective and the rule of the runs in a selection."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator

import numpy as np

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import Labelled, LabelledArray
from fastmomentum.results.selection import labels_of, require_labels
from fastmomentum.rules.choice import UpdateRule


def by_objective(
    ds: Labelled | LabelledArray,
) -> Iterator[tuple[dict[Hashable, int], Objective]]:
    """The objectives of results: one for each value of the constants that are axes.

    Parameters
    ----------
    ds : xarray.Dataset or xarray.DataArray
        Results, or a selection of them.

    Yields
    ------
    (dict of int, Objective)
        Indices along the dimensions of the constants, for ``isel``; a single empty one where there
        are none.

    Raises
    ------
    InputError
        A coordinate was dropped.
    """
    plan = experiment_of(ds)
    labels = [label for label in plan.labels if label.kind == "objective"]
    require_labels(ds, ("objective",))
    values = {label.name: np.atleast_1d(ds[label.name].values) for label in labels}
    for place in np.ndindex(*(part.size for part in values.values())):
        at = dict(zip(values, place, strict=True))
        constants = {label.what: float(values[label.name][at[label.name]]) for label in labels}
        yield {n: i for n, i in at.items() if n in ds.dims}, plan.variants.of(constants)


def objective_of(ds: Labelled | LabelledArray) -> Objective:
    """The objective of results in which each constant has a single value.

    Parameters
    ----------
    ds : xarray.Dataset or xarray.DataArray
        Results.

    Returns
    -------
    Objective
        With the constants of the selection.

    Raises
    ------
    InputError
        A constant still varies.
    """
    found = list(itertools.islice(by_objective(ds), 2))
    if len(found) > 1:
        name = next(name for name in labels_of(ds, ("objective",)) if ds[name].size > 1)
        raise InputError(
            f"there is one objective for each {name}: select one first, such as isel({name}=0)"
        )
    return found[0][1]


def rule_of(ds: Labelled | LabelledArray) -> UpdateRule:
    """The rule of results in which each parameter has a single value.

    Parameters
    ----------
    ds : xarray.Dataset or xarray.DataArray
        Results.

    Returns
    -------
    UpdateRule
        With the parameters of the selection.

    Raises
    ------
    InputError
        A parameter still varies.
    """
    plan = experiment_of(ds)
    names = labels_of(ds, ("rule",))
    require_labels(ds, ("rule",))
    for name in names:
        if ds[name].size > 1:
            raise InputError(
                f"there is one rule for each {name}: select one first, such as isel({name}=0)"
            )
    if not names:
        return plan.rule
    own = {name: float(np.ravel(ds[name].values)[0]) for name in names}
    return UpdateRule(name=plan.rule.name, **(plan.rule.given | own), restart=plan.rule.restart)
