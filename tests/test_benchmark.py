"""The benchmark measures, writes its table, and puts it where it belongs; no clock is asked."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import needs

SCRIPT = Path(__file__).parents[1] / "experiments" / "benchmark.py"


def benchmark(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, words)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_row_goes_to_table_json_and_readme(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- benchmark -->\nold\n<!-- /benchmark -->\nafter\n")
    made = benchmark("--quick", "--only", "start", "-o", tmp_path / "out", "--readme", readme)
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "out" / "benchmark.md").read_text()
    assert "`import fastmomentum`" in text
    assert "not to be quoted" in text
    found = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert found["quick"] is True
    assert {"cpu", "cores", "numba"} <= set(found["machine"])
    (row,) = found["rows"]
    assert row["name"] == "start"
    assert all(len(times) == 3 for times in row["samples"].values())
    now = readme.read_text()
    assert now.startswith("before\n<!-- benchmark -->\n")
    assert now.endswith("\n<!-- /benchmark -->\nafter\n")
    assert text in now
    assert "old" not in now


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_rules_have_a_table_of_their_own(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    part = "benchmark of rules"
    readme.write_text(f"<!-- benchmark -->kept<!-- /benchmark -->\n<!-- {part} --><!-- /{part} -->")
    made = benchmark("--quick", "--only", "rules", "-o", tmp_path / "out", "--readme", readme)
    assert made.returncode == 0, made.stderr
    now = readme.read_text()
    assert now.startswith("<!-- benchmark -->kept<!-- /benchmark -->")
    assert all(f"| `{name}` | " in now for name in ("momentum", "adam"))
    assert "| 1.00 x | " in now
    assert "`roots.c` | " in now
    found = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert {"cpu", "cores", "numba"} <= set(found["machine"])
    assert len(found["rules"]["adam"]["plain"]) == 3


def test_a_readme_without_marks_is_left_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no marks\n")
    made = benchmark("--quick", "--only", "start", "-o", tmp_path, "--readme", readme)
    assert made.returncode != 0
    assert "needs the marks" in made.stderr
    assert readme.read_text() == "no marks\n"


def test_a_peer_that_is_not_there_is_skipped_with_a_word(tmp_path: Path) -> None:
    hidden = tmp_path / "sitecustomize.py"  # found first, and hides JAX from importlib
    hidden.write_text("import sys\nsys.modules['jax'] = None\n")
    made = benchmark("--quick", "--only", "jax", "-o", tmp_path, PYTHONPATH=str(tmp_path))
    assert made.returncode == 0, made.stderr
    assert "not measured: JAX is not installed" in made.stdout


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_the_limit_by_hand_compiles_and_reports_a_rate_for_each_width(tmp_path: Path) -> None:
    program = tmp_path / "peak"
    source = SCRIPT.with_name("peak.c")
    command = ["cc", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([*command, source, "-o", program], check=True)
    lines = subprocess.run([program, "4"], capture_output=True, text=True, check=True).stdout
    bits, n, rate = lines.split()
    assert bits in ("256", "512")
    assert n == "4"
    assert float(rate) > 0


@pytest.mark.slow
def test_sizes_are_varied(tmp_path: Path) -> None:
    made = benchmark("--quick", "--tune", "-o", tmp_path)
    assert made.returncode == 0, made.stderr
    text = (tmp_path / "tuning.md").read_text()
    for title in ("LANES, without", "LANES, with stop", "ROUND", "runs a block", "bytes a block"):
        assert f"| {title}" in text


def test_an_unknown_row_is_refused_with_those_that_there_are() -> None:
    made = benchmark("--only", "speed")
    assert made.returncode == 2
    assert "peak" in made.stderr


@needs("resource")
def test_the_run_that_a_cluster_is_measured_with_runs(tmp_path: Path) -> None:
    script = runpy.run_path(str(SCRIPT.with_name("benchmark_cluster.py")))
    code = tmp_path / "run.py"
    code.write_text(script["RUN"])
    numbers = ["0", "1.0", "1", "1"]  # block_runs, task_seconds, learning rates, steps
    done = subprocess.run(
        [sys.executable, code, "threads", "none", tmp_path / "o.h5", *numbers],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"seconds", "kB"}
    assert (tmp_path / "o.h5").exists()


@pytest.mark.parametrize(
    "path", sorted(SCRIPT.parent.glob("[a-z]*.py")), ids=lambda path: str(path.stem)
)
def test_every_script_says_what_it_takes(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(path.parent)
    monkeypatch.setattr(sys, "argv", [str(path), "--help"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(path), run_name="__main__")
    assert not end.value.code
    assert capsys.readouterr().out.startswith("usage: ")
