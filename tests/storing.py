"""What the tests of storage share: a small grid, and ways to run it and to look at its file."""

from __future__ import annotations

import contextlib
import io
import os
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import fastmomentum as fm
from fastmomentum.cli import app
from fastmomentum.execution.worker import do_block
from fastmomentum.store.file_store import FileStore

BLOCK_RUNS = 7


def grid_of_runs(**changes: object) -> fm.Experiment:
    """40 short runs that converge, diverge or neither, with trajectories."""
    fields: dict[str, object] = {
        "title": "a small grid",
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": 20,
        "grid": fm.Grid(
            lr=np.geomspace(1e-4, 1e-1, 5), momentum=[0.0, 0.5, 0.8, 0.9], start=[(0, 0), (1, 1)]
        ),
        "record": fm.Record(every=10),
        "stop": fm.Stop(targets=[1.0, 1e-2], bound=1e6),
    }
    return fm.Experiment(**(fields | changes))


def finish(path: Path, plan: fm.Experiment, overwrite: bool = False) -> FileStore | None:
    """Run what is missing, one block after the other, syncing after each."""
    store = FileStore.open(path, plan, overwrite=overwrite, block_runs=BLOCK_RUNS)
    if store is not None:
        with store:
            ended = np.zeros(4, np.int64)
            for block in store.missing():
                number, checksum, counts, _ = do_block(store.sink, block)
                ended += counts
                store.enter(number, checksum)
                store.commit(ended, 0.0)
            store.finish(ended, 0.0)
    return store


def command(*arguments: object) -> tuple[int, str]:
    """Exit status of the command, and what it says on either stream."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            app([str(argument) for argument in arguments], standalone_mode=False)
            status = 0
        except SystemExit as end:
            status = int(end.code or 0)
    return status, said.getvalue()


@contextlib.contextmanager
def seeded(default: int = 0) -> Iterator[random.Random]:
    """A source of chance whose seed is told when a test fails; FASTMOMENTUM_SEED sets another."""
    seed = int(os.environ.get("FASTMOMENTUM_SEED", default))
    try:
        yield random.Random(seed)
    except BaseException:
        print(f"FASTMOMENTUM_SEED={seed}")
        raise
