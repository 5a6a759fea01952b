"""Kill a run with SIGKILL at random moments, again and again; resume it; compare the digest.

    python tests/crash/kill_rounds.py --rounds 200 --backend threads --seed 1

Each round kills the process group of a run (`--alone`: its main process only, so that workers of
the backend processes outlive it) after a random time, or when a random number of blocks stands in
the journal. After each the journal is read: the next run must keep every block in it, and find none
damaged. Now and then a run may end; then its digest must be that of an undisturbed run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

import fastmomentum as fm
from fastmomentum.errors import FastmomentumError
from fastmomentum.execution.backends import Backend
from fastmomentum.execution.runner import run_to_file
from fastmomentum.execution.worker import warm
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.journal import MISSING, Journal
from fastmomentum.store.paths import partial_name


def experiment(steps: int) -> fm.Experiment:
    """512 blocks of 32 runs."""
    return fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=steps,
        grid=fm.Grid(
            lr=np.geomspace(1e-6, 1e-3, 64), momentum=np.linspace(0, 0.99, 64),
            start=[(-5, -5), (-1.2, 1), (0, 0), (2, 2)],
        ),
        record=fm.Record(every=steps // 20),
        stop=fm.Stop(targets=[1e-2, 1e-8], bound=1e6),
    )  # fmt: skip


def entered(path: Path) -> int:
    """Blocks that stand in the journal of an unfinished file."""
    sink = BlockFile.of(manifest.read(partial_name(path)), writable=False)
    return int(np.count_nonzero(Journal(sink).flags() != MISSING))


def start(path: Path, plan: fm.Experiment, backend: Backend) -> int:
    """Run in a process group of its own, which writes down what it kept; gives its number."""
    child = os.fork()
    if child:
        return child
    os.setpgid(0, 0)
    try:
        told = path.with_suffix(".told")

        def tell(store: FileStore) -> None:
            told.write_text(json.dumps([store.kept, store.damaged]))

        run_to_file(plan, path, n_jobs=2, backend=backend, block_runs=32, told=tell)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(1)


def sweep(groups: list[int]) -> None:
    """End the workers that outlived their runs."""
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--backend", choices=["threads", "processes"], default="threads")
    parser.add_argument("--alone", action="store_true", help="kill the main process only")
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance, plan = random.Random(options.seed), experiment(options.steps)
    warm(plan)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.h5"
        begun = time.monotonic()
        orphans = [child := start(whole, plan, options.backend)]
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        length = time.monotonic() - begun
        wanted = digest(whole)
        tally = {"kills": 0, "before the layout": 0, "at the end": 0, "ends": 0, "blocks kept": 0}
        path, known = Path(folder) / "out.h5", 0
        while tally["kills"] < options.rounds or partial_name(path).exists():
            child = start(path, plan, options.backend)
            if tally["kills"] < options.rounds:
                _kill(child, path, known, length, chance, options.alone)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            if not options.alone:
                sweep([child])
            orphans.append(child)
            assert status in (0, -signal.SIGKILL), f"the run ended with status {status}"
            told = path.with_suffix(".told")
            if told.exists():
                kept, damaged = json.loads(told.read_text())
                # Workers that outlive their run may still enter nothing, only write the same bytes.
                assert kept == known, f"{known} blocks were stored, and {kept} were kept"
                assert damaged == 0, f"{damaged} blocks were damaged"
                tally["blocks kept"] += kept
                told.unlink()
            if status:
                tally["kills"] += 1
            if path.exists():
                tally["ends" if not status else "at the end"] += 1
                assert digest(path) == wanted, "the digest differs"
                assert fm.verify(path).sound, "the file is damaged"
                path.unlink()
                known = 0
            elif partial_name(path).exists():
                known = entered(path)
            else:
                tally["before the layout"] += 1
        sweep(orphans)
        said = ", ".join(f"{number:,} {what}" for what, number in tally.items())
        print(f"{options.backend}: a run of {length:.2f} s; {said}; every digest {wanted}")
    return 0


def _kill(
    child: int, path: Path, known: int, length: float, chance: random.Random, alone: bool
) -> None:
    """Wait for a random moment: early, some time, or some blocks later; then kill."""
    kind = chance.random()
    if kind < 0.15:
        time.sleep(chance.uniform(0, 0.01))  # the moment is what is random
    elif kind < 0.5:
        time.sleep(chance.uniform(0, length * 0.6))
    else:
        goal, limit = known + chance.randint(1, 100), time.monotonic() + 3 * length
        while time.monotonic() < limit:
            try:
                if entered(path) >= goal:
                    break
            except FastmomentumError:  # not laid out yet, or finished by now
                if path.exists():
                    break
    try:
        (os.kill if alone else os.killpg)(child, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(child, signal.SIGKILL)  # it has no group of its own yet


if __name__ == "__main__":
    sys.exit(main())
