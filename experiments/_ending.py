"""How a script ends where it cannot go on; imported first, so that Ctrl-C may come at any time."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn


def leave(message: str, status: int) -> NoReturn:
    """Say why, in a line, and end."""
    say(message)
    sys.exit(status)


def say(message: str) -> None:
    """Say it in a line."""
    print(_line(message), file=sys.stderr)


def _line(message: str) -> str:
    return f"{Path(sys.argv[0]).name}: {message}"


def _hook(kind: type[BaseException], *what: Any) -> None:
    if kind is not KeyboardInterrupt:
        sys.__excepthook__(kind, *what)
        return
    print(_line("interrupted"), file=sys.stderr, flush=True)
    os._exit(130)  # Python itself would end by the signal, and threads may be at work


sys.excepthook = _hook
