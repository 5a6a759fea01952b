"""The report on one run: its panels, what they say, and the script that draws it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.plots.animated import AnimatedPath
from fastmomentum.plots.curves import against_step, squared_distance
from fastmomentum.plots.labels import label_levels
from fastmomentum.plots.style import point
from fastmomentum.status import Status
from tests.helpers import LINE_X, LINE_Y

LINE = fm.MSE.from_arrays(LINE_X, LINE_Y, reduction="half_sum")
MINUS = "\N{MINUS SIGN}"


def walk(objective, start, lr=1e-3, momentum=0.9, steps=60) -> plots.Run:
    """Momentum, in a plain loop: there is nothing to compile."""
    points, v, status = [np.array(start, float)], np.zeros(2), Status.MAX_STEPS
    while len(points) <= steps and status == Status.MAX_STEPS:
        v = momentum * v - lr * objective.gradient(*points[-1])
        points.append(points[-1] + v)
        if not objective.value(*points[-1]) <= 1e20:
            status = Status.DIVERGED
    n_steps, loss = len(points) - 1, float(objective.value(*points[-1]))
    return plots.Run(np.array(points), np.arange(n_steps + 1), lr, momentum, status, n_steps, loss)


def draw(objective, run, **options) -> plots.Report:
    figure = Figure(figsize=(12.8, 7.2), dpi=50, layout="constrained")
    field = plots.sample(objective, plots.window(objective, [run]), points=41)
    return plots.run_report(figure, run, field, options.pop("rule", "momentum"), **options)


def words(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_visible()]


@pytest.fixture(scope="module")
def line_report() -> plots.Report:
    run = walk(LINE, (-20.0, -20.0), lr=1e-3, steps=100)
    return draw(LINE, run, data=(LINE_X, LINE_Y), title="A line for $5")


@pytest.fixture(scope="module")
def valley_report() -> plots.Report:
    run = walk(fm.Rosenbrock(), (-5.0, -5.0), lr=1.5e-5, steps=200)
    return draw(fm.Rosenbrock(), run, title="Rosenbrock")


# Panels


def test_a_regression_has_four_panels(line_report):
    axes = line_report.axes
    assert set(axes) == {"surface", "contour", "data", "progress"}
    assert axes["surface"].name == "3d"
    assert axes["surface"].get_xlabel() == axes["contour"].get_xlabel() == "a"
    assert axes["contour"].get_ylabel() == "b"
    assert axes["progress"].get_title(loc="left") == "Loss: sum of squares / 2"
    assert axes["progress"].get_xscale() == "log"


def test_the_loss_shown_is_the_loss_descended(line_report):
    curve = line_report.axes["progress"].lines
    drawn = max((line.get_ydata() for line in curve), key=len)
    a, b = line_report.run.points.T
    expected = 0.5 * ((a[:, None] * LINE_X + b[:, None] - LINE_Y) ** 2).sum(axis=1)
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)
    assert any(np.allclose(line.get_ydata(), LINE.f_min) for line in curve)


def test_data_and_the_fitted_line_are_shown(line_report):
    ax = line_report.axes["data"]
    dots = next(line for line in ax.lines if line.get_marker() == "o")
    np.testing.assert_array_equal(dots.get_xydata(), np.stack([LINE_X, LINE_Y], axis=1))
    a, b = line_report.run.points[-1]
    moved = next(line for line in ax.lines if line.get_color() == plots.COLOURS[0])
    np.testing.assert_allclose(moved.get_ydata(), a * np.array(moved.get_xdata()) + b)
    assert ax.get_title(loc="left").startswith("y = ")


def test_any_other_objective_has_three_panels(valley_report):
    axes = valley_report.axes
    assert set(axes) == {"surface", "contour", "progress"}
    assert axes["surface"].elev >= 60
    progress = axes["progress"]
    assert (progress.get_xscale(), progress.get_yscale()) == ("log", "log")
    assert progress.get_title(loc="left") == "Squared distance to (1, 1)"
    assert progress.xaxis.get_gridlines()[0].get_visible()
    drawn = max((line.get_ydata() for line in progress.lines), key=len)
    expected = ((valley_report.run.points - 1.0) ** 2).sum(axis=1)
    np.testing.assert_allclose(drawn, expected, rtol=1e-12)


def test_contours_are_labelled_and_show_path_start_and_minimum(valley_report):
    ax = valley_report.axes["contour"]
    labels = {text.get_text() for text in ax.texts}
    assert {"10", "100", "1000", "$10^{4}$"} <= labels
    corners = [line.get_xydata().tolist() for line in ax.lines]
    assert [[1.0, 1.0]] in corners
    assert [[-5.0, -5.0]] in corners
    longest = max(corners, key=len)
    np.testing.assert_array_equal(longest, valley_report.run.points)


def test_there_is_a_colour_bar_and_a_legend(valley_report, line_report):
    for report, count in ((valley_report, 4), (line_report, 5)):
        bars = [ax for ax in report.figure.axes if ax.get_label() == "<colorbar>"]
        assert [ax.get_ylabel() for ax in bars] == [
            "f(x, y)" if count == 4 else f"f(a, b) {MINUS} minimum"
        ]
        (legend,) = report.figure.legends
        assert len(legend.get_texts()) == count


def test_the_title_says_rule_and_rates(valley_report, line_report):
    said = words(valley_report.figure)
    assert "Momentum (heavy ball): learning rate $1.5\\times10^{-5}$, momentum 0.9" in said
    assert f"Rosenbrock; start at ({MINUS}5, {MINUS}5)" in said
    assert any(text.startswith("step 200 of 200: f = ") for text in said)
    assert any(text.startswith("A line for \\$5; start") for text in words(line_report.figure))
    plain = draw(fm.Beale(), walk(fm.Beale(), (1.0, 1.0), momentum=0.0), rule="sgd")
    assert "Gradient descent: learning rate 0.001" in words(plain.figure)


def test_text_is_legible_and_nothing_is_cut_off(valley_report, line_report):
    for report in (valley_report, line_report):
        report.figure.draw_without_rendering()
        assert all(text.get_fontsize() >= 10 for text in report.figure.findobj(Text))
        box = report.figure.get_tightbbox()
        assert np.all(box.min >= -0.01), box
        assert np.all(box.max <= report.figure.get_size_inches() + 0.01), box
        panels = [ax.get_tightbbox() for ax in report.axes.values()]
        for i, one in enumerate(panels):
            assert not any(one.overlaps(other) for other in panels[:i])


def test_converged_and_diverged_runs_say_so():
    calm = walk(fm.Booth(), (0.0, 0.0), lr=0.05, steps=100)
    ended = plots.Run(
        calm.points, calm.steps, calm.lr, calm.momentum, Status.CONVERGED, calm.n_steps, 0.0
    )
    said = words(draw(fm.Booth(), ended).figure)
    assert any(text.startswith("step 100 of 100, converged: f = ") for text in said)

    wild = walk(fm.Rosenbrock(), (-5.0, -5.0), lr=1e-2)
    assert wild.status == Status.DIVERGED
    report = draw(fm.Rosenbrock(), wild)
    report.figure.draw_without_rendering()
    assert f"diverged at step {wild.n_steps}" in words(report.figure)
    for ax in report.axes.values():
        assert np.isfinite([ax.get_xlim(), ax.get_ylim()]).all()


@pytest.mark.parametrize(
    ("objective", "data", "points"),
    [
        (LINE, (LINE_X, LINE_Y), [(1.0, 1.0)]),
        (LINE, (LINE_X, LINE_Y), [(3.0, 3.0), (1e200, -1e300), (np.inf, np.nan)]),
        (fm.Rosenbrock(), None, [(0.0, 0.0), (1e300, 1e300), (np.nan, np.nan)]),
    ],
)
def test_the_shortest_and_the_wildest_runs_are_drawn(objective, data, points):
    run = plots.Run(
        np.array(points), np.arange(len(points)), 0.1, 0.5, Status.DIVERGED, len(points) - 1, np.nan
    )
    draw(objective, run, data=data).figure.draw_without_rendering()


def test_without_a_minimum_the_objective_is_drawn():
    report = draw(fm.MonkeySaddle(), walk(fm.MonkeySaddle(), (-1.0, 0.5)))
    assert report.axes["progress"].get_title(loc="left") == "Objective"
    labels = [text.get_text() for text in report.figure.legends[0].get_texts()]
    assert "minimum" not in labels


def test_several_minima_count_by_the_nearest():
    points = np.array([[3.0, 2.0], [-2.0, 3.0], [np.inf, 0.0]])
    away = squared_distance(points, fm.Himmelblau())
    assert away[0] < 1e-20
    assert 0 < away[1] < 1
    assert np.isinf(away[2])


# Their parts


def test_the_line_through_data_stays_inside_the_axes():
    for a, b in ((2.0, 1.0), (-1e9, 3.0), (0.0, 500.0), (1e308, 1e308)):
        ax = Figure().add_subplot()
        drawn = plots.data_and_line(ax, LINE_X, LINE_Y, a, b)
        (x0, x1), (y0, y1) = ax.get_xlim(), ax.get_ylim()
        assert x0 < LINE_X.min() < LINE_X.max() < x1
        x, y = drawn.line.get_data()
        assert np.all((x > x0 - 1e-9) & (x < x1 + 1e-9))
        assert np.all((y > y0 - 1e-9) & (y < y1 + 1e-9))
    assert drawn.data.get_label() == "data"


def test_of_many_data_some_are_drawn():
    x = np.linspace(0, 1, 100_000)
    drawn = plots.data_and_line(Figure().add_subplot(), x, x, 1.0, 0.0)
    assert len(drawn.data.get_xdata()) == 20_000
    assert drawn.data.get_xdata()[-1] == 1.0
    assert drawn.data.get_rasterized()


def test_few_steps_have_a_linear_axis_and_many_a_log_one():
    steps = np.arange(11)
    ax = Figure().add_subplot()
    x, y = against_step(ax, steps, np.linspace(5, 6, 11))
    assert (ax.get_xscale(), ax.get_yscale()) == ("linear", "linear")
    np.testing.assert_array_equal(x, steps)
    ax = Figure().add_subplot()
    x, y = against_step(ax, np.arange(101), np.append(np.geomspace(1, 1e-9, 100), 0.0))
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert np.isnan([x[0], y[-1]]).all()
    assert ax.get_xlim()[0] == 1


def test_labels_of_contours_keep_clear_of_the_path_and_of_each_other():
    run = walk(fm.Rosenbrock(), (-1.2, 1.0), steps=300)
    figure = Figure(figsize=(6, 4), dpi=100)
    ax = figure.add_subplot()
    field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), [run]), points=101)
    texts = label_levels(ax, plots.contour(ax, field).lines, [run.points])
    assert len(texts) >= 3
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in texts]
    path = ax.transData.transform(run.points)
    for i, box in enumerate(boxes):
        assert not any(box.contains(*place) for place in path)
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize("projection", [None, "3d"])
def test_a_path_is_drawn_up_to_its_frame(projection):
    run = walk(fm.Rosenbrock(), (-1.2, 1.0), steps=50)
    field = plots.sample(fm.Rosenbrock(), plots.window(fm.Rosenbrock(), [run]), points=31)
    ax = Figure().add_subplot(projection=projection)
    (plots.surface if projection else plots.contour)(ax, field)
    frames = np.array([0, 1, 7, 50])
    moving = AnimatedPath(ax, run, field, frames)
    for i, frame in enumerate(frames):
        moving.show(i)
        head = moving.artists[-1]
        at = head.get_data_3d()[:2] if projection else head.get_data()
        np.testing.assert_array_equal(np.ravel(at), run.points[frame])
        if projection is None:
            np.testing.assert_array_equal(moving.artists[0].get_xydata(), run.points[: frame + 1])
        else:
            way = np.array(moving.artists[0].get_data_3d())
            seen = np.array(moving.artists[1].get_data_3d())
            x, y, z = np.where(np.isnan(way), seen, way)
            np.testing.assert_allclose([x[-1], y[-1]], run.points[frame])
            np.testing.assert_allclose(z, field.height(x, y))


def test_coordinates_are_written_for_people():
    assert point((1.0, -5.0)) == f"(1, {MINUS}5)"
    assert point((0.9501902605527726, 123456.0)) == "(0.9502, $1.23\\times10^{5}$)"


# The script


@pytest.fixture(scope="module")
def summaries(tmp_path_factory) -> Path:
    """The document's run among others, without trajectories."""
    path = tmp_path_factory.mktemp("results") / "rosenbrock.h5"
    grid = {"lr": [1.5e-5, 1e-2], "momentum": [0.0, 0.9], "start": [(-5, -5), (-1.2, 1)]}
    experiment = fm.Experiment(
        title="Corners", objective=fm.Rosenbrock(), rule="momentum", steps=5000, grid=grid
    )
    fm.run(experiment, path)
    return path


