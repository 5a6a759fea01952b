"""Maps with theory over them, basins, losses, duels: what is drawn where, and the scripts."""

from __future__ import annotations

import importlib
import itertools
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum import analysis, plots, theory
from fastmomentum.cli import app
from fastmomentum.cli.pictures import KINDS, asked_of
from fastmomentum.errors import InputError
from fastmomentum.execution import worker
from fastmomentum.experiment.toml import load
from fastmomentum.plots.basin_maps import BASINS, shades
from fastmomentum.plots.style import DIVERGED, NEVER
from fastmomentum.results.info import findings
from fastmomentum.results.zoom import zoomed
from fastmomentum.status import Status
from tests.helpers import not_on_windows

GALLERY = Path(__file__).parents[2] / "experiments" / "gallery"
BOWL = fm.Quadratic(1.0, 0.0, 25.0)
GRID = fm.Grid(lr=np.geomspace(0.01, 0.2, 12), momentum=np.linspace(0, 0.9, 10), start=[(1, 1)])


def axes(**options):
    return Figure(figsize=(8, 6)).add_subplot(**options)


def bowl(rule="momentum", stop=None, steps=600, grid=GRID) -> xr.Dataset:
    return fm.run(fm.Experiment(objective=BOWL, rule=rule, steps=steps, grid=grid, stop=stop or {}))


@pytest.fixture(scope="module")
def measured() -> xr.Dataset:
    return bowl()


# Theory over a map


def test_of_a_rule_without_theory_no_lines_are_drawn():
    ax = axes(xlim=(0, 0.2), ylim=(0, 1))
    drawn = plots.theory_lines(ax, BOWL, "adam")
    assert (drawn.stability, drawn.oscillation, drawn.optimum) == (None, None, None)
    assert not ax.lines


@pytest.mark.parametrize("rule", [name for name, rule in fm.RULES.items() if rule.form])
def test_the_stability_boundary_is_where_the_largest_rate_is_one(rule):
    ax = axes(xlim=(0, 0.2), ylim=(0, 1))
    drawn = plots.theory_lines(ax, BOWL, rule)
    lr, momentum = drawn.stability.get_xydata()[:-1:97].T
    for factor, stable in ((1 - 1e-6, True), (1 + 1e-6, False)):
        rates = theory.predicted_rate(BOWL, rule, factor * lr, momentum)
        assert np.all((rates < 1) == stable)
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 0.2), (0, 1))


def test_inside_the_region_that_is_drawn_the_rate_is_the_root_of_the_momentum():
    drawn = plots.theory_lines(axes(xlim=(0, 0.2), ylim=(0, 1)), BOWL, "momentum")
    lr, momentum = drawn.oscillation.get_xydata().T
    half = len(lr) // 2
    right, left, at = lr[:half][::-1], lr[half:], momentum[half:]
    inside = right - left > 1e-9
    middle = (left + right)[inside] / 2
    rates = theory.predicted_rate(BOWL, "momentum", middle, at[inside])
    np.testing.assert_allclose(rates, np.sqrt(at[inside]), rtol=1e-12)
    for outside in (left[inside] * 0.97, right[inside] * 1.03):
        rates = theory.predicted_rate(BOWL, "momentum", outside, at[inside])
        assert np.all(rates > np.sqrt(at[inside]))
    assert drawn.optimum.get_xydata()[0] == pytest.approx([1 / 9, 4 / 9])
    assert at[0] == pytest.approx(4 / 9, abs=1e-3)


@pytest.mark.parametrize("rule", ["momentum", "nesterov"])
@pytest.mark.parametrize("highest", [1.0, 25.0])
@pytest.mark.parametrize("lowest", [0.0, 0.3, 0.5, 0.9])
def test_no_line_of_theory_runs_along_the_edge_of_a_map(rule, highest, lowest):
    ax = axes(xlim=(1e-3, 4.0), ylim=(lowest, 1.0))
    drawn = plots.theory_lines(ax, fm.Quadratic(1.0, 0.0, highest), rule)
    lr, momentum = drawn.oscillation.get_xydata().T
    along = np.diff(lr)[np.diff(momentum) == 0.0]  # NaN is no such step
    assert np.all(np.abs(along) < 0.01)
    for side in np.split(lr, np.flatnonzero(np.isnan(lr))):
        assert np.isfinite(side).sum() > 100


