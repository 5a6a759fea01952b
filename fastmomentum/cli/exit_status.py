"""How a command ends: errors in words, and their exit status."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn

TRACEBACK: Final = "FASTMOMENTUM_TRACEBACK"
"""The environment variable that shows where a fault of ours lies."""


COMMAND_WORDS: Final = {
    "verify, repair=True": "verify --repair",
    "repair=True": "--repair",
    "overwrite=True": "--overwrite",
}
"""What the library calls its own arguments, and how a command's options are called instead."""


def in_command_words(message: str) -> str:
    """A message of the library, as whoever uses the command must read it.

    Parameters
    ----------
    message : str
        In Python's words.

    Returns
    -------
    str
        In those of the command line.

    Examples
    --------
    >>> in_command_words("choose another file, or replace it with overwrite=True")
    'choose another file, or replace it with --overwrite'
    """
    for python, command in COMMAND_WORDS.items():
        message = message.replace(python, command)
    return message


def errors_in_words(command: Callable[..., None]) -> Callable[..., None]:
    """Print errors as plain lines and end with their exit status."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        from fastmomentum.errors import FastmomentumError
        from fastmomentum.notices import as_lines

        try:
            quiet = bool(options.get("quiet"))
            with as_lines(lambda line: quiet or print(line, file=sys.stderr)):
                command(*arguments, **options)
            sys.stdout.flush()
        except FastmomentumError as error:
            end(in_command_words(str(error)), error.exit_status)
        except KeyboardInterrupt:
            end("interrupted", 130)
        except BrokenPipeError:  # whoever read our output has gone
            _drop_output()
            raise SystemExit(1) from None
        except MemoryError:
            end("not enough memory; run fewer jobs, or record fewer steps", 4)
        except OSError as error:
            _drop_output()
            if sys.platform == "win32" and error.errno == errno.EINVAL and not error.filename:
                raise SystemExit(1) from None  # what Windows calls a pipe that nobody reads
            reason = (error.strerror or str(error)).lower()
            end(f"{error.filename or 'standard output'}: {reason}", 4)
        except Exception as error:  # what is left is a fault of ours: a line, no traceback
            if scarce := _scarcity(error):
                end(f"not enough memory or threads: {scarce}; run fewer jobs with --jobs", 4)
            if os.environ.get(TRACEBACK):
                raise
            end(
                f"fastmomentum has a fault: {type(error).__name__}: {error}\n"
                f"set {TRACEBACK}=1 to see where, and please report it",
                1,
            )

    return wrapped


def any_text_goes() -> None:
    """Have text that the terminal cannot show, such as a title's, escaped; it is no error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _scarcity(error: BaseException | None) -> str | None:
    """What the system had too little of, where that is behind an error."""
    while error is not None:  # what fails at first may make cleaning up fail, too
        said = str(error)
        if isinstance(error, MemoryError):
            return said or "out of memory"
        if said.endswith(("can't start new thread", "failed to map segment from shared object")):
            return said
        error = error.__cause__ or error.__context__
    return None


def end(message: str, exit_status: int) -> NoReturn:
    """Say why, and end."""
    from fastmomentum.text import without_controls

    print(without_controls(message), file=sys.stderr)
    raise SystemExit(exit_status)


def _drop_output() -> None:
    """Let what is still to be printed go nowhere: at its end Python would try once more."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
