"""The page of batches of several sizes: measured over theory, and what is no such results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum.cli import app
from fastmomentum.plots import pages

X = np.array([-1.5, -1.0, -0.5, 0.5, 1.0, 1.5])
LINE = fm.MSE.from_arrays(X, 2.0 * X + 1.0 + np.array([0.3, -0.2, 0.1, -0.4, 0.2, 0.1]))


def results(batch: dict[str, Any], path: Path | None = None, seed: Any = 60) -> xr.Dataset:
    grid = fm.Grid(lr=[1e-12, 0.01, 0.02], momentum=0.5, start=[(0, 0)], seed=seed)
    plan = fm.Experiment(objective=LINE, rule="momentum", steps=1500, batch=batch, grid=grid)
    return fm.run(plan, path)


def drawn(size: int) -> dict[str, Any]:
    return {"size": size, "draw": "replacement"}


def test_what_was_measured_is_what_theory_says(tmp_path: Path) -> None:
    for size in (1, 2):
        results(drawn(size), tmp_path / f"b{size}.h5").close()
    whole = {"size": 6, "draw": "shuffle"}
    results(whole, tmp_path / "all.h5", seed=1).close()
    first, *others = [str(tmp_path / f"{name}.h5") for name in ("all", "b1", "b2")]
    words = ["plot", "batches", first, "-o", str(tmp_path / "b.png"), *others, "--lr", "0.02"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    said = done.output.split()
    assert " in 4 settings, " in done.output  # of the tiny learning rate no run has settled
    assert float(said[said.index("difference") + 1].rstrip("%")) < 30.0  # of 60 seeds each
    assert (tmp_path / "b.png").stat().st_size > 10_000


def test_the_legend_names_each_size_and_the_bands_are_of_the_lr_asked_for() -> None:
    page = pages.batches(results(drawn(1)), results(drawn(2)), lr=0.02)
    named = {text.get_text() for text in page.legends[0].get_texts()}
    assert {"batch of 1, measured", "batch of 1, theory", "batch of 2, measured"} <= named
    assert page.axes[0].get_title().startswith("lr 0.02: ")


def test_what_has_no_batches_gets_a_line() -> None:
    noisy = fm.Experiment(
        objective="rosenbrock", rule="momentum", steps=5, noise={"gaussian": 0.1},
        grid=fm.Grid(lr=1e-4, momentum=0.9, start=[(0, 0)], seed=2),
    )  # fmt: skip
    with pytest.raises(
        fm.InputError, match="batches are drawn from the rows of an mse: got rosenbrock"
    ):
        pages.batches(fm.run(noisy))
    short = results(drawn(1)).isel(lr=[0])
    with pytest.raises(fm.InputError, match="and no cell of these results qualifies"):
        pages.batches(short)
