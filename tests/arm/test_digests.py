"""What is compared with an ARM machine has one of each; `make arm` does the comparing."""

from __future__ import annotations

import fastmomentum as fm
from fastmomentum.schedules import LR_SCHEDULES, MOMENTUM_SCHEDULES
from tests.arm.digests import LR, MOMENTUM, curves, experiments


def test_there_is_one_of_each() -> None:
    plans = experiments().values()
    assert {plan.objective.name for plan in plans} == set(fm.OBJECTIVES)
    assert {plan.rule.name for plan in plans} == set(fm.RULES)
    assert set(LR) == set(LR_SCHEDULES)
    assert set(MOMENTUM) == set(MOMENTUM_SCHEDULES)
    assert len(set(curves().values())) == len(LR) + len(MOMENTUM)
    assert {plan.noise is not None for plan in plans} == {True, False}
    assert {plan.batch is not None for plan in plans} == {True, False}
    assert {plan.rule.restart is not None for plan in plans} == {True, False}
    assert {plan.schedule is not None for plan in plans} == {True, False}
    assert {plan.stop.bound is not None for plan in plans} == {True, False}
