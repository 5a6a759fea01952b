"""A map as pixels, with the colours and the legend of `plot phase`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.colors import to_hex
from numpy.typing import NDArray

from fastmomentum.experiment.plan import Experiment
from fastmomentum.explorer.axes import Range, places
from fastmomentum.explorer.view import Cell
from fastmomentum.plots.phases import setting_cells, shares, steps_norm
from fastmomentum.plots.style import CONVERGED, DIVERGED, NEVER, NOT_RUN
from fastmomentum.results.neighbours import NEVER_MET, robust_cell
from fastmomentum.schema import Arrays
from fastmomentum.status import Status

COLOURS_OF_STEPS: Final = 252
"""Number of colours for steps; those of how runs ended follow, in the order of `Status`."""

ENDS: Final = (NOT_RUN, CONVERGED, DIVERGED, NEVER)

STEPS: Final = [to_hex(c) for c in colormaps["viridis_r"](np.linspace(0, 1, COLOURS_OF_STEPS))]
PALETTE: Final = [*STEPS, *ENDS]


@dataclass(frozen=True)
class Plane:
    """The results of a map's cells.

    Attributes
    ----------
    x, y : str
        Names of its axes.
    at_x, at_y : ndarray, shape (nx,) and (ny,)
        Values along the axes.
    status : ndarray of uint8, shape (nx, ny)
        How runs ended.
    steps : ndarray of int32, shape (nx, ny)
        Updates until the target was met, -1 for never; updates made where there is no target.
    has_target : bool
        Whether there is a target.
    """

    x: str
    y: str
    at_x: NDArray[np.float64]
    at_y: NDArray[np.float64]
    status: NDArray[np.uint8]
    steps: NDArray[np.int32]
    has_target: bool

    @property
    def reached(self) -> NDArray[np.bool_]:
        """Cells that are coloured by their steps."""
        return (self.steps >= 0) if self.has_target else np.zeros(self.status.shape, bool)

    @cached_property
    def limits(self) -> tuple[float, float] | None:
        """Steps of the first and the last colour; None if no cell reached the target."""
        if not (reached := self.reached).any():
            return None
        norm = steps_norm(self.steps[reached])
        return float(norm.vmin or 1.0), float(norm.vmax or 2.0)

    @cached_property
    def codes(self) -> NDArray[np.uint8]:
        """Index of each cell's colour in `PALETTE`, shape (ny, nx), from the lowest row upwards."""
        codes = (COLOURS_OF_STEPS + self.status).astype(np.uint8)
        if (limits := self.limits) is not None:
            low, high = np.log(limits)
            reached = self.reached
            spread = (high - low) or 1.0  # all cells may take the same steps
            part = (np.log(np.maximum(self.steps[reached], 1)) - low) / spread
            codes[reached] = (part * COLOURS_OF_STEPS).clip(0, COLOURS_OF_STEPS - 1)
            codes[~reached & (self.status == Status.CONVERGED)] = (
                COLOURS_OF_STEPS + Status.MAX_STEPS
            )
        return np.ascontiguousarray(codes.T)

    @property
    def legend(self) -> list[tuple[str, str]]:
        """Colours of how runs ended, with their meaning and their share of the map."""
        names = {Status.MAX_STEPS: "target not reached"} if self.has_target else None
        patches = shares(self.status, ~self.reached, names)
        return [(to_hex(patch.get_facecolor()), str(patch.get_label())) for patch in patches]

    @property
    def note(self) -> str:
        """A remark if no run converges or all diverge; else empty."""
        if (self.status == Status.DIVERGED).all():
            return "every run in this window diverges"
        none = self.has_target and not self.reached.any()
        return "no run in this window converges" if none else ""

    def fastest(self) -> tuple[Cell, int] | None:
        """The cell with the fastest neighbourhood, by the median of 3 x 3, and its steps.

        It is the star of `plot phase`.
        """
        reached = self.reached
        if not reached.any():
            return None
        counts = np.where(reached, self.steps, NEVER_MET).astype(np.int32)
        i, j = np.unravel_index(robust_cell(counts), counts.shape)
        return (float(self.at_x[i]), float(self.at_y[j])), int(counts[i, j])

    def snapped(self, cell: Cell, windows: tuple[Range, Range]) -> Cell:
        """Centre of the cell at a point; a point outside the window is returned as it is."""
        if not all(low <= value <= high for value, (low, high) in zip(cell, windows, strict=True)):
            return cell
        found = []
        for name, values, value in zip((self.x, self.y), (self.at_x, self.at_y), cell, strict=True):
            away = np.log(values / value) if name == "lr" else values - value
            found.append(float(values[np.abs(away).argmin()]))
        return found[0], found[1]


