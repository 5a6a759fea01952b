"""The progress bar, in a terminal or in a notebook."""

from __future__ import annotations

import contextlib
import html
import importlib
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn, track
from rich.progress import Progress as Bar

from fastmomentum.execution.progress import Progress, Watcher
from fastmomentum.experiment.plan import Experiment
from fastmomentum.status import Status
from fastmomentum.text import short

T = TypeVar("T")

REFRESHES: Final = 2.0
"""Refreshes a second; each takes milliseconds from a core that could compute."""

WIDTH: Final = 24
"""Characters of a notebook's bar, where it is text."""


@contextlib.contextmanager
def progress_bar(experiment: Experiment) -> Iterator[Watcher]:
    """Show a bar on stderr, or below a notebook's cell; nothing where stderr is no terminal.

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
    if console.is_jupyter:
        yield _in_notebook()
        return
    if not console.is_terminal:
        yield lambda _: None
        return
    columns = (
        BarColumn(bar_width=12),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[said]}"),
    )
    shown = Bar(
        *columns,
        console=console,
        transient=True,
        refresh_per_second=REFRESHES,
    )
    with shown:
        task = shown.add_task("runs", total=experiment.grid.n_runs, said="compiling")

        def show(progress: Progress) -> None:
            shown.update(task, completed=progress.done_runs, said=line(progress))

        yield show


def _in_notebook() -> Watcher:
    """A bar that is redrawn in place; its last state stays in the notebook.

    Rich's own bar needs ipywidgets, and is not saved with the notebook.
    """
    display = importlib.import_module("IPython.display").display
    shown = display(_drawn(0.0, "compiling"), raw=True, display_id=True)

    def show(progress: Progress) -> None:
        part = progress.done_runs / progress.n_runs
        new = progress.done_runs - progress.kept_runs
        left = ""
        if new and part < 1:
            seconds = progress.seconds * (progress.n_runs - progress.done_runs) / new
            left = f", some {seconds:.0f} s left"
        shown.update(_drawn(part, line(progress) + left), raw=True)

    return show


def _drawn(part: float, said: str) -> dict[str, str]:
    """A bar in a notebook's formats: HTML for browsers, and text for the rest."""
    percent = int(100 * part)
    full = int(WIDTH * part)
    return {
        "text/plain": f"{'#' * full}{'-' * (WIDTH - full)} {percent:3d}% {said}",
        "text/html": f'<progress max="100" value="{percent}"></progress> {percent}% '
        + html.escape(said),
    }


def line(progress: Progress) -> str:
    """Format progress as a line of text.

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
        f"{short(progress.counts[status])} {status.words}"
        for status in Status
        if progress.counts[status]
    ]
    return ", ".join([*said, *counts])


def passing(items: Iterable[T], what: str, total: int) -> Iterator[T]:
    """Yield the items, and show progress on stderr; nothing where that is no terminal.

    Parameters
    ----------
    items : iterable
        What is worked on.
    what : str
        Description of the work.
    total : int
        How many there are.
    """
    console = Console(stderr=True)
    if not console.is_terminal:  # older rich prints an empty line even where it is disabled
        return iter(items)
    return iter(track(items, what, total, console=console, transient=True))
