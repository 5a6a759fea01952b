"""A whole figure: its size, its title, and what is said of it."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from contextlib import AbstractContextManager
from pathlib import Path
from textwrap import fill
from typing import Any, Final, Literal

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine

from fastmomentum.errors import InputError
from fastmomentum.plots.casing import scale_marks
from fastmomentum.plots.fonts import give_fonts
from fastmomentum.plots.styles import SCALED
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.labelled import Labelled

Size = tuple[float, float]
"""Width and height of a figure in inches."""

Style = str | Path
"""A name that matplotlib knows, or a style file."""

TitleSize = Literal["figure.titlesize", "axes.titlesize"]
"""Settings of a style that say how large titles are."""

SMALLEST, LARGEST = 2.0, 60.0

SMALLEST_LETTERS: Final = 0.4
"""Least size of letters as a fraction of the usual one, however small the page."""

LETTER: Final = 0.64
"""Width of a letter, with some room, as a part of its font's size."""

BESIDE: Final = 0.85
"""Part of the width that is left to the lines above axes, where a bar is beside them."""


UNBROKEN: Final = re.compile(r"\$[^$]*\$|\([^() ]+, [^() ]+\)|\b[\d,]+ x [\d,]+\b")
"""Powers of ten, points, and sizes such as 3 x 3: a line does not end within one."""

HELD: Final = "\ue000"
"""Stands for each letter of those while lines are broken."""


class Page(Figure):
    """A figure that a notebook shows where it is the value of a cell, without pyplot.

    Attributes
    ----------
    said : list of str
        Lines about what was drawn, such as the cells that were chosen.
    notes : list of str
        What the picture says of what is not in it.
    shrink : float
        Size of its letters and marks, as a part of the usual; below 1 where it was asked to be
        small.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.said: list[str] = []
        self.notes: list[str] = []
        self.shrink = 1.0
        self._is_saved = False
        # It is saved in the style that it was made in, wherever that is done. Whoever reads the
        # backend makes matplotlib choose one, which loads pyplot.
        names = (name for name in matplotlib.rcParams if not name.startswith("backend"))
        self._look = {name: matplotlib.rcParams[name] for name in names}

    def in_its_style(self) -> AbstractContextManager[None]:
        """Give a context in which the style is the one that the page was made in."""
        return matplotlib.rc_context(self._look)

    def draw(self, renderer: Any) -> None:
        """Draw, if there is room for it.

        Raises
        ------
        InputError
            The size is too small for axes to be seen.
        """
        engine = self.get_layout_engine()
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "constrained_layout not applied")
            try:
                if self._is_saved and isinstance(engine, ConstrainedLayoutEngine):
                    # For the layout alone, matplotlib would draw everything to nowhere first.
                    engine.execute(self)
                    return
                super().draw(renderer)
            except UserWarning as warning:
                if not str(warning).startswith("constrained_layout"):
                    raise
                wide, high = self.get_size_inches()
                raise InputError(
                    f"{wide:g} x {high:g} inches leave no room for this picture's axes beside its "
                    "titles and legends; choose a larger size"
                ) from None

    def savefig(self, *args: Any, **options: Any) -> None:
        """Save, as every Figure does, in the style that the page was made in."""
        self._is_saved = True
        try:
            with self.in_its_style():
                super().savefig(*args, **options)
        finally:
            self._is_saved = False

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        FigureCanvasAgg(self)
        self.savefig(file, format="png", dpi=100)
        return file.getvalue()


def new_page(settings: dict[Any, Any], size: Size | None, usual: Size) -> Page:
    """Make an empty page, in a style's context.

    Letters are smaller on a page that is asked to be smaller than usual, unless the style says how
    large they are.

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
    shrink = 1.0
    if size is not None and "font.size" not in settings:
        fit = min(a / b for a, b in zip(size, usual, strict=True))
        shrink = min(max(fit, SMALLEST_LETTERS), 1.0)
        for name in ("font.size", "hatch.linewidth", *SCALED):
            if name not in settings:
                matplotlib.rcParams[name] *= shrink
    page = Page(figsize=inches_of(settings, size, usual), layout="constrained")
    page.shrink = shrink
    return page


def inches_of(settings: dict[Any, Any], size: Size | None, usual: Size) -> Size:
    """Choose a size: the one asked for, that of the style, or the usual one."""
    wide, high = size or settings.get("figure.figsize", usual)
    return float(wide), float(high)


def finished(page: Page) -> Page:
    """Give all texts of a complete page fonts that have their letters, and its marks their size."""
    with page.in_its_style():
        give_fonts(page)
        scale_marks(page, page.shrink)
    return page


def entitle(page: Page, ds: Labelled, title: str | None, *more: str) -> None:
    """Write the title above a page, and lines below it."""
    first = wrapped(page, title_of(ds, title), "figure.titlesize")
    rest = (wrapped(page, line, "figure.titlesize") for line in more)
    page.suptitle("\n".join([first, *rest]), parse_math=False)


def title_of(ds: Labelled, title: str | None = None) -> str:
    """Name what is shown: as asked, else the experiment's title, else its objective."""
    if title is not None:
        return title
    return str(ds.attrs.get("title") or experiment_of(ds).objective.words)


def lines_of(page: Page, *said: str, panels: int = 1) -> str:
    """Break text into lines that fit above axes, of which there are so many side by side."""
    lines = (wrapped(page, line, "axes.titlesize", BESIDE / panels) for line in said if line)
    return "\n".join(lines)


def wrapped(page: Page, text: str, size: TitleSize, part: float = 1.0) -> str:
    """Break lines to fit a page: matplotlib's own wrapping reserves no room for the extra lines.

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
        whole: list[str] = UNBROKEN.findall(row)
        held = UNBROKEN.sub(lambda found: HELD * _width(found[0]), row)
        cut = fill(held, max(fit, 8), break_long_words=wide > 0 or " " not in row)
        for held_part in whole:
            cut = cut.replace(HELD * _width(held_part), held_part, 1)
        rows.append(cut)
    return "\n".join(rows)


def _width(part: str) -> int:
    """Letters that a point or a number takes, once it is drawn."""
    return len(re.sub(r"\\times|[${}^]", "", part))
