"""Calls on files, and a workaround for each call that a system lacks; `machine` has the rest.

Linux has every call. macOS has no `posix_fadvise`, `posix_fallocate` and `fdatasync`, and its
`fsync` stops at the disk's own cache. Windows lacks these, reads and writes at an offset, folders
that can be synced, flags of `open`, and it does not rename or remove a file that is open. Each call
is looked up when it is needed, so that a test can hide it.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

MOST_AT_ONCE: Final = 2**30
"""Bytes per call: macOS refuses 2 GiB, and Windows counts in 32 bits."""
UNKNOWN: Final = frozenset(
    {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.ENOTTY, errno.EOPNOTSUPP}
)
"""Error numbers of a file system that does not support a call, or not for such a file."""
NO_LOCKS: Final = frozenset({errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""Error numbers of a file system without locks, such as NFS without its lock daemon."""

PAUSES: Final = (0.01, 0.02, 0.04, 0.08, 0.15, 0.3, 0.4)
"""Seconds to wait while others have a file open on Windows: virus scanners soon close it."""
HELD: Final = frozenset({5, 32})
"""Windows' errors where a file is open: access denied (which has other causes too), sharing."""

_F_PREALLOCATE: Final = 42  # of macOS, for which Python has no name
_F_ALLOCATEALL: Final = 4
_F_PEOFPOSMODE: Final = 3


class FileHeldError(PermissionError):
    """A file to be renamed or removed is open elsewhere, which Windows does not allow."""


_turns: Final = tuple(threading.Lock() for _ in range(64))


def names_are_held() -> bool:
    """Whether a file cannot be renamed or removed while anyone has it open."""
    return hasattr(os, "O_BINARY")  # only Windows distinguishes text from binary files


def is_mine(about: os.stat_result) -> bool:
    """Whether a file is its user's own; on Windows, without user ids, a profile's files are."""
    return not hasattr(os, "getuid") or about.st_uid == os.getuid()


def others_may_write(about: os.stat_result) -> bool:
    """Whether the mode of a file lets others write to it; Windows has no such bits."""
    return hasattr(os, "getuid") and bool(about.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def reader_is_gone(error: OSError) -> bool:
    """Whether writing failed because nobody reads the pipe; Windows calls that invalid."""
    windows = sys.platform == "win32" and error.errno == errno.EINVAL and not error.filename
    return isinstance(error, BrokenPipeError) or windows


def open_file(path: str | Path, access: int, *, follow: bool = True, create: bool = False) -> int:
    """Open a file in binary mode; child processes do not inherit it.

    Parameters
    ----------
    path : path
        The file.
    access : int
        `os.O_RDONLY`, `os.O_WRONLY` or `os.O_RDWR`.
    follow : bool
        Whether a symbolic link may lead elsewhere.
    create : bool
        Whether to create it; it must not exist yet.

    Returns
    -------
    int
        A descriptor.

    Raises
    ------
    OSError
        It cannot be opened; ELOOP where it is a link that is not followed.
    """
    flags = access | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if create:
        flags |= os.O_CREAT | os.O_EXCL
    if access == os.O_RDONLY:  # a planted pipe must not block us
        if hasattr(os, "O_NONBLOCK"):
            flags |= os.O_NONBLOCK
        elif not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116
            raise OSError(errno.EINVAL, "not a regular file", str(path))
    if follow:
        return os.open(path, flags, 0o666)
    if hasattr(os, "O_NOFOLLOW"):
        return os.open(path, flags | os.O_NOFOLLOW, 0o666)
    if os.path.islink(path):  # noqa: PTH114
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    descriptor = os.open(path, flags, 0o666)
    try:
        # A link may have been put there since: the open file must be the one that has the name.
        # The device is not compared: Windows reports it in two ways.
        named = os.lstat(path)
        if stat.S_ISLNK(named.st_mode) or named.st_ino != os.fstat(descriptor).st_ino:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


@contextlib.contextmanager
def _standing_at(descriptor: int, offset: int) -> Iterator[None]:
    """Hold a descriptor's position exclusively, for systems without reads at an offset."""
    with _turns[descriptor % len(_turns)]:
        os.lseek(descriptor, offset, os.SEEK_SET)
        yield


def write_some(descriptor: int, view: memoryview, offset: int) -> int:
    """Write bytes at an offset; return how many of them were written."""
    view = view[:MOST_AT_ONCE]
    if hasattr(os, "pwrite"):
        return os.pwrite(descriptor, view, offset)
    with _standing_at(descriptor, offset):
        return os.write(descriptor, view)


def read_some(descriptor: int, view: memoryview, offset: int) -> int:
    """Read bytes at an offset; return how many were read, 0 at the end of the file."""
    view = view[:MOST_AT_ONCE]
    if hasattr(os, "preadv"):
        return os.preadv(descriptor, [view], offset)
    if hasattr(os, "pread"):
        data = os.pread(descriptor, len(view), offset)
        view[: len(data)] = data
        return len(data)
    with _standing_at(descriptor, offset), io.FileIO(descriptor, closefd=False) as file:
        return file.readinto(view) or 0


def advise(descriptor: int, advice: str, offset: int = 0, size: int = 0) -> None:
    """Advise the system how bytes will be used, where it supports that.

    Parameters
    ----------
    descriptor : int
        The file.
    advice : {"NORMAL", "RANDOM", "WILLNEED", "DONTNEED"}
        As for `posix_fadvise`.
    offset, size : int
        Which bytes; 0 and 0 for all.
    """
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, offset, size, getattr(os, f"POSIX_FADV_{advice}"))


