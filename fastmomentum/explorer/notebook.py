"""The explorer in a notebook: the same page, in a frame below the cell."""

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
    """An explorer that a notebook shows where it is the value of a cell.

    Attributes
    ----------
    url : str
        Its address, for a window of its own.
    """

    def __init__(self, explorer: Explorer, thread: Thread, height: int) -> None:
        self.url = explorer.url
        self._explorer, self._thread, self._height = explorer, thread, height

    def stop(self) -> None:
        """End the server behind it; the kernel's end does so, too."""
        self._explorer.stop()
        self._thread.join()

    def __repr__(self) -> str:
        """Where to look."""
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
    """Show a map of momentum that computes itself while one zooms into it, in a notebook.

    Parameters
    ----------
    given : Experiment, Dataset or path, optional
        What to begin with: an experiment or the file that holds it, results or their file;
        Rosenbrock's function without.
    port : int, optional
        Of 127.0.0.1; without, a usual one, or any that is free.
    height : int
        Of the frame, in pixels.

    Returns
    -------
    Frame
        A notebook on the machine of the browser shows it; elsewhere open its `url`. Its `stop()`
        ends the server.

    Raises
    ------
    InputError
        Bokeh is not installed, or `given` makes no sense.
    StorageError
        The port is taken.
    """
    require_extra()
    from fastmomentum.explorer.serving import in_background, quiet_logs
    from fastmomentum.explorer.source import Source

    quiet_logs()
    return Frame(*in_background(Source(given), port), height)
