"""Files of pictures: where they go, and that they are whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastmomentum.errors import InputError, StorageError
from fastmomentum.store.files import in_words


def place_of(results: Path, asked: Path | None, kind: str, suffixes: Sequence[str]) -> Path:
    """Choose where a picture goes, before any work is done.

    Parameters
    ----------
    results : Path
        What is drawn.
    asked : Path, optional
        Where it shall go; beside the results without.
    kind : str
        Of picture, for its name.
    suffixes : sequence of str
        That can be written; the first is the usual one.

    Raises
    ------
    InputError
        It is a folder, or of another suffix.
    StorageError
        No file can be made there.
    """
    path = asked or results.with_name(f"{results.stem}_{kind}{suffixes[0]}")
    if path.suffix.lower() not in suffixes:
        got = repr(path.suffix) if path.suffix else "no suffix"
        raise InputError(f"-o must end in {', '.join(suffixes)}: got {got} ({path})")
    if path.is_dir():
        example = path / f"{kind}{path.suffix}"
        raise InputError(f"{path} is a folder; name a file in it, such as -o {example}")
    folder = next(folder for folder in path.absolute().parents if folder.exists())
    with in_words(f"writing {path}"):
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except (FileNotFoundError, NotADirectoryError):
            said = f"writing {path}: no file can be made in {folder}; choose another place"
            raise StorageError(said) from None
    return path


def save(figure: Any, path: Path) -> None:
    """Write a Figure of matplotlib; the same picture is the same file."""
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with replacing(path) as partial:
        figure.savefig(partial, metadata=undated.get(path.suffix.lower()))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write to; whoever looks sees the old file or the whole new one."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}-{threading.get_ident()}{path.suffix}")
    with in_words(f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()
