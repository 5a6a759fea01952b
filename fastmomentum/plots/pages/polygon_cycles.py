"""Where the heavy ball cycles, measured on a function for each setting, with the closed form."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from matplotlib import colormaps, rcParams
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.lines import Line2D

from fastmomentum import theory
from fastmomentum.analysis.cycling import measured_cycles
from fastmomentum.errors import InputError
from fastmomentum.plots.cycle_regions import proved_edge
from fastmomentum.plots.pages.page import Page, Size, Style, finished, lines_of, new_page, wrapped
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.style import COLOURS, ink
from fastmomentum.plots.styles import drawn_in
from fastmomentum.specification.numbers import number, whole

SHOWN: Final = 8
"""Periods with a colour of their own."""


def cycles(
    mu: float = 1.0,
    L: float = 25.0,  # noqa: N803  # as every paper writes it
    *,
    longest: int = 25,
    cells: int = 150,
    steps: int = 2000,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Map the runs of `fm.analysis.measured_cycles` that still cycle at the end, with theory.

    Parameters
    ----------
    mu, L : float
        Smallest and largest curvature, 0 < mu < L.
    longest : int
        The longest cycle that is looked at.
    cells : int
        Learning rates up to 4/L, and as many momenta below 1.
    steps : int
        Updates of each run.
    title, size, style
        As for `pages.contour`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` counts the runs that end as foretold.

    Raises
    ------
    InputError
        A number is out of its range.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> print(fm.plots.pages.cycles(cells=6, steps=300).said[0].partition(": ")[2])
    36 end as the closed form says, 18 of them on a cycle
    """
    for name, given, least in (("cells", cells, 2), ("steps", steps, 1), ("longest", longest, 2)):
        if whole(given, name) < least:
            raise InputError(f"--{name} must be {least} or more: got {given}")
    mu, L = number(mu, "mu"), number(L, "L")  # noqa: N806  # as every paper writes it
    between = np.arange(cells) + 0.5  # middles of cells: none lies on the line by intent
    lr, momentum = 4.0 / L * between / cells, between / cells
    found = measured_cycles(lr, momentum[:, None], mu, L, longest, steps)
    said = (
        f"{found.measured.size:,} runs of {steps:,} updates, each on the polygon function of its "
        f"settings: {np.sum(found.measured == found.foretold):,} end as the closed form says, "
        f"{np.sum(found.measured & found.foretold):,} of them on a cycle"
    )
    with drawn_in(style) as settings:
        page = new_page(settings, size, (10.0, 7.5))
        what = f"Cycles of the heavy ball, curvatures from {mu:g} to {L:g}"
        page.suptitle(wrapped(page, title or what, "figure.titlesize"), parse_math=False)
        ax = page.add_subplot(xlabel="learning rate", ylabel="momentum")
        ax.set_title(lines_of(page, said))
        page.said.append(said)
        colours = ListedColormap(colormaps["viridis_r"](np.linspace(0.0, 1.0, SHOWN)))
        norm = BoundaryNorm(np.arange(SHOWN + 1) + 1.5, SHOWN)
        drawn = np.ma.masked_where(~found.measured, np.minimum(found.periods, SHOWN + 1))
        mesh = ax.pcolormesh(lr, momentum, drawn, cmap=colours, norm=norm, rasterized=True)
        bar = page.colorbar(mesh, ax=ax, ticks=range(2, SHOWN + 2), label="points of the cycle")
        bar.ax.set_yticklabels([*map(str, range(2, SHOWN + 1)), f"{SHOWN + 1} or more"])
        handles = _theory(ax, mu, L, longest)
        ax.set(xlim=(0.0, 4.0 / L), ylim=(0.0, 1.0))
        legend_below(page, 2, handles=handles)
    return finished(page)


def _theory(ax: Axes, mu: float, top: float, longest: int) -> list[Line2D]:
    """Draw the closed form's edge, the line of proved convergence and the best pair."""
    lr, m = np.linspace(0.0, 4.0 / top, 1001)[1:], np.linspace(0.0, 1.0, 1001)[:-1]
    inside = theory.shortest_cycle(lr, m[:, None], mu, top, longest) > 0
    line: Any = ink(rcParams["axes.facecolor"])
    ax.contour(lr, m, inside, levels=[0.5], colors=line, linewidths=1.4)
    edge = Line2D([], [], color=line, linewidth=1.4, label="edge of cycles (closed form)")
    (proved,) = ax.plot(
        *proved_edge(mu, top), color=COLOURS[0], linewidth=2.0,
        linestyle=(0, (1.5, 1.2)), label="converges on every such f below (proved)",
    )  # fmt: skip
    best = theory.optimum(mu, top)
    (optimum,) = ax.plot(
        best.lr, best.momentum, linestyle="none", marker="D", markersize=9, color=COLOURS[0],
        markeredgecolor="white", label="Polyak's pair, the best on quadratics",
    )  # fmt: skip
    return [edge, proved, optimum]
