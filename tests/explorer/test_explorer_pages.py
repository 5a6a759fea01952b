"""The explorer's server against strange pages: too many, of other sites, and with strange words."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

pytest.importorskip("bokeh", reason="the extra explore is not installed")

from bokeh.document import Document

from fastmomentum.explorer import serving
from fastmomentum.explorer.exports import Exports
from fastmomentum.explorer.maps import Engine
from fastmomentum.explorer.page import LONGEST, Page
from fastmomentum.explorer.serving import Explorer, in_background
from fastmomentum.explorer.showing import USUAL_PIXELS
from fastmomentum.explorer.source import Source


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    engine = Engine(1)
    yield Page(Document(), engine, Source(), Exports())
    engine.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Explorer]:
    made, thread = in_background(Source(), port=0)
    yield made
    made.stop()
    thread.join()


def fetched(server: Explorer, path: str = "/", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def test_pages_are_counted_and_left_pages_make_room(
    server: Explorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "MOST_PAGES", 1)
    assert "pages are open" not in fetched(server)[1]
    assert "1 pages are open; close some" in fetched(server)[1]
    until = time.monotonic() + 120
    while server.pages and time.monotonic() < until:
        time.sleep(0.2)
    assert server.pages == 0
    assert "pages are open" not in fetched(server)[1]


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
def test_a_socket_opens_for_own_pages_alone(server: Explorer, origin: str) -> None:
    status, _ = fetched(
        server, "/ws", Origin=origin, Upgrade="websocket", Connection="Upgrade",
        Sec_WebSocket_Version="13", Sec_WebSocket_Key="AAAAAAAAAAAAAAAAAAAAAA==",
    )  # fmt: skip
    assert status == 403


STRANGE = [
    "", "{", "[]", "7", '[{"n": 1}]', '[{"n": "x", "do": "steps"}]', "[" * 5000,
    '[{"n": 1, "do": 3, "value": {}}]',
    json.dumps([{"n": 1, "do": "steps", "value": "9" * LONGEST}]),
]  # fmt: skip


@pytest.mark.parametrize("text", STRANGE, ids=range(len(STRANGE)))
def test_strange_messages_change_nothing(page: Page, text: str) -> None:
    page._heard(text)
    assert page.session.view == Source().view


@pytest.mark.parametrize(("name", "asked"), [
    ("field", {}), ("field", {"window": 3}), ("field", {"window": [[0, 1], [2, 2]]}),
    ("field", {"window": [[0, float("nan")], [0, 1]]}), ("field", {"window": [["a", 1], [0, 1]]}),
    ("pixels", {"value": ["x", 3]}), ("pixels", {"value": [float("inf"), 3]}), ("pixels", {}),
    ("window", {"windows": {"lr": [1]}}), ("window", {}), ("nothing", {}),
    ("cell", {"value": None}),
    ("schedule", {"of": "lr", "table": 3}), ("schedule", {}), ("noise", {}), ("seed", {}),
    ("others", {"tables": {"grid": {"lr": [0.1]}}}),
    ("others", {"tables": {"grid": {"velocity": [[0, 0], [1, 1]]}}}),
    ("others", {"tables": {"noise": {"gaussian": 0.1}, "grid": {"seed": 1000}}}),
    ("others", {"tables": {"stop": {"targets": [0.1, 0.01]}}}),
])  # fmt: skip
def test_strange_requests_leave_the_view(page: Page, name: str, asked: dict[str, object]) -> None:
    page.session._apply(name, asked)
    assert page.session.view == Source().view
    assert page.session.pixels == USUAL_PIXELS


@pytest.mark.parametrize(("seconds", "kinds"), [(1e-7, ["fine"]), (1.0, ["half", "fine"])])
def test_a_map_that_takes_long_is_shown_halfway(
    page: Page, monkeypatch: pytest.MonkeyPatch, seconds: float, kinds: list[str]
) -> None:
    said: list[dict[str, Any]] = []
    page.session._inbox.take(waits=False)  # what strange messages of other tests have left there
    monkeypatch.setattr(page.session, "say", lambda **parts: said.append(parts))
    monkeypatch.setattr(page.session, "pixels", (60, 50))
    monkeypatch.setattr(page.session, "_seconds_a_cell", seconds)  # as the coarse map took
    assert page.session._fine()
    shown = [parts["shown"] for parts in said if "shown" in parts]
    assert [one["kind"] for one in shown] == kinds
    assert all(one["cells"] == [60, 50] for one in shown)
