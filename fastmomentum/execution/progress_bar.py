"""The progress bar."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn, track
from rich.progress import Progress as Bar

from fastmomentum.execution.progress import Progress, Watcher
from fastmomentum.experiment.plan import Experiment
from fastmomentum.status import Status, words
from fastmomentum.text import short

T = TypeVar("T")

REFRESHES: Final = 2.0
"""Refreshes a second; each takes milliseconds from a core that could compute."""


@contextlib.contextmanager
def progress_bar(experiment: Experiment) -> Iterator[Watcher]:
    """Show a bar on stderr; nothing where stderr is no terminal.

    Parameters
    ----------
    experiment : Experiment
        The experiment that is run.

    Yields
    ------
    callable
        Takes a `Progress`.
    """
    console = Console(stderr=True)
    columns = (
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[said]}"),
    )
    shown = Bar(
        *columns,
        console=console,
        disable=not console.is_terminal,
        transient=True,
        refresh_per_second=REFRESHES,
    )
    with shown:
        task = shown.add_task("runs", total=experiment.grid.n_runs, said="compiling")

        def show(progress: Progress) -> None:
            shown.update(task, completed=progress.done_runs, said=line(progress))

        yield show


def line(progress: Progress) -> str:
    """Put progress into a line of text.

    Parameters
    ----------
    progress : Progress
        Of the run.

    Returns
    -------
    str
        Runs, rates and counts.
    """
    said = [f"{short(progress.done_runs)} of {short(progress.n_runs)} runs"]
    if progress.seconds > 0 and progress.steps:
        runs = (progress.done_runs - progress.kept_runs) / progress.seconds
        said.append(f"{short(runs)} runs/s, {short(progress.steps / progress.seconds)} steps/s")
    counts = [
        f"{short(progress.counts[status])} {words(status)}"
        for status in Status
        if progress.counts[status]
    ]
    return ", ".join([*said, *counts])


def passing(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Pass items on, and show on stderr how far it is; nothing where that is no terminal.

    Parameters
    ----------
    items : iterable
        What is worked on.
    what : str
        What is done with them.
    total : int
        How many there are.
    """
    console = Console(stderr=True)
    quiet = not console.is_terminal
    return iter(track(items, what, total, console=console, transient=True, disable=quiet))
