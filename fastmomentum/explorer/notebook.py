"""The explorer in a notebook: its page in a frame below the cell."""

from __future__ import annotations

import os
from html import escape
from typing import TYPE_CHECKING

from fastmomentum.explorer.extra import require_extra

if TYPE_CHECKING:
    from threading import Thread

    import xarray as xr

    from fastmomentum.experiment.plan import Experiment
    from fastmomentum.explorer.serving import Explorer


class Frame:
    """An explorer; a notebook shows its page if this is the value of a cell.

    Attributes
    ----------
    url : str
        Address of the page, for a browser window.
    """

    def __init__(self, explorer: Explorer, thread: Thread, height: int) -> None:
        self.url = explorer.url
        self._explorer, self._thread, self._height = explorer, thread, height

    def stop(self) -> None:
        """End the server; it also ends with the notebook's kernel."""
        self._explorer.stop()
        self._thread.join()

    def __repr__(self) -> str:
        """The address."""
        return f"the explorer: {self.url}"

    def _repr_html_(self) -> str:
        """The page in a frame."""
        return (
            f'<iframe src="{escape(self.url)}" title="fastmomentum explorer" '
            f'style="width: 100%; height: {self._height}px; border: 0"></iframe>'
        )


def explore(
    given: Experiment | xr.Dataset | str | os.PathLike[str] | None = None,
    *,
    port: int | None = None,
    height: int = 720,
) -> Frame:
    """Show the explorer in a notebook: a map that is recomputed while one zooms into it.

    Parameters
    ----------
    given : Experiment, Dataset or path, optional
        What to start with: an experiment or its file, results or their file; by default
        Rosenbrock's function.
    port : int, optional
        Port on 127.0.0.1; by default the usual one, or any free one if that is taken.
    height : int
        Height of the frame in pixels.

    Returns
    -------
    Frame
        Shown if the notebook runs on the browser's machine; outside notebooks, open its `url`.
        Its `stop()` ends the server.

    Raises
    ------
    InputError
        Bokeh is not installed, or `given` is invalid.
    StorageError
        The port is taken.
    """
    require_extra()
    from fastmomentum.explorer.serving import in_background, quiet_logs
    from fastmomentum.explorer.source import Source

    quiet_logs()
    return Frame(*in_background(Source(given), port), height)
