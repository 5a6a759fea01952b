"""Batch experiments with momentum gradient descent on objectives of two parameters.

The public names stand in ``__init__.pyi`` and are loaded when they are first used, so that
importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import Any

import lazy_loader

_load, _names, _public = lazy_loader.attach_stub(__name__, __file__)
_RENAMED = {"open": "open_results"}  # always fm.open: a module must not hide the builtin
__all__ = [*(name for name in _public if name not in _RENAMED.values()), *_RENAMED]


def __getattr__(name: str) -> Any:
    return _load(_RENAMED.get(name, name))


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
