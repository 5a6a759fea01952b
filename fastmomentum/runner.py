"""From blocks to workers: dispatch, progress, interruption. The only import of joblib."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import joblib
import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError, Interrupted
from fastmomentum.experiment import Experiment
from fastmomentum.kernels import run_block
from fastmomentum.sinks import Sink, block_arrays
from fastmomentum.status import Status
from fastmomentum.store import FileStore, MemoryStore, Store

if TYPE_CHECKING:
    import xarray as xr

Backend = Literal["threads", "processes"]
JOBLIB: Final = {"threads": "threading", "processes": "loky"}

COMMIT_SECONDS: Final = 0.5
"""Blocks wait so long for the journal, and share one sync."""


@dataclass
class Progress:
    """How far a run is.

    Attributes
    ----------
    n_runs, kept_runs : int
        Runs in all, and those that an earlier run had done.
    done_runs : int
        Runs done by now, the kept among them.
    steps : int
        Updates made by now, the kept not among them.
    counts : ndarray, shape (4,)
        Runs done now, by status.
    seconds : float
        Since the start.
    """

    n_runs: int
    kept_runs: int
    done_runs: int
    steps: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Status), np.int64))
    seconds: float = 0.0


Watcher = Callable[[Progress], None]


def run(
    experiment: Experiment,
    path: str | Path | None = None,
    *,
    n_jobs: int = -1,
    backend: Backend = "threads",
    progress: bool | Watcher = False,
    overwrite: bool = False,
    block_runs: int | None = None,
) -> xr.Dataset:
    """Run every cell of the grid.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    path : path, optional
        The results file; without, results stay in memory. An interrupted run of the same plan is
        gone on with; a finished one is opened as it is.
    n_jobs : int
        Workers; -1 for one a core.
    backend : {"threads", "processes"}
        What the workers are. The results are the same, to the bit.
    progress : bool or callable
        Whether to show a bar on stderr; or what to call with a `Progress` now and then.
    overwrite : bool
        Whether other results at `path` may be replaced.
    block_runs : int, optional
        Runs a block, instead of what the plan suggests. The results are the same, to the bit.

    Returns
    -------
    xarray.Dataset
        Labelled results; lazy where they lie in a file.

    Raises
    ------
    InputError
        An argument makes no sense, or another plan's results are in the way.
    StorageError
        No space, no permission, or a second writer.
    FileError
        A file in the way is damaged or not ours.
    Interrupted
        Ctrl-C; what is done is kept.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=1.5e-5, momentum=0.9, start=[(-5, -5)]))
    >>> fm.run(experiment).final.values.ravel()
    array([0.95019026, 0.90265616])
    """
    from fastmomentum import results  # xarray takes its time to import, and the command needs none

    if backend not in JOBLIB:
        raise InputError(f"backend must be one of {', '.join(JOBLIB)}: got {backend!r}")
    if n_jobs == 0 or n_jobs < -1:
        raise InputError(f"n_jobs must be positive, or -1 for one a core: got {n_jobs}")
    if block_runs is not None and block_runs < 1:
        raise InputError(f"block_runs must be positive: got {block_runs}")
    if path is not None:
        run_to_file(
            experiment,
            Path(path),
            n_jobs=n_jobs,
            backend=backend,
            progress=progress,
            overwrite=overwrite,
            block_runs=block_runs,
        )
        return results.open_results(path)
    if backend == "processes":  # other processes cannot write to our arrays
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "results.h5"
            ds = run(
                experiment,
                place,
                n_jobs=n_jobs,
                backend=backend,
                progress=progress,
                block_runs=block_runs,
            )
            with ds:
                return ds.load()
    store = MemoryStore(experiment, block_runs)
    with watcher(progress, experiment) as watch:
        _work(store, n_jobs, backend, watch, kept_runs=0)
    return results.from_memory(experiment, store.variables, store.seconds)


def run_to_file(
    experiment: Experiment,
    path: Path,
    *,
    n_jobs: int = -1,
    backend: Backend = "threads",
    progress: bool | Watcher = False,
    overwrite: bool = False,
    block_runs: int | None = None,
    told: Callable[[FileStore], None] | None = None,
) -> Progress | None:
    """Run the grid into a file; see `run`.

    Parameters
    ----------
    experiment, path, n_jobs, backend, progress, overwrite, block_runs
        As for `run`.
    told : callable, optional
        Called with the store once it is known what is kept of an earlier run.

    Returns
    -------
    Progress or None
        None where the results were there already.
    """
    store = FileStore.open(path, experiment, overwrite=overwrite, block_runs=block_runs)
    if store is None:
        return None
    with store:
        if told is not None:
            told(store)
        with watcher(progress, experiment) as watch:
            try:
                return _work(store, n_jobs, backend, watch, store.kept_runs)
            except KeyboardInterrupt:
                done, total = store.journal.count_done(), len(store.blocks)
                raise Interrupted(
                    f"interrupted; {done:,} of {total:,} blocks are done and kept in "
                    f"{store.partial}: run the same again to go on"
                ) from None


@contextlib.contextmanager
def watcher(progress: bool | Watcher, experiment: Experiment) -> Iterator[Watcher]:
    """What is called with the progress: nothing, a bar, or the caller's own."""
    if callable(progress):
        yield progress
    elif progress:
        from fastmomentum.bar import bar

        with bar(experiment) as show:
            yield show
    else:
        yield lambda _: None


def _work(store: Store, n_jobs: int, backend: Backend, watch: Watcher, kept_runs: int) -> Progress:
    """Hand the missing blocks to workers and keep the journal, until all are done."""
    begun = time.monotonic()
    state = Progress(store.blocks.n_runs, kept_runs, kept_runs)
    watch(state)
    blocks = store.missing()
    first = next(blocks, None)
    if first is not None:
        warm(store.experiment)  # one compilation, before the workers start
        pool = joblib.Parallel(
            n_jobs=n_jobs,
            backend=JOBLIB[backend],
            return_as="generator_unordered",
            batch_size=1,
            pre_dispatch="3*n_jobs",
        )
        tasks = (
            joblib.delayed(do_block)(store.sink, block)
            for block in itertools.chain([first], blocks)
        )
        committed = time.monotonic()
        finished = pool(tasks)
        try:
            for block, checksum, counts, steps in finished:
                store.enter(block, checksum)
                state.done_runs += len(store.blocks.runs(block))
                state.steps += steps
                state.counts += counts
                now = time.monotonic()
                if now - committed >= COMMIT_SECONDS:
                    state.seconds = now - begun
                    store.commit(state.counts, state.seconds)
                    committed = time.monotonic()
                    watch(state)
        finally:
            with contextlib.suppress(GeneratorExit):
                finished.close()
            store.commit(state.counts, time.monotonic() - begun)
    state.seconds = time.monotonic() - begun
    store.finish(state.counts, state.seconds)
    watch(state)
    return state


def do_block(sink: Sink, block: int) -> tuple[int, int, NDArray[np.int64], int]:
    """A worker's task: compute a block, write it, and say little about it."""
    arrays = sink.arrays(block)
    run_block(sink.experiment, sink.blocks.runs(block), arrays)
    counts = np.bincount(arrays["status"], minlength=len(Status)).astype(np.int64)
    steps = int(arrays["n_steps"].sum(dtype=np.int64))
    return block, sink.put(block, arrays), counts, steps


def warm(experiment: Experiment) -> None:
    """Compile the kernel of an experiment, or load it from the cache."""
    run_block(experiment, range(1), block_arrays(experiment, 1), n_steps=0)
