"""The progress bar."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from fastmomentum.experiment import Experiment
from fastmomentum.status import Status

if TYPE_CHECKING:
    from fastmomentum.runner import Progress, Watcher


@contextlib.contextmanager
def bar(experiment: Experiment) -> Iterator[Watcher]:
    """A bar on stderr; silent where stderr is no terminal.

    Parameters
    ----------
    experiment : Experiment
        What is run.

    Yields
    ------
    callable
        Takes a `Progress`.
    """
    console = Console(stderr=True)
    columns = (
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:3.0f}% {task.fields[said]}"),
        TimeRemainingColumn(compact=True),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as shown:
        task = shown.add_task("runs", total=experiment.grid.n_runs, said="compiling")

        def show(progress: Progress) -> None:
            shown.update(task, completed=progress.done_runs, said=line(progress))

        yield show


def line(progress: Progress) -> str:
    """Progress as a line of text.

    Parameters
    ----------
    progress : Progress
        How far the run is.

    Returns
    -------
    str
        Runs, rates and counts.
    """
    said = f"{progress.done_runs:,} of {progress.n_runs:,} runs"
    if progress.seconds > 0 and progress.steps:
        runs = (progress.done_runs - progress.kept_runs) / progress.seconds
        said += f", {rate(runs)} runs/s, {rate(progress.steps / progress.seconds)} steps/s"
    counts = [
        f"{progress.counts[status]:,} {words(status)}"
        for status in Status
        if progress.counts[status]
    ]
    return ", ".join([said, *counts])


def words(status: Status) -> str:
    """A status as words.

    Examples
    --------
    >>> words(Status.MAX_STEPS)
    'out of steps'
    """
    return "out of steps" if status is Status.MAX_STEPS else status.name.lower().replace("_", " ")


def rate(per_second: float) -> str:
    """A rate for people.

    Examples
    --------
    >>> rate(2_300_000)
    '2.3 M'
    """
    for unit in ("", " k", " M"):
        if per_second < 1000:
            return f"{per_second:.3g}{unit}"
        per_second /= 1000
    return f"{per_second:,.3g} G"
