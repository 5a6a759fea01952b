"""Runs with noise, batches, schedules, restarts, lists of cells: taken over, or computed anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.execution import worker
from fastmomentum.experiment.matching import Matching
from fastmomentum.results.fingerprint import digest

X = np.linspace(0.0, 5.0, 100)
LINE = fm.MSE.from_arrays(X, 2.0 * X + np.sin(40.0 * X))
LRS, MOMENTA = np.geomspace(1e-4, 3e-1, 5), np.array([0.0, 0.5, 0.8, 0.95])
OLD = {"lr": LRS[::2], "momentum": MOMENTA, "start": [(-1.2, 1.0), (0.3, 2.0)], "seed": [5, 3]}
NEW = OLD | {"lr": LRS, "seed": [3, 4, 5]}
NOISE = {"noise": {"gaussian": 0.5}}

# As in the tests of random runs, so that nothing more is compiled.
KINDS: dict[str, dict[str, Any]] = {
    "common noise": NOISE,
    "own noise": {"noise": {"gaussian": 0.5, "common": False}},
    "batches": NOISE | {"objective": LINE, "batch": {"size": 32}},
    "schedules, restarts": NOISE
    | {
        "rule": {"name": "nesterov", "restart": "function"},
        "schedule": {"lr": {"kind": "cosine", "steps": 200}, "momentum": {"kind": "nesterov"}},
    },
}


def plan(grid: dict[str, Any], **options: Any) -> fm.Experiment:
    if "momentum" in options.get("schedule", {}):
        grid = {key: value for key, value in grid.items() if key != "momentum"}
    options = {"objective": fm.Rosenbrock(), "rule": "nesterov"} | options
    return fm.Experiment(
        steps=300, grid=fm.Grid(**grid), stop=fm.Stop(targets=[1.0]), **options
    )  # fmt: skip


def computed_beside(
    old: fm.Experiment, new: fm.Experiment, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> int:
    """Reuse one for the other, and count the runs that were computed; the digest is a new run's."""
    wanted = digest(fm.run(new, n_jobs=1))
    fm.run(old, folder / "old.h5", n_jobs=1).close()
    found: list[int] = []
    whole = worker.run_block

    def watched(
        plan: fm.Experiment, runs: range, arrays: Any, n_steps: Any = None, chosen: Any = None
    ) -> None:
        if n_steps is None:  # others compile
            found.append(len(runs) if chosen is None else int(np.sum(chosen)))
        whole(plan, runs, arrays, n_steps, chosen)

    with monkeypatch.context() as patched:
        patched.setattr(worker, "run_block", watched)
        fm.run(new, folder / "new.h5", reuse=folder / "old.h5", n_jobs=1, block_runs=7).close()
    assert digest(folder / "new.h5") == wanted
    assert sum(found) == new.grid.n_runs - Matching(new, old).count
    return sum(found)


@pytest.mark.parametrize("kind", KINDS)
def test_more_seeds_and_learning_rates(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = plan(OLD, **KINDS[kind]), plan(NEW, **KINDS[kind])
    assert computed_beside(old, new, tmp_path, monkeypatch) == new.grid.n_runs - old.grid.n_runs


def test_a_grid_without_seeds_has_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = plan({key: value for key, value in OLD.items() if key != "seed"}, **NOISE)
    three = plan(OLD | {"seed": 3}, **NOISE)
    for name, old, new in (("a", one, three), ("b", three, one)):
        (tmp_path / name).mkdir()
        there = min(old.grid.n_runs, new.grid.n_runs)
        found = computed_beside(old, new, tmp_path / name, monkeypatch)
        assert found == new.grid.n_runs - there


@pytest.mark.parametrize("asked", [2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1])
def test_every_digit_of_a_seed_counts(
    asked: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Doubles know no odd numbers from here on."""
    one = {"lr": LRS[:1], "momentum": MOMENTA[:1], "start": [(0.3, 2.0)]}
    old = plan(one | {"seed": [2**53, 2**53 + 1]}, **NOISE)
    found = computed_beside(old, plan(one | {"seed": [asked]}, **NOISE), tmp_path, monkeypatch)
    assert found == (asked > 2**53 + 1)


@pytest.mark.parametrize(
    ("old", "new", "taken"),
    [
        ([0, 3, 5, 8, 19], None, 20),
        (None, [0, 3, 5, 8, 19], 20),
        ([0, 3, 5, 8, 19], [1, 3, 5, 9, 19], 12),
        ([0, 1, 2], [3, 7], 0),
    ],
)
def test_lists_of_cells(
    old: list[int] | None, new: list[int] | None, taken: int, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    grid = OLD | {"lr": LRS}
    here, there = (plan(grid | {"cells": cells}, **NOISE) for cells in (new, old))
    assert computed_beside(there, here, tmp_path, monkeypatch) == here.grid.n_runs - taken


@pytest.mark.parametrize(
    ("there", "here", "line"),
    [
        ({}, NOISE, "noise.common is left out there and true here"),
        (NOISE, {"noise": {"gaussian": 0.1}}, "noise.gaussian is 0.5 there and 0.1 here"),
        ("batches", {"size": 16}, "batch.size is 32 there and 16 here"),
        ("batches", {"size": 32, "draw": "replacement"}, "batch.draw is 'shuffle' there and"),
        ("schedules, restarts", {}, "rule.restart is 'function' there and left out here"),
    ],
)
def test_what_draws_otherwise_is_refused(there: Any, here: Any, line: str) -> None:
    from fastmomentum.experiment.matching import differing

    options = KINDS[there] if isinstance(there, str) else there
    if there == "batches":
        here = options | {"batch": here}
    elif there == "schedules, restarts":
        here = options | {"rule": "nesterov"}
    grid = {key: value for key, value in OLD.items() if options or key != "seed"}
    assert line in differing(plan(OLD, **here), plan(grid, **options))