def test_a_map_within_the_oscillating_region_shows_no_edge_of_it():
    ax = axes(xlim=(0.3, 0.5), ylim=(0.5, 0.9))
    drawn = plots.theory_lines(ax, fm.Quadratic(1.0, 0.0, 1.0), "momentum")
    assert drawn.oscillation is not None
    assert drawn.oscillation not in drawn.seen
    assert drawn.seen == []


def test_theory_is_left_out_where_it_says_nothing():
    ax = axes(xlim=(0, 1), ylim=(0, 1))
    flat = plots.theory_lines(ax, fm.Quadratic(0.0, 0.0, 2.0), "momentum", point=(0, 0))
    assert flat.stability is not None
    assert flat.handles == [flat.stability]
    away = plots.theory_lines(axes(xlim=(0.01, 0.02), ylim=(0, 0.1)), BOWL, "momentum")
    assert away.handles == [away.optimum]
    assert plots.theory_lines(ax, fm.Quadratic(-1.0, 0.0, -2.0), "sgd", (0, 0)).handles == []
    assert plots.theory_lines(ax, BOWL, "sgd").oscillation is None
    with pytest.raises(InputError, match="no minimiser"):
        plots.theory_lines(ax, fm.Saddle(), "momentum")


# Rates and ends


def test_a_rate_map_colours_the_gap_to_one_and_the_rest_by_how_it_ended(measured):
    rates = analysis.measured_rate(measured.isel(start=0), n_jobs=1).rate
    rates[2, 3] = np.nan
    ax = axes()
    drawn = plots.rate_map(ax, rates, measured.status.isel(start=0))
    gap = drawn.rates.get_array()
    expected = 1 - rates.values.T
    shown = np.isfinite(expected) & (expected > 0)
    np.testing.assert_array_equal(~gap.mask, shown)
    np.testing.assert_array_equal(gap[shown], expected[shown])
    shares = [float(p.get_label().split("(")[1].rstrip("%)")) for p in drawn.legend]
    assert sum(shares) == pytest.approx(100 * (1 - shown.mean()), abs=0.1)
    assert any(p.get_label().startswith("no clear rate below 1") for p in drawn.legend)
    bar = plots.rate_bar(ax, drawn)
    ax.get_figure().canvas.draw()
    labels = [tick.get_text() for tick in bar.ax.get_yticklabels()]
    assert "0.9" in labels
    assert bar.ax.yaxis_inverted()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")


def test_predicted_rates_share_the_colours_of_measured_ones(measured):
    predicted = analysis.predicted_rate(measured)
    first = plots.rate_map(axes(), predicted)
    second = plots.rate_map(axes(), predicted.isel(lr=slice(0, 5)), norm=first.rates.norm)
    assert second.rates.norm is first.rates.norm
    assert [p.get_label().split(" (")[0] for p in first.legend] == ["unstable"]
    nothing = plots.rate_map(axes(), predicted.isel(lr=[-1], momentum=[0]))
    assert nothing.rates is None
    assert plots.rate_bar(axes(), nothing) is None


def test_a_status_map_leaves_steps_out():
    ds = bowl(stop={"targets": [1e-8]}).isel(start=0)
    drawn = plots.status_map(axes(), ds)
    assert drawn.steps is None
    np.testing.assert_array_equal(drawn.ends.get_array(), ds.status.values.T)
    names = {patch.get_label().split(" (")[0] for patch in drawn.legend}
    assert names <= {"converged", "diverged", "out of steps"}
    assert {"converged", "diverged"} <= names


# Basins


@pytest.fixture(scope="module")
def himmelblau() -> xr.Dataset:
    axis = {"linspace": [-4, 4], "num": 9, "include": [3.0, 2.0, 100.0]}
    return fm.run(
        fm.Experiment(
            objective=fm.Himmelblau(), rule="momentum", steps=500, stop={"targets": [1e-8]},
            grid=fm.Grid(lr=0.01, momentum=[0.0, 0.9], start={"x": axis, "y": axis}),
        )
    )  # fmt: skip


