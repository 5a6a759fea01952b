"""Older results files whose runs a new run reuses: opened and checked."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fastmomentum.errors import FileError, InputError
from fastmomentum.execution.verification import verify
from fastmomentum.experiment.arithmetic import other_arithmetic
from fastmomentum.experiment.plan import Experiment
from fastmomentum.specification.paths import path_of
from fastmomentum.store import manifest
from fastmomentum.store.earlier import Earlier, Reused
from fastmomentum.store.paths import is_partial, partial_name

Reuse = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
"""What `fm.run` accepts: a path, or several."""


def named(reuse: Reuse) -> list[Path]:
    """The files, each once.

    Parameters
    ----------
    reuse : path or sequence of paths
        As they are given.

    Returns
    -------
    list of Path
        In their order.

    Raises
    ------
    InputError
        It is no path and no list of paths.

    Examples
    --------
    >>> [path.name for path in named(["a.h5", "b.h5", "a.h5"])]
    ['a.h5', 'b.h5']
    """
    if isinstance(reuse, str | os.PathLike):
        reuse = [reuse]
    if not isinstance(reuse, Sequence):
        raise InputError(f"reuse must be the path of a results file, or several: got {reuse!r:.60}")
    return list(dict.fromkeys(path_of(path, "reuse") for path in reuse))


def reusable(
    experiment: Experiment, older: Sequence[Path], path: Path | None = None, overwrite: bool = False
) -> Reused:
    """Open older files, and check every block of them as `verify` does.

    Parameters
    ----------
    experiment : Experiment
        Whose runs are wanted.
    older : sequence of Path
        The files.
    path : Path, optional
        Where the results go. If they exist already, nothing is reused and the blocks are not
        read.
    overwrite : bool
        Whether existing results will be replaced.

    Returns
    -------
    tuple of (str, (int, bytes))
        Absolute paths and seals.

    Raises
    ------
    InputError
        A file does not exist, is unfinished, is the one to be written, is of another experiment,
        or is from a version whose objective differs in the last digits.
    FileError
        It is damaged, or not ours.
    """
    found = tuple(_looked_at(experiment, one, path) for one in older)
    Earlier(experiment, found)  # says what differs, before anything is read
    if path is not None and path.exists() and not overwrite:
        return found
    for one in older:
        said = verify(one)
        if not said.sound:
            raise FileError("\n".join([*said.lines(), f"{one} cannot be reused as it is"]))
    return found


def _looked_at(
    experiment: Experiment, older: Path, path: Path | None
) -> tuple[str, tuple[int, bytes]]:
    if path is not None and _same(older, path):
        raise InputError(f"reuse: {older} is the file to be written; name another for the results")
    partial = partial_name(older)
    if is_partial(older) or (not older.exists() and partial.exists()):
        one = older if is_partial(older) else partial
        raise InputError(f"{one} is not finished: run its experiment again before it is reused")
    contents = manifest.read(older)
    other = other_arithmetic(contents.experiment, contents.attributes)
    if other is not None:
        raise InputError(f"{older} was {other}: its runs cannot be reused; leave it out")
    return str(older.absolute()), contents.seal


def _same(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, existing or not."""
    try:
        return one.resolve() == other.resolve() or one.samefile(other)
    except (OSError, RuntimeError):
        return False
