"""Matplotlib without a backend: pictures in files need none.

Notebooks set MPLBACKEND for the commands that they start, and matplotlib cannot be imported where
that names one which is not installed. So it is imported without, and told of it afterwards.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def _without_backend() -> Iterator[None]:
    wanted = os.environ.pop("MPLBACKEND", None) if "matplotlib" not in sys.modules else None
    try:
        yield
    finally:
        if wanted is not None:
            os.environ["MPLBACKEND"] = wanted
    if wanted:
        with contextlib.suppress(ValueError):  # pyplot then finds one that works
            matplotlib.rcParams["backend"] = wanted


with _without_backend():
    import matplotlib