def test_a_basin_map_tells_the_minimiser_by_hue_and_the_steps_by_shade(himmelblau):
    one = himmelblau.isel(lr=0, momentum=0)
    drawn = plots.basin_map(axes(), one)
    colours = drawn.cells.get_array()
    basins = analysis.basin(one).values
    steps = one.hit_step.isel(target=0).values
    assert colours.shape == (*basins.T.shape, 3)
    for i, hue in enumerate(BASINS[:4]):
        mine = basins == i
        assert mine.any()
        near = (
            np.abs(colours.swapaxes(0, 1)[mine][:, None] - shades(hue)).sum(axis=2).argmin(axis=1)
        )
        assert np.all(np.diff(near[np.argsort(steps[mine])]) >= 0)
    diverged = one.status.values == Status.DIVERGED
    assert diverged.any()
    assert np.allclose(colours.swapaxes(0, 1)[diverged], to_rgb(DIVERGED))
    assert np.array([star.get_xydata()[0] for star in drawn.minima]) == pytest.approx(
        fm.Himmelblau().minimisers
    )
    assert (drawn.target, drawn.norm.vmax) == (1e-8, steps.max())
    assert plots.shades_of(himmelblau).vmax == himmelblau.hit_step.max()


def test_without_a_target_basins_have_no_shades():
    ds = fm.run(fm.Experiment(
        objective=fm.Himmelblau(), rule="momentum", steps=200,
        grid=fm.Grid(lr=0.01, momentum=0.5, start={"x": [-3, 3], "y": [-3, 3]}),
    ))  # fmt: skip
    ax = axes()
    drawn = plots.basin_map(ax, ds.isel(lr=0, momentum=0))
    assert len(np.unique(drawn.cells.get_array().reshape(-1, 3), axis=0)) == 4
    assert plots.shades_of(ds) is None
    assert plots.shades_bar([ax], drawn) is None
    with pytest.raises(InputError, match="mesh of starts"):
        plots.basin_map(ax, bowl(steps=1).isel(lr=0, momentum=0))


SEEN = {
    "all": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
}  # fmt: skip
"""Machado, Oliveira and Fernandes 2009, severity 1: on linear RGB."""


def lab(colours, seen):
    """CIE Lab of sRGB colours as they are seen."""
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.clip(linear @ np.transpose(seen), 0, 1) @ np.transpose(to_xyz) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@pytest.mark.parametrize("seen", SEEN)
def test_four_basins_in_any_shade_are_told_apart_by_everyone(seen):
    areas = [shades(hue)[::32] for hue in BASINS[:4]]
    areas += [np.array([to_rgb(grey)]) for grey in (DIVERGED, NEVER)]
    for one, other in itertools.combinations(areas, 2):
        apart = lab(one, SEEN[seen])[:, None] - lab(other, SEEN[seen])
        assert np.linalg.norm(apart, axis=-1).min() > 7


# Loss


def runs_of(ds, *cells):
    return [
        plots.run_of(fm.select_cell(ds, *cell), fm.replay(ds, *cell).trajectory) for cell in cells
    ]


def test_curves_are_the_loss_and_predicted_lines_fall_at_the_predicted_rate(measured):
    cells = [(0.02, 0.0), (0.09, 0.4), (0.02, 0.9)]
    runs = runs_of(measured, *cells)
    ax = axes()
    drawn = plots.loss_curves(ax, runs, BOWL, "momentum", steps="linear")
    for run, line, bound in zip(runs, drawn.runs, drawn.predicted, strict=True):
        x, y = run.points.T
        np.testing.assert_array_equal(
            line.get_ydata(), np.where(BOWL.value(x, y) > 0, BOWL.value(x, y), np.nan)
        )
        rate = theory.predicted_rate(BOWL, "momentum", run.lr, run.momentum)
        steps, height = bound.get_xydata().T
        slope = np.diff(np.log(height)) / np.diff(steps)
        np.testing.assert_allclose(slope, 2 * np.log(rate), rtol=1e-6)
        real = np.flatnonzero(np.hypot(x, y) > 1e-12)
        tail = real[real >= real[-1] / 2]
        above = np.interp(tail, steps, np.log(height)) - np.log(line.get_ydata()[tail])
        assert above.min() > -1e-2
        assert above.min() < 0.7
    assert ax.get_yscale() == "log"
    assert len({line.get_marker() for line in drawn.runs}) == 3


