"""What happens on a page: gestures come in, a thread answers them, the newest first."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final

from bokeh.document import Document
from bokeh.models import TextInput

from fastmomentum.errors import FastmomentumError, InputError
from fastmomentum.experiment.plan import Experiment
from fastmomentum.explorer.as_toml import toml_of
from fastmomentum.explorer.changes import CHANGES, field_of
from fastmomentum.explorer.field import field_data
from fastmomentum.explorer.figures import Figures
from fastmomentum.explorer.history import History
from fastmomentum.explorer.inbox import Inbox
from fastmomentum.explorer.links import view_of
from fastmomentum.explorer.maps import Engine, coarse_size, fine_size
from fastmomentum.explorer.paths import Path, path_of, stored_path_of
from fastmomentum.explorer.plane import Plane, plane_of, resampled
from fastmomentum.explorer.source import Source
from fastmomentum.explorer.theory import theory_of, words_of
from fastmomentum.explorer.told import end_words, registries
from fastmomentum.explorer.view import View
from fastmomentum.plots.geometry import Window
from fastmomentum.plots.runs import window as usual_field
from fastmomentum.text import without_controls

SAME_SIZE: Final = 0.1
"""Part by which a map may grow or shrink on the screen and stay the same map."""

USUAL_PIXELS: Final = (500, 400)


class Session:
    """A page: its view, its history, and the thread that computes what it shows.

    Parameters
    ----------
    document : Document
        The page's.
    figures : Figures
        Drawn in it.
    tell : TextInput
        Whose value the page listens to.
    engine : Engine
        The server's.
    source : Source
        What the explorer was started with.
    link : str, optional
        The view that the page's address asks for.
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
        self._document, self._figures, self._tell_page = document, figures, tell
        self._engine, self._source, self._link = engine, source, link
        self.view = source.view
        self._is_log = figures.map.x_scale.__class__.__name__ == "LogScale"
        self._history = History(self.view)
        self.pixels = USUAL_PIXELS
        self._inbox = Inbox()
        self._stages: list[Callable[[], bool]] = []
        self._plane: tuple[tuple[Any, ...], Plane] | None = None
        self._path: Path | None = None
        self.field: Window | None = None
        self._count = 0
        self._thread = threading.Thread(target=self._run, name="fastmomentum-page", daemon=True)

    def begin(self) -> None:
        """Start the thread; the page is there."""
        if not self._thread.ident:
            self._thread.start()

    def close(self) -> None:
        """Give up what is computed, and end the thread."""
        self._inbox.close()

    def ask(self, name: str, asked: Mapping[str, Any]) -> None:
        """Something is asked for: by name, one of `CHANGES` or of the page's own."""
        self._inbox.put(name, asked)

    def _run(self) -> None:
        self._guarded(self._open)
        while not self._inbox.is_closed:
            self._guarded(self._answer)

    def _answer(self) -> None:
        """Do what was asked for, or else the next stage of the map."""
        changes = self._inbox.take(waits=not self._stages)
        for name, asked in changes:
            self._apply(name, asked)
        if not changes and self._stages:
            stage = self._stages[0]
            if stage() and self._stages and self._stages[0] is stage:
                self._stages.pop(0)

    def _guarded(self, do: Callable[[], None]) -> None:
        """Do something; what goes wrong is said on the page, and ends a drawing, not the page."""
        try:
            do()
        except FastmomentumError as error:
            said = str(error)
        except Exception as error:  # a fault of ours is told on the page, which lives on
            said = f"fastmomentum has a fault: {type(error).__name__}: {error}"
        else:
            return
        self._stages = []
        self.say(errors={"map": without_controls(said)}, busy="", compiling="")

    def _open(self) -> None:
        """Show what the explorer was started with, or what the link asks for."""
        self.say(registries=registries(self._source.view))
        if self._link is not None:
            try:
                self.view = view_of(self._link, self._source.view)
            except FastmomentumError as error:
                self.say(notice=f"the link was not followed: {error}")
        self._history = History(self.view)
        self._begin_view(moves=True)
        self._draw_field(moves=True)

    def _apply(self, name: str, asked: Mapping[str, Any]) -> None:
        """Do one thing that was asked for."""
        before = self.view
        if name == "pixels":
            self._measured(asked)
            return
        if name == "field":
            (x, y) = asked["window"]
            self.field = (tuple(x), tuple(y))
            self._draw_field(moves=False)
            return
        if name in ("back", "forward"):
            self.view = self._gone(name)
            self._begin_view(moves=True)
            return
        try:
            changed = CHANGES[name](self.view, asked, self._source.view)
            if name != "cell":
                changed.experiment(8, 8)  # all that can be refused is refused here
        except FastmomentumError as error:
            message = without_controls(str(error)).splitlines()[0]
            self.say(errors={field_of(name, message): message}, view=before.told)
            if name == "window":
                self._post(lambda: self._figures.show_window(before))
            return
        except (KeyError, TypeError, ValueError, AttributeError):
            self.say(errors={name: f"{name}: that makes no sense here"}, view=before.told)
            return
        self.view = changed
        if name == "cell":
            self._draw_path()
            return
        if name == "theory":
            self._stages = [*self._stages, self._details] if self._plane else self._stages
        is_gesture = name == "window" and changed.windows == {
            key: tuple(value) for key, value in asked["windows"].items()
        }
        if changed.map_key != before.map_key or name == "window":
            self._begin_view(moves=not is_gesture)
        self.say(errors={}, view=changed.told)
        if name in ("start", "objective", "rule", "steps", "settings", "others"):
            self._draw_path()
        if changed.objective is not before.objective:
            self.field = None
            self._draw_field(moves=True)

    def _measured(self, asked: Mapping[str, Any]) -> None:
        """The page says how large its map is; a few pixels make no other map."""
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
        self._stages = self._stages_of_map()

    def _gone(self, name: str) -> View:
        """The view before or after the shown one."""
        if name == "forward":
            return self._history.forward()
        if self.view.map_key != self._history.shown.map_key:
            return self._history.shown  # which was not finished
        return self._history.back()

    def _begin_view(self, moves: bool) -> None:
        """A new view: its window, and the stages that its map comes in."""
        view = self.view
        if (view.x == "lr") != self._is_log:
            self.say(go=view.link)
            return
        if moves:
            self._post(lambda: self._figures.show_window(view))
        # In one message: a page that has the new view must not take the old map for finished.
        self.say(busy="computing", end=end_words(view), view=view.told)
        self._stages = self._stages_of_map()

    def _stages_of_map(self) -> list[Callable[[], bool]]:
        if self._source.has(self.view):
            return [self._from_file, self._details]
        return [self._coarse, self._fine, self._details]

    def _stopped(self) -> bool:
        """Whether what is computed is to be given up; paths are drawn on the way."""
        changes = self._inbox.quiet()
        if changes is None:
            return True
        for name, asked in changes:
            self._apply(name, asked)
        return False

    def _coarse(self) -> bool:
        return self._map("coarse")

    def _fine(self) -> bool:
        return self._map("fine")

    def _map(self, kind: str) -> bool:
        view = self.view
        size = (coarse_size if kind == "coarse" else fine_size)(view, self.pixels)
        if self._compiled(view.experiment(*size), view) and self._stopped():
            return False
        results = self._engine.map(view, size, self._stopped)
        if results is None:
            return False
        self._show(plane_of(results, view.x, view.y), view, kind)
        return True

    def _compiled(self, experiment: Experiment, view: View) -> bool:
        """Have a kernel compiled, and say so meanwhile; whether it had to be."""
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
        _ = plane.codes  # here, and not in the server's loop
        self._post(lambda: self._figures.show_plane(plane, view))
        nx, ny = plane.status.shape
        self.say(
            shown={"kind": kind, "cells": [nx, ny], "legend": plane.legend, "note": plane.note}
        )

    def _details(self) -> bool:
        """What comes after the map: the fastest cell, theory, link, TOML."""
        view = self.view
        assert self._plane is not None
        _, plane = self._plane
        if self._stopped():
            return False
        fastest = plane.fastest()
        if view.cell is None:
            middle = (len(plane.at_x) // 2, len(plane.at_y) // 2)
            chosen = (float(plane.at_x[middle[0]]), float(plane.at_y[middle[1]]))
            view = self.view = view.changed(cell=chosen if fastest is None else fastest[0])
        if self._path is None or view.cell != self._path.cell:
            self._draw_path()
            view = self.view
        if self.field is None:
            self._draw_field(moves=True)
        theory = theory_of(view)
        self._history.enter(view)
        self._post(lambda: self._figures.show_details(plane, fastest, theory, view))
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

    def _draw_path(self) -> None:
        """The path of the chosen cell; it snaps to the map's cells."""
        view = self.view
        if view.cell is None:
            return
        if self._source.has(view) and self._source.results is not None:
            path = stored_path_of(self._source.results, view.x, view.y, view.cell)
        else:
            self._compiled(view.experiment(1, 1), view)
            path = path_of(view, self._snapped(view))
        self.view = view = view.changed(cell=path.cell)
        self._path = path
        self._post(lambda: self._figures.show_path(path, view))
        self.say(path=path.told(words_of(view.x), words_of(view.y)), cell=list(path.cell))

    def _snapped(self, view: View) -> tuple[float, float]:
        assert view.cell is not None
        if self._plane is None or self._plane[0] != view.map_key:
            return view.cell
        return self._plane[1].snapped(view.cell, (view.windows[view.x], view.windows[view.y]))

    def _draw_field(self, moves: bool) -> None:
        view = self.view
        if self.field is None:
            self.field = usual_field(view.objective)
        window = self.field
        try:
            data = field_data(view, window)
        except (InputError, ValueError, IndexError):
            return  # nothing finite to draw
        self._post(lambda: self._figures.show_field(view, window, data, moves))

    def _post(self, draw: Callable[[], None]) -> None:
        """Have the server's loop change the page."""
        if not self._inbox.is_closed:
            self._document.add_next_tick_callback(draw)

    def say(self, **parts: Any) -> None:
        """Tell the page something."""
        self._count += 1
        text = json.dumps({"n": self._count, **parts})
        self._post(lambda: self._tell_page.update(value=text))
