"""Draw an objective as a surface in 3-D with the paths of chosen runs on it."""

from __future__ import annotations

from _arguments import output, run_parser, script

from collections.abc import Sequence

from _cells import chosen_runs, opened
from _figures import field_of, figure, save, style, subtitle

from fastmomentum import plots


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    arguments = run_parser(__doc__ or "").parse_args(words)
    path = output(arguments, "surface")
    with opened(arguments.results, arguments) as ds, style(arguments):
        runs = chosen_runs(ds, arguments)
        field = field_of(ds, runs, arguments, points=301)
        made = figure(ds, 7.2 + 0.26 * min(len(runs), 6))
        ax = made.add_subplot(projection="3d")
        surface = plots.surface(ax, field, runs)
        ax.set_title(subtitle(ds))
        plots.colour_bar(ax, field)
        drawn = plots.paths(ax, runs, field)
        plots.legend(made, drawn, surface.minima)
        save(made, path)


if __name__ == "__main__":
    script(main)
