"""Measure where the heavy ball cycles: at each learning rate and momentum, on an f of its own.

Each cell of the map is a run on the `fm.PolygonCycle` that is made for its settings, and begins on
the cycle. Its period is the shortest that has a cycle there by the closed form; where none has, the
one that lacks the least. Coloured are the runs that are still on their cycle after all updates; the
line is the edge by the closed form, the union of `fm.theory.has_cycle`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script
from fastmomentum.cli.picture_arguments import looks


def main(words: Sequence[str]) -> None:
    """Run and draw; in Python it is `fm.plots.pages.cycles()`."""
    from fastmomentum.cli.pictures import draw_made
    from fastmomentum.plots.pages import cycles

    reading = looks(__doc__ or "")
    add = reading.add_argument
    add("--mu", type=float, default=1.0, help="smallest curvature (default: 1)")
    add("--L", type=float, default=25.0, help="largest curvature (default: 25)")
    add("--longest", type=int, default=25, help="longest period (default: 25)")
    add("--cells", type=int, default=150, help="cells along an axis (default: 150)")
    add("--steps", type=int, default=2000, help="updates of each run (default: 2000)")
    draw_made(cycles, "cycles", reading.parse_args(words))


if __name__ == "__main__":
    script(main)
