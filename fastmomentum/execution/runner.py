"""Run the missing blocks of an experiment: the journal, progress, interruption."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastmomentum.errors import ClusterError, FastmomentumError, Interrupted
from fastmomentum.execution.backends import Backend, Pool, pool_of
from fastmomentum.execution.progress import Progress, Watcher
from fastmomentum.execution.reusing import Reuse, named, reusable
from fastmomentum.execution.worker import warm
from fastmomentum.experiment.plan import Experiment
from fastmomentum.experiment.toml import experiment_from
from fastmomentum.specification.numbers import require_flag, whole
from fastmomentum.specification.paths import path_of
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.interface import Store
from fastmomentum.store.memory_store import MemoryStore

if TYPE_CHECKING:
    import xarray as xr

COMMIT_SECONDS: Final = 0.5
"""Time between two writes to the journal, so that many blocks share one sync."""
NOTHING_COMPUTED: Final = "interrupted before anything was computed"


def run(
    experiment: Experiment | str | os.PathLike[str],
    path: str | os.PathLike[str] | None = None,
    *,
    n_jobs: int | None = None,
    backend: Backend | None = None,
    progress: bool | Watcher = False,
    overwrite: bool = False,
    block_runs: int | None = None,
    reuse: Reuse = (),
) -> xr.Dataset:
    """Run every cell of the grid.

    Parameters
    ----------
    experiment : Experiment or path
        The plan, or the experiment file (TOML) that holds it.
    path : path, optional
        The results file; without, results stay in memory. An interrupted run of the same plan is
        resumed; a finished one is opened as it is.
    n_jobs : int, optional
        Workers; -1 for one per core, which is also the default unless ``joblib.parallel_config``
        says otherwise. It does not apply to a Dask cluster, which uses all its cores.
    backend : {"threads", "processes", "dask"}, optional
        What the workers are; without, what ``joblib.parallel_config`` says, and threads where it
        says nothing. "dask" takes the cluster of the current `dask.distributed.Client`, and
        `path` must lie on a file system that its workers share. The results are the same, to the
        bit.
    progress : bool or callable
        Whether to show a bar, on stderr or below a notebook's cell; or what to call with a
        `Progress` now and then.
    overwrite : bool
        Whether other results at `path` may be replaced.
    block_runs : int, optional
        Runs per block, instead of what the plan suggests. The results are the same, to the bit.
    reuse : path or sequence of paths
        Older results files of the same experiment over other grids. The runs that they have are
        reused, bit for bit, once every block has been checked; the rest is computed.

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
    ClusterError
        A worker cannot do the run, or the scheduler is gone; what is done is kept.
    Interrupted
        Ctrl-C; what is done is kept where there is a path.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=1.5e-5, momentum=0.9, start=[(-5, -5)]))
    >>> fm.run(experiment).final.values.ravel()
    array([0.95019026, 0.90265616])
    """
    from fastmomentum import results  # xarray takes its time to import; the command needs none

    experiment = experiment_from(experiment)
    block_runs = None if block_runs is None else whole(block_runs, "block_runs", least=1)
    if not callable(progress):
        require_flag(progress, "progress")
    require_flag(overwrite, "overwrite")
    pool = pool_of(backend, n_jobs)
    older = named(reuse)
    if path is None and not pool.shares_memory:
        with tempfile.TemporaryDirectory() as folder, _nothing_left_in(folder):
            place = Path(folder) / "results.h5"
            _run_to_file(experiment, place, pool, progress, False, block_runs, older, keep=False)
            with results.open_results(place) as ds:
                return ds.load()
    if path is not None:
        path = path_of(path)
        _run_to_file(experiment, path, pool, progress, overwrite, block_runs, older)
        try:
            return results.open_results(path)
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; all runs are done and kept in {path}") from None
    store = None
    try:
        store = MemoryStore(experiment, block_runs, reusable(experiment, older))
        with watcher(progress, experiment) as watch:
            _work(store, pool, watch, kept_runs=0)
        return results.from_memory(experiment, store.variables, store.seconds)
    except KeyboardInterrupt:
        lost = NOTHING_COMPUTED if store is None else f"interrupted; {_lost(store)}"
        raise Interrupted(lost) from None


def run_to_file(
    experiment: Experiment,
    path: Path,
    *,
    n_jobs: int | None = None,
    backend: Backend | None = None,
    progress: bool | Watcher = False,
    overwrite: bool = False,
    block_runs: int | None = None,
    reuse: Reuse = (),
    told: Callable[[FileStore], None] | None = None,
) -> Progress | None:
    """Run the grid into a file; see `run`.

    Parameters
    ----------
    experiment, path, n_jobs, backend, progress, overwrite, block_runs, reuse
        As for `run`.
    told : callable, optional
        Called with the store once it knows what it keeps of an earlier run.

    Returns
    -------
    Progress or None
        None where the results existed already.
    """
    pool = pool_of(backend, n_jobs)
    older = named(reuse)
    return _run_to_file(experiment, path, pool, progress, overwrite, block_runs, older, told)


def _run_to_file(
    experiment: Experiment,
    path: Path,
    pool: Pool,
    progress: bool | Watcher,
    overwrite: bool,
    block_runs: int | None,
    reuse: list[Path],
    told: Callable[[FileStore], None] | None = None,
    keep: bool = True,
) -> Progress | None:
    try:
        reused = reusable(experiment, reuse, path, overwrite)
        store = FileStore.open(
            path, experiment, overwrite=overwrite, block_runs=block_runs, reused=reused
        )
    except KeyboardInterrupt:
        raise Interrupted(NOTHING_COMPUTED) from None
    if store is None:
        return None
    with store:
        try:
            if told is not None:
                told(store)
            with watcher(progress, experiment) as watch:
                return _work(store, pool, watch, store.kept_runs)
        except (KeyboardInterrupt, ClusterError) as error:
            kept = _kept(store, path) if keep else _lost(store)
            if isinstance(error, ClusterError):
                raise ClusterError(f"{error}\n{kept}") from error
            raise Interrupted(f"interrupted; {kept}") from None


def _kept(store: FileStore, path: Path) -> str:
    """What is kept of a run that ends early, and in which file."""
    total = len(store.blocks)
    if store.partial.exists():
        done = store.count_done()
        return (
            f"{done:,} of {total:,} blocks are done and kept in {store.partial}: "
            "run the same again to resume"
        )
    return f"all {total:,} blocks are done and kept in {path}"  # it had just got its final name


def _lost(store: Store) -> str:
    """The same where no path was given."""
    return (
        f"{store.count_done():,} of {len(store.blocks):,} blocks were done; nothing is kept, "
        "because the results were in memory only: fm.run with a path keeps what is done"
    )


@contextlib.contextmanager
def _nothing_left_in(folder: str) -> Iterator[None]:
    """Keep messages from naming files in a folder that is deleted."""
    try:
        yield
    except FastmomentumError as error:
        place = f"a temporary file in {Path(folder).parent}"
        # A function, because the backslashes of a path on Windows would be read as escapes.
        said = re.sub(rf"{re.escape(folder)}[\w./\\-]*", lambda _: place, str(error))
        raise type(error)(said) from error.__cause__
    except KeyboardInterrupt:
        raise Interrupted(
            "interrupted; nothing is kept, because the results were in memory only: fm.run with a "
            "path keeps what is done"
        ) from None


@contextlib.contextmanager
def watcher(progress: bool | Watcher, experiment: Experiment) -> Iterator[Watcher]:
    """Choose what receives the progress: nothing, a bar, or the caller's function."""
    if callable(progress):
        yield progress
    elif progress:
        from fastmomentum.execution.progress_bar import progress_bar

        with progress_bar(experiment) as show:
            yield show
    else:
        yield lambda _: None


