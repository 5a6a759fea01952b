"""Means, spreads and quantiles over seeds, and the pictures that draw them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum.analysis.replaying_seeds import replay_seeds
from fastmomentum.plots import bands, cloud, ellipse, seed_map
from tests.helpers import LINE_X, LINE_Y


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    """Some cells converge in all seeds, some in none, some in a part; some diverge."""
    return fm.run(
        fm.Experiment(
            objective=fm.Quadratic(1.0, 0.3, 10.0),
            rule="momentum",
            steps=200,
            grid=fm.Grid(
                lr=np.geomspace(1e-3, 0.5, 6), momentum=[0.0, 0.5, 0.9], start=[(1, 1)], seed=40
            ),
            noise={"gaussian": 0.3},
            stop=fm.Stop(targets=[1.0, 1e-3], bound=1e6),
        )
    )


def test_against_numpy(ds: xr.Dataset) -> None:
    found = fm.analysis.over_seeds(ds)
    final = ds.final_loss.values
    np.testing.assert_allclose(found.final_loss_mean, final.mean(axis=0))
    np.testing.assert_allclose(found.final_loss_spread, final.std(axis=0, ddof=1))
    np.testing.assert_allclose(
        found.final_loss_quantile, np.quantile(final, found["quantile"], axis=0)
    )
    status = ds.status.values
    np.testing.assert_array_equal(found.share_diverged, (status == fm.Status.DIVERGED).mean(axis=0))
    np.testing.assert_array_equal(found.share_converged, (status == fm.Status.CONVERGED).mean(0))
    assert "seed" not in found.dims
    assert fm.experiment_of(found) == fm.experiment_of(ds)


def test_hitting_times(ds: xr.Dataset) -> None:
    found, hit = fm.analysis.over_seeds(ds), ds.hit_step.values
    np.testing.assert_array_equal(found.hit_share, (hit >= 0).mean(axis=0))
    share = found.hit_share.values
    assert ((share > 0) & (share < 1)).any()
    assert (share == 0).any()
    median = found.hit_step_quantile.sel(quantile=0.5).values
    assert np.isinf(median[share < 0.5]).all()
    assert np.isfinite(median[share > 0.5]).all()
    one = np.argwhere(share == 1.0)[0]
    np.testing.assert_allclose(median[tuple(one)], np.median(hit[(slice(None), *one)]))
    assert np.isnan(found.hit_step_mean.values[share == 0]).all()


def test_a_loss_that_is_no_number_counts_as_infinite(ds: xr.Dataset) -> None:
    some = ds.isel(lr=[0], momentum=[0]).copy(deep=True)
    some.final_loss[:30] = np.nan
    found = fm.analysis.over_seeds(some)
    assert np.isinf(found.final_loss_mean).all()
    assert np.isinf(found.final_loss_quantile.sel(quantile=0.5)).all()
    assert np.isfinite(found.final_loss_quantile.sel(quantile=0.05)).all()


def test_what_makes_no_sense_is_a_line(ds: xr.Dataset) -> None:
    with pytest.raises(fm.InputError, match="there are no seeds to average over"):
        fm.analysis.over_seeds(ds.isel(seed=0))
    with pytest.raises(fm.InputError, match="quantiles must lie from 0 to 1"):
        fm.analysis.over_seeds(ds, [0.5, 1.5])
    with pytest.raises(fm.InputError, match="all seeds are run; take it out"):
        replay_seeds(ds, at={"seed": 3})


def test_a_cell_is_run_again_for_all_seeds(ds: xr.Dataset) -> None:
    some = replay_seeds(ds, lr=0.1, momentum=0.5, most=7)
    cell = fm.select_cell(ds, lr=0.1, momentum=0.5)
    told = ds.sel(lr=cell.lr.item(), momentum=cell.momentum.item()).isel(start=0, seed=slice(0, 7))
    assert some.final.values.tobytes() == told.final.values.tobytes()


@pytest.mark.parametrize("measure", ["mean", "share"])
def test_maps(ds: xr.Dataset, measure: Any) -> None:
    page = fm.plots.phase(ds, seeds=measure)
    assert page.said[0].endswith("40 seeds")
    found = fm.analysis.over_seeds(ds.isel(start=0)).isel(target=-1)
    drawn = seed_map(Figure().add_subplot(), found, measure)
    name = "hit_share" if measure == "share" else "final_loss_mean"
    values = np.ma.filled(drawn.cells.get_array(), np.nan).reshape(3, 6)
    told = found[name].transpose("momentum", "lr").values
    shown = np.isfinite(values)
    np.testing.assert_array_equal(values[shown], told[shown])
    assert shown.sum() > 9
    with pytest.raises(fm.InputError, match="leave one out"):
        fm.plots.phase(ds, seeds=measure, at={"seed": 3})
    with pytest.raises(fm.InputError, match="no seeds to go over"):
        fm.plots.phase(ds.isel(seed=0), seeds=measure)


def test_bands_hold_what_they_say(ds: xr.Dataset) -> None:
    page = fm.plots.loss(ds, lr=0.02, momentum=[0.0, 0.9], bands=True)
    ax = page.axes[0]
    labels = [str(line.get_label()) for line in ax.lines]
    assert [label.split(",")[1] for label in labels[:2]] == [" momentum 0", " momentum 0.9"]
    cell = replay_seeds(ds, lr=0.02, momentum=0.0)
    quantiles = fm.analysis.over_seeds(cell).loss_quantile
    drawn = bands(Figure().add_subplot(), [quantiles], ["one"])
    middle = np.asarray(drawn.medians[0].get_ydata())
    np.testing.assert_array_equal(middle, quantiles.sel(quantile=0.5))
    with pytest.raises(fm.InputError, match=r"the quantile 0\.25 is not there"):
        bands(Figure().add_subplot(), [quantiles.sel(quantile=[0.5, 0.05, 0.95])], ["one"])


def test_the_ellipse_holds_its_share() -> None:
    """Of 100,000 points, 95% lie within to 0.07% (one standard deviation)."""
    covariance = np.array([[2.0, 0.7], [0.7, 0.5]])
    points = np.random.default_rng(5).multivariate_normal([0, 0], covariance, 100_000)
    for share in (0.5, 0.95):
        x, y = ellipse(covariance, share)
        edge = np.einsum("in,ij,jn->n", [x, y], np.linalg.inv(covariance), [x, y])
        np.testing.assert_allclose(edge, edge[0])
        inside = np.einsum("ni,ij,nj->n", points, np.linalg.inv(covariance), points) <= edge[0]
        assert abs(inside.mean() - share) < 0.008


def test_the_cloud_and_theory_agree() -> None:
    ds = fm.run(
        fm.Experiment(
            objective=fm.Quadratic(1.0, 0.3, 10.0),
            rule="nesterov",
            steps=300,
            grid=fm.Grid(lr=[0.02, 0.05], momentum=[0.5, 0.8], start=[(1, 1)], seed=5000),
            noise={"gaussian": 0.3},
            stop=fm.Stop(bound=False),
        )
    )
    page = fm.plots.stationary(ds, lr=0.05, momentum=0.8)
    share = float(page.said[1].partition("%")[0])
    assert abs(share - 95.0) < 5 * 0.31  # five standard deviations of 5,000 seeds
    words = page.said[2].split()
    told, measured = float(words[5].rstrip(",")), float(words[7])
    assert abs(measured - told) < 0.07 * told
    with pytest.raises(fm.InputError, match="a cloud is drawn over seeds"):
        fm.plots.stationary(ds.isel(seed=0))
    assert len(page.said) == 3
    met = ds.status.where(ds.seed >= 7, fm.Status.CONVERGED)
    warned = fm.plots.stationary(ds.assign(status=met), lr=0.05, momentum=0.8)
    assert warned.said[3].startswith("7 runs ended where they met the last target: ")
    assert "7 runs ended" in warned.axes[0].get_title()


@pytest.mark.parametrize("draw", ["shuffle", "replacement"])
def test_the_cloud_of_batches(draw: str) -> None:
    ds = fm.run(
        fm.Experiment(
            objective=fm.MSE.from_arrays(LINE_X, LINE_Y),
            rule="momentum",
            steps=400,
            grid=fm.Grid(lr=0.002, momentum=0.5, start=[(1, 1)], seed=50),
            batch={"size": 2, "draw": draw},
            noise={"gaussian": 0.1},
        )
    )
    assert fm.plots.stationary(ds).axes[0].get_xlabel() == "a"


def test_points_make_no_cloud() -> None:
    with pytest.raises(fm.InputError, match="points must have the shape"):
        cloud(Figure().add_subplot(), np.zeros((1, 2)))
    with pytest.raises(fm.InputError, match="share must lie between 0 and 1"):
        ellipse(np.eye(2), 1.0)


def test_commands(ds: xr.Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fastmomentum.cli.pictures import draw

    path = tmp_path / "noisy.h5"
    fm.run(fm.experiment_of(ds), path).close()
    for words in (
        ["phase", "--seeds", "share"],
        ["stationary", "--lr", "0.02"],
        ["loss", "--bands", "--lr", "0.02", "--momentum", "0.5"],
        ["phase", "--at", "seed=3"],
    ):
        kind, *options = words
        draw(kind, [str(path), "-o", str(tmp_path / f"{kind}.png"), *options])
        assert f"wrote {tmp_path / kind}.png" in capsys.readouterr().out
        assert (tmp_path / f"{kind}.png").stat().st_size > 10_000
