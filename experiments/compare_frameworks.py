"""Measure how far the paths of other frameworks lie from ours, along the whole of them.

Linear regression and Rosenbrock's function as in the document that this project grew from, and a
few dozen random cells, go through TensorFlow 1's MomentumOptimizer, Keras SGD, PyTorch SGD, optax
sgd and this package's own reference classes, for heavy ball and Nesterov, in float64 and float32.
Ours is the kernel, always in float64. A difference is the largest of a coordinate at any step,
divided by the largest coordinate of the path:

    max_t |w_t - ours_t| / max_t |ours_t|

The frameworks come with an extra, in small CPU builds like this (about 3 GB on the disk, whereas
torch from PyPI brings several GB more of CUDA's libraries on Linux):

    pip install torch --index-url https://download.pytorch.org/whl/cpu
    pip install "fastmomentum[frameworks]"
"""

from __future__ import annotations

import _ending  # noqa: F401  (its import sets how the script ends)

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from _frameworks import FRAMEWORKS
from _problems import (
    POLYNOMIALS,
    PRECISIONS,
    RANDOM_STEPS,
    RULES,
    Paths,
    difference,
    line_cell,
    ours,
    random_cells,
    rosenbrock_cell,
)
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from fastmomentum.cli.exit_status import script
from fastmomentum.cli.picture_arguments import SUFFIXES
from fastmomentum.cli.picture_files import place_of, save
from fastmomentum.errors import InputError
from fastmomentum.plots.styles import drawn_in

TITLES: Final = {"momentum": "heavy ball", "nesterov": "Nesterov"}
BOUND: Final = 1e-12
"""What the tests of float64 assert on stable cells."""

INK: Final = {"float64": "#0072B2", "float32": "#D55E00"}
SHAPE: Final = {"momentum": "o", "nesterov": "^"}
ZERO: Final = 1e-17
"""Where a difference of nothing is drawn on the log axis."""


class Problem(NamedTuple):
    """Cells of one rule that are walked together, and our paths through them."""

    title: str
    cells: Sequence[Any]
    steps: int
    paths: Paths


class Measured(NamedTuple):
    """A framework's differences under one rule and precision."""

    framework: str
    rule: str
    precision: str
    differences: list[np.ndarray]  # by problem, shape (n_cells,)
    end: tuple[float, float]  # of the walk on Rosenbrock's function


def main(words: Sequence[str]) -> None:
    """Walk, print the table, draw it."""
    reading = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = reading.add_argument
    add("--frameworks", help=f"some of {','.join(FRAMEWORKS)} (default: all that are installed)")
    add("--cells", type=int, default=4, help="random cells of each objective (default: 4)")
    add("--seed", type=int, default=0, help="of the random cells (default: 0)")
    add("-o", "--output", type=Path, metavar="FIGURE", help="a .png, .svg or .pdf file")
    arguments = reading.parse_args(words)
    if arguments.cells < 1 or arguments.seed < 0:
        raise InputError("--cells must be at least 1 and --seed at least 0")
    figure = arguments.output
    if figure is not None:
        place_of(figure, figure, "frameworks", SUFFIXES)
    names, missing = chosen(arguments.frameworks)

    told = Console()
    with Console(stderr=True).status("running our kernel") as status:
        problems = {rule: problems_of(rule, arguments.cells, arguments.seed) for rule in RULES}
        results = []
        for name in names:
            for rule in RULES:
                for precision in PRECISIONS:
                    title = f"{FRAMEWORKS[name].title}, {TITLES[rule]}, {precision}"
                    status.update(f"walking: {title}")
                    results.append(measure(name, rule, precision, problems[rule]))
    told.print(table(results, problems[RULES[0]]))
    told.print(ends(results, problems[RULES[0]][1]))
    for name in names:
        told.print(FRAMEWORKS[name].versions, highlight=False)
    if missing:
        told.print(f"not installed, and so left out: {', '.join(missing)}; {HOW}")
    if figure is not None:
        with drawn_in():
            save(draw(results, problems[RULES[0]]), figure)
        print(f"wrote {figure}")


HOW: Final = 'pip install "fastmomentum[frameworks]" (see --help for small builds)'


def chosen(asked: str | None) -> tuple[list[str], list[str]]:
    """Names of the frameworks to walk with, and titles of those that are not installed."""
    names = list(FRAMEWORKS)
    if asked is not None:
        names = list(dict.fromkeys(name.strip() for name in asked.split(",")))
    for name in names:
        if name not in FRAMEWORKS:
            raise InputError(f"--frameworks: no {name!r}; known are {', '.join(FRAMEWORKS)}")
    absent = [name for name in names if FRAMEWORKS[name].missing]
    if absent and (asked is not None or absent == names[1:]):  # the first is our own
        modules = ", ".join(sorted({m for name in absent for m in FRAMEWORKS[name].missing}))
        raise InputError(f"not installed: {modules}; {HOW}")
    present = [name for name in names if name not in absent]
    return present, [FRAMEWORKS[name].title for name in absent]


def problems_of(rule: str, each: int, seed: int) -> list[Problem]:
    """Make the problems for a rule."""
    (line, line_steps), (rosenbrock, rosenbrock_steps) = line_cell(), rosenbrock_cell()
    drawn = random_cells(rule, each, seed)
    plans = [
        (f"noisy line, {line_steps} steps", [line], line_steps),
        (f"Rosenbrock, {rosenbrock_steps} steps", [rosenbrock], rosenbrock_steps),
        (f"{each * len(POLYNOMIALS)} random cells, {RANDOM_STEPS} steps", drawn, RANDOM_STEPS),
    ]
    return [Problem(*plan, ours(plan[1], rule, plan[2])) for plan in plans]


