"""Rates of convergence, fitted to runs and predicted by theory."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from fastmomentum import theory
from fastmomentum.analysis.attractors import attractors
from fastmomentum.analysis.trajectories import Floats, Trajectories, over_trajectories
from fastmomentum.errors import InputError
from fastmomentum.results.chosen import by_objective
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import labels_of
from fastmomentum.specification.numbers import number, whole
from fastmomentum.text import kind_of

PEAKS: Final = 5
"""Peaks that a line needs; with fewer, it goes through every step of the tail."""


def measured_rate(
    ds: xr.Dataset, *, tail: float = 0.5, least: int = 5, n_jobs: int = -1
) -> xr.Dataset:
    """Linear rate of each run: the factor by which an update changes its distance to the minimum.

    A line is fitted to the logarithm of the distance over the run's tail, which ends where the
    distance was last above rounding. Where it oscillates, the line goes through its peaks, so that
    points that happen to lie near the minimum do not count.

    Distances are from the minimum that Newton's method finds from the last point, or else from the
    objective's nearest minimiser; a rate above 1 says how fast a run diverges. Paths are read or
    run again as for `classify`.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them along the grid's dimensions.
    tail : float
        Fraction of the steps that the line is fitted to, in (0, 1].
    least : int
        Points that a line needs, at least 3.
    n_jobs : int
        Threads; -1 for one per core.

    Returns
    -------
    xarray.Dataset
        With the dimensions of ``ds.status``: ``rate`` (NaN with too few points, or no minimum),
        ``r_squared`` (share of the variance that the line explains), ``n_points`` (of the line),
        ``first_step`` and ``last_step`` (of the tail).

    Raises
    ------
    InputError
        An argument is out of range, or the selection is not a grid.

    Notes
    -----
    Near critical damping a distance goes as k*rate**k, and the slope of its logarithm is still off
    by 1/k at step k.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=0.1, momentum=[0.0, 0.81], start=[(1, 1)])))
    >>> measured_rate(ds).rate.squeeze().round(4).values.tolist()
    [0.9, 0.9]
    """
    tail, least = number(tail, "tail"), whole(least, "least")
    if not 0 < tail <= 1:
        raise InputError(f"tail must lie in (0, 1]: got {tail!r}")
    if least < 3:
        raise InputError(
            f"least must be 3 or more, as two points always lie on a line: got {least}"
        )
    found = over_trajectories(ds, lambda walks: _look(walks, tail, least), n_jobs)
    for name, long_name in (
        ("rate", "factor by which the distance from the minimum goes, an update"),
        ("r_squared", "part of the variance of the logarithm that the line explains"),
        ("n_points", "points that the line goes through"),
        ("first_step", "first step of the tail"),
        ("last_step", "last step of the tail"),
    ):
        found[name].attrs = {"long_name": long_name, "units": "1"}
    return xr.Dataset(found, attrs=ds.attrs)


def _look(walks: Trajectories, tail: float, least: int) -> dict[str, NDArray[Any]]:
    around = attractors(walks)
    dx, dy = walks.x - around.x[:, None], walks.y - around.y[:, None]
    distance = np.sqrt(dx * dx + dy * dy)
    floor = np.where(np.isfinite(around.floor), around.floor, 0.0)
    there = (distance > floor[:, None]) & (distance < np.inf)

    last = there.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
    first = np.ceil(last * (1.0 - tail)).astype(np.int64)
    step = np.arange(there.shape[1])
    there &= (step >= first[:, None]) & (step <= last[:, None])
    peak = np.zeros_like(there)
    peak[:, 1:-1] = there[:, 1:-1] & (distance[:, 1:-1] > distance[:, :-2])
    peak[:, 1:-1] &= distance[:, 1:-1] >= distance[:, 2:]
    oscillates = peak.sum(axis=1) >= PEAKS
    chosen = np.where(oscillates[:, None], peak, there)

    log = np.log(distance, out=np.zeros_like(distance), where=chosen)
    count = chosen.sum(axis=1)
    centre = (chosen @ step.astype(float)) / count
    height = log.sum(axis=1) / count
    along = np.where(chosen, step - centre[:, None], 0.0)
    log -= np.where(chosen, height[:, None], 0.0)
    across = np.einsum("rt,rt->r", log, log)
    slope = np.einsum("rt,rt->r", along, log) / np.einsum("rt,rt->r", along, along)
    log -= slope[:, None] * along
    left = np.einsum("rt,rt->r", log, log)
    # A constant distance is a line, too.
    explained = np.where(left <= 1e-24 * count, 1.0, 1.0 - left / across)

    enough = count >= least
    return {
        "rate": np.where(enough, np.exp(slope), np.nan),
        "r_squared": np.where(enough, explained, np.nan),
        "n_points": count.astype(np.int32),
        "first_step": first.astype(np.int32),
        "last_step": last.astype(np.int32),
    }


def predicted_rate(ds: xr.Dataset, point: ArrayLike | None = None) -> xr.DataArray:
    """Rate predicted by theory near a minimiser, for each setting of a grid.

    Parameters
    ----------
    ds : xarray.Dataset
        Results.
    point : array_like, shape (2,), optional
        The minimiser; the objective's first if left out.

    Returns
    -------
    xarray.DataArray
        Dimensions (lr, momentum), and those of parameters and constants that are axes: see
        `fastmomentum.theory.predicted_rate`.

    Raises
    ------
    InputError
        The objective has no minimiser, and no point is given.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=10, grid=fm.Grid(lr=0.1, momentum=[0.0, 0.81], start=[(1, 1)])))
    >>> predicted_rate(ds).round(6).values.tolist()
    [[0.9, 0.9]]
    """
    if experiment_of(ds).schedule is not None:
        raise InputError(
            "rates are predicted for constant settings only: these results have a schedule"
        )
    rule, names = experiment_of(ds).rule, labels_of(ds, ("rule",))
    lr, momentum, *parameters = xr.broadcast(ds.lr, ds.momentum, *(ds[name] for name in names))
    own = {name: values.values for name, values in zip(names, parameters, strict=True)}
    each = rule.varying(**own) if own else rule
    constants = [ds[name] for name in labels_of(ds, ("objective",)) if name in ds.dims]
    found: xr.DataArray = xr.broadcast(lr, *constants)[0].transpose(*lr.dims, ...)
    found = found.copy().rename("predicted_rate")
    for where, objective in by_objective(ds):
        found[where] = theory.predicted_rate(objective, each, lr.values, momentum.values, point)
    found.attrs = {"long_name": "rate predicted near the minimiser", "units": "1"}
    return found


def gap_ratio(measured: xr.DataArray, predicted: xr.DataArray) -> xr.DataArray:
    """How many times faster runs converged than predicted: (1 - measured)/(1 - predicted).

    Steps are proportional to 1/(1 - rate): a rate of 0.998 takes half as many as one of 0.999.

    Parameters
    ----------
    measured, predicted : xarray.DataArray
        Rates; they are broadcast.

    Returns
    -------
    xarray.DataArray
        NaN where either is not below 1.

    Raises
    ------
    InputError
        One of them is no DataArray.

    Examples
    --------
    >>> round(gap_ratio(xr.DataArray(0.998), xr.DataArray(0.999)).item(), 9)
    2.0
    """
    for name, given in (("measured", measured), ("predicted", predicted)):
        _require_rates(given, name)
    got, want = xr.broadcast(measured, predicted)
    below = (got < 1.0) & (want < 1.0)
    found: xr.DataArray = ((1.0 - got) / (1.0 - want.where(want < 1.0))).where(below)
    return found.rename("gap_ratio")


def _require_rates(given: object, name: str) -> None:
    if not isinstance(given, xr.DataArray):
        raise InputError(
            f"{name} must be a DataArray, such as fm.analysis.{name}_rate(ds)"
            f"{'.rate' if name == 'measured' else ''}: got {kind_of(given)}"
        )


class Agreement(NamedTuple):
    """How well measured and predicted rates agree; see `agreement`."""

    n_compared: int
    share_within: float
    median: float
    largest: float
    n_sided: int
    share_sided: float


def agreement(
    measured: xr.Dataset, predicted: xr.DataArray, *, within: float = 0.1, fit: float = 0.99
) -> Agreement:
    """How well measured rates agree with predicted ones, relative to 1 - rate.

    A difference of 0.1 means 10% in 1 - rate, and so in the number of steps: 0.999 and 0.998 differ
    by 1.0, a factor of two.

    Parameters
    ----------
    measured : xarray.Dataset
        From `measured_rate`.
    predicted : xarray.DataArray
        From `predicted_rate`; broadcasts over the starts.
    within : float
        Difference that counts as agreement.
    fit : float
        Smallest ``r_squared`` of a measured rate that is compared.

    Returns
    -------
    Agreement
        ``n_compared`` cells whose measured rate is below 1 and fits well, the share of them within
        `within` of the prediction, the median and the largest difference (inf where the predicted
        rate is 1 or above); and, of the ``n_sided`` cells with a rate above 1, or below it and a
        good fit, the share on the predicted side of 1.

    Raises
    ------
    InputError
        The rates are no such data, or a number makes no sense.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.05, 0.1, 0.5], momentum=[0.1, 0.5], start=[(1, 1)])))
    >>> said = agreement(measured_rate(ds), predicted_rate(ds))
    >>> said.n_compared, said.share_within, said.share_sided
    (4, 1.0, 1.0)
    """
    if not (isinstance(measured, xr.Dataset) and {"rate", "r_squared"} <= {*measured.variables}):
        raise InputError(
            "measured must be what fm.analysis.measured_rate gives, with rate and r_squared: got "
            f"{kind_of(measured)}"
        )
    _require_rates(predicted, "predicted")
    within, fit = number(within, "within"), number(fit, "fit")
    if not within > 0:
        raise InputError(f"within must be positive: got {within!r}")
    rate, expected = xr.broadcast(measured.rate, predicted)
    got, want = rate.values, expected.values
    well = (measured.r_squared >= fit).broadcast_like(rate).transpose(*rate.dims).values
    has = np.isfinite(got) & np.isfinite(want)
    compared = has & well & (got < 1.0)
    ratio = gap_ratio(rate, expected).values[compared]
    difference: Floats = np.nan_to_num(np.maximum(ratio, 1.0 / ratio) - 1.0, nan=np.inf)
    if not difference.size:
        difference = np.full(1, np.nan)
    # Runs that neither shrink nor grow are on no side: cycles, or chaos, which fit no line.
    sided = has & (np.abs(got - 1.0) > 1e-6) & (well | (got > 1.0))
    same = ((got < 1.0) == (want < 1.0))[sided]
    return Agreement(
        int(compared.sum()),
        float((difference <= within).mean()),
        float(np.median(difference)),
        float(difference.max()),
        int(sided.sum()),
        float(same.mean()) if same.size else float("nan"),
    )
