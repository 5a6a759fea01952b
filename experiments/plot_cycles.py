"""Measure where the heavy ball cycles: at each learning rate and momentum, on an f of its own.

Each cell of the map is a run on the `fm.PolygonCycle` that is made for its settings, and begins on
the cycle. Its period is the shortest that has a cycle there by the closed form; where none has, the
one that lacks the least. Coloured are the runs that are still on their cycle after all updates; the
line is the edge by the closed form, the union of `fm.theory.has_cycle`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Run and draw as `fastmomentum plot cycles` does; in Python `fm.plots.pages.cycles()`."""
    from fastmomentum.cli.pictures import draw

    draw("cycles", words)


if __name__ == "__main__":
    script(main)
