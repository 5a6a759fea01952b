"""Draw every kind of picture with the fastmomentum that belongs to this Python: draw_all.py FOLDER.

It is run outside of the clone by a Python that has the wheel: see test_wheel.py and `make wheel`.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

PLAN = """\
title = "Drawn from a wheel"
steps = 60
objective = { name = "quadratic", hxx = 1.0, hyy = 9.0 }
rule = { name = "momentum" }
grid = { lr = [0.05, 0.1], momentum = [0.0, 0.5], start = { x = [-1, 0.5, 2], y = [-1, 0.5, 2] } }
stop = { targets = [1e-6] }
"""

COSINE = """
[schedule]
lr = { kind = "cosine", steps = 60 }
"""

COMPARED = """
[compare.Nesterov]
rule = "nesterov"
[compare.plain]
rule = "sgd"
"""

COARSE = """\
steps = 60
objective = { name = "quadratic", hxx = 1.0, hyy = 9.0 }
rule = "momentum"
[grid]
lr = { linspace = [0.05, 0.4], num = 5 }
momentum = { linspace = [0.0, 0.9], num = 5 }
start = [[1.0, 1.0]]
"""

NOISY = """\
steps = 60
objective = { name = "quadratic", hxx = 1.0, hyy = 9.0 }
rule = "momentum"
grid = { lr = 0.05, momentum = 0.5, start = [[1.0, 1.0]], seed = 20 }
noise = { gaussian = 0.1 }
"""

ROWS = """\
steps = 1000
objective = { name = "mse", data = "rows.csv", x = "x", y = "y" }
rule = "momentum"
grid = { lr = [0.01, 0.02], momentum = 0.5, start = [[0.0, 0.0]], seed = 20 }
batch = { size = 1, draw = "replacement" }
"""

PLANS = {
    "plan.toml": PLAN,
    "cosine.toml": PLAN + COSINE,
    "rules.toml": PLAN + COMPARED,
    "coarse.toml": COARSE,
    "noisy.toml": NOISY,
    "rows.toml": ROWS,
    "rows.csv": "x,y\n-1,1\n0,2\n1,2\n1.5,5\n",
}

PICTURES = {
    "contour": ("one.h5", "-o", "contour.png", "--beside"),
    "surface": ("one.h5", "-o", "surface.svg", "--view", "40,30"),
    "report": ("one.h5", "-o", "report.png", "--style", "dark_background"),
    "phase": ("one.h5", "-o", "phase.pdf"),
    "basins": ("one.h5", "-o", "basins.png", "--over", "momentum"),
    "loss": ("one.h5", "-o", "loss.png", "--title", "Loss", "--size", "8x5"),
    "duel": ("one.h5", "two.h5", "-o", "duel.png"),
    "schedule": ("cosine.toml", "-o", "schedule.png"),
    "refined": ("fine.h5", "-o", "refined.png"),
    "batches": ("rows.h5", "-o", "batches.png"),
    "stationary": ("noisy.h5", "-o", "stationary.png"),
    "cycles": ("--cells", "8", "--steps", "60", "-o", "cycles.png"),
}
"""By kind of picture, the words that draw it; `tests/plots/test_every_page.py` asks for all."""


def main(folder: Path) -> None:
    """Run small experiments and draw the kinds, a GIF, a page, a zoom, and a comparison."""
    found = importlib.util.find_spec("fastmomentum")
    assert found is not None
    assert found.origin is not None
    home = Path(found.origin)
    assert Path(sys.prefix) in home.parents, f"not the installed one: {home}"
    folder.mkdir(parents=True, exist_ok=True)
    from fastmomentum.cli.pictures import KINDS

    assert set(PICTURES) == set(KINDS), "not drawn here, or no kind of picture any more"
    for name, text in PLANS.items():
        (folder / name).write_text(text, encoding="utf-8")
    called(folder, "run", "plan.toml", "-o", "one.h5", "--quiet")
    called(folder, "run", "plan.toml", "-o", "two.h5", "--quiet", "--set", "steps=40")
    for name in ("coarse", "noisy", "rows"):
        called(folder, "run", f"{name}.toml", "-o", f"{name}.h5", "--quiet")
    called(folder, "refine", "coarse.h5", "--levels", "2", "-o", "fine.h5", "--quiet")
    for kind, words in PICTURES.items():
        called(folder, "plot", kind, *words)
    called(folder, "animate", "one.h5", "-o", "run.gif", "--frames", "3", "--size", "8x5")
    called(folder, "animate", "one.h5", "-o", "run.html", "--frames", "3", "--size", "8x5")
    called(folder, "zoom", "one.h5", "--lr", "0.05:0.1", "--momentum", "0.1:0.4", "--num", "4")
    called(folder, "compare", "rules.toml", "-o", "rules", "--start", "-1,-1", "--quiet")
    starts = {".png": b"\x89PNG", ".gif": b"GIF8", ".pdf": b"%PDF", ".svg": b"<?xm"}
    names = [words[words.index("-o") + 1] for words in PICTURES.values()]
    for name in [*names, "run.gif", "run.html", "one_zoom.png", "rules/comparison.png"]:
        drawn = (folder / name).read_bytes()
        assert drawn.startswith(starts.get(Path(name).suffix, b"<!DOCTYPE html>")), name
    print(
        f"drew {len(names)} kinds, an animation twice, a zoom and a comparison with {home.parent}"
    )


def called(folder: Path, *words: str) -> None:
    """Run the command, which must say nothing on stderr."""
    program = Path(sys.executable).with_name("fastmomentum")
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(
        [program, *words], cwd=folder, env=clean, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), (words, done.stdout, done.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
