"""Shared by all tests: Hypothesis prints how to repeat a failure; fixtures to run scripts."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

settings.register_profile("suite", deadline=None, print_blob=True)
settings.register_profile("thorough", deadline=None, print_blob=True, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell starts what it runs in the background; the commands under test would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run first what compiles most kernels anew: they are on disk then, for all the others."""
    items.sort(key=lambda item: "test_vectorised" not in item.nodeid)


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A test that runs a command as if it were a process leaves this one as it was."""
    yield
    ending = sys.modules.get("fastmomentum.cli.exit_status")
    if ending is not None and ending._OWNED.is_set():
        ending._OWNED.clear()
        signal.signal(signal.SIGINT, signal.default_int_handler)


SCRIPTS = Path(__file__).parent.parent / "experiments"


@pytest.fixture
def script(monkeypatch, capsys) -> Callable[..., tuple[int, str, str]]:
    """Runs a drawing script in this process; gives exit status, stdout and stderr."""
    from fastmomentum import plots
    from fastmomentum.cli.exit_status import script as end_in_words

    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.setitem(plots.STYLE, "savefig.dpi", 72)

    def run(name: str, *words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, words)])
        module = importlib.import_module(name)
        with pytest.raises(SystemExit) as end:
            end_in_words(module.main)
        return (end.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def unrendered(monkeypatch) -> list[Figure]:
    """Figures are kept instead of rendered, where only the words matter."""
    from matplotlib.figure import Figure

    kept: list[Figure] = []

    def keep(figure: Figure, path: Path, **_: object) -> None:
        path.touch()
        kept.append(figure)

    monkeypatch.setattr(Figure, "savefig", keep)
    return kept


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a test is about the order of things, not about the disk: syncs and reads are quick."""
    for name in ("posix_fadvise", "fsync", "fdatasync"):
        monkeypatch.setattr(os, name, lambda *_: None, raising=False)


ELSEWHERE = Path(__file__).parent / "elsewhere"


@pytest.fixture(params=["macos", "windows"])
def elsewhere(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """As on another system: what it lacks is hidden from `os`, in child processes too."""
    before = os.environ.get("PYTHONPATH", "")
    root = str(Path(__file__).parents[1])
    folders = [str(ELSEWHERE), root, *filter(None, [before])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    monkeypatch.setenv("FASTMOMENTUM_TEST_SYSTEM", request.param)
    spec = importlib.util.spec_from_file_location("elsewhere", ELSEWHERE / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    put = functools.partial(monkeypatch.setattr, raising=False)
    module.hide(request.param, monkeypatch.delattr, put)
    return str(request.param)