def test_distance_falls_with_the_rate_and_the_axis_of_steps_may_be_chosen(measured):
    runs = runs_of(measured, (0.02, 0.0))
    for steps, scale in (("log", "log"), ("linear", "linear"), ("auto", "linear")):
        ax = axes()
        drawn = plots.loss_curves(ax, runs, BOWL, "momentum", "distance", steps)
        assert ax.get_xscale() == scale
    (bound,) = drawn.predicted
    rate = theory.predicted_rate(BOWL, "momentum", runs[0].lr, 0.0)
    slope = np.polyfit(bound.get_xdata(), np.log(bound.get_ydata()), 1)[0]
    assert slope == pytest.approx(np.log(rate), rel=1e-9)
    assert plots.loss_curves(axes(), runs, BOWL, "momentum", theory=False).predicted == []


def test_curves_of_any_run_draw_without_a_warning(measured):
    for cells in ([(0.2, 0.0)], [(0.02, 0.9), (0.2, 0.9)]):
        ax = axes()
        plots.loss_curves(ax, runs_of(measured, *cells), BOWL, "momentum")
        assert np.isfinite([ax.get_xlim(), ax.get_ylim()]).all()
        ax.get_figure().canvas.draw()
    grid = fm.Grid(lr=0.1, momentum=0.5, start=[(0, 0)])
    still = bowl(steps=3, grid=grid)
    plots.loss_curves(ax := axes(), runs_of(still, (0.1, 0.5)), BOWL, "momentum")
    ax.get_figure().canvas.draw()
    with pytest.raises(InputError, match="no minimum"):
        plots.loss_curves(axes(), runs_of(still, (0.1, 0.5)), fm.Saddle(), "momentum")


# Duels


def test_a_duel_tells_who_was_sooner_and_who_alone_arrived():
    stop = {"targets": [1e-8]}
    first, second = (bowl(rule, stop).isel(start=0) for rule in ("momentum", "nesterov"))
    drawn = plots.duel_map(ax := axes(), first, second, ("heavy ball", "Nesterov"))
    hits = [ds.hit_step.isel(target=0).values.T for ds in (first, second)]
    both = (hits[0] >= 0) & (hits[1] >= 0)
    ratio = drawn.ratios.get_array()
    np.testing.assert_array_equal(~ratio.mask, both)
    np.testing.assert_allclose(2.0 ** ratio[both], hits[1][both] / hits[0][both])
    alone = np.mean((hits[0] >= 0) & (hits[1] < 0))
    assert alone > 0
    assert drawn.legend[0].get_label() == f"heavy ball alone arrives ({alone:.1%})"
    back = plots.duel_map(axes(), second, first, ("Nesterov", "heavy ball"))
    np.testing.assert_allclose(back.ratios.get_array()[both], -ratio[both])
    bar = plots.duel_bar(ax, drawn, ("heavy ball", "Nesterov"), 1e-8)
    assert 0.0 in bar.ax.get_yticks()
    with pytest.raises(InputError, match="same lr"):
        plots.duel_map(axes(), first, second.isel(lr=slice(1, None)), ("a", "b"))
    with pytest.raises(InputError, match="with a target"):
        plots.duel_map(axes(), bowl(steps=1).isel(start=0), second, ("a", "b"))


