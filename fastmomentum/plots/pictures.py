"""A whole picture of a map, for those who have no figure of their own."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import Final

import matplotlib
import xarray as xr
from matplotlib.figure import Figure

from fastmomentum.plots.boundaries import theory_lines
from fastmomentum.plots.phases import phase_map, steps_bar
from fastmomentum.plots.planes import departure, described
from fastmomentum.plots.style import STYLE
from fastmomentum.results.dataset import experiment_of

TITLE_LETTERS: Final = 75
LETTERS: Final = 85
"""Letters of a line below the title. Matplotlib's own wrapping makes no room for more lines."""


def save_phase_map(results: xr.Dataset, path: Path) -> list[str]:
    """Draw the map of one start, with the theory over it, and write it.

    Parameters
    ----------
    results : xarray.Dataset
        With dims lr and momentum (and target): one start was selected.
    path : Path
        By whose suffix the kind of file is chosen, as by matplotlib.

    Returns
    -------
    list of str
        What the picture says of what is not in it: that no run converges, which marks of the theory
        lie outside.

    Raises
    ------
    InputError
        More than one start or velocity is left, or no learning rates or momenta are.

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
    experiment = experiment_of(results)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.0, 7.5), layout="constrained")
        ax = figure.add_subplot()
        drawn = phase_map(ax, results)
        steps_bar(ax, drawn)
        handles, notes = drawn.handles, [drawn.note]
        if len(experiment.objective.minimisers):
            lines = theory_lines(ax, experiment.objective, experiment.rule)
            handles += lines.seen
            notes.append(lines.outside)
        title = experiment.title or experiment.objective.words
        figure.suptitle(fill(title, TITLE_LETTERS), parse_math=False)
        said = ", ".join(filter(None, [described(results), departure(results)]))
        notes = [note for note in notes if note]
        rows = [fill(line, LETTERS, break_long_words=False) for line in (said, *notes)]
        ax.set_title("\n".join(rows))
        figure.legend(handles=handles, loc="outside lower center", ncols=2)
        figure.savefig(path)
    return notes
