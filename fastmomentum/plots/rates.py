"""Rate maps: how fast runs approach a minimum, over learning rate and momentum."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from fastmomentum.plots.arguments import ARRAY, AXES, drawn_by, takes
from fastmomentum.plots.cells import draw_ends
from fastmomentum.plots.fields import bar_beside
from fastmomentum.plots.phases import frame_settings, setting_cells, shares
from fastmomentum.plots.planes import require_plane
from fastmomentum.status import Status


class RateMap(NamedTuple):
    """Artists of `rate_map`."""

    rates: QuadMesh | None
    ends: QuadMesh
    legend: list[Patch]


@takes(ax=AXES, rates=ARRAY, status=ARRAY)
def rate_map(
    ax: Axes, rates: xr.DataArray, status: xr.DataArray | None = None, norm: LogNorm | None = None
) -> RateMap:
    """Map rates over learning rate and momentum.

    Colours are even in log(1 - rate), for that is what the steps to a target go with: a rate of
    0.99 takes ten times the steps of 0.9.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    rates : xarray.DataArray, dims (lr, momentum)
        Measured or predicted; NaN where there is none.
    status : xarray.DataArray, dims (lr, momentum), optional
        How the runs ended, which colours cells without a rate below 1. Left out for predicted
        rates: at 1 and above it is unstable.
    norm : LogNorm, optional
        Of 1 - rate, to share colours with another map.

    Returns
    -------
    RateMap
        ``rates`` (None where no rate is below 1), ``ends`` (the other cells) and ``legend``.

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastmomentum as fm
    >>> from fastmomentum.analysis import predicted_rate
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=10, grid=fm.Grid(lr=[0.1, 1.0], momentum=[0.0, 0.5], start=[(1, 1)])))
    >>> drawn = rate_map(Figure().add_subplot(), predicted_rate(ds))
    >>> drawn.rates.get_array().mask.tolist()
    [[False, True], [False, True]]
    """
    for given in (rates, status):
        if given is not None:
            require_plane(given)
    values = rates.transpose("lr", "momentum").values
    has = np.isfinite(values) & (values < 1.0)
    names = {Status.DIVERGED: "unstable"}
    ended = np.where(values >= 1.0, Status.DIVERGED, Status.NOT_RUN)
    if status is not None:
        ended = status.transpose("lr", "momentum").values
        names = {
            Status.CONVERGED: "converged, no clear rate",
            Status.MAX_STEPS: "no clear rate below 1",
        }
    cells = setting_cells(rates)
    ends = draw_ends(ax, cells, ended)
    mesh = None
    if has.any():
        gap = np.where(has, 1.0 - values, np.nan)
        norm = norm or _norm_of(gap)
        drawn = np.ma.masked_invalid(cells.drawn(gap))
        mesh = ax.pcolormesh(*cells.corners, drawn, norm=norm, cmap="viridis", rasterized=True)
    frame_settings(ax, cells, rates)
    return RateMap(mesh, ends, shares(ended, ~has, names))


@takes(ax=AXES, drawn=drawn_by(RateMap, "fm.plots.rate_map"))
def rate_bar(ax: Axes, drawn: RateMap, label: str = "rate") -> Colorbar | None:
    """Draw the colour bar of a rate map beside its axes.

    Parameters
    ----------
    ax : Axes
        Where the map was drawn.
    drawn : RateMap
        From `rate_map`.
    label : str
        What the colours mean.

    Returns
    -------
    Colorbar or None
        Slow rates at the top; None where no cell has a rate.

    Raises
    ------
    InputError
        An argument is something else.
    """
    if drawn.rates is None:
        return None
    low, high = drawn.rates.get_clim()
    bar = bar_beside(ax, drawn.rates, label=label, extend="both")
    bar.ax.invert_yaxis()
    decades = 10.0 ** np.arange(np.floor(np.log10(low)), 1.0)
    parts = (1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,)
    ticks = [part * decade for decade in decades for part in parts]
    bar.ax.yaxis.set_major_locator(FixedLocator([t for t in ticks if low <= t <= high]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda gap, _: f"{1.0 - gap:.10g}"))
    return bar


def _norm_of(gap: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> LogNorm:
    """From 1 - rate to colours; without the quantile the few slowest would take half of them."""
    low, high = np.nanquantile(gap, [0.01, 0.999])
    low = max(float(low), 1e-12)
    return LogNorm(low, max(float(high), 1.5 * low))
