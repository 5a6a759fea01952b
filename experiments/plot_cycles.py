"""Measure where the heavy ball cycles: at each learning rate and momentum, on an f of its own.

Each cell of the map is a run on the `fm.PolygonCycle` that is made for its settings, and begins on
the cycle. Its period is the shortest that has a cycle there by the closed form; where none has, the
one that lacks the least. Coloured are the runs that are still on their cycle after all updates; the
line is the edge by the closed form, the union of `fm.theory.has_cycle`.
"""

from __future__ import annotations

import _ending  # noqa: F401  (its import sets how the script ends)

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import fastmomentum as fm
from fastmomentum import theory
from fastmomentum.cli.exit_status import script
from fastmomentum.cli.picture_files import place_of, save
from fastmomentum.errors import InputError
from fastmomentum.plots.styles import drawn_in

ON_IT = 1e-6
"""Most that a run may be away from its cycle at the end."""

SHOWN = 8
"""Periods with a colour of their own."""


def main(words: Sequence[str]) -> None:
    """Run, draw, save."""
    made = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    add = made.add_argument
    add("-o", "--output", type=Path, default=Path("cycles.png"), metavar="OUT")
    add("--style", type=Path, metavar="FILE", help="a matplotlib style file")
    add("--mu", type=float, default=1.0, help="smallest curvature (default: 1)")
    add("--L", type=float, default=25.0, help="largest curvature (default: 25)")
    add("--longest", type=int, default=25, help="longest period (default: 25)")
    add("--cells", type=int, default=150, help="cells along an axis (default: 150)")
    add("--steps", type=int, default=2000, help="updates of each run (default: 2000)")
    arguments = made.parse_args(words)
    for name, least in (("cells", 2), ("steps", 1), ("longest", 2)):
        if getattr(arguments, name) < least:
            raise InputError(f"--{name} must be {least} or more: got {getattr(arguments, name)}")
    path = place_of(arguments.output, arguments.output, "cycles", (".png", ".svg", ".pdf"))
    with drawn_in(arguments.style):
        save(draw(arguments), path)
    print(f"wrote {path}")


def draw(arguments: argparse.Namespace) -> Figure:
    """Run each cell on its function, and map the periods of those that still cycle."""
    mu, top, longest = arguments.mu, arguments.L, arguments.longest
    between = np.arange(arguments.cells) + 0.5  # middles of cells: none lies on the line by intent
    lr = 4.0 / top * between / arguments.cells
    momentum = between / arguments.cells
    at = [part.ravel() for part in np.meshgrid(lr, momentum)]
    foretold = theory.shortest_cycle(*at, mu, top, longest) > 0
    periods = candidates(*at, mu, top, longest)
    measured = goes_round(*at, mu, top, periods, arguments.steps)
    said = (
        f"{at[0].size:,} runs of {arguments.steps:,} updates, each on the polygon function of its "
        f"settings:\n{np.sum(measured == foretold):,} end as the closed form says, "
        f"{np.sum(measured & foretold):,} of them on a cycle"
    )
    print(said.replace("\n", " "))
    shape = (momentum.size, lr.size)
    figure = Figure(figsize=(10.0, 7.5), layout="constrained")
    figure.suptitle(f"Cycles of the heavy ball, curvatures from {mu:g} to {top:g}")
    ax = figure.add_subplot(title=said, xlabel="learning rate", ylabel="momentum")
    colours = ListedColormap(colormaps["viridis_r"](np.linspace(0.0, 1.0, SHOWN)))
    norm = BoundaryNorm(np.arange(SHOWN + 1) + 1.5, SHOWN)
    drawn = np.ma.masked_where(~measured, np.minimum(periods, SHOWN + 1)).reshape(shape)
    mesh = ax.pcolormesh(lr, momentum, drawn, cmap=colours, norm=norm, rasterized=True)
    bar = figure.colorbar(mesh, ax=ax, ticks=range(2, SHOWN + 2), label="points of the cycle")
    bar.ax.set_yticklabels([*map(str, range(2, SHOWN + 1)), f"{SHOWN + 1} or more"])
    handles = _theory(ax, mu, top, longest)
    ax.set(xlim=(0.0, 4.0 / top), ylim=(0.0, 1.0))
    figure.legend(handles=handles, loc="outside lower center", ncols=2)
    return figure


def candidates(lr: Any, momentum: Any, mu: float, top: float, longest: int) -> Any:
    """For each setting the shortest period that has a cycle, or the one that lacks the least."""
    found = theory.shortest_cycle(lr, momentum, mu, top, longest)
    nearest, lacking = np.full(lr.shape, 2), np.full(lr.shape, np.inf)
    for period in range(2, longest + 1):
        # How far beyond the range of learning rates, as a factor; inf where there is no range.
        low, high = theory.cycle_range(momentum, mu, top, period)
        missing = np.nan_to_num(np.maximum(low / lr, lr / high), nan=np.inf)
        nearest = np.where(missing < lacking, period, nearest)
        lacking = np.minimum(missing, lacking)
    return np.where(found > 0, found, nearest)


def goes_round(lr: Any, momentum: Any, mu: float, top: float, periods: Any, steps: int) -> Any:
    """Whether each run is on its cycle at the end, having begun on it."""
    functions = [
        fm.PolygonCycle(period=n, mu=mu, L=top, lr=a, momentum=m)
        for n, a, m in zip(periods.tolist(), lr.tolist(), momentum.tolist(), strict=True)
    ]
    # The plain functions take arrays of constants as well: one lane a run.
    constants = tuple(np.array([f.constants for f in functions]).T)
    ends = np.array([f.cycle[steps % f.period] for f in functions]).T
    x, y = np.ones(lr.shape), np.zeros(lr.shape)
    vx, vy = np.array([f.cycle[0] - f.cycle[-1] for f in functions]).T
    for _ in range(steps):
        gx, gy = fm.PolygonCycle.gradient_at(x, y, constants)
        vx, vy = momentum * vx - lr * gx, momentum * vy - lr * gy
        x, y = x + vx, y + vy
    return np.hypot(x - ends[0], y - ends[1]) < ON_IT


def _theory(ax: Any, mu: float, top: float, longest: int) -> list[Line2D]:
    """Draw the closed form's edge, the line of proved convergence and the edge of stability."""
    lr, m = np.linspace(0.0, 4.0 / top, 1001)[1:], np.linspace(0.0, 1.0, 1001)[:-1]
    inside = theory.shortest_cycle(lr, m[:, None], mu, top, longest) > 0
    ax.contour(lr, m, inside, levels=[0.5], colors="black", linewidths=1.4)
    edge = Line2D([], [], color="black", linewidth=1.4, label="edge of cycles (closed form)")
    dotted = {"color": "#D55E00", "linewidth": 2.0}
    (proved,) = ax.plot(
        lr, theory.converging_momentum(lr, mu, top), linestyle=(0, (1.5, 1.2)), **dotted,
        label="converges on every such f below (proved)",
    )  # fmt: skip
    best = theory.optimum(mu, top)
    (optimum,) = ax.plot(
        best.lr, best.momentum, linestyle="none", marker="D", markersize=9, color="#D55E00",
        markeredgecolor="white", label="Polyak's pair, the best on quadratics",
    )  # fmt: skip
    return [edge, proved, optimum]


if __name__ == "__main__":
    script(main)
