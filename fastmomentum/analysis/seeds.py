"""Statistics of random runs: means, spreads and quantiles over the seeds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.analysis.losses import loss
from fastmomentum.errors import InputError
from fastmomentum.results.dataset import experiment_of
from fastmomentum.specification.numbers import numbers
from fastmomentum.status import Status

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
"""The median, the quartiles, and the ends of the middle 90%."""


def over_seeds(ds: xr.Dataset, quantiles: Sequence[float] = QUANTILES) -> xr.Dataset:
    """Mean, spread and quantiles over the seeds, for each cell of the grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results with a dimension ``seed``, or a selection of them; what is used is read whole.
    quantiles : sequence of float
        From 0 to 1.

    Returns
    -------
    xarray.Dataset
        The grid's other dimensions. ``final_loss_mean``, ``final_loss_spread`` (standard deviation
        of a seed, not of the mean) and ``final_loss_quantile`` (quantile, ...); the same of
        ``loss``, along ``step``, if trajectories are stored, until the first run of a cell ends;
        ``share_converged`` and ``share_diverged``. With targets ``hit_share``, the share of the
        seeds that met one; ``hit_step_mean`` and ``hit_step_spread`` over those that did; and
        ``hit_step_quantile`` over all, where never is infinite. A loss of NaN counts as
        infinite.

    Raises
    ------
    InputError
        These are no results, there are no seeds, or a quantile is out of range.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 1.0), rule="sgd", steps=100,
    ...     grid=fm.Grid(lr=[0.1, 0.5], start=[(1, 1)], seed=100), noise={"gaussian": 0.1}))
    >>> found = over_seeds(ds)
    >>> found.final_loss_mean.dims, found.final_loss_quantile.dims
    (('lr', 'momentum', 'start'), ('quantile', 'lr', 'momentum', 'start'))
    """
    experiment_of(ds)  # refuses what is no results
    if "seed" not in ds.dims:
        raise InputError(
            "there are no seeds to average over: give the grid some, such as seed = 16, or keep "
            "them in the selection"
        )
    asked = np.atleast_1d(numbers(list(quantiles), "quantiles"))
    if not asked.size or asked.min() < 0 or asked.max() > 1:
        raise InputError(f"quantiles must lie from 0 to 1: got {asked.tolist()}")
    found: dict[str, xr.DataArray] = {}
    if "final_loss" in ds:
        final = ds.final_loss.compute()
        _add(found, "final_loss", "loss at the end", final.where(final.notnull(), np.inf), asked)
    if "status" in ds:
        status = ds.status.compute()
        for end in (Status.CONVERGED, Status.DIVERGED):
            share = (status == end).mean("seed")
            word = end.name.lower()
            share.attrs = {"long_name": f"share of the seeds that {word}", "units": "1"}
            found[f"share_{word}"] = share
    if "hit_step" in ds:
        hit = ds.hit_step.compute()
        met = hit >= 0
        share = met.mean("seed")
        share.attrs = {"long_name": "share of the seeds that met the target", "units": "1"}
        found["hit_share"] = share
        _add(found, "hit_step", "first step at which the target was met", hit.where(met), asked)
        censored = hit.where(met, np.inf)
        found["hit_step_quantile"] = _quantile(censored, asked, "first step at the target")
    if "trajectory" in ds:
        along = loss(ds)
        going = along.notnull().all("seed")  # a mean over fewer and fewer runs would mislead
        _add(found, "loss", "loss", along.where(going), asked)
    attrs = {name: value for name, value in ds.attrs.items() if name != "digest"}
    return xr.Dataset(found, attrs=attrs)


def _add(
    found: dict[str, xr.DataArray],
    name: str,
    words: str,
    values: xr.DataArray,
    quantiles: NDArray[np.float64],
) -> None:
    """Mean, spread and quantiles of a quantity."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a single seed has no spread
        mean, spread = values.mean("seed"), values.std("seed", ddof=1)
    mean.attrs = {"long_name": f"{words}, mean over the seeds", "units": "1"}
    spread.attrs = {"long_name": f"{words}, standard deviation over the seeds", "units": "1"}
    found[f"{name}_mean"], found[f"{name}_spread"] = mean, spread
    found[f"{name}_quantile"] = _quantile(values, quantiles, words)


def _quantile(values: xr.DataArray, asked: NDArray[np.float64], words: str) -> xr.DataArray:
    """Quantiles over the seeds; one between a number and infinity is infinite."""
    axis = values.dims.index("seed")
    data = np.asarray(values.values, float)
    with np.errstate(all="ignore"):
        low, high, found = (
            np.quantile(data, asked, axis=axis, method=how) for how in ("lower", "higher", "linear")
        )
    found = np.where(np.isposinf(high), np.inf, np.where(np.isneginf(low), -np.inf, found))
    dims = ["quantile", *(dim for dim in values.dims if dim != "seed")]
    made = xr.DataArray(found, dims=dims, coords={"quantile": asked})
    kept = {k: c for k, c in values.coords.items() if "seed" not in c.dims}
    made = made.assign_coords(kept)
    made.attrs = {"long_name": f"{words}, quantiles over the seeds", "units": "1"}
    return made
