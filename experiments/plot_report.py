"""Draw all about one run on a page: surface, contours and path, and how it got on by step.

For linear regression four panels: the loss as a surface with the iterates on it, its contours with
the path, the data with the line, and the loss against the step. For every other objective three:
the surface from above, the contours with path, start and minimum, and the squared distance to the
nearest minimum against the step.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastmomentum.cli.exit_status import script


def main(words: Sequence[str]) -> None:
    """Draw as `fastmomentum plot report` does; in Python it is `fm.plots.pages.report(ds)`."""
    from fastmomentum.cli.pictures import draw

    draw("report", words)


if __name__ == "__main__":
    script(main)
