"""Theory drawn over a map of learning rate and momentum: where it is stable, and fastest."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.plots.arguments import AXES, OBJECTIVE, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.style import COLOURS, number
from fastmomentum.plots.visible import is_seen
from fastmomentum.theory import (
    RuleLike,
    eigenvalues,
    method,
    optimum,
    oscillating_range,
    stable_limit,
)
from fastmomentum.theory.linear import known

_SAMPLES: Final = 2001


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
        known = {self.optimum: "", self.stability: "edge of stability (theory)"}
        missing = [
            said or str(line.get_label())
            for line, said in known.items()
            if line is not None and not is_seen(line)
        ]
        return f"outside of this picture: {'; '.join(missing)}" if missing else ""


@takes(ax=AXES, objective=OBJECTIVE)
def theory_lines(
    ax: Axes,
    objective: Objective,
    rule: RuleLike,
    point: ArrayLike | None = None,
    colour: str = "black",
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

    Returns
    -------
    TheoryLines
        ``stability`` (where the largest eigenvalue makes the rule unstable), ``oscillation`` (edges
        of the region where all roots are complex: for the heavy ball the rate is the square root of
        the momentum there) and ``optimum`` (the pair of the best rate).

    Raises
    ------
    InputError
        The objective has no minimiser, and no point is given.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum.objectives import Quadratic
    >>> ax = Figure().add_subplot(xlim=(0, 0.5), ylim=(0, 1))
    >>> drawn = theory_lines(ax, Quadratic(1.0, 0.0, 25.0), "momentum")
    >>> drawn.optimum.get_xydata().round(6).tolist()
    [[0.111111, 0.444444]]
    """
    low, high = (float(value) for value in eigenvalues(objective, point))
    if high <= 0 or known(rule).form is None:
        return TheoryLines(None, None, None)
    halo = cased(4.0, 0.85)
    style: dict[str, Any] = {"color": colour, "path_effects": halo, "zorder": 4}
    shown = np.linspace(*ax.get_ylim(), _SAMPLES)
    shown = shown[shown < 1.0]
    momentum = np.maximum(shown, 0.0)
    stability = ax.plot(
        stable_limit(rule, momentum) / high, shown, linewidth=2.0, **style,
        label="stable to the left (theory)",
    )[0]  # fmt: skip
    if low <= 0:
        return TheoryLines(stability, None, None)
    return TheoryLines(
        stability,
        _oscillation(ax, rule, (low, high), momentum, style),
        _optimum(ax, rule, low, high),
    )


def _oscillation(
    ax: Axes,
    rule: RuleLike,
    curvatures: tuple[float, float],
    momentum: Floats,
    style: dict[str, Any],
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
        x, y, linewidth=1.8, linestyle=(0, (4, 2)), **style, label=f"{label} (theory)"
    )[0]  # fmt: skip


def _optimum(ax: Axes, rule: RuleLike, low: float, high: float) -> Line2D | None:
    try:
        best = optimum(low, high, rule)
    except InputError:
        return None
    lr, momentum, rate = (float(value) for value in best)
    label = f"best in theory: lr {number(lr)}, momentum {number(momentum)}, rate {number(rate)}"
    return ax.plot(
        lr, momentum, linestyle="none", marker="D", markersize=9, markerfacecolor=COLOURS[0],
        markeredgecolor="white", markeredgewidth=1.5, label=label, zorder=5,
    )[0]  # fmt: skip
