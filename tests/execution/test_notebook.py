"""In a real notebook's kernel: the bar is there, moves in its place, and stays as it was."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import fastmomentum as fm

ROOT = Path(fm.__file__).parent.parent

CELL = """
import fastmomentum as fm
import fastmomentum.execution.runner as runner
runner.COMMIT_SECONDS = 0.0
experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=10,
    grid=fm.Grid(lr=[1e-4, 1e-3, 2e-3, 3e-3], momentum=[0.0, 0.9], start=[(1, 2)]))
ds = fm.run(experiment, progress=True, n_jobs=1, block_runs=1)
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], list[Any]]:
    """What the kernel sends to have displayed, and what is left in the notebook."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
        sent: list[Any] = []

        class Listening(NotebookClient):
            def process_message(self, msg: Any, *arguments: Any) -> Any:
                if "display_data" in msg["msg_type"]:
                    sent.append((msg["msg_type"], msg["content"]))
                return super().process_message(msg, *arguments)

        Listening(notebook, timeout=300, kernel_name="python3").execute()
    return sent, notebook.cells[0].outputs


def test_a_notebook_shows_a_bar_that_moves_in_its_place(told: Any) -> None:
    sent, _ = told
    kinds = [kind for kind, _ in sent]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}
    assert len({content["transient"]["display_id"] for _, content in sent}) == 1
    texts = [content["data"]["text/plain"] for _, content in sent]
    assert texts[0].endswith("  0% compiling")
    percents = [int(re.search(r"(\d+)%", text)[1]) for text in texts]  # type: ignore[index]
    assert percents == sorted(percents)
    assert {0, 12, 25, 37, 50, 62, 75, 87, 100} <= set(percents)


def test_its_final_state_is_left_in_the_notebook(told: Any) -> None:
    _, outputs = told
    (output,) = outputs  # and nothing else, such as a warning or a second bar
    text = output["data"]["text/plain"]
    assert re.match(r"#{24} 100% 8 of 8 runs, .* steps/s, ", text), text
    page = output["data"]["text/html"]
    assert page.startswith('<progress max="100" value="100"></progress> 100% 8 of 8 runs')
    assert html.unescape(page).split("100% ")[1] == text.split("100% ")[1]
