"""Every touch of the disk goes through here: writes, syncs, renames, and their errors in words."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from fastmomentum.errors import StorageError


@contextlib.contextmanager
def in_words(doing: str) -> Iterator[None]:
    """Turn an error of the operating system into a `StorageError`.

    Parameters
    ----------
    doing : str
        What was being done, such as "writing out.h5".

    Raises
    ------
    StorageError
        With the reason and what to do.
    """
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        advice = {
            errno.ENOSPC: "; free some space and run again",
            errno.EDQUOT: "; the quota is used up: free some space and run again",
            errno.EFBIG: "; the limit on a file's size is too low for it",
            errno.EACCES: "; check the permissions, or choose another place",
            errno.EROFS: "; choose another place",
        }.get(error.errno or 0, "")
        raise StorageError(f"{doing}: {reason}{advice}") from error


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all bytes at an offset, however many calls it takes."""
    view = memoryview(data).cast("B")
    while view:
        written = os.pwrite(descriptor, view, offset)
        view, offset = view[written:], offset + written


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Read exactly so many bytes from an offset.

    Raises
    ------
    EOFError
        Where the file ends before.
    """
    parts = []
    while size:
        part = os.pread(descriptor, min(size, 2**30), offset)
        if not part:
            raise EOFError("the file ends too early")
        parts.append(part)
        size, offset = size - len(part), offset + len(part)
    return b"".join(parts) if len(parts) != 1 else parts[0]


def sync_data(descriptor: int) -> None:
    """Return once the data written to a file lie on the disk."""
    os.fdatasync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder lie on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reserve(descriptor: int, size: int) -> None:
    """Take the space that a file will need from the disk, now."""
    os.posix_fallocate(descriptor, 0, size)


def rename(old: Path, new: Path) -> None:
    """Give a file its new name at one blow, and make that last."""
    os.replace(old, new)
    sync_folder(new.parent)


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    path.unlink(missing_ok=True)


def free_bytes(folder: Path) -> int:
    """Bytes free for this user on the disk of a folder."""
    return shutil.disk_usage(folder).free
