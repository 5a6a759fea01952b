"""Pictures: what is drawn where, in which colours, and the scripts around it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.text import Text

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.plots import Run
from fastmomentum.plots.runs import outside
from fastmomentum.status import Status

SCRIPTS = Path(__file__).parents[2] / "experiments"
SQUARE = ((-1.0, 1.0), (-1.0, 1.0))


def make_run(points, status=Status.MAX_STEPS, steps=None, lr=1.5e-5, momentum=0.9) -> Run:
    points = np.array(points, float)
    steps = np.arange(len(points)) if steps is None else np.array(steps)
    return Run(points, steps, lr, momentum, status, int(steps[-1]), 0.5)


def diverging(start=(-1.2, 1.0)) -> Run:
    """A path that reaches the largest doubles, and beyond."""
    sizes = np.array([0.0, 1.0, 3.0, 1e3, 1e20, 1e160, 1.7e308, np.inf, np.nan])
    signs = (-1.0) ** np.arange(sizes.size)
    points = np.array(start) + np.stack([sizes * signs, -0.5 * sizes * signs], axis=1)
    return make_run(points, Status.DIVERGED)


def axes(projection: str | None = None):
    return Figure(figsize=(8, 6)).add_subplot(projection=projection)


# The window


def test_the_window_is_the_usual_box_joined_with_starts_paths_and_minimisers():
    (x0, x1), (y0, y1) = plots.window(fm.Rosenbrock(a=4.0), [make_run([(-5, -5), (0, 7), (1, 1)])])
    assert x0 < -5 < -2 < 2 < 4 < x1
    assert y0 < -5 < 7 < 16 < y1
    assert x0 > -6
    assert y1 < 18


def test_a_diverged_path_does_not_widen_the_window():
    run = diverging(start=(-5.0, -5.0))
    alone = plots.window(fm.Rosenbrock(), [make_run([run.start])])
    assert plots.window(fm.Rosenbrock(), [run]) == alone
    assert np.isfinite(alone).all()


def test_a_far_excursion_does_not_widen_the_window():
    path = [(0, 0), (1e6, 0), (np.inf, np.nan), (1, 1)]
    assert plots.window(fm.Rosenbrock(), [make_run(path)]) == fm.Rosenbrock().box


def test_a_converged_run_is_drawn_whole_where_the_rest_stays_visible():
    far, away = [(0, 0), (9, 0), (1, 1)], [(0, 0), (90, 0), (1, 1)]
    box = fm.Rosenbrock().box
    whole = plots.window(fm.Rosenbrock(), [make_run(far, Status.CONVERGED)])
    assert whole[0][1] > 9
    assert whole[1] == box[1]
    assert outside([make_run(far, Status.CONVERGED)], whole) == ""
    for run in (make_run(far), make_run(away, Status.CONVERGED)):
        assert plots.window(fm.Rosenbrock(), [run]) == box
        assert outside([run], box) == "outside of this picture: 1 of 3 points"
    both = [make_run(far, Status.CONVERGED), make_run(away, Status.CONVERGED)]
    assert plots.window(fm.Rosenbrock(), both) == whole  # the one does not spoil it for the other
    assert outside([*both, diverging()], whole) == "outside of this picture: 1 of 6 points"


# Clipping


def test_what_lies_inside_stays_as_it_is():
    points = np.array([[0.0, 0.0], [0.5, -0.25], [-1.0, 1.0]])
    clipped, source = plots.clip(points, SQUARE)
    np.testing.assert_array_equal(clipped, points)
    assert source.tolist() == [0, 1, 2]


def test_a_path_is_cut_where_it_leaves_and_where_it_comes_back():
    points = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 0.5], [0.0, 0.5], [0.5, 0.5]])
    clipped, source = plots.clip(points, SQUARE)
    expected = [[0, 0], [1, 0], [np.nan, np.nan], [1, 0.5], [0, 0.5], [0.5, 0.5]]
    np.testing.assert_array_equal(clipped, expected)
    assert source.tolist() == [0, -1, -1, -1, 3, 4]


def test_a_segment_that_only_crosses_is_kept():
    clipped, source = plots.clip(np.array([[-3.0, 0.5], [3.0, 0.5]]), SQUARE)
    np.testing.assert_allclose(clipped, [[-1, 0.5], [1, 0.5]])
    assert source.tolist() == [-1, -1]


@pytest.mark.parametrize("points", [[[0.5, 0.5]], [[5.0, 5.0]], [[0, 0], [np.nan, np.nan]]])
def test_paths_without_a_segment_are_clipped_too(points):
    clipped, source = plots.clip(np.array(points, float), SQUARE)
    assert len(clipped) == len(source) <= 1


def test_clipping_agrees_with_a_dense_walk_along_the_path():
    points = np.random.default_rng(0).normal(size=(200, 2)) * 1.5
    clipped, source = plots.clip(points, SQUARE)
    inside = np.all(np.abs(points) <= 1, axis=1)
    np.testing.assert_array_equal(np.flatnonzero(inside), np.sort(source[source >= 0]))
    assert np.nanmax(np.abs(clipped)) <= 1 + 1e-12
    share = np.linspace(0, 1, 4001)[:-1, np.newaxis, np.newaxis] + 0.5 / 4000
    walk = points[:-1] + share * np.diff(points, axis=0)
    length = np.linalg.norm(np.diff(points, axis=0), axis=1)
    expected = np.sum(length * np.all(np.abs(walk) <= 1, axis=2).mean(axis=0))
    drawn = np.nansum(np.linalg.norm(np.diff(clipped, axis=0), axis=1))
    assert drawn == pytest.approx(expected, rel=1e-3)


# The field


@pytest.mark.parametrize(
    ("objective", "is_log"),
    [
        (fm.Rosenbrock(), True),
        (fm.Quadratic(hxx=1.0, hxy=0.0, hyy=1.0), False),
        (fm.Quadratic(hxx=1.0, hxy=0.0, hyy=1e4), True),
        (fm.GoldsteinPrice(), True),
        (fm.Himmelblau(), False),
        (fm.Saddle(), False),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_log_scale_is_used_where_the_range_spans_more_than_three_decades(objective, is_log):
    field = plots.sample(objective, objective.box, points=101)
    assert field.is_log is is_log
    assert isinstance(field.norm, LogNorm if is_log else Normalize)
    assert isinstance(field.norm, LogNorm) is is_log
    assert np.all(np.diff(field.levels) > 0)
    assert field.levels[-1] >= field.values.max()
    assert ("minimum" in field.label) is (objective.name == "goldstein_price")


def test_the_scale_may_be_forced():
    box = fm.Rosenbrock().box
    assert not plots.sample(fm.Rosenbrock(), box, 51, "linear").is_log
    assert plots.sample(fm.Himmelblau(), fm.Himmelblau().box, 51, "log").is_log
    assert not plots.sample(fm.Saddle(), fm.Saddle().box, 51, "log").is_log


def test_the_height_is_finite_at_the_minimum():
    field = plots.sample(fm.Rosenbrock(), fm.Rosenbrock().box, points=51)
    assert field.height(1.0, 1.0) == field.heights[0] == np.log10(field.levels[0])
    assert field.height(-1.0, 1.0) == pytest.approx(np.log10(4.0))


def test_contours_fill_the_window_and_mark_the_minimum():
    field = plots.sample(fm.Rosenbrock(), fm.Rosenbrock().box, points=101)
    ax = axes()
    drawn = plots.contour(ax, field)
    assert isinstance(drawn.filled.norm, LogNorm)
    np.testing.assert_allclose(np.log10(drawn.lines.levels) % 1, 0, atol=1e-9)
    assert drawn.minima.get_xydata().tolist() == [[1.0, 1.0]]
    assert drawn.minima.get_marker() == "*"
    assert (ax.get_xlim(), ax.get_ylim()) == fm.Rosenbrock().box
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x", "y")
    bar = plots.colour_bar(ax, field, drawn.lines)
    assert bar.ax.get_ylabel() == "f(x, y)"
    ticks = bar.get_ticks()
    np.testing.assert_allclose(np.log10(ticks) % 1, 0, atol=1e-9)


def test_axes_are_named_by_the_parameters():
    data = {"num_points": 20, "x_mid": 5, "x_range": 5, "y_weight": 10, "noise_range": 5, "seed": 0}
    objective = fm.MSE(data=data)
    ax = axes()
    field = plots.sample(objective, plots.window(objective), points=51)
    plots.contour(ax, field)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("a", "b")
    assert field.label.startswith("f(a, b)")


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_narrow_window_away_from_the_minimum_is_drawn(scale):
    field = plots.sample(fm.Rosenbrock(), ((-1.3, -1.2), (0.9, 1.0)), 31, scale)
    ax = axes()
    drawn = plots.contour(ax, field)
    assert len(drawn.lines.levels) >= 1
    artists = plots.paths(ax, [make_run([(-1.25, 0.95), (0, 0)]), make_run([(2, 2)])], field)
    assert artists.starts.get_xydata().tolist() == [[-1.25, 0.95]]
    legend = plots.legend(ax.get_figure(), artists, drawn.minima)
    assert legend.get_texts()[-1].get_text().startswith("start; markers")


# Paths


@pytest.fixture(scope="module")
def field() -> plots.Field:
    return plots.sample(fm.Rosenbrock(), fm.Rosenbrock().box, points=61)


def test_paths_are_told_apart_and_named(field):
    runs = [
        make_run([(-1.2, 1.0), (0, 0)]),
        make_run([(-1.2, 1.0), (1, 1)], Status.CONVERGED),
        diverging(),
        make_run([(-1.2, 1.0), (0, 9), (0, 0)], lr=0.25, momentum=0.0),
    ]
    drawn = plots.paths(axes(), runs, field)
    for trait in ("color", "marker", "linestyle"):
        traits = [matplotlib.artist.getp(line, trait) for line in drawn.runs]
        assert len({str(value) for value in traits}) == 4 or trait == "linestyle"
    labels = [line.get_label() for line in drawn.runs]
    assert labels[0] == (
        "lr $1.5\\times10^{-5}$, momentum 0.9, from (\N{MINUS SIGN}1.2, 1): f = 0.5 after 1 step"
    )
    assert labels[1].endswith("converged in 1 step")
    assert labels[2].endswith("diverged at step 8")
    assert labels[3].startswith("lr 0.25, momentum 0, from")
    assert labels[3].endswith("leaves the window")
    assert drawn.starts.get_xydata().tolist() == [[-1.2, 1.0]]
    assert drawn.starts.get_marker() == "o"


def test_a_diverging_path_draws_without_a_warning_inside_finite_limits(field):
    for projection in (None, "3d"):
        ax = axes(projection)
        (plots.surface if projection else plots.contour)(ax, field)
        line = plots.paths(ax, [diverging()], field).runs[0]
        ax.get_figure().canvas.draw()
        assert np.isfinite([ax.get_xlim(), ax.get_ylim()]).all()
        if projection is None:
            inside = line.get_xydata()[np.isfinite(line.get_xydata()).all(axis=1)]
            assert len(inside) > 1
            assert np.all(np.abs(inside) <= 3.0)


def test_markers_stand_at_powers_of_ten_and_at_the_end(field):
    angle = np.linspace(0, 3, 501)
    points = np.stack([np.cos(angle), 1 + np.sin(angle)], axis=1)
    line = plots.paths(axes(), [make_run(points, steps=np.arange(0, 5001, 10))], field).runs[0]
    assert line.get_markevery() == [1, 10, 100, 500]


def test_a_lifted_path_follows_the_surface(field):
    ax = axes("3d")
    plots.surface(ax, field)
    run = make_run([(-1.5, 2.0), (1.5, 2.0)])
    drawn = plots.paths(ax, [run], field)
    seen, hidden = (np.array(line.get_data_3d()) for line in (drawn.runs[0], drawn.hidden[0]))
    assert np.all(np.isnan(seen[0]) ^ np.isnan(hidden[0]))
    x, y, z = np.where(np.isnan(seen), hidden, seen)
    assert len(x) > 50
    np.testing.assert_allclose(z, field.height(x, y))
    assert z.max() > 2.5 > field.height(1.5, 2.0)


def test_the_view_shows_the_minimum_and_the_way_to_it(field):
    run = make_run([(-1.2, 1.0), (-0.5, 0.3), (0.0, 0.0), (0.5, 0.3), (1.0, 1.0)])
    ax = axes("3d")
    drawn = plots.surface(ax, field, [run])
    assert len(drawn.minima.get_data_3d()[0]) == 1
    line = plots.paths(ax, [run], field).runs[0]
    assert np.isfinite(line.get_data_3d()[2]).mean() > 0.7


def test_a_log_surface_has_powers_of_ten_for_ticks(field):
    ax = axes("3d")
    plots.surface(ax, field)
    ax.get_figure().canvas.draw()
    labels = [tick.get_text() for tick in ax.get_zticklabels()]
    assert "$10^{1}$" in labels
    assert ax.get_zlabel() == "f(x, y)"


@pytest.mark.parametrize("name", sorted(set(fm.OBJECTIVES) - {"mse", "quadratic"}))
def test_every_objective_is_drawn_without_a_warning(name):
    objective = fm.OBJECTIVES[name].example()
    runs = [diverging((0.1, 0.2)), make_run([(0.1, 0.2), (0.3, 0.3)])]
    field = plots.sample(objective, plots.window(objective, runs), points=41)
    ax = axes()
    drawn = plots.contour(ax, field)
    plots.colour_bar(ax, field, drawn.lines)
    plots.legend(ax.get_figure(), plots.paths(ax, runs, field), drawn.minima)
    ax.get_figure().draw_without_rendering()
    assert len(drawn.minima.get_xdata()) == len(objective.minimisers)


def test_start_and_end_are_added_where_they_were_not_recorded():
    experiment = fm.Experiment(
        objective=fm.Rosenbrock(), rule="momentum", steps=25,
        grid=fm.Grid(lr=[1e-4], momentum=[0.5], start=[(-1.2, 1.0)]), record={"steps": [10]},
    )  # fmt: skip
    ds = fm.run(experiment)
    run = plots.run_of(fm.select_cell(ds))
    assert run.steps.tolist()[:2] == [0, 10]
    assert run.start == (-1.2, 1.0)
    assert run.steps[-1] == run.n_steps == 25
    np.testing.assert_array_equal(run.points[-1], fm.select_cell(ds)["final"])


# Phase maps


def phases(lr, momentum, status, hit=None) -> xr.Dataset:
    data = {"status": (("lr", "momentum"), np.array(status, np.uint8))}
    coords = {"lr": lr, "momentum": momentum}
    if hit is not None:
        data["hit_step"] = (("lr", "momentum", "target"), np.array(hit, np.int32)[..., None])
        coords["target"] = [1e-8]
    return xr.Dataset(data, coords)


def test_a_phase_map_colours_steps_and_tells_the_rest_by_status():
    lr = np.geomspace(1e-4, 1e-1, 4)
    status = [[3, 3, 3], [1, 1, 1], [1, 1, 2], [2, 2, 2]]
    hit = [[-1, -1, -1], [100, 300, 900], [40, 50, -1], [-1, -1, -1]]
    ax = axes()
    drawn = plots.phase_map(ax, phases(lr, [0.0, 0.5, 0.9], status, hit))
    steps = drawn.steps.get_array()
    np.testing.assert_array_equal(steps.filled(-1), np.array(hit).T)
    assert isinstance(drawn.steps.norm, LogNorm)
    assert drawn.steps.get_rasterized()
    assert drawn.best.get_xydata().tolist() == [[lr[2], 0.0]]
    labels = [patch.get_label() for patch in drawn.legend]
    assert labels == ["diverged (33.3%)", "target not reached (25.0%)"]
    colours = {patch.get_facecolor() for patch in drawn.legend}
    assert len(colours) == 2
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    bar = plots.steps_bar(ax, drawn)
    assert bar is not None
    assert bar.ax.get_ylabel().startswith("steps until f")
    ax.get_figure().canvas.draw()


def test_cells_lie_around_their_values():
    drawn = plots.phase_map(axes(), phases([0.01, 0.1, 1.0], [0.0, 0.5], np.full((3, 2), 2)))
    x, y = drawn.ends.get_coordinates()[0, :, 0], drawn.ends.get_coordinates()[:, 0, 1]
    np.testing.assert_allclose(np.log10(x), [-2.5, -1.5, -0.5, 0.5])
    np.testing.assert_allclose(y, [-0.25, 0.25, 0.75])


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 3), (2, 2)])
def test_small_maps_without_targets_are_drawn_by_status(shape):
    ax = axes()
    status = np.resize([1, 2, 3, 0], shape)
    drawn = plots.phase_map(
        ax, phases(np.geomspace(1e-4, 1, 3)[: shape[0]], np.arange(shape[1]) / 4, status)
    )
    assert drawn.steps is None
    assert plots.steps_bar(ax, drawn) is None
    assert sum(float(p.get_label().split("(")[1][:-2]) for p in drawn.legend) == pytest.approx(
        100, abs=0.2
    )
    assert ax.get_xlim()[0] > 0
    ax.get_figure().canvas.draw()


def test_a_large_map_is_thinned_but_keeps_its_extent_and_its_fastest_cell():
    lr, momentum = np.geomspace(1e-6, 1e-1, 2500), np.linspace(0, 0.99, 3)
    hit = np.full((2500, 3), 500)
    hit[1234, 1] = 7
    drawn = plots.phase_map(axes(), phases(lr, momentum, np.ones((2500, 3)), hit))
    assert max(drawn.steps.get_array().shape) <= plots.MOST_CELLS
    edges = drawn.steps.get_coordinates()[0, :, 0]
    assert edges[0] < lr[0] < lr[-1] < edges[-1]
    assert drawn.best.get_xydata().tolist() == [[lr[1234], momentum[1]]]


# Scripts


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("results") / "rosenbrock.h5"
    experiment = fm.Experiment(
        title="Rosenbrock at 100% of its $price$", objective=fm.Rosenbrock(), rule="momentum",
        steps=300, stop={"targets": [1e-2, 1e-6]}, record={"every": 1},
        grid=fm.Grid(
            lr=[1e-5, 1.5e-5, 1e-3, 1e-2, 0.1], momentum=[0.0, 0.5, 0.9],
            start=[(-5, -5), (-1.2, 1)],
        ),
    )  # fmt: skip
    fm.run(experiment, path)
    return path


@pytest.fixture(scope="module")
def mesh(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("results") / "mesh.h5"
    axis = {"linspace": [-2, 2], "num": 5}
    grid = {"lr": [1e-3, 1e-4], "momentum": [0.0, 0.5], "start": {"x": axis, "y": axis}}
    fm.run(fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=50, grid=grid), path)
    return path


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("plot_contour", ".png"),
        ("plot_contour", ".svg"),
        ("plot_surface", ".svg"),
        ("plot_phase", ".pdf"),
    ],
)
def test_scripts_draw_by_suffix_and_leave_nothing_else(script, results, tmp_path, name, suffix):
    figure = tmp_path / f"figure{suffix}"
    status, out, err = script(name, results, "-o", figure)
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"wrote {figure}"
    assert list(figure.parent.iterdir()) == [figure]
    begins = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}
    assert figure.read_bytes().startswith(begins[suffix])
    assert figure.stat().st_size < 2e6


@pytest.mark.usefixtures("unrendered")
def test_the_nearest_cell_is_taken_and_printed(script, results, tmp_path):
    figure = tmp_path / "figure.png"
    status, out, _ = script(
        "plot_contour", results, "-o", figure, "--lr", "1.4e-5", "--momentum", "0.8", "--start", "0"
    )
    assert status == 0
    assert out.startswith(
        "cell lr=1.5e-05 momentum=0.9 start=(-5, -5): out of steps after 300 steps, f = "
    )


@pytest.mark.usefixtures("unrendered")
def test_lists_are_paired_and_single_values_shared(script, results, tmp_path):
    words = ["--lr", "1e-5", "--lr", "1e-3", "--momentum", "0.5", "--start", "1"]
    words += ["--start", "-5,-4"]
    _, out, _ = script("plot_contour", results, "-o", tmp_path / "f.png", *words)
    cells = [line.split(":")[0] for line in out.splitlines()[:-1]]
    assert cells == [
        "cell lr=1e-05 momentum=0.5 start=(-1.2, 1)",
        "cell lr=0.001 momentum=0.5 start=(-5, -5)",
    ]


@pytest.mark.usefixtures("unrendered")
def test_what_is_left_out_is_the_best(script, results, tmp_path):
    with fm.open(results) as ds:
        column = ds[["status", "final_loss"]].sel(start=1, momentum=0.9).load()
    best = float(column["final_loss"].where(column["status"] == Status.MAX_STEPS).idxmin())
    words = ["--momentum", "0.9", "--start", "1"]
    _, out, _ = script("plot_contour", results, "-o", tmp_path / "f.png", *words)
    assert out.startswith(f"cell lr={best:.6g} momentum=0.9 start=(-1.2, 1)")


@pytest.mark.usefixtures("unrendered")
def test_without_a_choice_telling_cells_are_drawn(script, results, mesh, tmp_path):
    _, out, _ = script("plot_contour", results, "-o", tmp_path / "f.png", "--start", "1")
    lines = out.splitlines()[:-1]
    assert 3 <= len(set(lines)) == len(lines)
    assert sum("momentum=0 " in line for line in lines) >= 1
    assert sum("diverged" in line for line in lines) == 1
    _, out, _ = script("plot_contour", mesh, "-o", tmp_path / "f.png")
    starts = {line.split("start=")[1].split(":")[0] for line in out.splitlines()[:-1]}
    assert starts == {"(-1, -1)", "(-1, 1)", "(1, -1)", "(1, 1)"}


def test_a_replayed_run_is_the_recorded_one(script, results, tmp_path):
    chosen = ["--lr", "1e-3", "--momentum", "0.5", "--start", "1"]
    figures = [tmp_path / name for name in ("recorded.svg", "replayed.svg")]
    script("plot_contour", results, "-o", figures[0], *chosen)
    script("plot_contour", results, "-o", figures[1], *chosen, "--replay")
    assert figures[0].read_bytes() == figures[1].read_bytes()


@pytest.mark.usefixtures("unrendered")
def test_the_window_and_the_target_may_be_chosen(script, results, tmp_path):
    words = ["--window", "-6,6,-6,30", "--scale", "linear"]
    assert script("plot_contour", results, "-o", tmp_path / "f.png", *words)[0] == 0
    words = ["--target", "0.01", "--start", "-1,1"]
    assert script("plot_phase", results, "-o", tmp_path / "g.png", *words)[0] == 0


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["-o", "figure.jpg"], 2, "-o must end in .png, .svg, .pdf: got '.jpg' (figure.jpg)"),
        (["-o", "figure"], 2, "-o must end in .png, .svg, .pdf: got no suffix (figure)"),
        (["--start", "7"], 2, "start must be a number from 0 to 1: got 7"),
        (["--start", "x"], 2, "--start must be a number, or a point X,Y: got 'x'; see --help"),
        (["--lr", "-1"], 2, "lr must be positive"),
        (["--lr", "1", "--lr", "2", "--start", "0", "--start", "1", "--start", "1"], 2, "2, 1, 3"),
        (["--window", "3,1,0,1"], 2, "--window must be X0,X1,Y0,Y1"),
        (["--colour"], 2, "unrecognized arguments: --colour"),
    ],
)
def test_mistakes_are_told_in_a_line(script, results, words, status, message):
    code, out, err = script("plot_contour", results, *words)
    assert code == status
    assert message in err
    assert err.startswith("plot_contour.py: ")
    assert err.count("\n") == 1
    assert "wrote" not in out


def test_files_that_are_none_of_ours_are_told_in_a_line(script, tmp_path):
    code, _, err = script("plot_phase", tmp_path / "missing.h5")
    assert (code, err.count("\n")) == (2, 1)
    foreign = tmp_path / "foreign.h5"
    foreign.write_text("no HDF5")
    code, _, err = script("plot_phase", foreign)
    assert (code, err.count("\n")) == (3, 1)


@pytest.mark.parametrize("target", ["0", "-1", "nan"])
def test_a_target_must_be_positive(script, results, mesh, target):
    code, _, err = script("plot_phase", results, f"--target={target}")
    assert (code, err.count("\n")) == (2, 1)
    assert "must be positive" in err
    code, _, err = script("plot_phase", mesh, "--target=1")
    assert (code, err.count("\n")) == (2, 1)
    assert "has no target" in err


def test_an_unwritable_place_is_told_in_a_line(script, results, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = script("plot_phase", results, "-o", tmp_path / "file" / "figure.png")
    file = tmp_path / "file"
    assert (code, err) == (
        2,
        f"plot_phase.py: {file} is a file, no folder; choose another place for figure.png\n",
    )
    (tmp_path / "a.png").mkdir()
    code, _, err = script("plot_phase", results, "-o", tmp_path / "a.png")
    assert (code, err.count("\n")) == (2, 1)
    assert f"a.png is a folder; name a file in it, such as -o {tmp_path}/a.png/phase.png\n" in err
    assert list((tmp_path / "a.png").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "suffix", "words"),
    [
        ("plot_phase", "png", []),
        ("animate", "gif", []),
        ("plot_cycles", "svg", []),
        ("animate_zoom", "gif", ["--lr", "0.1:0.2", "--momentum", "0.5:0.6"]),
    ],
)
def test_no_folder_is_made_for_a_picture(script, results, tmp_path, name, suffix, words):
    given = [] if name == "plot_cycles" else [results]
    path = tmp_path / "none" / "sub" / f"figure.{suffix}"
    assert script(name, *given, "-o", path, *words)[::2] == (
        2,
        f"{name}.py: {path.parent}: no such folder; make it first, or choose another\n",
    )
    assert list(tmp_path.iterdir()) == []


def test_results_in_a_folder_that_is_missing_are_the_fault_not_their_picture(script, tmp_path):
    path = tmp_path / "none" / "results.h5"
    code, _, err = script("plot_phase", path)
    assert (code, err) == (2, f"plot_phase.py: {path}: no such file\n")


def test_a_disk_that_is_full_is_told_in_a_line(script, results, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", full)
    path = tmp_path / "figure.png"
    code, _, err = script("plot_phase", results, "-o", path)
    assert (code, err) == (
        4,
        f"plot_phase.py: writing {path}: no space left on device; free some space and run again\n",
    )


@pytest.mark.parametrize(
    ("option", "text", "wanted"),
    [
        ("--velocity", "x", "a number, or a point X,Y"),
        ("--velocity", "nan,0", "a number, or a point X,Y"),
        ("--velocity", "1,2,3", "a number, or a point X,Y"),
        ("--start", "1,x", "a number, or a point X,Y"),
        ("--start", "-1,x", "a number, or a point X,Y"),
        ("--window", "1,2", "four numbers X0,X1,Y0,Y1"),
    ],
)
def test_words_that_are_no_numbers_are_told_in_a_line(script, results, option, text, wanted):
    code, _, err = script("plot_contour", results, option, text)
    assert (code, err) == (
        2,
        f"plot_contour.py: {option} must be {wanted}: got {text!r}; see --help\n",
    )


@pytest.mark.parametrize("name", ["plot_contour", "plot_surface", "plot_phase"])
def test_text_is_readable_and_nothing_is_cut_off(script, results, tmp_path, unrendered, name):
    script(name, results, "-o", tmp_path / "f.png", "--start", "1")
    (figure,) = unrendered
    assert all(text.get_fontsize() >= 11 for text in figure.findobj(Text) if text.get_text())
    figure.draw_without_rendering()
    drawn_in = figure.get_tightbbox()
    assert np.all(drawn_in.min >= 0), drawn_in
    assert np.all(drawn_in.max <= figure.get_size_inches()), drawn_in


@pytest.mark.parametrize("name", ["plot_contour", "animate", "animate_zoom"])
def test_an_interruption_while_modules_are_imported_is_told_in_a_line(name, tmp_path):
    """A numpy that is interrupted stands for whatever takes its time."""
    (tmp_path / "numpy.py").write_text("raise KeyboardInterrupt\n")
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, SCRIPTS.parent)))}
    done = subprocess.run(
        [sys.executable, SCRIPTS / f"{name}.py"], env=os.environ | paths, capture_output=True
    )
    assert (done.returncode, done.stderr) == (130, f"{name}.py: interrupted\n".encode())


@pytest.fixture(scope="module")
def small_map(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("map") / "map.h5"
    experiment = fm.Experiment(
        objective=fm.Quadratic(),
        rule="momentum",
        steps=20,
        grid=fm.Grid(lr=[0.01, 0.1, 0.2], momentum=[0.0, 0.5, 0.9], start=[(1, 1)]),
        stop=fm.Stop(targets=[1e-2]),
    )
    fm.run(experiment, path).close()
    return path


@pytest.mark.parametrize(
    ("backend", "script"),
    [
        ("module://matplotlib_inline.backend_inline", "zoom"),
        ("nonsense", "zoom"),
        ("nonsense", "plot_phase"),
        ("nonsense", "animate"),
    ],
)
def test_pictures_in_files_need_no_backend(backend, script, small_map, tmp_path):
    """Notebooks set one for the commands that they start, and it may not be installed here."""
    output = tmp_path / ("out.h5" if script == "zoom" else "out.png")
    words = [str(SCRIPTS / f"{script}.py"), small_map, "-o", output]
    if script == "zoom":
        window = ["--lr", "0.05:0.2", "--momentum", "0:0.5", "--num", "2", "--jobs", "1"]
        words = ["-m", "fastmomentum", "zoom", small_map, "-o", output, *window]
    elif script == "animate":
        words[3:] = [tmp_path / "out.gif", "--frames", "2"]
    done = subprocess.run(
        [sys.executable, *map(str, words)],
        env=os.environ | {"MPLBACKEND": backend, "PYTHONPATH": str(SCRIPTS.parent)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert [file.suffix for file in tmp_path.iterdir() if file.suffix in (".png", ".gif")]


@pytest.mark.parametrize(("backend", "known"), [("svg", True), ("nonsense", False)])
def test_the_library_leaves_the_choice_of_a_backend_to_pyplot(backend, known):
    code = (
        "import fastmomentum as fm; fm.plots; import matplotlib, os, sys\n"
        "print('matplotlib.pyplot' in sys.modules, os.environ['MPLBACKEND'],\n"
        "      dict.__getitem__(matplotlib.rcParams, 'backend') == os.environ['MPLBACKEND'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"MPLBACKEND": backend, "PYTHONPATH": str(SCRIPTS.parent)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == ["False", backend, str(known)], done.stderr
