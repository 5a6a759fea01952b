"""Every page, light and dark, small and large: nothing is cut off, and everything is seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba_array
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum.analysis import refine
from fastmomentum.cli.pictures import KINDS
from fastmomentum.plots import fields, pages
from tests.wheel.draw_all import PICTURES

Made = dict[str, Any]

BOWL = fm.Quadratic(1.0, 0.0, 9.0)
X = np.array([-1.0, 0.0, 1.0, 1.5])

DRAWN: dict[str, Callable[..., Figure]] = {
    "contour": lambda made, **look: pages.contour(made["runs"], **look),
    "contour beside": lambda made, **look: pages.contour(made["runs"], beside=True, **look),
    "surface": lambda made, **look: pages.surface(made["runs"], **look),
    "report": lambda made, **look: pages.report(made["runs"], **look),
    "report of a line": lambda made, **look: pages.report(made["rows"], **look),
    "phase": lambda made, **look: pages.phase(made["runs"], cycles=9, **look),
    "phase beside": lambda made, **look: pages.phase(made["runs"], beside=True, **look),
    "phase of rates": lambda made, **look: pages.phase(made["runs"], show="rate", **look),
    "phase over nu": lambda made, **look: pages.phase(made["nu"], over="nu", **look),
    "phase of seeds' mean": lambda made, **look: pages.phase(made["rows"], seeds="mean", **look),
    "phase of seeds' share": lambda made, **look: pages.phase(made["rows"], seeds="share", **look),
    "refined": lambda made, **look: pages.refined(made["fine"], **look),
    "basins": lambda made, **look: pages.basins(made["runs"], over="momentum", **look),
    "loss": lambda made, **look: pages.loss(made["runs"], **look),
    "loss of seeds": lambda made, **look: pages.loss(made["noisy"], bands=True, **look),
    "schedule": lambda made, **look: pages.schedule(made["plan"], **look),
    "duel": lambda made, **look: pages.duel(made["runs"], made["other"], **look),
    "batches": lambda made, **look: pages.batches(made["rows"], **look),
    "stationary": lambda made, **look: pages.stationary(made["noisy"], **look),
    "cycles": lambda made, **look: pages.cycles(cells=6, steps=60, **look),
    "comparison": lambda made, **look: pages.comparison(
        {"heavy ball": made["runs"], "Nesterov": made["other"]}, **look
    ),
}
"""By kind of page, and what is particular about it."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """Small results of every sort."""
    mesh = {"x": [-1.0, 0.5, 2.0], "y": [-1.0, 2.0]}
    grid = fm.Grid(lr=np.linspace(0.05, 0.4, 5), momentum=[0.0, 0.45, 0.9], start=mesh)
    runs = fm.Experiment(
        title="A bowl, and the heavy ball in it", objective=BOWL, rule="momentum", steps=60,
        grid=grid, stop=fm.Stop(targets=[1e-6]),
    )  # fmt: skip
    plan = fm.Experiment(
        objective=BOWL, rule="momentum", steps=60, grid=fm.Grid(lr=0.1, start=[(1, 1)]),
        schedule={"lr": {"kind": "cosine", "steps": 60}, "momentum": {"kind": "nesterov"}},
    )  # fmt: skip
    coarse = fm.Grid(lr=np.linspace(0.05, 0.4, 5), momentum=np.linspace(0, 0.9, 5), start=[(1, 1)])
    one = fm.Grid(lr=0.05, momentum=0.5, start=[(1, 1)], seed=20)
    cells = {"lr": [0.01, 0.02], "momentum": [0.0, 0.5], "start": [(0, 0)]}
    fine = tmp_path_factory.mktemp("fine") / "fine.h5"
    refine(fm.run(_changed(runs, grid=coarse), n_jobs=1), fine, levels=2, n_jobs=1)
    with fm.open(fine) as opened:
        yield {
            "plan": plan,
            "fine": opened,
            "runs": fm.run(runs, n_jobs=1),
            "other": fm.run(_changed(runs, rule="nesterov"), n_jobs=1),
            "nu": fm.run(_changed(runs, rule="qhm", grid=_over_nu()), n_jobs=1),
            "noisy": fm.run(_changed(runs, grid=one, noise={"gaussian": 0.1}, stop={}), n_jobs=1),
            "rows": fm.run(fm.Experiment(
                objective=fm.MSE.from_arrays(X, [1.0, 2.0, 2.0, 5.0]), rule="momentum", steps=1000,
                batch={"size": 1, "draw": "replacement"}, grid=fm.Grid(**cells, seed=20),
            ), n_jobs=1),
        }  # fmt: skip


def _over_nu() -> fm.Grid:
    return fm.Grid(lr=[0.1, 0.2], momentum=[0.0, 0.5], start=[(1, 1)], rule={"nu": [0.5, 0.7, 1.0]})


def _changed(plan: fm.Experiment, **changes: Any) -> fm.Experiment:
    kept = {"title", "objective", "rule", "steps", "grid", "stop"}
    return fm.Experiment(**{name: getattr(plan, name) for name in kept} | changes)


@pytest.fixture(autouse=True)
def coarsely(monkeypatch: pytest.MonkeyPatch) -> None:
    """Surfaces and contours of few points: what is measured lies around them."""

    def sampled(objective: Any, window: Any, points: int = 0, scale: Any = "auto") -> Any:
        return fields.sample(objective, window, 31, scale)

    for module in ("paths", "compared"):
        monkeypatch.setattr(f"fastmomentum.plots.pages.{module}.sample", sampled)


def test_every_page_and_every_kind_of_picture_is_drawn_here() -> None:
    assert {name.partition(" ")[0] for name in DRAWN} == set(pages._HOMES)
    assert set(KINDS) | {"comparison"} == set(pages._HOMES)
    assert set(PICTURES) == set(KINDS)  # by the wheel too


@pytest.mark.parametrize("size", [(4, 3), (16, 9)], ids=str)
@pytest.mark.parametrize("kind", DRAWN)
def test_nothing_lies_outside_of_a_figure_of_any_size(kind: str, size: Any, made: Made) -> None:
    nothing_lies_outside_of(DRAWN[kind](made, size=size))


def nothing_lies_outside_of(page: Figure) -> None:
    page.draw_without_rendering()
    parts = [page.get_tightbbox(), *(
        artist.get_window_extent().transformed(page.dpi_scale_trans.inverted())
        for artist in [*page.legends, *page.texts] if artist.get_visible()
    )]  # fmt: skip
    wide, high = page.get_size_inches()
    for part in parts:
        assert part.x0 >= -0.02
        assert part.y0 >= -0.02
        assert part.x1 <= wide + 0.02
        assert part.y1 <= high + 0.02


def brightness(colour: Any) -> float:
    return float(np.dot(to_rgba_array(colour)[0, :3], (0.299, 0.587, 0.114)))


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("kind", DRAWN)
def test_letters_stand_out_from_their_ground_and_grids_do_not(
    kind: str, style: str, made: Made
) -> None:
    page = DRAWN[kind](made, style=style)
    if style == "default" or any(ax.name == "3d" for ax in page.axes):  # colours move nothing
        nothing_lies_outside_of(page)  # by which the grids of surfaces get their colours
    ground = brightness(page.get_facecolor())
    assert (ground < 0.5) == (style == "dark_background")
    letters = [page._suptitle, *page.texts]
    lines = []
    for ax in page.axes:
        letters += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label]
        letters += [ax.xaxis.get_major_ticks(1)[0].label1, ax.yaxis.get_major_ticks(1)[0].label1]
        if ax.name == "3d":
            lines += [axis.gridlines for axis in (ax.xaxis, ax.yaxis, ax.zaxis)]
        else:
            lines += [line for axis in (ax.xaxis, ax.yaxis) for line in axis.get_gridlines()]
    for legend in page.legends:
        behind = brightness(legend.get_frame().get_facecolor()) if legend.get_frame_on() else ground
        for text in legend.get_texts():
            assert abs(brightness(text.get_color()) - behind) > 0.5, text.get_text()
    faintest = min(
        abs(brightness(text.get_color()) - ground) for text in letters if text and text.get_text()
    )
    assert faintest > 0.5
    seen = [line for line in lines if line.get_visible()]
    for line in seen:
        alpha = line.get_alpha() or 1.0
        assert 0.03 < alpha * abs(brightness(line.get_color()) - ground) < 0.5 * faintest
    assert seen or kind.partition(" ")[0] not in {"loss", "schedule", "batches", "comparison"}


@pytest.mark.parametrize("kind", ["loss", "loss of seeds", "schedule", "batches", "comparison"])
def test_no_curve_is_drawn_in_the_ground_of_a_dark_style(kind: str, made: Made) -> None:
    page = DRAWN[kind](made, style="dark_background")
    curves = [
        line for ax in page.axes if not ax.collections or kind != "comparison" for line in ax.lines
    ]
    curves = [line for line in curves if line.get_linestyle() != "None"]
    assert len(curves) >= 2
    for line in curves:
        assert brightness(line.get_color()) > 0.2 or line.get_path_effects(), line.get_label()
