"""Files of pictures: choosing a path, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastmomentum.errors import InputError, StorageError
from fastmomentum.specification.paths import require_folder
from fastmomentum.store.files import in_words


def place_of(results: Path, asked: Path | None, kind: str, suffixes: Sequence[str]) -> Path:
    """Choose where a picture goes, before any work is done.

    Parameters
    ----------
    results : Path
        What is drawn.
    asked : Path, optional
        Path that was asked for; beside the results if left out.
    kind : str
        Kind of picture, for its name.
    suffixes : sequence of str
        Suffixes that can be written; the first is the default.

    Raises
    ------
    InputError
        It is a folder, is in none, or has another suffix.
    StorageError
        No file can be created there.
    """
    path = asked or results.with_name(f"{results.stem}_{kind}{suffixes[0]}")
    if path.suffix.lower() not in suffixes:
        got = repr(path.suffix) if path.suffix else "no suffix"
        raise InputError(f"-o must end in {', '.join(suffixes)}: got {got} ({path})")
    if path.is_dir():
        example = path / f"{kind}{path.suffix}"
        raise InputError(f"{path} is a folder; name a file in it, such as -o {example}")
    if asked is not None:
        require_folder(path)
    folder = path.parent
    if not folder.is_dir():  # nor are there results beside it: opening them says so
        return path
    with in_words(f"writing {path}"):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except FileNotFoundError:
            said = f"writing {path}: no file can be created in {folder}; choose another place"
            raise StorageError(said) from None
    return path


def save(figure: Any, path: Path) -> None:
    """Write a matplotlib Figure; the same picture gives the same bytes."""
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with replacing(path) as partial:
        figure.savefig(partial, metadata=undated.get(path.suffix.lower()))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Open a file that replaces the old one only when it is complete."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}{path.suffix}")
    with in_words(f"writing {path}"):
        try:
            yield partial
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()
