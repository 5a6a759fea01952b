"""What a page shows, computed in stages: coarse map, fine map, theory and path."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from typing import Any, Final

from bokeh.document import Document
from bokeh.models import TextInput

from fastmomentum.errors import InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.explorer.as_toml import toml_of
from fastmomentum.explorer.field import field_data
from fastmomentum.explorer.figures import Figures
from fastmomentum.explorer.history import History
from fastmomentum.explorer.inbox import Inbox
from fastmomentum.explorer.maps import Engine, Size, coarse_size, fine_size
from fastmomentum.explorer.paths import Path, computed_path_of, stored_path_of
from fastmomentum.explorer.plane import Plane, halved, plane_in_memory, resampled
from fastmomentum.explorer.source import Source
from fastmomentum.explorer.theory import theory_of, words_of
from fastmomentum.explorer.told import end_words
from fastmomentum.explorer.view import View
from fastmomentum.plots.geometry import Window
from fastmomentum.plots.runs import window as usual_field
from fastmomentum.schema import Arrays

USUAL_PIXELS: Final = (500, 400)

COARSE_SECONDS: Final = 0.2
"""Time in which a coarse map is not cancelled."""

HEAD_START: Final = 0.03
"""Time that the browser has to draw a coarse map before the fine one takes all cores."""

LONG_SECONDS: Final = 0.8
"""Expected time of a fine map beyond which it is also shown halfway."""

Stage = Callable[[], bool]
"""A part of the work on a map; returns False if it was cancelled."""


class Showing:
    """The view of a page, and the stages in which its map, path and texts are made.

    Everything runs in the page's own thread; `post` hands changes of the page to the server's loop.

    Parameters
    ----------
    document : Document
        The page's.
    figures : Figures
        The page's drawings.
    tell : TextInput
        Carries messages: the page listens to its value.
    engine : Engine
        The server's.
    source : Source
        What the explorer was started with.
    """

    def __init__(
        self,
        document: Document,
        figures: Figures,
        tell: TextInput,
        engine: Engine,
        source: Source,
    ) -> None:
        self._document, self._figures, self._tell_page = document, figures, tell
        self._engine, self._source = engine, source
        self.view = source.view
        self.pixels: Size = USUAL_PIXELS
        self.field: Window | None = None
        self._is_log = figures.map.x_scale.__class__.__name__ == "LogScale"
        self._history = History(self.view)
        self._inbox = Inbox()
        self._stages: list[Stage] = []
        self._plane: tuple[tuple[Any, ...], Plane] | None = None
        self._path: Path | None = None
        self._count = 0
        self._seconds = self._seconds_a_cell = 0.0

    def say(self, **parts: Any) -> None:
        """Send the page a message."""
        self._count += 1
        text = json.dumps({"n": self._count, **parts})
        self.post(lambda: self._tell_page.update(value=text))

    def post(self, draw: Callable[[], None]) -> None:
        """Have the server's loop change the page's models."""
        if not self._inbox.is_closed:
            self._document.add_next_tick_callback(draw)

    def stopped(self) -> bool:
        """Whether to cancel what is being computed; called every few milliseconds."""
        raise NotImplementedError

    def begin_view(self, moves: bool) -> None:
        """Begin to show the view: tell the page its window, and queue the stages of its map.

        Parameters
        ----------
        moves : bool
            Whether the page still has to move to the window; after a gesture it is there.
        """
        view = self.view
        if (view.x == "lr") != self._is_log:
            self.say(go=view.link)
            return
        # One message: a page that knows the new view must not take the old map for finished.
        self.say(busy="computing", end=end_words(view), view=view.told, moves=moves)
        self.begin_map()

    def begin_map(self) -> None:
        """Queue the stages of the map."""
        if self._source.has(self.view):
            self._stages = [self._from_file, self._details]
        else:
            self._stages = [self._coarse, self._fine, self._details]

    def _coarse(self) -> bool:
        """Compute the coarse map, to its end: gestures that never pause get a map, too."""
        begun = time.monotonic()

        def stopped() -> bool:
            return time.monotonic() - begun > COARSE_SECONDS and self.stopped()

        size = coarse_size(self.view, self.pixels)
        if not self._map("coarse", size, stopped):
            return False
        self._seconds_a_cell = self._seconds / math.prod(size)
        return True

    def _fine(self) -> bool:
        self._inbox.pause(HEAD_START)
        size = fine_size(self.view, self.pixels)
        is_long = self._seconds_a_cell * math.prod(size) > LONG_SECONDS
        return self._map("fine", size, self.stopped, has_halfway=is_long)

    def _map(
        self, kind: str, size: Size, stopped: Callable[[], bool], has_halfway: bool = False
    ) -> bool:
        view = self.view
        experiment = view.experiment(*size)
        if self._compiled(experiment, view) and stopped():
            return False

        def halfway(arrays: Arrays) -> None:
            plane = plane_in_memory(experiment, arrays, view.x, view.y)
            self._show(halved(plane, experiment), view, "half")

        begun = time.monotonic()
        arrays = self._engine.map(experiment, stopped, halfway if has_halfway else None)
        if arrays is None:
            return False
        self._seconds = time.monotonic() - begun
        self._show(plane_in_memory(experiment, arrays, view.x, view.y), view, kind)
        return True

    def _compiled(self, experiment: Experiment, view: View) -> bool:
        """Compile the kernel if necessary, and say so meanwhile; returns whether it was."""
        if not self._engine.needs_compiling(experiment):
            return False
        self.say(compiling=f"compiling {view.objective.words} for the rule {view.rule.name}")
        try:
            self._engine.compile(experiment)
        finally:
            self.say(compiling="")
        return True

    def _from_file(self) -> bool:
        view, results = self.view, self._source.results
        assert results is not None
        plane = self._source.plane
        windows = (view.windows[view.x], view.windows[view.y])
        self._show(resampled(plane, results, windows, self.pixels), view, "file")
        return True

    def _show(self, plane: Plane, view: View, kind: str) -> None:
        self._plane = (view.map_key, plane)
        _ = plane.codes  # computed in this thread, and not in the server's loop
        self.post(lambda: self._figures.show_plane(plane, view))
        nx, ny = plane.status.shape
        shown = {"kind": kind, "cells": [nx, ny], "legend": plane.legend, "note": plane.note}
        self.say(shown=shown | {"limits": plane.limits})

    def _details(self) -> bool:
        """Show what follows the map: fastest cell, theory, path, link and TOML."""
        view = self.view
        assert self._plane is not None
        _, plane = self._plane
        if self.stopped():
            return False
        fastest = plane.fastest()
        if self.stopped():  # each of these parts takes a hundredth of a second
            return False
        view = self.view
        if view.cell is None:
            middle = (len(plane.at_x) // 2, len(plane.at_y) // 2)
            chosen = (float(plane.at_x[middle[0]]), float(plane.at_y[middle[1]]))
            view = self.view = view.changed(cell=chosen if fastest is None else fastest[0])
        if self._path is None or view.cell != self._path.cell:
            self.draw_path()
            view = self.view
        if self.field is None:
            self.draw_field(moves=True)
        theory = theory_of(view)
        if self.stopped():
            return False
        view = self.view
        self._history.enter(view)
        self.post(lambda: self._figures.show_details(plane, fastest, theory, view))
        experiment = view.experiment(*plane.status.shape)
        self.say(
            busy="",
            view=view.told,
            fastest=None if fastest is None else [*fastest[0], fastest[1]],
            theory=theory.words,
            toml=toml_of(self._source.experiment_of(view) or experiment),
            link=view.link,
            back=self._history.can_go_back,
            forward=self._history.can_go_forward,
            axes=[view.x, view.y],
        )
        return True

    def draw_path(self, snaps: bool = False) -> None:
        """Show the path of the chosen cell.

        Parameters
        ----------
        snaps : bool
            Whether to take the map's nearest cell, as after a click; a link gives exact numbers.
        """
        view = self.view
        if view.cell is None:
            return
        if self._source.has(view) and self._source.results is not None:
            path = stored_path_of(self._source.results, view.x, view.y, view.cell)
        else:
            self._compiled(view.experiment(1, 1), view)
            path = computed_path_of(view, self._snapped(view) if snaps else view.cell)
        self.view = view = view.changed(cell=path.cell)
        self._path = path
        self.post(lambda: self._figures.show_path(path, view))
        self.say(path=path.told(words_of(view.x), words_of(view.y)), cell=list(path.cell))

    def _snapped(self, view: View) -> tuple[float, float]:
        assert view.cell is not None
        if self._plane is None or self._plane[0] != view.map_key:
            return view.cell
        return self._plane[1].snapped(view.cell, (view.windows[view.x], view.windows[view.y]))

    def draw_field(self, moves: bool) -> None:
        """Show the contours; `moves` as for `begin_view`."""
        view = self.view
        if self.field is None:
            self.field = usual_field(view.objective)
        window = self.field
        try:
            data = field_data(view, window)
        except (InputError, ValueError, IndexError):
            return  # no finite values to draw
        self.post(lambda: self._figures.show_field(view, data))
        if moves:
            self.say(field=window)
