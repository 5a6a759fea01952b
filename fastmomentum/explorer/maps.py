"""The map of a view: how many cells it has, and how they are computed."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastmomentum.execution.backends import workers_here
from fastmomentum.execution.interruptible import run_unless
from fastmomentum.execution.worker import warm
from fastmomentum.experiment.plan import Experiment
from fastmomentum.explorer.view import View
from fastmomentum.schema import Arrays

Size = tuple[int, int]

COARSE_UPDATES: Final = 32_000_000
"""Most updates of a coarse map: about a hundredth of a second on two cores."""

MOST_UPDATES: Final = 2_000_000_000
"""Most updates of a fine map, whatever a page asks for."""

MOST_CELLS: Final = 720
"""Most cells along an axis; more than a screen can show only cost time."""

LEAST_CELLS: Final = 16
COARSER: Final = 4
"""Fewest pixels of the screen along each side of a coarse cell."""


def fine_size(view: View, pixels: Size) -> Size:
    """Cells of the fine map along each axis, for a map of so many pixels on the screen.

    Examples
    --------
    >>> from fastmomentum.explorer.view import first_view
    >>> view = first_view()
    >>> fine_size(view, (500, 500)), fine_size(view.changed(steps=100_000), (500, 500))
    ((500, 500), (141, 141))
    """
    return _within(pixels, MOST_UPDATES // cost_of(view))


def coarse_size(view: View, pixels: Size) -> Size:
    """Cells of the coarse map.

    Examples
    --------
    >>> from fastmomentum.explorer.view import first_view
    >>> coarse_size(first_view(), (500, 500))
    (125, 125)
    """
    width, height = pixels
    return _within((width // COARSER, height // COARSER), COARSE_UPDATES // cost_of(view))


def cost_of(view: View) -> int:
    """Work of a run: its updates, times the rows of data that each looks at."""
    rows = view.others.get("batch", {}).get("size", 1)
    return view.steps * max(int(rows), 1)


def _within(pixels: Size, most: int) -> Size:
    width, height = (min(max(side, LEAST_CELLS), MOST_CELLS) for side in pixels)
    factor = min(1.0, math.sqrt(most / (width * height)))
    return max(int(factor * width), LEAST_CELLS), max(int(factor * height), LEAST_CELLS)


def _kernel_of(experiment: Experiment) -> Hashable:
    """Everything that makes another kernel necessary."""
    grid, rule, schedule = experiment.grid, experiment.rule, experiment.schedule
    axes = tuple(grid.rule or ()), tuple(grid.objective or ())
    chosen = (rule.name, tuple(rule.options), rule.restart)
    scheduled = schedule and (schedule.lr is None, schedule.words if rule.restart else "")
    momentum = schedule is not None and schedule.momentum is not None
    noise = experiment.noise and experiment.noise.common
    drawn = noise, experiment.batch is None
    is_checked = experiment.stop.bound is not None
    return (experiment.objective.functions, chosen, axes, scheduled, momentum, drawn, is_checked)


class Engine:
    """Computes the maps of all pages of a server, with one thread per core.

    Attributes
    ----------
    workers : int
        Number of threads.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or workers_here()
        self._threads = ThreadPoolExecutor(self.workers, "fastmomentum-explorer")
        self._compiling = threading.Lock()
        self._compiled: set[Hashable] = set()

    def needs_compiling(self, experiment: Experiment) -> bool:
        """Whether the kernel of an experiment is not yet ready in this process."""
        return _kernel_of(experiment) not in self._compiled

    def compile(self, experiment: Experiment) -> None:
        """Compile the kernel of an experiment, or load it from the cache."""
        with self._compiling:  # two pages may want the same kernel
            warm(experiment)
            self._compiled.add(_kernel_of(experiment))

    def map(
        self,
        experiment: Experiment,
        stopped: Callable[[], bool],
        halfway: Callable[[Arrays], None] | None = None,
    ) -> Arrays | None:
        """Compute a map whose kernel is compiled; None if it was cancelled.

        Parameters
        ----------
        experiment, stopped, halfway
            As for `run_unless`.

        Returns
        -------
        dict of ndarray or None
            As from `run_unless`.
        """
        return run_unless(experiment, self._threads, self.workers, stopped, halfway)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)
