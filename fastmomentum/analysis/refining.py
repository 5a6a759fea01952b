"""Refining a map: the boundary between its classes at many times its resolution."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.analysis.finer_map import SETTINGS, finest, listing, map_of
from fastmomentum.analysis.quadtree import MOST_LEVELS, Known, Lattice, rounds
from fastmomentum.analysis.refined_map import known_of
from fastmomentum.analysis.refinement import Refined
from fastmomentum.errors import InputError, Interrupted
from fastmomentum.execution.known_results import store_known
from fastmomentum.execution.runner import run
from fastmomentum.experiment.cells import MOST_LISTED
from fastmomentum.experiment.plan import Experiment
from fastmomentum.results.dataset import experiment_of, open_results
from fastmomentum.results.selection import Start
from fastmomentum.specification.numbers import whole
from fastmomentum.specification.paths import path_of

SAMPLE: Final = 2000
"""Skipped cells that are run to see how many were missed."""
Variables = dict[str, NDArray[Any]]


def refine(
    ds: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    levels: int,
    start: Start | None = None,
    velocity: Start | None = None,
    at: Mapping[str, float] | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = False,
    overwrite: bool = False,
    told: Callable[[str], None] = lambda _: None,
) -> Refined:
    """Cut a map finer along the boundary between its classes, and nowhere else.

    Squares of neighbouring cells that did not all end alike are cut into four, then those of the
    four whose corners differ, `levels` times; a boundary that leaves a square is followed.

    Parameters
    ----------
    ds : xarray.Dataset
        Results over learning rate and momentum.
    path : path
        Results file of the refined map: an ordinary one, whose grid lists its cells, those of the
        map included.
    levels : int
        The boundary gets 2^levels times the map's resolution.
    start, velocity, at
        Which map, as for `zoomed`; the first of each if left out.
    sample : int
        Number of skipped cells to run, at random, to estimate how many were missed.
    seed : int
        Seed of that sample.
    n_jobs, progress, overwrite
        As for `fm.run`. Each level is kept in a file beside `path` until all is written, so that
        an interrupted refinement can be resumed.
    told : callable, optional
        Called with a line for each level.

    Returns
    -------
    Refined
        How much was run, and how much was missed.

    Raises
    ------
    InputError
        The results are not such a map, or were made by a version whose last digits differ; there
        are too many levels for doubles or for a list of cells; other results are in the way.

    Examples
    --------
    >>> import tempfile, numpy as np, fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Booth(), rule="momentum", steps=200,
    ...     grid=fm.Grid(lr=np.linspace(0.05, 0.4, 9), momentum=np.linspace(0, 0.9, 9),
    ...     start=[(1, 1)])))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = fm.analysis.refine(ds, f"{folder}/fine.h5", levels=4)
    >>> found.shape, found.share < 0.25, found.missed
    ((129, 129), True, 0)
    """
    levels = whole(levels, "levels", least=1, most=MOST_LEVELS)
    sample, seed = whole(sample, "sample", least=0), whole(seed, "seed", least=0)
    path = path_of(path)
    plan, where = map_of(ds, start, velocity, at)
    lattice = Lattice((ds.sizes["lr"], ds.sizes["momentum"]), levels)
    finer = finest(plan, levels)
    began = time.monotonic()
    there = _there(path, finer, overwrite)
    if there is None:
        known, runs = _boundary(ds, where, finer, lattice, path, n_jobs, progress, overwrite, told)
        experiment = listing(finer, known.points)
        store_known(experiment, path, runs, time.monotonic() - began, overwrite)
        for level in range(1, levels + 1):
            _level_file(path, level).unlink(missing_ok=True)
    else:
        known = there
    with open_results(path) as made:
        updates = int(made.n_steps.values.sum(dtype=np.int64))
    full = float(ds.n_steps.isel(where).mean()) * lattice.size
    seconds = 0.0 if there else time.monotonic() - began
    tried, missed = _missed(known, finer, sample, seed, n_jobs)
    of_map = lattice.shape[0] * lattice.shape[1]
    computed = known.points.size - of_map
    return Refined(
        path, lattice.fine, of_map, computed, updates / full, seconds, tried, missed, seed
    )


def _there(path: Path, finer: Experiment, overwrite: bool) -> Known | None:
    """What the file holds already, if it is this very refinement."""
    if overwrite or not path.is_file():
        return None
    with open_results(path) as ds:
        plan = experiment_of(ds)
        if plan.grid.cells is None or listing(plan, np.zeros(1, np.int64)).plan != finer.plan:
            raise InputError(
                f"{path} holds other results than this map refined; choose another file, or "
                "replace it with overwrite=True"
            )
        return known_of(ds)


def _boundary(
    ds: xr.Dataset,
    where: dict[str, int],
    finer: Experiment,
    lattice: Lattice,
    path: Path,
    n_jobs: int | None,
    progress: bool,
    overwrite: bool,
    told: Callable[[str], None],
) -> tuple[Known, Variables]:
    """Run the cells beside the boundary, level by level; the results of all, by their numbers."""
    names = [one.name for one in finer.outcomes]
    flat = ds[names].isel(where).transpose(*SETTINGS, ...).load()
    known = Known(lattice, flat.status.values)
    parts = [{n: _rows(flat[n], known.points.size, flat[n].shape[2:]) for n in names}]
    numbers, count = [known.points], 0
    with contextlib.ExitStack() as stack:
        level = 0
        for one in rounds(known):
            if known.points.size + one.points.size > MOST_LISTED:
                raise InputError(
                    f"level {one.level} needs {one.points.size:,} more cells, and a list may have "
                    f"{MOST_LISTED:,}; ask for {one.level - 1} levels at most"
                )
            if one.level > level and count:
                told(f"level {level}: {count:,} cells")
                count = 0
            level, count = one.level, count + one.points.size
            place = _level_file(path, level) if one.first else None
            results = stack.enter_context(
                _run(listing(finer, one.points), place, path, n_jobs, progress, overwrite)
            )
            part = {
                n: results[n].values.reshape(one.points.size, *flat[n].shape[2:]) for n in names
            }
            known.add(one.points, part["status"])
            parts.append(part)
            numbers.append(one.points)
    if count:
        told(f"level {level}: {count:,} cells")
    order = np.argsort(np.concatenate(numbers), kind="stable")
    return known, {n: np.concatenate([part[n] for part in parts])[order] for n in names}


def _rows(values: xr.DataArray, count: int, shape: tuple[int, ...]) -> NDArray[Any]:
    return values.values.reshape(count, *shape)


def _run(
    plan: Experiment,
    place: Path | None,
    path: Path,
    n_jobs: int | None,
    progress: bool,
    overwrite: bool,
) -> xr.Dataset:
    """Run a round: the first of a level to a file, the small ones that follow it in memory."""
    if place is not None:
        return run(plan, place, n_jobs=n_jobs, progress=progress, overwrite=overwrite)
    try:
        return run(plan, n_jobs=n_jobs)
    except Interrupted:
        said = f"interrupted; finished levels are kept beside {path}: run the same again"
        raise Interrupted(f"{said} to resume") from None


def _level_file(path: Path, level: int) -> Path:
    return path.with_name(f"{path.stem}_level{level}{path.suffix}")


def _missed(
    known: Known, finer: Experiment, sample: int, seed: int, n_jobs: int | None
) -> tuple[int, int]:
    """How many skipped cells were run at random, and how many have another class than drawn."""
    lattice = known.lattice
    left = lattice.size - known.points.size
    if not sample or not left:
        return 0, 0
    random = np.random.default_rng(seed)
    wanted = min(sample, left)
    if lattice.size < 4 * sample:
        every = np.arange(lattice.size)
        skipped = every[~known.has(every)]
        chosen = random.choice(skipped, wanted, replace=False)
    else:
        chosen = np.empty(0, np.int64)
        while chosen.size < wanted:
            more = random.integers(lattice.size, size=2 * wanted)
            chosen = np.unique(np.concatenate([chosen, more[~known.has(more)]]))
        chosen = random.permutation(chosen)[:wanted]
    chosen = np.sort(chosen)
    found = run(listing(finer, chosen), n_jobs=n_jobs).status.values.ravel()
    return wanted, int((found != known.inferred(chosen)).sum())
