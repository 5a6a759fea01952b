"""With what, where and when results were made; none of it is part of the results."""

from __future__ import annotations

import datetime
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError, version

COMPUTING = ("fastmomentum", "numpy", "numba", "llvmlite", "h5py")


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
    said["command_line"] = shlex.join(sys.argv)[:4096]
    return said


def package_version(name: str) -> str:
    """Version of an installed package, or "unknown"."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def cpu_name() -> str:
    """The processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
