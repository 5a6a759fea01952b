"""What the bits of results depend on is found by following imports, and an edit of it is seen."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastmomentum.provenance import PACKAGE, ROOTS, sources


def names() -> set[str]:
    return {path.relative_to(PACKAGE).as_posix() for path in sources()}


def test_what_computes_is_among_the_sources() -> None:
    assert {
        *ROOTS,
        "rules/momentum.py",
        "kernels/loop.py",
        "elementary/trigonometric.py",
        "objectives/classic.py",
        "objectives/statistics.py",
        "experiment/axis.py",
        "experiment/ranges.py",
        "datasets/reading.py",
    } <= names()


def test_what_only_stores_or_draws_is_not() -> None:
    folders = ("store/", "results/", "execution/", "analysis/", "plots/", "cli/", "theory/")
    assert not [name for name in names() if name.startswith(folders)]


def test_a_root_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sources(tmp_path)


@pytest.mark.parametrize(
    ("edited", "matters"),
    [
        ("kernels/loop.py", True),
        ("rules/momentum.py", True),
        ("objectives/classic.py", True),
        ("objectives/__init__.py", True),
        ("experiment/ranges.py", True),
        ("specification/base.py", True),
        ("store/journal.py", False),
        ("plots/style.py", False),
    ],
)
def test_an_edit_is_seen_in_the_digest(edited: str, matters: bool, tmp_path: Path) -> None:
    shutil.copytree(
        PACKAGE, tmp_path / "fastmomentum", ignore=shutil.ignore_patterns("__pycache__")
    )
    code = "from fastmomentum.provenance import computing; print(computing()[0][1])"

    def told() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    before = told()
    with (tmp_path / "fastmomentum" / edited).open("a", encoding="utf-8") as file:
        file.write("# edited\n")
    assert (told() != before) is matters
