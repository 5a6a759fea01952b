"""Several runs in the panels of one report, which move together."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.plots.animated import (
    Animated,
    AnimatedCurve,
    AnimatedLine,
    AnimatedPath,
    AnimatedText,
    head_style,
    line_style,
)
from fastmomentum.plots.arguments import FIGURE, takes
from fastmomentum.plots.curves import against_step
from fastmomentum.plots.fields import FIELD, Field, colour_bar, contour, minima_of, star_of
from fastmomentum.plots.geometry import Floats
from fastmomentum.plots.marks import FEW
from fastmomentum.plots.report_parts import (
    Data,
    Report,
    above_paths,
    draw_data,
    draw_least,
    draw_surface,
    own_lines,
    panels_of,
    pinned_marks,
    progress_of,
    three_lines,
)
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.run_panels import FROM_ABOVE, FROM_THE_SIDE
from fastmomentum.plots.runs import RUNS, Run
from fastmomentum.plots.style import COLOURS, DASHED, START, counted, ink, number
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.theory import RuleLike

MOST: Final = 1e4
"""Largest multiple of the highest first value drawn: a diverging run would flatten the others."""


@takes(figure=FIGURE, runs=RUNS, field=FIELD)
def runs_report(
    figure: Figure,
    runs: Sequence[Run],
    field: Field,
    rule: RuleLike,
    data: Data | None = None,
    title: str = "",
    steps: Sequence[int] | None = None,
) -> Report:
    """Draw several runs in the panels of one report, each in its colour.

    The panels are those of `run_report`. A run that has ended stays where it ended.

    Parameters
    ----------
    figure : Figure
        Empty, about 12.8 by 7.2 inches, with constrained layout.
    runs : sequence of Run
        From one to six, with all steps that are to be seen.
    field : Field
        What they descended, sampled over a window.
    rule : str
        How.
    data : (x, y), optional
        Behind linear regression.
    title : str
        Of the experiment.
    steps : sequence of int, optional
        After how many updates the frames show the runs, ascending; without, after all.

    Returns
    -------
    Report
        Set to its last frame.

    Raises
    ------
    InputError
        There are no runs, or more than have a colour each.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> from fastmomentum import plots
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=99,
    ...     grid=fm.Grid(lr=1e-3, momentum=[0.0, 0.9], start=[(-1.2, 1)]), record={"every": 1}))
    >>> runs = [plots.run_of(fm.select_cell(ds, momentum=m)) for m in (0.0, 0.9)]
    >>> field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), runs), points=51)
    >>> figure = Figure(figsize=(12.8, 7.2), layout="constrained")
    >>> len(runs_report(figure, runs, field, "momentum", steps=[0, 9, 99]).runs)
    2
    """
    if not 1 <= len(runs) <= FEW:
        raise InputError(f"from 1 to {FEW} runs move in one picture: got {len(runs)}")
    longest = max(run.n_steps for run in runs)
    shown = np.array([longest] if steps is None else steps, dtype=np.int64)
    frames = [
        np.searchsorted(run.steps, np.minimum(shown, run.steps[-1])).astype(np.int64)
        for run in runs
    ]
    axes = panels_of(figure, data is not None)
    colours = COLOURS[: len(runs)]
    parts: list[Animated] = [_header(figure, runs, rule, title, field, shown, longest)]
    minima = draw_surface(axes["surface"], runs, field, FROM_THE_SIDE if data else FROM_ABOVE)
    parts += _paths(axes["surface"], runs, field, frames, minima)
    drawn = contour(axes["contour"], field)
    colour_bar(axes["contour"], field, drawn.lines)
    axes["contour"].set_title(above_paths("Contours and paths", runs, field), loc="left")
    parts += _paths(axes["contour"], runs, field, frames, drawn.minima)
    if data is not None:
        axes["data"].set_title("Data and lines", loc="left")
        draw_data(axes["data"], field.objective, data)
        for run, at, colour in zip(runs, frames, colours, strict=True):
            line = axes["data"].plot([], [], **line_style(2.0, colour))[0]
            drawn_lines = own_lines(field.objective, run.points[at])
            parts.append(AnimatedLine(axes["data"], line, drawn_lines))
    parts += _progress(axes["progress"], runs, field, frames)
    _legend(figure, runs, field, data is not None)
    return Report(figure, axes, tuple(runs), shown, tuple(parts))


def _header(
    figure: Figure,
    runs: Sequence[Run],
    rule: RuleLike,
    title: str,
    field: Field,
    shown: NDArray[np.int64],
    longest: int,
) -> AnimatedText:
    """Write what the runs have in common, and the line that tells the step."""
    found = UpdateRule.parse(rule)
    settings = {"learning rate": [run.lr for run in runs]}
    if found.rule.uses_momentum:
        settings["momentum"] = [run.momentum for run in runs]
    same = [f"{name} {number(v[0])}" for name, v in settings.items() if len(set(v)) == 1]
    same += [f"{name} {number(value)}" for name, value in found.said().items()]
    heading = f"{found.rule.title}: {', '.join([f'{len(runs)} runs', *same])}"
    said = [shorten(title, 100, placeholder=" ...").replace("$", r"\$")]
    if len({run.departure for run in runs}) == 1:
        said.append(runs[0].departure)
    if field.objective.settings or not title:
        said.append(field.objective.words)
    standing = three_lines(figure, heading, "; ".join(filter(None, said)))
    return AnimatedText(standing, [f"step {step:,} of {counted(longest)}" for step in shown])


def _paths(
    ax: Any, runs: Sequence[Run], field: Field, frames: Sequence[NDArray[np.int64]], minima: Any
) -> list[Animated]:
    moving: list[Animated] = [
        AnimatedPath(ax, run, field, at, colour)
        for run, at, colour in zip(runs, frames, COLOURS, strict=False)
    ]
    return [*moving, pinned_marks(ax, runs, field, minima)]


def _progress(
    ax: Any, runs: Sequence[Run], field: Field, frames: Sequence[NDArray[np.int64]]
) -> list[Animated]:
    """Draw the loss or the distance of each run, on scales that suit all of them."""
    curves: list[Floats] = []
    for run in runs:
        title, values = progress_of(run, field.objective, field.objective.value(*run.points.T))
        curves.append(values)
    ax.set_title(title, loc="left")
    together = np.concatenate(curves)
    highest = MOST * max(abs(float(values[0])) for values in curves)
    with np.errstate(invalid="ignore"):
        together = together[np.abs(together) <= highest]
    longest = max(runs, key=lambda run: int(run.steps[-1]))
    against_step(ax, longest.steps, together)
    draw_least(ax, field.objective)
    parts: list[Animated] = []
    for run, values, at, colour in zip(runs, curves, frames, COLOURS, strict=False):
        steps = run.steps.astype(np.float64)
        if ax.get_xscale() == "log":
            steps[run.steps == 0] = np.nan
        lowest = 0.0 if ax.get_yscale() == "log" else -np.inf
        with np.errstate(invalid="ignore"):
            seen = (values > lowest) & (np.abs(values) <= highest)
        parts.append(AnimatedCurve(ax, steps, np.where(seen, values, np.nan), at, colour))
    return parts


def _legend(figure: Figure, runs: Sequence[Run], field: Field, with_data: bool) -> None:
    """Name the runs by their colours, and explain the marks, below everything."""
    handles: list[Any] = []
    one_start = len({run.departure for run in runs}) == 1
    for run, colour in zip(runs, COLOURS, strict=False):
        style = line_style(1.8, colour) | head_style(colour) | {"linestyle": "-"}
        label = f"{run.cell}: {run.ending}" if one_start else run.label
        handles.append(Line2D([], [], label=label, **style))
    handles.append(Line2D([], [], **START))
    if len(minima_of(field)):
        handles.append(Line2D([], [], **star_of(field)))
    if with_data:
        dashed = DASHED | {"label": "least squares"}
        handles.append(Line2D([], [], color=ink(figure.get_facecolor()), **dashed))
    legend_below(figure, 2 if one_start else 1, handles=handles, frameon=False)
