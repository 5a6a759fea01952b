"""Everything about one run on a page: the surface, the contours, and its progress by step."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import shorten
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from fastmomentum.objectives import Objective
from fastmomentum.plots.animated import (
    DOTS,
    HEAD,
    Animated,
    AnimatedCurve,
    AnimatedLine,
    AnimatedPath,
    AnimatedText,
    Pinned,
    line_style,
)
from fastmomentum.plots.arguments import FIGURE, takes
from fastmomentum.plots.curves import against_step, on_edge
from fastmomentum.plots.fields import FIELD, Field, colour_bar, contour, minima_of, star_of
from fastmomentum.plots.geometry import Floats, clip
from fastmomentum.plots.labels import label_levels
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
from fastmomentum.plots.runs import RUN, Run
from fastmomentum.plots.scatter import equation
from fastmomentum.plots.style import DASHED, STAR, START, ink, number, point
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.status import Status
from fastmomentum.theory import RuleLike

FROM_THE_SIDE: Final = (40.0, 50.0)
FROM_ABOVE: Final = (60.0,)


@takes(figure=FIGURE, run=RUN, field=FIELD)
def run_report(
    figure: Figure,
    run: Run,
    field: Field,
    rule: RuleLike,
    data: Data | None = None,
    title: str = "",
    frames: Sequence[int] | None = None,
) -> Report:
    """Draw everything about one run.

    Linear regression with its data has four panels: the loss as a surface with the iterates on it,
    its contours with the path, the data with the line, and the loss against the step. Every other
    objective has three: the surface seen from above, the contours, and the squared distance to the
    nearest minimiser against the step (the objective itself, where it has none).

    Parameters
    ----------
    figure : Figure
        Empty, about 12.8 by 7.2 inches, with constrained layout.
    run : Run
        With all steps that are to be seen.
    field : Field
        What it descended, sampled over a window; see `sample` and `window`.
    rule : str
        How.
    data : (x, y), optional
        Behind linear regression.
    title : str
        Of the experiment.
    frames : sequence of int, optional
        Indices into the run's points that will be shown; the last alone without.

    Returns
    -------
    Report
        Set to its last frame.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> from fastmomentum import plots
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=100,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.9, start=[(-1.2, 1)]), record=fm.Record(every=1)))
    >>> run = plots.run_of(fm.select_cell(ds))
    >>> field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), [run]), points=51)
    >>> figure = Figure(figsize=(12.8, 7.2), layout="constrained")
    >>> sorted(run_report(figure, run, field, "momentum").axes)
    ['contour', 'progress', 'surface']
    """
    at = np.array([len(run.points) - 1] if frames is None else frames, dtype=np.int64)
    values = field.objective.value(*run.points.T)
    axes = panels_of(figure, data is not None)
    what = field.objective.words if field.objective.settings or not title else ""
    parts: list[Animated] = [_header(figure, run, values, at, rule, title, what)]
    above = draw_surface(axes["surface"], [run], field, FROM_THE_SIDE if data else FROM_ABOVE)
    parts += _way(axes["surface"], run, field, at, above)
    parts += _contours(axes["contour"], run, field, at)
    if data is not None:
        parts += _data(axes["data"], run, field.objective, data, at)
    parts += _progress(axes["progress"], run, field.objective, values, at)
    _legend(figure, field, data is not None, "last step" if frames is None else "now")
    return Report(figure, axes, (run,), run.steps[at], tuple(parts))


def _header(
    figure: Figure,
    run: Run,
    values: Floats,
    frames: NDArray[np.int64],
    rule: RuleLike,
    title: str,
    what: str,
) -> AnimatedText:
    """Write the title, and the line below it that tells the run's state."""
    found = UpdateRule.parse(rule)
    rates = f"learning rate {number(run.lr)}"
    if found.rule.uses_momentum:
        momentum = "by schedule" if run.is_momentum_scheduled else number(run.momentum)
        rates += f", momentum {momentum}"
    rates += "".join(f", {name} {number(value)}" for name, value in found.said().items())
    escaped = shorten(title, 100, placeholder=" ...").replace("$", r"\$")
    start = f"start at {point(run.start)}"
    if run.velocity is not None:
        start += f", velocity {point(run.velocity)}"
    start += f"; {what}" if what else ""
    below = f"{escaped}; {start}" if title else start
    standing = three_lines(figure, f"{found.rule.title}: {rates}", below)
    ends = {Status.CONVERGED: ", converged", Status.DIVERGED: ", diverged"}
    words = [
        f"step {run.steps[frame]:,} of {run.n_steps:,}"
        + (ends.get(run.status, "") if run.steps[frame] == run.n_steps else "")
        + f": f = {number(values[frame])} at {point(run.points[frame])}"
        for frame in frames
    ]
    return AnimatedText(standing, words)


