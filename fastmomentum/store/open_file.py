"""A descriptor that closes itself."""

from __future__ import annotations

import os
from collections.abc import Callable

from fastmomentum import system


class OpenFile:
    """A descriptor that is closed once nothing refers to it any more.

    After an interruption a thread may still be writing its block; if the descriptor were closed
    meanwhile, its number could by then belong to another file.
    """

    def __init__(self, path: str, access: int) -> None:
        # A planted symbolic link must not lead our writes elsewhere.
        self.descriptor = system.open_file(path, access, follow=access == os.O_RDONLY)

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        """Close it."""
        if hasattr(self, "descriptor"):  # at the interpreter's end, os itself may be gone
            close(self.descriptor)
