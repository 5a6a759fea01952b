"""The layout of a tile: which row holds what."""

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
        Defines the state of a coordinate and of a run.
    parameters : tuple of bool
        Which of the rule's parameters differ between the runs, and so have rows of their own.
    constants : tuple of bool
        The same for the objective's constants.
    options : tuple of (str, bool)
        Options of every rule that are used, and whether they differ between the runs.
    restart : str, optional
        When the velocity is set to 0.
    draws : Draws
        What is drawn at each step; lanes may have keys of their own.
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
        """Rows of the point."""
        return list(range(self.n))

    def states(self, coordinate: int) -> list[int]:
        """Rows of a coordinate's state; grouped by state, so that the velocities lie together."""
        return [self.n * (1 + k) + coordinate for k in range(len(self.rule.states))]

    @property
    def shared(self) -> list[int]:
        """Rows of the state that all coordinates share."""
        first = self.n * (1 + len(self.rule.states))
        return list(range(first, first + len(self.rule.shared)))

    @property
    def lr(self) -> int:
        """Row of the learning rate; the momentum follows."""
        return self.n * (1 + len(self.rule.states)) + len(self.rule.shared)

    @property
    def level(self) -> int:
        """Row of the level of f to reach; the count of updates without event follows."""
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
        """Row of the count of restarts, if the rule restarts."""
        return [] if self.restart is None else [self.keys - 1]

    @property
    def keys(self) -> int:
        """Row of the first word of the lanes' keys, as bits of a double."""
        return self.count - self.draws.keys

    @property
    def restarts_and_clock(self) -> list[str]:
        """The additional state of a rule that restarts."""
        kept = [] if self.own_momentum is None else ["clock"]
        return kept if self.restart is None else [*kept, "restarts"]

    @property
    def clock(self) -> list[int]:
        """Row of the updates since the last restart, if the momentum depends on them."""
        return [] if self.own_momentum is None else [self.keys - 2]

    @property
    def count(self) -> int:
        """Number of rows."""
        own = sum(self.parameters) + sum(self.constants)
        rest = sum(varies for _, varies in self.options) + len(self.restarts_and_clock)
        return self.level + 2 + own + rest + self.draws.keys
