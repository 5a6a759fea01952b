"""Draw the contours of an objective with the paths of chosen runs."""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot contour` does; in Python it is `fm.plots.pages.contour(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("contour", words)


if __name__ == "__main__":
    script(main)
