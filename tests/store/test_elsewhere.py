"""The tests of store, damage and runner once more, as on macOS and on Windows.

What those systems lack is hidden from `os` (see ``elsewhere/sitecustomize.py``), and as on Windows
an open file is not renamed or removed: whatever would leave one open fails here.
"""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from joblib.externals.loky import get_reusable_executor

import fastmomentum as fm
from fastmomentum import system
from fastmomentum.errors import StorageError
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import files
from tests.execution import test_runner
from tests.store import test_damage, test_power_loss, test_store
from tests.storing import finish, grid_of_runs, seeded

if sys.platform != "linux":
    pytest.skip("plays other systems, on one that has every call", allow_module_level=True)
fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.usefixtures("elsewhere")

AGAIN = {
    test_store: """
        wanted small_disk
        test_resuming_tells_what_is_kept_damaged_and_left
        test_a_torn_journal_is_not_believed
        test_an_unfinished_file_keeps_its_blocks_and_another_plan_is_refused
        test_what_is_not_ours_is_left_alone
        test_planted_links_lead_nowhere
        test_a_second_writer_fails_at_once_and_harms_nothing
        test_an_interrupted_run_syncs_what_it_has
        test_only_one_of_many_gets_the_lock
        test_a_worker_that_outlives_its_run_cannot_touch_another_file
        test_after_a_failed_sync_nothing_more_is_called_done
        test_file_systems_that_cannot_reserve_are_written_zeros
        test_a_full_disk_at_layout
        test_a_disk_that_fills_after_we_looked
        test_a_disk_that_fills_in_the_middle
        test_each_touch_of_the_disk_failing_in_turn
        test_a_link_to_the_output_is_followed
        test_missing_blocks_are_numbered_through
        test_what_another_finished_while_we_waited_is_kept
        test_another_file_system_than_the_working_folders
    """,
    test_damage: """
        whole
        test_a_file_cut_anywhere_is_refused
        test_a_longer_file_is_refused
        test_damage_is_named_and_repaired_bit_for_bit
        test_only_damaged_blocks_are_computed_again
        test_lost_time_is_told_and_counts_made_anew
        test_a_checksum_of_other_bits_is_told
        test_swapped_blocks_are_found
        test_damaged_data_of_a_regression_are_told
    """,
    test_power_loss: "recorded",
    test_runner: "test_an_error_in_a_worker_keeps_what_is_done",
}
"""Tests, and the fixtures they need, of other modules that are run here as well."""

globals().update(
    {name: getattr(module, name) for module, names in AGAIN.items() for name in names.split()}
)


@pytest.fixture
def own_workers() -> Iterator[None]:
    """Processes that were not begun before, nor outlive this: they have the hidden calls, too."""
    get_reusable_executor().shutdown(kill_workers=True)
    yield
    get_reusable_executor().shutdown(kill_workers=True)


ON_WINDOWS = pytest.mark.parametrize("elsewhere", ["windows"], indirect=True)
"""For what takes long: of the two it lacks more."""


@ON_WINDOWS
@pytest.mark.usefixtures("own_workers")
def test_the_file_is_the_same_with_threads_and_processes(tmp_path: Path) -> None:
    plan = test_runner.experiment()
    told = digest(fm.run(plan, n_jobs=1))
    for backend in ("threads", "processes"):
        path = tmp_path / f"{backend}.h5"
        fm.run(plan, path, n_jobs=2, backend=backend, block_runs=100).close()
        assert digest(path) == told
        assert fm.verify(path).sound
    assert {p.name for p in tmp_path.iterdir()} == {"threads.h5", "processes.h5"}


F_FULLFSYNC = 51
"""The command of macOS that empties a disk's own cache."""


@pytest.fixture
def recorded_there(
    recorded: list[tuple[object, ...]], elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[object, ...]]:
    """As `recorded`; on macOS what counts as a sync is only what empties the disk's own cache."""
    if elsewhere == "windows":
        return recorded

    def commanded(descriptor: int, command: int, *rest: object) -> object:
        if command != F_FULLFSYNC:
            return fcntl.fcntl(descriptor, command, *rest)
        found = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(found.st_mode)
        recorded.append(("sync folder",) if is_folder else ("sync", found.st_ino))
        return 0

    calls = {**vars(fcntl), "fcntl": commanded, "F_FULLFSYNC": F_FULLFSYNC}
    monkeypatch.setattr(system, "fcntl", SimpleNamespace(**calls))
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the disk may forget it all the same
    monkeypatch.setattr(files, "sync_data", system.sync_data)
    monkeypatch.setattr(files, "sync_folder", system.sync_folder)
    return recorded


def test_power_lost_after_any_write_is_survived(
    recorded_there: list[tuple[object, ...]], tmp_path: Path, elsewhere: str
) -> None:
    """As in `test_power_loss`; without the sync of a folder any new name may be lost."""
    plan, recorded = grid_of_runs(), recorded_there
    for name in ("before", "run", "after"):
        (tmp_path / name).mkdir()
    finish(tmp_path / "run" / "out.h5", plan)
    told, seen = digest(tmp_path / "run" / "out.h5"), list(recorded)
    assert (("sync folder",) in seen) == (elsewhere == "macos")
    with seeded(3) as chance:
        for place in test_power_loss.crashes(
            tmp_path / "before", seen, tmp_path / "after", chance, each=1
        ):
            finish(place / "out.h5", plan)
            assert digest(place / "out.h5") == told


def test_an_interrupted_run_says_so_and_goes_on(tmp_path: Path) -> None:
    test_runner.test_interrupted_runs_say_so_and_go_on("threads", signal.SIGINT, tmp_path)


@ON_WINDOWS
def test_killed_runs_are_resumed() -> None:
    script = Path(__file__).parents[1] / "crash" / "kill_rounds.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, "--rounds", "3", "--seed", "5"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert "3 kills" in done.stdout


def test_results_that_someone_reads_are_replaced_or_a_line_says_why_not(
    tmp_path: Path, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "PAUSES", (0.0,))
    path, new = tmp_path / "out.h5", grid_of_runs(steps=5)
    finish(path, grid_of_runs())
    ds, before = fm.open(path), digest(path)
    if elsewhere == "windows":
        with pytest.raises(StorageError, match=r"open elsewhere, and Windows .* ds.close\(\)"):
            finish(path, new, overwrite=True)
        assert digest(path) == before
    ds.close()
    finish(path, new, overwrite=True)  # only the name is left to give
    assert digest(path) == digest(fm.run(new))
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]


def test_reads_and_writes_at_the_same_time_keep_their_places(tmp_path: Path) -> None:
    """Where there is but one position in a file, threads take turns."""
    descriptor = files.create(tmp_path / "x", 64 * 4096)

    def fill(number: int) -> None:
        for _ in range(50):
            files.write_at(descriptor, bytes([number]) * 4096, number * 4096)
            assert files.read_at(descriptor, 4096, number * 4096) == bytes([number]) * 4096

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fill, range(64)))
    os.close(descriptor)
    assert (tmp_path / "x").read_bytes() == b"".join(bytes([n]) * 4096 for n in range(64))
