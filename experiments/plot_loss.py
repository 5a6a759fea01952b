"""Draw the loss, or the distance from the minimum, of chosen runs against the step.

Dashed lines fall as fast as theory at the minimum predicts; they are straight where the axis of
steps is linear, as it is for runs of similar lengths.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot loss` does; in Python it is `fm.plots.pages.loss(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("loss", words)


if __name__ == "__main__":
    script(main)
