"""Theory drawn over a map of learning rate and momentum: where it is stable, and fastest.

With batches there are two edges of stability. Under the full gradient the mean of the runs stays
below one, which is all that theory says of batches by "shuffle". Where rows are drawn
independently, the mean square stays below another, which is the one that runs show.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.experiment.randomness import Batch
from fastmomentum.objectives import Objective
from fastmomentum.plots.arguments import AXES, OBJECTIVE, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import COLOURS, number
from fastmomentum.plots.visible import is_seen
from fastmomentum.results.batched import drawn_of, sees_all_rows
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.results.dataset import experiment_of, runnable
from fastmomentum.results.labelled import Labelled
from fastmomentum.theory import (
    RuleLike,
    eigenvalues,
    mean_square_limit,
    method,
    optimum,
    oscillating_range,
    stable_limit,
)
from fastmomentum.theory.linear import known

_SAMPLES: Final = 2001
_FEW: Final = 49
"""Momenta at which an edge in the mean square is sought, at a millisecond each."""


class TheoryLines(NamedTuple):
    """Artists of `theory_lines`; None for what theory has nothing to say about."""

    stability: Line2D | None
    oscillation: Line2D | None
    optimum: Line2D | None

    @property
    def handles(self) -> list[Line2D]:
        """The lines in the picture, and the optimum wherever it lies."""
        lines = [line for line in self if line is not None]
        return [line for line in lines if line is self.optimum or is_seen(line)]

    @property
    def seen(self) -> list[Line2D]:
        """Those that are in the picture, for a legend."""
        return [line for line in self.handles if is_seen(line)]

    @property
    def outside(self) -> str:
        """A line that names what lies outside of the picture; empty where all is in it."""
        lines = [line for line in (self.optimum, self.stability) if line is not None]
        missing = [
            str(line.get_label()).replace("stable", "edge of stability").replace(" to the left", "")
            for line in lines
            if not is_seen(line)
        ]
        return f"outside of this picture: {'; '.join(missing)}" if missing else ""


@takes(ax=AXES, objective=OBJECTIVE)
def theory_lines(
    ax: Axes,
    objective: Objective,
    rule: RuleLike,
    point: ArrayLike | None = None,
    colour: str = "black",
    batch: Batch | None = None,
) -> TheoryLines:
    """Draw what theory says at a minimiser over a map of learning rate and momentum.

    Parameters
    ----------
    ax : Axes
        With the map drawn: its limits are kept.
    objective : Objective
        With a minimiser.
    rule : str or UpdateRule
        Which; `UpdateRule` where it has a dampening.
    point : array_like, shape (2,), optional
        The minimiser; the first where left out.
    colour : str
        Of the lines.
    batch : Batch, optional
        Batches of the objective's rows, with which the runs were made.

    Returns
    -------
    TheoryLines
        ``stability`` (where the largest eigenvalue makes the rule unstable; with batches drawn by
        "replacement" where the mean square ceases to shrink, if the objective has its rows: labels
        say which), ``oscillation`` (edges of the region where all roots are complex: for the heavy
        ball the rate is the square root of the momentum there) and ``optimum`` (the pair of the
        best rate).

    Raises
    ------
    InputError
        The objective has no minimiser, and no point is given; or the batch is none.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum.objectives import Quadratic
    >>> ax = Figure().add_subplot(xlim=(0, 0.5), ylim=(0, 1))
    >>> drawn = theory_lines(ax, Quadratic(1.0, 0.0, 25.0), "momentum")
    >>> drawn.optimum.get_xydata().round(6).tolist()
    [[0.111111, 0.444444]]
    """
    if not isinstance(batch, Batch | None):
        raise InputError(f"batch must be one such as fm.Batch(size=8): got {type(batch).__name__}")
    low, high = (float(value) for value in eigenvalues(objective, point))
    if high <= 0 or known(rule).form is None:
        return TheoryLines(None, None, None)
    halo = cased(4.0, 0.85)
    style: dict[str, Any] = {"color": colour, "path_effects": halo, "zorder": 4}
    shown = np.linspace(*ax.get_ylim(), _SAMPLES)
    shown = shown[shown < 1.0]
    momentum = np.maximum(shown, 0.0)
    of = "" if sees_all_rows(objective, batch) else " of the full gradient"
    stability = _stability(ax, objective, rule, high, batch, shown, style)
    if low <= 0:
        return TheoryLines(stability, None, None)
    return TheoryLines(
        stability,
        _oscillation(ax, rule, (low, high), momentum, style, of),
        _optimum(ax, rule, low, high, of),
    )


def of_what(results: Labelled) -> str:
    """What theory is of, in words to follow it, where batches make a difference to it."""
    plan = experiment_of(results)
    return "" if sees_all_rows(plan.objective, plan.batch) else " of the full gradient"


def theory_lines_of(ax: Axes, results: xr.Dataset, point: ArrayLike | None = None) -> TheoryLines:
    """Draw the lines of `theory_lines` for results of one objective and one rule.

    Parameters
    ----------
    ax : Axes
        With the map drawn.
    results : xarray.Dataset
        With the rows of the data, if batches are drawn from them: without, the edge of stability is
        that of the full gradient.
    point : array_like, shape (2,), optional
        As for `theory_lines`.

    Returns
    -------
    TheoryLines
        Of the plan's batches, too.
    """
    plan, objective = experiment_of(results), objective_of(results)
    if plan.batch is not None and "data_x" in results and "data_y" in results:
        objective = runnable(results).objective
    return theory_lines(ax, objective, rule_of(results), point, batch=plan.batch)


def _stability(
    ax: Axes,
    objective: Objective,
    rule: RuleLike,
    high: float,
    batch: Batch | None,
    shown: Floats,
    style: dict[str, Any],
) -> Line2D:
    """The edge of stability: in the mean square, if that is known of the batches."""
    drawn = drawn_of(objective, batch)
    label = "stable to the left (theory)"
    if drawn is not None and shown.size:
        shown = np.linspace(shown[0], shown[-1], _FEW)
        edge = mean_square_limit(rule, np.maximum(shown, 0.0), *drawn)
        label = "stable in the mean square to the left (theory)"
    else:
        edge = stable_limit(rule, np.maximum(shown, 0.0)) / high
        if not sees_all_rows(objective, batch):
            label = "stable to the left (theory of the full gradient)"
    return ax.plot(edge, shown, linewidth=2.0, **style, label=label)[0]


def _oscillation(
    ax: Axes,
    rule: RuleLike,
    curvatures: tuple[float, float],
    momentum: Floats,
    style: dict[str, Any],
    of: str,
) -> Line2D | None:
    """The region where the roots are complex along both eigenvectors."""
    low, high = curvatures
    try:
        first, last = oscillating_range(rule, momentum)
    except InputError:
        return None
    left, right = first / low, last / high
    inside = left <= right
    if not inside.any():
        return None
    # Down along one edge and up along the other. They meet at the lowest such momentum; of a map
    # that begins above it they are two lines, and nothing runs along the map's own edge.
    gap = [np.nan] if inside[0] and left[0] < right[0] else []
    x = np.concatenate([right[inside][::-1], gap, left[inside]])
    y = np.concatenate([momentum[inside][::-1], gap, momentum[inside]])
    label = (
        "rate \N{SQUARE ROOT}momentum inside"
        if method(rule) == "momentum"
        else "oscillating inside"
    )
    return ax.plot(
        x, y, linewidth=1.8, linestyle=(0, (4, 2)), **style, label=f"{label} (theory{of})"
    )[0]  # fmt: skip


def _optimum(ax: Axes, rule: RuleLike, low: float, high: float, of: str) -> Line2D | None:
    try:
        best = optimum(low, high, rule)
    except InputError:
        return None
    lr, momentum, rate = (float(value) for value in best)
    best_at = f"lr {number(lr)}, momentum {number(momentum)}, rate {number(rate)}"
    label = f"best in theory{of}: {best_at}"
    return ax.plot(
        lr, momentum, linestyle="none", marker="D", markersize=9, markerfacecolor=COLOURS[0],
        markeredgecolor="white", markeredgewidth=1.5, label=label, zorder=5,
    )[0]  # fmt: skip