def measure(name: str, rule: str, precision: str, problems: Sequence[Problem]) -> Measured:
    """Walk all problems and compare."""
    walked = [
        FRAMEWORKS[name].walk(problem.cells, rule, problem.steps, precision) for problem in problems
    ]
    differences = [
        difference(paths, problem.paths) for paths, problem in zip(walked, problems, strict=True)
    ]
    x, y = walked[1][0, -1].tolist()
    return Measured(name, rule, precision, differences, (x, y))


def table(results: Sequence[Measured], problems: Sequence[Problem]) -> Table:
    """Put the differences into a table: the largest, and of random cells the median too."""
    title = "Largest difference from our path, as a part of the path's largest coordinate"
    made = Table(title=title, box=SIMPLE_HEAD, padding=0)
    for heading in ("framework", "rule", "precision"):
        made.add_column(heading, no_wrap=True)
    headings = [problem.title.replace(", ", "\n") for problem in problems]
    for heading in (*headings, "their\nmedian"):
        made.add_column(heading.replace("random ", "random\n"), justify="right", no_wrap=True)
    for i, m in enumerate(results):
        numbers = [*(d.max() for d in m.differences), np.median(m.differences[2])]
        last = i + 1 == len(results) or results[i + 1].framework != m.framework
        made.add_row(
            FRAMEWORKS[m.framework].title,
            TITLES[m.rule],
            m.precision,
            *(f"{number:.1e}" if number else "0" for number in numbers),
            end_section=last,
        )
    return made


def ends(results: Sequence[Measured], problem: Problem) -> Table:
    """Put the last points of the walk on Rosenbrock's function into a table."""
    made = Table(title=f"{problem.title}, heavy ball: the last point", box=SIMPLE_HEAD)
    for heading in ("framework", "precision", "x", "y"):
        made.add_column(heading, no_wrap=True)
    x, y = problem.paths[0, -1].tolist()
    made.add_row("our kernel", "float64", repr(x), repr(y), end_section=True)
    for m in results:
        if m.rule == "momentum":
            digits = [repr(w) if m.precision == "float64" else f"{w:.8f}" for w in m.end]
            made.add_row(FRAMEWORKS[m.framework].title, m.precision, *digits)
    return made


def draw(results: Sequence[Measured], problems: Sequence[Problem]) -> Figure:
    """Draw a row for each framework and a panel for each problem."""
    names = list(dict.fromkeys(m.framework for m in results))
    made = Figure(figsize=(13.0, 2.6 + 0.75 * len(names)), layout="constrained")
    made.suptitle("How far the paths of other frameworks lie from ours")
    panels = made.subplots(1, len(problems), sharex=True, sharey=True, squeeze=False)[0]
    lifts = {(r, p): 0.12 * (2 * j - 1) for j, r in enumerate(RULES) for p in PRECISIONS}
    for k, (ax, problem) in enumerate(zip(panels, problems, strict=True)):
        for m in results:
            values = np.maximum(m.differences[k], ZERO)
            row = np.full(values.size, names.index(m.framework) + lifts[m.rule, m.precision])
            look = {"color": INK[m.precision], "marker": SHAPE[m.rule], "linestyle": "none"}
            if values.size > 1:
                ax.plot(values, row, markersize=4, alpha=0.3, markeredgewidth=0, **look)
            ax.plot(values.max(), row[0], markersize=9, markeredgecolor="black", **look)
        ax.axvline(BOUND, color="0.35", linestyle=(0, (5, 2)), linewidth=1)
        for precision in PRECISIONS:
            epsilon = float(np.finfo(precision).eps)
            ax.axvline(epsilon, color=INK[precision], linestyle=(0, (1, 1.5)), linewidth=1.4)
        ax.set_title(problem.title)
        ax.grid(axis="y", color="0.9")
        ax.set_axisbelow(True)
    ax = panels[0]
    ax.set_xscale("log")
    ax.set_xlim(ZERO / 3, 1e-4)
    ax.xaxis.set_major_locator(FixedLocator([ZERO, 1e-15, 1e-12, 1e-9, 1e-6]))
    ax.xaxis.set_minor_locator(FixedLocator([]))
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda v, _: "0" if v < 3 * ZERO else f"$10^{{{np.log10(v):.0f}}}$")
    )
    ax.set_yticks(range(len(names)), [FRAMEWORKS[name].title for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    panels[len(panels) // 2].set_xlabel(
        "largest difference of a coordinate at any step / largest coordinate"
    )
    made.legend(handles=_handles(), loc="outside lower center", ncols=4)
    return made


def _handles() -> list[Line2D]:
    def dot(colour: str, shape: str, label: str, size: float = 9) -> Line2D:
        edge = "black" if size > 5 else "none"
        return Line2D(
            [], [], color=colour, marker=shape, linestyle="none", markersize=size,
            markeredgecolor=edge, label=label,
        )  # fmt: skip

    def rule(colour: str, dashes: tuple[float, ...], label: str) -> Line2D:
        return Line2D([], [], color=colour, linestyle=(0, dashes), label=label)

    return [
        *(dot(INK[p], SHAPE[r], f"{TITLES[r]}, {p}") for p in PRECISIONS for r in RULES),
        dot("0.6", "o", "each random cell; the large marker is the largest", 4),
        *(rule(INK[p], (1, 1.5), f"spacing of {p} at 1") for p in PRECISIONS),
        rule("0.35", (5, 2), f"asserted in float64, {BOUND:.0e}"),
    ]


if __name__ == "__main__":
    script(main)
