"""The constraints that `make lowest` installs by."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_spec = importlib.util.spec_from_file_location("lowest", ROOT / ".ci" / "lowest.py")
assert _spec is not None
assert _spec.loader is not None
lowest = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(lowest)

PROJECT = """
[project]
dependencies = ["numpy>=1.26,<3", "old>=2; python_version < '3'"]
[project.optional-dependencies]
dask = ["dask[array]>=2024.8"]
dev = ["numpy>=1.26", "exact==1.5"]
other = ["torch"]
"""


def test_each_requirement_is_pinned_to_its_lower_bound(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(PROJECT)
    pins = [*lowest.pins(project)]
    assert pins == ["numpy==1.26", "dask==2024.8", "numpy==1.26", "exact==1.5"]


@pytest.mark.parametrize("text", ["numpy", "numpy<3", "numpy>1.26", "numpy>=1,>=2"])
def test_a_requirement_without_one_lower_bound_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"must have one lower bound, such as numpy>=1\.0$"):
        lowest.lowest(text)


def test_our_own_all_have_one() -> None:
    assert {"numba", "typer", "distributed", "pytest"} <= {
        pin.partition("==")[0] for pin in lowest.pins()
    }
