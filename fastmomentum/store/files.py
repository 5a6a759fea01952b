"""All access to the disk: reads, writes, syncs, renames, and readable messages when they fail."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from fastmomentum import system
from fastmomentum.errors import FileError, InputError, StorageError

AT_ONCE: Final = 2**20
"""Bytes per call where many are read or written: half of a core's cache."""


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
        if isinstance(error, system.FileHeldError):
            raise StorageError(
                f"{doing}: it is open elsewhere, and Windows keeps such a file as it is; close it "
                "there (in Python: ds.close()) and run the same again"
            ) from error
        reason = (error.strerror or str(error)).lower()
        advice = {
            errno.ENOSPC: "; free some space and run again",
            errno.EDQUOT: "; the quota is used up: free some space and run again",
            errno.EFBIG: "; the limit on a file's size is too low for it",
            errno.EACCES: "; check the permissions, or choose another place",
            errno.EROFS: "; choose another place",
            errno.EIO: "; the disk may be failing: check it, then run again",
        }.get(error.errno or 0, "")
        raise StorageError(f"{doing}: {reason}{advice}") from error


@contextlib.contextmanager
def reading(path: Path) -> Iterator[int]:
    """Open a results file that anyone may have put there, to read it.

    Parameters
    ----------
    path : Path
        The file; symbolic links to it are followed.

    Yields
    ------
    int
        A descriptor.

    Raises
    ------
    InputError
        There is no such file, it may not be read, or it is a folder.
    FileError
        It is no regular file, or ends before it should.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a results file")
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a device may already do something
            raise FileError(f"{path} is no regular file; name a results file")
        descriptor = system.open_file(path, os.O_RDONLY)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except PermissionError:
        raise InputError(f"{path}: may not be read; check its permissions") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(f"{path}: cannot be opened: {reason.lower()}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileError(f"{path} is no regular file; name a results file")
        yield descriptor
    except EOFError:
        raise FileError(f"{path}: damaged: it is cut short") from None
    except OSError as error:
        if isinstance(error, StorageError | InputError):
            raise
        raise StorageError(f"reading {path}: {(error.strerror or str(error)).lower()}") from error
    finally:
        os.close(descriptor)


def create(path: Path, size: int) -> int:
    """Create a file that must not exist yet, and return its descriptor.

    Parameters
    ----------
    path : Path
        The file.
    size : int
        Its bytes, all zero.

    Returns
    -------
    int
        A descriptor to read and write.
    """
    descriptor = system.open_file(path, os.O_RDWR, follow=False, create=True)
    try:
        system.set_size(descriptor, size)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write all bytes at an offset, however many calls it takes."""
    view = memoryview(data).cast("B")
    while view:
        written = system.write_some(descriptor, view, offset)
        view, offset = view[written:], offset + written


def begin_writing_back(descriptor: int, offset: int, size: int) -> None:
    """Have the system start sending what was just written to the disk, without waiting for it.

    By itself it starts only when much has accumulated, and the next sync waits for all of that.
    """
    if size >= AT_ONCE:
        system.advise(descriptor, "DONTNEED", offset, size)


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Read exactly `size` bytes at an offset.

    Raises
    ------
    EOFError
        The file ends before that.
    """
    buffer = bytearray(size)
    read_into(descriptor, memoryview(buffer), offset)
    return bytes(buffer)


def read_into(descriptor: int, view: memoryview, offset: int) -> None:
    """Fill a buffer with the bytes from an offset on.

    Raises
    ------
    EOFError
        The file ends before that.
    """
    while view:
        count = system.read_some(descriptor, view, offset)
        if not count:
            raise EOFError("the file ends too early")
        view, offset = view[count:], offset + count


def parts(descriptor: int, start: int, stop: int) -> Iterator[memoryview]:
    """Yield the bytes of a range in parts, always in the same buffer."""
    buffer = memoryview(bytearray(min(AT_ONCE, stop - start)))
    for offset in range(start, stop, AT_ONCE):
        view = buffer[: min(AT_ONCE, stop - offset)]
        read_into(descriptor, view, offset)
        yield view


@contextlib.contextmanager
def scattered(descriptor: int) -> Iterator[None]:
    """Switch readahead off while reads are scattered over the file."""
    system.advise(descriptor, "RANDOM")
    try:
        yield
    finally:
        system.advise(descriptor, "NORMAL")


def announce(descriptor: int, size: int, offset: int) -> None:
    """Prefetch bytes that will be read soon, without waiting for them."""
    system.advise(descriptor, "WILLNEED", offset, size)


def size_of(descriptor: int) -> int:
    """Bytes of a file."""
    return os.fstat(descriptor).st_size


def sync_data(descriptor: int) -> None:
    """Return once the data written to a file are on the disk."""
    system.sync_data(descriptor)


def sync_folder(folder: Path) -> None:
    """Return once the names in a folder are on the disk."""
    system.sync_folder(folder)


def forget_cached(descriptor: int) -> None:
    """Drop cached pages, so that the next read comes from the disk, where the system can do so."""
    system.advise(descriptor, "DONTNEED")


def reserve(descriptor: int, spans: Iterable[tuple[int, int]]) -> None:
    """Allocate disk space for a file's empty ranges, (start, stop), now.

    Where the file system cannot, zeros are written.
    """
    for start, stop in spans:
        if not system.reserve(descriptor, start, stop):
            for offset in range(start, stop, AT_ONCE):
                write_at(descriptor, bytes(min(AT_ONCE, stop - offset)), offset)


def rename(old: Path, new: Path) -> None:
    """Rename a file atomically and durably."""
    system.replace(old, new)
    sync_folder(new.parent)


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    system.remove(path)


def free_bytes(folder: Path) -> int:
    """Bytes free for this user on the disk of a folder."""
    return shutil.disk_usage(folder).free
