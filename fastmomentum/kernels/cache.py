"""Numba's cache of kernels on disk, made so that its failures never end a run.

By default numba raises where its folder cannot be written, the disk is full or an entry is damaged.
Here a one-line warning says so, and the kernel is compiled as if there were no cache.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Final

from numba import njit
from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache
from numba.core.compiler_lock import global_compiler_lock
from numba.core.serialize import dumps
from numba.misc.appdirs import AppDirs

from fastmomentum.errors import CacheWarning

_told_elsewhere: Final = ContextVar("_told_elsewhere", default=False)
_INSIDE: Final = ("fastmomentum", "numba", "contextlib")


def compiled(function: Callable[..., None], identity: str, options: dict[str, Any]) -> Any:
    """Have numba compile a function at its first call, and keep the machine code on disk.

    Parameters
    ----------
    function : callable
        A function that numba can compile.
    identity : str
        Distinguishes functions of the same name and place that do different things.
    options : dict
        As for `numba.njit`, without ``cache``.

    Returns
    -------
    numba.core.dispatcher.Dispatcher
        Called like the function, after `compile_for`.

    Warns
    -----
    CacheWarning
        The cache cannot be used, or an entry is damaged; once for each cause.
    """
    with _jit_enabled():
        dispatcher = njit(**options)(function)
    try:
        dispatcher._cache = _Cache(function, identity)
    except (RuntimeError, OSError):
        dispatcher._cache = NullCache()
        _warn(
            f"numba's cache has no folder that can be written ({_tried(function)}), so kernels are "
            "compiled anew in each process; set NUMBA_CACHE_DIR to one that can"
        )
    return dispatcher


def compile_for(dispatcher: Any, arguments: tuple[Any, ...]) -> None:
    """Compile for the types of some arguments, where a call alone would not.

    That is where NUMBA_DISABLE_JIT is set, which numba's own functions do not survive.
    """
    if config.DISABLE_JIT:
        _warn(
            "NUMBA_DISABLE_JIT is set; fastmomentum compiles its kernels anyway, because in plain "
            "Python they would take hundreds of times as long"
        )
        with _jit_enabled():
            dispatcher.compile(tuple(dispatcher.typeof_pyval(value) for value in arguments))


@contextlib.contextmanager
def told_elsewhere() -> Iterator[None]:
    """Suppress warnings in workers: their cache is mostly that of the runner, which warns."""
    token = _told_elsewhere.set(True)
    try:
        yield
    finally:
        _told_elsewhere.reset(token)


def _warn(message: str) -> None:
    if not _told_elsewhere.get():
        _warn_once(message)


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, CacheWarning, stacklevel=_outside())


def _outside() -> int:
    """The stack level of the caller of this package, as `warnings.warn` counts it."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        level, frame = level + 1, frame.f_back
    return level


@contextlib.contextmanager
def _jit_enabled() -> Iterator[None]:
    """Lift NUMBA_DISABLE_JIT, with other threads kept from compiling meanwhile."""
    with global_compiler_lock:
        before, config.DISABLE_JIT = config.DISABLE_JIT, 0
        try:
            yield
        finally:
            config.DISABLE_JIT = before


class _Sealed(CompileResultCacheImpl):  # type: ignore[misc, unused-ignore]  # numba has no types
    """Writes a cache entry with a checksum over the kernel's identity and machine code.

    Two processes that begin an index at the same time may give different kernels the same file;
    the index of one then points to the code of the other, which would run and be wrong.
    """

    identity = b""

    def __init__(self, function: Callable[..., None]) -> None:
        if not Path(_users_folder()).is_absolute():  # no home: else a folder named ~ here
            usual: list[Any] = CompileResultCacheImpl._locator_classes
            self._locator_classes = [one for one in usual if "UserWide" not in one.__name__]
        super().__init__(function)

    def reduce(self, data: Any) -> tuple[bytes, bytes]:
        """Machine code and metadata as numba writes them, after their seal."""
        written = dumps(super().reduce(data))
        return self._seal(written), written

    def rebuild(self, target_context: Any, payload: tuple[bytes, bytes]) -> Any:
        """Load the entry, if its seal matches."""
        seal, written = payload
        if seal != self._seal(written):
            raise ValueError("its checksum does not match")
        # numba has already unpickled this file: it is trusted as far as any module.
        return super().rebuild(target_context, pickle.loads(written))

    def _seal(self, written: bytes) -> bytes:
        return hashlib.sha256(self.identity + written).digest()


class _Cache(FunctionCache):  # type: ignore[misc, unused-ignore]  # numba has no types
    """Numba's cache of a function; failures are warnings, damaged entries are replaced."""

    _impl_class = _Sealed

    def __init__(self, function: Callable[..., None], identity: str) -> None:
        super().__init__(function)
        self._impl.identity = identity.encode()

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Return the cached kernel; None where there is no sound one."""
        try:
            return super().load_overload(sig, target_context)
        except MemoryError:
            raise
        except Exception as error:  # a damaged pickle may raise anything
            _warn(
                f"a kernel in numba's cache at {self.cache_path} cannot be read "
                f"({_reason(error)}); it is compiled anew and replaced"
            )
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save the compiled kernel, if possible."""
        try:
            self._save(sig, data)
        except OSError as error:
            _warn(
                f"a kernel cannot be kept in numba's cache at {self.cache_path} "
                f"({_reason(error)}), so it is compiled anew in each process; make room, or set "
                "NUMBA_CACHE_DIR to another folder"
            )

    def _save(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except (OSError, MemoryError):
            raise
        except Exception:  # the index is damaged: start a new one
            self.flush()
            super().save_overload(sig, data)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return " ".join(f"{type(error).__name__}: {error}".split())[:120]


def _users_folder() -> str:
    return str(AppDirs(appname="numba", appauthor=False).user_cache_dir)


def _tried(function: Callable[..., None]) -> str:
    """The folders that numba tries, and what is wrong with each."""
    beside = Path(function.__code__.co_filename).parent / "__pycache__"
    said = []
    for folder in (config.CACHE_DIR, str(beside), _users_folder()):
        if not folder:
            continue
        if not Path(folder).is_absolute() and folder.startswith("~"):
            said.append(f"{folder}: this user has no home")
            continue
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            said.append(f"{folder}: {_reason(error)}")
    return "; ".join(said)
