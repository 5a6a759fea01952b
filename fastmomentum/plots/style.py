"""The house style: sizes, colours, marks, and how numbers are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib import colormaps, rcParams
from matplotlib.colors import Colormap, ListedColormap, to_rgb

STYLE: Final[dict[Any, Any]] = {
    "font.size": 12,
    "axes.titlesize": 13,
    "figure.titlesize": 15,
    "legend.fontsize": 11.5,
    "legend.framealpha": 1.0,
    "savefig.dpi": 200,
    # Without chunks Agg refuses a long zigzag; with a fixed salt the same picture is the same file.
    "agg.path.chunksize": 10_000,
    "svg.hashsalt": "fastmomentum",
}

# Okabe and Ito's colours, those that stand out from viridis first.
COLOURS: Final = ("#D55E00", "#56B4E9", "#000000", "#E69F00", "#CC79A7", "#0072B2", "#F0E442")
COLOURS_ON_DARK: Final = tuple("#FFFFFF" if c == "#000000" else c for c in COLOURS)
LINES: Final = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)), (0, (6, 1.5, 1.5, 1.5)))
MARKERS: Final = ("s", "^", "D", "v", "P", "X", "p", "h")
DIVERGED, NEVER, NOT_RUN = "#d0d0d0", "#8c8c8c", "#ffffff"
CONVERGED: Final = "#56B4E9"
"""Colour of cells that converged, where there is no number to colour them by."""


STAR: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "*", "markersize": 15, "markerfacecolor": "white",
    "markeredgecolor": "black", "markeredgewidth": 1.2, "label": "minimum", "zorder": 6,
}  # fmt: skip
MANY: Final = "one of many minima"
"""Of a valley's floor: what its star is, and what distances are from."""

START: Final[dict[str, Any]] = {
    "linestyle": "none", "marker": "o", "markersize": 10, "markerfacecolor": "white",
    "markeredgecolor": "black", "markeredgewidth": 1.6, "label": "start", "zorder": 5,
}  # fmt: skip
DASHED: Final[dict[str, Any]] = {
    "linewidth": 1.2, "linestyle": (0, (5, 3)), "zorder": 2.4,
}  # fmt: skip


def is_dark(colour: Any) -> bool:
    """Whether a background is dark, so that marks on it must be light.

    Examples
    --------
    >>> is_dark("black"), is_dark("#f0f0f0")
    (True, False)
    """
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) < 0.5


def legend_ground() -> Any:
    """Colour behind the legends of the style that is drawn in."""
    face = rcParams["legend.facecolor"]
    return rcParams["axes.facecolor"] if face == "inherit" else face


def ink(ground: Any) -> str:
    """Colour of lines and letters on a background, in any style."""
    return "white" if is_dark(ground) else "black"


def colours_on(ground: Any) -> Sequence[str]:
    """Colours of lines that all stand out from a background."""
    return COLOURS_ON_DARK if is_dark(ground) else COLOURS


def grid_colour(ground: Any) -> str:
    """Colour of a grid's lines on a background: visible, and no more."""
    return "#3c3c3c" if is_dark(ground) else "#d0d0d0"


def field_map() -> Colormap:
    """Viridis mixed with white: its order of lightness stays, and paths stand out from it."""
    colours = colormaps["viridis"](np.linspace(0.0, 1.0, 256))
    colours[:, :3] = 0.7 * colours[:, :3] + 0.3
    return ListedColormap(colours, "light viridis")


def number(value: float) -> str:
    """Write a number for a legend: 0.9, 5000, or 1.5 x 10^-5 as mathtext."""
    text = f"{value:.0f}" if 1e3 <= abs(value) < 1e4 else f"{value:.3g}"
    if "e" not in text:
        return text.replace("-", "\N{MINUS SIGN}")
    digits, power = text.split("e")
    sign, times = "-" if digits == "-1" else "", rf"{digits}\times"
    return f"${sign if digits in ('1', '-1') else times}10^{{{int(power)}}}$"


def counted(steps: int) -> str:
    """Write a number of steps."""
    return "1 step" if steps == 1 else f"{steps:,} steps"


def point(values: Sequence[float]) -> str:
    """Write a point: coordinates of few digits as they are, others with four decimals.

    Examples
    --------
    >>> point((1.0, 0.950190))
    '(1, 0.9502)'
    """
    x, y = (_coordinate(float(value)) for value in values)
    return f"({x}, {y})"


def _coordinate(value: float) -> str:
    short = f"{value:g}"
    if not abs(value) < 1e4 or "e" in short:
        return number(value)
    return (short if len(short) < 7 else f"{value:.4f}").replace("-", "\N{MINUS SIGN}")
