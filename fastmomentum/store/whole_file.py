"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from fastmomentum.store import files, system


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write to; whoever looks sees the old one, or the whole new one.

    Parameters
    ----------
    path : Path
        What it will be called, atomically and durably, if no exception is raised.

    Yields
    ------
    Path
        A name beside it that nobody has.

    Raises
    ------
    StorageError
        No space, no permission, a failing disk.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
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
