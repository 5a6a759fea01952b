"""Power loss at every moment: a disk that drops, tears and reorders what was not synced."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastmomentum as fm
from fastmomentum.results.fingerprint import digest
from fastmomentum.store import files, manifest
from tests.storing import finish, grid_of_runs, seeded

Operation = tuple[object, ...]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Operation]:
    """What passes the seam from now on: files by their inodes, names, writes and syncs.

    Nothing is really synced: the disk that loses power is the test's own.
    """
    seen: list[Operation] = []
    create, write_at = files.create, files.write_at
    rename, remove = files.rename, files.remove

    def inode(descriptor: int) -> int:
        return os.fstat(descriptor).st_ino

    def creating(path: Path, size: int) -> int:
        descriptor = create(path, size)
        seen.append(("name", path.name, inode(descriptor)))
        seen.append(("write", inode(descriptor), 0, bytes(size)))
        return descriptor

    def writing(descriptor: int, data: bytes | memoryview, offset: int) -> None:
        seen.append(("write", inode(descriptor), offset, bytes(memoryview(data).cast("B"))))
        write_at(descriptor, data, offset)

    def syncing(descriptor: int) -> None:
        seen.append(("sync", inode(descriptor)))

    def renaming(old: Path, new: Path) -> None:
        seen.append(("rename", old.name, new.name))
        rename(old, new)

    def removing(path: Path) -> None:
        seen.append(("remove", path.name))
        remove(path)

    def syncing_folder(folder: Path) -> None:
        if hasattr(os, "O_DIRECTORY"):  # Windows cannot, and any new name may be lost
            seen.append(("sync folder",))

    for name, instead in {
        "create": creating,
        "write_at": writing,
        "sync_data": syncing,
        "rename": renaming,
        "remove": removing,
        "sync_folder": syncing_folder,
    }.items():
        monkeypatch.setattr(files, name, instead)
    return seen


class Disk:
    """What is on the disk for sure, and what is only on its way there."""

    def __init__(self, folder: Path) -> None:
        self.names = {path.name: path.stat().st_ino for path in folder.iterdir()}
        self.data = {path.stat().st_ino: bytearray(path.read_bytes()) for path in folder.iterdir()}
        self.writes: list[tuple[int, int, bytes]] = []
        self.renames: list[Operation] = []

    def take(self, operation: Operation) -> None:
        match operation:
            case ("write", int(inode), int(offset), bytes(data)):
                self.writes.append((inode, offset, data))
            case ("sync", inode):
                for one, offset, data in self.writes:
                    if one == inode:
                        self._put(one, offset, data)
                self.writes = [write for write in self.writes if write[0] != inode]
            case ("sync folder",):
                self._name(self.renames)
                self.renames = []
            case _:
                self.renames.append(operation)

    def lose_power(self, chance: random.Random, folder: Path) -> None:
        """Let each sector of what was not synced arrive or not, and some of the new names."""
        sector, part = chance.choice([512, 4096]), chance.choice([0.0, 0.2, 0.8, 1.0])
        for inode, offset, data in self.writes:
            for start, piece in sectors(offset, data, sector):
                if chance.random() < part:
                    self._put(inode, start, piece)
        self._name(self.renames[: chance.randint(0, len(self.renames))])
        for name, inode in self.names.items():
            (folder / name).write_bytes(self.data.get(inode, b""))

    def _put(self, inode: int, offset: int, data: bytes) -> None:
        held = self.data.setdefault(inode, bytearray())
        held.extend(bytes(max(0, offset + len(data) - len(held))))
        held[offset : offset + len(data)] = data

    def _name(self, operations: list[Operation]) -> None:
        for operation in operations:
            match operation:
                case ("name", str(name), int(inode)):
                    self.names[name] = inode
                case ("rename", str(old), str(new)):
                    self.names[new] = self.names.pop(old)
                case ("remove", str(name)):
                    self.names.pop(name, None)


def sectors(offset: int, data: bytes, size: int) -> Iterator[tuple[int, bytes]]:
    while data:
        here = size - offset % size
        yield offset, data[:here]
        offset, data = offset + here, data[here:]


def crashes(
    before: Path, seen: list[Operation], folder: Path, chance: random.Random, each: int
) -> Iterator[Path]:
    """A folder as it may look after power loss, for every prefix of what was recorded."""
    for prefix in range(len(seen) + 1):
        for number in range(each):
            disk = Disk(before)
            for operation in seen[:prefix]:
                disk.take(operation)
            place = folder / f"{prefix}-{number}"
            place.mkdir()
            disk.lose_power(chance, place)
            yield place


def test_every_prefix_of_a_run_is_resumed_to_the_same_digest(
    recorded: list[Operation], tmp_path: Path
) -> None:
    plan = grid_of_runs()
    for name in ("before", "run", "after"):
        (tmp_path / name).mkdir()
    finish(tmp_path / "run" / "out.h5", plan)
    wanted, seen = digest(tmp_path / "run" / "out.h5"), list(recorded)
    kinds = {operation[0] for operation in seen}
    assert kinds >= {"name", "write", "sync", "rename", "remove"}
    assert ("sync folder" in kinds) == hasattr(os, "O_DIRECTORY")
    resumed = 0
    with seeded() as chance:
        for place in crashes(tmp_path / "before", seen, tmp_path / "after", chance, each=3):
            resumed += (place / "out.h5.partial").exists()
            finish(place / "out.h5", plan)  # refuses nothing, although it might
            assert digest(place / "out.h5") == wanted
            assert fm.verify(place / "out.h5").sound
    assert resumed > 100  # otherwise the test says little


def test_replaced_results_stay_whole_until_the_new_are(
    recorded: list[Operation], tmp_path: Path
) -> None:
    old, new = grid_of_runs(steps=10), grid_of_runs()
    for name in ("before", "run", "after"):
        (tmp_path / name).mkdir()
    finish(tmp_path / "before" / "out.h5", old)
    before = digest(tmp_path / "before" / "out.h5")
    recorded.clear()
    os.link(tmp_path / "before" / "out.h5", tmp_path / "run" / "out.h5")
    finish(tmp_path / "run" / "out.h5", new, overwrite=True)
    wanted, seen = digest(tmp_path / "run" / "out.h5"), list(recorded)
    with seeded(1) as chance:
        for place in crashes(tmp_path / "before", seen, tmp_path / "after", chance, each=1):
            assert digest(place / "out.h5") in (before, wanted)
            finish(place / "out.h5", new, overwrite=True)
            assert digest(place / "out.h5") == wanted


def test_repair_cut_off_by_power_loss_is_repaired(
    recorded: list[Operation], tmp_path: Path
) -> None:
    for name in ("before", "run", "after"):
        (tmp_path / name).mkdir()
    path = tmp_path / "before" / "out.h5"
    finish(path, grid_of_runs())
    whole, wanted = path.read_bytes(), digest(path)
    begin = manifest.read(path).offsets["final"]
    path.write_bytes(whole[:begin] + bytes(300) + whole[begin + 300 :])
    recorded.clear()
    os.link(path, tmp_path / "run" / "out.h5")
    saved = path.read_bytes()
    assert fm.verify(tmp_path / "run" / "out.h5", repair=True).repaired
    seen = list(recorded)
    path.unlink()  # the repaired file has its inode
    path.write_bytes(saved)
    inode = next(op[1] for op in seen if op[0] == "write")
    with seeded(2) as chance:
        disk_inode = path.stat().st_ino
        moved = [tuple(disk_inode if part == inode else part for part in op) for op in seen]
        for place in crashes(tmp_path / "before", moved, tmp_path / "after", chance, each=3):
            fm.verify(place / "out.h5", repair=True)
            assert fm.verify(place / "out.h5").sound
            assert digest(place / "out.h5") == wanted
