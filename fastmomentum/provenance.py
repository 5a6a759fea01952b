"""With what, where and when results were made; none of it is part of the results."""

from __future__ import annotations

import datetime
import functools
import hashlib
import platform
import shlex
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

COMPUTING: Final = ("fastmomentum", "numpy", "numba", "llvmlite", "h5py")
SOURCES: Final = (
    "axis",
    "grid",
    "kernels",
    "places",
    "plain_numbers",
    "protocol",
    "ranges",
    "rules",
    "update_rule",
    "objectives/*",
)
"""Modules of ours that the bits of the results depend on."""


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
    # A name of a file may have bytes that are no text.
    command = shlex.join(sys.argv).encode(errors="backslashreplace").decode()
    said["command_line"] = command[:4096]
    return said


def changed_since(said: Mapping[str, object]) -> list[str]:
    """What computes now and did not when a file was made.

    Parameters
    ----------
    said : mapping
        Attributes from `provenance`.

    Returns
    -------
    list of str
        A line for each: what it was, and what it is.
    """
    now = {f"{name}_version": package_version(name) for name in COMPUTING[:-1]}
    return [
        f"{name.removesuffix('_version')} was {said[name]} and is {value}"
        for name, value in (now | {"cpu": cpu_name()}).items()
        if name in said and said[name] != value
    ]


@functools.cache
def computing() -> tuple[tuple[str, str], ...]:
    """What the bits of the results depend on; two processes that share a run must agree in it.

    Returns
    -------
    tuple of (str, str)
        Names and versions; our own with a digest of the sources as they are.
    """
    digest = hashlib.sha256()
    for pattern in SOURCES:
        for path in sorted(Path(__file__).parent.glob(f"{pattern}.py")):
            digest.update(path.read_bytes())
    own = f"{package_version('fastmomentum')} (sources {digest.hexdigest()[:8]})"
    others = (name for name in COMPUTING[1:] if name != "h5py")
    return ("fastmomentum", own), *((name, package_version(name)) for name in others)


def package_version(name: str) -> str:
    """Version of an installed package, or "unknown"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def cpu_name() -> str:
    """The processor's name as the system tells it."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