def _contours(ax: Axes, run: Run, field: Field, frames: NDArray[np.int64]) -> list[Animated]:
    drawn = contour(ax, field)
    colour_bar(ax, field, drawn.lines)
    ax.set_title(above_paths("Contours and path", [run], field), loc="left")
    parts = _way(ax, run, field, frames, drawn.minima)
    avoid = [clip(run.points, field.window)[0], minima_of(field)]
    if run.status == Status.DIVERGED:
        text = ax.text(
            0.5, 0.92, "", transform=ax.transAxes, ha="center", va="center", zorder=8,
            color="black", weight="bold",
            bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "black"},
        )  # fmt: skip
        said = f"diverged at step {run.n_steps:,}"
        parts.append(AnimatedText(text, [""] * (len(frames) - 1) + [said]))
        low, high = np.array(field.window).T
        avoid.append(low + (high - low) * [[0.3, 0.92], [0.7, 0.92]])
    label_levels(ax, drawn.lines, avoid)
    return parts


def _way(
    ax: Axes, run: Run, field: Field, frames: NDArray[np.int64], minima: Artist
) -> list[Animated]:
    """Draw the path, and above it start and minima."""
    return [AnimatedPath(ax, run, field, frames), pinned_marks(ax, [run], field, minima)]


def _data(
    ax: Axes, run: Run, objective: Objective, data: Data, frames: NDArray[np.int64]
) -> list[Animated]:
    points = own_lines(objective, run.points[frames])
    draw_data(ax, objective, data)
    moving = ax.plot([], [], color=HEAD["markerfacecolor"], linewidth=2.2, zorder=2.5)[0]
    said = ax.set_title("", loc="left")
    lines = [equation(*line) for line in points]
    words = ["Data and line" if "$" in line else line for line in lines]  # no long ones
    return [AnimatedLine(ax, moving, points), AnimatedText(said, words)]


def _progress(
    ax: Axes, run: Run, objective: Objective, values: Floats, frames: NDArray[np.int64]
) -> list[Animated]:
    """Draw the loss of a regression, else the distance to the minimum, against the step."""
    title, values = progress_of(run, objective, values)
    ax.set_title(title, loc="left")
    steps, values = against_step(ax, run.steps, values)
    draw_least(ax, objective)
    start = on_edge(ax, values[0], **START)
    return [AnimatedCurve(ax, steps, values, frames), Pinned([start])]


def _legend(figure: Figure, field: Field, with_data: bool, head_is: str) -> None:
    """Draw a legend of the marks in a row below everything."""
    path = Line2D([], [], **line_style(1.8)), Line2D([], [], **DOTS)
    start, star, head = (Line2D([], [], **style) for style in (START, STAR, HEAD))
    handles: dict[str, Any] = {"start": start, "path and its updates": path, head_is: head}
    if len(minima_of(field)):
        handles[star_of(field)["label"]] = star
    if with_data:
        handles["least squares"] = Line2D([], [], color=ink(figure.get_facecolor()), **DASHED)
    legend_below(
        figure,
        5,
        handles=list(handles.values()),
        labels=list(handles),
        handler_map={tuple: HandlerTuple(ndivide=1)},
        frameon=False,
    )
