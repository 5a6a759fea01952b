"""What the operating system lacks, call by call: the way around keeps the promise."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest

from fastmomentum import machine, system
from fastmomentum.errors import StorageError
from fastmomentum.execution import backends
from fastmomentum.store import files, locks
from tests.storing import command, finish, grid_of_runs

if sys.platform != "linux":
    pytest.skip("plays other systems, on one that has every call", allow_module_level=True)
fcntl = pytest.importorskip("fcntl")
HALF = 2**20


class Without:
    """The module `os` without some of its names."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def __getattr__(self, name: str) -> object:
        if name in self._names:
            raise AttributeError(name)
        return getattr(os, name)


# Opening


@pytest.mark.parametrize("lacking", [(), ("O_NOFOLLOW", "O_CLOEXEC")])
def test_links_are_not_followed(
    lacking: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "os", Without(*lacking))
    (tmp_path / "target").write_bytes(b"precious")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="symbolic links") as refused:
        system.open_file(tmp_path / "link", os.O_WRONLY, follow=False)
    assert refused.value.errno == errno.ELOOP
    with pytest.raises(OSError, match=r"exists|symbolic links"):
        system.open_file(tmp_path / "dangling", os.O_RDWR, follow=False, create=True)
    assert not (tmp_path / "nowhere").exists()
    os.close(system.open_file(tmp_path / "target", os.O_WRONLY, follow=False))


