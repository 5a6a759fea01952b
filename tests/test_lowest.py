"""The constraints that `make lowest` installs by."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

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


def test_each_extra_has_the_bounds_that_the_suite_is_run_with() -> None:
    # `make lowest` installs dev: an extra of other bounds would promise what nobody has tried.
    extras = tomllib.loads(lowest.PROJECT.read_text())["project"]["optional-dependencies"]
    assert {*lowest.EXTRAS} == {"dask", "dev"}
    tried = {Requirement(text).name: lowest.lowest(text) for text in extras.pop("dev")}
    for apart in ("benchmark", "frameworks"):  # of experiments, in environments of their own
        del extras[apart]
    wrong = {
        f"{name}: {text}"
        for name, texts in extras.items()
        for text in texts
        if tried.get(Requirement(text).name) != lowest.lowest(text)
    }
    assert wrong == set()


def test_our_own_all_have_one() -> None:
    assert {"numba", "typer", "distributed", "pytest"} <= {
        pin.partition("==")[0] for pin in lowest.pins()
    }
