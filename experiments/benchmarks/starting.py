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

        def took(command: list[str]) -> Callable[[], float]:
            def run() -> None:
                subprocess.run(command, cwd=folder, capture_output=True, check=True)

            run()
            return lambda: seconds(run)

        contenders = {name: took(command) for name, command in commands.items()}
        samples = by_turns(contenders, setting.repeats)
    helps, imports, runs = (median(times) for times in samples.values())
    what = "`fastmomentum --help`; `import fastmomentum`; 64 runs with warm cache, whole process"
    figure = f"{helps:.2f} s; {imports:.2f} s; {runs:.2f} s"
    met = helps <= 0.3 and imports <= 0.3 and runs <= 1.2
    return Row("start", what, "0.3 s; 0.3 s; 1.2 s", figure, met, samples)


ROWS: dict[str, Callable[[Setting], Row]] = {"start": start}
