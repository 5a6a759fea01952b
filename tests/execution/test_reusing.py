"""Runs of older files are taken over bit for bit; the file is that of a whole new run."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.execution import runner, worker
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import manifest
from tests.helpers import needs, same_bits
from tests.storing import BLOCK_RUNS, command, grid_of_runs

FILES = Path(__file__).parents[1]
LRS = np.geomspace(1e-4, 1e-1, 9)
MOMENTA = [0.0, 0.5, 0.8, 0.9]


def grid(lr: object = LRS, momentum: object = MOMENTA, start: object = ((0, 0), (1, 1))) -> fm.Grid:
    return fm.Grid(lr=lr, momentum=momentum, start=start)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Every second learning rate of `LRS`."""
    path = tmp_path / "old.h5"
    fm.run(grid_of_runs(grid=grid(LRS[::2])), path, block_runs=5).close()
    return path


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of the runs that the kernel computes from now on."""
    found: list[int] = []
    whole = worker.run_block

    def watched(
        plan: fm.Experiment, runs: range, arrays: object, n_steps: int | None = None,
        chosen: np.ndarray | None = None,
    ) -> None:  # fmt: skip
        if n_steps is None:
            found.extend(
                np.arange(runs.start, runs.stop)[slice(None) if chosen is None else chosen]
            )
        whole(plan, runs, arrays, n_steps, chosen)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "run_block", watched)
    return found


@pytest.mark.parametrize(
    ("changes", "taken"),
    [
        ({"lr": LRS}, 40),
        ({"lr": LRS[:3]}, 16),
        ({"lr": LRS[::2], "momentum": [0.0, 0.1, 0.5, 0.6, 0.8, 0.85, 0.9, 0.95]}, 40),
        ({"lr": LRS[::2], "momentum": [0.5]}, 10),
        ({"lr": LRS[::2], "start": [(2, 2), (1, 1), (-1, 1), (0, 0)]}, 40),
        ({"lr": LRS[::2], "start": [(1, 1)]}, 20),
        ({"lr": LRS[::2], "start": {"x": [0, 0.5, 1], "y": [0, 1, 2]}}, 40),
        ({"lr": LRS[1::2]}, 0),
    ],
)
@pytest.mark.parametrize("block_runs", [BLOCK_RUNS, None])
def test_the_rest_is_computed_and_the_digest_is_that_of_a_whole_run(
    changes: dict[str, object], taken: int, block_runs: int | None, old: Path, tmp_path: Path,
    computed: list[int],
) -> None:  # fmt: skip
    plan = grid_of_runs(grid=grid(**changes), title="more of it")
    whole = fm.run(plan, block_runs=block_runs, n_jobs=1)
    computed.clear()
    with fm.run(plan, tmp_path / "new.h5", reuse=old, block_runs=block_runs, n_jobs=1) as ds:
        same_bits(ds.load(), whole)
    assert digest(tmp_path / "new.h5") == digest(whole)
    assert len(computed) == len(set(computed)) == plan.grid.n_runs - taken
    assert fm.verify(tmp_path / "new.h5").sound
    same_bits(fm.run(plan, reuse=[old]), whole)  # in memory as well


@pytest.mark.parametrize("jobs", [{"n_jobs": 2}, {"n_jobs": 2, "backend": "processes"}])
def test_threads_and_processes(jobs: dict[str, object], old: Path, tmp_path: Path) -> None:
    plan = grid_of_runs(grid=grid())
    fm.run(plan, tmp_path / "new.h5", reuse=[old], block_runs=BLOCK_RUNS, **jobs).close()  # type: ignore[arg-type]
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))
    same_bits(fm.run(plan, reuse=[old], block_runs=BLOCK_RUNS, **jobs), fm.run(plan))  # type: ignore[arg-type]


def test_several_files_the_first_that_has_a_run_gives_it(
    old: Path, tmp_path: Path, computed: list[int]
) -> None:
    second = tmp_path / "second.h5"
    fm.run(grid_of_runs(grid=grid(LRS[3:6])), second).close()
    plan = grid_of_runs(grid=grid())
    computed.clear()
    fm.run(plan, tmp_path / "new.h5", reuse=[old, second, old], n_jobs=1).close()
    assert len(computed) == 72 - 40 - 16
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))


@pytest.mark.parametrize(
    "record", [None, fm.Record(every=20), fm.Record(every=10, dtype="float32")]
)
def test_some_of_the_recorded_steps(record: fm.Record | None, old: Path, tmp_path: Path) -> None:
    plan = grid_of_runs(grid=grid(), record=record)
    fm.run(plan, tmp_path / "new.h5", reuse=old).close()
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))


@pytest.mark.parametrize("restart", [None, "function"])
def test_decay_and_restarts(restart: str | None, tmp_path: Path, computed: list[int]) -> None:
    fixed = {"name": "momentum", "weight_decay": 0.1} | ({"restart": restart} if restart else {})
    fm.run(grid_of_runs(rule=fixed, grid=grid()), tmp_path / "old.h5").close()
    axes = fm.Grid(
        lr=LRS, momentum=MOMENTA, start=[(0, 0), (1, 1)], rule={"weight_decay": [0.0, 0.1]}
    )
    rule = {key: value for key, value in fixed.items() if key != "weight_decay"}
    plan = grid_of_runs(rule=rule, grid=axes)
    computed.clear()
    fm.run(plan, tmp_path / "new.h5", reuse=tmp_path / "old.h5", n_jobs=1).close()
    assert len(computed) == 72
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))
    if restart:
        made = fm.export(tmp_path / "new.h5", tmp_path / "new.csv")
        assert "n_restarts" in made.path.read_text().partition("\n")[0]


def test_a_constant_becomes_an_axis(tmp_path: Path, computed: list[int]) -> None:
    fm.run(grid_of_runs(grid=grid()), tmp_path / "old.h5").close()
    axes = fm.Grid(lr=LRS, momentum=MOMENTA, start=[(0, 0), (1, 1)], objective={"b": [10.0, 100.0]})
    plan = grid_of_runs(grid=axes)
    computed.clear()
    fm.run(plan, tmp_path / "new.h5", reuse=tmp_path / "old.h5", n_jobs=1).close()
    assert len(computed) == 72
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=64, max_size=64), st.sampled_from([None, 1e6]))
def test_any_runs_of_a_block_alone_have_the_bits_of_all(
    chosen: list[bool], bound: float | None
) -> None:
    from fastmomentum.kernels.block import run_block
    from fastmomentum.schema import block_arrays

    plan = grid_of_runs(grid=grid(np.geomspace(1e-4, 1e-1, 8)), stop=fm.Stop(bound=bound or False))
    whole, some = block_arrays(plan, 64), block_arrays(plan, 64)
    run_block(plan, range(64), whole)
    mask = np.array(chosen)
    if mask.any():
        run_block(plan, range(64), some, chosen=mask)
    for name in whole:
        assert some[name][mask].tobytes() == whole[name][mask].tobytes()


def test_the_command_says_how_many(old: Path, tmp_path: Path) -> None:
    write(tmp_path / "new.toml")
    status, said = command("run", tmp_path / "new.toml", "-o", tmp_path / "new.h5", "--reuse", old)
    assert status == 0
    assert f"new.h5: 40 of 72 runs are in {old}, and are reused" in said
    assert "72 runs, 40 of them reused in " in said
    assert digest(tmp_path / "new.h5") == digest(fm.run(grid_of_runs(grid=grid())))
    status, said = command("run", tmp_path / "new.toml", "-o", tmp_path / "new.h5", "--reuse", old)
    assert status == 0
    assert "complete already; nothing to do" in said
    fm.run(grid_of_runs(grid=grid([0.5])), tmp_path / "far.h5").close()
    words = ("run", tmp_path / "new.toml", "-o", tmp_path / "n.h5", "--reuse")
    status, said = command(*words, tmp_path / "far.h5")
    assert status == 0
    assert f"n.h5: none of its 72 runs are in {tmp_path / 'far.h5'}" in said
    assert "reused" not in said


def write(path: Path) -> None:
    path.write_text(
        f"steps = 20\nobjective = 'rosenbrock'\nrule = 'momentum'\n[grid]\nlr = {LRS.tolist()}\n"
        f"momentum = {MOMENTA}\nstart = [[0, 0], [1, 1]]\n[record]\nevery = 10\n"
        "[stop]\ntargets = [1.0, 1e-2]\nbound = 1e6\n"
    )


KILLED = """
import os, signal, sys
import fastmomentum as fm
from fastmomentum.execution import runner
runner.COMMIT_SECONDS = 0.0

