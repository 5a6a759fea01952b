"""What systems have otherwise, besides files: cores, memory, signals, names; `system` has files.

These two alone tell operating systems apart.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import platform
import shlex
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any


def system_name() -> str:
    """What the system is called: Linux, macOS, Windows, or Python's own word for another."""
    names = {"linux": "Linux", "darwin": "macOS", "win32": "Windows"}
    return names.get(sys.platform, sys.platform)


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def free_memory() -> int | None:
    """Free memory in bytes; on macOS all memory, and None where the system does not say."""
    if system_name() == "Windows":
        return _free_memory_of_windows()
    for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            if (pages := os.sysconf(name)) > 0:
                return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def _free_memory_of_windows() -> int | None:
    import ctypes

    status = ctypes.create_string_buffer(64)  # MEMORYSTATUSEX: two numbers of 4 bytes, seven of 8
    struct.pack_into("=I", status, 0, len(status))
    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009  (types know it on Windows alone)
    if not kernel.GlobalMemoryStatusEx(status):
        return None
    free: int = struct.unpack_from("=Q", status, 16)[0]
    return free


@contextlib.contextmanager
def children_ignore_interrupts() -> Iterator[None]:
    """Let processes started meanwhile ignore Ctrl-C, which a terminal sends to all of them.

    Those that are just starting would print stack traces. Where signals can be blocked, this thread
    gets no Ctrl-C meanwhile, but the main thread does; Windows lets the whole process ignore it, so
    that this must not last longer than the start.
    """
    if hasattr(signal, "pthread_sigmask"):
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # starting it later would unblock the signal again
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return
    import ctypes

    kernel: Any = getattr(ctypes, "windll").kernel32  # noqa: B009  (types know it on Windows alone)
    kernel.SetConsoleCtrlHandler(None, True)
    try:
        yield
    finally:
        kernel.SetConsoleCtrlHandler(None, False)


def ending_signals() -> list[int]:
    """Signals besides Ctrl-C that ask a program to end: SIGTERM, and Windows' Ctrl-Break."""
    found = (getattr(signal, name, None) for name in ("SIGTERM", "SIGBREAK"))
    return [number for number in found if number is not None]


def cpu_name() -> str:
    """The processor's name as the system reports it."""
    ways: dict[str, Callable[[], str]] = {"macOS": _cpu_of_macos, "Windows": _cpu_of_windows}
    return ways.get(system_name(), _cpu_of_linux)() or platform.processor() or platform.machine()


def _cpu_of_linux() -> str:
    with contextlib.suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return ""


@functools.cache  # each call would start a process
def _cpu_of_macos() -> str:
    asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(asked, capture_output=True, text=True, timeout=5).stdout.strip()
    return ""


def _cpu_of_windows() -> str:
    registry: Any = importlib.import_module("winreg")
    place = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with (
        contextlib.suppress(OSError),
        registry.OpenKey(registry.HKEY_LOCAL_MACHINE, place) as key,
    ):
        return str(registry.QueryValueEx(key, "ProcessorNameString")[0]).strip()
    return ""


def command_line(words: Sequence[str]) -> str:
    """Write words as a command line, quoted for this system's shell.

    Examples
    --------
    >>> command_line(["fastmomentum", "run", "my plan.toml"])  # doctest: +SKIP
    "fastmomentum run 'my plan.toml'"
    """
    return subprocess.list2cmdline(words) if system_name() == "Windows" else shlex.join(words)
