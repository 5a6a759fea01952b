"""Which runs theory predicts correctly, and where theory and map disagree."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from fastmomentum import theory
from fastmomentum.analysis.rates import predicted_rate
from fastmomentum.analysis.trajectories import Floats
from fastmomentum.results.chosen import by_objective
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import labels_of
from fastmomentum.status import Status
from fastmomentum.theory import Regime


class Parting(IntEnum):
    """What theory predicts for a run, and what it did.

    Examples
    --------
    >>> Parting(2).name
    'ONLY_DIVERGED'
    """

    BOTH_STAY = 0
    BOTH_DIVERGE = 1
    ONLY_DIVERGED = 2
    ONLY_STAYED = 3


class Foretold(NamedTuple):
    """What `foretold` found.

    Attributes
    ----------
    share : float
        Share of all runs that diverge exactly if theory says so.
    by_regime : dict of (float, int)
        The same share and the number of runs, by the name of the regime in theory; only regimes
        that occur.
    partings : xarray.DataArray of uint8
        `Parting` of each run, with the dimensions of ``ds.status``.
    """

    share: float
    by_regime: dict[str, tuple[float, int]]
    partings: xr.DataArray


def foretold(ds: xr.Dataset, point: ArrayLike | None = None) -> Foretold:
    """How many runs diverge exactly where theory says that the minimiser does not attract.

    Theory is that of the full gradient, also of runs with batches.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    point : array_like, shape (2,), optional
        The minimiser; the objective's first if left out.

    Returns
    -------
    Foretold
        The share of all runs, by regime, and run by run. The regime is that along the eigenvector
        with the slowest rate.

    Raises
    ------
    InputError
        The objective has no minimiser and no point is given, or there is no theory of the rule.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=5000, grid=fm.Grid(lr=[0.05, 0.5], momentum=[0.0, 0.9], start=[(1, 1)])))
    >>> found = foretold(ds)
    >>> found.share, found.by_regime
    (1.0, {'unstable': (1.0, 2), 'overdamped': (1.0, 1), 'oscillating': (1.0, 1)})
    """
    predicted = predicted_rate(ds, point)
    regimes = _regimes(ds, predicted, point)
    wants, regime, status = xr.broadcast(predicted, regimes, ds.status)
    order = ds.status.dims
    stays = (wants < 1.0).transpose(*order).values
    stayed = (status != Status.DIVERGED).transpose(*order).values
    code = np.where(stays, Parting.ONLY_DIVERGED, Parting.ONLY_STAYED)
    code = np.where(stays & stayed, Parting.BOTH_STAY, code)
    code = np.where(~stays & ~stayed, Parting.BOTH_DIVERGE, code).astype(np.uint8)
    right = stays == stayed
    kinds = regime.transpose(*order).values
    by_regime = {
        one.name.lower(): (float(right[kinds == one].mean()), int((kinds == one).sum()))
        for one in Regime
        if (kinds == one).any()
    }
    partings = xr.DataArray(code, dims=order, coords=ds.status.coords, name="parting")
    return Foretold(float(right.mean()), by_regime, partings)


def _regimes(ds: xr.Dataset, predicted: xr.DataArray, point: ArrayLike | None) -> xr.DataArray:
    """The regime along the slowest eigenvector, with the dimensions of `predicted_rate`."""
    rule, names = experiment_of(ds).rule, labels_of(ds, ("rule",))
    lr, momentum, *parameters = xr.broadcast(ds.lr, ds.momentum, *(ds[name] for name in names))
    own = {name: values.values for name, values in zip(names, parameters, strict=True)}
    each = rule.varying(**own) if own else rule
    found = xr.zeros_like(predicted, np.uint8)
    for where, objective in by_objective(ds):
        slowest, regime = np.full(lr.shape, -np.inf), np.zeros(lr.shape, np.uint8)
        for curvature in theory.eigenvalues(objective, point).tolist():
            rate: Floats = theory.spectral_radius(each, lr.values, momentum.values, curvature)
            here: NDArray[np.uint8] = theory.regime(each, lr.values, momentum.values, curvature)
            slower = rate > slowest
            regime, slowest = np.where(slower, here, regime), np.maximum(rate, slowest)
        found[where] = np.where(slowest < 1.0, regime, Regime.UNSTABLE)
    return found
