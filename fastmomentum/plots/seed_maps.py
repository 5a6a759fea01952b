"""Maps over seeds: the mean loss at the end, or the share of the seeds that met the target."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Patch

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import AXES, RESULTS, takes
from fastmomentum.plots.cells import swatch
from fastmomentum.plots.fields import bar_beside
from fastmomentum.plots.phases import frame_settings, setting_cells
from fastmomentum.plots.style import DIVERGED, number

Measure = Literal["mean", "share"]

HIGHEST: Final = 1e6
"""Multiple of the lowest mean loss above which all means have one colour."""


class SeedMap(NamedTuple):
    """Artists of `seed_map`."""

    cells: QuadMesh
    legend: list[Patch]


@takes(ax=AXES, found=RESULTS)
def seed_map(
    ax: Axes, found: xr.Dataset, measure: Measure = "mean", x: str = "lr", y: str = "momentum"
) -> SeedMap:
    """Map what the seeds of each cell have in common, over two axes of the grid.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits, labels and a colour bar too.
    found : xarray.Dataset
        Of `fm.analysis.over_seeds`, with the two dimensions: one start was selected, and one
        target.
    measure : {"mean", "share"}
        The mean loss at the end, or the share of the seeds that met the target (without one, that
        did not diverge).
    x, y : str
        The dimensions.

    Returns
    -------
    SeedMap
        ``cells`` and ``legend``, which says where a seed diverged.

    Raises
    ------
    InputError
        There is no such measure, or more dimensions are left.
    """
    if measure not in ("mean", "share"):
        raise InputError(f"seeds must be 'mean' or 'share': got {measure!r}")
    name, label = "final_loss_mean", "mean loss at the end, over the seeds"
    if measure == "share":
        name, label = "hit_share", "share of the seeds that met the target"
        if "target" in found:
            label += f" {number(float(found['target']))}"
        if "hit_share" not in found:
            label = "share of the seeds that did not diverge"
    values = found[name] if name in found else 1.0 - found["share_diverged"]
    more = [str(dim) for dim in values.dims if dim not in (x, y)]
    if more:
        raise InputError(f"a map is drawn over {x} and {y}, and {', '.join(more)} is left")
    drawn = values.transpose(x, y).values
    cells = setting_cells(found, x, y)
    ax.set_facecolor(DIVERGED)
    norm, legend = Normalize(0.0, 1.0), []
    if measure == "mean":
        diverged = ~np.isfinite(drawn) | (found["share_diverged"].transpose(x, y).values > 0)
        positive = drawn[~diverged & (drawn > 0)]
        low = float(positive.min()) if positive.size else 1e-300
        high = min(float(positive.max()), HIGHEST * low) if positive.size else 1.0
        norm = LogNorm(low, max(high, 1.5 * low))
        drawn = np.ma.masked_where(diverged | (drawn <= 0), drawn)
        if diverged.any():
            legend = [swatch(DIVERGED, f"a seed diverged ({diverged.mean():.1%})")]
    mesh = ax.pcolormesh(
        *cells.corners,
        cells.drawn(drawn),
        norm=norm,
        cmap="viridis_r" if measure == "mean" else "viridis",
        rasterized=True,
    )
    frame_settings(ax, cells, found, x, y)
    bar_beside(ax, mesh, label=label, extend="max" if measure == "mean" else "neither")
    return SeedMap(mesh, legend)
