"""The three drawings of a page: the map, the contours with the path, and the loss."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from bokeh.models import (
    BasicTicker,
    BoxZoomTool,
    ColumnDataSource,
    CustomJSTickFormatter,
    LinearColorMapper,
    NumeralTickFormatter,
    PanTool,
    Range1d,
    Span,
    WheelZoomTool,
)
from bokeh.plotting import figure
from matplotlib.colors import to_hex

from fastmomentum.explorer.axes import SPACINGS, limits_of
from fastmomentum.explorer.field import spots
from fastmomentum.explorer.paths import Path
from fastmomentum.explorer.plane import Plane
from fastmomentum.explorer.theory import Theory, points_of, words_of
from fastmomentum.explorer.view import Cell, View
from fastmomentum.plots.boundaries import TheoryLines
from fastmomentum.plots.style import COLOURS, field_map

FIELD_PALETTE: Final = [to_hex(colour) for colour in field_map()(np.linspace(0, 1, 256))]
PATH: Final = COLOURS[0]
MARGINS: Final = {"left": 66, "bottom": 50, "right": 20, "top": 8}
"""Pixels around a drawing, enough for any tick labels, so that the frame keeps its size."""

SHORT_NUMBERS: Final = """
let digits = 1;
const apart = () => new Set(ticks.map((t) => t.toPrecision(digits))).size === ticks.length;
while (digits < 17 && !apart()) { digits++; }
const whole = String(Number(tick.toPrecision(Math.max(digits, 2)))).replace("-", "\u2212");
if (digits < 7 || index === 0) { return whole.replace("e\u2212", "e-"); }
return "+" + Number((tick - ticks[0]).toPrecision(3));
"""
"""As few digits as tell ticks apart; if those are many, each tick's distance from the first."""


class Figures:
    """The drawings of a page and their data sources.

    Parameters
    ----------
    view : View
        Its horizontal axis decides whether the map has a log scale.

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
        self.cycles = ColumnDataSource({"xs": [], "ys": []})
        self.path = ColumnDataSource({"x": [], "y": []})
        self.curve = ColumnDataSource({"x": [], "y": []})
        self.points = {n: ColumnDataSource({"x": [], "y": []}) for n in ("start", "end", "minima")}
        self.map = self._map(view)
        self.contours = self._contours()
        self.loss = self._loss()

    def _map(self, view: View) -> figure:
        scale = "log" if view.x == "lr" else "linear"
        x_range, y_range = (Range1d(*view.windows[name]) for name in (view.x, view.y))
        made = _figure("map", x_axis_type=scale, x_range=x_range, y_range=y_range)
        self.wheel = WheelZoomTool(zoom_on_axis=False)
        self.box, self.pan = BoxZoomTool(), PanTool()
        made.add_tools(self.wheel, self.box, self.pan)
        made.toolbar.active_scroll = self.wheel
        made.toolbar.active_drag = None
        made.patches(
            "xs", "ys", source=self.cycles, fill_color=None, line_color=None,
            hatch_pattern="right_diagonal_line", hatch_color="black", hatch_alpha=0.7,
        )  # fmt: skip
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
        made.xaxis.formatter = CustomJSTickFormatter(code=SHORT_NUMBERS)
        made.yaxis.formatter = CustomJSTickFormatter(code=SHORT_NUMBERS)
        _name_axes(made, view)
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
        made.xaxis.ticker = BasicTicker(min_interval=1)
        return made

    @property
    def all(self) -> dict[str, figure]:
        """The drawings by name."""
        return {"map": self.map, "contours": self.contours, "loss": self.loss}

    def show_plane(self, plane: Plane, view: View) -> None:
        """Draw a map in its window."""
        (left, right), (low, high) = view.windows[view.x], view.windows[view.y]
        place = {"x": [left], "y": [low], "dw": [right - left], "dh": [high - low]}
        self.cells.data = {"image": [plane.codes], **place}

    def show_details(
        self,
        plane: Plane,
        fastest: tuple[Cell, int] | None,
        theory: Theory,
        view: View,
    ) -> None:
        """Draw what follows the fine map: numbers under the pointer, fastest cell, theory."""
        self.steps.data = {
            "steps": [np.ascontiguousarray(plane.steps.T)],
            "status": [np.ascontiguousarray(plane.status.T)],
            "x": [plane.at_x],
            "y": [plane.at_y],
        }
        self.marks["star"].data = spots([] if fastest is None else [fastest[0]])
        drawn = theory.lines or TheoryLines(None, None, None)
        self.cycles.data = {
            "xs": [one[:, 0] for one in theory.cycles],
            "ys": [one[:, 1] for one in theory.cycles],
        }
        for name, line in (("stable", drawn.stability), ("oscillating", drawn.oscillation)):
            x, y = points_of(line).T
            self.lines[name].data = {"x": x, "y": y}
        for name, axis in ((view.x, self.map.x_range), (view.y, self.map.y_range)):
            low, high = view.windows[name]
            limits = limits_of(name, view.rule)
            axis.update(bounds=limits, min_interval=SPACINGS * math.ulp(max(abs(low), abs(high))))
        _name_axes(self.map, view)
        self.marks["best"].data = spots(points_of(drawn.optimum).tolist())

    def show_path(self, path: Path | None, view: View) -> None:
        """Draw the path of a run over the contours, and its loss."""
        self.points["start"].data = spots([view.start if path is None else path.run.start])
        if path is None:
            for source in (self.path, self.curve, self.points["end"], self.marks["cell"]):
                source.data = {"x": [], "y": []}
            return
        points = path.run.points
        shown = np.isfinite(points).all(axis=1) & (np.abs(points) < 1e12).all(axis=1)
        self.path.data = {"x": points[shown, 0], "y": points[shown, 1]}
        self.points["end"].data = spots([tuple(points[shown][-1])] if shown.any() else [])
        self.marks["cell"].data = spots([path.cell])
        loss = np.where(np.isfinite(path.excess) & (path.excess > 0), path.excess, np.nan)
        self.curve.data = {"x": path.run.steps, "y": loss}
        has_minimum = view.objective.f_min is not None
        self.loss.yaxis.axis_label = "f \N{MINUS SIGN} minimum" if has_minimum else "f"
        self.target.update(location=view.target or 0, visible=view.target is not None)

    def show_field(self, view: View, data: dict[str, dict[str, Any]]) -> None:
        """Draw the contours."""
        self.field.data, self.levels.data = data["field"], data["levels"]
        self.points["minima"].data = data["minima"]
        self.contours.xaxis.axis_label, self.contours.yaxis.axis_label = view.objective.parameters


def _name_axes(made: figure, view: View) -> None:
    made.xaxis.axis_label = words_of(view.x)
    made.yaxis.axis_label = words_of(view.y)


def _figure(name: str, **options: Any) -> figure:
    margins = {f"min_border_{side}": pixels for side, pixels in MARGINS.items()}
    made = figure(
        name=name, sizing_mode="stretch_both", toolbar_location=None, tools="",
        min_width=120, min_height=80, outline_line_color="#888888", border_fill_color=None,
        background_fill_color=None, **margins, **options,
    )  # fmt: skip
    made.grid.visible = name == "loss"
    made.grid.grid_line_color, made.grid.grid_line_alpha = "#888888", 0.2
    return made
