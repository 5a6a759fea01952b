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


def require_folder(path: Path) -> None:
    """Refuse to write where there is no folder: none is made, as its name may be a slip.

    Parameters
    ----------
    path : Path
        Of a file, or of a folder, that is to be made.

    Raises
    ------
    InputError
        What it is to be made in does not exist, or is a file.

    Examples
    --------
    >>> require_folder(Path("out.h5"))
    >>> require_folder(Path("none/out.h5"))
    Traceback (most recent call last):
        ...
    fastmomentum.errors.InputError: none: no such folder; make it first, or choose another
    """
    folder = path.parent
    if folder.is_dir():
        return
    if folder.exists():
        raise InputError(f"{folder} is a file, no folder; choose another place for {path.name}")
    raise InputError(f"{folder}: no such folder; make it first, or choose another")
