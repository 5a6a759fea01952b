"""Phase maps: steps to a target, or how runs ended, over two axes of a grid."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from fastmomentum.plots.arguments import AXES, RESULTS, drawn_by, takes
from fastmomentum.plots.cells import Cells, cells_of, draw_ends, swatch
from fastmomentum.plots.fastest_cells import fastest
from fastmomentum.plots.fields import bar_beside
from fastmomentum.plots.planes import require_plane
from fastmomentum.plots.style import CONVERGED, DIVERGED, NEVER, NOT_RUN, number
from fastmomentum.results.dataset import experiment_of
from fastmomentum.status import Status

BOUNDS: Final = {"lr": (0.0, np.inf), "momentum": (0.0, 1.0)}
"""Limits of settings, where a map ends."""


class PhaseMap(NamedTuple):
    """Artists of `phase_map`."""

    steps: QuadMesh | None
    ends: QuadMesh
    best: Line2D | None
    target: float | None
    legend: list[Patch]
    lone: Line2D | None = None

    @property
    def handles(self) -> list[Any]:
        """All that a legend explains."""
        marks = [mark for mark in (self.best, self.lone) if mark is not None]
        return [*self.legend, *marks]

    @property
    def note(self) -> str:
        """A line where no run came to the target, or all diverged; else empty."""
        if self.target is not None:
            return "" if self.steps is not None else "no run in this window converges"
        ended = np.unique(np.asarray(self.ends.get_array()))
        return "every run in this window diverges" if ended.tolist() == [Status.DIVERGED] else ""


@takes(ax=AXES, results=RESULTS)
def phase_map(
    ax: Axes,
    results: xr.Dataset,
    x: str = "lr",
    y: str = "momentum",
    norm: LogNorm | None = None,
) -> PhaseMap:
    """Map the steps to the last target over two axes of the grid.

    Without a target, map how the runs ended.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    results : xarray.Dataset
        With the two dimensions (and target): one start was selected, and one value of all else.
    x, y : str
        The dimensions: lr and momentum, or others such as "nu".
    norm : LogNorm, optional
        Of steps, to share colours with other maps.

    Returns
    -------
    PhaseMap
        ``steps`` (None where there is no target or none was reached), ``ends`` (the other cells by
        status), ``best`` (the cell whose neighbourhood is the fastest, by the median of 3 x 3),
        ``target``, ``legend`` (handles with shares) and ``lone`` (the fastest single cell, where it
        is another).

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are.
    """
    require_plane(results, (x, y))
    if "target" not in results.dims:
        return status_map(ax, results, x, y)
    status = results["status"].transpose(x, y).values
    hit = results["hit_step"].isel(target=-1)
    steps, target = hit.transpose(x, y).values, float(hit["target"])
    cells = setting_cells(results, x, y)
    ends = draw_ends(ax, cells, status)
    reached = steps >= 0
    mesh, best, lone = None, None, None
    if reached.any():
        norm = norm or steps_norm(steps[reached])
        drawn = np.ma.masked_less(cells.drawn(steps), 0).clip(1)
        mesh = ax.pcolormesh(*cells.corners, drawn, norm=norm, cmap="viridis_r", rasterized=True)
        best, lone = fastest(ax, cells, steps, (x, y))
    frame_settings(ax, cells, results, x, y)
    legend = shares(status, ~reached, {Status.MAX_STEPS: "target not reached"})
    return PhaseMap(mesh, ends, best, target, legend, lone)


@takes(ax=AXES, results=RESULTS)
def status_map(ax: Axes, results: xr.Dataset, x: str = "lr", y: str = "momentum") -> PhaseMap:
    """Map how runs ended over two axes of the grid.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    results : xarray.Dataset
        With the two dimensions: one start was selected, and one value of all else.
    x, y : str
        The dimensions.

    Returns
    -------
    PhaseMap
        ``ends`` and ``legend`` (handles with shares); the rest is None.

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=1000, grid=fm.Grid(lr=[0.1, 1.0], momentum=[0.0, 0.5], start=[(1, 1)]),
    ...     stop=fm.Stop(targets=[1e-8])))
    >>> drawn = status_map(Figure().add_subplot(), ds.isel(start=0))
    >>> [patch.get_label() for patch in drawn.legend]
    ['converged (50.0%)', 'diverged (50.0%)']
    """
    require_plane(results, (x, y))
    status = results["status"].transpose(x, y).values
    cells = setting_cells(results, x, y)
    ends = draw_ends(ax, cells, status)
    frame_settings(ax, cells, results, x, y)
    return PhaseMap(None, ends, None, None, shares(status, np.ones(status.shape, bool)))


@takes(ax=AXES, phases=drawn_by(PhaseMap, "fm.plots.phase_map"))
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

    Raises
    ------
    InputError
        An argument is something else.
    """
    if phases.steps is None or phases.target is None:
        return None
    bar = bar_beside(ax, phases.steps, label=steps_label(phases.target), extend="min")
    count_ticks(bar, *phases.steps.get_clim())
    return bar


