"""How, where and when results were computed; none of it is part of the results."""

from __future__ import annotations

import ast
import datetime
import functools
import hashlib
import platform
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from fastmomentum import machine

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
    said["cpu"] = machine.cpu_name()
    said["created"] = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    # A file name may contain bytes that are not text.
    command = machine.command_line(sys.argv).encode(errors="backslashreplace").decode()
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
        for name, value in (now | {"cpu": machine.cpu_name()}).items()
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
