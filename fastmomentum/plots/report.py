"""All about one run on a page: the surface, the contours, and how it got on, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import NDArray

from fastmomentum.objectives import Objective
from fastmomentum.plots.fields import Field, colour_bar, contour
from fastmomentum.plots.geometry import Floats, within
from fastmomentum.plots.moving import (
    DOTS,
    HEAD,
    Moving,
    MovingCurve,
    MovingLine,
    MovingPath,
    MovingWords,
    Pinned,
    line_style,
)
from fastmomentum.plots.runs import Run
from fastmomentum.plots.scatter import data_and_line
from fastmomentum.plots.style import START, STAR, counted, number
from fastmomentum.plots.surfaces import TILTS, lift, surface
from fastmomentum.status import Status

Data = tuple[Floats, Floats]

RULES: Final = {
    "sgd": "Gradient descent",
    "momentum": "Momentum (heavy ball)",
    "nesterov": "Nesterov momentum",
}
FROM_ABOVE: Final = (68.0,)
LOSSES: Final = {"mean": "mean of squared residuals", "half_sum": "half the sum of squares"}


@dataclass(frozen=True)
class Report:
    """The panels of `run_report`, at one of its frames.

    Attributes
    ----------
    figure : Figure
        Where they are.
    axes : dict of Axes
        By what they show: "surface", "contour", then "data" and "loss", or "distance".
    frames : ndarray, shape (n_frames,)
        Indices into the run's points.
    parts : tuple of Moving
        What changes from frame to frame.
    """

    figure: Figure
    axes: dict[str, Any]
    frames: NDArray[np.int64]
    parts: tuple[Moving, ...]

    @property
    def artists(self) -> list[Artist]:
        """Everything that changes, in the order in which to draw it."""
        return [artist for part in self.parts for artist in part.artists]

    def show(self, frame: int) -> None:
        """Set all panels to a frame."""
        for part in self.parts:
            part.show(frame)


def run_report(
    figure: Figure,
    run: Run,
    field: Field,
    rule: str,
    data: Data | None = None,
    title: str = "",
    frames: Sequence[int] | None = None,
) -> Report:
    """Draw all about one run.

    Linear regression with its data has four panels: the loss as a surface with the iterates on it,
    its contours with the path, the data with the line, and the loss against the step. Every other
    objective has three: the surface seen from above, the contours, and the squared distance to the
    nearest minimiser against the step (the objective itself, where it has none).

    Parameters
    ----------
    figure : Figure
        Empty, about 13 by 7.5 inches, with constrained layout.
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
    >>> figure = Figure(figsize=(13, 7.5), layout="constrained")
    >>> sorted(run_report(figure, run, field, "momentum").axes)
    ['contour', 'distance', 'surface']
    """
    at = np.array([len(run.points) - 1] if frames is None else frames, dtype=np.int64)
    values = field.objective.value(*run.points.T)
    axes = _panels(figure, data is not None)
    header = _header(figure, run, values, at, rule, title)
    drawn = surface(axes["surface"], field, [run], FROM_ABOVE if data is None else TILTS)
    lines = contour(axes["contour"], field)
    _label(axes["contour"], lines.lines, field)
    colour_bar(axes["contour"], field, lines.lines)
    verdict = _verdict(axes["contour"], run, len(at))
    parts: list[Moving] = [header]
    for name, minima in (("surface", drawn.minima), ("contour", lines.minima)):
        start = within(run.points[:1], field.window)
        marks = [minima, *axes[name].plot(*lift(axes[name], start, field), **START)]
        parts += [MovingPath(axes[name], run, field, at), Pinned(marks)]
    parts.append(verdict)
    if data is None:
        label, curve = _distance(run, field.objective, values)
        parts += _against_step(axes["distance"], run, curve, label, at)
    else:
        parts.append(_data(axes["data"], run, field.objective, data, at))
        label = LOSSES[getattr(field.objective, "reduction", "mean")]
        parts += _against_step(axes["loss"], run, values, f"f(a, b), {label}", at)
        _floor(axes["loss"], field.objective)
    _legend(figure)
    return Report(figure, axes, at, tuple(parts))


def _panels(figure: Figure, with_data: bool) -> dict[str, Any]:
    below = ["data", "loss"] if with_data else ["distance", "distance"]
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.0, 0.0, 1.0, 1.0 - _HEADER / figure.get_figheight()))
    return dict(
        figure.subplot_mosaic(
            [["surface", "contour"], below],
            per_subplot_kw={"surface": {"projection": "3d"}},
            height_ratios=[1.5, 1.0],
        )
    )


_HEADER: Final = 1.0  # inches


def _header(
    figure: Figure, run: Run, values: Floats, frames: NDArray[np.int64], rule: str, title: str
) -> MovingWords:
    """Write the title, and the line below it that tells how the run stands."""
    rates = f"learning rate {number(run.lr)}"
    if rule != "sgd":
        rates += f", momentum {number(run.momentum)}"
    inch = 1.0 / figure.get_figheight()
    lines = [
        (f"{RULES.get(rule, rule)}: {rates}", 0.12, {"fontsize": "x-large", "weight": "bold"}),
        (title, 0.44, {"parse_math": False}),
        ("", 0.70, {}),
    ]
    texts = [
        figure.text(0.02, 1.0 - down * inch, text, va="top", in_layout=False, **options)
        for text, down, options in lines
    ]
    x, y = run.start
    start = f"from ({_coordinate(x)}, {_coordinate(y)})"
    words = []
    for frame in frames:
        step, (x, y) = run.steps[frame], run.points[frame]
        words.append(
            f"{start}, step {step:,} of {run.n_steps:,}: f = {number(values[frame])} "
            f"at ({_coordinate(x)}, {_coordinate(y)})"
        )
    return MovingWords(texts[-1], words)


def _coordinate(value: float) -> str:
    """Write a coordinate: of few digits as it is, else with four decimals."""
    short = f"{value:g}"
    if len(short) > 6 and abs(value) < 1e4:
        short = f"{value:.4f}"
    return number(value) if "e" in short else short.replace("-", "\N{MINUS SIGN}")


def _label(ax: Axes, lines: Any, field: Field) -> None:
    """Write the levels on the contours."""

    def power(level: float) -> str:
        return number(level) if level < 1e4 else f"$10^{{{np.log10(level):.0f}}}$"

    texts = ax.clabel(lines, fmt=power if field.is_log else "%g", fontsize=10, colors="black")
    for text in texts:
        text.set_zorder(2.5)


def _verdict(ax: Axes, run: Run, count: int) -> MovingWords:
    """Say across the contours that a run diverged, once it has."""
    said = f"diverged at step {run.n_steps:,}" if run.status == Status.DIVERGED else ""
    text = ax.text(
        0.5, 0.95, "", transform=ax.transAxes, ha="center", va="top", zorder=8, weight="bold",
        bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "black"},
    )  # fmt: skip
    return MovingWords(text, [""] * (count - 1) + [said])


def _data(
    ax: Axes, run: Run, objective: Objective, data: Data, frames: NDArray[np.int64]
) -> MovingLine:
    a, b = objective.minimisers[0]
    drawn = data_and_line(ax, *data, a, b)
    drawn.line.set(color="black", linewidth=1.2, linestyle=(0, (5, 3)), label="least squares")
    line = ax.plot([], [], **line_style(2.2))[0]
    return MovingLine(ax, line, run.points[frames])


def _distance(run: Run, objective: Objective, values: Floats) -> tuple[str, Floats]:
    """Squared distance to the nearest minimiser; the objective where there is none."""
    minimisers = objective.minimisers.reshape(-1, 1, 2)
    if not len(minimisers):
        return "f({}, {})".format(*objective.parameters), values
    with np.errstate(over="ignore", invalid="ignore"):
        away = ((run.points - minimisers) ** 2).sum(axis=-1).min(axis=0)
    if len(minimisers) > 1:
        return "squared distance to the nearest minimum", away
    x, y = minimisers[0, 0]
    return f"squared distance to ({_coordinate(x)}, {_coordinate(y)})", away


def _against_step(
    ax: Axes, run: Run, values: Floats, label: str, frames: NDArray[np.int64]
) -> list[Moving]:
    """Draw a curve against the step; the start, which a log axis lacks, on its edge."""
    shown = np.where(np.isfinite(values), values, np.nan)
    positive = shown[shown > 0]
    is_log = bool(np.nanmin(shown, initial=np.inf) >= 0 and positive.size)
    if is_log:
        shown = np.where(shown > 0, shown, np.nan)
        ends = float(positive.min()), float(positive.max())
        room = max(ends[1] / ends[0], 2.0) ** 0.06
        ax.set(yscale="log", ylim=(ends[0] / room, ends[1] * room))
    elif np.isfinite(shown).any():
        low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
        room = 0.06 * (high - low) or 1.0
        ax.set(ylim=(low - room, high + room))
    last = max(run.n_steps, 10)
    ax.set(xscale="log", xlim=(1, last ** 1.02), xlabel="step", ylabel=label)
    ax.grid(color="#d0d0d0", linewidth=0.8)
    ax.grid(which="minor", color="#ececec", linewidth=0.5)
    ax.set_axisbelow(True)
    start = ax.plot(
        [0], shown[:1], transform=ax.get_yaxis_transform(), clip_on=False, **START
    )
    steps = np.where(run.steps > 0, run.steps, np.nan).astype(np.float64)
    return [MovingCurve(ax, steps, shown, frames), Pinned(start)]


def _floor(ax: Axes, objective: Objective) -> None:
    if objective.f_min:
        ax.axhline(objective.f_min, color="black", linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)


def _legend(figure: Figure) -> None:
    """Explain the marks, in a row below everything."""
    path = Line2D([], [], **line_style(1.8))
    dots = Line2D([], [], **DOTS)
    start, star = Line2D([], [], **START), Line2D([], [], **STAR)
    figure.legend(
        handles=[start, star, (path, dots), Line2D([], [], **HEAD)],
        labels=["start", "minimum", "path, with its updates", "last step"],
        handler_map={tuple: HandlerTuple(ndivide=1)},
        loc="outside lower center",
        ncols=4,
        frameon=False,
    )
