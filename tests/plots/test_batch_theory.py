"""Theory in pictures of batches: exact where rows are drawn independently, and said where not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots, theory
from fastmomentum.analysis.replaying_seeds import replay_seeds
from fastmomentum.explorer.theory import theory_of
from fastmomentum.explorer.view import first_view
from fastmomentum.plots.pages.settled import UNCOVERED, foretold

SEEDS = 4000
FULL = "stable to the left (theory of the full gradient)"
SQUARE = "stable in the mean square to the left (theory)"


def line(rows: int = 40) -> fm.MSE:
    random = np.random.default_rng(3)
    x = random.uniform(-1.0, 2.0, rows)
    return fm.MSE.from_arrays(x, 2.0 * x + 1.0 + random.standard_normal(rows))


LINE = line()
ROWS = theory.row_terms(LINE).hessians


def cloud(draw: str, size: int, noise: float = 0.0, seeds: int = SEEDS, steps: int = 400) -> Any:
    """Runs of one cell; 400 updates are whole epochs of batches of 1, 8 and 40."""
    return fm.run(
        fm.Experiment(
            objective=LINE,
            rule="momentum",
            steps=steps,
            grid=fm.Grid(lr=0.05, momentum=0.5, start=[tuple(LINE.minimisers[0])], seed=seeds),
            batch={"size": size, "draw": draw},
            noise={"gaussian": noise} if noise else None,
            stop=fm.Stop(bound=False),
        )
    )


def told_and_measured(ds: xr.Dataset) -> tuple[np.ndarray | None, np.ndarray]:
    cell = ds.isel(lr=0, momentum=0, start=0)
    known = foretold(cell, LINE.minimisers[0])
    return None if known is None else known.covariance, np.cov(cell.final.values.T)


@pytest.mark.parametrize(
    ("draw", "size", "noise"),
    [("replacement", 1, 0.0), ("replacement", 8, 0.2), ("shuffle", 40, 0.5)],
)
def test_the_ellipse_is_the_covariance_of_the_runs(draw: str, size: int, noise: float) -> None:
    """A variance of 4,000 runs is good to 2.2% (one standard deviation), heavy tails to twice."""
    told, measured = told_and_measured(cloud(draw, size, noise))
    assert told is not None
    np.testing.assert_allclose(measured, told, atol=0.15 * told.max())
    np.testing.assert_allclose(np.diag(measured), np.diag(told), rtol=0.15)


def test_of_a_shuffled_epoch_no_ellipse_is_drawn() -> None:
    """Taken for independent its batches would tell a variance that is several times too large."""
    size = 8
    ds = cloud("shuffle", size)
    told, measured = told_and_measured(ds)
    assert told is None
    independent = theory.stationary_covariance(
        "momentum", 0.05, 0.5, LINE.hessian(*LINE.minimisers[0]),
        theory.minibatch_covariance(theory.row_terms(LINE).gradients, size, replacement=False),
    )  # fmt: skip
    assert np.trace(independent) > 3.0 * np.trace(measured)
    page = plots.stationary(ds)
    assert page.said[-1] == UNCOVERED
    assert UNCOVERED in page.axes[0].get_title().replace("\n", " ")
    named = [text.get_text() for text in page.legends[0].get_texts()]
    assert not any(text.startswith("theory") for text in named)
    assert UNCOVERED not in plots.stationary(ds, theory=False).said


def test_of_independent_batches_it_is_drawn_and_compared() -> None:
    page = plots.stationary(cloud("replacement", 1))
    named = [text.get_text() for text in page.legends[0].get_texts()]
    assert "theory: 50% and 95%" in named
    assert page.said[-1].startswith("expected loss above the minimum")


def a_map(draw: str, size: int = 1, seeds: Any = 3, objective: Any = LINE) -> xr.Dataset:
    batch = {"batch": {"size": size, "draw": draw}} if draw else {"noise": {"gaussian": 0.1}}
    return fm.run(
        fm.Experiment(
            objective=objective,
            rule="momentum",
            steps=20,
            grid=fm.Grid(
                lr=np.linspace(0.02, 1.2, 9), momentum=np.linspace(0, 0.9, 7), start=[(0, 0)],
                seed=seeds,
            ),
            stop=fm.Stop(targets=[0.5]),
            **batch,
        )
    )  # fmt: skip


def labels(page: Any) -> list[str]:
    return [text.get_text() for text in page.legends[0].get_texts()]


def edge_of(page: Any, label: str) -> np.ndarray:
    (drawn,) = [one for one in page.axes[0].lines if one.get_label() == label]
    return np.asarray(drawn.get_xydata())


@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("seeds", [None, "share", "mean"])
def test_the_edge_that_is_drawn_is_where_the_mean_square_ceases_to_shrink(
    size: int, seeds: Any
) -> None:
    page = plots.phase(a_map("replacement", size), seeds=seeds)
    edge = edge_of(page, SQUARE)
    inner = edge[(edge[:, 1] >= 0.0) & (edge[:, 1] < 0.95)]
    radius = theory.mean_square_radius("momentum", inner[:, 0], inner[:, 1], ROWS, size)
    np.testing.assert_allclose(radius, 1.0, rtol=1e-8)
    middle = 0.5 * (inner[1:] + inner[:-1])  # between two corners of the line
    radius = theory.mean_square_radius("momentum", *middle.T, ROWS, size)
    np.testing.assert_allclose(radius, 1.0, atol=2e-3)
    assert SQUARE in labels(page)
    others = [label for label in labels(page) if "theory" in label and label != SQUARE]
    assert others
    assert all("of the full gradient" in label for label in others)


def test_the_reviewed_case_lies_where_runs_cease_to_settle() -> None:
    edge = edge_of(plots.phase(a_map("replacement"), seeds="share"), SQUARE)
    at_half = np.interp(0.5, edge[:, 1], edge[:, 0])
    full = float(theory.largest_stable_lr(LINE, "momentum", 0.5))
    assert at_half < 0.6 * full
    ends = {}
    for share in (0.7, 1.5):  # of the edge, both well below that of the full gradient
        ds = fm.run(
            fm.Experiment(
                objective=LINE, rule="momentum", steps=400, stop=fm.Stop(bound=False),
                grid=fm.Grid(lr=share * at_half, momentum=0.5, start=[(0, 0)], seed=2000),
                batch={"size": 1, "draw": "replacement"},
            )
        )  # fmt: skip
        ends[share] = fm.analysis.over_seeds(ds).final_loss_mean.item()
    assert ends[0.7] < 20.0 * LINE.f_min
    assert ends[1.5] > 100.0 * ends[0.7]


@pytest.mark.parametrize("seeds", [None, "share"])
def test_of_a_shuffled_epoch_the_edge_is_said_to_be_that_of_the_full_gradient(seeds: Any) -> None:
    page = plots.phase(a_map("shuffle", 4), seeds=seeds)
    edge = edge_of(page, FULL)
    full = theory.largest_stable_lr(LINE, "momentum", np.maximum(edge[:, 1], 0.0))
    np.testing.assert_allclose(edge[:, 0], full)
    assert FULL in labels(page)


def test_all_rows_in_one_batch_and_added_noise_change_no_edge() -> None:
    plain = "stable to the left (theory)"
    assert plain in labels(plots.phase(a_map("shuffle", 40), seeds="share"))
    assert plain in labels(plots.phase(a_map(""), seeds="share"))
    assert "full gradient" not in " ".join(plots.phase(a_map("shuffle", 40)).said)


def test_without_the_rows_the_edge_is_that_of_the_full_gradient() -> None:
    ds = a_map("replacement").drop_vars(["data_x", "data_y"])
    page = plots.phase(ds, seeds="share")
    assert FULL in labels(page)


def test_what_is_foretold_is_said_to_be_of_the_full_gradient() -> None:
    page = plots.phase(a_map("replacement"), show="status", beside=True)
    assert any(one.startswith("theory of the full gradient at the minimum") for one in page.said)
    assert any(ax.get_title().startswith("theory of the full gradient, at (") for ax in page.axes)


@pytest.mark.parametrize("beside", [False, True])
def test_so_is_the_rate_of_a_single_run(beside: bool) -> None:
    """Below the edge in the mean square, a run with batches falls to its noise and no further."""
    for draw, size, of in (("replacement", 8, " of the full gradient"), ("shuffle", 40, "")):
        plan = fm.Experiment(
            objective=LINE, rule="momentum", steps=100, batch={"size": size, "draw": draw},
            grid=fm.Grid(lr=[0.02, 0.1], momentum=0.0, start=[(0, 0)]),
        )  # fmt: skip
        page = plots.loss(fm.run(plan), lr=[0.02, 0.1], beside=beside)
        told = f"as fast as theory{of} at the minimum predicts"
        assert told in [text.get_text() for each in page.legends for text in each.get_texts()]


def test_other_maps_have_the_same_edge(tmp_path: Path) -> None:
    ds = a_map("replacement")
    one = ds.isel(seed=0)
    named = [label for label in labels(plots.duel(one, one, names=("a", "b"))) if "stable" in label]
    assert named == [f"a: {SQUARE}", f"b: {SQUARE}"]
    plots.save_phase_map(one.isel(start=0), tmp_path / "map.svg")
    assert "mean square" in (tmp_path / "map.svg").read_text(encoding="utf-8")


def test_an_edge_outside_of_the_picture_is_named() -> None:
    ax = Figure().add_subplot(xlim=(1e-4, 1e-3), ylim=(0.0, 0.5))
    batch = fm.Batch(size=1, draw="replacement")
    drawn = plots.theory_lines(ax, LINE, "momentum", batch=batch)
    assert "edge of stability in the mean square (theory)" in drawn.outside
    drawn = plots.theory_lines(ax, LINE, "momentum", batch=fm.Batch(size=1))
    assert "edge of stability (theory of the full gradient)" in drawn.outside
    with pytest.raises(fm.InputError, match=r"batch must be one such as fm\.Batch\(size=8\): got"):
        plots.theory_lines(ax, LINE, "momentum", batch={"size": 1})


@pytest.mark.parametrize(
    ("batch", "edge", "rest"),
    [
        ({"size": 1, "draw": "replacement"}, SQUARE, " of the full gradient"),
        ({"size": 1}, FULL, " of the full gradient"),
        (None, "stable to the left (theory)", ""),
    ],
)
def test_the_explorer_says_which_theory_it_draws(batch: Any, edge: str, rest: str) -> None:
    view = first_view(LINE)
    if batch is not None:
        view = view.changed(others={"batch": batch})
    found = theory_of(view)
    words = dict(found.words)
    assert words["solid"] == edge
    assert words["dashed"].endswith(f"(theory{rest})")
    assert words["diamond"].startswith(f"best in theory{rest} at ")
    if edge == SQUARE:
        assert found.lines is not None
        assert found.lines.stability is not None
        lr, momentum = np.asarray(found.lines.stability.get_xydata()[:-5]).T
        radius = theory.mean_square_radius("momentum", lr, momentum, ROWS, 1)
        np.testing.assert_allclose(radius, 1.0, rtol=1e-8)


@pytest.mark.parametrize(("draw", "size"), [("replacement", 1), ("shuffle", 40)])
def test_bands_have_the_mean_that_theory_expects(draw: str, size: int) -> None:
    ds = fm.run(
        fm.Experiment(
            objective=LINE, rule="momentum", steps=200, batch={"size": size, "draw": draw},
            grid=fm.Grid(lr=0.05, momentum=0.5, start=[(0, 0)], seed=500),
            noise={"gaussian": 0.3},
        )
    )  # fmt: skip
    page = plots.loss(ds, bands=True)
    (drawn,) = [one for one in page.axes[0].lines if "theory" in str(one.get_label())]
    steps, told = np.asarray(drawn.get_xydata()).T
    measured = fm.analysis.over_seeds(replay_seeds(ds)).loss_mean - LINE.f_min
    at = measured.sel(step=steps[::20].astype(int)).values
    np.testing.assert_allclose(at, told[::20], rtol=0.25)  # of 500 seeds, with heavy tails
    assert "mean that theory expects" in labels(page)


def test_of_a_shuffled_epoch_bands_have_no_such_mean() -> None:
    page = plots.loss(cloud("shuffle", 8, seeds=20, steps=50), bands=True)
    assert not any("theory" in label for label in labels(page))
