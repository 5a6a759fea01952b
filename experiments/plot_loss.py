"""Draw the loss, or the distance from the minimum, of chosen runs against the step.

Dashed lines fall as fast as theory at the minimum predicts; they are straight where the axis of
steps is linear, as it is for runs of similar lengths.
"""

from __future__ import annotations

from _arguments import WHICH_CELLS, add_cells, output, parser, script

from collections.abc import Sequence

from _cells import chosen_runs, opened
from _figures import figure, save, style, subtitle

from fastmomentum import plots
from fastmomentum.results.chosen import objective_of, rule_of


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    reading = parser(__doc__ or "", WHICH_CELLS)
    add_cells(reading)
    add = reading.add_argument
    add("--show", choices=("loss", "distance"), default="loss", help="what is drawn")
    add("--steps", choices=("auto", "log", "linear"), default="auto", help="the axis of steps")
    add("--no-theory", action="store_true", help="draw measurement alone")
    reading.set_defaults(replay=True)  # a rate shows in every step only
    arguments = reading.parse_args(words)
    path = output(arguments, arguments.show)
    with opened(arguments.results, arguments) as ds, style(arguments):
        made = figure(ds, height=7.5)
        ax = made.add_subplot(title=subtitle(ds))
        drawn = plots.loss_curves(
            ax,
            chosen_runs(ds, arguments),
            objective_of(ds),
            rule_of(ds),
            arguments.show,
            arguments.steps,
            theory=not arguments.no_theory,
        )
        plots.draw_keys(made, drawn.keys)
        if drawn.handles:
            made.legend(handles=drawn.handles, loc="outside lower center")
        save(made, path)


if __name__ == "__main__":
    script(main)