def _work(store: Store, pool: Pool, watch: Watcher, kept_runs: int) -> Progress:
    """Have workers run the missing blocks, and keep the journal, until all are done."""
    left = -(-(store.blocks.n_runs - kept_runs) // store.blocks.block_runs)
    if left:
        warm(store.sink.experiment)  # one compilation, before the workers and the clock start
    begun = committed = time.monotonic()
    state = Progress(store.blocks.n_runs, kept_runs, kept_runs)
    watch(state)
    try:
        with contextlib.closing(pool.run_blocks(store.sink, store.missing(), left)) as finished:
            for done in finished:
                checksums = iter(done.checksums.tolist())
                for stretch in done.blocks:
                    store.enter(stretch.start, *itertools.islice(checksums, len(stretch)))
                state.done_runs += int(done.counts.sum())
                state.steps += done.steps
                state.reused_runs += done.reused
                state.counts += done.counts
                now = time.monotonic()
                if now - committed >= COMMIT_SECONDS:
                    state.seconds = now - begun
                    store.commit(state.counts, state.seconds)
                    committed = time.monotonic()
                    watch(state)
    except BaseException:
        store.commit(state.counts, time.monotonic() - begun)
        raise
    state.seconds = time.monotonic() - begun
    store.finish(state.counts, state.seconds)
    watch(state)
    return state
