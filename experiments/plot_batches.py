"""Draw what batches do: how the loss falls, and where it stays, measured and by theory.

The results are of one experiment with batches of several sizes, along seeds and learning rates; to
the left are bands over the seeds at one learning rate, to the right the mean loss at the end.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot batches` does; in Python it is `fm.plots.pages.batches(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("batches", words)


if __name__ == "__main__":
    script(main)
