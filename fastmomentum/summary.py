"""What to say of a plan and of a results file, in numbers; read from the file's bytes directly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum import files, layout
from fastmomentum.bar import words
from fastmomentum.errors import FileError
from fastmomentum.experiment import Experiment
from fastmomentum.provenance import COMPUTING
from fastmomentum.schema import dimensions, results
from fastmomentum.status import Status
from fastmomentum.store import Journal, in_units, partial_name, sink_to

UPDATES_PER_SECOND: Final = {False: 1e9, True: 5e7}
"""Updates a core makes a second, roughly: objectives of + - * /, and those with cos or exp."""
BYTES_PER_SECOND: Final = 4e8
"""Bytes a second that a disk takes, roughly."""


def plan_of(experiment: Experiment, folder: Path) -> dict[str, Any]:
    """What an experiment would take.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    folder : Path
        Where the results would go.

    Returns
    -------
    dict
        Ready for JSON.
    """
    import joblib

    runs = experiment.grid.n_runs
    size = layout.expected_bytes(experiment)
    cores = joblib.cpu_count()
    updates = runs * experiment.steps
    speed = UPDATES_PER_SECOND[experiment.objective.elementary] * cores
    return {
        "title": experiment.title,
        "objective": experiment.objective.name,
        "rule": experiment.rule.name,
        "shape": dict(zip(dimensions(experiment), experiment.grid.shape, strict=True)),
        "runs": runs,
        "steps": experiment.steps,
        "recorded_steps": int(experiment.recorded.size),
        "blocks": -(-runs // experiment.block_runs),
        "block_runs": experiment.block_runs,
        "bytes": size,
        "free_bytes": files.free_bytes(folder),
        "cores": cores,
        "estimated_seconds": max(updates / speed, size / BYTES_PER_SECOND),
        "sha256": experiment.sha256,
    }


def plan_lines(figures: dict[str, Any]) -> list[str]:
    """A plan for people."""
    shape = " x ".join(f"{n:,} {name}" for name, n in figures["shape"].items())
    fits = "" if figures["bytes"] <= figures["free_bytes"] else ": it does not fit"
    record = f"{figures['recorded_steps']:,} steps of each" if figures["recorded_steps"] else "none"
    return [
        f"{figures['title'] or 'experiment'}: {figures['rule']} on {figures['objective']}",
        f"runs          {figures['runs']:,} = {shape}",
        f"updates       {figures['steps']:,} a run at most",
        f"trajectories  {record}",
        f"blocks        {figures['blocks']:,} of {figures['block_runs']:,} runs",
        f"file          {in_units(figures['bytes'])}, {in_units(figures['free_bytes'])} are free "
        f"here{fits}",
        f"time          about {duration(figures['estimated_seconds'])} on {figures['cores']} cores, "
        "less where runs stop early",
    ]


def duration(seconds: float) -> str:
    """A time for people.

    Examples
    --------
    >>> duration(5400)
    '1.5 hours'
    """
    for limit, size, unit in ((120, 1, "s"), (7200, 60, "minutes"), (172_800, 3600, "hours")):
        if seconds < limit:
            return f"{max(seconds, 0.1) / size:.2g} {unit}"
    days = seconds / 86_400
    return f"{days:.0f} days" if days < 730 else f"{days / 365.25:,.0f} years"


class Reader:
    """Reads a results file, finished or not, part by part in bounded memory.

    Parameters
    ----------
    path : Path
        A results file; where only its unfinished form is there, that is read.

    Raises
    ------
    InputError, FileError
        As `layout.read`.
    """

    def __init__(self, path: Path) -> None:
        partial = partial_name(path)
        self.path = partial if not path.exists() and partial.exists() else path
        self.layout = layout.read(self.path)
        self.experiment = self.layout.experiment
        self.sink = sink_to(self.path, self.layout, writable=False)
        self._variables = {v.name: v for v in results(self.experiment)}

    def parts(self, name: str) -> Iterator[tuple[int, NDArray[Any]]]:
        """Values of a variable, some runs at a time: (first run, values)."""
        variable = self._variables[name]
        tail = variable.shape[len(self.experiment.grid.shape) :]
        size = np.dtype(variable.dtype).itemsize * math.prod(tail)
        at_once, n_runs = max(1, 2**23 // size), self.experiment.grid.n_runs
        for first in range(0, n_runs, at_once):
            count = min(at_once, n_runs - first)
            offset = self.layout.offsets[name] + first * size
            try:
                data = files.read_at(self.sink.descriptor, count * size, offset)
            except EOFError:
                raise FileError(f"{self.path}: {name} is cut short") from None
            yield first, np.frombuffer(data, variable.dtype).reshape(count, *tail)

    def counts(self) -> dict[str, int]:
        """Runs by status."""
        counts = np.zeros(256, np.int64)
        for _, part in self.parts("status"):
            counts += np.bincount(part, minlength=256)
        return {status.name.lower(): int(counts[status]) for status in Status}

    def fastest(self) -> list[tuple[int, int]]:
        """For each target the run that met it first, and when: (run, step); (-1, -1) for none."""
        targets = self.experiment.stop.targets
        best = [(-1, -1)] * len(targets)
        for first, part in self.parts("hit_step") if targets else ():
            for k in range(len(targets)):
                hit = np.where(part[:, k] >= 0, part[:, k], np.iinfo(np.int32).max)
                run = int(hit.argmin())
                if part[run, k] >= 0 and (best[k][1] < 0 or part[run, k] < best[k][1]):
                    best[k] = (first + run, int(part[run, k]))
        return best

    def lowest(self) -> tuple[int, float]:
        """The run that ended lowest, and its loss; (-1, inf) where none ended."""
        run, loss = -1, math.inf
        statuses = self.parts("status")
        here, status = next(statuses)
        for first, part in self.parts("final_loss"):
            while first >= here + status.size:
                here, status = next(statuses)
            ended = status[first - here : first - here + part.size] != Status.NOT_RUN
            found = np.where(ended & np.isfinite(part), part, np.inf)
            if found.min() < loss:
                run, loss = first + int(found.argmin()), float(found.min())
        return run, loss

    def place(self, run: int) -> str:
        """A run's cell in words."""
        grid = self.experiment.grid
        lr, momentum, (x, y) = grid.point(grid.cell(run))
        return f"lr {lr:.6g}, momentum {momentum:.6g}, start ({x:.6g}, {y:.6g})"


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
    reader = Reader(path)
    counts = reader.counts()
    said = ", ".join(
        f"{counts[status.name.lower()]:,} {words(status)}"
        for status in Status
        if counts[status.name.lower()]
    )
    lines = [said]
    targets = reader.experiment.stop.targets
    for target, (run, step) in zip(targets, reader.fastest(), strict=True):
        where = f"fastest {reader.place(run)}: step {step:,}" if run >= 0 else "never met"
        lines.append(f"target {target:g}: {where}")
    if not targets:
        run, loss = reader.lowest()
        if run >= 0:
            lines.append(f"lowest loss {loss:.6g} at {reader.place(run)}")
    return lines


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
    experiment, attributes = reader.experiment, reader.layout.attributes
    made = {name: str(attributes.get(f"{name}_version", "unknown")) for name in COMPUTING}
    done = Journal(reader.sink).count_done()
    return {
        "file": str(reader.path),
        "finished": reader.path == path,
        "title": experiment.title,
        "objective": experiment.objective.name,
        "rule": experiment.rule.name,
        "shape": dict(zip(dimensions(experiment), experiment.grid.shape, strict=True)),
        "runs": experiment.grid.n_runs,
        "steps": experiment.steps,
        "recorded_steps": int(experiment.recorded.size),
        "targets": list(experiment.stop.targets),
        "blocks": len(reader.layout.blocks),
        "blocks_done": done,
        "bytes": reader.layout.size,
        "counts": reader.counts(),
        "made_with": made,
        **{k: str(attributes.get(k, "")) for k in ("created", "cpu", "command_line")},
        "sha256": experiment.sha256,
        "experiment": json.loads(experiment.canonical),
        "findings": findings(path),
    }


def info_lines(said: dict[str, Any]) -> list[str]:
    """What `info_of` says, for people."""
    shape = " x ".join(f"{n:,} {name}" for name, n in said["shape"].items())
    record = f"{said['recorded_steps']:,} steps of each" if said["recorded_steps"] else "none"
    done = f"{said['blocks_done']:,} of {said['blocks']:,} blocks done"
    state = "finished" if said["finished"] else f"not finished: {done}; run it again to go on"
    return [
        f"{said['title'] or 'experiment'}: {said['rule']} on {said['objective']}",
        f"file          {said['file']}, {in_units(said['bytes'])}, {state}",
        f"runs          {said['runs']:,} = {shape}",
        f"updates       {said['steps']:,} a run at most",
        f"trajectories  {record}",
        *[f"{'found' if not n else '':<14}{line}" for n, line in enumerate(said["findings"])],
        f"made          {said['created']} on {said['cpu']}",
        f"with          {', '.join(f'{k} {v}' for k, v in said['made_with'].items())}",
        f"by            {said['command_line']}",
        f"plan          sha256 {said['sha256']}",
    ]
