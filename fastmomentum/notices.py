"""Warnings for people: raised at the caller's line, or shown once as a plain line."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import TextIO

from fastmomentum.errors import FastmomentumWarning


def warn(message: str, category: type[FastmomentumWarning]) -> None:
    """Warn, pointing at the line outside this package that led here.

    Parameters
    ----------
    message : str
        A plain line.
    category : type of FastmomentumWarning
        What kind of warning.

    Examples
    --------
    >>> from fastmomentum.errors import OutsideGridWarning
    >>> with as_lines(print):
    ...     warn("lr 5 lies outside of the grid", OutsideGridWarning)
    ...     warn("lr 5 lies outside of the grid", OutsideGridWarning)
    lr 5 lies outside of the grid
    """
    frame, level = sys._getframe(), 1
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == "fastmomentum"


@contextlib.contextmanager
def as_lines(say: Callable[[str], object]) -> Iterator[None]:
    """Show this package's warnings as plain lines, each once; other warnings stay as they are.

    Parameters
    ----------
    say : callable
        Takes a line; a command prints it to stderr.
    """
    said: set[str] = set()
    before = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if not issubclass(category, FastmomentumWarning):
            before(message, category, filename, lineno, file, line)
        elif (text := str(message)) not in said:
            said.add(text)
            say(text)

    with warnings.catch_warnings():
        warnings.simplefilter("always", FastmomentumWarning)
        warnings.showwarning = show
        yield
