"""Requests of a page that are not done yet: newer gestures replace older ones."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Final

QUIET: Final = {"cell", "theory", "field", "pixels"}
"""Answered while a map is computed, for the map stays the same."""

GESTURES: Final = {"window", "cell", "start", "field", "pixels"}
"""Of these, if they follow each other, only the last counts."""

MOST: Final = 500
"""Most waiting requests: no hand at a page makes more."""

Change = tuple[str, Mapping[str, Any]]


class Inbox:
    """Requests that wait for the thread of a page.

    Examples
    --------
    >>> inbox = Inbox()
    >>> for x in (0.1, 0.2):
    ...     inbox.put("cell", {"value": [x, 0.5]})
    >>> inbox.quiet()
    [('cell', {'value': [0.2, 0.5]})]
    >>> inbox.put("steps", {"value": 10})
    >>> inbox.quiet() is None, inbox.take(waits=False)
    (True, [('steps', {'value': 10})])
    """

    def __init__(self) -> None:
        self._waiting: list[Change] = []
        self._changed = threading.Condition()
        self.is_closed = False

    def put(self, name: str, asked: Mapping[str, Any]) -> None:
        """Add a request."""
        with self._changed:
            if self._waiting and name in GESTURES and self._waiting[-1][0] == name:
                self._waiting.pop()
            if len(self._waiting) < MOST:
                self._waiting.append((name, asked))
            self._changed.notify()

    def take(self, waits: bool) -> list[Change]:
        """Take all requests; with `waits`, block until there is one."""
        with self._changed:
            while waits and not (self._waiting or self.is_closed):
                self._changed.wait()
            taken, self._waiting = self._waiting, []
            return taken

    def pause(self, seconds: float) -> None:
        """Wait so long, or until there is a request."""
        with self._changed:
            if not (self._waiting or self.is_closed):
                self._changed.wait(seconds)

    def quiet(self) -> list[Change] | None:
        """Take the requests if the current map is still wanted; None if it is not."""
        with self._changed:
            if self.is_closed or any(name not in QUIET for name, _ in self._waiting):
                return None
            taken, self._waiting = self._waiting, []
            return taken

    def close(self) -> None:
        """Wake and end whoever waits for requests."""
        with self._changed:
            self.is_closed = True
            self._changed.notify()
