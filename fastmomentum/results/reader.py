"""Read a results file from its bytes directly, part by part in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.labels import values_of
from fastmomentum.objectives.minimum import below_minimum
from fastmomentum.schema import bytes_a_run, results
from fastmomentum.status import Status
from fastmomentum.store import files, manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.journal import DONE, Journal
from fastmomentum.store.paths import existing

LOSSES_AT_ONCE: Final = 2**20
"""Runs of which the losses are compared at once: 8 MiB of them."""


class Reader:
    """Reads a results file, finished or not, part by part in bounded memory.

    Parameters
    ----------
    path : Path
        A results file; if only its unfinished form exists, that is read.

    Attributes
    ----------
    contents : Contents
        What its manifest says.
    experiment : Experiment
        The plan.
    journal : Journal
        Which blocks are done.

    Raises
    ------
    InputError, FileError
        As `manifest.read`.
    """

    def __init__(self, path: Path) -> None:
        self.contents = manifest.read(existing(path))
        self.experiment = self.contents.experiment
        self.sink = BlockFile.of(self.contents, writable=False)
        self.journal = Journal(self.sink)
        self.done = self.journal.flags() == DONE

    def parts(
        self, name: str, at_once: int | None = None
    ) -> Iterator[tuple[int, NDArray[Any], NDArray[np.bool_]]]:
        """Values of a variable, some runs at a time: (first run, values, which are done)."""
        size = bytes_a_run(self.experiment)[name]
        at_once, n_runs = at_once or max(1, 2**23 // size), self.experiment.grid.n_runs
        for first in range(0, n_runs, at_once):
            runs = np.arange(first, min(first + at_once, n_runs))
            values = self.values(name, first, runs.size)
            yield first, values, self.done[runs // self.contents.blocks.block_runs]

    def values(self, name: str, first: int, count: int) -> NDArray[Any]:
        """Values of a variable for `count` runs, one row each."""
        variable = next(v for v in results(self.experiment) if v.name == name)
        size = bytes_a_run(self.experiment)[name]
        with files.in_words(f"reading {self.contents.path}"):
            offset = self.contents.offsets[name] + first * size
            data = files.read_at(self.sink.descriptor, count * size, offset)
        return np.frombuffer(data, variable.dtype).reshape(count, -1)

    def counts(self) -> dict[str, int]:
        """Runs by status."""
        counts = self.journal.count_statuses()
        counts[Status.NOT_RUN] += self.experiment.grid.n_runs - counts.sum()
        return {status.name.lower(): int(counts[status]) for status in Status}

    def fell(self, first: int, loss: NDArray[Any]) -> NDArray[np.bool_]:
        """Which runs ended below the objective's stated minimum.

        Parameters
        ----------
        first : int
            Number of the first run.
        loss : ndarray, shape (n_runs,)
            Last losses of the runs.

        Returns
        -------
        ndarray of bool, shape (n_runs,)
        """
        found, final = np.zeros(loss.size, bool), None
        for objective, those in self.experiment.by_objective(np.arange(first, first + loss.size)):
            if objective.f_min is None or not (loss[those] < objective.f_min).any():
                continue
            final = self.values("final", first, loss.size) if final is None else final
            found[those] = below_minimum(objective, final[those], loss[those])
        return found

    def lowest_fallen(self) -> tuple[int, int, float]:
        """How many runs ended below the stated minimum, which one is lowest, and its loss."""
        count, run, lowest = 0, -1, math.inf
        for first, part, done in self.parts("final_loss"):
            there = done & self.fell(first, part[:, 0])
            if not there.any():
                continue
            count += int(there.sum())
            found = np.where(there, part[:, 0], np.inf)
            if found.min() < lowest:
                run, lowest = first + int(found.argmin()), float(found.min())
        return count, run, lowest

    def fastest(self, any_fell: bool = False) -> list[tuple[int, int]]:
        """For each target, the run that met it first and the step; (-1, -1) for none.

        Where `any_fell`, runs that ended below the stated minimum do not count.
        """
        targets = self.experiment.stop.targets
        best = [(-1, -1)] * len(targets)
        for first, part, done in self.parts("hit_step") if targets else ():
            if any_fell:
                loss = self.values("final_loss", first, done.size)[:, 0]
                done = done & ~self.fell(first, loss)
            for k in range(len(targets)):
                never = np.iinfo(np.int32).max
                hit = np.where(done & (part[:, k] >= 0), part[:, k], never)
                run = int(hit.argmin())
                if hit[run] < (never if best[k][1] < 0 else best[k][1]):
                    best[k] = (first + run, int(hit[run]))
        return best

    def lowest(self) -> tuple[int, float]:
        """The run that ended lowest, and its loss; (-1, inf) where none ended below its start."""
        run, loss = -1, math.inf
        both = (self.parts(name, LOSSES_AT_ONCE) for name in ("final_loss", "status"))
        for (first, part, done), (_, status, _) in zip(*both, strict=True):
            ended = part[:, 0]
            real = done & np.isfinite(ended) & (status[:, 0] != Status.DIVERGED)
            better = real & (ended <= self._loss_at_start(first, ended.size))
            found = np.where(better, ended, np.inf)
            if found.min() < loss:
                run, loss = first + int(found.argmin()), float(found.min())
        return run, loss

    def _loss_at_start(self, first: int, count: int) -> NDArray[np.float64]:
        """The objective at the starts of `count` runs."""
        runs = np.arange(first, first + count)
        x, y = (values for _, values in values_of(self.experiment.grid, runs, ["start"]))
        found = np.empty(count)
        for objective, those in self.experiment.by_objective(runs):
            found[those] = objective.value(x[those], y[those])
        return found
