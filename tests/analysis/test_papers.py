"""The script that reproduces numbers of papers, and the README's table of them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def papers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(EXPERIMENTS))
    return importlib.import_module("papers")


def test_the_readme_has_what_comes_out(papers: Any) -> None:
    text = (EXPERIMENTS.parent / "README.md").read_text(encoding="utf-8")
    table = text.split("<!-- papers -->")[1].split("<!-- /papers -->")[0]
    for row in (papers.cycle_of_three(), papers.logistic()):
        assert f"| {' | '.join(row)} |" in table
    assert table.count("\n| ") == 2 + 8


def test_the_table_is_written_between_its_marks(
    papers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- papers -->\nold\n<!-- /papers -->\nafter\n", encoding="utf-8")
    row = papers.Row("a paper", "a setting", "1", "1.0 ± 0.1")
    monkeypatch.setattr(papers, "ROWS", (lambda: row, lambda: [row]))
    papers.main(["--readme", str(readme)])
    lines = readme.read_text(encoding="utf-8").splitlines()
    assert lines[:2] == ["before", "<!-- papers -->"]
    assert lines[4:6] == ["| a paper | a setting | 1 | 1.0 ± 0.1 |"] * 2
    assert lines[6:] == ["<!-- /papers -->", "after"]
    assert f"wrote {readme}" in capsys.readouterr().out
