"""Source generated from formulas, cached in a folder of the user's own.

A file's name is a hash of what it was generated from, and its first line a checksum of its content:
it is loaded only if both match, and generated again otherwise. Numba's cache of kernels works
across processes because the module they are compiled from has the same name in each.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.abc
import importlib.util
import os
import stat
import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Final

from fastmomentum import system
from fastmomentum.errors import StorageError
from fastmomentum.objectives.base import Functions

WRITERS: Final = ("derivation", "grammar", "printer", "symbolic", "tokens", "trees")
"""Our own modules that determine the generated source."""
PREFIX: Final = "fastmomentum_formula_"


def functions(spelt: str, write: Callable[[], str]) -> Functions:
    """The functions of a formula: from the cache, or generated now.

    Parameters
    ----------
    spelt : str
        Everything that determines the source, as text.
    write : callable
        Generates the source, where it is not cached.

    Returns
    -------
    Functions
        From a module of their own, which is the same in every process.

    Raises
    ------
    StorageError
        Others may write to the folder, or it belongs to somebody else.
    """
    key = hashlib.sha256(f"{_writers()}\n{spelt}".encode()).hexdigest()[:32]
    name = PREFIX + key
    module = sys.modules.get(name)
    if module is None:
        path = folder() / f"{name}.py"
        source = _kept(path)
        if source is None:
            source = write().encode()
            _keep(path, source)
        module = _load(name, path, source)
    return Functions(module.value_at, module.gradient_at, module.hessian_at)


@functools.cache
def _writers() -> str:
    digest = hashlib.sha256(version("sympy").encode())
    for name in WRITERS:
        digest.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return digest.hexdigest()


def folder() -> Path:
    """The user's cache folder, created if needed.

    Returns
    -------
    Path
        ``fastmomentum/formulas`` in ``$XDG_CACHE_HOME``, by default ``~/.cache``; a folder for this
        process alone where it cannot be created.

    Raises
    ------
    StorageError
        Others may write to it, or it belongs to somebody else.
    """
    above = Path(os.environ.get("XDG_CACHE_HOME", ""))
    try:
        place = above if above.is_absolute() else Path.home() / ".cache"
        place = place / "fastmomentum" / "formulas"
        place.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
        found = place.lstat()
        usable = os.access(place, os.W_OK)
    except (OSError, RuntimeError):  # no home, or a home that cannot be written to
        return _of_this_process()
    if not stat.S_ISDIR(found.st_mode) or not system.is_mine(found):
        raise StorageError(f"{place} is not a folder of yours; remove it")
    if system.others_may_write(found):
        raise StorageError(
            f"{place} holds code that is run, and others may write to it; "
            "remove it, or take that right away: chmod 700"
        )
    return place if usable else _of_this_process()


@functools.cache
def _of_this_process() -> Path:
    return Path(tempfile.mkdtemp(prefix="fastmomentum-"))


def _sealed(source: bytes) -> bytes:
    return b"# sha256 " + hashlib.sha256(source).hexdigest().encode() + b"\n" + source


def _kept(path: Path) -> bytes | None:
    """Source from a cache file; None where there is none, or its checksum does not match."""
    try:
        descriptor = system.open_file(path, os.O_RDONLY, follow=False)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(descriptor)
        if not system.is_mine(about) or system.others_may_write(about):
            return None
        whole = file.read()
    _, _, source = whole.partition(b"\n")
    return source if _sealed(source) == whole else None


def _keep(path: Path, source: bytes) -> None:
    """Write a cache file atomically; a failure only means that it is generated again."""
    with contextlib.suppress(OSError):
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_sealed(source))
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


class _Loader(importlib.abc.SourceLoader):
    """Loads the bytes that were checked, even if the file has changed since."""

    def __init__(self, path: Path, source: bytes) -> None:
        self.path, self.source = str(path), source

    def get_filename(self, fullname: str) -> str:
        return self.path

    def get_data(self, path: str | bytes) -> bytes:
        if path != self.path:
            raise OSError(f"{path!r} is no source")  # compiled files are neither read nor written
        return self.source


def _load(name: str, path: Path, source: bytes) -> ModuleType:
    loader = _Loader(path, source)
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return sys.modules.setdefault(name, module)  # numba's cache finds its functions by name
