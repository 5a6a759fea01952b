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


def one_of_each_package() -> list[str]:
    """Of the sources, a module of every package, and one that packages are imported by."""
    last = {name.split("/")[0]: name for name in sorted(names()) if "__init__" not in name}
    return [*last.values(), "objectives/__init__.py"]


OTHERS = ("store/journal.py", "plots/style.py")
"""Modules that no bits depend on."""


def test_packages_that_compute_are_edited_below() -> None:
    assert {
        "datasets", "elementary", "experiment", "kernels", "noise", "objectives", "rules",
        "schedules", "specification",
    } <= {name.split("/")[0] for name in one_of_each_package()}  # fmt: skip


def test_an_edit_is_seen_in_the_digest(tmp_path: Path) -> None:
    folder = tmp_path / "fastmomentum"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = "from fastmomentum.provenance import computing; print(computing()[0][1])"

    def told() -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    before, wrong = told(), []
    for edited in [*one_of_each_package(), *OTHERS]:
        with (folder / edited).open("a", encoding="utf-8") as file:
            file.write("# edited\n")
        after = told()
        if (after == before) is not (edited in OTHERS):
            wrong.append(edited)
        before = after
    assert wrong == []
