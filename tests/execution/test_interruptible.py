"""Runs in memory that can be cancelled."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

import fastmomentum as fm
from fastmomentum.execution import interruptible
from fastmomentum.execution.interruptible import run_unless
from fastmomentum.results import digest
from fastmomentum.results.backend import from_memory


def test_blocks_wait_for_a_free_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a block takes: what is queued could not be cancelled at once."""
    experiment = fm.Experiment(
        objective="rosenbrock",
        rule="momentum",
        steps=10,
        grid=fm.Grid(
            lr={"linspace": (1e-5, 1e-4), "num": 200},
            momentum={"linspace": (0.0, 0.9), "num": 100},
            start=[(-1.2, 1.0)],
        ),
    )
    may_go, submitted, polls = threading.Event(), [], []
    plain = interruptible.run_block

    def run_block(*given: Any, **named: Any) -> None:
        may_go.wait()
        plain(*given, **named)

    class Counting(ThreadPoolExecutor):
        def submit(self, call: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
            submitted.append(given)
            return super().submit(call, *given, **named)

    def stopped() -> bool:
        polls.append(len(submitted))
        if len(polls) == 8:
            may_go.set()
        return False

    monkeypatch.setattr(interruptible, "run_block", run_block)
    with Counting(2) as threads:
        found = run_unless(experiment, threads, 2, stopped)
    assert len(submitted) > 3  # there is more than could be queued
    assert polls[1:8] == [3] * 7
    assert found is not None
    assert digest(from_memory(experiment, found, 0.0)) == digest(fm.run(experiment))


def test_blocks_of_a_costly_objective_are_smaller() -> None:
    """They take about as long, so that what is cancelled ends as soon."""
    grid = fm.Grid(
        lr={"linspace": (1e-5, 1e-4), "num": 500},
        momentum={"linspace": (0.0, 0.9), "num": 400},
        start=[(-1.2, 1.0)],
    )
    sizes = [
        interruptible._block_runs(
            fm.Experiment(objective=objective, rule="momentum", steps=2000, grid=grid), 2
        )
        for objective in ("rosenbrock", "ackley")
    ]
    assert sizes[0] == interruptible.BLOCK_UPDATES // 2000
    assert interruptible.LEAST_RUNS <= sizes[1] < sizes[0] / 5
