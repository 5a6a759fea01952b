"""How a command ends: error messages, and their exit status."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

TRACEBACK: Final = "FASTMOMENTUM_TRACEBACK"
"""The environment variable that asks for a stack trace of our own faults."""

_OWNED: Final = threading.Event()
"""Set where the process is the command's own, and not, say, a test that calls it."""

COMMAND_WORDS: Final = {
    "verify, repair=True": "verify --repair",
    "repair=True": "--repair",
    "overwrite=True": "--overwrite",
}
"""Arguments of the library in its messages, and the command's options in their place."""


def in_command_words(message: str) -> str:
    """A message of the library, in the words of the command line.

    Parameters
    ----------
    message : str
        With arguments of Python.

    Returns
    -------
    str
        With options of the command.

    Examples
    --------
    >>> in_command_words("choose another file, or replace it with overwrite=True")
    'choose another file, or replace it with --overwrite'
    """
    for python, command in COMMAND_WORDS.items():
        message = message.replace(python, command)
    return message


def errors_in_words(command: Callable[..., None], name: str = "") -> Callable[..., None]:
    """Print errors as plain lines, perhaps with a prefix, and end with their exit status."""

    def end_named(message: str, exit_status: int) -> NoReturn:
        end(f"{name}{message}", exit_status)

    @functools.wraps(command)
    def wrapped(*arguments: Any, **options: Any) -> None:
        from fastmomentum.errors import FastmomentumError
        from fastmomentum.notices import as_lines
        from fastmomentum.system import reader_is_gone

        try:
            quiet = bool(options.get("quiet"))
            with as_lines(lambda line: quiet or print(f"{name}{line}", file=sys.stderr)):
                command(*arguments, **options)
            only_the_ending_is_left()
            sys.stdout.flush()
        except FastmomentumError as error:
            end_named(in_command_words(str(error)), error.exit_status)
        except KeyboardInterrupt:
            end_named("interrupted", 130)
        except MemoryError:
            end_named("not enough memory; run fewer jobs, or record fewer steps", 4)
        except OSError as error:
            _drop_output()
            if reader_is_gone(error):
                raise SystemExit(1) from None
            reason = (error.strerror or str(error)).lower()
            end_named(f"{error.filename or 'standard output'}: {reason}", 4)
        except Exception as error:  # anything else is our own fault: a line, not a traceback
            if scarce := _scarcity(error):
                end_named(f"not enough memory or threads: {scarce}; run fewer jobs with --jobs", 4)
            if os.environ.get(TRACEBACK):
                raise
            end_named(
                f"fastmomentum has a fault: {type(error).__name__}: {error}\n"
                f"set {TRACEBACK}=1 to see where, and please report it",
                1,
            )

    return wrapped


def owns_the_process() -> None:
    """Say that this process is the command's own: it ends with the command."""
    _OWNED.set()


def only_the_ending_is_left() -> None:
    """Ignore Ctrl-C from here on, if the process is the command's own.

    All is done and said, but after a picture Python takes half a second to end; in callbacks of
    what it takes apart meanwhile an interruption would be a traceback, and change nothing.
    """
    if not _OWNED.is_set() or threading.current_thread() is not threading.main_thread():
        return
    while signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        with contextlib.suppress(KeyboardInterrupt):  # one that was on its way is raised here
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def say_last(line: str) -> None:
    """Print the last line of a command: Ctrl-C that answers it comes too late."""
    only_the_ending_is_left()
    print(line)


def any_text_goes() -> None:
    """Escape text that the terminal cannot show, such as a title, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _scarcity(error: BaseException | None) -> str | None:
    """What the system ran out of, if that caused an error."""
    while error is not None:  # the first failure may make the cleanup fail, too
        said = str(error)
        if isinstance(error, MemoryError):
            return said or "out of memory"
        if said.endswith(("can't start new thread", "failed to map segment from shared object")):
            return said
        error = error.__cause__ or error.__context__
    return None


def end(message: str, exit_status: int) -> NoReturn:
    """Print a message and exit."""
    from fastmomentum.text import without_controls

    only_the_ending_is_left()
    print(without_controls(message), file=sys.stderr)
    raise SystemExit(exit_status)


def script(main: Callable[[Sequence[str]], None]) -> NoReturn:
    """Run a script like a command: errors end it in a line, which begins with the script's name.

    Parameters
    ----------
    main : callable
        Takes the arguments after the script's name.
    """
    any_text_goes()
    if main.__module__ == "__main__":
        owns_the_process()
    errors_in_words(main, f"{Path(sys.argv[0]).name}: ")(sys.argv[1:])
    raise SystemExit(0)


def interrupted_in_a_line() -> None:
    """Let Ctrl-C end a script in a line, even while it still imports its modules."""
    name = Path(sys.argv[0]).name

    def hook(kind: type[BaseException], *what: Any) -> None:
        if kind is not KeyboardInterrupt:
            sys.__excepthook__(kind, *what)
            return
        print(f"{name}: interrupted", file=sys.stderr, flush=True)
        os._exit(130)  # Python would end by the signal, and threads may still run

    sys.excepthook = hook


def warnings_in_lines() -> None:
    """Print a script's warnings as lines, which begin with the script's name."""
    from fastmomentum.text import without_controls

    name = Path(sys.argv[0]).name
    warnings.formatwarning = lambda message, *_, **__: without_controls(f"{name}: {message}") + "\n"


def _drop_output() -> None:
    """Discard what is still to be printed: Python would try again when it ends."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
