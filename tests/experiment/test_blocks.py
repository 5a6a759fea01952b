"""How many runs a block holds: whole tiles, bounded by work, by bytes and by a core's cache."""

from __future__ import annotations

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.experiment.blocks import BLOCK_BYTES, BLOCK_RUNS, BLOCK_UPDATES
from fastmomentum.kernels.loop import LANES


def experiment(steps: int, every: int | None = None) -> fm.Experiment:
    return fm.Experiment(
        objective="rosenbrock",
        rule="momentum",
        steps=steps,
        grid=fm.Grid(lr=np.geomspace(1e-6, 1e-3, 1000), momentum=np.linspace(0, 0.9, 1000),
                     start=[(0, 0)]),
        record=None if every is None else fm.Record(every=every),
    )  # fmt: skip


@pytest.mark.parametrize("steps", [1, 7, 611, 612, 1_000, 4_321, 99_999, 300_000, 2**31 - 2])
@pytest.mark.parametrize("every", [None, 1, 50])
def test_a_block_of_many_runs_is_whole_tiles_of_either_kernel(
    steps: int, every: int | None
) -> None:
    if every is not None and steps // every > 10_000:
        every = steps // 10_000  # else a run alone is larger than a block may be
    plan = experiment(steps, every)
    runs = plan.block_runs
    assert 1 <= runs <= BLOCK_RUNS[1]
    if runs >= BLOCK_RUNS[0]:
        assert all(runs % lanes == 0 for lanes in LANES.values())


@pytest.mark.parametrize("steps", [700, 5_000, 40_000, 200_000])
def test_work_bounds_a_block(steps: int) -> None:
    runs = experiment(steps).block_runs
    assert runs * steps <= BLOCK_UPDATES
    assert (runs + BLOCK_RUNS[0]) * steps > BLOCK_UPDATES


def test_a_core_s_cache_bounds_a_block_of_short_runs() -> None:
    assert experiment(1).block_runs == BLOCK_RUNS[1]


@pytest.mark.parametrize("every", [1, 3, 10])
def test_bytes_bound_a_block(every: int) -> None:
    plan = experiment(1_000, every)
    runs = plan.block_runs
    assert runs * plan.bytes_per_run <= BLOCK_BYTES
    more = runs + (BLOCK_RUNS[0] if runs >= BLOCK_RUNS[0] else 1)
    assert more * plan.bytes_per_run > BLOCK_BYTES


def test_a_run_that_is_larger_than_a_block_is_one_by_itself() -> None:
    plan = experiment(400_000, 1)
    assert plan.bytes_per_run > BLOCK_BYTES
    assert plan.block_runs == 1
