"""Keys of the noise of a block's runs, and the rows that batches are drawn from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from fastmomentum.kernels.drawing import Draws, Random, Whose
from fastmomentum.noise import NOTHING, absorbed, key_of, position_bits
from fastmomentum.objectives import MSE

if TYPE_CHECKING:
    from fastmomentum.experiment.plan import Experiment

ALONE: Final = 128
"""If fewer runs than this share a seed, each draws for itself: a kernel call per seed would cost
more than is saved."""

NO_NUMBERS: Final = np.empty(0)
NO_KEY: Final = np.zeros(2, np.uint64)


def draws_of(experiment: Experiment) -> Draws:
    """What is drawn for the runs of an experiment, and whose it is."""
    noise, batch = experiment.noise, experiment.batch
    whose: Whose = "seed"
    if experiment.grid.n_runs // experiment.grid.seeds.size < ALONE and experiment.grid.seed:
        whose = "lane"
    return Draws(
        None if noise is None else whose if noise.common else "lane",
        None if batch is None else whose,
        batch is not None and batch.draw == "replacement",
    )


def parts_of(experiment: Experiment, draws: Draws, runs: range) -> Iterator[range]:
    """Cut the runs of a block where the seed changes, if all runs of a call are to share one."""
    if not draws.by_seed or experiment.grid.seed is None:
        yield runs
        return
    of_seed = experiment.grid.n_runs // experiment.grid.seeds.size
    first = runs.start
    while first < runs.stop:
        last = min(runs.stop, (first // of_seed + 1) * of_seed)
        yield range(first, last)
        first = last


def random_of(experiment: Experiment, draws: Draws, runs: range) -> Random | tuple[()]:
    """What a kernel needs to draw for some runs, which must have one seed if they share numbers.

    Raises
    ------
    InputError
        Batches are to be drawn, and the rows of the data are not known.
    """
    if not draws.any:
        return ()
    key, x, r, scale, size, low, high = NO_KEY, NO_NUMBERS, NO_NUMBERS, 0.0, 0, 0, 0
    if draws.by_seed:
        grid = experiment.grid
        number = runs.start // (grid.n_runs // grid.seeds.size)
        key = np.array(key_of(grid.seeds[number], NOTHING, NOTHING), np.uint64)
    if experiment.batch is not None:
        assert isinstance(experiment.objective, MSE)  # as the experiment has checked
        x, r = experiment.objective.rows
        scale = experiment.objective.constants[-1]
        size, (low, high) = experiment.batch.size, position_bits(x.size)
    deviation = experiment.noise.gaussian if experiment.noise else 0.0
    return Random(deviation, key, key, x, r, scale, size, low, high)


def keys_of_lanes(
    experiment: Experiment, draws: Draws, runs: range
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Keys of runs that draw for themselves, two words each, as the bits of doubles.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    draws : Draws
        What is drawn.
    runs : range
        Numbers of the runs.

    Yields
    ------
    (ndarray, ndarray), shapes (n_runs,)
        For the noise, then for batches, if these are each run's own.
    """
    common = experiment.noise is None or experiment.noise.common
    for whose, of_seed in ((draws.noise, common), (draws.batch, True)):
        if whose == "lane":
            first, second = _keys(experiment, runs, of_seed)
            yield first.view(np.float64), second.view(np.float64)


def _keys(experiment: Experiment, runs: range, of_seed: bool) -> NDArray[np.uint64]:
    """Keys of runs, shape (2, n_runs): from their seeds alone, or from all their settings.

    All that identifies a run but its seed; a velocity that the grid has not counts as 0.
    With NumPy: that takes a few per cent of the runs' own time, and needs no compilation.
    """
    grid = experiment.grid
    cells = dict(zip(grid.axes, np.unravel_index(np.asarray(runs), grid.shape), strict=True))
    state = NOTHING, NOTHING
    for label in experiment.labels if not of_seed else ():
        if label.kind != "seed":
            state = absorbed(np.asarray(label.values, float)[cells[label.axis]], *state)
    if grid.velocity is None and not of_seed:
        state = absorbed(0.0, *absorbed(0.0, *state))
    seeds = grid.seeds[cells["seed"]] if grid.seed is not None else grid.seeds[0]
    keys = np.empty((2, len(runs)), np.uint64)
    keys[0], keys[1] = key_of(seeds, *state)
    return keys
