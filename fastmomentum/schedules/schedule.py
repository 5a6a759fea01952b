"""The schedules of an experiment: of the learning rate, of the momentum, or of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, model_validator

from fastmomentum.schedules.base import Floats, Scheduled
from fastmomentum.schedules.registry import (
    LR_SCHEDULES,
    MOMENTUM_SCHEDULES,
    LrKind,
    MomentumKind,
    in_order,
    length_of,
    values_of,
)
from fastmomentum.specification.base import Specification


def _of_lr(given: Any) -> Any:
    return None if given is None else in_order(given, LR_SCHEDULES)


def _of_momentum(given: Any) -> Any:
    return None if given is None else in_order(given, MOMENTUM_SCHEDULES)


class Schedule(Specification):
    """What changes from update to update, for all runs alike.

    Parameters
    ----------
    lr : mapping, Scheduled, or list of them, optional
        A factor on each run's learning rate, of the kinds in `LR_SCHEDULES`.
    momentum : mapping, Scheduled, or list of them, optional
        The momentum of every run, of the kinds in `MOMENTUM_SCHEDULES`.

    Raises
    ------
    InputError
        With a line for each thing that is wrong.

    Examples
    --------
    >>> warm = {"kind": "linear", "first": 0.5, "last": 1.0, "steps": 2}
    >>> schedule = Schedule(lr=[warm, {"kind": "cosine", "steps": 2}])
    >>> schedule.lr_factors(first=0, count=4).round(12).tolist()
    [0.5, 0.75, 1.0, 0.5]
    """

    lr: Annotated[tuple[LrKind, ...] | None, BeforeValidator(_of_lr)] = None
    momentum: Annotated[tuple[MomentumKind, ...] | None, BeforeValidator(_of_momentum)] = None

    another: ClassVar[str] = "give a table, or make it with fastmomentum.schedules.Schedule(...)"

    if TYPE_CHECKING:

        def __init__(self, *, lr: object = None, momentum: object = None) -> None: ...

    @model_validator(mode="after")
    def _something(self) -> Self:
        if self.lr is None and self.momentum is None:
            raise ValueError(
                "must have lr, momentum or both: got neither; add one, or leave it out"
            )
        return self

    def lr_factors(self, first: int, count: int) -> Floats | None:
        """Factors on the learning rate for a stretch of updates.

        Parameters
        ----------
        first : int
            Updates done before the stretch, from 0 on.
        count : int
            Updates of the stretch.

        Returns
        -------
        ndarray of float64, shape (count,), or None
            None where the learning rate has no schedule.

        Raises
        ------
        InputError
            There is no such stretch.
        """
        return None if self.lr is None else values_of(self.lr, first, count)

    def momenta(self, first: int, count: int) -> Floats | None:
        """Momenta for a stretch of updates, as `lr_factors`."""
        return None if self.momentum is None else values_of(self.momentum, first, count)

    @property
    def words(self) -> str:
        """The schedules in a few words.

        Examples
        --------
        >>> warm = {"kind": "linear", "first": 0.5, "last": 1.0, "steps": 2}
        >>> Schedule(lr=[warm, {"kind": "cosine", "steps": 9}], momentum={"kind": "nesterov"}).words
        'lr linear 2, then cosine 9; momentum nesterov'
        """
        given = {"lr": self.lr, "momentum": self.momentum}
        return "; ".join(
            f"{key} {', then '.join(map(_said, made))}" for key, made in given.items() if made
        )

    def plain(self) -> dict[str, Any]:
        """The table that gives this in a file, without defaults.

        Examples
        --------
        >>> Schedule(momentum=[{"kind": "nesterov"}]).plain()
        {'momentum': {'kind': 'nesterov'}}
        """
        given = {"lr": self.lr, "momentum": self.momentum}
        return {key: _plain(made) for key, made in given.items() if made is not None}


def _said(schedule: Scheduled) -> str:
    return schedule.kind + (f" {length_of(schedule):,}" if schedule.has_end else "")


def _plain(made: tuple[Scheduled, ...]) -> dict[str, Any] | list[dict[str, Any]]:
    tables = [schedule.plain() for schedule in made]
    return tables[0] if len(tables) == 1 else tables
