"""What is asked for outside of a grid: the nearest is taken, and told."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.errors import OutsideGridWarning
from fastmomentum.results.nearest import nearest


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nearest") / "map.h5"
    fm.run(
        fm.Experiment(
            objective=fm.Quadratic(1.0, 0.0, 10.0),
            rule="momentum",
            steps=400,
            grid=fm.Grid(
                lr=np.geomspace(1e-3, 2e-2, 6),
                momentum=[0.0, 0.5, 0.9],
                start=[(1, 1), (-5, 2)],
                velocity=[(0, 0), (0.5, 0.25)],
            ),
            stop=fm.Stop(targets=[1e-4, 1e-8]),
        ),
        path,
    )
    return path


@pytest.fixture(scope="module")
def ds(path: Path) -> xr.Dataset:
    return fm.open(path).load()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"lr": 5}, "lr 5 is not in the grid, 0.001 to 0.02: the nearest, 0.02, is taken"),
        ({"lr": 1e-9}, "lr 1e-09 is not in the grid, 0.001 to 0.02: the nearest, 0.001, is taken"),
        (
            {"momentum": 1.5},
            "momentum 1.5 is not in the grid, 0 to 0.9: the nearest, 0.9, is taken",
        ),
        ({"momentum": -1}, "momentum -1 is not in the grid, 0 to 0.9: the nearest, 0, is taken"),
        (
            {"start": (100, 100)},
            "start (100, 100) is not in the grid, x -5 to 1, y 1 to 2: "
            "the nearest, (1, 1), is taken",
        ),
        (
            {"velocity": (9, 0)},
            "velocity (9, 0) is not in the grid, x 0 to 0.5, y 0 to 0.25: "
            "the nearest, (0.5, 0.25), is taken",
        ),
    ],
)
def test_a_cell_outside_of_the_grid_is_told(ds: xr.Dataset, asked: Any, told: str) -> None:
    with pytest.warns(OutsideGridWarning) as caught:
        fm.select_cell(ds, **asked)
    assert [str(one.message) for one in caught] == [told]
    assert caught[0].filename == __file__  # the line that asked, not one of ours
    with pytest.warns(OutsideGridWarning, match=told.split(" is ")[0].replace("(", r"\(")[:8]):
        fm.replay(ds, **asked)


def test_within_the_grid_nothing_is_told(ds: xr.Dataset) -> None:
    cell = fm.select_cell(ds, lr=0.007, momentum=0.7, start=(0.0, 1.5), velocity=(0.1, 0.1))
    assert float(cell.momentum) in (0.5, 0.9)


def test_a_mesh_tells_its_axes() -> None:
    mesh = fm.run(
        fm.Experiment(
            objective=fm.Himmelblau(),
            rule="sgd",
            steps=5,
            grid=fm.Grid(lr=0.01, start={"x": [-2.0, 0.0, 2.0], "y": [-1.0, 1.0]}),
        )
    )
    with pytest.warns(OutsideGridWarning, match=r"x -2 to 2, y -1 to 1: the nearest, \(2, 1\)"):
        cell = fm.select_cell(mesh, start=(7.0, 0.5))
    assert (float(cell.start_x), float(cell.start_y)) == (2.0, 1.0)
    with pytest.warns(OutsideGridWarning, match=r"lr 1 is not in the grid: 0\.01, the only one"):
        fm.select_cell(mesh, lr=1.0)


def test_an_end_written_in_a_few_digits_is_the_end() -> None:
    assert nearest("lr", [1 / 9], 0.1111, by_ratio=True) == 0
    assert nearest("momentum", [0.0, 4 / 9], 0.444) == 1
    assert nearest("lr", [1 / 9], 0.111, by_ratio=True) == 0
    with pytest.warns(OutsideGridWarning):
        nearest("lr", [1 / 9], 0.11, by_ratio=True)
    assert nearest("lr", [1e-3, 1e-2], 1.08e-2, by_ratio=True) == 1  # in the cell around the end
    with pytest.warns(OutsideGridWarning):
        nearest("lr", [1e-3, 1e-2], 1.2e-2, by_ratio=True)
    with pytest.warns(OutsideGridWarning):
        nearest("lr", [9.9e-3, 1e-2], 1.08e-2, by_ratio=True)
    with pytest.warns(OutsideGridWarning):
        nearest("momentum", [0.0, 0.99], 0.995)


@pytest.mark.parametrize("target", ["1e-5", "1", "1e-12"])
def test_a_target_that_is_none_is_told(script, path, tmp_path, unrendered, target) -> None:
    out = tmp_path / "map.png"
    status, _, err = script("plot_phase", path, "-o", out, "--target", target)
    taken = "1e-08" if target == "1e-12" else "0.0001"
    assert status == 0
    assert err == (
        f"plot_phase.py: target {float(target):.6g} is not in the grid, 0.0001, 1e-08: "
        f"the nearest, {taken}, is taken\n"
    )
    assert script("plot_phase", path, "-o", out, "--target", "1e-8")[2] == ""


@pytest.mark.parametrize(
    "name", ["plot_contour", "plot_surface", "plot_report", "plot_loss", "plot_phase"]
)
def test_scripts_tell_it_in_a_line_once(script, path, tmp_path, unrendered, name) -> None:
    words = ["--start", "100,100"] if name == "plot_phase" else ["--lr", "5", "--momentum", "0.5"]
    out = tmp_path / "out.png"
    status, _, err = script(name, path, "-o", out, *words, "--velocity", "9,9")
    assert (status, len(err.splitlines())) == (0, 2)
    assert all(line.startswith(f"{name}.py: ") for line in err.splitlines())
    assert "(9, 9)" in err
    assert ("lr 5 " in err) != ("start (100, 100)" in err)


def command(*words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "fastmomentum", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_commands_tell_it_in_a_line(path: Path, tmp_path: Path) -> None:
    done = command(
        "zoom", path, "--lr", "1e-3:2e-3", "--momentum", "0:0.5", "--num", 3,
        "--start", "50,50", "-o", tmp_path / "z.h5",
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        0,
        "start (50, 50) is not in the grid, x -5 to 1, y 1 to 2: the nearest, (1, 1), is taken\n",
    )
    done = command(
        "zoom", path, "--lr", "1e-3:2e-3", "--momentum", "0:0.5", "--num", 3,
        "--start", "50,50", "-o", tmp_path / "z.h5", "--quiet",
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plot_report", ["--lr", "0.01", "--lr", "0.02"]),
        ("plot_report", ["--start", "0", "--start", "1"]),
        ("plot_phase", ["--target", "1e-4", "--target", "1e-8"]),
        ("plot_phase", ["--show", "hit", "--show", "status"]),
        ("plot_duel", ["--velocity", "0", "--velocity", "1"]),
        ("animate_zoom", ["--lr", "1e-3:2e-3", "--lr", "1e-3:3e-3"]),
    ],
)
def test_an_option_of_which_one_counts_is_refused_twice(script, path, tmp_path, name, words):
    status, _, err = script(name, path, "-o", tmp_path / "out.png", *words)
    assert status == 2
    assert f"{words[0]} was given twice; leave one out" in err


def test_other_warnings_stay_as_they_are() -> None:
    from fastmomentum.notices import as_lines

    lines: list[str] = []
    with warnings.catch_warnings(record=True) as others, as_lines(lines.append):
        warnings.simplefilter("always")
        warnings.warn("something else", RuntimeWarning, stacklevel=1)
        nearest("lr", [1.0], 2.0)
    assert [str(one.message) for one in others] == ["something else"]
    assert lines == ["lr 2 is not in the grid: 1, the only one there, is taken"]
