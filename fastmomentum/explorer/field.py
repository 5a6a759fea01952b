"""Contours of the objective, for the drawing with the path."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from bokeh.plotting import contour

from fastmomentum.explorer.view import View
from fastmomentum.plots.fields import Field, sample
from fastmomentum.plots.geometry import Window

SAMPLES: Final = 201
"""Samples of the objective along each axis."""


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
        "minima": spots(list(map(tuple, minima.tolist()))),
    }  # fmt: skip


def spots(places: list[Any]) -> dict[str, list[float]]:
    """Points as the data of a `ColumnDataSource`."""
    return {"x": [float(x) for x, _ in places], "y": [float(y) for _, y in places]}


def _levelled(field: Field) -> Any:
    """The field as indices of colours, which change at the contour levels."""
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
    """Split the contours of one level, which come in one row with NaN between them."""
    line = np.asarray(line, float)
    cuts = np.flatnonzero(np.isnan(line))
    return [part[~np.isnan(part)] for part in np.split(line, cuts)]
