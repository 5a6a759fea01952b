"""Map which of two experiments on the same grid came to the target sooner, and how much.

Over it are drawn the theory's stability boundaries and best settings of both. Objective, start and
velocity must be the same in both; a velocity in other units, as those of pytorch and ema are in
those of gradients, is not, unless it is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot duel` does; in Python it is `fm.plots.pages.duel(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("duel", words)


if __name__ == "__main__":
    script(main)
