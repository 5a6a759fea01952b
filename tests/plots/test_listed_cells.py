"""Every page, command and table takes a grid that lists cells, or says in a line what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum.cli import app
from fastmomentum.plots import pages

ROSENBROCK = {
    "objective": "rosenbrock",
    "rule": "momentum",
    "steps": 1000,
    "stop": fm.Stop(targets=[1e-8], bound=1e6),
}
"""As in the tests of refinement, so that nothing more is compiled."""

MAP = {
    "lr": {"logspace": [1e-4, 1e-2], "num": 9},
    "momentum": {"linspace": [0.3, 0.999], "num": 9},
}


def run(grid: dict[str, Any], path: Path | None = None) -> xr.Dataset:
    plan = fm.Experiment(grid=fm.Grid(**grid), **ROSENBROCK)
    return fm.run(plan) if path is None else fm.run(plan, path)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("listed")
    found = {name: folder / f"{name}.h5" for name in ("map", "fine", "finer", "mesh")}
    ds = run(MAP | {"start": [(-1.2, 1.0)]}, found["map"])
    fm.analysis.refine(ds, found["fine"], levels=2, sample=0)
    fm.analysis.refine(ds, found["finer"], levels=3, sample=0)
    mesh = {"start": {"x": [-1.0, 0.0, 1.0], "y": [0.0, 1.0]}, "cells": [20, 40, 44]}
    run(MAP | mesh, found["mesh"]).close()
    return found


def called(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*map(str, words)])
    return done.exit_code, done.output


@pytest.mark.parametrize(
    "words",
    [
        ("plot", "contour"),
        ("plot", "contour", "--lr", "1e-3"),
        ("plot", "contour", "--momentum", "0.9", "--momentum", "0.3", "--beside"),
        ("plot", "surface"),
        ("plot", "report"),
        ("plot", "loss", "--show", "distance"),
        ("plot", "phase"),
        ("plot", "phase", "--beside"),
        ("plot", "refined", "--start", "0"),
        ("animate", "--frames", "2", "--size", "6x5"),
    ],
    ids=" ".join,
)
def test_a_refined_map_is_drawn(words, files, tmp_path) -> None:
    path = tmp_path / ("x.gif" if words[0] == "animate" else "x.png")
    place = 1 if words[0] == "animate" else 2
    code, said = called(*words[:place], files["fine"], "-o", path, *words[place:])
    assert code == 0, said
    assert path.stat().st_size > 5_000
    if words[-1] == "--beside" and "phase" in words:
        cells = fm.open(files["fine"]).sizes["cell"]
        assert said.startswith(f"{cells:,} cells of 33 x 33 were run\n")
        assert "of the cells whether they diverge" in said


def test_telling_cells_are_those_of_the_same_settings_as_a_whole_grid(tmp_path) -> None:
    """A list of all cells and the grid itself give the same runs, in the same order."""
    whole = run(MAP | {"start": [(-1.2, 1.0)]})
    listed = run(MAP | {"start": [(-1.2, 1.0)], "cells": list(range(81))})
    asked: list[dict[str, Any]] = [{}, {"lr": 2e-3}, {"momentum": 0.9}, {"lr": [1e-3, 5e-3]}]
    for which in asked:
        assert pages.loss(listed, **which).said == pages.loss(whole, **which).said
    assert len(pages.loss(whole).said) > 2
    assert pages.report(listed).said == pages.report(whole).said


def test_one_cell_of_a_list_is_drawn(files) -> None:
    with fm.open(files["fine"]) as ds:
        one = ds.isel(cell=7)
        assert f"lr={one.lr.item():.6g} " in pages.contour(one).said[0]
        with pytest.raises(fm.InputError, match="take all that refine wrote"):
            pages.phase(one)
        with pytest.raises(fm.InputError, match="take all that refine wrote"):
            pages.refined(ds.isel(cell=slice(0, 30)))


def test_basins_of_a_listed_cell(files, tmp_path) -> None:
    code, said = called("plot", "basins", files["mesh"], "-o", tmp_path / "b.png", "--lr", "1e-3")
    assert code == 0, said
    grid = fm.Grid(**MAP, start=[(0, 0)])
    assert f"lr={grid.lr.points[4]:.6g} momentum={grid.momenta[4]:.6g}" in said
    for words in (("--over", "lr"), ("--lr", "1e-3", "--lr", "2e-3")):
        code, said = called("plot", "basins", files["mesh"], *words, "-o", tmp_path / "b.png")
        assert code == 2
        assert "these results list cells of lr and momentum, and one of them is drawn" in said
    code, said = called("plot", "basins", files["fine"], "-o", tmp_path / "b.png")
    assert code == 2
    assert "give the grid a mesh, such as start = { x = " in said


def test_a_duel_of_refined_maps(files) -> None:
    with fm.open(files["fine"]) as ds, fm.open(files["map"]) as coarse:
        page = pages.duel(ds, ds, names=("one", "other"))
        n = ds.sizes["cell"]
        assert page.said[-2:] == [f"{k}: {n:,} cells of 33 x 33 were run" for k in ("one", "other")]
        long = pages.duel(ds, ds, names=("a file of some length", "another of such length"))
        said = [ax.get_ylabel() for ax in long.axes]
        assert any("another of such length sooner, a file of some length sooner" in x for x in said)
        assert not any("\n" in ax.get_ylabel() for ax in page.axes)
        for other in (coarse, fm.open(files["finer"])):
            with pytest.raises(fm.InputError, match="refine both, of the same grid and to the"):
                pages.duel(ds, other)
            with pytest.raises(fm.InputError, match="refine both, of the same grid and to the"):
                pages.duel(other, ds)


def test_axes_of_ones_own_say_what_draws_a_list(files) -> None:
    with fm.open(files["fine"]) as ds:
        for draw in (fm.plots.phase_map, fm.plots.status_map):
            with pytest.raises(fm.InputError, match=r"draw them with fm\.plots\.phase or"):
                draw(Figure().add_subplot(), ds.isel(start=0))


def test_a_table_of_a_list_is_chosen_by_settings(files, tmp_path) -> None:
    with fm.open(files["fine"]) as ds:
        path = tmp_path / "t.csv"
        made = fm.export(ds, path, lr=1e-3, momentum=0.9, overwrite=True)
        cell = fm.select_cell(ds, lr=1e-3, momentum=0.9)
        assert made.rows == 1
        assert pd.read_csv(path).lr.tolist() == [cell.lr.item()]
        for name, asked in (("lr", 1e-3), ("momentum", 0.9)):
            made = fm.export(ds, path, overwrite=True, **{name: asked})
            value = fm.select_cell(ds, **{name: asked})[name].item()
            assert made.said == [f"at {name} {value:.6g}"]
            assert made.rows == np.sum(ds[name].values == value) > 1
            assert set(pd.read_csv(path)[name]) == {value}
        made = fm.export(ds, path, lr=1e-3, momentum=0.9, trajectory=True, overwrite=True)
        assert made.rows == int(cell.n_steps) + 1
        with pytest.raises(fm.InputError, match="lr must be positive: got -1"):
            fm.export(ds, path, lr=-1, overwrite=True)
    code, said = called("export", files["fine"], "-o", path, "--lr", "1e-3", "--momentum", "0.9",
                        "--overwrite")  # fmt: skip
    assert code == 0
    assert ": 1 row, " in said


def test_basins_use_the_width_of_a_page() -> None:
    from fastmomentum.plots.pages.starts import _columns

    assert [_columns(n, None) for n in (1, 2, 3, 4, 6)] == [1, 2, 2, 2, 3]
    assert [_columns(4, size) for size in ((16, 5), (8, 8), (4, 12))] == [4, 2, 1]
    assert _columns(6, (16, 9)) == 3
