"""Classes over one or two axes, as an array: what the measures of boundaries take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from fastmomentum.analysis.refined_map import known_of
from fastmomentum.errors import InputError
from fastmomentum.experiment.cells import CELL
from fastmomentum.specification.numbers import numbers
from fastmomentum.text import suggest

OVER = ("lr", "momentum")


def classes_of(
    results: xr.Dataset | xr.DataArray | ArrayLike, variable: str, over: Sequence[str]
) -> NDArray[np.int64]:
    """Classes as an array over one axis or two, numbered from 0.

    Parameters
    ----------
    results : Dataset, DataArray or array_like
        Results, or classes themselves: whole numbers.
    variable : str
        The variable of results that holds the classes.
    over : sequence of str
        One or two dimensions of results; one with a single value is left out.

    Returns
    -------
    ndarray of int, shape (n,) or (n, m)

    Raises
    ------
    InputError
        Another dimension is left, one is missing, or the values are not classes.
    """
    if isinstance(results, xr.Dataset):
        if variable not in results:
            known = suggest(variable, map(str, results.data_vars))
            raise InputError(f"these results have no variable {variable}; {known}")
        if CELL in results.dims:
            return _refined(results, variable, over)
        results = results[variable]
    if isinstance(results, xr.DataArray):
        one = results.squeeze()
        kept = [name for name in over if name in one.dims]
        more = [str(dim) for dim in one.dims if dim not in kept]
        if more:
            raise InputError(
                f"a boundary lies over {' and '.join(over)}, and {more[0]} is left: select one "
                "value of it first, with isel"
            )
        if not kept:
            raise InputError(
                f"these results do not vary over {' and '.join(over)}; keep several values of one"
            )
        values: Any = one.transpose(*kept).values
    else:
        given = np.asarray(results)
        values = given if given.dtype == bool else numbers(results)
    if values.ndim not in (1, 2) or min(values.shape) < 2:
        raise InputError(
            f"classes must have one axis or two, of at least two values each: got {values.shape}"
        )
    if not np.array_equal(values, np.rint(values)):
        got = values[values != np.rint(values)][0].item()
        raise InputError(f"{variable} must hold classes, which are whole numbers: got {got!r}")
    found = np.unique(values, return_inverse=True)[1].reshape(values.shape)
    return np.asarray(found, np.int64)


def _refined(ds: xr.Dataset, variable: str, over: Sequence[str]) -> NDArray[np.int64]:
    """Classes of a refined map: a square that was not cut has the class of its corners."""
    if variable != "status" or list(over) != list(OVER):
        raise InputError(
            "a refined map only has the boundary of status over lr and momentum: got "
            f"{variable} over {' and '.join(over)}"
        )
    return np.asarray(known_of(ds.squeeze()).laid_out(), np.int64)
