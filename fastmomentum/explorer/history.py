"""The views that a page has shown, for back and forward."""

from __future__ import annotations

from typing import Final

from fastmomentum.explorer.view import View

MOST: Final = 200
"""Most views that are kept."""


class History:
    """Views in the order in which they were shown, and which one is current.

    Examples
    --------
    >>> from fastmomentum.explorer.view import first_view
    >>> one = first_view()
    >>> history = History(one)
    >>> history.enter(one.changed(steps=500))
    >>> history.back().steps, history.can_go_forward
    (2000, True)
    """

    def __init__(self, view: View) -> None:
        self._views = [view]
        self._at = 0

    def __len__(self) -> int:
        """Number of views."""
        return len(self._views)

    @property
    def shown(self) -> View:
        """The current view."""
        return self._views[self._at]

    @property
    def can_go_back(self) -> bool:
        """Whether there is a previous view."""
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        """Whether there is a next view."""
        return self._at + 1 < len(self._views)

    def enter(self, view: View) -> None:
        """Add a view after the current one; views that followed it are dropped."""
        if view.map_key == self.shown.map_key:
            self._views[self._at] = view
            return
        self._views = [*self._views[: self._at + 1], view][-MOST:]
        self._at = len(self._views) - 1

    def back(self) -> View:
        """Go to the previous view, if there is one."""
        self._at = max(self._at - 1, 0)
        return self.shown

    def forward(self) -> View:
        """Go to the next view, if there is one."""
        self._at = min(self._at + 1, len(self._views) - 1)
        return self.shown
