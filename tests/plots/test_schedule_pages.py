"""`plot schedule` draws what an experiment file says, and `plan` tells it in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import fastmomentum as fm
from fastmomentum.plots import pages
from fastmomentum.schedules import Schedule
from tests.plots.test_pages import called

FILE = """
title = "Warm"
steps = 400
objective = "rosenbrock"
rule = { name = "nesterov", clip = 5.0, weight_decay = 0.1, restart = "function" }
[grid]
lr = [1e-4, 1e-3]
start = [[-1.2, 1.0]]
[schedule]
lr = [{ kind = "linear", first = 0.1, last = 1.0, steps = 100 }, { kind = "cosine", steps = 300 }]
momentum = { kind = "nesterov" }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "warm.toml"
    path.write_text(FILE)
    return path


def test_the_command_draws_an_experiment_file(file: Path) -> None:
    status, out = called("plot", "schedule", file, "--size", "8x6", "--title", "Mine")
    path = file.with_name("warm_schedule.png")
    assert (status, out) == (0, f"wrote {path}\n")
    with Image.open(path) as picture:
        assert picture.size == (1600, 1200)


def test_the_curves_are_what_runs_take(file: Path) -> None:
    experiment = fm.load(file)
    upper, lower = pages.schedule(experiment).axes
    assert experiment.schedule is not None
    for ax, values in (
        (upper, experiment.schedule.lr_factors(0, 400)),
        (lower, experiment.schedule.momenta(0, 400)),
    ):
        np.testing.assert_array_equal(ax.lines[0].get_xdata(), np.arange(400))
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), values)
    assert upper.get_ylabel() == "factor on the learning rate"
    assert lower.get_ylabel() == "momentum without restarts"  # when they are depends on the run
    assert "restart by function" in upper.get_title()


def test_of_a_long_run_some_updates_are_drawn() -> None:
    experiment = fm.Experiment(
        objective="booth", rule="sgd", steps=10**7, grid=fm.Grid(lr=0.1, start=[(1, 1)]),
        schedule={"lr": {"kind": "cosine_restarts", "steps": 10**6, "growth": 2}},
    )  # fmt: skip
    (ax,) = pages.schedule(experiment).axes
    t, values = ax.lines[0].get_data()
    assert t.size <= 20_000
    assert (t[0], t[-1]) == (0, 10**7 - 1)
    wanted = Schedule.parse(experiment.schedule).lr_factors(int(t[777]), 1)
    assert wanted is not None
    assert values[777] == wanted[0]


def test_what_cannot_be_drawn_gets_a_line(file: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.toml"
    plain.write_text(
        FILE.partition("[schedule]")[0].replace("start = [[", "momentum = 0.9\nstart = [[")
    )
    status, out = called("plot", "schedule", plain)
    assert status == 2
    assert "the experiment has no schedule to draw; add one" in out
    status, out = called("plot", "schedule", tmp_path / "none.toml")
    assert status == 2
    assert "no such file" in out
    status, out = called("plot", "schedule", file, "-o", tmp_path / "warm.gif")
    assert status == 2
    assert "-o must end in .png, .svg, .pdf" in out


def test_the_plan_tells_options_and_schedules(file: Path) -> None:
    status, out = called("plan", file)
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == (
        "Warm: nesterov with weight_decay 0.1, clip 5, restart by function on rosenbrock"
    )
    told = {line[:14].strip(): line[14:] for line in lines}
    assert told["schedule"] == "lr linear 100, then cosine 300; momentum nesterov"
    assert told["decay"].startswith("runs settle between the minimum and 0")
    assert told["restarts"] == ("v is set to 0 when f rose in the update; n_restarts counts it")
    status, out = called("plan", file, "--set", "rule.restart='gradient'")
    assert "restarts      v is set to 0 when the gradient points along the new velocity" in out