def set_size(descriptor: int, size: int) -> None:
    """Extend a new, empty file to a size with zeros; on macOS that reserves its space as well."""
    if sys.platform == "darwin":
        room = struct.pack("=Iiqqq", _F_ALLOCATEALL, _F_PEOFPOSMODE, 0, size, 0)
        try:
            fcntl.fcntl(descriptor, _F_PREALLOCATE, room)
        except OSError as error:
            if error.errno not in UNKNOWN:
                raise
    os.ftruncate(descriptor, size)


def reserve(descriptor: int, start: int, stop: int) -> bool:
    """Allocate disk space for an empty range now.

    Parameters
    ----------
    descriptor : int
        The file.
    start, stop : int
        The range in bytes; `stop` is not part of it.

    Returns
    -------
    bool
        False where the system cannot, and zeros have to be written.
    """
    if not hasattr(os, "posix_fallocate"):
        status = os.fstat(descriptor)
        return getattr(status, "st_blocks", 0) * 512 >= status.st_size  # by `set_size`
    try:
        os.posix_fallocate(descriptor, start, stop - start)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        return False
    return True


def sync_data(descriptor: int) -> None:
    """Return once the data written to a file are on the disk."""
    if _synced_fully(descriptor):
        return
    if hasattr(os, "fdatasync"):
        os.fdatasync(descriptor)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return once a folder's names are on the disk; Windows and some network disks cannot say."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if not _synced_fully(descriptor):
            os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
    finally:
        os.close(descriptor)


def _synced_fully(descriptor: int) -> bool:
    """Empty the disk's own cache as well, which `fsync` leaves alone on macOS."""
    command = getattr(fcntl, "F_FULLFSYNC", None)
    if command is None:
        return False
    try:
        fcntl.fcntl(descriptor, command)
    except OSError as error:
        if error.errno not in UNKNOWN:
            raise
        return False
    return True


def replace(old: Path, new: Path) -> None:
    """Rename a file atomically, replacing the file that has the new name."""
    _patiently(lambda: old.replace(new))


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    _patiently(lambda: path.unlink(missing_ok=True))


def _patiently(act: Callable[[], object]) -> None:
    for pause in (*PAUSES, None):
        try:
            act()
            return
        except PermissionError as error:
            if getattr(error, "winerror", None) not in HELD:
                raise
            if pause is None:
                raise FileHeldError(error.errno, error.strerror, error.filename) from error
            time.sleep(pause)
