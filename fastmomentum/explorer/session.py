"""A page's requests: they arrive in an inbox, and a thread answers them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from bokeh.document import Document
from bokeh.models import TextInput

from fastmomentum.errors import FastmomentumError
from fastmomentum.explorer.changes import CHANGES, field_of
from fastmomentum.explorer.figures import Figures
from fastmomentum.explorer.history import History
from fastmomentum.explorer.links import check, number_of, view_of
from fastmomentum.explorer.maps import Engine
from fastmomentum.explorer.showing import Showing
from fastmomentum.explorer.source import Source
from fastmomentum.explorer.told import registries
from fastmomentum.explorer.view import View
from fastmomentum.text import without_controls

SAME_SIZE: Final = 0.1
"""Relative change of the map's size on the screen below which it is not recomputed."""

MOVES_PATH: Final = {
    "start", "objective", "rule", "steps", "settings", "others", "schedule", "noise", "seed",
}  # fmt: skip
"""Changes after which the chosen cell has another path."""


class Session(Showing):
    """A page: its requests, its history, and the thread that answers them.

    Parameters
    ----------
    document, figures, tell, engine, source
        As for `Showing`.
    link : str, optional
        The view in the page's address.
    """

    def __init__(
        self,
        document: Document,
        figures: Figures,
        tell: TextInput,
        engine: Engine,
        source: Source,
        link: str | None = None,
    ) -> None:
        super().__init__(document, figures, tell, engine, source)
        self._link = link
        self._thread = threading.Thread(target=self._run, name="fastmomentum-page", daemon=True)

    def begin(self) -> None:
        """Start the thread, once the page is loaded."""
        if not self._thread.ident:
            self._thread.start()

    def close(self) -> None:
        """Cancel what is being computed, and end the thread."""
        self._inbox.close()

    def ask(self, name: str, asked: Mapping[str, Any]) -> None:
        """Queue a request: one of `CHANGES`, or ``pixels``, ``field``, ``back`` or ``forward``."""
        self._inbox.put(name, asked)

    def _run(self) -> None:
        self._guarded(self._open)
        while not self._inbox.is_closed:
            self._guarded(self._answer)

    def _answer(self) -> None:
        """Apply the waiting requests, or else do the next stage of the map."""
        changes = self._inbox.take(waits=not self._stages)
        for name, asked in changes:
            self._apply(name, asked)
        if not changes and self._stages:
            stage = self._stages[0]
            if stage() and self._stages and self._stages[0] is stage:
                self._stages.pop(0)

    def _guarded(self, do: Callable[[], None]) -> None:
        """Do something; errors are shown on the page, and end the map being made, not the page."""
        try:
            do()
        except FastmomentumError as error:
            said = str(error)
        except Exception as error:  # a bug of ours is shown on the page, which goes on
            said = f"fastmomentum has a fault: {type(error).__name__}: {error}"
        else:
            return
        self._stages = []
        self.say(errors={"map": without_controls(said)}, busy="", compiling="")

    def _open(self) -> None:
        """Show what the explorer was started with, or the view of the link."""
        self.say(registries=registries(self._source.view))
        if self._link is not None:
            try:
                self.view = view_of(self._link, self._source.view)
            except FastmomentumError as error:
                self.say(notice=f"the link could not be opened: {error}")
        self._history = History(self.view)
        self.begin_view(moves=True)
        self.draw_field(moves=True)

    def _apply(self, name: str, asked: Mapping[str, Any]) -> None:
        """Apply one request."""
        before = self.view
        if name == "pixels":
            self._measured(asked)
            return
        if name == "field":
            self._looked(asked)
            return
        if name in ("back", "forward"):
            self.view = self._gone(name)
            self.begin_view(moves=True)
            return
        try:
            changed = CHANGES[name](self.view, asked, self._source.view)
            if name != "cell":
                check(changed)  # whatever can be invalid is refused here
        except FastmomentumError as error:
            message = without_controls(str(error)).splitlines()[0]
            self.say(errors={field_of(name, message): message}, view=before.told, moves=True)
            return
        except (KeyError, TypeError, ValueError, AttributeError):
            said = f"{name}: the page sent an incomplete request; reload it"
            self.say(errors={name: said}, view=before.told)
            return
        self.view = changed
        if name == "cell":
            self.draw_path(snaps=True)
            return
        if name == "theory":
            self._stages = [*self._stages, self._details] if self._plane else self._stages
        is_gesture = name == "window" and changed.windows == {
            key: tuple(value) for key, value in asked["windows"].items()
        }
        if changed.map_key != before.map_key or name == "window":
            self.begin_view(moves=not is_gesture)
        self.say(errors={}, view=changed.told)
        if name in MOVES_PATH:
            self.draw_path()
        if changed.objective is not before.objective:
            self.field = None
            self.draw_field(moves=True)

    def _looked(self, asked: Mapping[str, Any]) -> None:
        """Redraw the contours in another window."""
        try:
            x, y = (tuple(number_of("window", end) for end in ends) for ends in asked["window"])
            (left, right), (low, high) = x, y
        except (FastmomentumError, KeyError, TypeError, ValueError):
            return
        if left < right and low < high:
            self.field = (left, right), (low, high)
            self.draw_field(moves=False)

    def _measured(self, asked: Mapping[str, Any]) -> None:
        """Take over the size of the map on the screen; a few pixels more or less change nothing."""
        try:
            width, height = (min(max(int(side), 16), 4096) for side in asked["value"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return
        old = self.pixels
        self.pixels = (width, height)
        if self._plane and max(abs(width / old[0] - 1), abs(height / old[1] - 1)) < SAME_SIZE:
            self.pixels = old
            return
        self.say(busy="computing")
        self.begin_map()

    def _gone(self, name: str) -> View:
        """The previous or the next view."""
        if name == "forward":
            return self._history.forward()
        if self.view.map_key != self._history.shown.map_key:
            return self._history.shown  # the current map was not finished
        return self._history.back()

    def stopped(self) -> bool:
        """Whether to cancel the map being computed; paths are drawn in the meantime."""
        changes = self._inbox.quiet()
        if changes is None:
            return True
        stage = self._stages[:1]
        for name, asked in changes:
            self._apply(name, asked)
        return self._stages[:1] != stage
