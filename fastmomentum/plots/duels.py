"""One map for two experiments on the same grid: which reached the target sooner."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.colorbar import Colorbar
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter

from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import AXES, RESULTS, TWO_NAMES, drawn_by, takes
from fastmomentum.plots.cells import draw_ends, swatch
from fastmomentum.plots.fields import bar_beside
from fastmomentum.plots.phases import frame_settings, setting_cells, shares
from fastmomentum.plots.planes import require_plane
from fastmomentum.plots.style import number
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import labels_of, require_labels
from fastmomentum.specification.numbers import number as one_number
from fastmomentum.status import Status

ONLY: Final = ("#2d004b", "#7f3b08")
"""Colours where only the first, or only the second, arrived: the ends of purple and orange."""


LONG_NAMES: Final = 32
"""Letters in both names from which on each has a line of the bar's label to itself."""

TIMES: Final = (1.2, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 100.0, 300.0, 1000.0)
"""Ticks of the colour bar, as far as it reaches."""


class DuelMap(NamedTuple):
    """Artists of `duel_map`."""

    ratios: QuadMesh | None
    ends: QuadMesh
    legend: list[Patch]


@takes(ax=AXES, first=RESULTS, second=RESULTS, names=TWO_NAMES)
def duel_map(ax: Axes, first: xr.Dataset, second: xr.Dataset, names: tuple[str, str]) -> DuelMap:
    """Map how many times sooner one of two experiments reached the last target.

    Parameters
    ----------
    ax : Axes
        Gets scales, limits and labels too.
    first, second : xarray.Dataset
        With dims lr and momentum, and target: one start each was selected.
    names : (str, str)
        What to call them.

    Returns
    -------
    DuelMap
        ``ratios`` (purple where the first was sooner, orange where the second; None where there is
        no cell that both came to), ``ends`` (the other cells) and ``legend`` (handles with shares).

    Raises
    ------
    InputError
        The grids, targets, objectives, starts or velocities differ, there is no target, or more
        than one start or velocity is left.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import fastmomentum as fm
    >>> bowl, grid = fm.Quadratic(1.0, 0.0, 10.0), fm.Grid(lr=[0.1, 0.15], momentum=[0.5, 0.9],
    ...     start=[(1, 1)])
    >>> both = [fm.run(fm.Experiment(objective=bowl, rule=rule, steps=1000, grid=grid,
    ...     stop=fm.Stop(targets=[1e-8]))).isel(start=0) for rule in ("momentum", "nesterov")]
    >>> drawn = duel_map(Figure().add_subplot(), *both, ("heavy ball", "Nesterov"))
    >>> int(drawn.ratios.get_array().count())
    2
    """
    hits = [_hits(results) for results in (first, second)]
    for name in ("lr", "momentum", "target"):
        one, other = (r[name].values for r in (first, second))
        if not np.array_equal(one, other):
            raise InputError(f"a duel takes two results of the same {name}: these differ")
    _require_fair(first, second)
    reached = [steps >= 0 for steps in hits]
    both = reached[0] & reached[1]
    status = [r["status"].transpose("lr", "momentum").values for r in (first, second)]
    # Where neither arrived, it counts as diverged if both did so.
    gone = (status[0] == Status.DIVERGED) & (status[1] == Status.DIVERGED)
    ended = np.where(gone, Status.DIVERGED, Status.MAX_STEPS)
    cells = setting_cells(first)
    ends = draw_ends(ax, cells, ended)
    ratio = np.full(both.shape, np.nan)
    ratio[both] = np.log2(np.maximum(hits[1][both], 1) / np.maximum(hits[0][both], 1))
    mesh = None
    legend = []
    for mine, other, colour, name in zip(reached, reached[::-1], ONLY, names, strict=True):
        alone = mine & ~other
        if alone.any():
            shown = np.ma.masked_equal(cells.drawn(alone), False)
            plain = ListedColormap([colour])
            ax.pcolormesh(*cells.corners, shown, cmap=plain, vmin=0, vmax=1, rasterized=True)
            legend.append(swatch(colour, f"{name} alone arrives ({alone.mean():.1%})"))
    if both.any():
        reach = max(float(np.quantile(np.abs(ratio[both]), 0.98)), 0.1)
        shown = np.ma.masked_invalid(cells.drawn(ratio))
        colours = ListedColormap(colormaps["PuOr"](np.linspace(0.88, 0.12, 256)[::-1]))
        norm = Normalize(-reach, reach)
        mesh = ax.pcolormesh(*cells.corners, shown, cmap=colours, norm=norm, rasterized=True)
    frame_settings(ax, cells, first)
    neither = shares(
        ended,
        ~(reached[0] | reached[1]),
        {Status.DIVERGED: "both diverge", Status.MAX_STEPS: "neither arrives"},
    )
    return DuelMap(mesh, ends, [*legend, *neither])


