"""A whole figure: its size, its title, and what is said of it."""

from __future__ import annotations

import io
import unicodedata
from contextlib import AbstractContextManager
from pathlib import Path
from textwrap import fill
from typing import Any, Final, Literal

import matplotlib
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from fastmomentum.errors import InputError
from fastmomentum.plots.fonts import give_fonts
from fastmomentum.results.dataset import experiment_of

Size = tuple[float, float]
"""Width and height of a figure in inches."""

Style = str | Path
"""A name that matplotlib knows, or a style file."""

TitleSize = Literal["figure.titlesize", "axes.titlesize"]
"""Settings of a style that say how large titles are."""

SMALLEST, LARGEST = 2.0, 60.0

LETTER: Final = 0.64
"""Width of a letter, with some room, as a part of its font's size."""

BESIDE: Final = 0.85
"""Part of the width that is left to the lines above axes, where a bar is beside them."""


class Page(Figure):
    """A figure that a notebook shows where it is the value of a cell, without pyplot.

    Attributes
    ----------
    said : list of str
        Lines about what was drawn, such as the cells that were chosen.
    notes : list of str
        What the picture says of what is not in it.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.said: list[str] = []
        self.notes: list[str] = []
        # It is saved in the style that it was made in, wherever that is done.
        self._look = {k: v for k, v in matplotlib.rcParams.items() if not k.startswith("backend")}

    def in_its_style(self) -> AbstractContextManager[None]:
        """Give a context in which the style is the one that the page was made in."""
        return matplotlib.rc_context(self._look)

    def savefig(self, *args: Any, **options: Any) -> None:
        """Save, as every Figure does, in the style that the page was made in."""
        with self.in_its_style():
            super().savefig(*args, **options)

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        FigureCanvasAgg(self)
        self.savefig(file, format="png", dpi=100)
        return file.getvalue()


def new_page(settings: dict[Any, Any], size: Size | None, usual: Size) -> Page:
    """Make an empty page.

    Parameters
    ----------
    settings : dict
        What the style sets itself, from `drawn_in`.
    size : (float, float), optional
        Inches; without, those of the style, else the usual ones.
    usual : (float, float)
        Inches that suit the picture.

    Raises
    ------
    InputError
        The size makes no sense.
    """
    if size is not None and not all(SMALLEST <= side <= LARGEST for side in size):
        wide, high = size
        raise InputError(
            f"size must be from {SMALLEST:g} to {LARGEST:g} inches along each side: "
            f"got {wide:g} x {high:g}"
        )
    return Page(figsize=inches_of(settings, size, usual), layout="constrained")


def inches_of(settings: dict[Any, Any], size: Size | None, usual: Size) -> Size:
    """Choose a size: the one asked for, that of the style, or the usual one."""
    wide, high = size or settings.get("figure.figsize", usual)
    return float(wide), float(high)


def finished(page: Page) -> Page:
    """Give all texts of a complete page fonts that have their letters."""
    with page.in_its_style():
        give_fonts(page)
    return page


def entitle(page: Page, ds: xr.Dataset, title: str | None, *more: str) -> None:
    """Write the title above a page, and lines below it."""
    first = wrapped(page, title_of(ds, title), "figure.titlesize")
    rest = (wrapped(page, line, "figure.titlesize") for line in more)
    page.suptitle("\n".join([first, *rest]), parse_math=False)


def title_of(ds: xr.Dataset, title: str | None = None) -> str:
    """Name what is shown: as asked, else the experiment's title, else its objective."""
    if title is not None:
        return title
    return str(ds.attrs.get("title") or experiment_of(ds).objective.words)


def lines_of(page: Page, *said: str, panels: int = 1) -> str:
    """Put what is said into lines that fit above axes, of which so many stand beside each other."""
    lines = (wrapped(page, line, "axes.titlesize", BESIDE / panels) for line in said if line)
    return "\n".join(lines)


def wrapped(page: Page, text: str, size: TitleSize, part: float = 1.0) -> str:
    """Cut lines to the width of a page: matplotlib's own wrapping makes no room for more of them.

    Parameters
    ----------
    page : Page
        Where they will stand.
    text : str
        One line, or several.
    size : {"figure.titlesize", "axes.titlesize"}
        The setting of their font's size.
    part : float
        Of the page's width.
    """
    points = FontProperties(size=matplotlib.rcParams[size]).get_size_in_points()
    letters = part * page.get_figwidth() * 72.0 / (LETTER * points)
    rows = []
    for row in text.split("\n"):
        wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in row)
        fit = int(letters / (1.0 + 0.7 * wide / max(len(row), 1)))
        rows.append(fill(row, max(fit, 8), break_long_words=wide > 0 or " " not in row))
    return "\n".join(rows)
