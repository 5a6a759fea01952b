"""The three drawings of a page: the map, the contours with the path, and the loss."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from bokeh.models import (
    BoxZoomTool,
    ColorBar,
    ColumnDataSource,
    CustomJSTickFormatter,
    LinearColorMapper,
    LogColorMapper,
    NumeralTickFormatter,
    PanTool,
    Range1d,
    Span,
    WheelZoomTool,
)
from bokeh.plotting import contour, figure
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from fastmomentum.errors import InputError
from fastmomentum.explorer.axes import SPACINGS, limits_of
from fastmomentum.explorer.paths import Path
from fastmomentum.explorer.plane import PALETTE, STEPS, Cell, Plane
from fastmomentum.explorer.view import View
from fastmomentum.plots.boundaries import TheoryLines, theory_lines
from fastmomentum.plots.fields import Field, sample
from fastmomentum.plots.geometry import Window
from fastmomentum.plots.style import COLOURS, field_map
from fastmomentum.text import shown

SAMPLES: Final = 201
"""Of an objective along an axis of the contours."""

FIELD_PALETTE: Final = [to_hex(colour) for colour in field_map()(np.linspace(0, 1, 256))]
PATH: Final = COLOURS[0]
AXIS_WORDS: Final = {"lr": "learning rate"}

SHORT_NUMBERS: Final = """
let digits = 1;
while (digits < 17 && new Set(ticks.map((t) => t.toPrecision(digits))).size < ticks.length) { digits++; }
const whole = String(Number(tick.toPrecision(Math.max(digits, 2)))).replace("-", "\u2212");
if (digits < 7 || index === 0) { return whole.replace("e\u2212", "e-"); }
return "+" + Number((tick - ticks[0]).toPrecision(3));
"""
"""As many digits as tell ticks apart; where those are many, what each lies above the first."""


class Figures:
    """The drawings of a page, with their sources of data.

    Parameters
    ----------
    view : View
        Its axes decide whether the map has a log scale.

    Attributes
    ----------
    map, contours, loss : bokeh.plotting.figure
        The drawings.
    """

    def __init__(self, view: View) -> None:
        self.cells = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.steps = ColumnDataSource({"steps": [], "status": [], "x": [], "y": []})
        self.marks = {n: ColumnDataSource({"x": [], "y": []}) for n in ("cell", "star", "best")}
        self.lines = {n: ColumnDataSource({"x": [], "y": []}) for n in ("stable", "oscillating")}
        self.field = ColumnDataSource({"image": [], "x": [], "y": [], "dw": [], "dh": []})
        self.levels = ColumnDataSource({"xs": [], "ys": []})
        self.path = ColumnDataSource({"x": [], "y": []})
        self.curve = ColumnDataSource({"x": [], "y": []})
        self.points = {n: ColumnDataSource({"x": [], "y": []}) for n in ("start", "end", "minima")}
        self.map = self._map(view)
        self.contours = self._contours()
        self.loss = self._loss()
        self.show_window(view)

    def _map(self, view: View) -> figure:
        scale = "log" if view.x == "lr" else "linear"
        made = _figure("map", x_axis_type=scale, x_range=Range1d(), y_range=Range1d())
        self.wheel = WheelZoomTool(zoom_on_axis=False)
        self.box, self.pan = BoxZoomTool(), PanTool()
        made.add_tools(self.wheel, self.box, self.pan)
        made.toolbar.active_scroll = self.wheel
        made.toolbar.active_drag = None
        mapper = LinearColorMapper(PALETTE, low=-0.5, high=len(PALETTE) - 0.5)
        made.image("image", "x", "y", "dw", "dh", source=self.cells, color_mapper=mapper)
        for name, dash in (("stable", "solid"), ("oscillating", "dashed")):
            made.line("x", "y", source=self.lines[name], line_width=4, color="white", alpha=0.8)
            made.line(
                "x", "y", source=self.lines[name], line_width=2, color="black", line_dash=dash
            )
        made.scatter(
            "x", "y", source=self.marks["best"], marker="diamond", size=15,
            fill_color=PATH, line_color="white", line_width=1.5,
        )  # fmt: skip
        made.scatter(
            "x", "y", source=self.marks["star"], marker="star", size=18,
            fill_color="white", line_color="black", line_width=1.2,
        )  # fmt: skip
        for width, colour in ((5, "white"), (2.5, PATH)):
            made.scatter(
                "x", "y", source=self.marks["cell"], marker="circle", size=15,
                fill_color=None, line_color=colour, line_width=width,
            )  # fmt: skip
        self.colours = LogColorMapper(STEPS, low=1, high=10 * view.steps)
        self.bar = ColorBar(
            color_mapper=self.colours, width=12, formatter=NumeralTickFormatter(format="0,0"),
            title="steps", background_fill_alpha=0.0, margin=0, padding=6, title_standoff=6,
        )  # fmt: skip
        made.add_layout(self.bar, "right")
        made.xaxis.formatter = CustomJSTickFormatter(code=SHORT_NUMBERS)
        made.yaxis.formatter = CustomJSTickFormatter(code=SHORT_NUMBERS)
        made.xaxis.axis_label = AXIS_WORDS.get(view.x, words_of(view.x))
        made.yaxis.axis_label = AXIS_WORDS.get(view.y, words_of(view.y))
        return made

    def _contours(self) -> figure:
        made = _figure("contours", x_range=Range1d(), y_range=Range1d())
        self.field_wheel = WheelZoomTool(zoom_on_axis=False)
        made.add_tools(self.field_wheel)
        made.toolbar.active_scroll = self.field_wheel
        mapper = LinearColorMapper(FIELD_PALETTE, low=0, high=255)
        made.image("image", "x", "y", "dw", "dh", source=self.field, color_mapper=mapper)
        made.multi_line("xs", "ys", source=self.levels, color="black", alpha=0.4, line_width=0.7)
        made.line("x", "y", source=self.path, line_width=4, color="white", line_join="round")
        made.line("x", "y", source=self.path, line_width=2, color=PATH, line_join="round")
        made.scatter("x", "y", source=self.path, size=3, color="black")
        made.scatter(
            "x", "y", source=self.points["minima"], marker="star", size=16,
            fill_color="white", line_color="black", line_width=1.2,
        )  # fmt: skip
        made.scatter(
            "x", "y", source=self.points["end"], size=11, fill_color=PATH, line_color="white",
            line_width=1.5,
        )  # fmt: skip
        made.scatter(
            "x", "y", source=self.points["start"], size=15, fill_color="white",
            line_color="black", line_width=2,
        )  # fmt: skip
        return made

    def _loss(self) -> figure:
        made = _figure("loss", y_axis_type="log")
        made.line("x", "y", source=self.curve, line_width=2, color=PATH)
        self.target = Span(dimension="width", line_dash="dashed", line_color="#777777")
        made.add_layout(self.target)
        made.xaxis.axis_label, made.yaxis.axis_label = "update", "f \N{MINUS SIGN} minimum"
        made.xaxis.formatter = NumeralTickFormatter(format="0,0")
        return made

    @property
    def all(self) -> dict[str, figure]:
        """The drawings by name."""
        return {"map": self.map, "contours": self.contours, "loss": self.loss}

    def show_window(self, view: View) -> None:
        """Set the ranges of the map."""
        for name, axis in ((view.x, self.map.x_range), (view.y, self.map.y_range)):
            low, high = view.windows[name]
            if (axis.start, axis.end) != (low, high):
                axis.update(start=low, end=high)

    def show_plane(self, plane: Plane, view: View) -> None:
        """Draw a map in its window."""
        (left, right), (low, high) = view.windows[view.x], view.windows[view.y]
        place = {"x": [left], "y": [low], "dw": [right - left], "dh": [high - low]}
        self.cells.data = {"image": [plane.codes], **place}
        limits = plane.limits
        self.bar.visible = limits is not None
        if limits is not None:
            self.colours.update(low=limits[0], high=limits[1])
        self.marks["star"].data = {"x": [], "y": []}

    def show_details(
        self,
        plane: Plane,
        fastest: tuple[Cell, int] | None,
        theory: TheoryLines | None,
        view: View,
    ) -> None:
        """Draw what is found out after the fine map: steps to point at, the fastest, theory."""
        self.steps.data = {
            "steps": [np.ascontiguousarray(plane.steps.T)],
            "status": [np.ascontiguousarray(plane.status.T)],
            "x": [plane.at_x],
            "y": [plane.at_y],
        }
        self.marks["star"].data = _spots([] if fastest is None else [fastest[0]])
        drawn = theory or TheoryLines(None, None, None)
        for name, line in (("stable", drawn.stability), ("oscillating", drawn.oscillation)):
            x, y = ([], []) if line is None else (line.get_xdata(), line.get_ydata())
            self.lines[name].data = {"x": np.asarray(x, float), "y": np.asarray(y, float)}
        for name, axis in ((view.x, self.map.x_range), (view.y, self.map.y_range)):
            low, high = view.windows[name]
            limits = limits_of(name, view.rule)
            axis.update(bounds=limits, min_interval=SPACINGS * math.ulp(max(abs(low), abs(high))))
        self.map.xaxis.axis_label = AXIS_WORDS.get(view.x, words_of(view.x))
        self.map.yaxis.axis_label = AXIS_WORDS.get(view.y, words_of(view.y))
        best = drawn.optimum
        self.marks["best"].data = _spots(
            [] if best is None else [(float(best.get_xdata()[0]), float(best.get_ydata()[0]))]
        )

    def show_path(self, path: Path | None, view: View) -> None:
        """Draw the run of a cell over the contours, and its loss."""
        self.points["start"].data = _spots([view.start if path is None else path.run.start])
        if path is None:
            for source in (self.path, self.curve, self.points["end"], self.marks["cell"]):
                source.data = {"x": [], "y": []}
            return
        points = path.run.points
        shown = np.isfinite(points).all(axis=1) & (np.abs(points) < 1e12).all(axis=1)
        self.path.data = {"x": points[shown, 0], "y": points[shown, 1]}
        self.points["end"].data = _spots([tuple(points[shown][-1])] if shown.any() else [])
        self.marks["cell"].data = _spots([path.cell])
        loss = np.where(np.isfinite(path.excess) & (path.excess > 0), path.excess, np.nan)
        self.curve.data = {"x": path.run.steps, "y": loss}
        has_minimum = view.objective.f_min is not None
        self.loss.yaxis.axis_label = "f \N{MINUS SIGN} minimum" if has_minimum else "f"
        self.target.update(location=view.target or 0, visible=view.target is not None)

    @staticmethod
    def field_data(view: View, window: Window) -> dict[str, dict[str, Any]]:
        """Contours of the objective in a window: image, lines and minima."""
        (left, right), (low, high) = window
        field = sample(view.objective, window, SAMPLES)
        minima = view.objective.minimisers.reshape(-1, 2)
        return {
            "field": {
                "image": [_levelled(field)], "x": [left], "y": [low], "dw": [right - left],
                "dh": [high - low],
            },
            "levels": _contour_lines(field),
            "minima": _spots(list(map(tuple, minima.tolist()))),
        }  # fmt: skip

    def show_field(
        self, view: View, window: Window, data: dict[str, dict[str, Any]], moves: bool
    ) -> None:
        """Draw the contours, and go there if asked."""
        objective = view.objective
        (left, right), (low, high) = window
        self.field.data, self.levels.data = data["field"], data["levels"]
        self.points["minima"].data = data["minima"]
        if moves:
            self.contours.x_range.update(start=left, end=right)
            self.contours.y_range.update(start=low, end=high)
        self.contours.xaxis.axis_label, self.contours.yaxis.axis_label = objective.parameters


def words_of(name: str) -> str:
    """An axis of a map in words.

    Examples
    --------
    >>> words_of("objective_b"), words_of("start_x"), words_of("nu")
    ('b', 'start x', 'nu')
    """
    return name.removeprefix("objective_").replace("_", " ")


def theory_of(view: View) -> TheoryLines | None:
    """What theory says at the first minimiser, within the window; None where it says nothing."""
    if not view.theory or (view.x, view.y) != ("lr", "momentum") or "schedule" in view.others:
        return None
    ax: Axes = Figure().add_subplot(xlim=view.windows["lr"], ylim=view.windows["momentum"])
    try:
        return theory_lines(ax, view.objective, view.rule)
    except InputError:
        return None


def theory_words(drawn: TheoryLines | None, view: View) -> list[tuple[str, str]]:
    """Entries of the legend for the lines that are in the window: a kind, and what it means."""
    if drawn is None:
        return []
    kinds = {id(drawn.stability): "solid", id(drawn.oscillation): "dashed"}
    found = []
    for line in drawn.seen:
        if line is drawn.optimum:
            lr, momentum = float(line.get_xdata()[0]), float(line.get_ydata()[0])
            words = f"best in theory: lr {shown(float(f'{lr:.4g}'))}, momentum {momentum:.4g}"
            found.append(("diamond", words))
        else:
            found.append((kinds[id(line)], str(line.get_label())))
    return found


def _figure(name: str, **options: Any) -> figure:
    made = figure(
        name=name, sizing_mode="stretch_both", toolbar_location=None, tools="", min_border=8,
        min_width=120, min_height=80, outline_line_color="#888888", **options,
    )  # fmt: skip
    made.grid.visible = name == "loss"
    made.grid.grid_line_alpha = 0.3
    return made


def _spots(places: list[Any] | list[Cell]) -> dict[str, list[float]]:
    return {"x": [float(x) for x, _ in places], "y": [float(y) for _, y in places]}


def _levelled(field: Field) -> Any:
    """The field as bytes: its colours change at its levels, as those of a picture do."""
    values = np.where(np.isfinite(field.values), field.values, field.levels[-1])
    band = np.searchsorted(field.levels, values).clip(1, len(field.levels)) - 1
    return (band * (255 / max(len(field.levels) - 1, 1))).astype(np.uint8)


def _contour_lines(field: Field) -> dict[str, Any]:
    finite = np.where(np.isfinite(field.values), field.values, np.nan)
    lines = contour.contour_data(field.x, field.y, finite, field.lines, want_fill=False)
    assert lines.line_data is not None
    xs = [part for level in lines.line_data.xs for part in _parts(level)]
    ys = [part for level in lines.line_data.ys for part in _parts(level)]
    return {"xs": xs, "ys": ys}


def _parts(line: Any) -> list[Any]:
    """Contours of one level come as one row with NaN between them."""
    line = np.asarray(line, float)
    cuts = np.flatnonzero(np.isnan(line))
    return [part[~np.isnan(part)] for part in np.split(line, cuts)]
