"""Numba's cache may fail in any way: a warning of one line, right results, and a mended cache."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import caching, config

import fastmomentum as fm
from fastmomentum.kernels import cache as kernel_cache
from fastmomentum.kernels.cache import compile_for, compiled, told_elsewhere
from fastmomentum.kernels.loop import OPTIONS

ROOT = Path(fm.__file__).parent.parent
FLIPPED = 0.6
"""Where in a file a byte is turned over: far in its data."""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of each test's own, and nothing told yet."""
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    kernel_cache._warn_once.cache_clear()
    return tmp_path


def times(factor: float, identity: str | None = None) -> Any:
    """Compile a function; all that come from here have one name, place and bytecode."""

    def kernel(out: Any) -> None:
        out[0] *= factor

    return compiled(kernel, identity or str(factor), OPTIONS)


def result(dispatcher: Any) -> float:
    out = np.array([2.0])
    dispatcher(out)
    return float(out[0])


def hits(dispatcher: Any) -> int:
    return sum(dispatcher.stats.cache_hits.values())


def files(cache: Path, suffix: str) -> list[Path]:
    return sorted(cache.rglob(f"*{suffix}"))


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(_: bytes) -> bytes:
    return b""


def zeroed(data: bytes) -> bytes:
    return bytes(len(data))


def flipped(data: bytes) -> bytes:
    place = int(FLIPPED * len(data))
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [(".nbi", cut), (".nbi", emptied), (".nbi", zeroed)]
    + [(".nbc", damage) for damage in (cut, emptied, zeroed, flipped)],
)
def test_a_damaged_entry_is_told_and_replaced(
    suffix: str, damage: Callable[[bytes], bytes], cache: Path
) -> None:
    assert result(times(3.0)) == 6.0
    (file,) = files(cache, suffix)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(fm.CacheWarning, match=r"cannot be read \(.*\); it is compiled anew and"):
        assert result(times(3.0)) == 6.0
    mended = times(3.0)
    assert result(mended) == 6.0
    assert hits(mended) == 1


def test_an_entry_that_is_another_kernels_is_not_run(cache: Path) -> None:
    """Where two processes begin an index at a time, both may call their first file by one name."""
    assert result(times(3.0)) == 6.0
    assert result(times(5.0)) == 10.0
    three, five = files(cache, ".nbc")
    shutil.copy(five, three)
    with pytest.warns(fm.CacheWarning, match="its checksum does not match"):
        assert result(times(3.0)) == 6.0
    mended = [times(3.0), times(5.0)]
    assert [result(one) for one in mended] == [6.0, 10.0]
    assert [hits(one) for one in mended] == [1, 1]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_cache_that_takes_nothing_ends_no_run(
    number: int, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def full(*_: object) -> Iterator[Any]:
        raise OSError(number, os.strerror(number))
        yield

    monkeypatch.setattr(caching.IndexDataCacheFile, "_open_for_write", full)
    with pytest.warns(fm.CacheWarning) as told:
        assert [result(times(factor)) for factor in (3.0, 5.0)] == [6.0, 10.0]
    (message,) = [str(one.message) for one in told]
    assert os.strerror(number).lower() in message
    assert str(cache) in message


def blocked(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """No folder can be made anywhere; root may write where others may not."""
    file = cache / "file"
    file.touch()
    monkeypatch.setattr(config, "CACHE_DIR", str(file / "folder"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    places = vars(caching)
    beside = places.get("InTreeCacheLocator") or places["_InTreeCacheLocator"]  # numba < 0.61
    monkeypatch.setattr(beside, "get_cache_path", lambda _: str(file / "in"))


def test_without_a_folder_one_warning_says_why(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked(monkeypatch, cache)
    with pytest.warns(fm.CacheWarning) as told:
        assert [result(times(factor)) for factor in (3.0, 5.0)] == [6.0, 10.0]
    (message,) = [str(one.message) for one in told]
    assert f"{cache / 'file' / 'folder'}: not a directory" in message
    assert "set NUMBA_CACHE_DIR to one that can" in message
    assert told[0].filename == __file__


def test_a_user_without_a_home_gets_no_folder_called_tilde(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked(monkeypatch, cache)
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.chdir(cache)
    with pytest.warns(fm.CacheWarning, match=r"~/\.cache/numba: this user has no home"):
        assert result(times(3.0)) == 6.0
    assert not (cache / "~").exists()


def test_workers_leave_the_warning_to_who_hands_out_the_work(cache: Path) -> None:
    assert result(times(3.0)) == 6.0
    (file,) = files(cache, ".nbi")
    file.write_bytes(b"")
    with told_elsewhere():
        assert result(times(3.0)) == 6.0
    file.write_bytes(b"")
    with pytest.warns(fm.CacheWarning):
        assert result(times(3.0)) == 6.0


def test_threads_have_one_warning_together(cache: Path) -> None:
    assert result(times(3.0)) == 6.0
    (file,) = files(cache, ".nbi")
    file.write_bytes(b"")
    shared = times(3.0)
    with ThreadPoolExecutor(4) as threads, pytest.warns(fm.CacheWarning) as told:
        assert [*threads.map(result, [shared] * 4)] == [6.0] * 4
    assert len(told) == 1


def test_kernels_are_compiled_where_numba_is_told_not_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from numba import njit

    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    kernel = times(3.0)
    with pytest.warns(fm.CacheWarning, match="^NUMBA_DISABLE_JIT is set; fastmomentum compiles"):
        compile_for(kernel, (np.array([2.0]),))
    assert result(kernel) == 6.0
    assert len(kernel.signatures) == 1
    assert njit(result) is result  # others' functions are left as they asked


TOML = """
steps = 5
objective = { name = "booth" }
rule = { name = "sgd" }
grid = { lr = [0.01, 0.02, 0.03], momentum = [0.0], start = [[1.0, 1.0]] }
"""


@pytest.mark.slow
def test_the_variable_that_switches_numba_off_changes_no_bit(tmp_path: Path) -> None:
    (tmp_path / "e.toml").write_text(TOML)
    done = subprocess.run(
        [sys.executable, "-m", "fastmomentum", "run", "e.toml", "--jobs", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("NUMBA_DISABLE_JIT is set; fastmomentum compiles its kernels anyway")
    with fm.open(tmp_path / "e.h5") as ds:
        same = fm.results.digest(ds)
    assert same == fm.results.digest(fm.run(fm.load(tmp_path / "e.toml")))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["processes", "dask"])
def test_the_command_says_it_in_one_line(backend: str, tmp_path: Path) -> None:
    """A package in which nothing can be written, of a user without home, and its workers."""
    if backend == "dask":
        pytest.importorskip("distributed")
    copy = tmp_path / "copy"
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "fastmomentum", copy / "fastmomentum", ignore=unwanted)
    for folder in [copy / "fastmomentum", *copy.glob("fastmomentum/*/")]:
        (folder / "__pycache__").touch()  # a file: root too cannot make a folder of it
    (tmp_path / "e.toml").write_text(TOML)
    nowhere = str(copy / "fastmomentum" / "__pycache__")
    surroundings = {"PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": nowhere, "XDG_CACHE_HOME": nowhere}
    done = subprocess.run(
        [sys.executable, "-m", "fastmomentum", *f"run e.toml --jobs 2 --backend {backend}".split()],
        cwd=tmp_path,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **surroundings},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("numba's cache has no folder that can be written (")
    assert len(fm.open(tmp_path / "e.h5").lr) == 3
