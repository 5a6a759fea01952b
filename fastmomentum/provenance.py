"""How, where and when results were computed; none of it is part of the results."""

from __future__ import annotations

import ast
import contextlib
import datetime
import functools
import hashlib
import importlib
import platform
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

COMPUTING: Final = ("fastmomentum", "numpy", "numba", "llvmlite", "sympy", "h5py")
PACKAGE: Final = Path(__file__).parent
ROOTS: Final = ("kernels/block.py", "experiment/plan.py")
"""Modules that compute results and define what is computed; the bits depend on all they import."""


def provenance() -> dict[str, str]:
    """Attributes that say how a file was made.

    Returns
    -------
    dict of str
        Versions of everything that computes, the CPU, the time and the command line.
    """
    said = {f"{name}_version": package_version(name) for name in COMPUTING}
    said["python_version"] = platform.python_version()
    said["platform"] = platform.platform()
    said["cpu"] = cpu_name()
    said["created"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    # A file name may contain bytes that are not text.
    command = command_line(sys.argv).encode(errors="backslashreplace").decode()
    said["command_line"] = command[:4096]
    return said


def changed_since(said: Mapping[str, object]) -> list[str]:
    """Versions and CPU that have changed since a file was made.

    Parameters
    ----------
    said : mapping
        Attributes from `provenance`.

    Returns
    -------
    list of str
        A line for each: the old value and the new one.
    """
    now = {f"{name}_version": package_version(name) for name in COMPUTING[:-1]}
    return [
        f"{name.removesuffix('_version')} was {said[name]} and is {value}"
        for name, value in (now | {"cpu": cpu_name()}).items()
        if name in said and said[name] != value
    ]


@functools.cache
def computing() -> tuple[tuple[str, str], ...]:
    """Versions that the bits of the results depend on; all processes of a run must agree on them.

    Returns
    -------
    tuple of (str, str)
        Names and versions; our own with a digest of the current sources.
    """
    digest = hashlib.sha256()
    for path in sources():
        digest.update(path.read_bytes())
    own = f"{package_version('fastmomentum')} (sources {digest.hexdigest()[:8]})"
    others = (name for name in COMPUTING[1:] if name != "h5py")
    return ("fastmomentum", own), *((name, package_version(name)) for name in others)


def sources(package: Path = PACKAGE) -> list[Path]:
    """Our own modules that the bits of results depend on: `ROOTS` and all that they import.

    Parameters
    ----------
    package : Path
        Folder of the package.

    Returns
    -------
    list of Path
        Sorted.

    Raises
    ------
    FileNotFoundError
        A listed module does not exist.
    """
    found: set[Path] = set()
    left = [package / root for root in ROOTS]
    while left:
        path = left.pop()
        if path not in found:
            found.add(path)
            left += _imported(path, package)
    return sorted(found)


def _imported(path: Path, package: Path) -> Iterator[Path]:
    """Our own modules that a module imports, at the top or inside functions."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (place for name in names if (place := _place(name, package)))
            names = [str(node.module)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (place for name in names if (place := _place(name, package)))


def _place(name: str, package: Path) -> Path | None:
    """File of one of our own modules or packages; None for others."""
    top, *rest = name.split(".")
    if top != "fastmomentum" or not rest:
        return None
    place = package.joinpath(*rest)
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if file.exists()), None)


def package_version(name: str) -> str:
    """Version of an installed package, or "unknown"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def cpu_name() -> str:
    """The processor's name as the system reports it."""
    ways: dict[str, Callable[[], str]] = {"darwin": _cpu_of_macos, "win32": _cpu_of_windows}
    return ways.get(sys.platform, _cpu_of_linux)() or platform.processor() or platform.machine()


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
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
