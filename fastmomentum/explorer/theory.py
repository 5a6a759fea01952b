"""Theory over a map: lines, cycle region and their legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.randomness import Batch
from fastmomentum.explorer.view import View
from fastmomentum.plots.boundaries import TheoryLines, theory_lines
from fastmomentum.plots.cycle_regions import CycleRegion, cycle_region


def words_of(name: str) -> str:
    """The name of an axis for people.

    Examples
    --------
    >>> words_of("lr"), words_of("objective_b"), words_of("start_x"), words_of("nu")
    ('learning rate', 'b', 'start x', 'nu')
    """
    return "learning rate" if name == "lr" else name.removeprefix("objective_").replace("_", " ")


class Theory(NamedTuple):
    """Theory for a map.

    Attributes
    ----------
    lines : TheoryLines or None
        At the minimiser nearest to the start; None if there is none.
    cycles : list of ndarray, shape (n, 2)
        Outlines of the region where the heavy ball cycles on some function of these curvatures.
    words : list of (str, str)
        Legend of what is in the window: kind of mark, and meaning.
    """

    lines: TheoryLines | None = None
    cycles: Sequence[NDArray[np.float64]] = ()
    words: Sequence[tuple[str, str]] = ()


def theory_of(view: View) -> Theory:
    """Theory within the window of a map; empty unless its axes are lr and momentum."""
    if not view.theory or (view.x, view.y) != ("lr", "momentum") or "schedule" in view.others:
        return Theory()
    ax: Axes = Figure().add_subplot()
    ax.set(xscale="log", xlim=view.windows["lr"], ylim=view.windows["momentum"])
    given = view.others.get("batch")
    batch = None if given is None else Batch.model_validate(given)
    point = nearest_minimiser(view)
    try:
        lines = theory_lines(ax, view.objective, view.rule, point=point, batch=batch)
    except InputError:
        return Theory()
    words = [*_words(lines), *_place(view)] if lines.seen else []
    region = _cycles(ax, view)
    if region is None or region.cycles is None:
        return Theory(lines, words=words)
    outlines = [np.asarray(one) for p in region.cycles.get_paths() for one in p.to_polygons()]
    return Theory(lines, outlines, [*words, ("hatched", _plain(str(region.legend[0].get_label())))])


def nearest_minimiser(view: View) -> NDArray[np.float64] | None:
    """The minimiser nearest to the start; None if the objective has none.

    Examples
    --------
    >>> from fastmomentum.explorer.view import first_view
    >>> from fastmomentum.objectives import Himmelblau
    >>> view = first_view(Himmelblau())
    >>> [nearest_minimiser(view.changed(start=at)).round(2).tolist() for at in [(1, 1), (-3, 2)]]
    [[3.0, 2.0], [-2.81, 3.13]]
    """
    minimisers = np.asarray(view.objective.minimisers, np.float64).reshape(-1, 2)
    if not len(minimisers):
        return None
    return np.asarray(minimisers[np.hypot(*(minimisers - view.start).T).argmin()])


def _place(view: View) -> list[tuple[str, str]]:
    """Which minimum theory is for, if there are several."""
    point = nearest_minimiser(view)
    if point is None or len(view.objective.minimisers) < 2:
        return []
    x, y = point
    return [("star", f"theory at the minimum ({x:.4g}, {y:.4g}), the nearest to the start")]


def _cycles(ax: Axes, view: View) -> CycleRegion | None:
    curvatures = view.objective.curvatures
    if curvatures is None or not 0 < curvatures[0] < curvatures[1]:
        return None
    try:
        return cycle_region(ax, *curvatures, view.rule)
    except InputError:  # the rule is no form of the heavy ball
        return None


def points_of(line: Line2D | None) -> NDArray[np.float64]:
    """Points of a line, shape (n, 2); empty if there is no line."""
    return np.empty((0, 2)) if line is None else np.asarray(line.get_xydata(), np.float64)


def _words(drawn: TheoryLines) -> list[tuple[str, str]]:
    found = []
    for line in drawn.seen:
        label = str(line.get_label())
        if line is drawn.optimum:
            ((lr, momentum),) = points_of(line)
            found.append(("diamond", f"{label.split(':')[0]} at {lr:.4g}, {momentum:.4g}"))
        elif line is drawn.oscillation:
            rate = ", rate \N{SQUARE ROOT}momentum" if "rate" in label else ""
            whose = label[label.rindex("(") :]  # of the full gradient, where there are batches
            found.append(("dashed", f"oscillating inside{rate} {whose}"))
        else:
            found.append(("solid", label))
    return found


def _plain(label: str) -> str:
    """A label without the markup of mathematical text."""
    return label.replace("$", "").replace("\\times", "x").replace("{", "").replace("}", "")
