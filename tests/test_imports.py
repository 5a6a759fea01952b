"""The plan of the house: which package may import which, and the one place of each library."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import fastmomentum

PACKAGE = Path(fastmomentum.__file__).parent
CONTRIBUTING = Path(__file__).parent.parent / "CONTRIBUTING.md"

MOST_LINES = 320
"""Of a module: of a longer one nobody keeps the whole in mind."""

ONE_NAME = {
    "DIGESTED": (
        {f"kernels.{name}" for name in ("drawing", "modifying", "step", "stopping", "tiles")},
        "what each part of a kernel is digested from; kernels.cache puts them together",
    ),
    "FUNCTIONS": (
        {"objectives.symbolic", "objectives.tokens"},
        "of a formula by name: what SymPy has for them, and how many arguments they take",
    ),
    "LONGEST": (
        {"experiment.axis", "objectives.tokens", "theory.cycles"},
        "of an axis, of the text of a formula, of a cycle",
    ),
    "MOST_POINTS": (
        {"datasets.noisy_line", "plots.pages.choosing"},
        "of data, and of a path that is drawn",
    ),
    "OPTIONS": (
        {"kernels.loop", "rules.modifiers"},
        "numba's, which no other package sees, and those of every rule",
    ),
}
"""Constants of one name that several modules share out, with where they are and what they are."""

BESIDE_THE_FLOW = {
    "specification": "checks numbers for all of them",
    "reference": "computes the same beside the flow",
    "explorer": "runs the flow for each view",
}
"""Packages that the picture of CONTRIBUTING leaves out, and why."""

EVERYWHERE = {"errors", "machine", "status", "system", "text"}
"""What any package may import; these import nothing of ours."""

EDGES = {
    "errors": "",
    "machine": "",
    "status": "",
    "system": "",
    "text": "",
    "specification": "",
    "provenance": "",
    "notices": "",
    "elementary": "",
    "noise": "elementary",
    "schedules": "specification elementary",
    "datasets": "specification",
    "objectives": "specification datasets elementary",
    "rules": "specification elementary",
    "experiment": "noise objectives rules schedules specification",
    "kernels": "elementary noise objectives rules schedules experiment",
    "reference": "noise objectives rules schedules specification",
    "theory": "objectives rules schedules specification",
    "schema": "experiment",
    "store": "schema experiment objectives rules specification provenance",
    "results": "store schema theory experiment objectives rules specification provenance notices",
    "execution": "kernels store schema results experiment specification provenance",
    "analysis": (
        "execution kernels results schema theory objectives experiment specification notices"
    ),
    "plots": "analysis results theory experiment objectives rules schedules specification notices",
    "explorer": (
        "plots analysis results theory schema execution schedules experiment objectives rules"
    ),
    "cli": (
        "explorer plots analysis execution results store experiment specification provenance "
        "notices"
    ),
    "__main__": "cli",
}
"""By package, or module of the root: the others that it may import, besides those above."""

HOMES = {
    "numba": {"kernels"},
    "llvmlite": {"kernels"},
    "joblib": {"execution.backends", "results.estimate"},  # it counts cores as joblib does
    "distributed": {"execution.dask_cluster", "execution.dask_workers", "execution.orders"},
    "dask": {"execution.dask_cluster"},
    "matplotlib": {"plots", "explorer"},
    "mpl_toolkits": {"plots"},
    "PIL": {"plots"},
    "bokeh": {"explorer"},
    "tornado": {"explorer.serving"},
    "jinja2": {"explorer.page"},
    "typer": {"cli"},
    "click": {"cli"},
    "rich": {"execution.progress_bar"},
    "IPython": {"execution.progress_bar"},
    "filelock": {"store.locks"},
    "fcntl": {"system"},
    "ctypes": {"machine"},
    "h5py": {"store.layout"},
    "xxhash": {"store.checksums"},
    "pyarrow": {"results.parquet_file"},
    "sympy": {"objectives"},
    "pydantic": {"specification", "datasets", "objectives", "rules", "schedules", "experiment"},
    "pydantic_core": {"specification", "schedules"},
    "lazy_loader": {"__init__", "results.__init__"},
    "xarray": {"results", "execution.runner", "execution.interruptible", "analysis", "plots",
               "explorer"},
}  # fmt: skip
"""Third-party libraries, and the packages or modules that may import each."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module, dotted below the package, with its syntax tree."""
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def imported(name: str, tree: ast.Module) -> Iterator[str]:
    """Absolute names of what a module imports, wherever in it: relative, lazy, for types alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = ["fastmomentum", *name.split(".")][: -node.level]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                whole = f"{base}.{alias.name}".removeprefix("fastmomentum.")
                place = PACKAGE.joinpath(*whole.split("."))
                is_module = base.startswith("fastmomentum") and (
                    place.with_suffix(".py").exists() or place.is_dir()
                )
                yield f"{base}.{alias.name}" if is_module else base


def ours(name: str, tree: ast.Module) -> Iterator[str]:
    """Modules of ours that a module imports, dotted below the package."""
    for module in imported(name, tree):
        if module.startswith("fastmomentum."):
            yield module.removeprefix("fastmomentum.")


def package_of(module: str) -> str:
    return module.split(".")[0]


def test_the_table_is_the_house() -> None:
    assert {package_of(name) for name, _ in modules()} - {"__init__"} == set(EDGES)


def test_the_root_has_room_for_ten_modules() -> None:
    names = [p.stem for p in PACKAGE.glob("*.py") if not p.stem.startswith("__")]
    assert len(names) <= 10


def test_no_module_is_too_long_to_read() -> None:
    long = {
        path.relative_to(PACKAGE).as_posix(): count
        for path in PACKAGE.rglob("*.py*")
        if path.suffix in (".py", ".pyi")
        and (count := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_each_package_is_in_the_plan_for_people() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    picture = text.split("## The flow")[1].split("```")[1]
    table = {
        name
        for line in text.splitlines()
        if line.startswith("| `")
        for name in re.findall(r"`([a-z_]+)/?`", line.split("|")[1])
    }
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert packages - table == set()
    assert table - packages <= set(EDGES)
    shown = {name for name in packages if re.search(rf"\b{name}/", picture)}
    assert packages - shown == set(BESIDE_THE_FLOW)


def test_packages_import_along_the_table_alone() -> None:
    wrong = {
        f"{name} imports {other}"
        for name, tree in modules()
        if name != "__init__"
        for other in map(package_of, ours(name, tree))
        if other != package_of(name)
        and other not in EVERYWHERE | set(EDGES[package_of(name)].split())
    }
    assert wrong == set()


def test_no_edge_of_the_table_is_unused() -> None:
    used = {
        (package_of(name), package_of(other)) for name, t in modules() for other in ours(name, t)
    }
    told = {(name, other) for name, others in EDGES.items() for other in others.split()}
    assert told - used == set()


def test_the_table_has_no_circle() -> None:
    list(TopologicalSorter({name: others.split() for name, others in EDGES.items()}).static_order())


def test_no_package_has_a_circle_inside() -> None:
    names = {name for name, _ in modules()}
    graph: dict[str, set[str]] = {}
    for name, tree in modules():
        if name.endswith("__init__"):
            continue  # a face hands names on; whoever is inside imports the module itself
        graph[name] = {other for other in ours(name, tree) if other in names and other != name}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"modules import each other in a circle: {' -> '.join(circle.args[1])}")


def defined(tree: ast.Module) -> Iterator[str]:
    """Constants at the top of a module."""
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        yield from (one.id for one in targets if isinstance(one, ast.Name) and one.id.isupper())


def test_an_imported_constant_is_one_thing() -> None:
    # Two limits of one name are mistaken for each other once both can be imported.
    trees = dict(modules())
    homes: dict[str, set[str]] = {}
    for name, tree in trees.items():
        for constant in defined(tree):
            homes.setdefault(constant, set()).add(name)
    used: dict[str, set[str]] = {}
    for tree in trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fastmomentum."):
                home = str(node.module).removeprefix("fastmomentum.")
                for alias in node.names:
                    if home in homes.get(alias.name, ()):
                        used.setdefault(alias.name, set()).add(home)
    several = {name: found for name, found in used.items() if len(found) > 1}
    assert several == {name: places for name, (places, _) in ONE_NAME.items()}


def test_a_relative_import_is_seen() -> None:
    tree = ast.parse("from ..store import files\nfrom . import info")
    assert list(ours("results.dataset", tree)) == ["store.files", "results.info"]


def test_each_library_has_its_home() -> None:
    wrong = [
        f"{name} imports {library}"
        for name, tree in modules()
        for library in (module.split(".")[0] for module in imported(name, tree))
        if library in HOMES and not {name, package_of(name)} & HOMES[library]
    ]
    assert wrong == []


def test_every_library_has_a_home() -> None:
    known = {*HOMES, *sys.stdlib_module_names, "numpy", "fastmomentum"}
    found = {m.split(".")[0] for name, tree in modules() for m in imported(name, tree)}
    assert found - known == set()


SYSTEMS_OWN = {"fcntl", "grp", "msvcrt", "posix", "pwd", "resource", "termios", "winreg"}
"""Modules of the standard library that some systems lack."""


def systems_told_apart(tree: ast.Module) -> Iterator[str]:
    """Where a module asks which system it is on, or whether that has a call."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            named = f"{node.value.id}.{node.attr}"
            if named in ("sys.platform", "os.name", "os.uname", "platform.system"):
                yield named
        elif isinstance(node, ast.Call) and node.args:
            asked = ast.unparse(node.func)
            about = ast.unparse(node.args[0])
            if asked in ("hasattr", "getattr") and about in ("os", "signal", "sys", "ctypes"):
                yield f"{asked}({about}"
            elif asked.endswith("import_module") and about.strip("'") in SYSTEMS_OWN:
                yield about
        elif isinstance(node, ast.ImportFrom):
            yield from (
                f"{node.module}.{alias.name}"
                for alias in node.names
                if (node.module, alias.name) in (("sys", "platform"), ("os", "name"))
            )


