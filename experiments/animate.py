"""Show a run as it learns: the panels of plot_report.py, frame by frame.

The suffix of -o decides what is written: a GIF, a film (by ffmpeg), or one HTML page with play,
pause and a slider that needs no network. --live plays in a window instead, or besides, where there
is a display: space stops and goes on, the arrow keys go a frame back or forth.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Show a run as `fastmomentum animate` does."""
    from fastmomentum.cli.films import animate

    animate(words)


if __name__ == "__main__":
    script(main)
