"""The same run on a Dask cluster: the same bits, whatever becomes of workers and scheduler.

The clusters are real, of processes on this machine; what goes wrong goes wrong really.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask
import joblib
import numpy as np
import pytest
import xarray as xr
from distributed import Client, LocalCluster

import fastmomentum as fm
from fastmomentum import manifest, worker
from fastmomentum.digest import digest
from fastmomentum.journal import Journal
from fastmomentum.progress import Progress
from fastmomentum.provenance import computing
from fastmomentum.runner import run_to_file
from fastmomentum.sinks import FileSink
from fastmomentum.store import FileStore, partial_name
from fastmomentum.worker import Done, Order, Refusal, do_order
from tests.helpers import same_bits

ROOT = Path(fm.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def experiment(steps: int = 300) -> fm.Experiment:
    """Some 600 runs that converge, diverge or neither, with trajectories."""
    return fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=steps,
        grid=fm.Grid(
            lr=np.geomspace(1e-5, 1e-1, 17),
            momentum=np.linspace(0, 0.99, 12),
            start=[(-1.2, 1.0), (2.0, 2.0), (1.0, 1.0)],
        ),
        record=fm.Record(every=steps // 5),
        stop=fm.Stop(targets=[1.0, 1e-2], bound=1e6),
    )


LONG = """
steps = 5000
objective = { name = "rosenbrock" }
rule = { name = "momentum" }
[grid]
lr = { linspace = [1e-6, 1e-4], num = 300 }
momentum = { linspace = [0.0, 0.9], num = 500 }
start = [[-1.2, 1.0], [2.0, 2.0]]
"""


@contextlib.contextmanager
def cluster(n_workers: int) -> Iterator[Client]:
    """Workers of one thread each, and a client of theirs that is the current one."""
    local = LocalCluster(n_workers=n_workers, threads_per_worker=1, dashboard_address=None)
    with local, Client(local) as client:
        yield client


@contextlib.contextmanager
def process(*command: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process, in a group of its own that is gone afterwards."""
    options = {"cwd": "/", "env": ENVIRONMENT, "text": True, "start_new_session": True} | options
    with subprocess.Popen([str(word) for word in command], **options) as started:
        try:
            yield started
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)


def worker_command(address: str) -> list[str]:
    options = "--nthreads 1 --no-nanny --no-dashboard --host 127.0.0.1"
    return [sys.executable, "-m", "distributed.cli.dask_worker", address, *options.split()]


@pytest.fixture(scope="module")
def wanted() -> xr.Dataset:
    return fm.run(experiment(), n_jobs=1, backend="threads")


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with cluster(2) as client:
        yield client


@pytest.fixture
def at_first(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Callable[[Progress], None]]:
    """What to give a run as `progress`, to have something happen after the first block."""
    monkeypatch.setattr("fastmomentum.runner.COMMIT_SECONDS", 0.0)

    def watcher(*actions: Callable[[], object]) -> Callable[[Progress], None]:
        left = list(actions)

        def watch(progress: Progress) -> None:
            if 0 < progress.done_runs < progress.n_runs:
                while left:
                    left.pop(0)()

        return watch

    return watcher


def test_same_bits_as_threads(client: Client, wanted: xr.Dataset, tmp_path: Path) -> None:
    os.chdir(tmp_path)  # workers have another current folder
    for block_runs in (5, 7, 612):
        path = f"{block_runs}.h5"
        with fm.run(experiment(), path, backend="dask", block_runs=block_runs) as ds:
            same_bits(ds, wanted)
    same_bits(fm.run(experiment(), backend="dask", block_runs=100), wanted)
