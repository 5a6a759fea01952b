"""Consistency checks between a schedule and the rest of an experiment."""

from __future__ import annotations

from collections.abc import Iterator

from fastmomentum.experiment.grid import Grid
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.schedules import AT, Schedule
from fastmomentum.specification.messages import Fault


def schedule_faults(schedule: Schedule | None, rule: UpdateRule, grid: Grid) -> Iterator[Fault]:
    """Faults of a schedule of the momentum.

    Parameters
    ----------
    schedule, rule, grid
        Parts of an experiment.

    Yields
    ------
    (str, str)
        Key and message.
    """
    if schedule is None or schedule.momentum is None:
        return
    if not rule.rule.uses_momentum:
        yield (
            "schedule.momentum",
            f"must be left out, as the rule {rule.name} has no momentum; drop it, or take the "
            "rule momentum",
        )
        return
    if grid.momentum is not None:
        yield (
            "grid.momentum",
            "must be left out, as schedule.momentum gives the momentum of every run; drop one",
        )
    if rule.restart is not None and (
        len(schedule.momentum) > 1 or schedule.momentum[0].kind not in AT
    ):
        kinds = " -> ".join(one.kind for one in schedule.momentum)
        yield (
            "schedule.momentum",
            f"must be {' or '.join(AT)} where rule.restart restarts it: got {kinds}; take one "
            "of these, or drop rule.restart",
        )