# Scripts


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("maps")
    paths = {name: folder / f"{name}.h5" for name in ("momentum", "nesterov", "mesh", "list")}
    for rule in ("momentum", "nesterov"):
        plan = fm.Experiment(
            title=f"A bowl, 100% $of$ {rule}", objective=BOWL, rule=rule, steps=400, grid=GRID,
            stop={"targets": [1e-4, 1e-24]},
        )  # fmt: skip
        fm.run(plan, paths[rule])
    axis = {"linspace": [-5, 5], "num": 7}
    grids = {
        "mesh": {"lr": 0.01, "momentum": np.linspace(0, 0.9, 8), "start": {"x": axis, "y": axis}},
        "list": {"lr": 0.01, "momentum": [0.0, 0.5], "start": [(3, 3), (-3, 3)]},
    }
    for name, grid in grids.items():
        fm.run(
            fm.Experiment(
                objective=fm.Himmelblau(), rule="momentum", steps=300, grid=grid,
                stop={"targets": [1e-6]},
            ),
            paths[name],
        )  # fmt: skip
    return paths


CALLS = {
    "hit": ["plot_phase", "momentum"],
    "status": ["plot_phase", "nesterov", "--show", "status"],
    "rate": ["plot_phase", "momentum", "--show", "rate"],
    "beside": ["plot_phase", "momentum", "--show", "rate", "--beside"],
    "parting": ["plot_phase", "momentum", "--beside"],
    "basin": ["plot_basins", "mesh", "--momentum", "0.9"],
    "basins": ["plot_basins", "mesh", "--over", "momentum", "--momentum", "0", "--momentum", "0.9"],
    "loss": ["plot_loss", "momentum"],
    "duel": ["plot_duel", "momentum", "nesterov"],
}


def called(script, files, tmp_path, call, *words):
    name, *rest = call
    places = itertools.takewhile(lambda word: not word.startswith("--"), rest)
    inputs = [files[word] for word in places]
    rest[: len(inputs)] = inputs
    return script(name, *rest, *words, "-o", tmp_path / "f.png")


@pytest.mark.parametrize("call", CALLS)
def test_scripts_draw_readable_pictures_of_which_nothing_is_cut_off(
    script, files, tmp_path, unrendered, call
):
    status, out, err = called(script, files, tmp_path, CALLS[call])
    assert (status, err) == (0, "")
    assert out.splitlines()[-1] == f"wrote {tmp_path / 'f.png'}"
    (figure,) = unrendered
    assert all(text.get_fontsize() >= 11 for text in figure.findobj(Text) if text.get_text())
    figure.draw_without_rendering()
    drawn_in = figure.get_tightbbox()
    assert np.all(drawn_in.min >= 0), drawn_in
    assert np.all(drawn_in.max <= figure.get_size_inches()), drawn_in
    assert figure.get_suptitle().split("\n")[0].startswith(("A bowl, 100% $of$", "himmelblau"))


@pytest.mark.usefixtures("unrendered")
def test_agreement_is_told_unless_theory_is_left_out(script, files, tmp_path):
    _, out, _ = called(script, files, tmp_path, CALLS["rate"])
    assert re.match(r"\d+\.\d% of \d+ measured rates within 10% of theory in 1 . rate", out)
    _, out, _ = called(script, files, tmp_path, CALLS["hit"])
    said = r"theory at the minimum foretells of [\d.]+% of the runs whether they diverge \("
    assert re.match(said + r"[\d.]+% of \d+ (unstable|overdamped)", out)
    _, out, _ = called(script, files, tmp_path, CALLS["rate"], "--no-theory")
    assert out == f"wrote {tmp_path / 'f.png'}\n"


@pytest.mark.usefixtures("unrendered")
@pytest.mark.parametrize(
    ("call", "words", "message"),
    [
        ("hit", ["--beside", "--no-theory"], "--beside: there is no theory to draw beside the map"),
        ("rate", ["--beside", "--no-theory"], "--beside: there is no theory to draw beside the"),
        ("rate", ["--cells", "0"], "--cells must be 1 or more: got 0"),
        ("hit", ["--minimiser", "3"], "--minimiser must be 0, the only one: got 3"),
        ("basins", ["--over", "lr"], "--over was given twice; leave one out"),
    ],
)
def test_mistakes_are_told_in_a_line(script, files, tmp_path, call, words, message):
    status, _, err = called(script, files, tmp_path, CALLS[call], *words)
    assert (status, err.count("\n")) == (2, 1)
    assert message in err


