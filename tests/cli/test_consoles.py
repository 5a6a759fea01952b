"""Consoles, line ends and paths as Windows has them."""

from __future__ import annotations

import errno
import io
import signal
import sys
from collections.abc import Callable
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.cli import app
from fastmomentum.cli.exit_status import errors_in_words
from fastmomentum.plots import save_phase_map

TITLE = "T\u00e4ler \u8c37 \N{SNOWBOARDER} \u2212 \ud55c\uae00"
PLAN = """title = "{title}"
steps = 10
objective = {{ name = "mse", data = "{data}", x = "x", y = "y", reduction = "mean" }}
rule.name = "momentum"
[grid]
lr = [1e-4, 1e-3]
momentum = [0.0, 0.5]
start = [[0.0, 0.0]]
"""


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "data.csv").write_text("x,y\n1,2\n2,4\n3,7\n", encoding="utf-8")
    path = tmp_path / "plan.toml"
    path.write_text(PLAN.format(title=TITLE, data="data.csv"), encoding="utf-8")
    return path


CONSOLES = pytest.mark.parametrize("encoding", ["cp949", "cp1252", "ascii", "utf-8"])


@pytest.fixture
def console(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], io.BytesIO]:
    """Puts a console that has not all characters, and is strict, in place of both streams."""

    def put(encoding: str) -> io.BytesIO:
        said = io.BytesIO()
        for name in ("stdout", "stderr"):
            stream = io.TextIOWrapper(said, encoding=encoding, errors="strict", write_through=True)
            monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
            monkeypatch.setattr(sys, name, stream)
        return said

    return put


@pytest.mark.filterwarnings("ignore:Glyph")  # of the zoom's picture, whose font has not all
@CONSOLES
def test_every_command_speaks_on_every_console(
    encoding: str, plan: Path, console: Callable[[str], io.BytesIO]
) -> None:
    said = console(encoding)
    out = plan.with_name("\ud55c\uae00-\u00e4.h5")
    missing = plan.with_name("\u8c37.toml")
    for words, status in [
        (("plan", plan), 0),
        (("run", plan, "-o", out), 0),
        (("run", plan, "-o", out), 0),
        (("info", out), 0),
        (("info", out, "--json"), 0),
        (("verify", out), 0),
        (("run", missing), 2),
        (("run", plan, "-o", out, "--set", 'title="\u00b5"', "--set", "steps=7"), 2),
        (("zoom", out, "--lr", "1e-4:1e-3", "--momentum", "0:0.5", "--num", "3"), 0),
        (("--help",), 0),
        (("run", "--help"), 0),
        (("run", "--\u8c37"), 2),
    ]:
        with pytest.raises(SystemExit) as end:
            app([str(word) for word in words])
        assert end.value.code == status, (words, said.getvalue())
    assert b"Traceback" not in said.getvalue()
    shown = said.getvalue().decode(encoding, "replace")  # click writes UTF-8 where it is ASCII
    assert TITLE.encode(encoding, "backslashreplace").decode(encoding) in shown


@CONSOLES
def test_the_bar_draws_on_every_console(
    encoding: str, plan: Path, console: Callable[[str], io.BytesIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    said = console(encoding)
    fm.run(fm.load(plan), progress=True)
    assert b"4 of 4 runs" in said.getvalue()


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_change_nothing(ends: str, mark: str, plan: Path) -> None:
    wanted = fm.load(plan)
    for name in ("plan.toml", "data.csv"):
        path = plan.with_name(name)
        text = path.read_text(encoding="utf-8").replace("\n", ends)
        path.write_bytes((mark + text).encode())
    assert fm.load(plan) == wanted
    assert fm.load(plan).sha256 == wanted.sha256


@pytest.mark.parametrize(
    "data", [r"C:\Users\me\data.csv", r"D:\data.csv", r"C:\temp\new.csv", r"C:\xy.csv"]
)
def test_backslashes_of_a_path_are_told(data: str, plan: Path) -> None:
    """In TOML's double quotes they are escapes: some are refused, some become another path."""
    plan.write_text(PLAN.format(title="x", data=data), encoding="utf-8")
    with pytest.raises(fm.InputError, match=r"C:/data\.csv, or 'C:\\data\.csv' in single quotes"):
        fm.load(plan)


def test_a_key_of_many_dots_is_no_fault(plan: Path) -> None:
    plan.write_text(PLAN.format(title="x", data="data.csv") + ".".join("a" * 5000) + " = 1\n")
    with pytest.raises(fm.InputError, match="grid"):
        fm.load(plan)


def test_paths_of_windows_in_titles_and_pictures(plan: Path, tmp_path: Path) -> None:
    title = rf"{PureWindowsPath('C:/new/table $x$ 100%.csv')} \frac{{1}}{{2}}"
    ds = fm.run(
        fm.Experiment(
            title=title,
            objective=fm.Rosenbrock(),
            rule="momentum",
            steps=20,
            grid=fm.Grid(lr=np.geomspace(1e-4, 1e-2, 4), momentum=[0.0, 0.5], start=[(1, 2)]),
        ),
        tmp_path / "out.h5",
    )
    assert fm.experiment_of(ds).title == title
    save_phase_map(ds.isel(start=0), tmp_path / "map.svg")
    assert (tmp_path / "map.svg").stat().st_size > 1000


def test_a_pipe_that_nobody_reads_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    @errors_in_words
    def printing() -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr("fastmomentum.cli.exit_status._drop_output", lambda: None)
    with pytest.raises(SystemExit) as end:
        printing()
    assert end.value.code == 4
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as end:
        printing()
    assert end.value.code == 1


def test_ctrl_break_is_an_interruption(plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows has SIGBREAK besides; any signal stands for it here."""
    from fastmomentum.cli.running import terminated_like_interrupted

    other = signal.SIGABRT  # which every system has
    monkeypatch.setattr(signal, "SIGBREAK", other, raising=False)
    before = signal.getsignal(other)
    with pytest.raises(KeyboardInterrupt), terminated_like_interrupted():
        signal.raise_signal(other)
    assert signal.getsignal(other) is before