def steps_label(target: float) -> str:
    """Name the steps to a target."""
    return f"steps until f \N{MINUS SIGN} minimum \N{LESS-THAN OR EQUAL TO} {number(target)}"


def count_ticks(bar: Colorbar, low: float, high: float) -> None:
    """Give a colour bar of counts, which is on a log scale, ticks at whole numbers."""
    if high < 5.0 * low:
        bar.ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    else:
        subs = (1.0, 2.0, 5.0) if high < 1e3 * low else (1.0,)
        bar.ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())


def steps_norm(steps: NDArray[Any]) -> LogNorm:
    """From steps to colours; without the quantile a few lucky cells would take half of them."""
    return LogNorm(max(1.0, float(np.quantile(steps, 0.005))), max(2.0, float(steps.max())))


def setting_cells(results: xr.Dataset | xr.DataArray, x: str = "lr", y: str = "momentum") -> Cells:
    """The cells of a map over two axes."""
    first, second = (results[name].values.astype(np.float64) for name in (x, y))
    return cells_of(first, second, bounds=(_bounds(results, x), _bounds(results, y)))


def _bounds(results: xr.Dataset | xr.DataArray, name: str) -> tuple[float, float]:
    if name in BOUNDS:
        return BOUNDS[name]
    own = {parameter.name: parameter for parameter in experiment_of(results).rule.settable}
    return (own[name].low, own[name].high) if name in own else (-np.inf, np.inf)


def frame_settings(
    ax: Axes,
    cells: Cells,
    results: xr.Dataset | xr.DataArray,
    x: str = "lr",
    y: str = "momentum",
) -> None:
    """Give axes the scales, limits and labels of a map over two axes."""
    cells.frame(ax)
    if not cells.log_x:  # in a narrow window numbers are long
        ax.xaxis.set_major_locator(MaxNLocator(5))
    ax.set(xlabel=axis_label(results, x), ylabel=axis_label(results, y))


def axis_label(results: xr.Dataset | xr.DataArray, name: str) -> str:
    """Name an axis of the grid for people."""
    if name in ("lr", "momentum"):
        return "learning rate" if name == "lr" else name
    meaning = str(results[name].attrs.get("long_name", ""))
    if not meaning or name.startswith(("objective_", "start", "velocity")):
        return meaning or name
    return f"{name} ({meaning})"


def shares(
    status: NDArray[Any], counted_in: NDArray[np.bool_], names: dict[Status, str] | None = None
) -> list[Patch]:
    """Legend of cells drawn by how they ended, with their shares of the map.

    Parameters
    ----------
    status : ndarray
        Of all cells.
    counted_in : ndarray of bool
        Which of them are drawn so.
    names : dict, optional
        What to call an end other than as usual.

    Returns
    -------
    list of Patch
        Of the ends that there are.
    """
    usual = {
        Status.CONVERGED: CONVERGED,
        Status.DIVERGED: DIVERGED,
        Status.MAX_STEPS: NEVER,
        Status.NOT_RUN: NOT_RUN,
    }
    entries = []
    for code, colour in usual.items():
        share = np.mean((status == code) & counted_in)
        if share > 0:
            entries.append(swatch(colour, f"{(names or {}).get(code, code.words)} ({share:.1%})"))
    return entries