@pytest.fixture
def coarse(script, monkeypatch):
    """Surfaces of few facets: what is asked is not how fine they are."""
    from fastmomentum.plots.pages import panels

    monkeypatch.setattr(panels, "PAGE_POINTS", 31)
    return script


@pytest.mark.parametrize("suffix", [".png", ".svg"])
def test_results_without_trajectories_are_replayed(coarse, summaries, tmp_path, suffix):
    picture = tmp_path / f"report{suffix}"
    words = ["--lr", "1.4e-5", "--momentum", "0.9", "--start", "-5,-5"]
    status, out, err = coarse("plot_report", summaries, "-o", picture, *words)
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        "cell lr=1.5e-05 momentum=0.9 start=(-5, -5): out of steps after 5000 steps, f = 0.00249",
        "final point: (0.9501902605527726, 0.9026561642182237)",
        f"wrote {picture}",
    ]
    assert list(tmp_path.iterdir()) == [picture]


def test_an_unstable_learning_rate_draws_a_figure_that_says_so(
    coarse, summaries, tmp_path, unrendered
):
    words_given = ["--lr", "1e-2", "--momentum", "0.9"]
    status, out, err = coarse("plot_report", summaries, "-o", tmp_path / "f.pdf", *words_given)
    assert (status, err) == (0, "")
    assert ": diverged after " in out
    assert any(text.startswith("diverged at step ") for text in words(unrendered[0]))


