"""How pictures look: styles, sizes, panels beside each other, several runs in motion.

What holds for every page, of any size and style, is in `test_every_page.py`.
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib import style as named_styles
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.cli import app
from fastmomentum.errors import InputError
from fastmomentum.plots import pages
from fastmomentum.plots.marks import FEW
from fastmomentum.plots.style import is_dark

CELLS = {"lr": [1e-3, 1e-3, 2e-3], "momentum": [0.0, 0.9, 0.9]}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("looks") / "valley.h5"
    grid = fm.Grid(lr=[1e-3, 2e-3, 5e-2], momentum=[0.0, 0.9], start=[(-1.2, 1), (0, 2)])
    plan = fm.Experiment(
        title="A valley", objective=fm.Rosenbrock(), rule="momentum", steps=60, grid=grid,
        record={"every": 1}, stop=fm.Stop(targets=[1.0]),
    )  # fmt: skip
    fm.run(plan, path).close()
    return path


@pytest.fixture(scope="module")
def ds(path: Path) -> Any:
    with fm.open(path) as opened:
        yield opened.load()


def called(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [*map(str, words)])
    return done.exit_code, done.output


def drawn(page: Figure) -> bytes:
    """Draw as a file would be; a warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file = io.BytesIO()
        page.savefig(file, format="png", dpi=40)
    return file.getvalue()


# Styles


@pytest.mark.parametrize("name", ["default", *named_styles.available])
def test_every_style_of_matplotlib_draws(name: str, ds: Any) -> None:
    assert drawn(pages.loss(ds, style=name)).startswith(b"\x89PNG")


KINDS = {
    "contour": lambda ds, **look: pages.contour(ds, **look),
    "report": lambda ds, **look: pages.report(ds, **look),
    "phase": lambda ds, **look: pages.phase(ds, **look),
    "loss": lambda ds, **look: pages.loss(ds, **look),
}


@pytest.mark.parametrize("kind", KINDS)
def test_sizes_of_a_style_count_everywhere(kind: str, ds: Any, tmp_path: Path) -> None:
    sheet = tmp_path / "large.mplstyle"
    sheet.write_text("figure.figsize: 16, 12\nfont.size: 24\n")
    usual, large = KINDS[kind](ds), KINDS[kind](ds, style=sheet)
    assert large.get_size_inches().tolist() == [16, 12]

    def sizes(page: Figure) -> dict[str, float]:
        page.draw_without_rendering()
        ax = next(ax for ax in page.axes if ax.get_title() or ax._left_title.get_text())
        found = {
            "ticks": ax.get_xticklabels()[0].get_fontsize(),
            "axis": ax.xaxis.label.get_fontsize(),
            "title": max(t.get_fontsize() for t in (ax.title, ax._left_title) if t.get_text()),
        }
        if page.get_suptitle():
            found["above"] = page._suptitle.get_fontsize()
        found["legend"] = max(t.get_fontsize() for x in page.legends for t in x.get_texts())
        return found

    before, after = sizes(usual), sizes(large)
    ratios = {name: after[name] / before[name] for name in before}
    fitted = ratios.pop("legend")  # may be made to fit
    assert ratios == pytest.approx(dict.fromkeys(ratios, 2.0))
    assert 1.2 < fitted <= 2.0 + 1e-9


def test_contour_labels_are_dark_on_a_light_field_in_a_dark_style(ds: Any) -> None:
    page = pages.report(ds, style="dark_background")
    (ax,) = (ax for ax in page.axes if ax.get_label() == "contour")
    labels = [text for text in ax.texts if text.get_text()]
    assert labels
    assert all(is_dark(text.get_color()) for text in labels)


