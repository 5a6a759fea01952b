"""Where theory and map differ, over learning rate and momentum."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from fastmomentum.plots.arguments import ARRAY, AXES, takes
from fastmomentum.plots.cells import swatch
from fastmomentum.plots.fields import bar_beside
from fastmomentum.plots.phases import frame_settings, setting_cells
from fastmomentum.plots.planes import require_plane

CLASS_COLOURS: Final = {
    0: ("#F4F4F4", "theory and run stay"),
    1: ("#C9C9C9", "theory and run diverge"),
    2: ("#D55E00", "diverged, where theory is stable"),
    3: ("#0072B2", "did not diverge, where theory is unstable"),
}
"""By `fm.analysis.Parting`: the colour, and what to call it."""

WIDEST: Final = 3.0
"""Factor between measured and predicted 1 - rate at which colours end."""


@takes(ax=AXES, partings=ARRAY)
def parting_map(ax: Axes, partings: xr.DataArray) -> list[Patch]:
    """Map where theory and map agree on what diverges, and where they differ.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    partings : xarray.DataArray, dims (lr, momentum)
        From `fm.analysis.foretold`, of one start.

    Returns
    -------
    list of Patch
        The legend, with shares of the map.

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=5000, grid=fm.Grid(lr=[0.05, 0.5], momentum=[0.0, 0.9], start=[(1, 1)])))
    >>> found = fm.analysis.foretold(ds.isel(start=0))
    >>> [patch.get_label() for patch in parting_map(Figure().add_subplot(), found.partings)]
    ['theory and run stay (50.0%)', 'theory and run diverge (50.0%)']
    """
    require_plane(partings)
    values = partings.transpose("lr", "momentum").values
    cells = setting_cells(partings)
    colours = ListedColormap([colour for colour, _ in CLASS_COLOURS.values()])
    ax.pcolormesh(
        *cells.corners, cells.drawn(values), cmap=colours, vmin=-0.5, vmax=3.5, rasterized=True
    )
    frame_settings(ax, cells, partings)
    return [
        swatch(colour, f"{name} ({share:.1%})")
        for code, (colour, name) in CLASS_COLOURS.items()
        if (share := float(np.mean(values == code))) > 0
    ]


@takes(ax=AXES, ratio=ARRAY)
def ratio_map(ax: Axes, ratio: xr.DataArray) -> Colorbar | None:
    """Map how many times faster runs approached than theory predicts: measured over predicted gap.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits, labels and a colour bar too.
    ratio : xarray.DataArray, dims (lr, momentum)
        (1 - measured rate)/(1 - predicted rate); NaN where one of them is none below 1.

    Returns
    -------
    Colorbar or None
        None where there is no ratio.

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are.
    """
    require_plane(ratio)
    cells = setting_cells(ratio)
    values: Any = np.ma.masked_invalid(cells.drawn(ratio.transpose("lr", "momentum").values))
    norm = LogNorm(1.0 / WIDEST, WIDEST)
    mesh = ax.pcolormesh(*cells.corners, values, norm=norm, cmap="RdBu", rasterized=True)
    frame_settings(ax, cells, ratio)
    ax.set_facecolor("#C9C9C9")
    if values.count() == 0:
        return None
    bar = bar_beside(
        ax, mesh, label="1 \N{MINUS SIGN} rate: measured over predicted", extend="both"
    )
    bar.ax.yaxis.set_major_locator(FixedLocator([1 / 3, 1 / 2, 1 / 1.2, 1.0, 1.2, 2.0, 3.0]))
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda factor, _: f"{factor:.2g}"))
    return bar