def watch(progress):
    if progress.done_runs > 20:
        os.kill(os.getpid(), signal.SIGKILL)

plan, new, old = sys.argv[1:]
fm.run(plan, new, reuse=old, block_runs=7, n_jobs=1, progress=watch)
"""


@needs("signal.SIGKILL")
def test_resumed_after_kill_9(old: Path, tmp_path: Path) -> None:
    write(tmp_path / "new.toml")
    new = tmp_path / "new.h5"
    words = [sys.executable, "-c", KILLED, tmp_path / "new.toml", new, old]
    killed = subprocess.run(list(map(str, words)), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (tmp_path / "new.h5.partial").exists()
    assert not new.exists()
    shutil.copy(tmp_path / "new.h5.partial", tmp_path / "alone.h5.partial")
    status, said = command("run", tmp_path / "new.toml", "-o", new, "--reuse", old)
    assert (status, "resuming; 3 of 11 blocks are done" in said) == (0, True), said
    status, said = command("run", tmp_path / "new.toml", "-o", tmp_path / "alone.h5")  # without it
    assert status == 0, said
    wanted = digest(fm.run(grid_of_runs(grid=grid())))
    assert digest(new) == digest(tmp_path / "alone.h5") == wanted


def test_a_file_of_version_0_1_is_reused(tmp_path: Path, computed: list[int]) -> None:
    plan = grid_of_runs(grid=fm.Grid(lr={"logspace": [1e-4, 1e-1], "num": 5},
                                     momentum=[0.0, 0.5, 0.7, 0.8, 0.9],
                                     start=[(0, 0), (1, 1)]))  # fmt: skip
    fm.run(
        plan, tmp_path / "new.h5", reuse=FILES / "written_by_0_1" / "valley.h5", n_jobs=1
    ).close()
    assert len(computed) == 20
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))


def refused(tmp_path: Path, *older: Path, **changes: object) -> str:
    """The line that is said, in Python and by the command; and nothing is left behind."""
    before = sorted(path.name for path in tmp_path.iterdir())
    new = tmp_path / "new.h5"
    with pytest.raises(fm.FastmomentumError) as caught:
        fm.run(grid_of_runs(grid=grid(), **changes), new, reuse=list(older))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    return str(caught.value)


def test_another_experiment_is_refused_with_the_key(old: Path, tmp_path: Path) -> None:
    said = refused(tmp_path, old, steps=30)
    assert said == (
        f"{old} cannot be reused: steps is 20 there and 30 here; "
        "all but the grid and the title must agree"
    )
    assert "record has no step 1 there" in refused(tmp_path, old, record=fm.Record(every=1))
    line = fm.MSE.from_arrays([0.0, 1.0], [1.0, 2.0])
    other = fm.MSE.from_arrays([0.0, 1.0], [1.0, 3.0])
    fm.run(grid_of_runs(objective=line), tmp_path / "line.h5").close()
    assert "data differ" in refused(tmp_path, tmp_path / "line.h5", objective=other)


def test_other_last_digits_are_refused(tmp_path: Path) -> None:
    ripples = FILES / "written_by_0_1" / "ripples.h5"
    plan = fm.experiment_of(fm.open(ripples))
    with pytest.raises(fm.InputError) as caught:
        fm.run(plan, tmp_path / "new.h5", reuse=ripples)
    assert "differs in the last digits: its runs cannot be reused; leave it out" in str(
        caught.value
    )
    assert list(tmp_path.iterdir()) == []


def test_the_file_to_be_written_is_refused(old: Path, tmp_path: Path) -> None:
    (tmp_path / "link.h5").symlink_to(old)
    before = old.read_bytes()
    for path in (old, tmp_path / "link.h5", tmp_path / "." / "old.h5"):
        with pytest.raises(fm.InputError, match="is the file to be written; name another"):
            fm.run(grid_of_runs(grid=grid()), path, reuse=old, overwrite=True)
    assert old.read_bytes() == before


def test_a_missing_file_and_what_is_none(old: Path, tmp_path: Path) -> None:
    assert "oldd.h5: no such file; did you mean" in refused(tmp_path, tmp_path / "oldd.h5")
    (tmp_path / "a.toml").write_text("steps = 1")
    assert "it is no HDF5 file" in refused(tmp_path, tmp_path / "a.toml")
    with pytest.raises(
        fm.InputError, match="reuse must be the path of a file, as text: got an int"
    ):
        fm.run(grid_of_runs(), reuse=[1])  # type: ignore[list-item]
    with pytest.raises(fm.InputError, match="reuse must be the path of a results file, or several"):
        fm.run(grid_of_runs(), reuse=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("variable", ["final", "status", "trajectory", "hit_step"])
def test_a_damaged_file_is_refused(variable: str, old: Path, tmp_path: Path) -> None:
    content = bytearray(old.read_bytes())
    content[manifest.read(old).offsets[variable] + 3] ^= 1
    old.write_bytes(content)
    said = refused(tmp_path, old)
    assert "1 of 8 blocks are damaged:" in said
    assert said.endswith(f"{old} cannot be reused as it is")


def test_an_unfinished_file_is_refused(old: Path, tmp_path: Path) -> None:
    partial = tmp_path / "half.h5.partial"
    shutil.copy(FILES / "written_by_0_1" / "unfinished.h5.partial", partial)
    for path in (partial, tmp_path / "half.h5"):
        said = refused(tmp_path, path)
        assert said == f"{partial} is not finished: run its experiment again before it is reused"


def test_a_file_that_is_replaced_meanwhile_is_not_read(
    old: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = runner.reusable

    def then_replaced(*arguments: object) -> object:
        found = looked(*arguments)  # type: ignore[arg-type]
        if found:
            old.unlink()
            fm.run(grid_of_runs(grid=grid(LRS[::2])), old).close()
        return found

    monkeypatch.setattr(runner, "reusable", then_replaced)
    with pytest.raises(fm.StorageError, match="was replaced while it was in use"):
        fm.run(grid_of_runs(grid=grid()), tmp_path / "new.h5", reuse=old)


def test_dask_takes_over_as_well(old: Path, tmp_path: Path) -> None:
    from dask.distributed import Client

    plan = grid_of_runs(grid=grid())
    with Client(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None):
        fm.run(plan, tmp_path / "new.h5", reuse=old, backend="dask", block_runs=BLOCK_RUNS).close()
    assert digest(tmp_path / "new.h5") == digest(fm.run(plan))
