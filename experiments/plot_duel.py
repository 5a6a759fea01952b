"""Map which of two experiments on the same grid came to the target sooner, and how much.

Over it are drawn the theory's stability boundaries and best settings of both. Objective, start and
velocity must be the same in both; a velocity in other units, as those of pytorch and ema are in
those of gradients, is not, unless it is 0.
"""

from __future__ import annotations

from _arguments import add_start, add_target, output, parser, script

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _cells import at_target, opened, plane, start_of
from _figures import figure, lines_of, save, style

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.results.chosen import objective_of, rule_of

NAMES = {"sgd": "gradient descent", "momentum": "heavy ball", "nesterov": "Nesterov"}


def main(words: Sequence[str]) -> None:
    """Read both results, draw, save."""
    reading = parser(__doc__ or "")
    reading.add_argument("other", type=Path, help="the results to compare with, of the same grid")
    add_start(reading)
    add_target(reading)
    reading.add_argument("--no-theory", action="store_true", help="draw measurement alone")
    arguments = reading.parse_args(words)
    path = output(arguments, "duel")
    with (
        opened(arguments.results, arguments) as ds,
        opened(arguments.other, arguments) as other,
        style(arguments),
    ):
        planes = [plane(each, arguments.start) for each in (ds, other)]
        both = [at_target(each, arguments.target) for each in planes]
        experiments = [fm.experiment_of(each) for each in (ds, other)]
        rules = [experiment.rule.name for experiment in experiments]
        names = NAMES.get(rules[0], rules[0]), NAMES.get(rules[1], rules[1])
        if rules[0] == rules[1]:
            names = arguments.results.stem, arguments.other.stem
        made = figure(ds, height=7.8)
        ax = made.add_subplot()
        drawn = plots.duel_map(ax, both[0], both[1], names)
        handles: list[Any] = list(drawn.legend)
        notes: list[str] = []
        for each, name, dashes, marker in zip((ds, other), names, ("-", ":"), "Do", strict=True):
            if arguments.no_theory or not len(objective_of(each).minimisers):
                continue
            lines = plots.theory_lines(ax, objective_of(each), rule_of(each))
            if lines.oscillation is not None:
                lines.oscillation.remove()
            if lines.stability is not None:
                lines.stability.set(linestyle=dashes, label=f"{name}: stable to the left (theory)")
            if lines.optimum is not None:
                lines.optimum.set(marker=marker, label=f"{name}: {lines.optimum.get_label()}")
            handles += lines.seen
            notes += [lines.outside] if lines.outside else []
        plots.duel_bar(ax, drawn, names, float(both[0]["target"][-1]))
        title = f"objective {objective_of(ds).words}, {names[0]} against {names[1]}"
        ax.set_title(lines_of(f"{title}, from {start_of(both[0])}", *notes))
        for note in notes:
            print(note)
        made.legend(handles=handles, loc="outside lower center", ncols=2)
        save(made, path)


if __name__ == "__main__":
    script(main)
