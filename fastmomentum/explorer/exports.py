"""Exports of a page's map: a picture, and a results file."""

from __future__ import annotations

import io
import secrets
import tempfile
import threading
from pathlib import Path
from typing import Final, NamedTuple

from matplotlib.backends.backend_agg import FigureCanvasAgg

from fastmomentum.errors import InputError
from fastmomentum.execution.runner import run
from fastmomentum.explorer.maps import Size
from fastmomentum.explorer.view import View
from fastmomentum.plots.pages import phase

KEPT: Final = 4
"""Most exports that wait to be downloaded."""


class Export(NamedTuple):
    """A file for the browser to save."""

    name: str
    kind: str
    content: bytes


def picture(view: View, size: Size) -> Export:
    """Draw the map of a view as `plot phase` does.

    Parameters
    ----------
    view : View
        Of the page.
    size : (int, int)
        Cells of the map along its axes.

    Returns
    -------
    Export
        A PNG.
    """
    page = phase(run(view.experiment(*size)), x=view.x, y=view.y, theory=view.theory)
    FigureCanvasAgg(page)
    file = io.BytesIO()
    page.savefig(file, format="png", dpi=150)
    return Export("map.png", "image/png", file.getvalue())


def data(view: View, size: Size) -> Export:
    """Run the map of a view into a results file.

    Parameters
    ----------
    view, size
        As for `picture`.

    Returns
    -------
    Export
        The file that ``fastmomentum run`` writes.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.h5"
        run(view.experiment(*size), path).close()
        return Export("map.h5", "application/x-hdf5", path.read_bytes())


MAKERS: Final = {"picture": picture, "data": data}


class Exports:
    """Exports of all pages; each is downloaded once, by a name that cannot be guessed.

    Examples
    --------
    >>> exports = Exports()
    >>> token = exports.put(Export("map.png", "image/png", b"..."))
    >>> exports.take(token).name, exports.take(token)
    ('map.png', None)
    """

    def __init__(self) -> None:
        self._kept: dict[str, Export] = {}
        self._lock = threading.Lock()

    def put(self, export: Export) -> str:
        """Keep an export, and return its name."""
        token = secrets.token_hex(16)
        with self._lock:
            self._kept[token] = export
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]
        return token

    def take(self, token: str) -> Export | None:
        """Remove and return an export; None if there is none of that name."""
        with self._lock:
            return self._kept.pop(token, None)


def made(what: str, view: View, size: Size) -> Export:
    """Make an export.

    Raises
    ------
    InputError
        `what` is no export.
    """
    if what not in MAKERS:
        raise InputError(f"a page exports {' or '.join(MAKERS)}: got {what!r}")
    return MAKERS[what](view, size)
