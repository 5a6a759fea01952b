"""The command that serves the explorer."""

from __future__ import annotations

import signal
import webbrowser
from pathlib import Path
from typing import Annotated

import typer

from fastmomentum.cli.exit_status import errors_in_words

Given = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE.toml|OUT.h5",
        readable=False,
        help="What to start with: an experiment, or results [Rosenbrock's function].",
        show_default=False,
    ),
]


@errors_in_words
def explore(
    file: Given = None,
    port: Annotated[
        int | None,
        typer.Option(
            "--port", metavar="N", min=0, max=65535, help="Port of 127.0.0.1 [8719, or a free one]."
        ),
    ] = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Only print the address of the page.")
    ] = False,
) -> None:
    """Open a map of momentum that computes itself while you zoom into it; Ctrl-C ends it."""
    from fastmomentum.explorer.extra import require_extra

    require_extra()
    from fastmomentum.explorer.serving import Explorer, quiet_logs
    from fastmomentum.explorer.source import Source
    from fastmomentum.machine import ending_signals

    quiet_logs()
    explorer = Explorer(Source(file), port)
    for number in (signal.SIGINT, *ending_signals()):
        signal.signal(number, lambda *_: explorer.stop())
    print(f"the explorer is at {explorer.url} (Ctrl-C ends it)", flush=True)
    if not no_browser:
        webbrowser.open(explorer.url)
    explorer.serve()
    print("stopped")
