"""A file that compares experiments: what is common, what is each one's own, what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import fastmomentum as fm

COMMON = """
title = "Two"
steps = 50
objective = "rosenbrock"
[grid]
lr = [1e-4, 1e-3]
momentum = [0.0, 0.9]
start = [[-1.2, 1.0]]
[stop]
targets = [1.0]
"""


def written(folder: Path, text: str, common: str = COMMON) -> Path:
    path = folder / "two.toml"
    path.write_text(common + text, encoding="utf-8")
    return path


def test_each_is_the_file_with_its_own_rule_and_schedule(tmp_path: Path) -> None:
    text = """
[compare.plain]
rule = "sgd"
[compare."heavy ball"]
rule = { name = "momentum", clip = 1.0 }
[compare.scheduled]
rule = "nesterov"
schedule = { momentum = { kind = "nesterov" } }
[compare.averaged]
rule = "qhm"
grid = { lr = [0.5], rule = { nu = [0.0, 1.0] } }
"""
    found = fm.load_comparison(written(tmp_path, text), ["steps=60"])
    assert list(found) == ["plain", "heavy ball", "scheduled", "averaged"]
    assert [plan.rule.words for plan in found.values()] == [
        "sgd", "momentum with clip 1", "nesterov", "qhm"
    ]  # fmt: skip
    assert [plan.grid.shape for plan in found.values()] == [
        (2, 1, 1), (2, 2, 1), (2, 1, 1), (1, 2, 2, 1)
    ]  # fmt: skip
    assert {plan.steps for plan in found.values()} == {60}
    assert found["plain"].grid.momentum is None  # nothing of a momentum is left to choose
    assert found["scheduled"].has_momentum_schedule
    alone = COMMON.replace("steps = 50", "steps = 60\nrule = { name = 'momentum', clip = 1.0 }")
    assert fm.load(written(tmp_path, "", alone)).sha256 == found["heavy ball"].sha256


TWO = '[compare]\na = { rule = "momentum" }\n'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "there is nothing to compare; give each experiment a table, such as [compare.adam]"),
        ("[compare]\n", "compare must have 2 to 12 experiments: got 0"),
        (TWO, "compare must have 2 to 12 experiments: got 1"),
        ("[compare]\na = 1\nb = 2\n", "compare must have a table for each experiment"),
        ("[[compare]]\nrule = 'sgd'\n", "compare must have a table for each experiment"),
        (
            TWO + "b = { rule = 'adamm' }\n",
            "compare.b: rule.name must name a rule: got 'adamm'; di",
        ),
        (TWO + "b = { steps = 5 }\n", "compare.b.steps is common to all that are compared; set it"),
        (TWO + "b = { rul = 'sgd' }\n", "compare.b.rul no such key; did you mean 'rule'?"),
        (
            TWO + "b = { rule = 'sgd', grid = { momentum = 0.5 } }\n",
            "compare.b: grid.momentum must be left out",
        ),
        (
            TWO + "b = { rule = 'sgd', schedule = { momentum = { kind = 'nesterov' } } }\n",
            "compare.b: schedule.momentum must be left out, as the rule sgd has no momentum",
        ),
        (TWO + "b = { rule = 'momentum', grid = 5 }\n", "compare.b: grid"),
    ],
)
def test_what_makes_no_sense_is_a_line(tmp_path: Path, text: str, line: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(fm.InputError) as caught:
        fm.load_comparison(path)
    assert str(caught.value).startswith(f"{path}: {line}")
    assert "\n" not in str(caught.value)


def test_a_comparison_is_no_experiment(tmp_path: Path) -> None:
    path = written(tmp_path, TWO)
    with pytest.raises(fm.InputError) as caught:
        fm.load(path)
    assert str(caught.value) == (
        f"{path} is a comparison of several experiments; run it with fastmomentum compare, or read "
        "it with fm.load_comparison"
    )
