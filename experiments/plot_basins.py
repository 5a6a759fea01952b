"""Map the minimum reached over a mesh of starts: its colour tells which, its shade how soon.

With --over momentum or --over lr there is a map for each of its values, or of those given by
--momentum or --lr, six at most; otherwise one map, of the cell nearest to --lr and --momentum.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot basins` does; in Python it is `fm.plots.pages.basins(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("basins", words)


if __name__ == "__main__":
    script(main)
