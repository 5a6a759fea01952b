"""Pictures of single runs are drawn without what takes long to load, and look the same."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum.plots import pages
from fastmomentum.results.stored import open_stored

HEAVY = ("xarray", "pandas", "numba", "sympy", "dask", "joblib", "rich", "matplotlib.pyplot")

DRAWN = """
import sys
from fastmomentum.cli import app
sys.argv = ["fastmomentum", "plot", *sys.argv[1:]]
try:
    app()
except SystemExit as ended:
    assert not ended.code, ended.code
print([name for name in {heavy} if name in sys.modules])
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("light") / "valley.h5"
    grid = {"lr": [1e-4, 1e-3], "momentum": [0.0, 0.9], "start": [(-1.2, 1), (0, 0)]}
    experiment = fm.Experiment(
        title="A valley", objective="rosenbrock", rule="momentum", steps=50, grid=grid,
        record=fm.Record(every=1),
    )  # fmt: skip
    fm.run(experiment, path).close()
    return path


@pytest.mark.parametrize("kind", ["contour", "surface", "report"])
def test_nothing_heavy_is_loaded_for_a_recorded_path(kind, results, tmp_path) -> None:
    words = [kind, results, "-o", tmp_path / "picture.png", "--lr", "1e-3", "--size", "5x4"]
    done = subprocess.run(
        [sys.executable, "-c", DRAWN.format(heavy=HEAVY), *map(str, words)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("contour", {}),
        ("contour", {"start": (0.0, 0.0), "beside": True, "lr": [1e-4, 1e-3]}),
        ("contour", {"lr": 1e-3, "replay": True}),
        ("surface", {"momentum": 0.9}),
    ],
)
def test_a_page_is_the_same_from_either_kind_of_results(kind, options, results) -> None:
    drawn = []
    with open_stored(results) as stored, fm.open(results) as ds:
        for each in (stored, ds):
            page = getattr(pages, kind)(each, size=(6, 5), **options)
            page.savefig(file := io.BytesIO(), format="png")
            drawn.append((page.said, file.getvalue()))
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("kind", ["contour", "surface"])
def test_leaving_out_the_drawing_for_the_layout_alone_changes_no_pixel(kind, results) -> None:
    with open_stored(results) as stored:
        page, other = (getattr(pages, kind)(stored, size=(6, 5)) for _ in range(2))
    page.savefig(once := io.BytesIO(), format="png")
    with other.in_its_style():
        Figure.savefig(other, twice := io.BytesIO(), format="png")
    assert once.getvalue() == twice.getvalue()


def test_a_report_is_laid_out_the_same_from_either_kind_of_results(results) -> None:
    # Of a report the pixels are no test: once in a while two of the same run differ in some.
    with open_stored(results) as stored, fm.open(results) as ds:
        one, other = (pages.report(each, lr=1e-3, size=(6, 5)) for each in (stored, ds))
        one.savefig(io.BytesIO(), format="png")
        with other.in_its_style():
            Figure.savefig(other, io.BytesIO(), format="png")
    assert one.said == other.said
    for ax, same in zip(one.axes, other.axes, strict=True):
        assert ax.get_position().bounds == pytest.approx(same.get_position().bounds, rel=1e-9)
