"""A digest of what functions do."""

from __future__ import annotations

import hashlib
import types
from collections.abc import Callable, Iterator
from typing import Any


def code_digest(*functions: Callable[..., Any]) -> str:
    """Digest of what functions do: their code, constants, and everything they refer to by name.

    Numba's cache knows a closed-over function by its name alone, so that an edited objective would
    get the kernel of the old one. This digest is closed over too, and changes with the code.

    Parameters
    ----------
    *functions : callable
        Plain Python functions.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    seen: set[int] = set()
    for function in functions:
        for part in _reached(function, seen):
            digest.update(part.encode())
            digest.update(b"\0")
    return digest.hexdigest()


def _reached(thing: object, seen: set[int]) -> Iterator[str]:
    thing = getattr(thing, "__wrapped__", thing)  # a cache wrapper does not change what it does
    if isinstance(thing, types.FunctionType):
        if id(thing) in seen:
            return
        seen.add(id(thing))
        yield from _reached(thing.__code__, seen)
        yield repr(thing.__defaults__)
        for cell in thing.__closure__ or ():
            yield from _reached(cell.cell_contents, seen)
        for name in thing.__code__.co_names:
            yield name
            if name in thing.__globals__:
                yield from _reached(thing.__globals__[name], seen)
    elif isinstance(thing, types.CodeType):
        yield thing.co_code.hex()
        yield repr(thing.co_names)
        for constant in thing.co_consts:
            yield from _reached(constant, seen)
    elif isinstance(thing, types.ModuleType):
        yield f"{thing.__name__} {getattr(thing, '__version__', '')}"
    else:
        yield repr(thing)