def test_a_link_put_there_meanwhile_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the name and the opening of it."""
    place, other = tmp_path / "place", tmp_path / "other"
    place.write_bytes(b"ours")
    other.write_bytes(b"precious")
    lacking = Without("O_NOFOLLOW")

    def opened(*arguments: object) -> int:
        place.unlink()
        place.symlink_to(other)
        return os.open(*arguments)  # type: ignore[arg-type]

    lacking.open = opened  # type: ignore[attr-defined]
    monkeypatch.setattr(system, "os", lacking)
    before = len([*Path("/proc/self/fd").iterdir()])
    with pytest.raises(OSError, match="symbolic links"):
        system.open_file(place, os.O_WRONLY, follow=False)
    assert len([*Path("/proc/self/fd").iterdir()]) == before
    assert other.read_bytes() == b"precious"


@pytest.mark.parametrize("lacking", [(), ("O_NONBLOCK",)])
def test_a_pipe_keeps_nobody_waiting(
    lacking: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "os", Without(*lacking))
    os.mkfifo(tmp_path / "pipe")
    with contextlib.suppress(OSError):
        os.close(system.open_file(tmp_path / "pipe", os.O_RDONLY))


# Reading, writing, syncing


@pytest.mark.parametrize(
    "lacking", [(), ("preadv",), ("preadv", "pread", "pwrite")], ids=["linux", "pread", "seek"]
)
def test_bytes_come_from_where_they_were_put(
    lacking: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "os", Without(*lacking))
    monkeypatch.setattr(system, "MOST_AT_ONCE", 1000)  # no call takes it all
    descriptor = files.create(tmp_path / "x", HALF)
    data = os.urandom(5000)
    files.write_at(descriptor, data, 12_345)
    assert files.read_at(descriptor, 5000, 12_345) == data
    with pytest.raises(EOFError):
        files.read_at(descriptor, 100, HALF - 50)
    os.close(descriptor)
    whole = (tmp_path / "x").read_bytes()
    assert whole == bytes(12_345) + data + bytes(HALF - 12_345 - 5000)


@pytest.mark.parametrize("refusal", [None, errno.ENOTSUP, errno.EINVAL, errno.EIO])
def test_macos_empties_the_disks_own_cache(
    refusal: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, plain = [], []

    def control(descriptor: int, number: int, *_: object) -> int:
        assert number == 51
        full.append(descriptor)
        if refusal:
            raise OSError(refusal, os.strerror(refusal))
        return 0

    monkeypatch.setattr(
        system, "fcntl", types.SimpleNamespace(F_FULLFSYNC=51, fcntl=control), raising=True
    )
    without = Without("fdatasync")
    without.fsync = plain.append  # type: ignore[attr-defined]
    monkeypatch.setattr(system, "os", without)
    for sync in (lambda: system.sync_data(7), lambda: system.sync_folder(tmp_path)):
        if refusal == errno.EIO:
            with pytest.raises(OSError, match=r"[Ii]nput/output"):
                sync()
        else:
            sync()
    assert len(full) == 2
    assert len(plain) == (2 if refusal in (errno.ENOTSUP, errno.EINVAL) else 0)


def test_without_fdatasync_and_folders_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    without = Without("fdatasync", "O_DIRECTORY")
    without.fsync = synced.append  # type: ignore[attr-defined]
    monkeypatch.setattr(system, "os", without)
    system.sync_data(7)
    system.sync_folder(tmp_path)
    assert synced == [7]


def test_macos_is_asked_for_room_before_the_size_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, ...]] = []

    def control(descriptor: int, number: int, room: bytes) -> bytes:
        asked.append((number, os.fstat(descriptor).st_size, *struct.unpack("=Iiqqq", room)))
        return room

    monkeypatch.setattr(system, "fcntl", types.SimpleNamespace(fcntl=control))
    monkeypatch.setattr(system, "sys", types.SimpleNamespace(platform="darwin"))
    descriptor = files.create(tmp_path / "x", HALF)
    assert asked == [(42, 0, 4, 3, 0, HALF, 0)]  # fstore_t: all of it, from the file's end
    assert os.fstat(descriptor).st_size == HALF

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(system, "fcntl", types.SimpleNamespace(fcntl=full))
    with pytest.raises(OSError, match="No space"):
        files.create(tmp_path / "y", HALF)
    os.close(descriptor)


def test_space_is_taken_with_zeros_where_it_cannot_be_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "os", Without("posix_fallocate"))
    descriptor = files.create(tmp_path / "x", HALF)
    assert os.fstat(descriptor).st_blocks * 512 < HALF
    files.reserve(descriptor, [(0, HALF)])
    assert os.fstat(descriptor).st_blocks * 512 >= HALF
    writes: list[int] = []
    monkeypatch.setattr(files, "write_at", lambda *_: writes.append(1))
    files.reserve(descriptor, [(0, HALF)])  # has its blocks by now, as after F_PREALLOCATE
    assert writes == []
    os.close(descriptor)


# Names on Windows


def test_a_file_that_is_open_for_a_moment_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "PAUSES", (0.0, 0.0, 0.0))
    (tmp_path / "old").write_bytes(b"new")
    held = PermissionError(13, "The process cannot access the file")
    held.winerror = 32  # type: ignore[attr-defined]
    tries, rename = [], os.replace

    def replace(*paths: object) -> None:
        tries.append(paths)
        if len(tries) < 3:
            raise held
        rename(*paths)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "replace", replace)
    files.rename(tmp_path / "old", tmp_path / "new")
    assert (tmp_path / "new").read_bytes() == b"new"
    assert len(tries) == 3
    tries.clear()
    monkeypatch.setattr(system, "PAUSES", (0.0,))
    with (
        pytest.raises(StorageError, match="finishing x: it is open elsewhere, and Windows keeps"),
        files.in_words("finishing x"),
    ):
        files.rename(tmp_path / "new", tmp_path / "old")


def test_access_denied_is_not_always_a_file_that_is_open() -> None:
    """Windows has one number for both where a file is opened."""
    denied = PermissionError(13, "Access is denied")
    denied.winerror = 5  # type: ignore[attr-defined]
    with (
        pytest.raises(StorageError, match="laying out x: access is denied; check the permissions"),
        files.in_words("laying out x"),
    ):
        raise denied


def test_a_permission_that_lacks_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system, "PAUSES", (1e9,))

    def replace(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(PermissionError):
        files.rename(tmp_path / "old", tmp_path / "new")


# Locks


@pytest.fixture(params=[errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def no_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """A file system without locks, as NFS without its daemon."""

    def refuse(*_: object) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(fcntl, "flock", refuse)
    return int(request.param)


def test_a_file_stands_in_for_a_lock(no_locks: int, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    told = rf"out.h5: this file system knows no locks \({os.strerror(no_locks).lower()}\)"
    with pytest.warns(UserWarning, match=told):
        lock = locks.Lock(path)
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5.lock-pid"]
    assert (tmp_path / "out.h5.lock-pid").read_text().split()[0] == str(os.getpid())
    second = rf"another process is writing there.*process {os.getpid()} on .*should that be gone"
    with pytest.raises(StorageError, match=second):
        locks.Lock(path)
    lock.release()
    assert [*tmp_path.iterdir()] == []
    with pytest.warns(UserWarning, match="knows no locks"):
        finish(path, grid_of_runs())
    assert [p.name for p in tmp_path.iterdir()] == ["out.h5"]


def test_a_stand_in_of_the_dead_is_broken(no_locks: int, tmp_path: Path) -> None:
    path, child = tmp_path / "out.h5", os.fork()
    if not child:
        with pytest.warns(UserWarning, match="knows no locks"):
            _held = locks.Lock(path)
        os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
    assert (tmp_path / "out.h5.lock-pid").exists()
    with pytest.warns(UserWarning, match="knows no locks"):
        locks.Lock(path).release()
    assert [*tmp_path.iterdir()] == []


@pytest.mark.usefixtures("no_locks")
def test_the_stand_in_of_another_machine_is_not_broken(tmp_path: Path) -> None:
    (tmp_path / "out.h5.lock-pid").write_text("1\nfar-away\n")
    with pytest.raises(StorageError, match="process 1 on far-away"):
        locks.Lock(tmp_path / "out.h5")


@pytest.mark.usefixtures("no_locks")
def test_the_command_warns_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(
        'steps = 10\nobjective.name = "rosenbrock"\nrule.name = "momentum"\n'
        "[grid]\nlr = [1e-4, 1e-3]\nmomentum = 0.5\nstart = [[0.0, 0.0]]\n"
    )

    def show(*what: object, **_: object) -> None:  # pytest collects warnings otherwise
        print(warnings.formatwarning(*what[:4]), end="", file=sys.stderr)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.filters", [])
        patch.setattr("warnings.showwarning", show)
        status, said = command("run", tmp_path / "plan.toml", "-o", tmp_path / "out.h5")
    assert status == 0, said
    lines = [line for line in said.splitlines() if "knows no locks" in line]
    assert len(lines) == 1
    assert lines[0].startswith(f"{tmp_path / 'out.h5'}: this file system")


def test_on_windows_a_lock_is_let_go_before_its_file_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "O_BINARY", 0, raising=False)
    order: list[str] = []
    lock = locks.Lock(tmp_path / "out.h5")
    release, unlink = filelock.FileLock.release, Path.unlink

    def releasing(held: filelock.FileLock, **options: object) -> None:
        order.append("release")
        release(held, **options)  # type: ignore[arg-type]

    def unlinking(path: Path, **options: bool) -> None:
        order.append("unlink")
        unlink(path, **options)

    monkeypatch.setattr(filelock.FileLock, "release", releasing)
    monkeypatch.setattr(Path, "unlink", unlinking)
    lock.release()
    assert order == ["release", "unlink"]
    assert [*tmp_path.iterdir()] == []


# What the machine is


def test_without_proc_the_processor_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    key = contextlib.nullcontext("key")
    registry = types.SimpleNamespace(
        HKEY_LOCAL_MACHINE=1,
        OpenKey=lambda *_: key,
        QueryValueEx=lambda *_: ("AMD Ryzen 7  ", 1),
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    monkeypatch.setattr(sys, "platform", "win32")
    assert machine.cpu_name() == "AMD Ryzen 7"
    assert machine.command_line(["run", r"C:\my plans\x.toml"]) == r'run "C:\my plans\x.toml"'
    monkeypatch.setattr(sys, "platform", "darwin")  # there is no sysctl of that kind here
    machine._cpu_of_macos.cache_clear()
    assert machine.cpu_name()
    machine._cpu_of_macos.cache_clear()


@pytest.mark.parametrize(
    ("names", "known"),
    [
        ({"SC_AVPHYS_PAGES": 10, "SC_PAGE_SIZE": 4096}, 40_960),
        ({"SC_PHYS_PAGES": 20, "SC_PAGE_SIZE": 4096}, 81_920),
        ({}, None),
    ],
)
def test_free_memory(
    names: dict[str, int], known: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sysconf(name: str) -> int:
        if name not in names:
            raise ValueError("unrecognized configuration name")
        return names[name]

    monkeypatch.setattr(os, "sysconf", sysconf)
    assert machine.free_memory() == known


def test_free_memory_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(status: object) -> int:
        assert struct.unpack_from("=I", status, 0) == (64,)  # type: ignore[arg-type]
        struct.pack_into("=IQQ", status, 4, 50, 16 * 2**30, 5 * 2**30)  # type: ignore[arg-type]
        return 1

    kernel = types.SimpleNamespace(GlobalMemoryStatusEx=fill)
    monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(kernel32=kernel), raising=False)
    assert machine._free_memory_of_windows() == 5 * 2**30


@pytest.fixture
def shielded(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """As on Windows: whether Ctrl-C is ignored, each time that it is said."""
    said: list[bool] = []
    kernel = types.SimpleNamespace(SetConsoleCtrlHandler=lambda _, ignore: said.append(ignore))
    monkeypatch.setattr(ctypes, "windll", types.SimpleNamespace(kernel32=kernel), raising=False)
    monkeypatch.delattr("signal.pthread_sigmask")
    return said


def test_children_ignore_ctrl_c_on_windows(shielded: list[bool]) -> None:
    with machine.children_ignore_interrupts():
        assert shielded == [True]
    assert shielded == [True, False]


@pytest.mark.parametrize("backend", ["threads", "processes"])
def test_workers_are_started_where_children_ignore_ctrl_c(
    backend: str, shielded: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And we ignore it no longer than that: the tasks run while the results are waited for."""
    seen: list[tuple[str, bool]] = []

    def see(what: str) -> None:
        seen.append((what, bool(shielded and shielded[-1])))

    class Parallel:
        def __init__(self, **_: object) -> None:
            pass

        def __call__(self, tasks: Iterator[object]) -> Iterator[object]:
            see("start")
            return self.results(tasks)

        def results(self, tasks: Iterator[object]) -> Iterator[object]:
            for _ in tasks:
                see("result")
                yield "done"

    monkeypatch.setattr(backends.joblib, "Parallel", Parallel)
    monkeypatch.setattr(backends.resource_tracker, "ensure_running", lambda: see("helper"))
    pool = backends.Pool(backends.BACKENDS[backend], 2, backend == "threads")
    assert [*pool.run_blocks(None, iter(range(2)), 2)] == ["done"] * 2  # type: ignore[arg-type]
    ignored = backend == "processes"
    helper = [("helper", True)] if ignored else []
    assert seen == [*helper, ("start", ignored), ("result", False), ("result", False)]
    assert shielded == [True, False] * 2 * ignored


def test_cores_where_no_affinity_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.usable_cores() == 1
