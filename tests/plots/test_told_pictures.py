"""Pictures name what is in them, and say what is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import fastmomentum as fm
from fastmomentum import plots, schema
from fastmomentum.cli.films import animate
from fastmomentum.cli.pictures import draw
from fastmomentum.plots.marks import keys_of, marks_of
from fastmomentum.results.neighbours import medians
from fastmomentum.rules import Parameter
from fastmomentum.status import Status

BOWL = fm.Quadratic(1.0, 0.0, 25.0)


def experiment(**fields: Any) -> fm.Experiment:
    return fm.Experiment(
        **{
            "objective": BOWL,
            "rule": "momentum",
            "steps": 400,
            "grid": fm.Grid(
                lr=np.geomspace(1e-3, 0.2, 8), momentum=[0.0, 0.5, 0.9], start=[(1, 1)]
            ),
            "stop": fm.Stop(targets=[1e-8]),
        }
        | fields
    )


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("told") / "bowl.h5"
    fm.run(experiment(), path)
    return path


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def titles(figure: Figure) -> str:
    parts = [figure.get_suptitle(), *(ax.get_title() for ax in figure.axes)]
    return " ".join(" ".join(parts).split())


def lines_named(figure: Figure) -> dict[str, list[Line2D]]:
    found: dict[str, list[Line2D]] = {}
    for ax in figure.axes:
        for line in ax.lines:
            found.setdefault(str(line.get_label()), []).append(line)
    return found


def zoom(path: Path, out: Path, lr: str, momentum: str) -> str:
    words = ["zoom", path, "--lr", lr, "--momentum", momentum, "--num", "6", "-o", out]
    done = subprocess.run(
        [sys.executable, "-m", "fastmomentum", *map(str, words)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


def test_zoom_says_where_nothing_converges(path: Path, tmp_path: Path) -> None:
    said = zoom(path, tmp_path / "z.h5", "1:2", "0:0.1")
    with fm.open(path) as ds:
        those = ds.status.isel(start=0) == Status.CONVERGED
        lr = ds.lr.values[those.any("momentum")]
        momentum = ds.momentum.values[those.any("lr")]
    assert "  no run in this window converges\n" in said
    assert (
        f"  in the whole map those that do have lr {lr[0]:.6g} to {lr[-1]:.6g}, "
        f"momentum {momentum[0]:.6g} to {momentum[-1]:.6g}\n"
    ) in said
    assert "  outside of this picture: best in theory: lr 0.111, momentum 0.444" in said


def test_zoom_says_what_lies_outside_of_it(path: Path, tmp_path: Path) -> None:
    """Also where runs converge."""
    said = zoom(path, tmp_path / "z.h5", "0.05:0.08", "0.3:0.6")
    assert "no run" not in said
    assert "  outside of this picture: best in theory: lr 0.111" in said


def test_zoom_of_what_converges_says_no_such_thing(path: Path, tmp_path: Path) -> None:
    said = zoom(path, tmp_path / "z.h5", "0.05:0.15", "0.3:0.6")
    assert "no run" not in said
    assert "outside" not in said


def test_the_picture_of_a_window_says_it_too(path: Path, tmp_path: Path, unrendered) -> None:
    window = fm.run(experiment(grid=fm.Grid(lr=[1.0, 2.0], momentum=[0.0, 0.1], start=[(1, 1)])))
    notes = plots.save_phase_map(window.isel(start=0), tmp_path / "w.png")
    assert notes[0] == "no run in this window converges"
    assert all(note in titles(unrendered[0]) for note in notes)
    assert not any("theory" in text for text in texts(unrendered[0]))
    wild = fm.run(
        experiment(grid=fm.Grid(lr=[1.0, 2.0], momentum=[0.0, 0.1], start=[(1, 1)]), stop=fm.Stop())
    )
    notes = plots.save_phase_map(wild.isel(start=0), tmp_path / "w.png")
    assert notes[0] == "every run in this window diverges"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("plot_phase", []),
        ("plot_phase", ["--show", "status"]),
        ("plot_loss", ["--lr", "0.2", "--lr", "0.001"]),
        ("plot_contour", ["--lr", "0.05", "--window=5,6,5,6"]),
        ("plot_contour", ["--lr", "0.05", "--window=0.5,2,0.5,2"]),
        ("plot_surface", ["--lr", "0.05", "--window=-2,0.5,-2,0.5"]),
    ],
)
def test_a_legend_names_only_what_is_in_the_picture(
    script, path, tmp_path, unrendered, name, words
) -> None:
    status, _, err = script(name, path, "-o", tmp_path / "out.png", *words)
    assert (status, err) == (0, "")
    (figure,) = unrendered
    lines = lines_named(figure)
    for text in texts(figure):
        for line in lines.get(text, []):
            assert plots.is_seen(line), text
    if "--window=5,6,5,6" in words:
        assert texts(figure) == ["1 run lies outside of this picture"]


SAID = "outside of this picture: "


@pytest.mark.parametrize("kind", ["contour", "contour beside", "surface", "report", "animate"])
def test_points_outside_of_a_picture_are_counted_in_a_line(
    kind: str, path: Path, tmp_path: Path, unrendered, capsys
) -> None:
    kind, _, beside = kind.partition(" ")
    words = [str(path), "--lr", "0.05", "--momentum", "0.5", "--window=-2,0.9,-2,2"]
    if kind == "animate":
        animate([*words, "--frames", "2", "--size", "6x4", "-o", str(tmp_path / "a.gif")])
    else:
        draw(kind, [*words, "-o", str(tmp_path / "a.png"), *(["--beside"] if beside else [])])
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith(SAID)]
    with fm.open(path) as ds:
        points = plots.run_of(fm.replay(ds, lr=0.05, momentum=0.5)).points
    out = int((points[:, 0] > 0.9).sum())
    assert said == [f"{SAID}{out} of {len(points)} points"]
    assert out > 0
    if beside or kind == "report":  # else a legend names the run
        (figure,) = unrendered
        assert said[0] in titles(figure) + figure.axes[1].get_title(loc="left")


def test_the_shipped_line_is_drawn_with_its_first_update() -> None:
    plan = fm.load(Path(__file__).parents[2] / "experiments" / "linear_regression.toml")
    ds = fm.run(plan, n_jobs=1)
    page = plots.report(ds)
    (ax,) = (ax for ax in page.axes if ax.get_label() == "contour")
    cell = page.said[0]
    assert page.notes == []
    lr, momentum = (float(word.partition("=")[2]) for word in cell.split()[1:3])
    points = plots.run_of(fm.replay(ds, lr, momentum, 0)).points
    low, high = (np.array(ends) for ends in zip(ax.get_xlim(), ax.get_ylim(), strict=True))
    assert points[1, 0] > 50  # far from where it ends
    assert np.all((points >= low) & (points <= high))


def test_a_duel_names_no_theory_that_is_outside(script, tmp_path, unrendered) -> None:
    grid = fm.Grid(lr=[1e-3, 2e-3], momentum=[0.0, 0.1], start=[(1, 1)])
    for rule in ("momentum", "nesterov"):
        plan = experiment(grid=grid, rule=rule, stop=fm.Stop(targets=[1.0]))
        fm.run(plan, tmp_path / f"{rule}.h5")
    files = [tmp_path / "momentum.h5", tmp_path / "nesterov.h5"]
    status, out, _ = script("plot_duel", *files, "-o", tmp_path / "duel.png")
    assert status == 0
    assert not any("theory" in text for text in texts(unrendered[0]))
    assert out.count("outside of this picture: heavy ball: best in theory") == 1
    assert "outside of this picture: Nesterov: best in theory" in titles(unrendered[0])


def test_basins_of_minima_outside_are_named_by_colour() -> None:
    mesh = {"x": np.linspace(2.0, 2.6, 4), "y": np.linspace(1.0, 1.6, 4)}
    ds = fm.run(
        experiment(
            objective=fm.Himmelblau(), steps=2000, grid=fm.Grid(lr=0.01, momentum=0.0, start=mesh)
        )
    )
    drawn = plots.basin_map(Figure().add_subplot(), ds.isel(lr=0, momentum=0))
    labels = [handle.get_label() for handle in drawn.legend]
    assert labels == ["minimum at (3, 2), outside (100.0%)"]


def test_a_line_may_cross_the_picture_between_its_points() -> None:
    ax = Figure().add_subplot(xlim=(1.0, 2.0), ylim=(0.0, 1.0), xscale="log")
    assert plots.is_seen(ax.plot([1e-3, 1e3], [0.5, 0.5])[0])
    assert not plots.is_seen(ax.plot([1e-3, 0.9], [0.5, 0.5])[0])
    assert not plots.is_seen(ax.plot([np.nan, 1.5], [0.5, np.nan])[0])


def test_parameters_that_differ_stand_in_titles_and_info(script, tmp_path, unrendered) -> None:
    file = tmp_path / "b.h5"
    fm.run(experiment(objective=fm.Rosenbrock(b=20.0), stop=fm.Stop(targets=[1.0])), file)
    fm.run(experiment(objective=fm.Rosenbrock(), stop=fm.Stop(targets=[1.0])), tmp_path / "a.h5")
    for name in ("plot_phase", "plot_contour", "plot_loss"):
        assert script(name, file, "-o", tmp_path / "out.png")[0] == 0
        assert "objective rosenbrock, b = 20, rule momentum" in titles(unrendered[-1])
        assert script(name, tmp_path / "a.h5", "-o", tmp_path / "out.png")[0] == 0
        assert "objective rosenbrock, rule momentum" in titles(unrendered[-1])
    assert script("plot_report", file, "-o", tmp_path / "out.png")[0] == 0
    assert any("; rosenbrock, b = 20" in text.get_text() for text in unrendered[-1].texts)
    from fastmomentum.results.estimate import plan_lines, plan_of
    from fastmomentum.results.info import info_lines, info_of

    assert info_lines(info_of(file))[0] == "experiment: momentum on rosenbrock, b = 20"
    plan = fm.experiment_of(fm.open(file))
    assert plan_lines(plan_of(plan, tmp_path))[0].endswith("on rosenbrock, b = 20")


def test_every_objective_says_what_makes_it_another() -> None:
    for name, kind in fm.OBJECTIVES.items():
        if name not in ("mse", "formula"):  # a formula is told by its text
            assert kind.example().words == name
    halves = fm.MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 2.0, 4.0], "half_sum")
    assert halves.words == "mse, reduction = half_sum"
    assert fm.Quadratic(hyy=25.0, hxy=-0.5).words == "quadratic, hxy = -0.5, hyy = 25"


def test_the_data_panel_names_its_columns(script, tmp_path, unrendered) -> None:
    (tmp_path / "cars.csv").write_text("km,price in $\n1,8\n2,7\n4,6\n")
    fm.run(
        experiment(
            objective=fm.MSE(data=str(tmp_path / "cars.csv"), x="km", y="price in $"),
            stop=fm.Stop(),
        ),
        tmp_path / "cars.h5",
    )
    words = ["--lr", "0.01", "--momentum", "0.5"]
    assert script("plot_report", tmp_path / "cars.h5", "-o", tmp_path / "r.png", *words)[0] == 0
    labels = {(ax.get_xlabel(), ax.get_ylabel()) for ax in unrendered[-1].axes}
    assert ("km", "price in $") in labels


@pytest.mark.parametrize("momenta", [[0.0, 0.5, 0.9], [0.9], [0.0], [0.0, 0.99]])
def test_a_map_shows_no_setting_that_there_cannot_be(momenta: list[float]) -> None:
    ds = fm.run(experiment(grid=fm.Grid(lr=[0.1, 0.2], momentum=momenta, start=[(1, 1)])))
    one = ds.isel(start=0)
    ax = Figure().add_subplot()
    plots.phase_map(ax, one)
    low, high = ax.get_ylim()
    assert 0.0 <= low < high <= 1.0
    assert ax.get_xlim()[0] >= 0.0
    assert low <= min(momenta) <= max(momenta) <= high


BOUNDED = [
    (rule.name, parameter)
    for rule in fm.RULES.values()
    for parameter in rule.parameters
    if np.isfinite([parameter.low, parameter.high]).all()
]
"""Parameters that have two ends, of which a map must not show what lies beyond."""


@pytest.mark.parametrize("shares", [[0.0, 0.5, 0.9], [0.99], [0.0], [0.0, 0.99]])
@pytest.mark.parametrize(
    ("rule", "parameter"), BOUNDED, ids=[f"{rule}-{one.name}" for rule, one in BOUNDED]
)
def test_a_map_shows_no_parameter_that_there_cannot_be(
    rule: str, parameter: Parameter, shares: list[float]
) -> None:
    low, high, name = parameter.low, parameter.high, parameter.name
    values = [low + share * (high - low) for share in shares]
    plan = experiment(
        rule=rule, stop=fm.Stop(),
        grid=fm.Grid(lr=[0.1, 0.2], momentum=0.5, rule={name: values}, start=[(1, 1)]),
    )  # fmt: skip
    nothing = {one.name: np.zeros(one.shape, one.dtype) for one in schema.results(plan)}
    one = fm.results.from_memory(plan, nothing, 0.0).isel(start=0, momentum=0)
    for x, y in (("lr", name), (name, "lr")):
        ax = Figure().add_subplot()
        plots.phase_map(ax, one, x, y)
        ends = ax.get_ylim() if y == name else ax.get_xlim()
        assert low <= ends[0] < ends[1] <= high
        assert ends[0] <= min(values) <= max(values) <= ends[1]


def test_parameters_with_two_ends_are_drawn() -> None:
    assert {("qhm", "nu"), ("adam", "beta2")} <= {(rule, one.name) for rule, one in BOUNDED}


def walks(cells: list[tuple[float, float]], starts: int = 1) -> list[plots.Run]:
    points = np.array([[1.0, 1.0], [0.5, 0.2], [0.1, 0.0]])
    return [
        plots.Run(points + k, np.arange(3), lr, momentum, Status.MAX_STEPS, 2, 0.1)
        for lr, momentum in cells
        for k in range(starts)
    ]


def test_many_cells_are_told_apart_by_axis() -> None:
    runs = walks([(lr, m) for lr in (0.1, 0.2, 0.3, 0.4, 0.5) for m in (0.0, 0.5, 0.9)], starts=2)
    marks = marks_of(runs)
    assert len(set(marks)) == len(runs) == 30
    assert len({(run.lr, mark.colour) for run, mark in zip(runs, marks, strict=True)}) == 5
    assert len({(run.momentum, mark.marker) for run, mark in zip(runs, marks, strict=True)}) == 3
    keys = keys_of(runs, [True] * len(runs))
    assert [(key.title, len(key.handles)) for key in keys] == [
        ("learning rate", 5),
        ("momentum", 3),
        ("start", 2),
    ]
    only = keys_of(runs, [run.lr < 0.25 for run in runs])
    assert [len(key.handles) for key in only] == [2, 3, 2]


@pytest.mark.parametrize("count", [7, 12, 40])
def test_colours_are_not_repeated_and_a_palette_goes_with_the_axis(count: int) -> None:
    runs = walks([(lr, 0.5) for lr in np.geomspace(0.01, 1.0, count)])
    ax = Figure().add_subplot()
    drawn = plots.loss_curves(ax, runs, BOWL, "momentum")
    assert len({line.get_color() for line in drawn.runs}) == count
    (key,) = drawn.keys
    assert key.title == "learning rate"
    assert len(key.handles) == min(count, 10)
    assert [line for line in drawn.handles if line in drawn.runs] == []
    from matplotlib.colors import rgb_to_hsv, to_rgb

    light = [rgb_to_hsv(to_rgb(line.get_color()))[2] for line in drawn.runs]
    assert light == sorted(light)


def test_few_cells_keep_a_line_each() -> None:
    drawn = plots.loss_curves(
        Figure().add_subplot(), walks([(0.1, m / 10) for m in range(6)]), BOWL, "momentum"
    )
    assert not drawn.keys
    assert len({line.get_color() for line in drawn.runs}) == 6
    assert [line.get_label() for line in drawn.handles][:6] == [r.get_label() for r in drawn.runs]


def test_medians_are_those_of_numpy() -> None:
    counts = np.random.default_rng(5).integers(0, 50, (23, 17)).astype(np.int32)
    padded = np.pad(counts, 1, mode="edge")
    for i, j in np.ndindex(counts.shape):
        assert medians(counts)[i, j] == np.median(padded[i : i + 3, j : j + 3])


def phases(hit: np.ndarray) -> xr.Dataset:
    lr, momentum = np.geomspace(1e-3, 1e-2, hit.shape[0]), np.linspace(0.0, 0.8, hit.shape[1])
    status = np.where(hit >= 0, Status.CONVERGED, Status.MAX_STEPS).astype(np.uint8)
    return xr.Dataset(
        {
            "status": (("lr", "momentum"), status),
            "hit_step": (("lr", "momentum", "target"), hit[..., np.newaxis].astype(np.int32)),
        },
        {"lr": lr, "momentum": momentum, "target": [1e-8]},
    )


def test_the_star_is_no_lucky_cell_and_the_lucky_one_is_told() -> None:
    hit = np.full((9, 9), 100)
    hit[5:8, 5:8] = 40
    hit[1, 2] = 3
    drawn = plots.phase_map(Figure().add_subplot(), ds := phases(hit))
    star, lone = drawn.best, drawn.lone
    assert star is not None
    assert lone is not None
    at = star.get_xydata()[0]  # on the block that is fast throughout
    assert at[0] in ds.lr.values[5:8]
    assert at[1] in ds.momentum.values[5:8]
    assert lone.get_xydata().tolist() == [[ds.lr.values[1], ds.momentum.values[2]]]
    assert str(star.get_label()).startswith("fastest in a 3 x 3 median: 40 steps\n(lr")
    assert str(lone.get_label()).startswith("lone fastest cell: 3 steps\n(lr 0.00133, momentum 0.2")
    assert drawn.handles[-2:] == [star, lone]


def test_where_the_fastest_is_not_alone_there_is_one_mark() -> None:
    hit = np.add.outer((np.arange(9) - 4) ** 2, (np.arange(9) - 3) ** 2) + 10
    drawn = plots.phase_map(Figure().add_subplot(), ds := phases(hit))
    assert drawn.best is not None
    assert drawn.lone is None
    assert drawn.best.get_xydata().tolist() == [[ds.lr.values[4], ds.momentum.values[3]]]
    sparse = np.full((9, 9), -1)
    sparse[4, 4] = 7
    drawn = plots.phase_map(Figure().add_subplot(), phases(sparse))
    assert drawn.best is not None
    assert str(drawn.best.get_label()).startswith("fastest: 7 steps (lr")
