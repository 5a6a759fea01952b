"""The script that writes the table of rules, with walks that need no framework."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import compare_rules
import pytest

from fastmomentum.errors import InputError


@dataclass
class Walk:
    framework: str
    rule: str
    name: str
    away: float
    said: str = ""
    missing: tuple[str, ...] = ()

    def difference(self) -> float:
        return self.away


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> None:
    same = (
        Walk("Keras", "adam", "adam with clip", 3e-16),
        Walk("Keras", "adam", "adam", 2e-16, "eps 0 in both"),
        Walk("optax", "adam", "adam", 0.0, "eps 0 in both"),
        Walk("PyTorch", "sgd", "sgd", 1e-15),
    )
    monkeypatch.setattr(compare_rules, "WALKS", same)
    monkeypatch.setattr(compare_rules, "APART", (Walk("Keras", "adam", "adam", 4e-11, "x"),))
    monkeypatch.setattr(compare_rules.importlib.metadata, "version", lambda name: "1")


@pytest.mark.usefixtures("walks")
def test_the_table_stands_between_its_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("a <!-- parity --> old <!-- /parity --> b", encoding="utf-8")
    compare_rules.main(["--readme", str(readme)])
    rows = readme.read_text(encoding="utf-8").splitlines()
    assert (rows[0], rows[-1]) == ("a <!-- parity -->", "<!-- /parity --> b")
    assert rows[3:6] == [
        "| `sgd` | 1e-15 |  |  |  |",
        "| `adam` |  | 0 | 2e-16 | Keras, optax: eps 0 in both; Keras: as it comes 4e-11, x |",
        "| `adam` with `clip` |  |  | 3e-16 |  |",
    ]
    assert "PyTorch 1, optax 1, Keras 1." in capsys.readouterr().out


@pytest.mark.usefixtures("walks")
def test_without_marks_nothing_is_written(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("b", encoding="utf-8")
    with pytest.raises(InputError, match="needs the marks <!-- parity --> and"):
        compare_rules.main(["--readme", str(readme)])
    assert readme.read_text(encoding="utf-8") == "b"


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = (Walk("PyTorch", "sgd", "sgd", 0.0, missing=("torch",)),)
    monkeypatch.setattr(compare_rules, "WALKS", absent)
    with pytest.raises(InputError, match="not installed: torch; pip install"):
        compare_rules.main([])
