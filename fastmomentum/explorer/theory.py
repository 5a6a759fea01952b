"""What theory draws over a map, and says in its legend."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.explorer.view import View
from fastmomentum.plots.boundaries import TheoryLines, theory_lines
from fastmomentum.text import shown


def words_of(name: str) -> str:
    """An axis of a map in words.

    Examples
    --------
    >>> words_of("objective_b"), words_of("start_x"), words_of("nu")
    ('b', 'start x', 'nu')
    """
    return name.removeprefix("objective_").replace("_", " ")


def theory_of(view: View) -> TheoryLines | None:
    """What theory says at the first minimiser, within the window; None where it says nothing."""
    if not view.theory or (view.x, view.y) != ("lr", "momentum") or "schedule" in view.others:
        return None
    ax: Axes = Figure().add_subplot(xlim=view.windows["lr"], ylim=view.windows["momentum"])
    try:
        return theory_lines(ax, view.objective, view.rule)
    except InputError:
        return None


def points_of(line: Line2D | None) -> NDArray[np.float64]:
    """Points of a line, shape (n, 2); none where there is no line."""
    return np.empty((0, 2)) if line is None else np.asarray(line.get_xydata(), np.float64)


def theory_words(drawn: TheoryLines | None, view: View) -> list[tuple[str, str]]:
    """Entries of the legend for the lines that are in the window: a kind, and what it means."""
    if drawn is None:
        return []
    kinds = {id(drawn.stability): "solid", id(drawn.oscillation): "dashed"}
    found = []
    for line in drawn.seen:
        if line is drawn.optimum:
            ((lr, momentum),) = points_of(line)
            words = f"best in theory: lr {shown(float(f'{lr:.4g}'))}, momentum {momentum:.4g}"
            found.append(("diamond", words))
        else:
            found.append((kinds[id(line)], str(line.get_label())))
    return found