@pytest.mark.usefixtures("unrendered")
def test_what_cannot_be_drawn_is_told(script, files, tmp_path):
    for call, message in (
        (["plot_basins", "list"], "mesh of starts"),
        (["plot_basins", "mesh", "--over", "momentum"], "holds 8 values; say which"),
        (["plot_duel", "momentum", "list"], "of the same lr"),
    ):
        status, _, err = called(script, files, tmp_path, call)
        assert (status, err.count("\n")) == (2, 1)
        assert message in err


def test_a_style_file_changes_every_script(script, files, tmp_path):
    style = GALLERY / "small.mplstyle"
    called(script, files, tmp_path, CALLS["status"], "--style", style)
    assert (tmp_path / "f.png").read_bytes()[16:20] == (1000).to_bytes(4, "big")


# Zoom


def test_a_window_is_the_experiment_as_it_was_on_a_finer_grid(files):
    with fm.open(files["momentum"]) as ds:
        window = zoomed(ds, (0.05, 0.06), (0.5, 0.6), num=5)
        whole = fm.experiment_of(ds)
    assert (window.steps, window.rule, window.stop) == (whole.steps, whole.rule, whole.stop)
    np.testing.assert_allclose(window.grid.lr.points, np.geomspace(0.05, 0.06, 5))
    np.testing.assert_allclose(window.grid.momenta, np.linspace(0.5, 0.6, 5))
    assert window.grid.start_axes == ([1.0], [1.0])


@pytest.mark.parametrize(
    ("lr", "momentum", "message"),
    [
        ((0.2, 0.1), (0, 0.5), "lr must be a range"),
        ((0.0, 0.1), (0, 0.5), "lr must be a range"),
        ((0.1, 0.2), (0.5, 0.5), "momentum must be a range"),
        ((0.1, 0.1 + 1e-16), (0, 0.5), "too narrow"),
        ((0.1, 0.2), (0.5, 1.5), r"\[0, 1\)"),
    ],
)
def test_a_window_that_cannot_be_run_is_refused(measured, lr, momentum, message):
    with pytest.raises(InputError, match=message):
        zoomed(measured, lr, momentum)


def zooming(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["zoom", *map(str, words)])
    return done.exit_code, done.output


WINDOW = ("--lr", "0.05:0.1", "--momentum", "0.4:0.8", "--num", 6)


OUTSIDE = (
    "outside of this picture: best in theory: lr 0.111, momentum 0.444, rate 0.667; "
    "edge of stability (theory)"
)


def told(path: Path) -> str:
    """What is printed after the first line."""
    found = "".join(f"  {line}\n" for line in (*findings(path), OUTSIDE))
    return f"{found}wrote {path.with_suffix('.png')}\n"


def test_the_command_runs_and_draws_a_window_of_a_window(files, tmp_path):
    source = tmp_path / "map.h5"
    source.write_bytes(files["momentum"].read_bytes())
    for lr, momentum in (("0.05:0.1", "0.4:0.8"), ("0.07:0.08", "0.5:0.6")):
        status, out = zooming(source, "--lr", lr, "--momentum", momentum, "--num", 6, "--jobs", 1)
        path = source.with_name(f"{source.stem}_zoom.h5")
        first, rest = out.split("\n", 1)
        assert re.fullmatch(
            rf"{re.escape(str(path))}: 36 runs in \d+\.\d\d s, \S+ steps/s, \S+ kB", first
        )
        assert (status, rest) == (0, told(path))
        assert path.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
        with fm.open(path) as ds:
            assert ds.sizes["lr"] == ds.sizes["momentum"] == 6
        source = path
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "map.h5", "map_zoom.h5", "map_zoom.png", "map_zoom_zoom.h5", "map_zoom_zoom.png"
    ]  # fmt: skip


