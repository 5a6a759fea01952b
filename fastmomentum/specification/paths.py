"""Check path arguments."""

from __future__ import annotations

import os
from pathlib import Path

from fastmomentum.errors import InputError
from fastmomentum.text import kind_of


def path_of(given: object, name: str = "path") -> Path:
    """Convert an argument to a path.

    Parameters
    ----------
    given : object
        Text, or a path.
    name : str
        Name of the argument.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        It is neither.

    Examples
    --------
    >>> path_of("out.h5").suffix
    '.h5'
    """
    if isinstance(given, str | os.PathLike):
        return Path(given)
    raise InputError(f"{name} must be the path of a file, as text: got {kind_of(given)}")
