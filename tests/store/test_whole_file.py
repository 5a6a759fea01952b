"""Files that are written completely or not at all."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from fastmomentum.cli import picture_files
from fastmomentum.store import whole_file


@pytest.mark.parametrize("replacing", [whole_file.replacing, picture_files.replacing])
def test_two_threads_may_write_one_file(replacing: Any, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"

    def write() -> None:
        with replacing(path) as partial:
            partial.write_text("of the other")

    with replacing(path) as partial:
        partial.write_text("of the first")
        other = threading.Thread(target=write)
        other.start()
        other.join()
        assert path.read_text() == "of the other"
    assert path.read_text() == "of the first"
    assert [one.name for one in tmp_path.iterdir()] == ["out.csv"]
