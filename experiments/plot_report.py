"""Draw all about one run on a page: surface, contours and path, and how it got on by step.

For linear regression four panels: the loss as a surface with the iterates on it, its contours with
the path, the data with the line, and the loss against the step. For every other objective three:
the surface from above, the contours with path, start and minimum, and the squared distance to the
nearest minimum against the step.
"""

from __future__ import annotations

from _arguments import output, report_parser, script

from collections.abc import Sequence

from _cells import opened, whole_run
from _figures import draw_report, save, style


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    arguments = report_parser(__doc__ or "").parse_args(words)
    path = output(arguments, "report")
    with opened(arguments.results, arguments) as ds, style(arguments):
        run = whole_run(ds, arguments)
        x, y = run.points[-1].tolist()
        print(f"final point: ({x!r}, {y!r})")
        save(draw_report(ds, run, arguments).figure, path)


if __name__ == "__main__":
    script(main)
