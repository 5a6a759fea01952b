"""Files that are written completely or not at all."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from fastmomentum import system
from fastmomentum.store import files


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file to write to, which then replaces the old file atomically.

    Parameters
    ----------
    path : Path
        The file to replace, atomically and durably, if no exception is raised.

    Yields
    ------
    Path
        An unused name in the same folder.

    Raises
    ------
    StorageError
        No space, no permission, a failing disk.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    with files.in_words(f"writing {path}"):
        files.remove(partial)
        try:
            yield partial
            descriptor = system.open_file(partial, os.O_RDWR, follow=False)
            try:
                files.sync_data(descriptor)
            finally:
                os.close(descriptor)
            files.rename(partial, path)
        finally:
            with contextlib.suppress(OSError):
                files.remove(partial)
