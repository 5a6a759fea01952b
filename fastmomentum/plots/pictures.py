"""A whole picture of a map, for those who have no figure of their own."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Any, Final

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.plots.boundaries import theory_lines_of
from fastmomentum.plots.fonts import give_fonts
from fastmomentum.plots.phases import (
    PhaseMap,
    count_ticks,
    phase_map,
    steps_bar,
    steps_label,
    steps_norm,
)
from fastmomentum.plots.planes import departure, described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.style import STYLE, number
from fastmomentum.results.chosen import objective_of
from fastmomentum.results.dataset import experiment_of
from fastmomentum.specification.paths import path_of, require_folder

MOST_PANELS: Final = 12
"""Maps beside each other, at most."""
TITLE_LETTERS: Final = 75
LETTERS: Final = 85
"""Letters of a line below the title. Matplotlib's own wrapping makes no room for more lines."""


def save_phase_map(
    results: xr.Dataset, path: Path, x: str = "lr", y: str = "momentum"
) -> list[str]:
    """Draw the map of one start, with the theory over it, and write it.

    Parameters
    ----------
    results : xarray.Dataset
        With the two dimensions (and target): one start was selected, and one value of all else.
    path : Path
        By whose suffix the kind of file is chosen, as by matplotlib.
    x, y : str
        The dimensions; theory is drawn over lr and momentum alone.

    Returns
    -------
    list of str
        What the picture says of what is not in it: that no run converges, which marks of the theory
        lie outside.

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are; matplotlib
        writes no such file, or there is no such folder.

    Examples
    --------
    >>> import tempfile
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=100, grid=fm.Grid(lr=[0.1, 0.2], momentum=[0.0, 0.5], start=[(1, 1)])))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_phase_map(ds.isel(start=0), Path(folder) / "map.svg")
    []
    """
    experiment, path = experiment_of(results), path_of(path)
    known_kinds = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in known_kinds:
        raise InputError(
            f"{path}: a picture's name ends in its kind, one of {', '.join(sorted(known_kinds))}"
        )
    require_folder(path)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 7.5), layout="constrained")
        ax = figure.add_subplot()
        drawn = phase_map(ax, results, x, y)
        steps_bar(ax, drawn)
        handles, notes = drawn.handles, [drawn.note]
        known = experiment.form is not None and len(objective_of(results).minimisers)
        if (x, y) == ("lr", "momentum") and known:
            lines = theory_lines_of(ax, results)
            handles += lines.seen
            notes.append(lines.outside)
        title = experiment.title or experiment.objective.words
        figure.suptitle(fill(title, TITLE_LETTERS), parse_math=False)
        said = ", ".join(filter(None, [described(results), departure(results)]))
        notes = [note for note in notes if note]
        rows = [fill(line, LETTERS, break_long_words=False) for line in (said, *notes)]
        ax.set_title("\n".join(rows))
        legend_below(figure, 2, handles=handles)
        give_fonts(figure)
        figure.savefig(path)
    return notes


def _label_once(axes: NDArray[Any]) -> None:
    """Put labels that several panels share in the middle: beside each they would overlap."""
    right, up = axes[0, 0].get_xlabel(), axes[0, 0].get_ylabel()
    for ax in axes.flat:
        ax.set(xlabel="", ylabel="")
        ax.label_outer()
    rows, columns = axes.shape
    axes[-1, (columns - 1) // 2].set_xlabel(right, x=0.5 if columns % 2 else 1.05)
    axes[rows // 2, 0].set_ylabel(up, y=0.5 if rows % 2 else 1.05)


def phase_panels(
    figure: Figure, results: xr.Dataset, over: str, x: str = "lr", y: str = "momentum"
) -> list[PhaseMap]:
    """Draw a phase map for each value of a third axis, with one scale of colours.

    Parameters
    ----------
    figure : Figure
        Empty; with a constrained layout.
    results : xarray.Dataset
        With the three dimensions (and target): one start was selected, and one value of all else.
    over : str
        The third axis; of more than a dozen values a dozen are drawn, evenly chosen.
    x, y : str
        The dimensions of the maps.

    Returns
    -------
    list of PhaseMap
        In the order of the values.

    Raises
    ------
    InputError
        The three are no three dimensions of the results.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(), rule="qhm", steps=100,
    ...     grid=fm.Grid(lr=[0.1, 0.2], momentum=[0.0, 0.5], start=[(1, 1)],
    ...         rule={"nu": [0.5, 1.0]}), stop=fm.Stop(targets=[1e-2])))
    >>> drawn = phase_panels(Figure(layout="constrained"), ds.isel(start=0), "nu")
    >>> [ax.get_title() for ax in drawn[0].ends.axes.figure.axes[:2]]
    ['nu 0.5', 'nu 1']
    """
    if len({x, y, over}) < 3:
        raise InputError(f"small multiples take three axes that differ: got {x}, {y} and {over}")
    if over not in results.dims:
        known = ", ".join(str(dim) for dim in results["status"].dims)
        raise InputError(f"{over} is no dimension of the results; there are {known}")
    size = results.sizes[over]
    chosen = np.unique(np.linspace(0, size - 1, min(size, MOST_PANELS)).round().astype(int))
    columns = min(len(chosen), 4 if len(chosen) > 6 else 3)
    rows = -(-len(chosen) // columns)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    norm = None
    if "target" in results.dims:
        steps = results["hit_step"].isel({over: chosen, "target": -1}).values
        norm = steps_norm(steps[steps >= 0]) if (steps >= 0).any() else None
    drawn = []
    for ax, index in zip(axes.flat, chosen.tolist(), strict=False):
        one = results.isel({over: index})
        drawn.append(phase_map(ax, one, x, y, norm))
        ax.set_title(f"{over.removeprefix('objective_')} {number(one[over].item())}")
    _label_once(axes)
    for k in range(len(chosen), axes.size):
        axes.flat[k].set_visible(False)
        axes.flat[k - columns].tick_params(labelbottom=True)  # the last of its column
    for made in drawn:
        if made.steps is not None and made.target is not None:
            label = steps_label(made.target)
            bar = figure.colorbar(made.steps, ax=axes, label=label, extend="min")
            count_ticks(bar, *made.steps.get_clim())
            break
    return drawn
