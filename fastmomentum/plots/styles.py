"""The style that a page is drawn in: the house style, and what a file or a name changes."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import matplotlib

from fastmomentum.errors import InputError
from fastmomentum.plots.fonts import families
from fastmomentum.plots.style import STYLE, grid_colour, is_dark
from fastmomentum.text import suggest

SCALED: Final = ("axes.titlesize", "figure.titlesize", "legend.fontsize")
"""Sizes of the house style in points; with a style that sets font.size alone they scale."""

ALWAYS: Final[dict[Any, Any]] = {"text.usetex": False}
"""What no style may change: titles are plain text, not TeX."""


@contextlib.contextmanager
def drawn_in(style: str | Path | None = None) -> Iterator[dict[Any, Any]]:
    """Draw in the house style, with another on top of it.

    Parameters
    ----------
    style : str or Path, optional
        A name that matplotlib knows, such as "dark_background", or a style file; "default" is the
        house style, which is matplotlib's own with other sizes of letters.

    Yields
    ------
    dict
        What the style on top sets itself.

    Raises
    ------
    InputError
        There is no such style, or the file makes no sense.

    Warns
    -----
    FontWarning
        The style's font is not installed.

    Examples
    --------
    >>> with drawn_in("dark_background") as settings:
    ...     settings["figure.facecolor"]
    'black'
    """
    settings = {} if style in (None, "default") else _settings(style)
    changed = dict(settings)
    if "font.size" in settings:
        factor = float(settings["font.size"]) / STYLE["font.size"]
        changed = {name: STYLE[name] * factor for name in SCALED} | settings
    with matplotlib.rc_context(STYLE | changed | ALWAYS):
        if is_dark(matplotlib.rcParams["axes.facecolor"]):  # on which a bright grid outshines all
            matplotlib.rcParams["grid.color"] = grid_colour("black")
        matplotlib.rcParams["font.family"] = families(matplotlib.rcParams["font.family"])
        yield settings


def _settings(style: str | Path) -> dict[Any, Any]:
    path = Path(style)
    if not path.is_file():
        from matplotlib.style import available, library  # reads a file for each style

        if str(style) in library:
            return _drawing(library[str(style)])
        known = suggest(str(style), ["default", *available])
        raise InputError(
            f"--style: there is no file {path}, and no such style of matplotlib's; {known}"
        )
    listening = _Listening()
    log = logging.getLogger("matplotlib")  # the only place where an unknown name is reported
    log.addHandler(listening)
    try:
        settings = matplotlib.rc_params_from_file(path, True, use_default_template=False)
        wrong = listening.lines
    except ValueError as error:  # a UnicodeDecodeError is one
        wrong = [str(error)]
    finally:
        log.removeHandler(listening)
    if wrong:
        raise InputError(f"--style: {path}: {wrong[0]}")
    return _drawing(settings)


def _drawing(settings: Any) -> dict[Any, Any]:
    return {key: value for key, value in settings.items() if key != "backend"}


class _Listening(logging.Handler):
    """Keeps the first line of each message."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage().strip().splitlines()[0])
