"""Noise, batches and seeds in experiments: what is said, what is refused, what stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.errors import FileError
from fastmomentum.experiment.describing import place_of
from fastmomentum.experiment.narrowing import narrowed
from fastmomentum.experiment.seeds import MOST_COUNTED
from fastmomentum.store.untrusted import parsed_experiment
from tests.helpers import LINE_X, LINE_Y

NOISE = {"gaussian": 0.1}


def plan(noise: Any = None, batch: Any = None, objective: Any = None, **grid: Any) -> fm.Experiment:
    return fm.Experiment(
        objective=objective or fm.Rosenbrock(),
        rule="momentum",
        steps=10,
        grid=fm.Grid(lr=[1e-3, 2e-3], momentum=0.9, start=[(1, 1)], **grid),
        noise=noise,
        batch=batch,
    )


def line() -> fm.MSE:
    return fm.MSE.from_arrays(LINE_X, LINE_Y)


def test_what_is_not_random_says_nothing_of_it() -> None:
    """So canonical forms of version 0.1 stay, byte for byte."""
    text = plan().canonical
    for key in ("noise", "batch", "seed"):
        assert f'"{key}"' not in text


def test_a_count_and_a_list_of_seeds() -> None:
    counted = plan(NOISE, seed=3)
    assert next(iter(counted.grid.axes)) == "seed"
    assert counted.grid.shape == (3, 2, 1, 1)
    assert counted.grid.seeds.tolist() == [0, 1, 2]
    listed = plan(NOISE, seed=[2**63 - 1, 5])
    assert listed.grid.seeds.tolist() == [5, 2**63 - 1]
    assert plan(NOISE).grid.seeds.tolist() == [0]
    assert "seed" not in plan(NOISE).grid.axes


@pytest.mark.parametrize(
    "given", [np.int64(3), 3.0, range(2), np.array([1, 4]), (1, 4), np.array(2), [1.0, 4.0]]
)
def test_seeds_of_any_type(given: Any) -> None:
    one = plan(NOISE, seed=given)
    assert fm.Experiment.from_canonical(one.canonical) == one


@pytest.mark.parametrize(
    "options",
    [
        {"noise": NOISE, "seed": 16},
        {"noise": {"gaussian": 0.0, "common": False}, "seed": [7, 1]},
        {"batch": {"size": 3}, "objective": line()},
        {"batch": {"size": 4, "draw": "replacement"}, "objective": line(), "noise": NOISE},
    ],
)
def test_canonical_form_and_back(options: dict[str, Any]) -> None:
    one = plan(**options)
    assert fm.Experiment.from_canonical(one.canonical) == one
    assert parsed_experiment(one.canonical, one.sha256, 10**6).canonical == one.canonical


def test_a_results_file_may_not_ask_for_more_runs_than_it_has_bytes() -> None:
    one = plan(NOISE, seed=MOST_COUNTED)
    with pytest.raises(FileError, match="more runs than the file has bytes"):
        parsed_experiment(one.canonical, one.sha256, 10**6)


REFUSED = [
    ({"seed": 16}, "grid.seed must be left out, as nothing is random: got 16"),
    ({"noise": {"gaussian": -1}}, "noise.gaussian must be at least 0: got -1"),
    ({"noise": {}}, "noise.gaussian is missing; add it, such as gaussian = 0.1"),
    ({"noise": {"gausian": 0.1}}, "noise.gausian: no such key; did you mean 'gaussian'?"),
    ({"noise": {"gaussian": np.nan}}, "noise.gaussian must be a finite number"),
    ({"noise": {"gaussian": 0.1, "common": 1}}, "noise.common must be true or false: got 1"),
    ({"noise": 0.1}, "noise must be a table with the keys gaussian, common: got 0.1"),
    ({"batch": {"size": 3}}, "batch must be left out, as rosenbrock is no sum over rows"),
    ({"batch": {"size": 5}, "objective": line()}, "batch.size must be at most 4, the rows"),
    ({"batch": {"size": 0}, "objective": line()}, "batch.size must be at least 1: got 0"),
    ({"batch": 32}, "batch must be a table with the keys size, draw: got 32"),
    ({"batch": {"size": 3, "draw": "shufle"}, "objective": line()}, "batch.draw must be 'shuffle'"),
]


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_bad_input_in_a_line(options: dict[str, Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        plan(**options)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


SEEDS = [
    (0, "must be how many seeds, from 1 to 10,000,000: got 0"),
    (-3, "must be how many seeds, from 1 to 10,000,000: got -3"),
    (10**9, "must be how many seeds, from 1 to 10,000,000: got 1000000000"),
    (1.5, "must be how many seeds, a whole number, or a list of seeds: got 1.5"),
    (True, "must be how many seeds, a whole number, or a list of seeds: got true"),
    ("3", "must be how many seeds, a whole number, or a list of seeds: got '3'"),
    ([], "is empty; give at least one seed, such as [0]"),
    ([1, 1], "has 1 more than once (entries 0 and 1); list each seed once"),
    ([0, -1], "must hold whole numbers from 0 to 2^63 - 1: got -1 (entry 1)"),
    ([2**63], "must hold whole numbers from 0 to 2^63 - 1: got 9223372036854775808 (entry 0)"),
    ([0.5], "must hold whole numbers from 0 to 2^63 - 1: got 0.5 (entry 0)"),
]


@pytest.mark.parametrize(("given", "message"), SEEDS)
def test_seeds_that_are_none(given: Any, message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        plan(NOISE, seed=given)
    assert str(caught.value).startswith(f"seed {message}")


def test_an_experiment_file(tmp_path: Path) -> None:
    path = tmp_path / "noisy.toml"
    path.write_text(
        'steps = 10\nobjective.name = "rosenbrock"\nrule.name = "momentum"\n'
        "[grid]\nlr = 1e-3\nmomentum = 0.9\nstart = [[1, 1]]\nseed = 16\n"
        "[noise]\ngaussian = 0.1\ncommon = false\n"
    )
    found = fm.load(path)
    assert found.noise == fm.Noise(gaussian=0.1, common=False)
    assert found.grid.seed == 16
    with pytest.raises(fm.InputError, match=r"grid\.seed must be how many seeds"):
        fm.load(path, ["grid.seed=0"])
    assert found.summary["noise"].startswith("gaussian, standard deviation 0.1")
    assert place_of(found.grid, 3).startswith("seed 3, lr 0.001")


def test_a_seed_is_kept_when_a_grid_is_narrowed() -> None:
    """A number would be how many seeds, and give others."""
    grid = narrowed(plan(NOISE, seed=16).grid, {"seed": 7})
    assert grid.seeds.tolist() == [7]
