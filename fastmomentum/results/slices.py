"""Slices of results, with their dimensions put back."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import L
from fastmomentum.results.selection import require_labels

MOST_BYTES: Final = 2**28
"""Trajectories larger than this are dropped: what needs their steps runs the cells again."""


def with_all_axes(ds: L) -> L:
    """A slice with all dimensions of its grid; one that was selected has length 1.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them.

    Returns
    -------
    xarray.Dataset
        Results that are not a slice are returned unchanged.

    Raises
    ------
    InputError
        A coordinate was dropped.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective="booth", rule="sgd", steps=10,
    ...     grid=fm.Grid(lr=[0.01, 0.02], start=[(1, 1), (2, 2)])))
    >>> dict(with_all_axes(ds.isel(lr=1, start=0)).status.sizes)
    {'lr': 1, 'momentum': 1, 'start': 1}
    """
    plan = experiment_of(ds)
    gone = [axis for axis in plan.grid.axes if axis not in ds.dims]
    if not gone:
        return ds
    require_labels(ds)
    whole: Any = ds  # of xarray: a file that is opened without has all of its axes
    listed = [label for label in plan.labels if label.axis in gone and label.axis != label.name]
    for label in listed:
        if label.axis not in whole.coords:
            whole = whole.assign_coords({label.axis: 0})  # its number in the list was dropped
    beside = [name for name in whole.data_vars if "observation" in whole[name].dims]
    runs = whole.drop_vars(beside)
    if "trajectory" in runs and runs.trajectory.nbytes > MOST_BYTES:
        runs = runs.drop_vars("trajectory")
    wide = runs.expand_dims(gone).transpose(*plan.grid.axes, ...)
    along = {label.name: (label.axis, np.atleast_1d(whole[label.name].values)) for label in listed}
    found: L = wide.assign_coords(along).assign({name: whole[name] for name in beside})
    return found
