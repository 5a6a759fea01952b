"""Maps with the region of cycles over them, in Python and by the command."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum.cli.pictures import draw


def grid_of(objective: Any, path: Path, /, **axes: Any) -> Path:
    fm.run(
        fm.Experiment(
            objective=objective,
            rule="momentum",
            steps=60,
            grid=fm.Grid(
                lr=np.geomspace(1e-3, 0.2, 8), momentum=[0.0, 0.4, 0.8], start=[(1, 1)], **axes
            ),
            stop=fm.Stop(targets=[1e-6]),
        ),
        path,
        n_jobs=1,
    ).close()
    return path


def labels(page: Figure) -> list[str]:
    return [text.get_text() for text in page.legends[0].get_texts()]


@pytest.mark.parametrize("show", ["hit", "status", "rate"])
def test_cycles_are_drawn_over_every_map(tmp_path: Path, show: Any) -> None:
    with fm.open(grid_of(fm.Quadratic(1.0, 0.0, 25.0), tmp_path / "q.h5")) as ds:
        said = labels(fm.plots.phase(ds, show=show, cycles=25))
        assert not any("cycles of" in one for one in labels(fm.plots.phase(ds, show=show)))
    assert "cycles of 2 to 25 points: on some f of curvature 1 to 25 (theory)" in said


def test_curvatures_are_the_objectives_unless_given(tmp_path: Path) -> None:
    with fm.open(grid_of(fm.Rosenbrock(), tmp_path / "r.h5")) as ds:
        said = labels(fm.plots.phase(ds, cycles=5, curvatures=(2.0, 30.0)))
    assert any(one.startswith("cycles of 2 to 5 points: on some f of curvature 2 to 30")
               for one in said)  # fmt: skip


def test_the_command_draws_them(tmp_path: Path, capsys: Any) -> None:
    results, picture = grid_of(fm.Booth(), tmp_path / "b.h5"), tmp_path / "b.png"
    draw("phase", [str(results), "-o", str(picture), "--cycles"], "fastmomentum plot phase")
    assert picture.stat().st_size > 10_000
    assert "wrote" in capsys.readouterr().out


def test_the_command_measures_without_a_file(tmp_path: Path, capsys: Any, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    draw("cycles", ["--cells", "6", "--steps", "60", "--size", "6x5"], "fastmomentum plot cycles")
    assert [line.partition(" ")[0] for line in capsys.readouterr().out.splitlines()] == [
        "36", "wrote"
    ]  # fmt: skip
    assert [file.name for file in tmp_path.iterdir()] == ["cycles.png"]
    for words, line in (
        (["a.h5"], "unrecognized arguments: a.h5"),
        (["--cells", "1"], "--cells must be 2 or more: got 1"),
        (["-o", "a.txt"], "-o must end in .png, .svg, .pdf"),
    ):
        with pytest.raises(fm.InputError, match=re.escape(line)):
            draw("cycles", words)


@pytest.mark.parametrize("over_a_map", [True, False])
@pytest.mark.parametrize("mu", [1.0, 20.0])
def test_the_proved_line_comes_down_to_the_axis(over_a_map: bool, mu: float) -> None:
    if over_a_map:
        ax = Figure().add_subplot(xlim=(0.0, 0.16), ylim=(0.0, 1.0))
        line = fm.plots.cycle_region(ax, mu, 25.0).proved
    else:
        ax = fm.plots.pages.cycles(mu, 25.0, cells=4, steps=50).axes[0]
        (line,) = (one for one in ax.lines if str(one.get_label()).startswith("converges"))
    lr, momentum = np.asarray(line.get_xydata()).T
    assert (lr[-1], momentum[-1]) == (2 / 25, 0.0)
    np.testing.assert_allclose(momentum[-2], mu / 25)  # where the closed form ends
    np.testing.assert_allclose(momentum[:-2], fm.theory.converging_momentum(lr[:-2], mu, 25.0))
    places = ax.transAxes.inverted().transform(ax.transData.transform(np.c_[lr, momentum]))
    assert np.linalg.norm(np.diff(places[:-1], axis=0), axis=1).max() < 0.01  # no corners


@pytest.mark.parametrize(
    ("objective", "words", "line"),
    [
        (fm.Booth(), "--cycles 1", "--cycles must be 2 or more points: got 1"),
        (fm.Booth(), "--curvatures 1,2", "--curvatures goes with --cycles"),
        (fm.Booth(), "--cycles 5 --curvatures 1", "--curvatures must be two numbers MU,L, 0 < MU"),
        (fm.Booth(), "--cycles 5 --curvatures 3,2", "0 < mu < L: got mu = 3.0, L = 2.0"),
        (fm.Rosenbrock(), "--cycles", "--cycles: rosenbrock has no known curvatures 0 < mu < L; "
                                      "give them: --curvatures MU,L"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_gets_a_line(
    tmp_path: Path, objective: Any, words: str, line: str
) -> None:
    results = grid_of(objective, tmp_path / "m.h5")
    with pytest.raises(fm.InputError, match=re.escape(line)):
        draw("phase", [str(results), *words.split()], "fastmomentum plot phase")


def test_cycles_are_of_learning_rate_and_momentum_alone(tmp_path: Path) -> None:
    results = grid_of(fm.Quadratic(), tmp_path / "a.h5", objective={"hyy": [10.0, 25.0]})
    with fm.open(results) as ds:
        with pytest.raises(fm.InputError, match="--cycles is drawn over lr and momentum"):
            fm.plots.phase(ds, y="objective_hyy", cycles=9)
        said = labels(fm.plots.phase(ds, cycles=9, at={"objective_hyy": 25.0}))
    assert any("of curvature 1 to 25" in one for one in said)
