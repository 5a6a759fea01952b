"""What to say of a plan and of a results file, in numbers; read from the file's bytes directly."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.experiment.describing import place_of
from fastmomentum.experiment.labels import values_of
from fastmomentum.experiment.plan import Experiment
from fastmomentum.objectives.minimum import below_minimum, fallen
from fastmomentum.provenance import COMPUTING
from fastmomentum.results.stability import in_words, stability_of
from fastmomentum.schema import bytes_a_run, dimensions, results
from fastmomentum.status import Status
from fastmomentum.store import files, manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.journal import DONE, Journal, RunTotals
from fastmomentum.store.paths import existing, is_partial
from fastmomentum.text import duration, in_units, printable

LOSSES_AT_ONCE: Final = 2**20
"""Runs of which the losses are compared at once: 8 MiB of them."""


def objective_words(said: dict[str, Any]) -> str:
    """The objective of a plan's or a file's figures, with what makes it another than usual."""
    return str(said["objective_words"])


def scaling_of(experiment: Experiment) -> dict[str, float] | None:
    """Means and spreads by which a regression's data were standardised, ready for JSON."""
    scaling = getattr(experiment.objective, "scaling", None)
    return scaling.model_dump() if scaling is not None else None


def scaling_lines(said: dict[str, Any]) -> list[str]:
    """The same for people: a line, or none."""
    if said["standardised"] is None:
        return []
    parts = (
        f"{axis} by mean {said['standardised'][f'{axis}_mean']:.6g} and spread "
        f"{said['standardised'][f'{axis}_spread']:.6g}"
        for axis in "xy"
    )
    return [f"standardised  {', '.join(parts)}"]


class Reader:
    """Reads a results file, finished or not, part by part in bounded memory.

    Parameters
    ----------
    path : Path
        A results file; where only its unfinished form is there, that is read.

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
        """Values of a variable, of so many runs: a row a run."""
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
        """Which of some runs ended below the minimum that the objective states.

        Parameters
        ----------
        first : int
            Number of the first.
        loss : ndarray, shape (n_runs,)
            Their last losses.

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
        """How many runs ended below the stated minimum, the lowest of them, and its loss."""
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
        """For each target the run that met it first, and when: (run, step); (-1, -1) for none.

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
        """Objective where so many runs start."""
        runs = np.arange(first, first + count)
        x, y = (values for _, values in values_of(self.experiment.grid, runs, ["start"]))
        found = np.empty(count)
        for objective, those in self.experiment.by_objective(runs):
            found[those] = objective.value(x[those], y[those])
        return found

    def findings(self) -> list[str]:
        """Counts by status; what bounds the learning rate; the fastest to each target, or the best.

        The bound is told where runs diverged and lie above it; before all, where it is so, that
        the objective falls below the minimum that it states.
        """
        n_fallen, lowest, least = self.lowest_fallen()
        counts = self.counts()
        said = "by schedule" if self.experiment.has_momentum_schedule else None
        place = functools.partial(place_of, self.experiment.grid, said_momentum=said)
        lines = [
            ", ".join(
                f"{counts[status.name.lower()]:,} {status.words}"
                for status in Status
                if counts[status.name.lower()]
            )
        ]
        stability = stability_of(self.experiment) if counts["diverged"] else None
        if stability and stability["runs_above"]:
            lines.append(in_words(stability))
        if n_fallen:
            (objective, _), *_ = self.experiment.by_objective(np.array([lowest]))
            said = fallen(objective, least, n_fallen)
            lines.insert(0, f"{said} (lowest at {place(lowest)})")
        targets = self.experiment.stop.targets
        for target, (run, step) in zip(targets, self.fastest(n_fallen > 0), strict=True):
            where = f"fastest {place(run)}: step {step:,}" if run >= 0 else "never met"
            lines.append(f"target {target:g}: {where}")
        if not targets:
            run, loss = self.lowest()
            if run >= 0:
                lines.append(f"lowest loss {loss:.6g} at {place(run)}")
            elif self.done.any():
                lines.append("no run ended lower than it started")
        return lines


def findings(path: Path) -> list[str]:
    """What a results file says, in a few lines.

    Parameters
    ----------
    path : Path
        A results file.

    Returns
    -------
    list of str
        Counts by status; the fastest run to each target, or the lowest end.
    """
    return Reader(path).findings()


def info_of(path: Path) -> dict[str, Any]:
    """What a results file holds and how it was made.

    Parameters
    ----------
    path : Path
        A results file, finished or not.

    Returns
    -------
    dict
        Ready for JSON.
    """
    reader = Reader(path)
    experiment, attributes = reader.experiment, reader.contents.attributes
    made = {name: str(attributes.get(f"{name}_version", "unknown")) for name in COMPUTING}
    closing = RunTotals.read(reader.sink)
    return {
        "file": str(reader.contents.path),
        "finished": bool(reader.done.all()) and not is_partial(reader.contents.path),
        "title": experiment.title,
        "objective": experiment.objective.name,
        "objective_settings": experiment.objective.settings,
        "objective_words": experiment.objective.words,
        "standardised": scaling_of(experiment),
        "rule": experiment.rule.words,
        "random": experiment.random_words,
        "schedule": None if experiment.schedule is None else experiment.schedule.words,
        "shape": dict(zip(dimensions(experiment), experiment.grid.shape, strict=True)),
        "runs": experiment.grid.n_runs,
        "steps": experiment.steps,
        "recorded_steps": int(experiment.recorded.size),
        "targets": list(experiment.stop.targets),
        "blocks": len(reader.contents.blocks),
        "blocks_done": int(reader.done.sum()),
        "bytes": reader.contents.size,
        "counts": reader.counts(),
        "made_with": made,
        **{k: str(attributes.get(k, "")) for k in ("created", "cpu", "command_line")},
        "wall_time": closing.seconds if closing and math.isfinite(closing.seconds) else None,
        "sha256": experiment.sha256,
        "experiment": json.loads(experiment.canonical),
        "findings": reader.findings(),
    }


def info_lines(said: dict[str, Any]) -> list[str]:
    """What `info_of` says, for people; the file's own texts without control characters."""
    shape = " x ".join(f"{n:,} {name}" for name, n in said["shape"].items())
    record = f"{said['recorded_steps']:,} steps of each" if said["recorded_steps"] else "none"
    done = f"{said['blocks_done']:,} of {said['blocks']:,} blocks done"
    state = "finished" if said["finished"] else f"not finished: {done}; run it again to go on"
    took = "" if said["wall_time"] is None else f", in {duration(said['wall_time'])}"
    made_with = ", ".join(f"{k} {printable(v)}" for k, v in said["made_with"].items())
    return [
        f"{printable(said['title']) or 'experiment'}: {said['rule']} on {objective_words(said)}",
        f"file          {said['file']}, {in_units(said['bytes'])}, {state}",
        f"runs          {said['runs']:,} = {shape}",
        *(f"{name:13} {words}" for name, words in said["random"].items()),
        f"updates       {said['steps']:,} a run at most",
        *([f"schedule      {said['schedule']}"] if said["schedule"] else []),
        f"trajectories  {record}",
        *scaling_lines(said),
        *[f"{'found' if not n else '':<14}{line}" for n, line in enumerate(said["findings"])],
        f"made          {printable(said['created'])} on {printable(said['cpu'])}{took}",
        f"with          {made_with}",
        f"by            {printable(said['command_line'])}",
        f"plan          sha256 {said['sha256']}",
    ]
