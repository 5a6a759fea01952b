"""A path out of what was given for one."""

from __future__ import annotations

import os
from pathlib import Path

from fastmomentum.errors import InputError


def path_of(given: object, name: str = "path") -> Path:
    """A path, out of what was given for one.

    Parameters
    ----------
    given : object
        Text, or a path.
    name : str
        What it is given for.

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
    kind = type(given).__name__
    raise InputError(f"{name} must be the path of a file, as text: got {kind}")
