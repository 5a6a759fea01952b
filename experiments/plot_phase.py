"""Map a grid over learning rate and momentum, for one start, with the theory over it.

--show hit: the steps to a target; status: how the runs ended; rate: how fast they came near, which
is measured on the runs, walked again. Left out, it is hit, or status where there is no target.
Over the map is drawn what theory says at the minimiser that most of the runs reached, and below
the title stands how well the two agree. --x, --y and --over take other axes of the grid, such as
nu or objective_b; what is not drawn stays at its first value, or at that of --at NAME=VALUE.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot phase` does; in Python it is `fm.plots.pages.phase(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("phase", words)


if __name__ == "__main__":
    script(main)
