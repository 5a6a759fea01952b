"""The map of a view: how many cells it has, and how they are computed."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastmomentum.errors import InputError
from fastmomentum.execution.backends import workers_here
from fastmomentum.execution.interruptible import run_unless
from fastmomentum.execution.worker import warm
from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.randomness import Noise
from fastmomentum.explorer.view import View
from fastmomentum.results.estimate import weight_of
from fastmomentum.schema import Arrays

Size = tuple[int, int]

COARSE_UPDATES: Final = 32_000_000
"""Most work of a coarse map, by `cost_of`: about a hundredth of a second on two cores."""

MOST_UPDATES: Final = 2_000_000_000
"""Most work of a fine map, whatever a page asks for."""

MOST_CELLS: Final = 720
"""Most cells along an axis; more than a screen can show only cost time."""

LEAST_CELLS: Final = 16
"""Fewest cells along an axis."""

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
    """Work of a run, in updates of momentum on Rosenbrock's function.

    Examples
    --------
    >>> from fastmomentum.explorer.view import first_view
    >>> from fastmomentum.objectives import Ackley
    >>> cost_of(first_view()), cost_of(first_view(Ackley())) > 5 * 2000
    (2000, True)
    """
    return math.ceil(view.steps * _cost_of_an_update(view))


def require_few_steps(view: View) -> None:
    """Raise if even the smallest map of a view is too much work.

    Raises
    ------
    InputError
        It is; a single update of each run never is.
    """
    cost = _cost_of_an_update(view)
    most = max(int(MOST_UPDATES / LEAST_CELLS**2 / cost), 1)
    if view.steps > most:
        smaller = " or smaller batches" if "batch" in view.others else ""
        raise InputError(
            f"steps must be at most {most:,} here, as an update is the work of {cost:,.0f} on "
            f"Rosenbrock's function: got {view.steps:,}; set steps lower, or take a simpler "
            f"objective{smaller}"
        )


def _cost_of_an_update(view: View) -> float:
    """Its operations, and the rows of data that it looks at."""
    noise, batch = view.others.get("noise"), view.others.get("batch", {})
    random = None if noise is None else Noise.parse(noise)
    return weight_of(view.objective, view.rule.rule, random) + max(int(batch.get("size", 1)), 1) - 1


def _within(pixels: Size, most: int) -> Size:
    width, height = (min(max(side, LEAST_CELLS), MOST_CELLS) for side in pixels)
    factor = min(1.0, math.sqrt(most / (width * height)))
    short = max(int(factor * min(width, height)), LEAST_CELLS)
    long = max(min(int(factor * max(width, height)), most // short), LEAST_CELLS)
    return (long, short) if width > height else (short, long)


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
