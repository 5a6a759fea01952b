"""Cores, memory and Ctrl-C, as the operating system has them; `system` does the same for files."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys
from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import Any


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int | None:
    """Free memory in bytes; on macOS all memory, and None where the system does not say."""
    if sys.platform == "win32":
        return _free_memory_of_windows()
    for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            if (pages := os.sysconf(name)) > 0:
                return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def _free_memory_of_windows() -> int | None:
    status = ctypes.create_string_buffer(64)  # MEMORYSTATUSEX: two numbers of 4 bytes, seven of 8
    struct.pack_into("=I", status, 0, len(status))
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009
    if not kernel.GlobalMemoryStatusEx(status):
        return None
    free: int = struct.unpack_from("=Q", status, 16)[0]
    return free


@contextlib.contextmanager
def children_ignore_interrupts() -> Iterator[None]:
    """Let processes started meanwhile ignore Ctrl-C, which a terminal sends to all of them."""
    if hasattr(signal, "pthread_sigmask"):
        resource_tracker.ensure_running()  # starting it later would unblock the signal again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009
    kernel.SetConsoleCtrlHandler(None, True)
    try:
        yield
    finally:
        kernel.SetConsoleCtrlHandler(None, False)
