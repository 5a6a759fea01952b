"""The server: it listens on this machine only, and answers its own pages only."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from typing import Any, Final

from bokeh.document import Document
from bokeh.server.server import BaseServer
from bokeh.server.tornado import BokehTornado
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPMessageDelegate, HTTPServerRequest
from tornado.ioloop import IOLoop
from tornado.routing import Router
from tornado.web import Application, RequestHandler

from fastmomentum.errors import StorageError
from fastmomentum.explorer.exports import Exports
from fastmomentum.explorer.maps import Engine
from fastmomentum.explorer.page import Page
from fastmomentum.explorer.source import Source

ADDRESS: Final = "127.0.0.1"
PORT: Final = 8719
"""The port that is tried first, so that links stay valid."""

MOST_PAGES: Final = 24
"""Most pages open at a time."""

LARGEST_MESSAGE: Final = 2**20
"""Most bytes of a message from a page."""

UNUSED_MILLISECONDS: Final = 5000
"""Time after which the state of a closed page is dropped."""


class Explorer:
    """A running server of the explorer.

    Parameters
    ----------
    source : Source
        What its pages start with.
    port : int, optional
        By default the usual one, or any free one if that is taken; 0 for any.

    Attributes
    ----------
    url : str
        Address of a page.
    addresses : list of (str, int)
        Where its sockets listen.

    Raises
    ------
    StorageError
        The port is taken.
    """

    def __init__(self, source: Source, port: int | None = None) -> None:
        self._engine, self._kept, self._source = Engine(), Exports(), source
        self.pages = 0
        sockets = _sockets(port)
        self.addresses = [one.getsockname() for one in sockets]
        self.port = self.addresses[0][1]
        self.url = f"http://{ADDRESS}:{self.port}/"
        own = [f"{ADDRESS}:{self.port}", f"localhost:{self.port}"]
        self._loop = IOLoop.current()
        pages = BokehTornado(
            {"/": self._page},
            extra_websocket_origins=own,
            extra_patterns=[("/export/([0-9a-f]{32})", _Fetch, {"kept": self._kept})],
            websocket_max_message_size_bytes=LARGEST_MESSAGE,
            unused_session_lifetime_milliseconds=UNUSED_MILLISECONDS,
            check_unused_sessions_milliseconds=1000,
        )
        http = HTTPServer(_Guard(pages, own), max_body_size=LARGEST_MESSAGE)
        http.add_sockets(sockets)
        self._server = BaseServer(self._loop, pages, http)
        self._server.start()

    def _page(self, document: Document) -> None:
        context = document.session_context
        arguments: dict[str, list[bytes]] = dict(context.request.arguments) if context else {}
        link = arguments.get("view", [b""])[0].decode(errors="replace") or None
        if self.pages >= MOST_PAGES:
            document.title = f"{MOST_PAGES} pages are open; close some, and reload this one"
            return
        self.pages += 1
        document.on_session_destroyed(self._left)
        Page(document, self._engine, self._source, self._kept, link)

    def _left(self, _: Any) -> None:
        self.pages -= 1

    def serve(self) -> None:
        """Serve until `stop`, in this thread."""
        self._loop.start()
        self._server.stop(wait=False)
        self._engine.close()

    def stop(self) -> None:
        """End `serve`; may be called from any thread and from a signal handler."""
        self._loop.add_callback(self._loop.stop)


class _Guard(Router):
    """Answers the server's own pages, and refuses requests from other sites."""

    def __init__(self, pages: BokehTornado, own: list[str]) -> None:
        self._pages, self._hosts = pages, {host.lower() for host in own}
        self._origins = {f"http://{host}" for host in self._hosts}
        self._forbidden = Application([(".*", _Forbidden)])

    def find_handler(self, request: HTTPServerRequest, **options: Any) -> HTTPMessageDelegate:
        """Check Host, for other names may lead to this machine, and Origin if there is one."""
        hosts = request.headers.get_list("Host")
        origins = request.headers.get_list("Origin")
        allowed = (
            len(hosts) == 1
            and hosts[0].lower() in self._hosts
            and all(origin.lower() in self._origins for origin in origins)
        )
        app = self._pages if allowed else self._forbidden
        return app.find_handler(request, **options)


class _Forbidden(RequestHandler):
    def prepare(self) -> None:
        """Refuse the request."""
        self.set_status(403)
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("403: the explorer answers only pages of its own address\n")

    def data_received(self, chunk: bytes) -> None:
        """Ignore the body."""


class _Fetch(RequestHandler):
    def initialize(self, kept: Exports) -> None:
        self._kept = kept

    def get(self, token: str) -> None:
        export = self._kept.take(token)
        if export is None:
            self.set_status(404)
            return
        self.set_header("Content-Type", export.kind)
        self.set_header("Content-Disposition", f'attachment; filename="{export.name}"')
        self.write(export.content)

    def data_received(self, chunk: bytes) -> None:
        """Ignore the body."""


def _listening(port: int) -> socket.socket:
    made = socket.create_server((ADDRESS, port))
    made.setblocking(False)
    return made


def _sockets(port: int | None) -> list[Any]:
    try:
        return [_listening(PORT if port is None else port)]
    except OSError as error:
        if port is None:
            return [_listening(0)]
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"port {port} of {ADDRESS} cannot be used: {reason}; choose another, or leave it out"
        ) from None


def in_background(source: Source, port: int | None = None) -> tuple[Explorer, threading.Thread]:
    """Serve from a thread, as for a notebook.

    Parameters
    ----------
    source, port
        As for `Explorer`.

    Returns
    -------
    Explorer
        The running server.
    Thread
        Its thread, which ends after `Explorer.stop`.
    """
    made: list[Explorer | BaseException] = []
    ready = threading.Event()

    def serve() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            explorer = Explorer(source, port)
        except BaseException as error:
            made.append(error)
            ready.set()
            loop.close()
            return
        made.append(explorer)
        ready.set()
        explorer.serve()
        explorer._loop.close(all_fds=True)

    thread = threading.Thread(target=serve, name="fastmomentum-explorer", daemon=True)
    thread.start()
    ready.wait()
    (one,) = made
    if isinstance(one, BaseException):
        raise one
    return one, thread


def quiet_logs() -> None:
    """Keep the terminal free of messages about pages that were closed while they were answered."""
    for name in ("bokeh", "tornado"):
        logging.getLogger(name).setLevel(logging.ERROR)
