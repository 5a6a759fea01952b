"""Rules and options go through the points of PyTorch, optax and Keras, in float64, to 1e-12."""

from __future__ import annotations

import os
from typing import Any

import pytest
from _rule_walks import APART, WALKS, RuleWalk

import fastmomentum as fm


def needing(walk: RuleWalk) -> Any:
    """Skip where a framework is not installed and need not be."""
    absent = bool(walk.missing) and not os.environ.get("EVERY_FRAMEWORK")
    reason = f"{', '.join(walk.missing)} not installed; see make parity"
    return pytest.param(
        walk, id=f"{walk.framework} {walk.name}", marks=pytest.mark.skipif(absent, reason=reason)
    )


@pytest.mark.parametrize("walk", [needing(walk) for walk in WALKS])
def test_the_same_points(walk: RuleWalk) -> None:
    assert walk.difference() <= 1e-12


@pytest.mark.parametrize("walk", [needing(walk) for walk in APART])
def test_what_differs_is_seen(walk: RuleWalk) -> None:
    """As the documentation says; were it no longer so, its sentence would have to go."""
    assert walk.said
    assert walk.difference() > 1e-11


def test_every_rule_has_a_counterpart() -> None:
    """But Sutskever's form, which no framework has; its own test is that of `convert`."""
    assert {walk.rule for walk in WALKS} == set(fm.RULES) - {"sutskever"}
    names = [(walk.framework, walk.name, *walk.parameters) for walk in WALKS]
    assert len(names) == len(set(names))
