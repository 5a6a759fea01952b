"""How runs are told apart: by a colour each where they are few, else by a kind of mark an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from fastmomentum.plots.arguments import FIGURE, Kind, each, takes
from fastmomentum.plots.casing import cased
from fastmomentum.plots.runs import Run
from fastmomentum.plots.style import (
    COLOURS,
    COLOURS_ON_DARK,
    LINES,
    MARKERS,
    is_dark,
    legend_ground,
    number,
    point,
)

FEW: Final = 6
"""Most runs that have a colour and a line of the legend each."""

MOST_NAMED: Final = 10
"""Most values that a legend names; of more, evenly spaced ones."""


class Mark(NamedTuple):
    """How one run is drawn."""

    colour: str
    marker: str
    dashes: Any


class Key(NamedTuple):
    """A legend of one axis: its name, and a handle for each of its values."""

    title: str
    handles: list[Line2D]


def marks_of(runs: Sequence[Run], on_dark: bool = False) -> list[Mark]:
    """Choose how each run is drawn.

    Up to six runs differ in everything. With more, the axis with the most values gets a palette in
    its order, the next one markers, a third dashes.

    Parameters
    ----------
    runs : sequence of Run
        What will be drawn.
    on_dark : bool
        Whether it lies on a dark ground, where black is not seen.

    Returns
    -------
    list of Mark
        One a run.
    """
    if len(runs) <= FEW:
        few = COLOURS_ON_DARK if on_dark else COLOURS
        return [
            Mark(few[i % len(few)], MARKERS[i % len(MARKERS)], LINES[i % len(LINES)])
            for i in range(len(runs))
        ]
    varied = _varied(runs)
    indices = [[sorted(set(values)).index(value) for value in values] for _, values in varied]
    indices += [[0] * len(runs)] * (3 - len(indices))
    colours = palette(len(set(indices[0])), on_dark)
    return [
        Mark(colours[i], _marker(j), LINES[k % len(LINES)])
        for i, j, k in zip(*indices, strict=True)
    ]


def keys_of(runs: Sequence[Run], shown: Sequence[bool], on_dark: bool = False) -> list[Key]:
    """Legends of the axes that vary, with the values of the runs that are in the picture.

    Parameters
    ----------
    runs, on_dark
        As given to `marks_of`.
    shown : sequence of bool
        Which of them are in the picture.

    Returns
    -------
    list of Key
        None where the runs are few: then each has a line of its own in the legend.
    """
    if len(runs) <= FEW:
        return []
    keys = []
    marks = marks_of(runs, on_dark)
    for axis, (title, values) in enumerate(_varied(runs)):
        seen = {v: m for v, m, s in zip(values, marks, shown, strict=True) if s}
        chosen = sorted(seen)
        if len(chosen) > MOST_NAMED:
            chosen = [chosen[i] for i in np.linspace(0, len(chosen) - 1, MOST_NAMED).astype(int)]
        keys.append(Key(title, [_handle(axis, seen[value], _written(value)) for value in chosen]))
    return keys


LIST_OF_KEYS: Final = each(
    Kind("a Key", lambda given: isinstance(given, Key)),
    "a list of Key, such as fm.plots.paths(ax, runs, field).keys",
)


@takes(figure=FIGURE, keys=LIST_OF_KEYS)
def draw_keys(figure: Figure, keys: Sequence[Key]) -> None:
    """Draw one legend of all axes to the right of everything, with a heading for each.

    Parameters
    ----------
    figure : Figure
        With constrained layout, which makes room.
    keys : sequence of Key
        From `paths` or `loss_curves`; without any, nothing is drawn.

    Raises
    ------
    InputError
        An argument is something else.
    """
    if not keys:
        return
    rows: list[Line2D] = []
    for key in keys:
        rows += [_heading(key.title), *key.handles, _heading("")]
    figure.legend(handles=rows[:-1], loc="outside right center", handlelength=3.0)


def _heading(text: str) -> Line2D:
    return Line2D([], [], linestyle="none", label=text)


def palette(count: int, on_dark: bool = False) -> list[str]:
    """Colours in order, dark to light; none is the background's, or another's.

    Examples
    --------
    >>> len(set(palette(40)))
    40
    """
    ends = (0.35, 1.0) if on_dark else (0.0, 0.82)
    return [to_hex(colour) for colour in colormaps["magma"](np.linspace(*ends, count))]


def _varied(runs: Sequence[Run]) -> list[tuple[str, list[Any]]]:
    """Names and values of the axes along which runs differ, that of most values first."""
    axes: dict[str, list[Any]] = {
        "learning rate": [run.lr for run in runs],
        "momentum": [run.momentum for run in runs],
        "start": [run.start for run in runs],
        "velocity": [run.velocity or (0.0, 0.0) for run in runs],
    }
    if all(len(set(values)) > 1 for values in axes.values()):  # there is no fourth kind of mark
        both = zip(axes.pop("start"), axes.pop("velocity"), strict=True)
        axes["start, velocity"] = [(*start, *velocity) for start, velocity in both]
    varied = [(name, values) for name, values in axes.items() if len(set(values)) > 1]
    return sorted(varied, key=lambda axis: -len(set(axis[1])))


def _marker(i: int) -> str:
    return MARKERS[i] if i < len(MARKERS) else f"${i + 1}$"


def _handle(axis: int, mark: Mark, label: str) -> Line2D:
    dark = is_dark(legend_ground())
    grey = "#c8c8c8" if dark else "#404040"
    styles: list[dict[str, Any]] = [
        {
            "color": mark.colour,
            "linewidth": 3.0,
            "path_effects": cased(4.4) if dark else None,
        },
        {"color": grey, "linestyle": "none", "marker": mark.marker, "markersize": 8},
        {"color": grey, "linewidth": 1.8, "linestyle": mark.dashes},
    ]
    return Line2D([], [], label=label, **styles[axis])


def _written(value: float | tuple[float, ...]) -> str:
    if not isinstance(value, tuple):
        return number(value)
    return ", ".join(point(value[i : i + 2]) for i in range(0, len(value), 2))
