"""A whole figure: its size, its title, and what is said of it."""

from __future__ import annotations

import io
from pathlib import Path
from textwrap import fill
from typing import Any

import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from fastmomentum.errors import InputError
from fastmomentum.plots.pictures import LETTERS, TITLE_LETTERS
from fastmomentum.results.dataset import experiment_of

Size = tuple[float, float]
"""Width and height of a figure in inches."""

Style = str | Path
"""A name that matplotlib knows, or a style file."""

SMALLEST, LARGEST = 2.0, 60.0


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
    inches = size or tuple(settings.get("figure.figsize", usual))
    return Page(figsize=inches, layout="constrained")


def entitle(page: Page, ds: xr.Dataset, title: str | None, *more: str) -> None:
    """Write the title above a page, and lines below it."""
    first = fill(title_of(ds, title), TITLE_LETTERS)
    page.suptitle("\n".join([first, *more]), parse_math=False)


def title_of(ds: xr.Dataset, title: str | None = None) -> str:
    """Name what is shown: as asked, else the experiment's title, else its objective."""
    if title is not None:
        return title
    return str(ds.attrs.get("title") or experiment_of(ds).objective.words)


def lines_of(*said: str) -> str:
    """Put what is said into lines that fit below a title."""
    return "\n".join(fill(line, LETTERS, break_long_words=False) for line in said if line)
