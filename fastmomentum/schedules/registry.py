"""The kinds of schedules by name, and schedules from the tables of a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
from pydantic import ValidationError

from fastmomentum.schedules.base import Floats, Scheduled, stretch
from fastmomentum.schedules.lr import (
    Cosine,
    CosineRestarts,
    Exponential,
    Inverse,
    Linear,
    MultiStep,
    OneCycle,
    Piecewise,
    Step,
)
from fastmomentum.schedules.momentum import (
    Demon,
    LinearMomentum,
    Nesterov,
    OneCycleMomentum,
    SuBoydCandes,
    Sutskever,
)
from fastmomentum.specification.messages import Fault, explain, faults
from fastmomentum.text import shown, suggest

LrKind = (
    Step
    | MultiStep
    | Exponential
    | Inverse
    | Linear
    | Cosine
    | CosineRestarts
    | OneCycle
    | Piecewise
)
MomentumKind = Nesterov | SuBoydCandes | Sutskever | Demon | OneCycleMomentum | LinearMomentum

Kinds = Mapping[str, type[Scheduled]]


def _by_name(kinds: Any) -> dict[str, type[Scheduled]]:
    return {kind.model_fields["kind"].default: kind for kind in kinds.__args__}


LR_SCHEDULES: Final[Kinds] = _by_name(LrKind)
"""Schedules of the learning rate, by name."""

MOMENTUM_SCHEDULES: Final[Kinds] = _by_name(MomentumKind)
"""Schedules of the momentum, by name."""


def in_order(given: object, kinds: Kinds) -> tuple[Scheduled, ...]:
    """Build a sequence of schedules from a file's tables or a caller's objects.

    Parameters
    ----------
    given : mapping, Scheduled, or list of them
        Tables as in a file, or schedules.
    kinds : mapping of str to type
        The allowed kinds.

    Returns
    -------
    tuple of Scheduled
        At least one; all but the last have an end.

    Raises
    ------
    pydantic.ValidationError
        With the faults at their keys, so that the enclosing table can report them.
    """
    is_list = isinstance(given, list | tuple)
    tables: Sequence[object] = given if isinstance(given, list | tuple) else [given]
    if not tables:
        raise ValueError("must have a schedule at least: got []")
    made: list[Scheduled] = []
    found: list[Fault] = []
    for number, table in enumerate(tables):
        try:
            made.append(_made(table, kinds))
        except _Wrong as wrong:
            place = f" (entry {number})" if is_list else ""
            found += [(key, message + place) for key, message in wrong.found]
    # A fault at no key is a fault of the whole.
    for key, message in found:
        if not key:
            raise ValueError(message)
    if found:
        raise faults(found)
    for number, schedule in enumerate(made[:-1]):
        if not schedule.has_end:
            raise ValueError(
                f"must end with {schedule.kind}, which has no end of its own: got another after it "
                f"(entry {number})"
            )
    return tuple(made)


class _Wrong(Exception):  # noqa: N818  (caught where it comes from)
    def __init__(self, *found: Fault) -> None:
        self.found = found


def _made(table: object, kinds: Kinds) -> Scheduled:
    """Build a schedule from one table."""
    if isinstance(table, Scheduled):
        own = kinds.get(table.kind)
        if own is not None and type(table) is not own and isinstance(table, own):
            raise _Wrong(
                ("", f"must be of the class {own.__name__}: got its subclass "
                     f"{type(table).__name__}, which no file can store")
            )  # fmt: skip
        if type(table) is not kinds.get(table.kind):
            raise _Wrong(("kind", f"{table.kind!r} is none of these: {', '.join(kinds)}"))
        return table
    if not isinstance(table, Mapping):
        example = '{ kind = "linear", first = 0.1, last = 1.0, steps = 1000 }'
        raise _Wrong(("", f"must be a table, such as {example}: got {shown(table)}"))
    if "kind" not in table:
        raise _Wrong(("kind", f'is missing; add it, such as kind = "{next(iter(kinds))}"'))
    name = table["kind"]
    if not isinstance(name, str) or name not in kinds:
        raise _Wrong(
            ("kind", f"must name a schedule: got {shown(name)}; {suggest(str(name), kinds)}")
        )
    kind = kinds[name]
    strange = [str(key) for key in table if key not in kind.model_fields]
    if strange:
        known = [key for key in kind.model_fields if key != "kind"]
        advice = suggest(strange[0], known) if known else "it has none"
        raise _Wrong(("", f"has no key {strange[0]!r} for the kind {name}; {advice}"))
    try:
        return kind.model_validate(dict(table))
    except ValidationError as error:
        raise _Wrong(*_split(explain(error, kind))) from None


def _split(lines: str) -> Iterator[Fault]:
    for line in lines.splitlines():
        key, _, message = line.partition(" ")
        yield key, message


def values_of(schedules: Sequence[Scheduled], first: int, count: int) -> Floats:
    """Values of a sequence of schedules over a stretch of updates.

    Parameters
    ----------
    schedules : sequence of Scheduled
        Each but the last lasts its `steps`; for the next, t begins at 0.
    first : int
        Updates done before the stretch, from 0 on.
    count : int
        Updates of the stretch.

    Returns
    -------
    ndarray of float64, shape (count,)
        Factors on the learning rate, or momenta. A value depends on its step alone, not on where
        the stretch begins.

    Raises
    ------
    InputError
        There is no such stretch.

    Examples
    --------
    >>> warm = Linear(first=0.5, last=1.0, steps=2)
    >>> values_of([warm, Step(factor=0.1, every=2)], first=0, count=5).tolist()
    [0.5, 0.75, 1.0, 1.0, 0.1]
    """
    t = stretch(first, count)
    values = np.empty(t.size)
    begin = 0
    for number, schedule in enumerate(schedules):
        is_last = number == len(schedules) - 1
        end = first + count if is_last else begin + length_of(schedule)
        its = slice(max(0, begin - first), max(0, end - first))
        values[its] = schedule.values(t[its] - begin)
        begin = end
    return values


def length_of(schedule: Scheduled) -> int:
    """Updates that a schedule with an end lasts."""
    steps: int = getattr(schedule, "steps")  # noqa: B009  (only kinds with an end have it)
    return steps
