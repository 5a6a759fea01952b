"""The lock that keeps a second writer away from a results file."""

from __future__ import annotations

import contextlib
import os
import warnings
from pathlib import Path
from typing import Final

import filelock

from fastmomentum import system
from fastmomentum.errors import FastmomentumWarning, StorageError
from fastmomentum.store.files import in_words, remove

PATIENCE: Final = 0.15
"""Seconds to wait for a lock: a process killed while it starts another releases it a bit late."""


class Lock:
    """Keeps a second writer away from a results file; released when its process dies.

    Where the file system has no locks, a file with the process's number and its machine's name
    stands in, with a warning. Once that process is dead, the next one on the same machine ignores
    the file.

    Parameters
    ----------
    path : Path
        The results file; the lock is a file beside it.

    Raises
    ------
    StorageError
        Another process is writing there, or the folder cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.with_name(path.name + ".lock")
        if self.path.is_symlink():  # planted: the write would follow it
            raise StorageError(f"locking {path}: {self.path.name} is a symbolic link; remove it")
        self._held: filelock.BaseFileLock = filelock.FileLock(self.path, fallback_to_soft=False)
        try:
            with in_words(f"locking {path}"):
                self._acquire(path)
        except StorageError as error:
            if isinstance(error.__cause__, filelock.Timeout):
                raise self._busy(path) from None
            raise

    def _acquire(self, path: Path) -> None:
        try:
            self._held.acquire(timeout=PATIENCE, poll_interval=0.01)
        except OSError as error:
            if error.errno not in system.NO_LOCKS:
                raise
            remove(self.path)  # made before the lock was refused
            # Under another name: a process that finds this out later leaves an empty .lock file.
            self.path = path.with_name(path.name + ".lock-pid")
            self._held = filelock.SoftFileLock(self.path)
            self._held.acquire(timeout=PATIENCE, poll_interval=0.01)
            warnings.warn(
                f"{path}: this file system knows no locks ({os.strerror(error.errno).lower()}); "
                f"{self.path.name} stands in for one: write there from one machine at a time",
                FastmomentumWarning,
                stacklevel=4,
            )

    def _busy(self, path: Path) -> StorageError:
        if not self.path.exists():
            return StorageError(f"locking {path}: no file can be made there; choose another place")
        said = f"{path}: another process is writing there; wait for it, or choose another file"
        if isinstance(self._held, filelock.SoftFileLock):
            with contextlib.suppress(OSError, ValueError):
                pid, host = self.path.read_text(encoding="utf-8").split()[:2]
                return StorageError(
                    f"{said} (it is process {pid} on {host}; should that be gone, remove "
                    f"{self.path})"
                )
        return StorageError(said)

    def release(self) -> None:
        """Let the next process write; one that waits for the removed file makes a new one."""
        if system.names_are_held() or isinstance(self._held, filelock.SoftFileLock):
            self._held.release()  # an open file cannot be removed; this removes the stand-in itself
            if system.names_are_held():
                with contextlib.suppress(OSError):  # the next process already has it
                    self.path.unlink(missing_ok=True)
            return
        with contextlib.suppress(OSError):
            remove(self.path)
        self._held.release()
