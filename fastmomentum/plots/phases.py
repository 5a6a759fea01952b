"""Phase maps: steps to a target, or how runs ended, over learning rate and momentum."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from fastmomentum.plots.fields import bar_beside
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import DIVERGED, NEVER, NOT_RUN, STAR, counted, number
from fastmomentum.status import Status

MOST_CELLS: Final = 1024
"""Cells of a map drawn along an axis; more than a screen shows only cost time."""


class PhaseMap(NamedTuple):
    """Artists of `phase_map`."""

    steps: QuadMesh | None
    ends: QuadMesh
    best: Line2D | None
    target: float | None
    legend: list[Patch]


def phase_map(ax: Axes, results: xr.Dataset) -> PhaseMap:
    """Map the steps to the last target over learning rate and momentum.

    Without a target, map how the runs ended.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    results : xarray.Dataset
        With dims lr and momentum (and target): one start was selected.

    Returns
    -------
    PhaseMap
        ``steps`` (None where there is no target or none was reached), ``ends`` (the other cells by
        status), ``best`` (the fastest cell), ``target`` and ``legend`` (handles with shares).
    """
    status = results["status"].transpose("lr", "momentum").values
    steps = np.full(status.shape, -1, np.int32)
    target = None
    if "target" in results.dims:
        hit = results["hit_step"].isel(target=-1)
        steps, target = hit.transpose("lr", "momentum").values, float(hit["target"])
    axes = [results[name].values.astype(np.float64) for name in ("lr", "momentum")]
    logs = [_is_geometric(axes[0], unsure=True), _is_geometric(axes[1], unsure=False)]
    edges = [_edges(values, log) for values, log in zip(axes, logs, strict=True)]
    thin = [_thinned(values.size) for values in axes]
    corners = [edge[np.append(i, edge.size - 1)] for edge, i in zip(edges, thin, strict=True)]
    shown = np.ix_(*thin)

    colours = ListedColormap([NOT_RUN, *_CONVERGED_ONLY, DIVERGED, NEVER])
    ends = ax.pcolormesh(
        *corners, status[shown].T, cmap=colours, vmin=-0.5, vmax=3.5, rasterized=True
    )
    reached = steps >= 0
    mesh, best = None, None
    if reached.any():
        low = np.quantile(steps[reached], 0.005)  # a few lucky cells would take half the colours
        norm = LogNorm(max(1.0, low), max(2.0, steps.max()))
        drawn = np.ma.masked_less(steps[shown], 0).clip(1)
        mesh = ax.pcolormesh(*corners, drawn.T, norm=norm, cmap="viridis_r", rasterized=True)
        best = _fastest(ax, axes, steps, reached)
    for name, log, edge in zip("xy", logs, edges, strict=True):
        ax.set(**{f"{name}scale": "log" if log else "linear", f"{name}lim": (edge[0], edge[-1])})
    ax.set(xlabel="learning rate", ylabel="momentum")
    return PhaseMap(mesh, ends, best, target, _shares(status, reached, target is not None))


def steps_bar(ax: Axes, phases: PhaseMap) -> Colorbar | None:
    """Draw the colour bar of a phase map beside its axes.

    Parameters
    ----------
    ax : Axes
        Where the map was drawn.
    phases : PhaseMap
        From `phase_map`.

    Returns
    -------
    Colorbar or None
        None where no cell has steps.
    """
    if phases.steps is None or phases.target is None:
        return None
    label = (
        f"steps until f \N{MINUS SIGN} minimum \N{LESS-THAN OR EQUAL TO} {number(phases.target)}"
    )
    bar = bar_beside(ax, phases.steps, label=label, extend="min")
    low, high = phases.steps.get_clim()
    subs = (1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,)
    bar.ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return bar


_CONVERGED_ONLY: Final = ("#35b779",)


def _fastest(ax: Axes, axes: list[Floats], steps: NDArray[np.int32], reached: Any) -> Line2D:
    best = np.argmin(np.where(reached, steps, np.iinfo(np.int32).max))
    i, j = np.unravel_index(best, steps.shape)
    lr, momentum = axes[0][i], axes[1][j]
    label = f"fastest: {counted(steps[i, j])} (lr {number(lr)}, momentum {number(momentum)})"
    return ax.plot(lr, momentum, **(STAR | {"label": label}))[0]


def _shares(status: Any, reached: Any, has_target: bool) -> list[Patch]:
    """Legend of the cells that have no step, with their shares of the map."""
    never = "target not reached" if has_target else "ran all its steps"
    kinds = [
        (Status.CONVERGED, _CONVERGED_ONLY[0], "converged"),
        (Status.DIVERGED, DIVERGED, "diverged"),
        (Status.MAX_STEPS, NEVER, never),
        (Status.NOT_RUN, NOT_RUN, "not run"),
    ]
    shares = [(np.mean((status == code) & ~reached), *rest) for code, *rest in kinds]
    return [
        Patch(facecolor=colour, edgecolor="black", linewidth=0.6, label=f"{name} ({share:.1%})")
        for share, colour, name in shares
        if share > 0
    ]


def _is_geometric(values: Floats, unsure: bool) -> bool:
    """Whether an axis is more even in its logarithms than in itself."""
    if values[0] <= 0 or values[-1] < 10 * values[0]:
        return False
    if values.size == 2:
        return unsure
    plain, logarithmic = np.diff(values), np.diff(np.log(values))
    return bool(logarithmic.std() / logarithmic.mean() < plain.std() / plain.mean())


def _edges(values: Floats, log: bool) -> Floats:
    """Edges of cells around the values of an axis: midpoints, and as much at the ends."""
    values = np.log(values) if log else values
    if values.size == 1:
        return np.asarray(values[0] + np.array([-0.5, 0.5]) * (abs(values[0]) or 1.0))
    middle = (values[:-1] + values[1:]) / 2
    edges = np.concatenate([[2 * values[0] - middle[0]], middle, [2 * values[-1] - middle[-1]]])
    return np.asarray(np.exp(edges) if log else edges)


def _thinned(size: int) -> NDArray[np.int64]:
    """Choose the cells of an axis that are drawn."""
    return np.arange(0, size, -(-size // MOST_CELLS))
