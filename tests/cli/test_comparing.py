"""`fastmomentum compare`: one file, one command, one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastmomentum as fm
from fastmomentum.plots import pages
from tests.storing import command

FILE = """
title = "Momentum or not"
steps = 400
objective = "rosenbrock"
[grid]
lr = { logspace = [1e-5, 1e-2], num = 6 }
momentum = [0.0, 0.5, 0.9]
start = [[-1.2, 1.0], [0.5, 0.5]]
[stop]
targets = [1.0, 1e-2]
bound = 1e6
[compare."heavy ball"]
rule = "momentum"
[compare."Nesterov's"]
rule = "nesterov"
[compare.plain]
rule = "momentum"
grid = { momentum = 0.0 }
"""


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("compared")
    (folder / "rules.toml").write_text(FILE, encoding="utf-8")
    status, said = command("compare", folder / "rules.toml", "-o", folder / "out", "--jobs", 1)
    assert status == 0, said
    return folder, said


def test_results_and_a_picture_of_all(compared: tuple[Path, str]) -> None:
    folder, said = compared
    plans = fm.load_comparison(folder / "rules.toml")
    for name, stem in zip(plans, ("heavy_ball", "nesterov_s", "plain"), strict=True):
        with fm.open(folder / "out" / f"{stem}.h5") as ds:
            assert fm.experiment_of(ds) == plans[name]
            best = fm.analysis.fastest(ds.isel(start=0))
            at = ds.sel(lr=best.cell["lr"], momentum=best.cell["momentum"]).isel(start=0)
            assert int(at.hit_step.isel(target=-1)) == (best.hit_step or -1)
        if best.hit_step is not None:
            assert f"{name}: target after {best.hit_step} steps with lr" in said
    lines = said.splitlines()
    assert lines[-1] == f"wrote {folder / 'out' / 'comparison.png'}"
    assert [line.partition(":")[0] for line in lines[-4:-1]] == list(plans)
    with Image.open(folder / "out" / "comparison.png") as picture:
        assert picture.size == (3000, 1600)


def test_the_same_again_draws_alone(compared: tuple[Path, str]) -> None:
    folder, _ = compared
    words = "compare", folder / "rules.toml", "-o", folder / "out"
    status, said = command(*words)
    assert status == 0
    assert said.count("complete already; only the picture to draw") == 3
    looks = "--quiet", "--style", "dark_background", "--size", "9x6", "--title", "Mine"
    assert command(*words, *looks) == (0, "")
    with Image.open(folder / "out" / "comparison.png") as picture:
        assert picture.size == (1800, 1200)
        assert picture.convert("RGB").getpixel((2, 2)) == (0, 0, 0)
    status, said = command(*words, "--set", "steps=300")
    assert status == 2
    assert "--overwrite" in said


def test_the_curves_are_those_of_the_runs(compared: tuple[Path, str]) -> None:
    folder, _ = compared
    with (
        fm.open(folder / "out" / "heavy_ball.h5") as one,
        fm.open(folder / "out" / "plain.h5") as other,
    ):
        page = pages.comparison({"a": one, "b": other}, (0.5, 0.5), title="Mine")
        axes = {ax.get_title(loc="left")[:6]: ax for ax in page.axes}
        soonest = axes["update"].lines[0]
        steps = fm.analysis.soonest(one.isel(start=1))
        np.testing.assert_array_equal(soonest.get_xdata(), one.lr.values)
        np.testing.assert_array_equal(soonest.get_ydata(), steps.where(np.isfinite(steps)).values)
        best = fm.analysis.fastest(one.isel(start=1))
        path = fm.replay(one, best.cell["lr"], best.cell["momentum"], 1)
        drawn = axes["the be"].lines[0]
        assert drawn.get_xdata()[-1] == best.hit_step
        np.testing.assert_allclose(
            drawn.get_ydata(),
            fm.Rosenbrock().value(*path.trajectory.values[: best.hit_step + 1].T),
        )
    assert page.get_suptitle() == "Mine"
    assert "from (0.5, 0.5)" in page.axes[0].get_title()


def test_what_cannot_be_compared_gets_a_line(compared: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = compared
    alike = FILE.replace('"heavy ball"', '"Plain!"')
    (tmp_path / "alike.toml").write_text(alike, encoding="utf-8")
    status, said = command("compare", tmp_path / "alike.toml", "-o", tmp_path / "out")
    assert status == 2
    assert said == (
        "compare.plain and compare.Plain! would both be written to plain.h5; rename one\n"
    )
    status, said = command("compare", tmp_path / "alike.toml", "-o", tmp_path / "alike.toml")
    assert status == 2
    assert "-o must name a folder" in said
    status, said = command("compare", folder / "rules.toml", "-o", tmp_path / "none" / "out")
    none = tmp_path / "none"
    assert (status, said) == (2, f"{none}: no such folder; make it first, or choose another\n")
    words = "compare", folder / "rules.toml", "-o", tmp_path / "never"
    status, said = command(*words, "--style", "drak")
    assert status == 2
    assert "drak" in said
    status, said = command(*words, "--size", "9")
    assert (status, said) == (
        2, "--size must be WIDTHxHEIGHT in inches, such as 16x9: got '9'\n"
    )  # fmt: skip
    assert not (tmp_path / "never").exists()
    status, said = command("run", folder / "rules.toml", "-o", tmp_path / "a.h5")
    assert status == 2
    assert "run it with fastmomentum compare" in said
    with fm.open(folder / "out" / "plain.h5") as one:
        other = fm.run(fm.experiment_of(one).model_copy(update={"stop": fm.Stop(targets=[1.0])}))
        with pytest.raises(fm.InputError, match="those of a and b differ"):
            pages.comparison({"a": one, "b": other})


def test_without_a_target_the_lowest_loss_is_best() -> None:
    plan = fm.Experiment(
        objective=fm.Rosenbrock(), rule="momentum", steps=100, stop=fm.Stop(bound=1e6),
        grid=fm.Grid(lr=[1e-4, 1e-3, 1e-1], momentum=[0.0, 0.9], start=[(-1.2, 1.0)]),
    )  # fmt: skip
    ds = fm.run(plan, n_jobs=1)
    best = fm.analysis.fastest(ds)
    alive = ds.final_loss.where(ds.status != fm.Status.DIVERGED)
    assert best.loss == float(alive.min())
    assert (best.hit_step, best.converged) == (None, 0.0)
    assert best.diverged == float((ds.status == fm.Status.DIVERGED).mean()) > 0
    page = pages.comparison({"a": ds, "b": ds}, style="dark_background")
    assert page.said[0].startswith(f"a: {best.loss:.3g} at the end with lr 0.001, momentum")
    assert [ax.get_title(loc="left") for ax in page.axes][:2] == ["", "the best run of each"]


def test_a_lone_fastest_cell_is_told_from_the_best_run() -> None:
    plan = fm.Experiment(
        objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum", steps=200,
        grid=fm.Grid(lr=np.geomspace(0.01, 0.1, 7), momentum=np.linspace(0, 0.8, 7), start=[(1, 1)],
        ), stop=fm.Stop(targets=[1e-8]),
    )  # fmt: skip
    ds = fm.run(plan, n_jobs=1).load()
    best = fm.analysis.fastest(ds)
    assert best.lone == best.hit_step
    even = pages.comparison({"a": ds})
    assert not any("lone" in line or "median" in line for line in even.said)
    lucky = ds.copy(deep=True)
    lucky["hit_step"][1, 1] = 3
    assert fm.analysis.fastest(lucky).hit_step == best.hit_step
    page = pages.comparison({"a": ds, "b": lucky})
    assert page.said[0] == (
        "the best run of each is the fastest in a 3 x 3 median over lr and momentum"
    )
    assert [line for line in page.said if "lone" in line] == [page.said[2]]
    assert page.said[2].startswith(f"b: target after {best.hit_step} steps with lr ")
    assert page.said[2].endswith("; lone fastest cell: 3 steps")
    above = [" ".join(ax.get_title(loc="left").split()) for ax in page.axes]
    assert "the best run of each: fastest in a 3 x 3 median" in above
    assert "updates to $10^{-8}$, fastest in a 3 x 3 median" in above
    assert page.said[2] in [text.get_text() for text in page.legends[0].get_texts()]