@pytest.mark.parametrize("count", [FEW, FEW + 3])
def test_no_run_is_drawn_in_the_ground_of_a_dark_style(ds: Any, count: int) -> None:
    runs = [
        plots.Run(np.ones((3, 2)) / (k + 2), np.arange(3), 0.1 + k, 0.5, fm.Status.MAX_STEPS, 2, 1)
        for k in range(count)
    ]
    ax = Figure().add_subplot(facecolor="black")
    drawn = plots.loss_curves(ax, runs, fm.Quadratic(), "momentum")
    from matplotlib.colors import to_rgb

    assert all(max(to_rgb(line.get_color())) > 0.4 for line in drawn.runs)


def test_a_page_is_saved_in_its_style_after_its_context(ds: Any, tmp_path: Path) -> None:
    page = pages.loss(ds, style="dark_background")
    page.savefig(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.size == (2000, 1500)  # the house style's dots an inch
        assert picture.convert("RGB").getpixel((2, 2)) == (0, 0, 0)


# Sizes


def test_letters_and_marks_shrink_with_a_small_picture(ds: Any) -> None:
    large, small = pages.contour(ds, size=(10, 8)), pages.contour(ds, size=(5, 4))
    sizes = [page.findobj(Text)[0].get_fontsize() for page in (large, small)]
    assert sizes[1] < 0.6 * sizes[0]
    widths = [page.axes[0].lines[0].get_markersize() for page in (large, small)]
    assert widths[1] < 0.6 * widths[0]


def test_a_size_without_room_is_refused_in_a_line(path: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "huge.mplstyle"
    sheet.write_text("font.size: 30\n")
    for words in (("plot", "phase"), ("animate",)):
        out = tmp_path / ("a.gif" if words == ("animate",) else "a.png")
        status, said = called(*words, path, "-o", out, "--size", "2x2", "--style", sheet)
        assert status == 2
        assert said.splitlines()[-1] == (
            "2 x 2 inches leave no room for this picture's axes beside its titles and legends; "
            "choose a larger size"
        )
    assert list(tmp_path.iterdir()) == [sheet]


# Beside each other


@pytest.mark.parametrize("kind", ["contour", "surface", "loss"])
def test_each_run_has_a_panel_with_the_same_limits(kind: str, ds: Any) -> None:
    page = getattr(pages, kind)(ds, **CELLS, start=0, beside=True)
    panels = [ax for ax in page.axes if ax.get_title()]
    assert [ax.get_title().split("\n")[0] for ax in panels] == [
        "lr 0.001, momentum 0", "lr 0.001, momentum 0.9", "lr 0.002, momentum 0.9"
    ]  # fmt: skip
    assert len({(ax.get_xlim(), ax.get_ylim(), ax.get_xscale()) for ax in panels}) == 1
    assert "from (\N{MINUS SIGN}1.2, 1)" in page.get_suptitle()
    assert len(page.said) == 3
    drawn(page)


def test_starts_that_differ_are_named_in_each_panel(ds: Any) -> None:
    page = pages.contour(ds, lr=1e-3, momentum=0.9, start=[0, 1], beside=True)
    titles = [ax.get_title().split("\n")[1] for ax in page.axes if ax.get_title()]
    assert titles == ["from (\N{MINUS SIGN}1.2, 1)", "from (0, 2)"]


def test_beside_draws_a_dozen_at_most(ds: Any, path: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--beside draws 12 runs at most: got 13"):
        pages.contour(ds, lr=[1e-3] * 13, momentum=0.9, beside=True)
    words = [word for lr in range(13) for word in ("--lr", 1e-3 * (1 + lr))]
    status, said = called("plot", "loss", path, "-o", tmp_path / "a.png", "--beside", *words)
    assert (status, said) == (2, "--beside draws 12 runs at most: got 13\n")


# Several runs in motion


def test_several_runs_move_together_each_in_its_colour(ds: Any) -> None:
    runs = [plots.run_of(fm.replay(ds, lr=lr, momentum=m)) for lr, m in ((1e-3, 0.0), (2e-3, 0.9))]
    assert runs[1].n_steps < runs[0].n_steps  # and then it stays where it ended
    objective = fm.Rosenbrock()
    field = plots.sample(objective, plots.window(objective, runs), points=21)
    figure = Figure(figsize=(8, 5), dpi=40, layout="constrained")
    report = plots.runs_report(figure, runs, field, "momentum", title="T", steps=[0, 1, 60])
    renderer = plots.FrameRenderer(report)
    assert len(renderer) == 3
    frames = [renderer.frame(i) for i in (0, 1, 2)]
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])
    heads = [
        artist for part in report.parts for artist in part.artists
        if artist.axes is report.axes["contour"] and artist.get_marker() == "o"
        and artist.get_zorder() == 7
    ]  # fmt: skip
    for frame, step in ((1, 1), (2, 60)):
        report.show(frame)
        np.testing.assert_allclose(
            [head.get_xydata()[0] for head in heads],
            [run.points[min(step, run.n_steps)] for run in runs],
        )
    assert len({head.get_markerfacecolor() for head in heads}) == 2
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[0].startswith("lr 0.001, momentum 0: ")
    assert labels[1] == f"lr 0.002, momentum 0.9: converged in {runs[1].n_steps} steps"


@pytest.mark.parametrize("end", ["gif", "html"])
def test_the_command_animates_several_runs(end: str, path: Path, tmp_path: Path) -> None:
    out = tmp_path / f"race.{end}"
    cells = ("--lr", 1e-3, "--momentum", 0, "--momentum", 0.9)
    status, said = called("animate", path, "-o", out, "--frames", 3, "--size", "8x5", *cells)
    assert status == 0, said
    assert [line.split()[0] for line in said.splitlines()] == ["cell", "cell", "wrote"]
    if end == "gif":
        with Image.open(out) as picture:
            assert picture.n_frames == 3


def test_more_runs_than_colours_do_not_move_together(path: Path, tmp_path: Path) -> None:
    words = [word for k in range(7) for word in ("--momentum", 0.1 * k)]
    status, said = called("animate", path, "-o", tmp_path / "a.gif", "--lr", 1e-3, *words)
    assert (status, said) == (2, "6 runs at most move in one picture: got 7; leave some out\n")
    status, said = called(
        "animate", path, "-o", tmp_path / "a.gif",
        "--lr", 1, "--lr", 2, "--momentum", 0, "--momentum", 0.5, "--momentum", 0.9,
    )  # fmt: skip
    assert (status, said.count("\n")) == (2, 1)
    assert said.startswith("--lr, --momentum and --start must be given equally often, or once")


@pytest.mark.parametrize("style", ["default", "dark_background"])
def test_clouds_and_bands_of_seeds_stand_out_from_their_ground(style: str) -> None:
    points = np.random.default_rng(0).normal(size=(40, 2))
    curve = xr.DataArray(
        np.arange(25.0).reshape(5, 5) + 1.0,
        dims=("quantile", "step"),
        coords={"quantile": [0.05, 0.25, 0.5, 0.75, 0.95], "step": np.arange(5)},
    )
    with named_styles.context(style):
        left, right = Figure().subplots(1, 2)
        cloud = plots.cloud(left, points, np.eye(2), (0.0, 0.0))
        names = [str(i) for i in range(7)]
        bands = plots.bands(right, [curve] * 7, names, means=[(np.arange(1, 5), np.ones(4))])
        ground = left.get_facecolor()
    lines = [*cloud.theory, *cloud.measured, *bands.medians, *bands.means]
    colours = [to_rgb(line.get_color()) for line in lines] + [cloud.dots.get_facecolor()[0][:3]]
    assert len(colours) == 4 + 8 + 1
    for colour in colours:
        assert np.linalg.norm(np.subtract(colour, to_rgb(ground))) > 0.5


def test_the_lone_cell_of_a_legend_is_seen_on_a_dark_ground() -> None:
    from fastmomentum.plots.fastest_cells import LONE

    assert not is_dark(LONE["markerfacecolor"])
    assert is_dark(LONE["markeredgecolor"])
