"""Whether what the explorer needs besides is installed."""

from __future__ import annotations

from importlib.util import find_spec

from fastmomentum.errors import InputError


def require_extra() -> None:
    """Refuse where Bokeh is missing.

    Raises
    ------
    InputError
        With what to install.
    """
    if find_spec("bokeh") is None:
        raise InputError('the explorer needs Bokeh: pip install "fastmomentum[explore]"')
