"""Draw the last points of all seeds of a cell, with the ellipses that theory draws."""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot stationary` does; in Python it is `fm.plots.stationary(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("stationary", words)


if __name__ == "__main__":
    script(main)
