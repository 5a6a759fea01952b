"""Files of a version whose objective had other last digits: read, told, and not mixed with ours."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

import fastmomentum as fm
from fastmomentum.execution.worker import do_block
from fastmomentum.objectives import Objective
from fastmomentum.store import bookkeeping, layout, manifest
from fastmomentum.store.file_store import FileStore
from fastmomentum.store.paths import partial_name
from tests.storing import BLOCK_RUNS, command, finish, grid_of_runs

WORDS = "made with fastmomentum 0.1.0, whose rastrigin differs in the last digits"


def plan(objective: Objective | None = None) -> fm.Experiment:
    return grid_of_runs(objective=objective or fm.Rastrigin())


@pytest.fixture
def as_before(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Lay files out as version 0.1 did, which said nothing of arithmetic."""

    def attributes(experiment: fm.Experiment, block_runs: int) -> dict[str, Any]:
        said = bookkeeping.attributes(experiment, block_runs)
        del said["arithmetic"]
        return said | {"fastmomentum_version": "0.1.0"}

    monkeypatch.setattr(layout, "attributes", attributes)
    return monkeypatch


def begin(path: Path, experiment: fm.Experiment) -> None:
    """Do one block of a run."""
    store = FileStore.open(path, experiment, block_runs=BLOCK_RUNS)
    assert store is not None
    with store:
        store.enter(*do_block(store.sink, 0)[:2])


def damage(path: Path) -> None:
    """Flip a bit of the first final point."""
    found = manifest.read(path)
    with path.open("r+b") as file:
        file.seek(found.offsets["final"])
        (byte,) = file.read(1)
        file.seek(found.offsets["final"])
        file.write(bytes([byte ^ 1]))


def test_a_file_says_which_arithmetic_made_it(tmp_path: Path) -> None:
    for objective, wanted in ((fm.Rosenbrock(), 1), (fm.Ackley(), 2), (fm.Levi13(), 2)):
        path = tmp_path / f"{objective.name}.h5"
        finish(path, plan(objective))
        assert fm.open(path).attrs["arithmetic"] == wanted


def test_a_file_of_before_is_read_and_verified(
    as_before: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "old.h5"
    finish(path, plan())
    with fm.open(path) as ds:
        assert "arithmetic" not in ds.attrs
        assert int(ds.n_steps.max()) > 0
    assert fm.verify(path).sound
    assert FileStore.open(path, plan()) is None  # what is finished stays as it is


def test_an_unfinished_one_is_not_resumed_but_begun_anew(
    as_before: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "old.h5"
    begin(path, plan())
    before = partial_name(path).read_bytes()
    as_before.undo()
    with pytest.raises(fm.InputError) as caught:
        fm.run(plan(), path)
    assert str(caught.value) == (
        f"{partial_name(path)} was {WORDS}: it cannot be resumed; finish it with that version, or "
        "start again with overwrite=True"
    )
    assert partial_name(path).read_bytes() == before
    assert fm.run(plan(), path, overwrite=True).attrs["arithmetic"] == 2


def test_a_damaged_one_is_not_repaired(as_before: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "old.h5"
    finish(path, plan())
    damage(path)
    before = path.read_bytes()
    status, said = command("verify", path)
    assert (status, "1 of 6 blocks are damaged" in said) == (3, True)
    status, said = command("verify", path, "--repair")
    assert status == 2
    assert WORDS in said
    assert "cannot be repaired" in said
    assert path.read_bytes() == before


def test_a_replay_and_what_walks_runs_again_warn(
    as_before: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "old.h5"
    finish(path, plan())
    with fm.open(path) as ds:
        with pytest.warns(UserWarning, match=WORDS):
            fm.replay(ds, lr=1e-2, momentum=0.5)
        with pytest.warns(UserWarning, match=WORDS):
            fm.analysis.classify(ds)


def test_other_objectives_are_resumed_repaired_and_replayed_as_ever(
    as_before: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path, experiment = tmp_path / "old.h5", plan(fm.Rosenbrock())
    begin(path, experiment)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fm.run(experiment, path) as ds:
            fm.replay(ds, lr=1e-2, momentum=0.5)
    damage(path)
    assert fm.verify(path, repair=True).repaired
