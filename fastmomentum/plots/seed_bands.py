"""A quantity over seeds against the step: its median, and bands around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.lines import Line2D

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import ARRAY, AXES, TEXTS, each, takes
from fastmomentum.plots.curves import against_step
from fastmomentum.plots.style import colours_on, ink

ARRAYS: Final = each(ARRAY, "a list of DataArrays (quantile, step)")
PAIRS: Final = ((0.05, 0.95, 0.15), (0.25, 0.75, 0.3))
"""Quantiles at a band's edges, and how dark it is."""


class Bands(NamedTuple):
    """Artists of `bands`."""

    medians: list[Line2D]
    bands: Sequence[PolyCollection]
    means: list[Line2D]


@takes(ax=AXES, quantiles=ARRAYS, labels=TEXTS)
def bands(
    ax: Axes,
    quantiles: Sequence[xr.DataArray],
    labels: Sequence[str],
    means: Sequence[tuple[Any, Any]] = (),
) -> Bands:
    """Draw medians against the step, with the quartiles and 5 to 95% as bands.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits, labels and a grid too.
    quantiles : sequence of DataArray, dims (quantile, step)
        One for each cell, such as ``fm.analysis.over_seeds(cell).loss_quantile``, with the
        quantiles 0.05, 0.25, 0.5, 0.75 and 0.95.
    labels : sequence of str
        Of the cells.
    means : sequence of (array_like, array_like)
        Steps and expected values, which are drawn as dashed lines of the cells' colours.

    Returns
    -------
    Bands
        ``medians``, labelled; ``bands``, two a cell; ``means``.

    Raises
    ------
    InputError
        A quantile is not there, or an argument is something else.
    """
    asked = [0.5, *(end for low, high, _ in PAIRS for end in (low, high))]
    for one in quantiles:
        gone = [name for name in ("quantile", "step") if name not in one.coords]
        if gone:
            raise InputError(
                f"quantiles must have the dimensions quantile and step, and {gone[0]} is not "
                "there; take loss_quantile of over_seeds"
            )
        lacking = [q for q in asked if not np.isclose(one["quantile"].values, q).any()]
        if lacking:
            raise InputError(f"the quantile {lacking[0]:g} is not there; take over_seeds as it is")
    medians, drawn, lines = [], [], []
    known = colours_on(ax.get_facecolor())
    dashed: dict[str, Any] = {
        "color": ink(ax.get_facecolor()), "linestyle": (0, (4, 2)), "linewidth": 1.6, "zorder": 4,
    }  # fmt: skip
    steps = max((one["step"].values for one in quantiles), key=lambda each: int(each[-1]))
    flat = np.concatenate([one.values.ravel() for one in quantiles])
    flat = flat[np.isfinite(flat)]
    against_step(ax, steps, flat if flat.size else np.ones(1))
    for i, (one, label) in enumerate(zip(quantiles, labels, strict=True)):
        colour, at = known[i % len(known)], one["step"].values.astype(float)
        if ax.get_xscale() == "log":
            at = np.where(at > 0, at, np.nan)
        for low, high, alpha in PAIRS:
            lower, upper = (one.sel(quantile=q, method="nearest").values for q in (low, high))
            lower = np.where(np.isfinite(lower), lower, np.nan)
            upper = np.where(np.isfinite(upper), upper, np.nan)
            drawn.append(ax.fill_between(at, lower, upper, color=colour, alpha=alpha, linewidth=0))
        middle = one.sel(quantile=0.5, method="nearest").values
        style: dict[str, Any] = {"color": colour, "linewidth": 2.2, "label": label}
        medians.append(ax.plot(at, np.where(np.isfinite(middle), middle, np.nan), **style)[0])
    for i, (at, values) in enumerate(means):
        label = "mean that theory expects" if not i else "_nolegend_"
        lines.append(ax.plot(at, values, label=label, **dashed)[0])
    return Bands(medians, drawn, lines)
