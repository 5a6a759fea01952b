"""The end of a command, in a process of its own: Ctrl-C after the last word changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.cli import exit_status

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="there a signal is sent to a whole console"
)

ROOT = Path(fm.__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("ending")
    grid = fm.Grid(
        lr=np.geomspace(1e-4, 1e-2, 9), momentum=np.linspace(0.0, 0.9, 8), start=[(-1.2, 1.0)]
    )
    experiment = fm.Experiment(
        objective=fm.Rosenbrock(), rule="momentum", steps=50, grid=grid, stop=fm.Stop(targets=[1.0])
    )
    fm.run(experiment, made / "map.h5").close()
    return made


def interrupted_at_its_end(
    *command: str, folder: Path, last: str, errs: bool = False
) -> tuple[int, str]:
    """Interrupt a process from its last line on until it is gone; its exit status and stderr.

    Python writes each line at once, as to a terminal. The line is said on stdout, or on stderr.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, *command], cwd=folder, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        said = ""
        for line in process.stderr if errs else process.stdout:
            said += line
            if line.startswith(last):
                break
        else:
            pytest.fail(f"it ended without {last!r}: {said} {process.stderr.read()}")
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
        return process.returncode, (said if errs else "") + process.stderr.read()


@pytest.mark.parametrize(("command", "last"), [
    ("-m fastmomentum plot phase map.h5 -o p.png", "wrote p.png"),
    ("-m fastmomentum plot contour map.h5 -o c.png", "wrote c.png"),
    ("-m fastmomentum zoom map.h5 --lr 1e-3:2e-3 --momentum 0.1:0.2 --num 5", "wrote map_zoom.png"),
    ("-m fastmomentum animate map.h5 --frames 2 -o a.gif", "wrote a.gif"),
    ("-m fastmomentum export map.h5 -o o.csv", "wrote o.csv"),
    (f"{ROOT / 'experiments' / 'plot_phase.py'} map.h5 -o s.png", "wrote s.png"),
])  # fmt: skip
def test_ctrl_c_after_the_last_line_is_silent(command: str, last: str, folder: Path) -> None:
    assert interrupted_at_its_end(*command.split(), folder=folder, last=last) == (0, "")


def test_ctrl_c_after_an_error_is_silent(folder: Path) -> None:
    words = ("-m", "fastmomentum", "plot", "phase", "map.h5", "--at", "nu=1")
    status, said = interrupted_at_its_end(*words, folder=folder, last="", errs=True)
    assert status == 2
    assert len(said.splitlines()) == 1


CALLER = """
import signal, sys
from fastmomentum.cli import exit_status

@exit_status.errors_in_words
def command():
    print("any other")

if sys.argv[1:]:
    exit_status.owns_the_process()
command()
print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)
"""


@pytest.mark.parametrize(("words", "ignored"), [([], "False"), (["own"], "True")])
def test_only_in_a_process_of_its_own_is_ctrl_c_ignored(words: list[str], ignored: str) -> None:
    """A program that calls a command goes on after it, and shall be interruptible."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", CALLER, *words], env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == (f"any other\n{ignored}\n", "")


def test_a_signal_on_its_way_is_too_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python raises it when it is told to ignore signals, and then has not begun to."""
    handlers: list[object] = [signal.default_int_handler]

    def put(number: int, handler: object) -> None:
        if len(handlers) == 1:
            handlers.append(signal.default_int_handler)
            raise KeyboardInterrupt
        handlers.append(handler)

    monkeypatch.setattr(exit_status.signal, "signal", put)
    monkeypatch.setattr(exit_status.signal, "getsignal", lambda _: handlers[-1])
    monkeypatch.setattr(exit_status._OWNED, "is_set", lambda: True)
    exit_status.only_the_ending_is_left()
    assert handlers[-1] == signal.SIG_IGN
