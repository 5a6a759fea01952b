"""Damage: a finished file cut anywhere, and any bit of it flipped, is found; and repaired."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import FileError
from fastmomentum.results.fingerprint import digest
from fastmomentum.schema import results
from fastmomentum.store import manifest
from fastmomentum.store.bookkeeping import closing, journal
from fastmomentum.store.manifest import Contents
from tests.storing import command, finish, grid_of_runs, seeded

FLIPS = 3000


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Contents, bytes]:
    path = tmp_path_factory.mktemp("whole") / "out.h5"
    finish(path, grid_of_runs())
    return manifest.read(path), path.read_bytes()


def repairable(contents: Contents) -> dict[str, tuple[int, int]]:
    """First and last byte of the variables that can be computed again."""
    late = [v for v in closing() if v.values is None and v.name != "wall_time"]
    variables = [*results(contents.experiment), *journal(len(contents.blocks)), *late]
    offsets = contents.offsets
    return {v.name: (offsets[v.name], offsets[v.name] + v.n_bytes - 1) for v in variables}


def test_a_file_cut_anywhere_is_refused(whole: tuple[Contents, bytes], tmp_path: Path) -> None:
    path, (_, data) = tmp_path / "out.h5", whole
    sizes = {
        *range(0, len(data), 4096),
        *range(0, len(data), 97),
        *range(len(data) - 50, len(data)),
    }
    for size in sorted(sizes):
        path.write_bytes(data[:size])
        for look in (fm.verify, fm.open, digest):
            with pytest.raises(FileError):
                look(path)


def test_a_longer_file_is_refused(whole: tuple[Contents, bytes], tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    for more in (b"\0", b"more" * 1000, bytes(2**20)):
        path.write_bytes(whole[1] + more)
        with pytest.raises(FileError):
            fm.verify(path)


@pytest.mark.usefixtures("hasty")
def test_every_flipped_bit_is_found(whole: tuple[Contents, bytes], tmp_path: Path) -> None:
    """No place is without a checksum, so none has to be such that it does not matter."""
    path, (contents, data) = tmp_path / "out.h5", whole
    own = repairable(contents)
    refused = repaired = 0
    with seeded() as chance:
        for _ in range(FLIPS):
            place, bit = chance.randrange(len(data)), chance.randrange(8)
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            path.write_bytes(flipped)
            said = f"bit {bit} of byte {place}"
            try:
                found = fm.verify(path)
            except FileError:
                refused += 1
                assert not any(first <= place <= last for first, last in own.values()), said
                continue
            assert not found.sound, said
            if repaired < 60:  # each is synced
                repaired += 1
                again = fm.verify(path, repair=True)
                assert again.repaired, said
                if found.damaged:
                    assert path.read_bytes() == data, said
                assert fm.verify(path).sound, said
    assert refused > FLIPS // 4
    assert repaired == 60


@pytest.mark.parametrize("name", ["status", "final", "trajectory", "block_done", "block_checksum"])
def test_damage_is_named_and_repaired_bit_for_bit(
    name: str, whole: tuple[Contents, bytes], tmp_path: Path
) -> None:
    path, (contents, data) = tmp_path / "out.h5", whole
    first, last = repairable(contents)[name]
    damaged = bytearray(data)
    damaged[first] ^= 0x81
    damaged[last] ^= 0x02
    path.write_bytes(damaged)
    status, said = command("verify", path)
    assert status == 3
    assert "2 of 6 blocks are damaged" in said
    assert "runs 0 to 6: from lr 0.0001, momentum 0, start (0, 0) to" in said
    assert "runs 35 to 39: from" in said
    assert "--repair" in said
    status, said = command("verify", path, "--repair")
    assert status == 0
    assert "computed again" in said
    assert path.read_bytes() == data
    assert command("verify", path)[0] == 0


def test_only_damaged_blocks_are_computed_again(
    whole: tuple[Contents, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastmomentum.execution import worker

    path, (contents, data) = tmp_path / "out.h5", whole
    damaged = bytearray(data)
    damaged[contents.offsets["final_loss"] + 8 * 10] ^= 1  # run 10 is in block 1
    path.write_bytes(damaged)
    computed, do_block = [], worker.do_block

    def watched(sink: object, block: int) -> object:
        computed.append(block)
        return do_block(sink, block)  # type: ignore[arg-type]

    monkeypatch.setattr(worker, "do_block", watched)
    fm.verify(path, repair=True)
    assert computed == [1]
    assert path.read_bytes() == data


def test_lost_time_is_told_and_counts_made_anew(
    whole: tuple[Contents, bytes], tmp_path: Path
) -> None:
    path, (contents, data) = tmp_path / "out.h5", whole
    damaged = bytearray(data)
    damaged[contents.offsets["runs_by_status"]] ^= 4
    path.write_bytes(damaged)
    status, said = command("verify", path)
    assert status == 3
    assert "the counts by status or the wall time are damaged" in said
    assert command("verify", path, "--repair")[0] == 0
    assert path.read_bytes() == data
    damaged = bytearray(data)
    damaged[contents.offsets["wall_time"]] ^= 4
    path.write_bytes(damaged)
    assert not fm.verify(path).sound
    assert command("verify", path, "--repair")[0] == 0
    assert fm.verify(path).sound
    assert np.isnan(fm.open(path).attrs["wall_time"])
    assert digest(path) == digest_of_bytes(data, tmp_path)


def digest_of_bytes(data: bytes, folder: Path) -> str:
    (folder / "other.h5").write_bytes(data)
    return digest(folder / "other.h5")


def test_a_checksum_of_other_bits_is_told(whole: tuple[Contents, bytes], tmp_path: Path) -> None:
    """As where another machine, whose cosine rounds otherwise, computed the file."""
    path, (contents, data) = tmp_path / "out.h5", whole
    damaged = bytearray(data)
    damaged[contents.offsets["final"]] ^= 1
    damaged[contents.offsets["block_checksum"]] ^= 1
    path.write_bytes(damaged)
    found = fm.verify(path, repair=True)
    assert found.doubtful == 1
    assert "neither the old bytes nor the new" in "\n".join(found.lines())


def test_swapped_blocks_are_found(whole: tuple[Contents, bytes], tmp_path: Path) -> None:
    """Each with its bytes and its checksum, in the other's place."""
    path, (contents, data) = tmp_path / "out.h5", whole
    swapped = bytearray(data)
    for variable in (*results(contents.experiment), *journal(len(contents.blocks))):
        of_runs = variable.dims[0] != "block"
        length = variable.n_bytes * (7 if of_runs else 1) // (40 if of_runs else 6)
        one = contents.offsets[variable.name]
        swapped[one : one + length] = data[one + length : one + 2 * length]
        swapped[one + length : one + 2 * length] = data[one : one + length]
    path.write_bytes(swapped)
    assert fm.verify(path).damaged == [range(7), range(7, 14)]


def test_damaged_data_of_a_regression_are_told(tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    line = fm.MSE.from_arrays(np.arange(9.0), np.arange(9.0) ** 2)
    finish(path, grid_of_runs(objective=line))
    assert fm.verify(path).sound
    damaged = bytearray(path.read_bytes())
    damaged[manifest.read(path).offsets["data_y"] + 5] ^= 1
    path.write_bytes(damaged)
    found = fm.verify(path)
    assert not found.sound
    assert not found.data
    status, said = command("verify", path, "--repair")
    assert status == 3
    assert "restore them from a copy" in said