def test_all_steps_recorded_need_no_replay(coarse, tmp_path, unrendered, monkeypatch):
    path = tmp_path / "line.h5"
    line = {"num_points": 20, "x_mid": 5, "x_range": 5, "y_weight": 10, "noise_range": 5, "seed": 0}
    grid = {"lr": 1e-3, "momentum": 0.5, "start": [(0, 0)]}
    experiment = fm.Experiment(
        objective=fm.MSE(data=line), rule="momentum", steps=30, grid=grid, record={"every": 1}
    )
    fm.run(experiment, path)
    monkeypatch.setattr("fastmomentum.analysis.replaying.replay", None)
    assert coarse("plot_report", path, "-o", tmp_path / "f.png")[0] == 0
    said = words(unrendered[0])
    assert "Momentum (heavy ball): learning rate 0.001, momentum 0.5" in said
    assert "Loss: mean of squares" in said


def test_a_style_file_changes_the_figure(coarse, summaries, tmp_path, unrendered):
    style = tmp_path / "mine.mplstyle"
    style.write_text("figure.facecolor: fafafa\nfont.size: 13\n")
    assert coarse("plot_report", summaries, "-o", tmp_path / "f.png", "--style", style)[0] == 0
    assert unrendered[0].get_facecolor() == to_rgba("#fafafa")


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (None, "there is no file"),
        ("font.siez: 3\n", "Bad key font.siez"),
        ("font.size: huge\n", "Could not convert 'huge' to float"),
        ("font.size\n", "Missing colon"),
    ],
)
def test_a_style_file_that_makes_no_sense_is_told_in_a_line(
    script, summaries, tmp_path, style, message
):
    path = tmp_path / "mine.mplstyle"
    if style is not None:
        path.write_text(style)
    status, _, err = script("plot_report", summaries, "--style", path)
    assert (status, err.count("\n")) == (2, 1)
    assert message in err


def test_a_suffix_that_is_none_of_ours_is_refused(script, summaries):
    status, _, err = script("plot_report", summaries, "-o", "report.jpg")
    assert status == 2
    assert err == ("plot_report.py: -o must end in .png, .svg, .pdf: got '.jpg' (report.jpg)\n")
