"""What a results file holds, what came out, and how it was made."""

from __future__ import annotations

import functools
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from fastmomentum.errors import FileError
from fastmomentum.experiment.describing import place_of
from fastmomentum.experiment.plan import Experiment
from fastmomentum.objectives.minimum import fallen
from fastmomentum.provenance import COMPUTING
from fastmomentum.results.overview import heading, overview_lines, overview_of
from fastmomentum.results.reader import Reader
from fastmomentum.results.stability import in_words, stability_of
from fastmomentum.status import Status
from fastmomentum.store.journal import RunTotals
from fastmomentum.store.paths import is_partial
from fastmomentum.text import duration, in_units, printable


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
    return _findings(Reader(path))


def _findings(reader: Reader) -> list[str]:
    """Counts by status; what bounds the learning rate; the fastest to each target, or the best.

    The bound is given where runs diverged above it, or all rose and had no time to. Runs that ended
    below the objective's stated minimum come first.
    """
    n_fallen, lowest, least = reader.lowest_fallen()
    counts = reader.counts()
    said = "by schedule" if reader.experiment.has_momentum_schedule else None
    place = functools.partial(place_of, reader.experiment.grid, said_momentum=said)
    lines = [
        ", ".join(
            f"{counts[status.name.lower()]:,} {status.words}"
            for status in Status
            if counts[status.name.lower()]
        )
    ]
    lowest_end = functools.cache(reader.lowest)
    fell = counts["converged"] or not reader.done.any() or lowest_end()[0] >= 0
    stability = stability_of(_with_rows(reader)) if counts["diverged"] or not fell else None
    if stability and stability["runs_above"]:
        lines.append(in_words(stability))
    if n_fallen:
        (objective, _), *_ = reader.experiment.by_objective(np.array([lowest]))
        said = fallen(objective, least, n_fallen)
        lines.insert(0, f"{said} (lowest at {place(lowest)})")
    targets = reader.experiment.stop.targets
    for target, (run, step) in zip(targets, reader.fastest(n_fallen > 0), strict=True):
        where = f"fastest {place(run)}: step {step:,}" if run >= 0 else "never met"
        lines.append(f"target {target:g}: {where}")
    if not targets:
        run, loss = lowest_end()
        if run >= 0:
            lines.append(f"lowest loss {loss:.6g} at {place(run)}")
        elif reader.done.any():
            lines.append("no run ended lower than it started")
    return lines


def _with_rows(reader: Reader) -> Experiment:
    """The plan, with the rows that its batches are drawn from; without, where they are damaged."""
    try:
        return reader.sink.experiment
    except FileError:
        return reader.experiment


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
        **overview_of(experiment),
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
        "findings": _findings(reader),
    }


def info_lines(said: dict[str, Any]) -> list[str]:
    """What `info_of` says, for people; the file's own texts without control characters."""
    done = f"{said['blocks_done']:,} of {said['blocks']:,} blocks done"
    state = "finished" if said["finished"] else f"not finished: {done}; run it again to resume"
    took = "" if said["wall_time"] is None else f", in {duration(said['wall_time'])}"
    made_with = ", ".join(f"{k} {printable(v)}" for k, v in said["made_with"].items())
    return [
        heading(said),
        f"file          {said['file']}, {in_units(said['bytes'])}, {state}",
        *overview_lines(said),
        *[f"{'found' if not n else '':<14}{line}" for n, line in enumerate(said["findings"])],
        f"made          {printable(said['created'])} on {printable(said['cpu'])}{took}",
        f"with          {made_with}",
        f"by            {printable(said['command_line'])}",
        f"plan          sha256 {said['sha256']}",
    ]