def test_an_interrupted_zoom_is_gone_on_with_and_a_finished_one_is_drawn_again(
    files, tmp_path, monkeypatch
):
    path = tmp_path / "zoom.h5"
    words = (files["momentum"], *WINDOW, "--jobs", 1, "-o", path)
    monkeypatch.setattr("fastmomentum.experiment.blocks.BLOCK_RUNS", (12, 12))
    real, blocks = worker.do_block, []

    def interrupted(*arguments):
        if len(blocks) == 2:
            raise KeyboardInterrupt
        blocks.append(arguments)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("fastmomentum.execution.worker.do_block", interrupted)
        assert zooming(*words) == (
            130,
            f"interrupted; 2 of 3 blocks are done and kept in {path}.partial: "
            "run the same again to resume\n",
        )
    assert [file.name for file in tmp_path.iterdir()] == ["zoom.h5.partial"]
    status, out = zooming(*words)
    going_on, made, rest = out.split("\n", 2)
    assert going_on == f"{path}: resuming; 2 of 3 blocks are done, 1 are left"
    assert made.startswith(f"{path}: 12 runs in ")
    assert (status, rest) == (0, told(path))
    path.with_suffix(".png").unlink()
    complete = f"{path}: complete already; only the picture to draw\n"
    assert zooming(*words) == (0, complete + told(path))
    path.with_suffix(".png").unlink()
    assert zooming(*words, "--quiet") == (0, "")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["zoom.h5", "zoom.png"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--lr", "0.1"), "--lr must be a range A:B of two numbers: got '0.1'"),
        (("--lr", "0:0.1"), "lr must be a range A:B with A > 0: got 0:0.1"),
        (("--num", 0), "num must be at least 2: got 0"),
        (("--num", 1), "num must be at least 2: got 1"),
        (("--start", 1), "start must be 0, the only one: got 1"),
        (("--start", "1,x"), "--start must be a number, or a point X,Y: got '1,x'"),
        (("--velocity", "x"), "--velocity must be a number, or a point X,Y: got 'x'"),
        (("--jobs", 0), "--jobs must be 1 to 1024, or -1 for one per core: got 0"),
        (
            ("-o", "map.png"),
            "-o map.png: the picture would overwrite map.png; "
            "choose another name, such as map_zoom.h5",
        ),
        (("-o", "."), ". is a folder; name a file in it, such as out.h5"),
    ],
)
def test_a_zoom_that_makes_no_sense_is_refused(files, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    given = dict(zip(WINDOW[::2], WINDOW[1::2], strict=True)) | dict([words])
    said = [word for pair in given.items() for word in pair]
    assert zooming(files["momentum"], *said) == (2, f"{message}\n")
    assert list(tmp_path.iterdir()) == []


def test_a_zoom_from_the_start_nearest_to_a_point(files, tmp_path):
    path = tmp_path / "zoom.h5"
    with fm.open(files["momentum"]) as ds:
        start = (float(ds.start_x[0]), float(ds.start_y[0]))
    near = f"{start[0] - 0.1},{start[1]}"
    words = ("--start", near, "--velocity", "0,0", "-o", path, "--quiet")
    assert zooming(files["momentum"], *WINDOW, *words) == (0, "")
    with fm.open(path) as ds:
        assert (ds.start_x.item(), ds.start_y.item()) == start


def test_a_zoom_leaves_what_is_there_alone(files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert zooming(files["momentum"], *WINDOW, "-o", "zoom.h5", "--quiet") == (0, "")
    assert zooming(files["momentum"], *WINDOW[:-1], 5, "-o", "zoom.h5") == (
        2,
        "zoom.h5 holds results of another experiment, whose grid.lr.num is 6 and not 5; "
        "choose another file, or replace it with --overwrite\n",
    )
    Path("zoom.h5").rename("map.png")
    assert zooming("map.png", *WINDOW[:-1], 5, "-o", "map.h5") == (
        2,
        "-o map.h5: the picture would overwrite map.png; "
        "choose another name, such as map_zoom.h5\n",
    )
    Path("zoom.png").unlink()
    Path("zoom.png").mkdir()
    status, out = zooming("map.png", *WINDOW, "-o", "zoom.h5", "--quiet")
    assert (status, out) == (4, "writing zoom.png: is a directory\n")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["map.png", "zoom.h5", "zoom.png"]


def test_a_film_closes_in_on_the_window(script, files, tmp_path, capsys):
    words = ["--lr", "0.07:0.08", "--momentum", "0.5:0.6", "--num", "8", "--frames"]
    film = tmp_path / "film.gif"
    status, _, err = script("animate_zoom", files["momentum"], *words, "3", "-o", film)
    assert (status, err) == (0, "")
    with Image.open(film) as picture:
        assert picture.n_frames == 3
    with pytest.raises(SystemExit):
        importlib.import_module("animate_zoom").main(["--help"])
    assert " a .gif file (default: .gif, beside the results)" in capsys.readouterr().out
    for bad in (["1"], ["3", "-o", "film.mp4"]):
        status, _, err = script("animate_zoom", files["momentum"], *words, *bad)
        assert (status, err.count("\n")) == (2, 1)


# The gallery


@pytest.mark.parametrize("path", sorted(GALLERY.glob("*.toml")), ids=lambda path: path.stem)
def test_the_gallerys_experiments_are_sound(path):
    if "[compare." in path.read_text():
        assert all(plan.title for plan in fm.load_comparison(path).values())
        return
    assert load(path).title


def test_the_gallerys_pictures_are_small_and_drawn_by_its_script():
    pictures = list((GALLERY.parent.parent / "data" / "gallery").glob("*.png"))
    # A clone carries them all: a quarter of a megabyte each.
    assert sum(picture.stat().st_size for picture in pictures) < 2.5e5 * len(pictures)
    words = (GALLERY / "draw.sh").read_text().split()
    words += ["explorer"] * ("explorer.png" in (GALLERY.parent / "measure_explorer.py").read_text())
    assert {picture.stem for picture in pictures} <= set(words)


STAND_IN = """#!/bin/sh
for word in "$(basename "$0")" "$@"; do printf '%s\\037' "$word"; done >> "$0.said"
echo >> "$0.said"
while [ $# -gt 1 ]; do case $1 in -o) mkdir -p "$2"; touch "$2/comparison.png" ;; esac; shift; done
"""


@not_on_windows  # a shell script, for make
def test_the_gallerys_script_says_what_the_commands_take(tmp_path) -> None:
    for name in ("fastmomentum", "python"):
        (tmp_path / name).write_text(STAND_IN)
        (tmp_path / name).chmod(0o755)
    folders = [tmp_path, tmp_path / "runs", tmp_path / "pictures"]
    subprocess.run(["sh", GALLERY / "draw.sh", *folders], check=True)
    said = "".join((tmp_path / f"{name}.said").read_text() for name in ("fastmomentum", "python"))
    kinds = set()
    for line in said.splitlines():
        program, first, *words = line.split("\x1f")[:-1]
        kind = Path(first).stem.removeprefix("plot_") if program == "python" else words.pop(0)
        if first == "plot" or (program == "python" and kind in KINDS):
            asked = asked_of(kind, words)
            assert asked.style.endswith("small.mplstyle")
            kinds.add(kind)
    assert {"phase", "basins", "loss", "duel", "report", "batches", "refined", "cycles"} <= kinds


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plot_phase", ()),
        ("plot_phase", ("--show", "status")),
        ("plot_phase", ("--show", "rate")),
        ("plot_loss", ("--lr", "0.05", "--momentum", "0.9")),
    ],
)
def test_pictures_of_a_rule_without_theory(name, words, script, tmp_path, unrendered) -> None:
    grid = fm.Grid(lr=[0.02, 0.05], momentum=[0.5, 0.9], start=[(1.0, 1.0)])
    stop = fm.Stop(targets=[1e-2])
    plan = fm.Experiment(objective=BOWL, rule="adam", steps=400, grid=grid, stop=stop)
    fm.run(plan, tmp_path / "adam.h5").close()
    status, said, wrong = script(name, tmp_path / "adam.h5", "-o", tmp_path / "p.png", *words)
    assert (status, wrong) == (0, "")
    assert "theory" not in said
    assert len(unrendered) == 1
