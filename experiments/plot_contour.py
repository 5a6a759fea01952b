"""Draw the contours of an objective with the paths of chosen runs."""

from __future__ import annotations

from _arguments import output, run_parser, script

from collections.abc import Sequence

from _cells import chosen_runs, opened
from _figures import field_of, figure, save, style, subtitle

from fastmomentum import plots


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    arguments = run_parser(__doc__ or "").parse_args(words)
    path = output(arguments, "contour")
    with opened(arguments.results, arguments) as ds, style(arguments):
        runs = chosen_runs(ds, arguments)
        field = field_of(ds, runs, arguments, points=401)
        made = figure(ds, 7.2 + 0.26 * min(len(runs), 6))
        ax = made.add_subplot()
        contours = plots.contour(ax, field)
        ax.set_title(subtitle(ds))
        plots.colour_bar(ax, field, contours.lines)
        drawn = plots.paths(ax, runs, field)
        plots.legend(made, drawn, contours.minima)
        save(made, path)


if __name__ == "__main__":
    script(main)
