"""Rows about whole processes: how soon the command answers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import Row, Setting, by_turns, median, seconds

GRID = """\
steps = 5000
objective = { name = "rosenbrock" }
rule = { name = "momentum" }
[grid]
lr = { logspace = [1e-6, 1e-3], num = 8 }
momentum = { linspace = [0.0, 0.9], num = 8 }
start = [[-1.2, 1.0]]
"""

PATH = GRID.replace("5000", "1000") + "[record]\nevery = 1\n"


def start(setting: Setting) -> Row:
    """Help, import, and a small grid whose kernel is in the cache."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "grid.toml").write_text(GRID, encoding="utf-8")
        python = [sys.executable]
        commands = {
            "--help": [*python, "-m", "fastmomentum", "--help"],
            "import": [*python, "-c", "import fastmomentum"],
            "64 runs": [*python, "-m", "fastmomentum", "run", "grid.toml", "--overwrite"],
        }
        samples = timed(commands, folder, setting)
    helps, imports, runs = (median(times) for times in samples.values())
    what = "`fastmomentum --help`; `import fastmomentum`; 64 runs with warm cache, whole process"
    figure = f"{helps:.2f} s; {imports:.2f} s; {runs:.2f} s"
    met = helps <= 0.3 and imports <= 0.3 and runs <= 1.2
    return Row("start", what, "0.3 s; 0.3 s; 1.2 s", figure, met, samples)


def picture(setting: Setting) -> Row:
    """The contours of an objective with a path of 1,000 recorded steps."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "path.toml").write_text(PATH, encoding="utf-8")
        command = [sys.executable, "-m", "fastmomentum"]
        subprocess.run([*command, "run", "path.toml"], cwd=folder, capture_output=True, check=True)
        drawn = [*command, "plot", "contour", "path.h5", "--lr", "1e-3", "--momentum", "0.9"]
        samples = timed({"contour": drawn}, folder, setting)
    took = median(samples["contour"])
    what = "`plot contour` of a path of 1,000 steps, whole process"
    return Row("picture", what, "1.5 s", f"{took:.2f} s", took <= 1.5, samples)


def timed(commands: dict[str, list[str]], folder: str, setting: Setting) -> dict[str, list[float]]:
    """Seconds that each command takes, by turns; each ran once before."""

    def took(command: list[str]) -> Callable[[], float]:
        def run() -> None:
            subprocess.run(command, cwd=folder, capture_output=True, check=True)

        run()
        return lambda: seconds(run)

    return by_turns({name: took(command) for name, command in commands.items()}, setting.repeats)


ROWS: dict[str, Callable[[Setting], Row]] = {"start": start, "picture": picture}
