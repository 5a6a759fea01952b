"""SIGKILL at random moments: see ``crash/kill_rounds.py``, which takes any number of rounds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

if not hasattr(os, "fork"):
    pytest.skip("its script forks", allow_module_level=True)
SCRIPT = Path(__file__).parents[1] / "crash" / "kill_rounds.py"


@pytest.mark.parametrize(
    ("rounds", "options"),
    [(25, ["--backend", "threads"]), (5, ["--backend", "processes", "--steps", "5000"])],
)
def test_killed_runs_resume_to_the_same_digest(rounds: int, options: list[str]) -> None:
    seed = os.environ.get("FASTMOMENTUM_SEED", "1")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--rounds", str(rounds), "--seed", seed, *options],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},  # joblib's of what the killed leave
    )
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    assert f"{rounds} kills" in done.stdout
