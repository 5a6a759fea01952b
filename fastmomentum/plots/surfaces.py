"""An objective as a surface in 3-D, and which parts of it are visible."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from fastmomentum.plots.arguments import AXES, takes
from fastmomentum.plots.fields import FIELD, Field, minima_of, star_of
from fastmomentum.plots.geometry import Floats, clip, refine
from fastmomentum.plots.runs import RUNS, Run
from fastmomentum.plots.style import field_map

BOX: Final = (4.0, 4.0, 2.2)  # sides of a surface's box: steep walls hide less in a flat one
TILTS: Final = (40.0, 52.0, 64.0)


class Surface(NamedTuple):
    """Artists of `surface`."""

    surface: Any
    minima: Any


@takes(ax=AXES, field=FIELD, runs=RUNS)
def surface(
    ax: Any, field: Field, runs: Sequence[Run] = (), tilts: Sequence[float] = TILTS
) -> Surface:
    """Draw the objective as a surface, and the minimisers as stars on it.

    Parameters
    ----------
    ax : Axes3D
        Gets limits, labels, ticks and a view from above.
    field : Field
        From `sample`; 201 points along an axis are enough.
    runs : sequence of Run
        What `paths` will draw: the view is turned to where most of it is seen.
    tilts : sequence of float
        Elevations of the eye to choose among, in degrees; 90 is straight above.

    Returns
    -------
    Surface
        ``surface`` (a Poly3DCollection) and ``minima``.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum import plots
    >>> from fastmomentum.objectives import Rosenbrock
    >>> ax = Figure().add_subplot(projection="3d")
    >>> artists = surface(ax, plots.sample(Rosenbrock(), ((-2, 2), (-1, 3)), points=51))
    """
    x, y = np.meshgrid(field.x, field.y)
    height = field.height(x, y)
    ax.computed_zorder = (
        False  # else a path is drawn entirely behind the surface or entirely in front
    )
    drawn = ax.plot_surface(
        x, y, height, norm=Normalize(*field.heights), cmap=field_map(), rstride=1, cstride=1,
        linewidth=0, antialiased=False, rasterized=True, zorder=1,
    )  # fmt: skip
    ax.set(xlim=field.window[0], ylim=field.window[1], zlim=field.heights)
    ax.set(xlabel=field.objective.parameters[0], ylabel=field.objective.parameters[1])
    ax.zaxis.set_rotate_label(False)
    ax.set_zlabel(field.label, labelpad=12, rotation=90)
    ax.set_box_aspect(BOX, zoom=0.97)
    ax.set_proj_type("ortho")  # visibility is then the same question for every point
    ax.view_init(*_best_view(field, runs, tilts))
    for axis, most in ((ax.xaxis, 6), (ax.yaxis, 6), (ax.zaxis, 5)):
        prune = (
            "both" if axis is not ax.zaxis else None
        )  # else numbers would overlap at the corners
        axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10], prune=prune))
    if field.is_log:
        ax.zaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.zaxis.set_major_formatter(FuncFormatter(lambda power, _: f"$10^{{{power:.0f}}}$"))
    minima = minima_of(field)
    seen = in_sight(minima, field, *view_of(ax))
    faint = {"alpha": 0.4, "label": "_hidden"}
    ax.plot(*lift(ax, minima[~seen], field), **star_of(field) | faint)
    return Surface(drawn, ax.plot(*lift(ax, minima[seen], field), **star_of(field))[0])


def _best_view(field: Field, runs: Sequence[Run], tilts: Sequence[float]) -> tuple[float, float]:
    """Elevation and azimuth from which most of the paths, then of the surface, is visible."""
    x, y = np.meshgrid(field.x[::10], field.y[::10])
    parts = [np.stack([x.ravel(), y.ravel()], axis=1), minima_of(field)]
    for run in runs:  # both by length and by steps: slow stretches count
        path = clip(run.points, field.window)
        for points, _ in (path, refine(*path, field.window)):
            points = points[np.isfinite(points).all(axis=1)]
            parts.append(points[:: len(points) // 300 + 1])
    sizes = np.array([len(part) for part in parts])
    weights = np.array([1.0, 1.0, *[1.5 / max(len(runs), 1)] * (2 * len(runs))])
    weight = np.repeat(weights / np.maximum(sizes, 1), sizes)
    spots = np.concatenate(parts)

    def seen(view: tuple[float, float]) -> float:
        return float(weight @ in_sight(spots, field, *view)) - view[0] / 100

    # Never along an axis, where tick labels would meet; of equals the first is taken.
    sides = [turn + side for turn in (-90.0, 0.0, 90.0, 180.0) for side in (30.0, 45.0, 60.0)]
    return max([(tilt, side) for tilt in tilts for side in sides], key=seen)


def fill_axes(ax: Any, part: float) -> None:
    """Scale the box of a surface so that it takes at most this part of its square axes."""
    ax.set_box_aspect(BOX, zoom=1.0)
    limits = (ax.get_xlim(), ax.get_ylim(), ax.get_zlim())
    corners = [corner.ravel() for corner in np.meshgrid(*limits)]
    x, y, _, scale = ax.get_proj() @ np.stack([*corners, np.ones(8)])
    places = ax.transLimits.transform(np.column_stack([x / scale, y / scale]))
    ax.set_box_aspect(BOX, zoom=0.5 * part / float(np.abs(places - 0.5).max()))


def view_of(ax: Any) -> tuple[float, float]:
    """Elevation and azimuth of an Axes3D."""
    return ax.elev, ax.azim


def in_sight(points: Floats, field: Field, elevation: float, azimuth: float) -> NDArray[np.bool_]:
    """Whether points on the surface, shape (n, 2), are visible from far away."""
    low, high = np.array([*field.window, field.heights]).T
    turn, tilt = np.radians([azimuth, elevation])
    to_eye = [np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)]
    step = np.array(to_eye) * (high - low) / BOX
    ray = np.column_stack([points, field.height(*points.T)])
    ray = ray + np.linspace(0.06, max(BOX), 60)[:, np.newaxis, np.newaxis] * step
    inside = np.all((ray >= low) & (ray <= high), axis=-1)
    with np.errstate(invalid="ignore"):
        hidden = inside & (field.height(ray[..., 0], ray[..., 1]) > ray[..., 2])
    return np.asarray(~hidden.any(axis=0))


def lift(ax: Axes, points: Floats, field: Field) -> tuple[Floats, ...]:
    """Coordinates to plot: two, or on an Axes3D three."""
    x, y = points.T
    return (x, y, field.height(x, y)) if ax.name == "3d" else (x, y)
