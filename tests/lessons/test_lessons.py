"""The notebook of lessons runs from top to bottom, and shows what it says."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import fastmomentum as fm

ROOT = Path(fm.__file__).parent.parent
LESSONS = Path(__file__).parents[2] / "experiments" / "lessons"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=sorted(path.name for path in LESSONS.glob("*.ipynb")))
def executed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    notebook = nbformat.read(LESSONS / request.param, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        folder = {"metadata": {"path": str(tmp_path_factory.mktemp("lessons"))}}
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=folder)
        client.execute()
    return notebook


def test_it_is_stored_without_outputs() -> None:
    for path in LESSONS.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert not any(cell.outputs or cell.execution_count for cell in cells)


def outputs(notebook: Any) -> list[Any]:
    return [one for cell in notebook.cells for one in cell.get("outputs", ())]


def test_its_pictures_are_shown_once_each_and_nothing_is_warned_of(executed: Any) -> None:
    said = [one.text for one in outputs(executed) if one.get("name") == "stderr"]
    assert said == []
    pictures = [
        one.data["image/png"] for one in outputs(executed) if "image/png" in one.get("data", {})
    ]
    assert len(pictures) == 7
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)


def test_it_says_what_the_lessons_say(executed: Any) -> None:
    results = "".join(one.data.get("text/plain", "") for one in outputs(executed) if "data" in one)
    assert "[0.9501902605527726, 0.9026561642182237]" in results
    printed = "".join(one.text for one in outputs(executed) if one.get("name") == "stdout")
    assert "condition number 2508" in printed
    assert "momentum: lr 0.00384, momentum 0.923, rate 0.9608" in printed
    assert "batches of 1: in the mean square below lr 0.075" in printed
    agreement = re.search(r"difference ([\d.]+)% in (\d+) settings, (\d+)% within two", printed)
    assert agreement is not None
    off, settings, within = map(float, agreement.groups())
    assert off < 10.0
    assert settings > 30
    assert within > 90
