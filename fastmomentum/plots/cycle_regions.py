"""Where the heavy ball cycles on some strongly convex function, over a map of lr and momentum."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.contour import QuadContourSet
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import AXES, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import number
from fastmomentum.plots.visible import is_seen
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.theory import (
    RuleLike,
    converging_momentum,
    method,
    scale,
)
from fastmomentum.theory.cycles import LONGEST, cycle_range
from fastmomentum.theory.linear import known

_SAMPLES: Final = 801

HATCH: Final = "#CC79A7"
"""A colour that neither maps nor the other lines have."""


class CycleRegion(NamedTuple):
    """Artists of `cycle_region`; ``cycles`` is None where none of them is in the picture."""

    cycles: QuadContourSet | None
    proved: Line2D
    legend: list[Patch]

    @property
    def handles(self) -> list[Any]:
        """Handles for a legend."""
        return [*self.legend, *([self.proved] if is_seen(self.proved) else [])]


@takes(ax=AXES)
def cycle_region(
    ax: Axes,
    mu: float,
    L: float,  # noqa: N803  # as every paper writes it
    rule: RuleLike = "momentum",
    longest: int = LONGEST,
) -> CycleRegion:
    """Draw where the heavy ball cycles on some function, and the line below which it never does.

    Parameters
    ----------
    ax : Axes
        With the map drawn: its limits are kept.
    mu, L : float
        Smallest and largest curvature, 0 < mu < L; of an objective, `Objective.curvatures`.
    rule : str or UpdateRule
        The heavy ball or one of its forms.
    longest : int
        The longest cycle that is looked at.

    Returns
    -------
    CycleRegion
        ``cycles`` (hatched, the union of `theory.has_cycle` over periods from 2), ``proved`` (the
        line of `theory.converging_momentum`, below which every function of the class is converged
        on) and ``legend``.

    Raises
    ------
    InputError
        The rule is no form of the heavy ball; curvatures are not 0 < mu < L.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> ax = Figure().add_subplot(xlim=(0, 0.2), ylim=(0, 1))
    >>> cycle_region(ax, 1.0, 25.0).legend[0].get_label()
    'cycles of 2 to 25 points: on some f of curvature 1 to 25 (theory)'
    """
    if method(rule) != "momentum":
        raise InputError(
            f"cycles are known for the heavy ball and its forms only: got {known(rule).name}"
        )
    limits = ax.get_xlim(), ax.get_ylim()
    spaced = np.geomspace if ax.get_xscale() == "log" else np.linspace
    lr = np.asarray(spaced(*limits[0], _SAMPLES))
    momentum = np.linspace(*limits[1], _SAMPLES)
    momentum = momentum[(momentum >= 0.0) & (momentum < 1.0)][:, None]
    found = _has_cycle(lr * scale(rule, momentum), momentum, mu, L, longest)
    cycles, legend = None, []
    if found.any():
        with mpl.rc_context({"hatch.color": HATCH, "hatch.linewidth": 1.2}):
            cycles = ax.contourf(
                lr, momentum.ravel(), found, levels=[0.5, 1.5],
                colors="none", hatches=["///"], zorder=3.5,
            )  # fmt: skip
        label = (
            f"cycles of 2 to {longest} points: on some f of curvature {number(mu)} to {number(L)}"
        )
        legend = [Patch(facecolor="none", hatch="///", edgecolor=HATCH, label=f"{label} (theory)")]
    # Along the heavy ball's own learning rate, so that it is a line for every form of it.
    ball, edge = proved_edge(mu, L)
    proved = ax.plot(
        ball / scale(rule, edge), edge, color=HATCH, linewidth=1.8,
        linestyle=(0, (1.5, 1.2)), zorder=4, path_effects=cased(3.6, 0.6),
        label="converges on every such f below (theory)",
    )[0]  # fmt: skip
    ax.set(xlim=limits[0], ylim=limits[1])
    return CycleRegion(cycles, proved, legend)


def proved_edge(mu: float, top: float) -> tuple[Floats, Floats]:
    """The edge of where the heavy ball is proved to converge, down to momentum 0.

    Parameters
    ----------
    mu, top : float
        Smallest and largest curvature, 0 < mu < top.

    Returns
    -------
    lr, momentum : ndarray, shape (n,)
        By `theory.converging_momentum`. It falls ever more steeply to the momentum mu/top, so that
        the samples crowd there; nothing is proved of learning rates from 2/top on, so that it ends
        straight downwards.

    Examples
    --------
    >>> np.stack(proved_edge(1.0, 25.0), axis=1)[-2:].tolist()
    [[0.08, 0.04], [0.08, 0.0]]
    """
    lr = 2.0 / top * (1.0 - np.square(np.linspace(1.0, 0.0, _SAMPLES)[1:-1]))
    edge = converging_momentum(lr, mu, top)
    return np.append(lr, [2.0 / top] * 2), np.append(edge, [mu / top, 0.0])


def _has_cycle(
    lr: NDArray[np.float64], momentum: NDArray[np.float64], mu: float, largest: float, longest: int
) -> NDArray[np.bool_]:
    """Where there is a cycle, shape (n_momentum, n_lr): the ranges of all periods together."""
    lows, highs = cycle_range(momentum, mu, largest, np.arange(2, longest + 1))
    found = np.zeros(lr.shape, bool)
    for low, high in zip(lows.T, highs.T, strict=True):
        found |= (lr >= low[:, None]) & (lr <= high[:, None])
    return found


def cycles_of(
    ax: Axes, ds: xr.Dataset, longest: int, curvatures: tuple[float, float] | None = None
) -> list[Any]:
    """Draw `cycle_region` over a map of results, and return handles for a legend.

    Raises
    ------
    InputError
        The objective has no known curvatures and none are given; others as for `cycle_region`.
    """
    if longest < 2:
        raise InputError(f"--cycles must be 2 or more points: got {longest}")
    if curvatures is None:
        objective = objective_of(ds)
        curvatures = objective.curvatures
        if curvatures is None or not curvatures[0] < curvatures[1]:
            raise InputError(
                f"--cycles: {objective.words} has no known curvatures 0 < mu < L; "
                "give them: --curvatures MU,L"
            )
    return cycle_region(ax, *curvatures, rule_of(ds), longest).handles
