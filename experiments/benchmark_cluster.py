"""Measure what a Dask cluster costs: overhead, memory of the driver, tasks a second.

All on this machine: a scheduler and workers of its own, one process a core. The overhead is told
in time and in processor time; on a machine that does other things, too, trust the second.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastmomentum.machine import usable_cores

RUN = """
import json, resource, sys, time
from pathlib import Path
import fastmomentum as fm
from fastmomentum.execution import batching
from fastmomentum.execution.runner import run_to_file

def main(backend, path, block_runs, task_seconds, lr, steps):
    batching.TASK_SECONDS = task_seconds
    experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=steps,
        grid=fm.Grid(lr={"linspace": [1e-6, 1e-4], "num": lr},
                     momentum={"linspace": [0.0, 0.9], "num": 1000}, start=[(-1.2, 1.0)]))
    begun = time.perf_counter()
    run_to_file(experiment, Path(path), backend=backend, block_runs=block_runs or None)
    took = time.perf_counter() - begun
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    most /= 1024 if sys.platform == "darwin" else 1  # there in bytes
    print(json.dumps({"seconds": took, "kB": most}))

if __name__ == "__main__":
    backend, address, path, *numbers = sys.argv[1:]
    block_runs, task_seconds, lr, steps = map(float, numbers)
    options = path, int(block_runs), task_seconds, int(lr), int(steps)
    if backend == "dask":
        from distributed import Client
        with Client(address):
            main(backend, *options)
    else:
        main(backend, *options)
"""


def main() -> None:
    """Measure, print, and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=3, help="turns that each backend gets")
    parser.add_argument("--lr", type=int, default=50_000, help="learning rates of the long run")
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("-o", "--output", type=Path, default=Path("data/benchmark/cluster.json"))
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.turns, arguments.lr = 1, 200
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run.py").write_text(RUN)
        found = {
            "overhead": overhead(folder, arguments.turns, arguments.lr),
            "driver": driver(folder, (1, 2) if arguments.quick else (1, 10, 100)),
            "tasks_a_second": tasks_a_second(folder, 1000 if arguments.quick else 3000),
        }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text(json.dumps(found, indent=2) + "\n")
    print("\n".join(lines(found)))


def lines(found: dict[str, Any]) -> Iterator[str]:
    """What was found, for people."""
    medians, percent = found["overhead"]["medians"], found["overhead"]["percent"]
    for name, of in medians.items():
        yield f"{name}: {of['seconds']:.1f} s, {of['processor_seconds']:.1f} s of processors"
    yield (
        f"overhead of dask: {percent['seconds']:.1f}% of time, "
        f"{percent['processor_seconds']:.1f}% of processor time"
    )
    for blocks, megabytes in found["driver"].items():
        yield f"peak memory of the driver, {blocks}: {megabytes:.0f} MB"
    yield f"tasks a second: {found['tasks_a_second']:.0f}"


def overhead(folder: Path, turns: int, lr: int) -> dict[str, Any]:
    """The same run with threads and on a cluster of as many processes, by turns."""
    samples: dict[str, list[dict[str, float]]] = {"threads": [], "dask": []}
    starting = {
        name: measured(folder, name, lr=1, steps=5000)["processor_seconds"] for name in samples
    }
    for turn in range(turns):
        for backend in list(samples)[:: -1 if turn % 2 else 1]:
            sample = measured(folder, backend, lr=lr, steps=5000)
            sample["processor_seconds"] -= starting[backend]  # imports, mostly
            samples[backend].append(sample)
    middle = {
        backend: {key: statistics.median(sample[key] for sample in of) for key in of[0]}
        for backend, of in samples.items()
    }
    more = {
        key: 100 * (middle["dask"][key] / middle["threads"][key] - 1)
        for key in ("seconds", "processor_seconds")
    }
    return {"percent": more, "medians": middle, "samples": samples}


def driver(folder: Path, lr: Sequence[int]) -> dict[str, float]:
    """Peak memory of the driver by the number of blocks, in MB; a block is one run of one step."""
    return {
        f"{1000 * n:,} blocks": measured(folder, "dask", block_runs=1, lr=n, steps=1)["kB"] / 1000
        for n in lr
    }


def tasks_a_second(folder: Path, n: int) -> float:
    """How many tasks of no length a driver, a scheduler and the workers get through."""
    few, many = (
        measured(folder, "dask", block_runs=1, task_seconds=0, lr=lr, steps=1)["seconds"]
        for lr in (1, 1 + n // 1000)
    )
    return n / (many - few)


def measured(
    folder: Path,
    backend: str,
    *,
    lr: int,
    steps: int,
    block_runs: int = 0,
    task_seconds: float = 1.0,
) -> dict[str, float]:
    """One run in a process of its own; for Dask, beside a scheduler and workers of their own."""
    import resource  # Windows has none

    cores = usable_cores()
    numbers = [str(number) for number in (block_runs, task_seconds, lr, steps)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    others: list[subprocess.Popen[bytes]] = []
    address = "none"
    try:
        if backend == "dask":
            place = folder / "scheduler.json"
            place.unlink(missing_ok=True)
            options = "--host 127.0.0.1 --port 0 --dashboard-address 127.0.0.1:0 --scheduler-file"
            others.append(started("dask_scheduler", *options.split(), place))
            while not (place.exists() and place.read_text()):
                time.sleep(0.02)  # polled: the scheduler tells nobody that it is there
            address = json.loads(place.read_text())["address"]
            options = "--nthreads 1 --no-nanny --no-dashboard"
            others += [started("dask_worker", address, *options.split()) for _ in range(cores)]
        command = [sys.executable, folder / "run.py", backend, address, folder / "o.h5", *numbers]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    finally:
        for other in others[::-1]:
            other.terminate()
            other.wait()
        (folder / "o.h5").unlink(missing_ok=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout) | {"processor_seconds": processor}


def started(module: str, *options: str | Path) -> subprocess.Popen[bytes]:
    """A process of Dask's."""
    command = [sys.executable, "-m", f"distributed.cli.{module}", *map(str, options)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
