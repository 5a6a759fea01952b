"""Sizes by measurement: lanes of a tile, updates of a round, runs and bytes of a block."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import TypeVar
from unittest.mock import patch

import fastmomentum as fm
from benchmarks.computing import POINTS, diagram
from benchmarks.measuring import Setting, by_turns, median, seconds, valley, whole_grid
from benchmarks.storing import recorded, scratch
from fastmomentum.kernels import block
from fastmomentum.kernels import loop as kernels

Table = tuple[str, dict[str, float]]
T = TypeVar("T")


def tune(setting: Setting) -> Iterator[Table]:
    """Vary one size after another, the others as they are.

    Parameters
    ----------
    setting : Setting
        How to measure.

    Yields
    ------
    title : str
        What was varied and in what the figures are.
    figures : dict of float
        By size.
    """
    repeats = setting.repeats
    some = slice(2, 3) if setting.quick else slice(None)
    for checked in (False, True):
        contenders = {
            str(lanes): _with_lanes(checked, lanes)
            for lanes in (8, 16, 24, 32, 40, 48, 56, 64)[some]
        }
        title = f"LANES, {'with' if checked else 'without'} stop rules: 10^6 updates/s, one core"
        yield title, _medians(contenders, repeats)
    small = diagram(96 if setting.quick else 256)
    contenders = {str(n): _with_round(n, small) for n in (16, 32, 64, 128, 256, 512)[some]}
    yield "ROUND, phase diagram: seconds, one core", _medians(contenders, repeats)
    sizes = (512, 2048, 8192, 32_768, 131_072)[some]
    contenders = {str(n): _blocks(diagram(POINTS), n) for n in sizes}
    yield "runs a block, phase diagram: seconds, all cores", _medians(contenders, repeats)
    short = diagram(1000, steps=20, stop=fm.Stop(bound=None))
    contenders = {str(n): _blocks(short, n) for n in sizes}
    yield "runs a block, 10^6 runs of 20 updates: seconds", _medians(contenders, repeats)
    large = recorded(setting)
    contenders = {
        f"{runs * large.bytes_per_run / 2**20:.1f} MiB": _stored(large, runs, setting)
        for runs in (16, 64, 256, 1024, 4096)[some]
    }
    yield "bytes a block, all steps to a file: GB/s", _medians(contenders, 2)


def _medians(contenders: dict[str, Callable[[], float]], repeats: int) -> dict[str, float]:
    return {name: median(values) for name, values in by_turns(contenders, repeats).items()}


def _with_lanes(checked: bool, lanes: int) -> Callable[[], float]:
    experiment = valley(3840, 10_000, stop=fm.Stop(bound=1e300 if checked else None))
    return _with(experiment, {checked: lanes}, kernels.ROUND)


def _with_round(updates: int, experiment: fm.Experiment) -> Callable[[], float]:
    rate = _with(experiment, {}, updates)
    return lambda: 1e3 / rate()


def _with(experiment: fm.Experiment, lanes: dict[bool, int], updates: int) -> Callable[[], float]:
    """Measure with other sizes than the usual, and kernels compiled for them."""
    compiled = functools.cache(kernels.compile_kernel.__wrapped__)

    def within(work: Callable[[], T]) -> T:
        with (
            patch.dict(kernels.LANES, lanes),
            patch.object(kernels, "ROUND", updates),
            patch.object(block, "compile_kernel", compiled),
        ):
            return work()

    rate = within(lambda: whole_grid(experiment))
    return lambda: within(rate)


def _blocks(experiment: fm.Experiment, runs: int) -> Callable[[], float]:
    return lambda: seconds(lambda: fm.run(experiment, block_runs=runs))


def _stored(experiment: fm.Experiment, runs: int, setting: Setting) -> Callable[[], float]:
    size = experiment.grid.n_runs * experiment.bytes_per_run

    def rate() -> float:
        with scratch(setting, size) as folder:
            path = folder / "out.h5"
            return size / seconds(lambda: fm.run(experiment, path, block_runs=runs).close()) / 1e9

    return rate
