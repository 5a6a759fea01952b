"""The wheel draws everything by itself, in an environment that has no other fastmomentum."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILT_FROM = ("pyproject.toml", "README.md", "LICENSE")

pytestmark = pytest.mark.slow


def called(*words: object) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    words = tuple(map(str, words))
    return subprocess.run(words, capture_output=True, text=True, env=clean, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing is left in the clone."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_FROM:
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "fastmomentum", source / "fastmomentum", ignore=ignored)
    out = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--retries=1")
    done = called(*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", out, source)
    if done.returncode and (
        "No matching distribution" in done.stderr or "No module" in done.stderr
    ):
        pytest.skip("pip finds no index to take setuptools from")
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_the_wheel_draws_everything_outside_of_the_clone(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "empty"
    venv.create(home, with_pip=False, symlinks=os.name != "nt")
    where = {"base": str(home), "platbase": str(home)}
    packages = Path(sysconfig.get_path("purelib", vars=where))
    python = Path(sysconfig.get_path("scripts", vars=where)) / Path(sys.executable).name
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    done = called(*pip, "install", "--quiet", "--no-deps", "--no-index", wheel)
    assert done.returncode == 0, done.stderr
    # What it needs is taken from here; a path in a .pth brings no editable installs along.
    (packages / "needed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    script = Path(__file__).with_name("draw_all.py")
    done = called(python, "-I", script, tmp_path / "drawn")
    assert done.returncode == 0, done.stdout + done.stderr
    assert str(home) in done.stdout


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"fastmomentum"}
    assert {"fastmomentum/py.typed", "fastmomentum/plots/player.html"} <= set(names)
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fastmomentum").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= set(names)
