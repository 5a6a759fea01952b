"""The suite can be collected where a system lacks what only Linux and macOS have."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.helpers import on_linux

ROOT = Path(__file__).parents[1]

IMPORTING = """
import builtins, contextlib, importlib, io, os, signal, sys, traceback
from pathlib import Path
import pytest

ABSENT = {"fcntl", "grp", "posix", "pwd", "pty", "resource", "termios"}
LACKING = {os: "mkfifo killpg", signal: "SIGKILL SIGSTOP SIGCONT SIGUSR1"}
real_import, real_open = builtins.__import__, io.open

def importing(name, globals=None, *rest, **options):
    if name in ABSENT and (globals or {}).get("__name__", "").startswith("tests."):
        raise ModuleNotFoundError(f"No module named {name!r}")
    return real_import(name, globals, *rest, **options)

def opening(path, *rest, **options):
    if str(path).startswith(("/proc", "/dev/full")):
        raise FileNotFoundError(2, "No such file or directory", str(path))
    return real_open(path, *rest, **options)

builtins.__import__ = importing
io.open = opening  # pathlib's, not that of other libraries
for module, names in LACKING.items():
    for name in names.split():
        delattr(module, name)

count = 0
for path in sorted(Path("tests").rglob("*.py")):
    if path.name.startswith(("test_", "conftest")) and "parity" not in path.parts:
        count += 1
        try:
            with contextlib.suppress(pytest.skip.Exception):
                importlib.import_module(".".join(path.with_suffix("").parts))
        except Exception:
            traceback.print_exc(limit=-1)
print(count)
"""
"""Hides it from our tests, and not from the libraries that these import."""


@on_linux  # plays Windows
def test_no_module_needs_at_its_top_what_windows_lacks() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert int(done.stdout) > 90
