"""Schedules: closed forms, stretches, sequences, what is refused, and tables from the registry."""

from __future__ import annotations

import itertools
import json
import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from fastmomentum.errors import InputError
from fastmomentum.schedules import (
    LR_SCHEDULES,
    MOMENTUM_SCHEDULES,
    Cosine,
    Exponential,
    Linear,
    Nesterov,
    Schedule,
    Scheduled,
    Step,
    values_of,
)
from fastmomentum.schedules.base import LAST_STEP
from fastmomentum.schedules.powers import power

HALF_WAVE = math.pi


def wave(share: float) -> float:
    return (1 + math.cos(HALF_WAVE * min(share, 1.0))) / 2


LR_FORMS: dict[str, tuple[dict[str, Any], Any]] = {
    "step": ({"factor": 0.7, "every": 30}, lambda t: 0.7 ** (t // 30)),
    "multistep": (
        {"factor": 0.3, "at": [10, 100, 350]},
        lambda t: 0.3 ** sum(t >= at for at in (10, 100, 350)),
    ),
    "exponential": ({"factor": 0.5, "every": 70}, lambda t: 0.5 ** (t / 70)),
    "inverse": ({"rate": 0.02, "power": 0.75}, lambda t: (1 + 0.02 * t) ** -0.75),
    "linear": (
        {"first": 0.1, "last": 1.5, "steps": 200},
        lambda t: 0.1 + 1.4 * min(t, 200) / 200,
    ),
    "cosine": ({"steps": 300, "final": 0.1}, lambda t: 0.1 + 0.9 * wave(t / 300)),
    "cosine_restarts": (
        {"steps": 50, "growth": 2, "final": 0.05},
        lambda t: 0.05 + 0.95 * wave(restarted(t, 50, 2)),
    ),
    "one_cycle": (
        {"steps": 300, "peak": 0.25, "first": 0.1, "last": 0.01},
        lambda t: 1 - 0.9 * wave(t / 75) if t < 75 else 0.01 + 0.99 * wave((t - 75) / 225),
    ),
    "piecewise": (
        {"at": [5, 300], "factors": [0.5, 0.1]},
        lambda t: 1.0 if t < 5 else 0.5 if t < 300 else 0.1,
    ),
}
"""By kind: parameters, and the factor at t written out once more."""

MOMENTUM_FORMS: dict[str, tuple[dict[str, Any], Any]] = {
    "nesterov": ({}, lambda t: t / (t + 3)),
    "su_boyd_candes": ({}, lambda t: max(0.0, (t - 1) / (t + 2))),
    "sutskever": ({"most": 0.7}, lambda t: min(1 - 2 ** (-1 - math.log2(t // 250 + 1)), 0.7)),
    "demon": (
        {"first": 0.9, "steps": 300},
        lambda t: 0.9 * (1 - t / 300) / (0.1 + 0.9 * (1 - t / 300)) if t < 300 else 0.0,
    ),
    "one_cycle": (
        {"steps": 300, "peak": 0.25, "high": 0.9, "low": 0.6},
        lambda t: (
            0.6 + 0.3 * (1 - wave(t / 75) if t >= 75 else wave(t / 75))
            if t < 75
            else 0.9 - 0.3 * wave((t - 75) / 225)
        ),
    ),
    "linear": (
        {"first": 0.5, "last": 0.9, "steps": 200},
        lambda t: 0.5 + 0.4 * min(t, 200) / 200,
    ),
}

KINDS = [("lr", name, *form) for name, form in LR_FORMS.items()]
KINDS += [("momentum", name, *form) for name, form in MOMENTUM_FORMS.items()]
REGISTRIES = {"lr": LR_SCHEDULES, "momentum": MOMENTUM_SCHEDULES}


def restarted(t: int, length: int, growth: int) -> float:
    while t >= length:
        t, length = t - length, length * growth
    return t / length


def made(key: str, name: str, fields: dict[str, Any]) -> tuple[Scheduled, ...]:
    schedules: tuple[Scheduled, ...] = getattr(Schedule.parse({key: {"kind": name, **fields}}), key)
    return schedules


def test_every_kind_has_its_closed_form_here() -> None:
    assert set(LR_FORMS) == set(LR_SCHEDULES)
    assert set(MOMENTUM_FORMS) == set(MOMENTUM_SCHEDULES)


@pytest.mark.parametrize(("key", "name", "fields", "form"), KINDS)
def test_closed_forms(key: str, name: str, fields: dict[str, Any], form: Any) -> None:
    values = values_of(made(key, name, fields), 0, 1200)
    assert values.dtype == np.float64
    expected = [form(t) for t in range(1200)]
    np.testing.assert_allclose(values, expected, rtol=2e-14, atol=1e-16)


@pytest.mark.parametrize(("key", "name", "fields", "form"), KINDS)
def test_a_value_depends_on_its_step_alone(
    key: str, name: str, fields: dict[str, Any], form: Any
) -> None:
    schedules = made(key, name, fields)
    whole = values_of(schedules, 0, 700)
    cuts = [0, 1, 2, 29, 74, 75, 76, 299, 300, 301, 512, 700]
    parts = [values_of(schedules, a, b - a) for a, b in itertools.pairwise(cuts)]
    assert np.concatenate(parts).tobytes() == whole.tobytes()


@pytest.mark.parametrize(("key", "name", "fields", "form"), KINDS)
def test_the_end_of_the_longest_run(key: str, name: str, fields: dict[str, Any], form: Any) -> None:
    values = values_of(made(key, name, fields), LAST_STEP - 3, 4)
    assert np.isfinite(values).all()
    assert (values >= 0).all()
    if name not in ("cosine_restarts",):
        np.testing.assert_allclose(values[-1], form(LAST_STEP), rtol=1e-13)


@pytest.mark.parametrize(("key", "name", "fields", "form"), KINDS)
def test_the_plain_form_gives_the_schedule_again(
    key: str, name: str, fields: dict[str, Any], form: Any
) -> None:
    schedule = Schedule.parse({key: {"kind": name, **fields}})
    plain = json.loads(json.dumps(schedule.plain()))
    assert plain == {key: {"kind": name, **fields}}
    assert Schedule.parse(plain) == schedule


@pytest.mark.parametrize("registry", REGISTRIES.values(), ids=REGISTRIES)
def test_every_kind_says_what_it_is(registry: Any) -> None:
    for name, kind in registry.items():
        assert kind.title
        assert kind.equation
        assert kind.source
        assert kind.has_end == ("steps" in kind.model_fields and name != "cosine_restarts")
        for field in kind.model_fields.values():
            assert field.examples or not field.is_required()  # for "is missing; add it, such as"


def test_defaults_are_left_out() -> None:
    given = {"lr": {"kind": "cosine", "steps": 5e3, "final": 0.0}, "momentum": None}
    assert Schedule.parse(given).plain() == {"lr": {"kind": "cosine", "steps": 5000}}
    cycle = Schedule(lr={"kind": "one_cycle", "steps": 100, "peak": 0.3, "first": 0.04})
    assert cycle.plain() == {"lr": {"kind": "one_cycle", "steps": 100}}


@pytest.mark.parametrize("base", [0.1, 0.5, 0.9, 0.999, 1.0, 1.001])
def test_powers_are_next_to_the_exact_ones(base: float) -> None:
    exponents = np.array([0, 1, 2, 3, 7, 100, 2047, 2048, 2049, 5000])
    for exponent, got in zip(exponents, power(base, exponents), strict=True):
        exact = Fraction(base) ** int(exponent)
        if exact < Fraction(2.0**-1022):
            assert got <= 2.0**-1021
            continue
        ulps = 0.5 if exponent < 2048 else 3.0
        off = abs(Fraction(float(got)) - exact) / Fraction(math.ulp(float(exact)))
        assert off <= ulps, (base, exponent)


def test_known_bits() -> None:
    """Figures that no machine may change."""
    assert power(0.999, np.array([5000]), 7)[0].hex() == "0x1.f51c8ddb7f9dcp-2"


def test_sequences_begin_again() -> None:
    warm = {"kind": "linear", "first": 0.1, "last": 1.0, "steps": 10}
    wave_ = {"kind": "cosine", "steps": 20, "final": 0.5}
    stairs = {"kind": "step", "factor": 0.5, "every": 4}
    schedule = Schedule(lr=[warm, wave_, stairs])
    factors = schedule.lr_factors(0, 60)
    assert factors is not None
    assert schedule.momenta(0, 60) is None
    expected = np.concatenate(
        [
            values_of([Linear(first=0.1, last=1.0, steps=10)], 0, 10),
            values_of([Cosine(steps=20, final=0.5)], 0, 20),
            values_of([Step(factor=0.5, every=4)], 0, 30),
        ]
    )
    assert factors.tobytes() == expected.tobytes()
    for first in (0, 5, 9, 10, 11, 29, 30, 45):
        part = schedule.lr_factors(first, 7)
        assert part is not None
        assert part.tobytes() == expected[first : first + 7].tobytes()
    assert schedule.plain() == {"lr": [warm, wave_, stairs]}
    assert Schedule.parse(schedule.plain()) == schedule


def test_a_list_of_one_is_that_schedule() -> None:
    assert Schedule(momentum=[Nesterov()]) == Schedule(momentum={"kind": "nesterov"})
    assert Schedule(lr=[Exponential(factor=np.float64(0.5))]).plain() == {
        "lr": {"kind": "exponential", "factor": 0.5}
    }


def test_a_sequence_that_ends_stays_at_its_last_value() -> None:
    schedule = Schedule(lr=[Linear(first=0.0, last=1.0, steps=2), Cosine(steps=3, final=0.25)])
    factors = schedule.lr_factors(0, 9)
    assert factors is not None
    assert factors[5:].tolist() == [0.25] * 4


LINES: list[tuple[dict[str, Any], str]] = [
    ({}, "must have lr, momentum or both: got neither"),
    ({"lr": 3}, 'lr must be a table, such as { kind = "linear", first = 0.1,'),
    ({"lr": []}, "lr must have a schedule at least: got []"),
    ({"lr": {"factor": 0.5}}, 'lr.kind is missing; add it, such as kind = "step"'),
    (
        {"lr": {"kind": "cosin"}},
        "lr.kind must name a schedule: got 'cosin'; did you mean 'cosine'?",
    ),
    ({"lr": {"kind": 5}}, "lr.kind must name a schedule: got 5; known are step,"),
    ({"lr": {"kind": "nesterov"}}, "lr.kind must name a schedule: got 'nesterov'; known are step"),
    ({"lr": Nesterov()}, "lr.kind 'nesterov' is none of these: step, multistep"),
    ({"lr": {"kind": "cosine"}}, "lr.steps is missing; add it, such as 5000"),
    ({"lr": {"kind": "cosine", "steps": -3}}, "lr.steps must be at least 1: got -3"),
    ({"lr": {"kind": "cosine", "steps": 2**31}}, "lr.steps must be at most 2147483647"),
    ({"lr": {"kind": "cosine", "steps": 2.5}}, "lr.steps must be a whole number: got 2.5"),
    ({"lr": {"kind": "cosine", "steps": True}}, "lr.steps must be a whole number: got true"),
    ({"lr": {"kind": "cosine", "steps": "9"}}, "lr.steps must be a whole number: got '9'; write"),
    (
        {"lr": {"kind": "cosine", "steps": 9, "finall": 0}},
        "lr has no key 'finall' for the kind cosine; did you mean 'final'?",
    ),
    (
        {"momentum": {"kind": "nesterov", "steps": 9}},
        "momentum has no key 'steps' for the kind nesterov; it has none",
    ),
    ({"lr": {"kind": "step", "factor": 0.0, "every": 1}}, "lr.factor must be greater than 0"),
    ({"lr": {"kind": "step", "factor": math.nan, "every": 1}}, "lr.factor must be a finite number"),
    ({"lr": {"kind": "linear", "first": -1, "last": 1, "steps": 5}}, "lr.first must be at least 0"),
    ({"lr": {"kind": "multistep", "at": [], "factor": 0.5}}, "lr.at must have a step at least"),
    (
        {"lr": {"kind": "multistep", "at": [5, 5], "factor": 0.5}},
        "lr.at must rise from entry to entry: got [5, 5]",
    ),
    (
        {"lr": {"kind": "multistep", "at": [5, -1], "factor": 0.5}},
        "lr.at must be at least 1: got -1 (entry 1)",
    ),
    (
        {"lr": {"kind": "multistep", "at": 5, "factor": 0.5}},
        "lr.at must be a list: got 5; write [5]",
    ),
    (
        {"lr": {"kind": "piecewise", "at": [5], "factors": [0.5, 0.1]}},
        "lr.factors must have an entry for each of the 1 of at: got 2",
    ),
    (
        {"lr": {"kind": "one_cycle", "steps": 3}},
        "lr.peak must leave an update before the turn, peak*steps >= 1: got 0.3 of 3 steps",
    ),
    (
        {"lr": {"kind": "one_cycle", "steps": 9, "peak": 1.0}},
        "lr.peak must be less than 1: got 1.0",
    ),
    ({"lr": {"kind": "cosine_restarts", "steps": 9, "growth": 0}}, "lr.growth must be at least 1"),
    (
        {"momentum": {"kind": "sutskever", "most": 1.0}},
        "momentum.most must be less than 1: got 1.0",
    ),
    (
        {"lr": [{"kind": "cosine", "steps": 5}, {"kind": "cosine", "steps": 0}]},
        "lr.steps must be at least 1: got 0 (entry 1)",
    ),
    (
        {"lr": [{"kind": "step", "factor": 0.5, "every": 5}, {"kind": "cosine", "steps": 5}]},
        "lr must end with step, which has no end of its own: got another after it (entry 0)",
    ),
    (
        {"lr": [{"kind": "cosine_restarts", "steps": 5}, {"kind": "cosine", "steps": 5}]},
        "lr must end with cosine_restarts, which has no end of its own",
    ),
    ({"lrr": {"kind": "nesterov"}}, "lrr: no such key; did you mean 'lr'?"),
]


@pytest.mark.parametrize(("fields", "text"), LINES)
def test_what_makes_no_sense_is_a_line(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InputError) as caught:
        Schedule.parse(fields)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1
    assert text in lines[0]
    assert lines[0].startswith(text.split(" ")[0]) or not fields


@pytest.mark.parametrize(("first", "count"), [(-1, 2), (0, -1), (LAST_STEP, 2)])
def test_there_is_no_such_stretch(first: int, count: int) -> None:
    with pytest.raises(
        InputError, match="a stretch must lie between step 0 and step 2,147,483,647"
    ):
        values_of([Nesterov()], first, count)
