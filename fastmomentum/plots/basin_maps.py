"""Basins of attraction: which minimiser is reached from where, and after how many steps."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, LogNorm, to_rgb
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import AXES, RESULTS, Kind, drawn_by, takes
from fastmomentum.plots.cells import ENDS, cells_of, swatch
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.phases import count_ticks, shares, steps_label, steps_norm
from fastmomentum.plots.planes import require_plane
from fastmomentum.plots.style import MANY, STAR, point
from fastmomentum.plots.visible import is_seen
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.status import Status

BASINS: Final = ("#332288", "#E6AB02", "#117733", "#AA3377", "#66CCEE", "#D95F02")
"""Colours of minimisers. The first four in any shade are told apart from each other, and from the
greys of runs that reach none, with each kind of colour blindness."""

LIGHTEST, DARKEST = 0.5, 0.3
"""White mixed into the colour of the fewest steps, black into that of the most: fractions."""

SHADES: Final = 256


class BasinMap(NamedTuple):
    """Artists of `basin_map`."""

    cells: QuadMesh
    minima: list[Line2D]
    legend: list[Any]
    norm: LogNorm | None
    target: float | None


@takes(ax=AXES, results=RESULTS)
def basin_map(ax: Axes, results: xr.Dataset, norm: LogNorm | None = None) -> BasinMap:
    """Map the minimiser that was reached, over the mesh of starts.

    Parameters
    ----------
    ax : Axes
        Gets limits and labels too.
    results : xarray.Dataset
        Of one learning rate and one momentum, from a mesh of starts, with an objective that names
        its minimisers.
    norm : LogNorm, optional
        Of steps, to share shades with another map; see `shades_of`.

    Returns
    -------
    BasinMap
        ``cells``, ``minima`` (a star each), ``legend`` (handles with shares), and for a bar of
        shades the ``norm`` and ``target``, None where there is no target to count steps to.

    Raises
    ------
    InputError
        The starts are a list, or more than one learning rate, momentum or velocity is left, or the
        objective names no minimiser.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Himmelblau(), rule="momentum", steps=1000,
    ...     grid=fm.Grid(lr=0.01, momentum=0.5, start={"x": [-3, 3], "y": [-3, 3]})))
    >>> drawn = basin_map(Figure().add_subplot(), ds.isel(lr=0, momentum=0))
    >>> drawn.legend[0].get_label()
    'minimum at (3, 2) (25.0%)'
    """
    from fastmomentum.analysis import basin  # brings the compiler, which other pictures do without

    experiment, objective = experiment_of(results), objective_of(results)
    if not experiment.grid.is_mesh:
        raise InputError(
            "basins are drawn over a mesh of starts, and these are a list; give the grid a mesh, "
            "such as start = { x = [-1, 0, 1], y = [-1, 0, 1] }"
        )
    names = [f"start_{name}" for name in objective.parameters]
    require_plane(results, names)
    cells = cells_of(results[names[0]].values, results[names[1]].values, unsure=False)
    reached = basin(results).transpose(*names).values
    status = results["status"].transpose(*names).values
    steps, target = _steps(results, names)
    if norm is None and steps is not None and (steps >= 0).any():
        norm = steps_norm(steps[steps >= 0])
    colours = ENDS(status.astype(np.int64))[..., :3]
    colours[status == Status.CONVERGED] = ENDS(int(Status.MAX_STEPS))[:3]
    hues = [BASINS[i % len(BASINS)] for i in range(len(objective.minimisers))]
    shade = np.full(reached.shape, SHADES // 2)
    if norm is not None and steps is not None:
        t = np.ma.filled(norm(np.maximum(steps, 1)), 0.0)
        shade = np.where(steps >= 0, np.clip(t, 0.0, 1.0) * (SHADES - 1), SHADES - 1).astype(int)
    for i, hue in enumerate(hues):
        colours[reached == i] = shades(hue)[shade[reached == i]]
    mesh = ax.pcolormesh(*cells.corners, cells.drawn(colours), rasterized=True)
    cells.frame(ax)
    ax.set(xlabel=objective.parameters[0], ylabel=objective.parameters[1])
    minima = []
    what = f"{MANY}, at" if objective.has_valley_floor else "minimum at"
    for i, (hue, at) in enumerate(zip(hues, objective.minimisers, strict=True)):
        label = f"{what} {point(at)} ({np.mean(reached == i):.1%})"
        style = STAR | {"markerfacecolor": hue, "markeredgecolor": "white", "label": label}
        minima.append(ax.plot(*at, **style)[0])
    entries = [
        _entry(star, hue, bool((reached == i).any()))
        for i, (star, hue) in enumerate(zip(minima, hues, strict=True))
    ]
    lost = np.where(status == Status.CONVERGED, Status.MAX_STEPS, status)
    ends = shares(lost, reached < 0, {Status.MAX_STEPS: "none of these"})
    legend = [*filter(None, entries), *ends]
    return BasinMap(mesh, minima, legend, norm, target)


def _entry(star: Line2D, hue: str, is_reached: bool) -> Any:
    """Legend entry of a minimiser: its star, or its colour where it lies outside the picture."""
    if is_seen(star):
        return star
    place, _, share = str(star.get_label()).rpartition(" (")
    return swatch(hue, f"{place}, outside ({share}") if is_reached else None


@takes(results=RESULTS)
def shades_of(results: xr.Dataset) -> LogNorm | None:
    """Shading by steps, on one scale for all runs of the results.

    Parameters
    ----------
    results : xarray.Dataset
        Any selection.

    Returns
    -------
    LogNorm or None
        None where there is no target, or none was met.
    """
    if "hit_step" not in results:
        return None
    steps = _last(results).values
    return steps_norm(steps[steps >= 0]) if (steps >= 0).any() else None


SEVERAL_AXES: Final = Kind(
    "a list of Axes of matplotlib, one at least",
    lambda given: isinstance(given, list | tuple) and bool(given) and all(map(AXES.is_one, given)),
)


@takes(axes=SEVERAL_AXES, drawn=drawn_by(BasinMap, "fm.plots.basin_map"))
def shades_bar(axes: list[Axes], drawn: BasinMap) -> Colorbar | None:
    """Draw the bar of shades beside maps.

    Parameters
    ----------
    axes : list of Axes
        Where the maps were drawn, of one figure.
    drawn : BasinMap
        One of them.

    Returns
    -------
    Colorbar or None
        In greys, for they hold for each colour; None where no steps were counted.

    Raises
    ------
    InputError
        An argument is something else.
    """
    figure = axes[0].get_figure()
    if figure is None or drawn.norm is None or drawn.target is None:
        return None
    greys = ScalarMappable(drawn.norm, ListedColormap(shades("#808080")))
    bar = figure.colorbar(
        greys, ax=axes, aspect=30, extend="min", label=f"{steps_label(drawn.target)}, as shade"
    )
    count_ticks(bar, *greys.get_clim())
    return bar


def shades(colour: str) -> Floats:
    """Shades of a colour, from that of the fewest steps to that of the most, shape (256, 3).

    Examples
    --------
    >>> light = shades("#808080").sum(axis=1)
    >>> bool((light[1:] < light[:-1]).all())
    True
    """
    base = np.array(to_rgb(colour))
    t = np.linspace(-1.0, 1.0, SHADES)[:, np.newaxis]
    return np.where(
        t < 0, base - t * LIGHTEST * (1.0 - base), base * (1.0 - DARKEST * np.maximum(t, 0.0))
    )


def _last(results: xr.Dataset) -> xr.DataArray:
    """Steps to the last target."""
    hit = results["hit_step"]
    return hit.isel(target=-1) if "target" in hit.dims else hit


def _steps(results: xr.Dataset, names: list[str]) -> tuple[NDArray[Any] | None, float | None]:
    if "hit_step" not in results:
        return None, None
    hit = _last(results)
    return hit.transpose(*names).values, float(hit["target"])