def test_two_modules_alone_tell_operating_systems_apart() -> None:
    found = {
        f"{name}: {said}"
        for name, tree in modules()
        for said in (*systems_told_apart(tree), *({*imported(name, tree)} & SYSTEMS_OWN))
    }
    assert {one for one in found if one.split(":")[0] not in ("machine", "system")} == set()
    assert {"machine: sys.platform", "machine: hasattr(signal", "system: hasattr(os"} <= found
    assert "system: fcntl" in found


def test_only_the_command_prints() -> None:
    wrong = [
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", "") == "print"
        and package_of(name) != "cli"
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import fastmomentum", ["numpy", "pydantic", "numba", "xarray", "matplotlib", "typer"]),
        ("import fastmomentum.cli", ["numpy", "pydantic", "numba", "xarray", "matplotlib", "rich"]),
        (
            "import fastmomentum.execution.runner",
            ["xarray", "matplotlib", "typer", "dask", "distributed"],
        ),
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
    with pytest.raises(AttributeError, match="nothing"):
        _ = fastmomentum.nothing


@pytest.mark.parametrize("name", ["run", "open", "load", "replay", "verify"])
def test_no_package_takes_the_name_of_a_public_function(name: str) -> None:
    # After `import fastmomentum.run...` the name fm.run would be the module.
    assert not (PACKAGE / name).exists()
    assert not (PACKAGE / f"{name}.py").exists()
