"""What is measured from one point of a valley's floor is said to be."""

from __future__ import annotations

import warnings

import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum.errors import FastmomentumWarning

MANY = "one of many minima"
CELL = {"lr": 0.05, "momentum": 0.5, "start": (1.0, 1.5)}


def run(formula: str, **given: object) -> xr.Dataset:
    return fm.run(
        fm.Experiment(
            objective=fm.Formula(formula, **given),  # type: ignore[arg-type]  # keys by name
            rule="momentum",
            steps=300,
            grid=fm.Grid(
                lr=[0.01, 0.05], momentum=0.5, start=fm.Mesh(x=[-1.5, 1.0], y=[-1.0, 1.5])
            ),
            record={"every": 1},
            stop=fm.Stop(targets=[1e-8]),
        )
    )


@pytest.fixture(scope="module")
def ring() -> xr.Dataset:
    return run("(x^2 + y^2 - 1)^2")


def test_basins_and_distances_warn_once(ring: xr.Dataset) -> None:
    line = r"^\(x\^2 \+ y\^2 - 1\)\^2: the minimisers are not isolated but a valley's floor"
    with pytest.warns(FastmomentumWarning, match=line + ".*; basins are those of th") as caught:
        basins = fm.analysis.basin(ring)
    assert [one.filename for one in caught] == [__file__]
    assert (basins == -1).any()
    with pytest.warns(FastmomentumWarning, match=line + ".*; distances are those from th"):
        away = fm.analysis.distance(ring)
    assert away.attrs["long_name"] == "distance from one of many minimisers"


def test_the_loss_and_targets_need_no_warning(ring: xr.Dataset) -> None:
    assert (ring.hit_step >= 0).all()
    assert float(fm.analysis.excess(ring).min()) >= 0.0
    assert (fm.analysis.fraction_converged(ring) == 1.0).all()


def test_pictures_of_distances_say_from_what(ring: xr.Dataset) -> None:
    report = fm.plots.report(ring, **CELL)
    (title,) = (t for ax in report.axes if (t := ax.get_title("left")).startswith("Squared"))
    assert title == f"Squared distance to {MANY}"
    assert MANY in [text.get_text() for one in report.legends for text in one.get_texts()]
    axes = fm.plots.loss(ring, show="distance", **CELL).axes[0]
    assert axes.get_ylabel() == f"distance from {MANY}"
    page = fm.plots.loss(ring, **CELL)
    assert "minimum" in page.axes[0].get_ylabel()
    assert len(page.axes[0].lines) == 1  # no line of theory, whose rate would be 1


def test_a_map_of_basins_says_so(ring: xr.Dataset) -> None:
    with pytest.warns(FastmomentumWarning, match="not isolated"):
        page = fm.plots.basins(ring, lr=0.05, momentum=0.5)
    labels = [text.get_text() for one in page.legends for text in one.get_texts()]
    assert any(label.startswith(f"{MANY}, at (") for label in labels)


def test_a_single_minimum_is_told_as_before() -> None:
    bowl = run("x^2 + 2*y^2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (fm.analysis.basin(bowl) == 0).all()
        assert fm.analysis.distance(bowl).attrs["long_name"].endswith("nearest minimiser")
    axes = fm.plots.loss(bowl, show="distance", **CELL).axes[0]
    assert axes.get_ylabel() == "distance from the nearest minimum"
    report = fm.plots.report(bowl, **CELL)
    titles = [ax.get_title("left") for ax in report.axes]
    assert "Squared distance to (0, 0)" in titles
