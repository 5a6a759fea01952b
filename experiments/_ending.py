"""How a script ends where it cannot go on; imported first, so that Ctrl-C may come at any time."""

from __future__ import annotations

import os
import sys
import warnings
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
    # No control character of a file's text or name may act on the terminal.
    plain = (c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in message)
    return f"{Path(sys.argv[0]).name}: {''.join(plain)}"


def _hook(kind: type[BaseException], *what: Any) -> None:
    if kind is not KeyboardInterrupt:
        sys.__excepthook__(kind, *what)
        return
    print(_line("interrupted"), file=sys.stderr, flush=True)
    os._exit(130)  # Python itself would end by the signal, and threads may be at work


sys.excepthook = _hook

# Files need no backend, and a window finds its own; of a name that it does not know, such as a
# notebook sets for its commands, matplotlib would end by a traceback.
os.environ.pop("MPLBACKEND", None)

warnings.formatwarning = lambda message, *_, **__: f"{_line(str(message))}\n"
