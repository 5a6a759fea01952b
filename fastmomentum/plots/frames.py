"""An animated report: fixed parts are drawn once, moving parts for each frame."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.plots.report_parts import Report
from fastmomentum.specification.numbers import whole
from fastmomentum.text import shown

Spacing = Literal["log", "linear"]
Pixels = NDArray[np.uint8]


def thinned(last: int, count: int, spacing: Spacing = "log") -> NDArray[np.int64]:
    """Choose steps to show: the first, the last, and others between, no two the same.

    Parameters
    ----------
    last : int
        The last step; 0 is the first.
    count : int
        How many, at least 2; all, where there are no more.
    spacing : {"log", "linear"}
        Whether their ratios or their differences are even, as nearly as whole numbers can be.

    Returns
    -------
    ndarray, shape (min(count, last + 1),)
        Ascending.

    Raises
    ------
    InputError
        A number is no whole one, or too small, or there is no such spacing.

    Examples
    --------
    >>> thinned(5000, 8)
    array([   0,    1,    4,   17,   70,  290, 1204, 5000])
    >>> thinned(5000, 6, "linear")
    array([   0, 1000, 2000, 3000, 4000, 5000])
    """
    last, count = whole(last, "last", least=0), whole(count, "count", least=2)
    if spacing not in get_args(Spacing):
        raise InputError(f"spacing must be log or linear: got {shown(spacing)}")
    if count > last:
        return np.arange(last + 1)
    if spacing == "linear":
        return np.rint(np.linspace(0, last, count)).astype(np.int64)
    steps = [0, 1] if count > 2 else [0]
    for left in range(count - len(steps), 0, -1):  # early ones crowd: the rest share what remains
        before = max(steps[-1], 1)
        after = max(steps[-1] + 1, round(before * (last / before) ** (1 / left)))
        steps.append(min(after, last - left + 1))
    return np.array(steps, dtype=np.int64)


class FrameRenderer:
    """Draws the frames of a report on a canvas of matplotlib's Agg.

    Parameters
    ----------
    report : Report
        What to show; from now on, saving its figure leaves out what moves.
    canvas : FigureCanvasAgg, optional
        That of a window; without, one for pictures in memory.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> from matplotlib.figure import Figure
    >>> from fastmomentum import plots
    >>> ds = fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=9,
    ...     grid=fm.Grid(lr=1e-3, momentum=0.9, start=[(-1.2, 1)]), record=fm.Record(every=1)))
    >>> run = plots.run_of(fm.select_cell(ds))
    >>> field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), [run]), points=51)
    >>> figure = Figure(figsize=(6.4, 3.6), dpi=50, layout="constrained")
    >>> report = plots.run_report(figure, run, field, "momentum", frames=[0, 3, 9])
    >>> plots.FrameRenderer(report).frame(1).shape
    (180, 320, 4)
    """

    def __init__(self, report: Report, canvas: Any = None) -> None:
        self.report = report
        self._canvas: Any = canvas or FigureCanvasAgg(report.figure)
        self._drawn: Any = None
        for artist in report.artists:
            artist.set_animated(True)  # leaves it out when the figure is drawn

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.report.steps)

    @property
    def still(self) -> Pixels:
        """The fixed parts, shape (height, width, 4)."""
        self._canvas.restore_region(self._background)
        return self._pixels()

    def frame(self, index: int) -> Pixels:
        """A whole frame, shape (height, width, 4)."""
        self.paint(index)
        return self._pixels()

    def overlay(self, index: int) -> Pixels:
        """The moving parts on a transparent ground, shape (height, width, 4)."""
        _ = self._background  # the figure must have been laid out
        self._canvas.get_renderer().clear()
        self._draw(index)
        return self._pixels()

    def paint(self, index: int) -> None:
        """Draw a frame on the canvas."""
        self._canvas.restore_region(self._background)
        self._draw(index)

    def renew(self) -> None:
        """Take what the canvas shows as the fixed parts, once the figure has been redrawn."""
        self._drawn = self._canvas.copy_from_bbox(self.report.figure.bbox)

    @property
    def _background(self) -> Any:
        if self._drawn is None:
            self._canvas.draw()
            self.renew()
        return self._drawn

    def _draw(self, index: int) -> None:
        self.report.show(index)
        renderer = self._canvas.get_renderer()
        for artist in self.report.artists:
            artist.draw(renderer)

    def _pixels(self) -> Pixels:
        return np.array(self._canvas.buffer_rgba())