@takes(ax=AXES, drawn=drawn_by(DuelMap, "fm.plots.duel_map"), names=TWO_NAMES)
def duel_bar(ax: Axes, drawn: DuelMap, names: tuple[str, str], target: float) -> Colorbar | None:
    """Draw the colour bar of a duel beside its axes.

    Parameters
    ----------
    ax : Axes
        Where the map was drawn.
    drawn : DuelMap
        From `duel_map`.
    names : (str, str)
        What to call the two.
    target : float
        To which steps were counted.

    Returns
    -------
    Colorbar or None
        None where there is no cell that both came to.

    Raises
    ------
    InputError
        An argument is something else.
    """
    target = one_number(target, "target")
    if drawn.ratios is None:
        return None
    to = f"to f \N{MINUS SIGN} minimum \N{LESS-THAN OR EQUAL TO} {number(target)}"
    ends = f"\N{LEFTWARDS ARROW} {names[1]} sooner", f"{names[0]} sooner \N{RIGHTWARDS ARROW}"
    long = sum(map(len, names)) > LONG_NAMES  # in one line they would reach beyond the picture
    label = f"{ends[0]}, {ends[1]}\n{to}" if long else f"{ends[0]} {to}, {ends[1]}"
    bar = bar_beside(ax, drawn.ratios, label=label, extend="both")
    reach = float(drawn.ratios.get_clim()[1])
    powers = [float(np.log2(times)) for times in TIMES if np.log2(times) <= reach]
    powers = powers[:: 1 + len(powers) // 5]
    ticks = [-power for power in powers[::-1]] + [0.0, *powers]
    bar.ax.yaxis.set_major_locator(FixedLocator(ticks))
    bar.ax.yaxis.set_major_formatter(FuncFormatter(_times))
    return bar


def _times(power: float, _: Any) -> str:
    times = f"{2.0 ** abs(power):.3g}"
    return "equal" if times == "1" else f"{times} times"


def _hits(results: xr.Dataset) -> Any:
    require_plane(results)
    if "target" not in results.dims:
        raise InputError("a duel takes experiments with a target; give them one under [stop]")
    return results["hit_step"].isel(target=-1).transpose("lr", "momentum").values


def _require_fair(first: xr.Dataset, second: xr.Dataset) -> None:
    """Refuse two whose objective, start or initial velocity differ."""
    one, other = experiment_of(first), experiment_of(second)
    mine, theirs = objective_of(first), objective_of(second)
    if mine != theirs:
        kinds = {mine.name, theirs.name}
        two = f"two kinds of {mine.name}: " if len(kinds) == 1 else ""
        raise InputError(
            f"a duel takes two results of the same objective: got {two}{mine.words} "
            f"and {theirs.words}"
        )
    for kind in ("start", "velocity"):
        places = [_place(results, kind) for results in (first, second)]
        if places[0] != places[1]:
            raise InputError(
                f"a duel takes two results of the same {kind}: got {places[0]} and {places[1]}"
            )
    rules = one.rule.name, other.rule.name
    forms = [found.rule.rule.form for found in (one, other)]
    units = [None if form is None else form.sums_gradients for form in forms]
    if any(places[0]) and (units[0] != units[1] or None in units):
        raise InputError(
            f"a duel takes two results of the same velocity: that of {rules[0]} and that of "
            f"{rules[1]} have different units; compare these rules at rest"
        )


def _place(results: xr.Dataset, kind: str) -> tuple[float, ...]:
    """The one start or velocity of results; at rest where there are no velocities."""
    require_labels(results, (kind,))
    return tuple(float(results[name]) for name in labels_of(results, (kind,))) or (0.0, 0.0)
