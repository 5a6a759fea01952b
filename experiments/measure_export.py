"""Measure `fm.export`: megabytes a second, of the results read and of the file written, and memory.

python experiments/measure_export.py [RUNS] makes a file of so many runs (4,000,000) in a temporary
folder, and exports it to each kind of file in a process of its own. netCDF goes as fast as the
disk. Parquet goes as fast as pyarrow encodes on one core, while the other reads; CSV is bound by
the shortest decimal digits that give each number back, some 0.4 us a number.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import fastmomentum as fm

SUFFIXES = (".nc", ".parquet", ".csv")


def make(path: Path, runs: int) -> None:
    """Run so many short runs, whose numbers have all their digits."""
    fm.run(
        fm.Experiment(
            objective=fm.Rosenbrock(),
            rule="momentum",
            steps=5,
            grid=fm.Grid(
                lr=np.geomspace(1e-4, 1e-3, runs // 1000),
                momentum=np.linspace(0, 0.99, 1000),
                start=[(-1.2, 1)],
            ),
            stop=fm.Stop(targets=[1e-8]),
        ),
        path,
    ).close()


def measure(source: Path, target: Path) -> str:
    """Export in this process, which does nothing else; a row of the table."""
    import resource  # Windows has none

    fm.export(source, target.with_stem("warm"), lr=1e-3)  # imports
    begun = time.monotonic()
    fm.export(source, target)
    seconds = time.monotonic() - begun
    read, written = source.stat().st_size / 1e6, target.stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peak /= 1024 if sys.platform == "darwin" else 1  # there in bytes
    return (
        f"{target.suffix:<9}{seconds:6.2f} s {read / seconds:7.0f} MB/s read "
        f"{written / seconds:7.0f} MB/s written {peak:6.0f} MB of memory"
    )


def main() -> None:
    """Make the file, then start a process for each kind of export."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("runs", nargs="?", type=int, default=4_000_000, help="how many [4000000]")
    parser.add_argument(
        "--one", nargs=2, type=Path, metavar=("FROM", "TO"), help="measure only this export"
    )
    words = parser.parse_args()
    if words.one:
        print(measure(*words.one))
        return
    runs = words.runs
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "runs.h5"
        make(source, runs)
        print(f"{runs:,} runs, {source.stat().st_size / 1e6:,.0f} MB")
        for suffix in SUFFIXES:
            words = [
                sys.executable,
                __file__,
                "--one",
                str(source),
                str(source.with_suffix(suffix)),
            ]
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            print(done.stdout, end="", flush=True)


if __name__ == "__main__":
    main()
