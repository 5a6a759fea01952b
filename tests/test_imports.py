"""The house's order: imports point one way, down the flow, and each library has its one place."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import fastmomentum

PACKAGE = Path(fastmomentum.__file__).parent

LAYERS = """
errors notices status rules files provenance
explanation plain_numbers spans specification update_rule
datasets objectives
ranges axis places nearest grid protocol experiment loading
reference theory stability code_digest kernels
checksums schema trust manifest sinks journal layout outputs memory store digest
lazy results selecting progress bar
worker groups cluster crew backends runner verification replaying zooming analysis
summary plots cli __main__
"""
ORDER = LAYERS.split()
"""From the bottom up: a module may import those before it."""

HOMES = {
    "numba": {"kernels"},
    "joblib": {"backends", "summary"},  # summary: counts cores as joblib does
    "distributed": {"cluster", "crew", "worker"},  # worker: for its address
    "matplotlib": {"plots"},
    "typer": {"cli"},
    "rich": {"bar"},
    "filelock": {"files"},
    "h5py": {"layout"},
    "xxhash": {"checksums"},
    "xarray": {
        "lazy",
        "results",
        "selecting",
        "analysis",
        "plots",
        "digest",
        "runner",
        "replaying",
        "zooming",
    },  # fmt: skip,
}


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if name != "__init__":
            yield name, ast.parse(path.read_text())


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "fastmomentum":
                yield from (f"fastmomentum.{alias.name}" for alias in node.names)
            else:
                yield node.module


def test_every_module_has_its_place() -> None:
    assert {name for name, _ in modules()} <= set(ORDER)


def test_imports_point_one_way() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, tree in modules()
        for module in imported(tree)
        if module.startswith("fastmomentum.")
        for other in [module.split(".")[1]]
        if ORDER.index(other) > ORDER.index(name)
    ]
    assert wrong == []


def test_each_library_has_its_home() -> None:
    wrong = [
        f"{name} imports {library}"
        for name, tree in modules()
        for library in (module.split(".")[0] for module in imported(tree))
        if library in HOMES and name not in HOMES[library]
    ]
    assert wrong == []


def test_only_the_command_prints() -> None:
    wrong = [
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print" and name != "cli"
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import fastmomentum", ["numpy", "pydantic", "numba", "xarray", "matplotlib", "typer"]),
        ("import fastmomentum.cli", ["numpy", "pydantic", "numba", "xarray", "matplotlib", "rich"]),
        ("import fastmomentum.runner", ["xarray", "matplotlib", "typer", "dask", "distributed"]),
        ("import fastmomentum as fm; fm.theory", ["numba", "matplotlib", "xarray"]),
    ],
)
def test_nothing_heavy_is_loaded_before_it_is_needed(code: str, absent: list[str]) -> None:
    check = f"import sys; {code}; print([m for m in {absent} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there() -> None:
    for name in fastmomentum.__all__:
        assert getattr(fastmomentum, name) is not None
    assert set(fastmomentum.__all__) <= set(dir(fastmomentum))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fastmomentum.nothing
