"""A page: its drawings, its form, and the requests that its events make."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, Final

from bokeh.document import Document
from bokeh.events import Event, Pan, Tap
from bokeh.models import CustomJS, TextInput
from jinja2 import Template

from fastmomentum.errors import FastmomentumError
from fastmomentum.explorer import exports
from fastmomentum.explorer.figures import Figures
from fastmomentum.explorer.links import MOST_LINK
from fastmomentum.explorer.maps import Engine, fine_size
from fastmomentum.explorer.session import Session
from fastmomentum.explorer.source import Source
from fastmomentum.explorer.view import View

TITLE: Final = "fastmomentum explorer"

LONGEST: Final = 20 * MOST_LINK
"""Most characters of a message from the page."""


class Page:
    """A page of a server, for one browser window.

    Parameters
    ----------
    document : Document
        Empty; the drawings are added to it.
    engine : Engine
        The server's.
    source : Source
        What the explorer was started with.
    kept : Exports
        The server's.
    link : str, optional
        The view in the page's address.
    """

    def __init__(
        self,
        document: Document,
        engine: Engine,
        source: Source,
        kept: exports.Exports,
        link: str | None = None,
    ) -> None:
        self._document, self._kept = document, kept
        self.figures = Figures(_drawn_over(link, source.view))
        self._ask, tell = TextInput(name="ask"), TextInput(name="tell")
        self.session = Session(document, self.figures, tell, engine, source, link)
        self._mode, self._count = "path", 0
        self._exporting = threading.Lock()
        self._ask.on_change("value", lambda attr, old, new: self._heard(new))
        self._listen()
        # As tags they belong to the document, and are not drawn.
        self.figures.map.tags = [self._ask, tell, self.figures.cells, self.figures.steps]
        document.title = TITLE
        document.template = _template()
        for drawing in self.figures.all.values():
            document.add_root(drawing)
        tools = {"box": self.figures.box, "pan": self.figures.pan}
        sources = {"cells": self.figures.cells, "steps": self.figures.steps}
        arguments = {"ask": self._ask, "tell": tell, **self.figures.all, **tools, **sources}
        script = "window.explorer.begin({ask, tell, map, contours, loss, box, pan, cells, steps})"
        ready = CustomJS(args=arguments, code=script)
        document.js_on_event("document_ready", ready)
        lost = CustomJS(code="window.explorer.lost()")
        document.js_on_event("connection_lost", lost)
        pointed = CustomJS(code="window.explorer.point(cb_obj.x, cb_obj.y)")
        self.figures.map.js_on_event("mousemove", pointed)
        document.on_session_destroyed(lambda _: self.session.close())

    def _listen(self) -> None:
        drawn = self.figures
        for event in (Tap, Pan):
            drawn.map.on_event(event, self._touched_map)
            drawn.contours.on_event(event, self._touched_contours)

    def _touched_map(self, event: Any) -> None:
        if self._mode == "path" or isinstance(event, Tap):
            self._ask_at("cell", event)

    def _touched_contours(self, event: Any) -> None:
        self._ask_at("start", event)

    def _ask_at(self, name: str, event: Any) -> None:
        if isinstance(event, Event) and event.x is not None and event.y is not None:
            self.session.ask(name, {"value": [float(event.x), float(event.y)]})

    def _heard(self, text: str) -> None:
        """Handle messages of the page's script; those sent before may come once more."""
        try:
            messages = json.loads(text) if len(text) <= LONGEST else []
            new = [one for one in messages if one["n"] > self._count]
            for asked in new:
                self._count = asked.pop("n")
                self._hear(str(asked.pop("do")), asked)
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
            return  # not a message of the page's script

    def _hear(self, name: str, asked: Mapping[str, Any]) -> None:
        if name == "ready":
            self.session.ask("pixels", asked)
            self.session.begin()
        elif name == "mode":
            self._mode = str(asked.get("value"))
        elif name == "export":
            self._export(asked)
        else:
            self.session.ask(name, asked)

    def _export(self, asked: Mapping[str, Any]) -> None:
        view = self.session.view
        size = fine_size(view, self.session.pixels)
        what = str(asked.get("what"))

        def make() -> None:
            try:
                token = self._kept.put(exports.made(what, view, size))
                self.session.say(export=token)
            except FastmomentumError as error:
                self.session.say(notice=str(error))
            finally:
                self._exporting.release()

        if self._exporting.acquire(blocking=False):
            threading.Thread(target=make, name="fastmomentum-export", daemon=True).start()
        else:
            self.session.say(notice="another export is in progress; try again in a moment")


def _drawn_over(link: str | None, view: View) -> View:
    """A view with the axes of a link, if it has any: drawings are made before it is checked."""
    try:
        x, y = json.loads(link or "")["windows"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return view
    names = view.names
    return view.changed(x=x, y=y).fitting() if {x, y} <= set(names) else view


def _template() -> Template:
    """The page's HTML with its style and scripts."""
    here = files("fastmomentum.explorer")
    html, style, *scripts = (
        (here / f"page.{end}").read_text(encoding="utf-8")
        for end in ("html", "css", "map.js", "form.js", "js")
    )
    filled = html.replace("/*style*/", style).replace("/*script*/", "".join(scripts))
    template: Template = Template(filled, autoescape=False)
    return template
