"""What stands beside and above axes: nothing is cut in two, nothing lies on anything else."""

from __future__ import annotations

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum.plots import pages
from fastmomentum.plots.casing import scale_marks
from fastmomentum.plots.pages.page import new_page, wrapped
from fastmomentum.plots.phases import count_ticks


@pytest.mark.parametrize(
    "whole", ["(\N{MINUS SIGN}1.2, 1)", r"$2.64\times10^{-10}$", "4,097 x 4,097"]
)
@pytest.mark.parametrize("before", range(0, 60, 3))
def test_a_line_does_not_end_within_a_point_or_a_power(whole: str, before: int) -> None:
    page = new_page({}, None, (4.0, 3.0))
    said = "x " * before + whole + " and so on"
    text = wrapped(page, said, "axes.titlesize")
    assert whole in text
    assert re.sub(r"\s", " ", text) == said


def test_a_power_takes_the_room_that_it_has_when_it_is_drawn() -> None:
    page = new_page({}, None, (4.0, 3.0))
    plain = wrapped(page, "f = 2.64x10-10 after 5,000 steps", "axes.titlesize")
    power = wrapped(page, r"f = $2.64\times10^{-10}$ after 5,000 steps", "axes.titlesize")
    assert plain.count("\n") == power.count("\n")
    assert plain.split("after")[1] == power.split("after")[1]


def test_the_legend_of_many_runs_leaves_the_title_free() -> None:
    grid = fm.Grid(lr=[1e-4, 1e-3], momentum=[0.0, 0.9], start=[(-1.2, 1), (0, 2)])
    ds = fm.run(fm.Experiment(
        title="A title of many words, which takes all of the page's width and more, in two lines",
        objective="rosenbrock", rule="momentum", steps=9, grid=grid, record={"every": 1},
    ))  # fmt: skip
    cells = [(lr, m, start) for lr in (1e-4, 1e-3) for m in (0.0, 0.9) for start in (0, 1)]
    lr, momentum, start = (list(values) for values in zip(*cells, strict=True))
    page = pages.contour(ds, lr, momentum, start)
    FigureCanvasAgg(page).draw()
    parts = [legend.get_window_extent() for legend in page.legends]
    assert len(parts) == 2
    parts += [page._suptitle.get_window_extent(), *(ax.get_window_extent() for ax in page.axes)]
    for i, one in enumerate(parts):
        assert not any(one.overlaps(other) for other in parts[i + 1 :])
    said = [text.get_text() for text in page.legends[0].get_texts()]
    assert {"learning rate", "momentum", "start"} < set(said)


def test_steps_of_a_short_run_are_whole() -> None:
    ds = fm.run(fm.Experiment(
        objective="rosenbrock", rule="momentum", steps=50,
        grid=fm.Grid(lr=0.05, momentum=[0.0, 0.1], start=[(-5, -5)]),
    ))  # fmt: skip
    page = fm.plots.loss(ds, momentum=[0.0, 0.1])
    ticks = page.axes[0].get_xticks()
    assert page.axes[0].get_xscale() == "linear"
    assert np.array_equal(ticks, np.round(ticks))


def test_bars_of_errors_shrink_with_a_small_picture() -> None:
    figure = Figure()
    figure.add_subplot().errorbar([0, 1], [0, 1], 0.1, elinewidth=2.0)
    scale_marks(figure, 0.5)
    assert [bars.get_linewidth() for bars in figure.findobj(LineCollection)] == [[1.0]]


@pytest.mark.parametrize(("low", "high"), [(873, 1491), (2, 9), (30, 400), (1, 1e6)])
def test_a_bar_of_counts_has_several_labels(low: float, high: float) -> None:
    figure = Figure()
    bar = figure.colorbar(ScalarMappable(LogNorm(low, high)), ax=figure.add_subplot())
    count_ticks(bar, low, high)
    seen = [tick for tick in bar.ax.get_yticks() if low <= tick <= high]
    assert len(seen) >= 3
    assert np.array_equal(seen, np.round(seen))
