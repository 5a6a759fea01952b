"""A report that plays in a window."""

from __future__ import annotations

import os
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from fastmomentum.errors import InputError
from fastmomentum.plots.films import LAST_SECONDS
from fastmomentum.plots.frames import FrameRenderer
from fastmomentum.plots.report_parts import Report


class Player:
    """Plays a report in a window: space stops and goes on, arrows go a frame back or forth.

    Parameters
    ----------
    projector : FrameRenderer
        With the canvas of a window.
    canvas : FigureCanvasBase
        That canvas.
    fps : float
        Frames a second.
    """

    def __init__(self, projector: FrameRenderer, canvas: Any, fps: float) -> None:
        self._projector, self._canvas = projector, canvas
        self.at, self.playing = 0, True
        self._held = 0.0
        self._seconds = 1.0 / fps
        self._timer = canvas.new_timer(interval=round(1000 / fps))
        self._timer.add_callback(self.tick)
        canvas.mpl_connect("draw_event", self._drawn)
        canvas.mpl_connect("key_press_event", self._pressed)
        canvas.mpl_connect("close_event", lambda _: self.stop())
        self._timer.start()

    def stop(self) -> None:
        """End it."""
        self._timer.stop()

    def tick(self) -> None:
        """Show the next frame; after the last and a pause, the first."""
        if not self.playing:
            return
        if self.at < len(self._projector) - 1:
            self._show(self.at + 1)
        elif self._held < LAST_SECONDS:
            self._held += self._seconds
        else:
            self._show(0)

    def _drawn(self, _: Any) -> None:
        self._projector.renew()
        self._show(self.at)

    def _pressed(self, event: Any) -> None:
        steps = {"left": -1, "right": 1}
        if event.key == " ":
            self.playing = not self.playing
        elif event.key in steps:
            self.playing = False
            self._show((self.at + steps[event.key]) % len(self._projector))

    def _show(self, index: int) -> None:
        self.at, self._held = index, 0.0
        self._projector.paint(index)
        self._canvas.blit()


def open_window(size: tuple[float, float]) -> Figure:
    """Make a figure with a window of its own."""
    reason = "DISPLAY is not set"
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        from matplotlib import pyplot as plt

        matplotlib.rcParams["toolbar"] = "None"
        for name in ("TkAgg", "QtAgg"):
            try:
                plt.switch_backend(name)
            except ImportError as error:
                reason = str(error)
                if "headless" in reason:
                    reason = "the display cannot be reached"
                    break
                continue
            return plt.figure(figsize=size, layout="constrained")
    raise InputError(f"--live cannot open a window ({reason}); write an .html with -o instead")


def play(report: Report, fps: float, title: str) -> None:
    """Play in the report's window until it is closed."""
    from matplotlib import pyplot as plt

    canvas: Any = report.figure.canvas
    canvas.manager.set_window_title(title)
    player = Player(FrameRenderer(report, canvas), canvas, fps)
    plt.show()
    player.stop()