def plane_of(results: xr.Dataset, x: str, y: str, others: dict[str, int] | None = None) -> Plane:
    """The map of results over two of their dimensions.

    Parameters
    ----------
    results : xarray.Dataset
        Of an experiment.
    x, y : str
        Dimensions to draw over.
    others : dict of int, optional
        Index along further dimensions; 0 for those left out.

    Returns
    -------
    Plane
        Steps are those to the last target, if there is one.
    """
    stay = {d: (others or {}).get(str(d), 0) for d in results["status"].dims if d not in (x, y)}
    chosen = results[[n for n in ("status", "hit_step", "n_steps") if n in results]].isel(stay)
    has_target = "target" in results.dims
    steps = chosen["hit_step"].isel(target=-1) if has_target else chosen["n_steps"]
    return Plane(
        x=x,
        y=y,
        at_x=results[x].values.astype(np.float64),
        at_y=results[y].values.astype(np.float64),
        status=chosen["status"].transpose(x, y).values.astype(np.uint8),
        steps=steps.transpose(x, y).values.astype(np.int32),
        has_target=has_target,
    )


def plane_in_memory(experiment: Experiment, arrays: Arrays, x: str, y: str) -> Plane:
    """The map of runs in memory over the two axes of their grid with several values.

    Parameters
    ----------
    experiment : Experiment
        What was run; axes other than `x` and `y` have a single value.
    arrays : dict of ndarray
        From `run_unless`.
    x, y : str
        The axes.

    Returns
    -------
    Plane
        As `plane_of` of the results.
    """
    axes = experiment.grid.axes
    sizes = [axes[name].size for name in sorted((x, y), key=list(axes).index)]
    is_turned = list(axes).index(x) > list(axes).index(y)
    has_target = "hit_step" in arrays
    steps = arrays["hit_step"][:, -1] if has_target else arrays["n_steps"]

    def drawn(values: NDArray[Any]) -> NDArray[Any]:
        plane = values.reshape(sizes)
        return plane.T if is_turned else plane

    return Plane(
        x=x,
        y=y,
        at_x=axes[x].astype(np.float64),
        at_y=axes[y].astype(np.float64),
        status=drawn(arrays["status"]).astype(np.uint8),
        steps=drawn(steps).astype(np.int32),
        has_target=has_target,
    )


def halved(plane: Plane, experiment: Experiment) -> Plane:
    """The map halfway through `run_unless`: each finished row is shown twice."""
    axes = experiment.grid.axes
    slow = next((name for name, values in axes.items() if values.size > 1), plane.x)
    axis = 0 if slow == plane.x else 1
    rows = np.arange(plane.status.shape[axis]) // 2 * 2
    return replace(plane, status=plane.status.take(rows, axis), steps=plane.steps.take(rows, axis))


def resampled(
    plane: Plane, results: xr.Dataset, windows: tuple[Range, Range], size: tuple[int, int]
) -> Plane:
    """The map of a file in pixels of the screen, each with the values of the cell around it.

    Parameters
    ----------
    plane : Plane
        From `plane_of`.
    results : xarray.Dataset
        The same.
    windows : ((float, float), (float, float))
        The part to show.
    size : (int, int)
        Pixels.

    Returns
    -------
    Plane
        With the pixels' values along its axes.
    """
    edges = setting_cells(results, plane.x, plane.y).edges
    found, chosen = [], []
    for name, window, num, edge in zip((plane.x, plane.y), windows, size, edges, strict=True):
        at = places(name, window, num)
        found.append(at)
        chosen.append(np.searchsorted(edge[1:-1], at))
    cells = np.ix_(*chosen)
    at_x, at_y = found
    return Plane(
        plane.x, plane.y, at_x, at_y, plane.status[cells], plane.steps[cells], plane.has_target
    )


def file_window(results: xr.Dataset, x: str, y: str) -> dict[str, Range]:
    """The window of a file's whole map."""
    cells = setting_cells(results, x, y)
    made: dict[str, Any] = {}
    for name, edge, bound in zip((x, y), cells.edges, cells.bounds, strict=True):
        low, high = max(float(edge[0]), bound[0]), min(float(edge[-1]), bound[1])
        if name == "lr" and low <= 0:
            low = float(results[name].values[0]) / 2
        made[name] = (low, high)
    return made
