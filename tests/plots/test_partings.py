"""Panels that show where theory and map part."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    grid = fm.Grid(
        lr=np.geomspace(1e-3, 8e-3, 30), momentum=np.linspace(0.5, 0.95, 12), start=[(-1.2, 1.0)]
    )
    stop = fm.Stop(targets=[1e-8])
    return fm.run(
        fm.Experiment(objective="rosenbrock", rule="momentum", steps=3000, grid=grid, stop=stop)
    )


def test_shares_in_the_legend_are_those_of_the_map(ds: xr.Dataset) -> None:
    found = fm.analysis.foretold(ds.isel(start=0))
    legend = plots.parting_map(Figure().add_subplot(), found.partings)
    part = float((found.partings == fm.analysis.Parting.ONLY_DIVERGED).mean())
    assert f"diverged, where theory is stable ({part:.1%})" in [p.get_label() for p in legend]
    assert len(legend) == 4


def test_the_page_has_theory_beside_the_map(ds: xr.Dataset) -> None:
    page = plots.pages.phase(ds, beside=True)
    panels = [ax for ax in page.axes if ax.get_xlabel() == "learning rate"]
    assert len(panels) == 2
    said = [text.get_text() for text in page.legends[0].get_texts()]
    assert any(text.startswith("did not diverge, where theory is unstable") for text in said)
    drawn = np.asarray(panels[1].collections[0].get_array())
    found = fm.analysis.foretold(ds.isel(start=0))
    assert np.array_equal(drawn, found.partings.transpose("momentum", "lr").values)


def test_rates_have_a_panel_of_their_ratio(ds: xr.Dataset) -> None:
    page = plots.pages.phase(ds, show="rate", beside=True)
    panels = [ax for ax in page.axes if ax.get_xlabel() == "learning rate"]
    assert [ax.get_title() for ax in panels[1:]] == [
        "predicted by theory, at (1, 1)",
        "how far they part",
    ]
    measured = fm.analysis.measured_rate(ds.isel(start=0))
    clear = measured.rate.where(measured.r_squared >= 0.99)
    ratio = fm.analysis.gap_ratio(clear, fm.analysis.predicted_rate(ds.isel(start=0)))
    drawn = np.ma.filled(panels[2].collections[0].get_array(), np.nan)
    want = ratio.transpose("momentum", "lr").values
    assert np.isfinite(want).sum() > 50
    np.testing.assert_array_equal(drawn, want)
    bare = Figure().add_subplot()
    assert plots.ratio_map(bare, xr.full_like(ratio, np.nan)) is None


def test_beside_is_over_learning_rate_and_momentum(ds: xr.Dataset) -> None:
    with pytest.raises(fm.InputError, match="--beside is drawn over lr and momentum"):
        plots.pages.phase(ds, y="start", beside=True)
    with pytest.raises(fm.InputError, match="select one"):
        plots.parting_map(Figure().add_subplot(), fm.analysis.foretold(ds).partings)
