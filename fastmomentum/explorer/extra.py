"""Check that the optional dependency is installed."""

from __future__ import annotations

from importlib.util import find_spec

from fastmomentum.errors import InputError


def require_extra() -> None:
    """Raise if Bokeh is missing.

    Raises
    ------
    InputError
        Bokeh is not installed; the message says how to install it.
    """
    if find_spec("bokeh") is None:
        raise InputError('the explorer needs Bokeh: pip install "fastmomentum[explore]"')
