"""Makes Python look as on macOS or Windows to the store: hides what these lack from `os`.

`FASTMOMENTUM_TEST_SYSTEM` says which; in a process that finds this folder in its PYTHONPATH Python
imports it by itself, so the children of a test are covered like the test.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable
from typing import Any

MACOS = ("posix_fadvise", "posix_fallocate", "fdatasync", "preadv", "sched_getaffinity")
# Windows has no O_NONBLOCK either, but what locks files on this system needs it.
WINDOWS = (*MACOS, "pwrite", "pwritev", "pread", "O_DIRECTORY", "O_NOFOLLOW", "O_CLOEXEC")
HIDDEN = {"macos": MACOS, "windows": WINDOWS}


def is_open(path: Any) -> bool:
    """Whether this process or a child of it has a file open."""
    try:
        named = os.lstat(path)
    except OSError:
        return False
    processes = ["self"]
    for thread in os.listdir("/proc/self/task"):  # noqa: PTH208
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/children") as file:  # noqa: PTH123
            processes += file.read().split()
    for process in processes:
        with contextlib.suppress(OSError):
            for entry in os.listdir(f"/proc/{process}/fd"):  # noqa: PTH208
                with contextlib.suppress(OSError):
                    opened = os.stat(f"/proc/{process}/fd/{entry}")  # noqa: PTH116
                    if os.path.samestat(named, opened):
                        return True
    return False


def holding(act: Callable[..., Any]) -> Callable[..., Any]:
    """A rename or removal as Windows does it: not of files that are open."""

    def held(*paths: Any, **options: Any) -> Any:
        for path in paths:
            if not options and is_open(path) and stat.S_ISREG(os.lstat(path).st_mode):
                error = PermissionError(13, "The process cannot access the file", str(path))
                error.winerror = 32  # type: ignore[attr-defined]
                raise error
        return act(*paths, **options)

    return held


def hide(name: str, delete: Callable[[Any, str], None], put: Callable[..., None]) -> None:
    """Make `os` look as on another system, with `delattr` and `setattr` or what undoes itself."""
    for call in HIDDEN[name]:
        if hasattr(os, call):
            delete(os, call)
    if name == "windows":
        put(os, "O_BINARY", 0)
        for call in ("replace", "rename", "unlink", "remove"):
            put(os, call, holding(getattr(os, call)))


if (wanted := os.environ.get("FASTMOMENTUM_TEST_SYSTEM")) and "pytest" not in sys.modules:
    hide(wanted, delattr, setattr)
