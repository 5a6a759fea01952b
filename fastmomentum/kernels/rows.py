"""What a tile holds of its lanes, row by row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastmomentum.kernels.drawing import NOTHING_DRAWN, Draws
from fastmomentum.rules.base import Rule


@dataclass(frozen=True)
class Rows:
    """Which row of a tile holds what.

    Parameters
    ----------
    n : int
        Coordinates.
    rule : Rule
        Says what a coordinate, and a run, keep between updates.
    parameters : tuple of bool
        Which of the rule's parameters differ between the runs: they have rows of their own.
    constants : tuple of bool
        Which of the objective's constants do.
    options : tuple of (str, bool)
        Options of every rule that are used, and whether they differ between the runs.
    restart : str, optional
        When the velocity is set to 0.
    draws : Draws
        What is drawn at each step: lanes may have keys of their own.
    has_factors : bool
        Whether each update has a factor on the learning rate.
    has_momenta : bool
        Whether each update has a momentum, instead of the run's.
    own_momentum : callable, optional
        The momentum as a function of the updates since the run's last restart, instead.
    """

    n: int
    rule: Rule
    parameters: tuple[bool, ...]
    constants: tuple[bool, ...]
    options: tuple[tuple[str, bool], ...] = ()
    restart: str | None = None
    draws: Draws = NOTHING_DRAWN
    has_factors: bool = False
    has_momenta: bool = False
    own_momentum: Callable[[Any], Any] | None = None

    @property
    def point(self) -> list[int]:
        """The point."""
        return list(range(self.n))

    def states(self, coordinate: int) -> list[int]:
        """What a coordinate keeps; state by state, so that the velocities lie together."""
        return [self.n * (1 + k) + coordinate for k in range(len(self.rule.states))]

    @property
    def shared(self) -> list[int]:
        """What all coordinates keep together."""
        first = self.n * (1 + len(self.rule.states))
        return list(range(first, first + len(self.rule.shared)))

    @property
    def lr(self) -> int:
        """The learning rate; the momentum follows."""
        return self.n * (1 + len(self.rule.states)) + len(self.rule.shared)

    @property
    def level(self) -> int:
        """The level of f to fall to; the count of updates without event follows."""
        return self.lr + 2

    def varying(self) -> tuple[list[int | None], list[int | None]]:
        """Rows of the rule's parameters and of the objective's constants; None where all agree."""
        row, found = self.level + 2, []
        for flags in (self.parameters, self.constants):
            rows: list[int | None] = []
            for varies in flags:
                rows.append(row if varies else None)
                row += varies
            found.append(rows)
        return found[0], found[1]

    @property
    def option_rows(self) -> list[int | None]:
        """Rows of the options that are used; None where all runs agree."""
        row, rows = self.level + 2 + sum(self.parameters) + sum(self.constants), []
        for _, varies in self.options:
            rows.append(row if varies else None)
            row += varies
        return rows

    @property
    def restarts(self) -> list[int]:
        """The count of restarts, where there are some."""
        return [] if self.restart is None else [self.keys - 1]

    @property
    def keys(self) -> int:
        """The first word of the lanes' keys, as bits of a double."""
        return self.count - self.draws.keys

    @property
    def restarts_and_clock(self) -> list[str]:
        """What a rule that restarts keeps besides."""
        kept = [] if self.own_momentum is None else ["clock"]
        return kept if self.restart is None else [*kept, "restarts"]

    @property
    def clock(self) -> list[int]:
        """Updates since the last restart, where the momentum depends on them."""
        return [] if self.own_momentum is None else [self.keys - 2]

    @property
    def count(self) -> int:
        """How many."""
        own = sum(self.parameters) + sum(self.constants)
        rest = sum(varies for _, varies in self.options) + len(self.restarts_and_clock)
        return self.level + 2 + own + rest + self.draws.keys
