"""Running a grid into a file, and printing what happens."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastmomentum.execution.backends import Backend
    from fastmomentum.execution.progress import Progress
    from fastmomentum.experiment.plan import Experiment
    from fastmomentum.store.file_store import FileStore


def run_and_tell(
    experiment: Experiment,
    path: Path,
    *,
    n_jobs: int,
    backend: Backend = "threads",
    scheduler: str | None = None,
    overwrite: bool = False,
    quiet: bool = False,
    reuse: Sequence[Path] = (),
    left_to_do: str = "nothing to do",
) -> None:
    """Run the grid into a file; unless quiet, show a bar and print what came out.

    Parameters
    ----------
    experiment, path, n_jobs, backend, overwrite, reuse
        As for `runner.run_to_file`.
    scheduler : str, optional
        For dask: the cluster's address; if left out, a local cluster is started.
    quiet : bool
        Whether to print nothing.
    left_to_do : str
        What to say about results that exist already.
    """
    from fastmomentum.execution.runner import run_to_file

    say = (lambda *_: None) if quiet else print
    with contextlib.ExitStack() as stack:
        stack.enter_context(terminated_like_interrupted())
        if backend == "dask":
            from fastmomentum.execution.dask_cluster import connected

            say(stack.enter_context(connected(scheduler, n_jobs)))
        made = run_to_file(
            experiment,
            path,
            n_jobs=n_jobs,
            backend=backend,
            progress=not quiet,
            overwrite=overwrite,
            reuse=reuse,
            told=None if quiet else functools.partial(_tell_kept, path),
        )
    if not quiet:
        _tell_results(path, made, left_to_do)
        _tell_title(path, experiment.title)


def _tell_kept(path: Path, store: FileStore) -> None:
    from fastmomentum.text import printable

    for source in store.sink.earlier.sources if store.sink.earlier else ():
        count, total = source.matching.count, store.blocks.n_runs
        if count:
            print(f"{path}: {count:,} of {total:,} runs are in {source.path}, and are reused")
        else:
            print(f"{path}: none of its {total:,} runs are in {source.path}")
    if not store.kept and not store.damaged:
        return
    left = len(store.blocks) - store.kept - store.damaged
    again = f"{store.damaged:,} are damaged and computed again, " if store.damaged else ""
    print(
        f"{path}: resuming; {store.kept:,} of {len(store.blocks):,} blocks are done, "
        f"{again}{left:,} are left"
    )
    for change in store.changed:
        print(f"{path}: since it was begun, {printable(change)}")


def _tell_results(path: Path, made: Progress | None, left_to_do: str) -> None:
    from fastmomentum.results.info import findings
    from fastmomentum.text import in_units, short

    if made is None:
        print(f"{path}: complete already; {left_to_do}")
    else:
        speed = f", {short(made.steps / made.seconds)} steps/s" if made.steps else ""
        kept = f" ({made.kept_runs:,} more were done before)" if made.kept_runs else ""
        now = made.done_runs - made.kept_runs
        taken = f", {made.reused_runs:,} of them reused" if made.reused_runs else ""
        print(
            f"{path}: {now:,} runs{taken} in {made.seconds:.2f} s"
            f"{speed}{kept}, {in_units(path.stat().st_size)}"
        )
    for line in findings(path):
        print(f"  {line}")


def _tell_title(path: Path, title: str) -> None:
    """Say which title the existing results have, if it is another."""
    from fastmomentum.results.reader import Reader
    from fastmomentum.text import printable

    there = Reader(path).experiment.title
    if there != title:
        told = f"the title '{printable(there)}'" if there else "no title"
        print(f"  these results have {told}; a new title alone is not a new experiment")


@contextlib.contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let signals that ask a program to end, as batch systems do, end a run like Ctrl-C."""
    import signal

    from fastmomentum.machine import ending_signals

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ending_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
