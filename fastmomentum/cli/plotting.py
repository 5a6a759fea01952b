"""The commands that draw; their arguments are parsed by `pictures` and `films`."""

from __future__ import annotations

import atexit
import contextlib
import gc
from collections.abc import Iterator
from typing import Final

import typer

from fastmomentum.cli.exit_status import errors_in_words

plot = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Draw results: plot KIND OUT.h5 -o PICTURE; plot KIND --help lists the options.",
)

WORDS: Final = {"ignore_unknown_options": True, "allow_extra_args": True}
"""Everything after the command's name is passed on, even --help."""


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Import and draw without Python's collector of cyclic garbage.

    There is next to none, and looking for it, again and again among all objects of matplotlib and
    once more at the exit, takes a fifth of the time of a small picture.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _add(kind: str, what: str) -> None:
    @_uncollected()  # to the end, for taking a figure apart takes its time, too
    @errors_in_words
    def command(context: typer.Context) -> None:
        from fastmomentum.cli.pictures import draw

        draw(kind, context.args, f"fastmomentum plot {kind}")

    plot.command(kind, help=what, context_settings=dict(WORDS), add_help_option=False)(command)


_add("contour", "Contours of the objective, with paths of runs.")
_add("surface", "The objective as a surface, with paths of runs.")
_add("report", "Everything about one run.")
_add("phase", "Steps, status or rate over learning rate and momentum, with theory.")
_add("refined", "A refined map, and its busiest part at full resolution.")
_add("basins", "Which minimum each start reaches.")
_add("loss", "Loss or distance against the step, with the predicted rate.")
_add("schedule", "Learning rate and momentum over the updates, from FILE.toml.")
_add("duel", "Which of two rules is faster, on one map.")
_add("batches", "How the loss of batches falls, and where it settles, by size.")
_add("stationary", "Where the seeds of a noisy run settle, with theory's ellipse.")
_add("cycles", "Where the heavy ball cycles: measured, and in theory.")


@errors_in_words
def animate(context: typer.Context) -> None:
    """Show a run as it learns: a GIF, a film, an HTML page, or a window."""
    from fastmomentum.cli.films import animate as show

    show(context.args, "fastmomentum animate")
