"""How a run ended."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """How a run ended, as stored in the variable ``status``.

    Examples
    --------
    >>> Status(2).name
    'DIVERGED'
    """

    NOT_RUN = 0
    CONVERGED = 1
    DIVERGED = 2
    MAX_STEPS = 3


def words(status: Status) -> str:
    """Put a status into words.

    Examples
    --------
    >>> words(Status.MAX_STEPS)
    'out of steps'
    """
    return "out of steps" if status is Status.MAX_STEPS else status.name.lower().replace("_", " ")
