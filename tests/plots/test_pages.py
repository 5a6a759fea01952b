"""Whole figures from the package: the commands that draw, and the functions behind them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum.cli import app
from fastmomentum.errors import InputError
from fastmomentum.plots import pages


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("results") / "valley.h5"
    grid = {"lr": [1e-4, 1e-3], "momentum": [0.0, 0.9], "start": [(-1.2, 1)]}
    fm.run(
        fm.Experiment(
            title="A valley", objective=fm.Rosenbrock(), rule="momentum", steps=50, grid=grid
        ),
        path,
    ).close()
    return path


def called(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*map(str, words)])
    return done.exit_code, done.output


@pytest.mark.parametrize("kind", ["contour", "surface", "report", "phase", "loss"])
def test_a_command_draws_in_the_size_and_style_asked_for(kind, results, tmp_path) -> None:
    path = tmp_path / "picture.png"
    words = ("--size", "9x6", "--style", "dark_background", "--title", "Mine")
    status, out = called("plot", kind, results, "-o", path, *words)
    assert status == 0, out
    assert out.splitlines()[-1] == f"wrote {path}"
    with Image.open(path) as picture:
        assert picture.size == (1800, 1200)
        assert picture.convert("RGB").getpixel((2, 2)) == (0, 0, 0)


@pytest.mark.parametrize(("words", "loop"), [((), 0), (("--loop", 3), 2), (("--loop", 1), None)])
def test_a_gif_plays_as_often_as_asked(words, loop, results, tmp_path) -> None:
    path = tmp_path / "run.gif"
    status, out = called("animate", results, "-o", path, "--frames", 2, "--size", "8x5", *words)
    assert status == 0, out
    with Image.open(path) as picture:
        assert picture.info.get("loop") == loop


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--size", "wide"), "--size must be WIDTHxHEIGHT in inches, such as 16x9: got 'wide'"),
        (("--size", "1x900"), "size must be from 2 to 60 inches along each side: got 1 x 900"),
        (("--style", "nonesuch"), "--style: there is no file nonesuch, and no such style"),
        (("--view", "1"), "--view must be two angles ELEV,AZIM in degrees: got '1'"),
    ],
)
def test_looks_that_make_no_sense_are_refused_in_a_line(words, message, results, tmp_path) -> None:
    status, out = called("plot", "surface", results, "-o", tmp_path / "f.png", *words)
    assert (status, out.count("\n")) == (2, 1)
    assert out.startswith(message)
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_a_figure_that_a_notebook_shows(results) -> None:
    with fm.open(results) as ds:
        page = fm.plots.report(ds, title="Mine", view=(30, 10))
        assert isinstance(page, Figure)
        assert page._repr_png_().startswith(b"\x89PNG")
        assert (page.axes[0].elev, page.axes[0].azim) == (30, 10)
        assert pages.contour(ds, title="Mine").get_suptitle() == "Mine"
        with pytest.raises(InputError, match="results, from"):
            fm.plots.phase(3)


def test_pages_are_loaded_when_the_first_is_used() -> None:
    check = "import sys, fastmomentum.plots; print('fastmomentum.plots.pages' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_of_a_rule_without_theory_what_was_measured_is_drawn() -> None:
    grid = fm.Grid(lr=[0.05, 0.1, 0.2], momentum=[0.0, 0.5, 0.9], start=[(1, 1)])
    stop = fm.Stop(targets=[1e-6])
    plan = fm.Experiment(objective=fm.Quadratic(), rule="adam", steps=200, grid=grid, stop=stop)
    ds = fm.run(plan)
    for page in (pages.phase(ds), pages.loss(ds), pages.duel(ds, ds, names=("a", "b"))):
        texts = [text.get_text() for legend in page.legends for text in legend.get_texts()]
        assert not any("theory" in text for text in [*texts, *page.said])


def test_a_map_over_other_axes_and_a_map_for_each_value() -> None:
    grid = fm.Grid(lr=[0.1, 0.2], momentum=[0.0, 0.5], start=[(1, 1)], rule={"nu": [0.5, 1.0]})
    plan = fm.Experiment(objective=fm.Quadratic(), rule="qhm", steps=100, grid=grid)
    ds = fm.run(plan)
    assert pages.phase(ds, y="nu", at={"momentum": 0.5}).axes[0].get_ylabel().startswith("nu")
    assert len([ax for ax in pages.phase(ds, over="nu").axes if ax.get_title()]) == 2
    with pytest.raises(InputError, match="all of its values are drawn"):
        pages.phase(ds, over="nu", at={"nu": 0.5})
    with pytest.raises(InputError, match="nuu is no axis"):
        pages.phase(ds, x="nuu")
