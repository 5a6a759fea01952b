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

    @property
    def words(self) -> str:
        """The name that people read everywhere: "out of steps", not "max_steps"."""
        return "out of steps" if self is Status.MAX_STEPS else self.name.lower().replace("_", " ")
