"""Draw an objective as a surface in 3-D with the paths of chosen runs on it."""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot surface` does; in Python it is `fm.plots.pages.surface(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("surface", words)


if __name__ == "__main__":
    script(main)
