"""Grids: which runs there are, which run is which cell, and what makes no grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.labels import values_of

START = "start must be a list of points, or a table of the axes x and y: "


def grid(**changes: Any) -> fm.Grid:
    fields: dict[str, Any] = {"lr": 0.1, "momentum": 0.9, "start": [(1, 2)]}
    return fm.Grid(**(fields | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lr": 0}, "lr must be positive: got 0.0"),
        ({"lr": [0.1, -0.1]}, "lr must be positive: got -0.1 (entry 1); drop it"),
        (
            {"lr": {"linspace": [0, 1], "num": 3}},
            "lr must be positive: got 0.0; raise the range's start",
        ),
        (
            {"lr": {"linspace": [1, -1], "num": 3}},
            "lr must be positive: got -1.0; raise the range's end",
        ),
        (
            {"lr": {"linspace": [1, 2], "num": 3, "include": [3, -3]}},
            "lr.include must be positive: got -3.0 (entry 1); drop it",
        ),
        ({"momentum": 1.2}, "momentum must lie in [0, 1): got 1.2"),
        ({"momentum": 1}, "momentum must lie in [0, 1): got 1.0"),
        (
            {"momentum": [0.1, 0.5, 0.9, 0.95, 0.96, 0.97, 0.98, 1.2]},
            "momentum must lie in [0, 1): got 1.2 (entry 7); drop it",
        ),
        (
            {"momentum": [0.5, -0.1, 1.5]},
            "momentum must lie in [0, 1): got -0.1 (entry 1); drop it",
        ),
        (
            {"momentum": {"linspace": [0, 1], "num": 5}},
            "momentum must lie in [0, 1): got 1.0; lower the range's end",
        ),
        (
            {"momentum": {"linspace": [1, 0], "num": 5}},
            "momentum must lie in [0, 1): got 1.0; lower the range's start",
        ),
        (
            {"momentum": {"arange": [-0.5, 0.5, 0.5]}},
            "momentum must lie in [0, 1): got -0.5; raise the range's start",
        ),
        (
            {"momentum": {"linspace": [0, 0.9], "num": 5, "include": [1.0]}},
            "momentum.include must lie in [0, 1): got 1.0 (entry 0); drop it",
        ),
        (
            {"momentum": np.array([0.5, np.nan])},
            "momentum must be a finite number: got nan (entry 1); drop it",
        ),
        ({"start": (1, 2)}, START + "got [1, 2]; write [[1, 2]]"),
        ({"start": np.array([1.0, 2.0])}, START + "got [1.0, 2.0]; write [[1.0, 2.0]]"),
        ({"start": [1, 2, 3]}, START + "got [1, 2, 3]"),
        ({"start": 5}, START + "got 5"),
        ({"start": "ab"}, START + "got 'ab'"),
        ({"start": None}, START + "got nothing"),
        ({"start": []}, "start is empty; give at least one point, such as [[-5.0, -5.0]]"),
        ({"start": [[1, 2, 3]]}, "start must hold points of two numbers: got [1, 2, 3] (entry 0)"),
        ({"start": [[1, 2], [3]]}, "start must hold points of two numbers: got [3] (entry 1)"),
        ({"start": [[1, 2], 3]}, "start must hold points of two numbers: got 3 (entry 1)"),
        ({"start": [[[1, 2]]]}, "start must hold points of two numbers: got [[1, 2]] (entry 0)"),
        (
            {"start": np.ones((2, 3))},
            "start must hold points of two numbers: got [1.0, 1.0, 1.0] (entry 0)",
        ),
        (
            {"start": [[1, 2], [1, "2"]]},
            "start must be a number: got '2' (entry 1); write it without quotes",
        ),
        ({"start": [[True, 2]]}, "start must be a number: got true (entry 0)"),
        (
            {"start": [[1, 2], [1, math.nan]]},
            "start must be a finite number: got nan (entry 1); drop it",
        ),
        ({"start": [[1, math.inf]]}, "start must be a finite number: got inf (entry 0); drop it"),
        (
            {"start": [[1, 2], [3, 4], [1.0, 2.0]]},
            "start has [1.0, 2.0] more than once (entries 0 and 2); list each point once",
        ),
        (
            {"start": [[0.0, 1.0], [-0.0, 1.0]]},
            "start has [0.0, 1.0] more than once (entries 0 and 1); list each point once",
        ),
        ({"start": {}}, "start needs two axes, x and y (a and b for mse): got none"),
        ({"start": {"x": 1}}, "start needs two axes, x and y (a and b for mse): got x"),
        (
            {"start": {"x": 1, "y": 1, "z": 1}},
            "start needs two axes, x and y (a and b for mse): got x and y and z",
        ),
        (
            {"start": {"x": 1, "y": [1, math.nan]}},
            "start.y must be a finite number: got nan (entry 1); drop it",
        ),
        ({"start": {"x": 1, "y": []}}, "start.y is empty; give at least one number"),
        (
            {"start": {"x": {"linspace": [0, 1], "nun": 2}, "y": 1}},
            "start.x.nun: no such key; did you mean 'num'?",
        ),
        ({"mometum": 0.5}, "mometum: no such key; did you mean 'momentum'?"),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        grid(**changes)
    assert str(caught.value) == message


def test_every_fault_is_told() -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.Grid(lr=-1, momentum=2, start=5)
    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "lr",
        "momentum",
        "start",
    ]


@pytest.mark.parametrize(
    "start",
    [
        [(1, 2), (3, 4)],
        ((1, 2), (3, 4)),
        [[1.0, 2.0], [3.0, 4.0]],
        np.array([[1, 2], [3, 4]]),
        [np.array([1, 2]), np.array([3, 4])],
        [(np.float32(1), np.int8(2)), (3, 4)],
    ],
)
def test_points_of_any_kind(start: Any) -> None:
    found = grid(start=start)
    assert found.start == ((1.0, 2.0), (3.0, 4.0))
    assert [axis.tolist() for axis in found.start_axes] == [[1.0, 3.0], [2.0, 4.0]]
    assert not found.is_mesh


def test_points_keep_their_order() -> None:
    found = grid(start=[(3, 4), (1, 2)])
    assert made_with(found, 0)["start"] == (3.0, 4.0)


def made_with(found: fm.Grid, run: int) -> dict[str, tuple[float, ...]]:
    """Numbers that a run is made with, by the grid's field."""
    at: dict[str, tuple[float, ...]] = {}
    for label, values in values_of(found, np.array([run])):
        at[label.kind] = (*at.get(label.kind, ()), values.item())
    return at


def test_meshes_of_any_kind() -> None:
    mesh = fm.Mesh(x=np.linspace(0, 1, 3), y=5)
    assert grid(start=mesh) == grid(start={"x": [0, 0.5, 1], "y": [5]})
    assert grid(start=mesh).shape == (1, 1, 3, 1)
    assert fm.Mesh(a=1, b=2).names == ("a", "b")


def test_a_grid_without_momentum() -> None:
    found = grid(momentum=None)
    assert found.momentum is None
    assert found.momenta.tolist() == [0.0]
    assert found.shape == (1, 1, 1)


SIZES = st.integers(1, 40)


@st.composite
def grids(draw: st.DrawFn) -> fm.Grid:
    lr = {"linspace": (0.1, 0.2), "num": draw(SIZES)}
    momentum = {"linspace": (0.1, 0.2), "num": draw(SIZES)}
    listed = SIZES.map(lambda size: [(i, -i) for i in range(size)])
    axis = st.fixed_dictionaries({"linspace": st.just((0.1, 0.2)), "num": SIZES})
    places = listed | st.fixed_dictionaries({"x": axis, "y": axis})
    velocity = draw(st.none() | places)
    return grid(lr=lr, momentum=momentum, start=draw(places), velocity=velocity)


@given(grids(), st.data())
def test_runs_are_numbered_in_c_order(found: fm.Grid, data: st.DataObject) -> None:
    assert found.n_runs == math.prod(found.shape)
    run = data.draw(st.integers(0, found.n_runs - 1))
    cell = found.cell(run)
    assert cell == tuple(int(index) for index in np.unravel_index(run, found.shape))
    assert found.run_of(cell) == run
    at = made_with(found, run)
    n_starts = 2 if found.is_mesh else 1
    assert at["lr"] == (found.lr.points[cell[0]],)
    assert at["momentum"] == (found.momenta[cell[1]],)
    first, second = found.start_axes
    assert at["start"] == (first[cell[2]], second[cell[1 + n_starts]])
    first, second = found.velocity_axes
    chosen = cell[2 + n_starts :] or (0,)
    assert at.get("velocity", (0.0, 0.0)) == (first[chosen[0]], second[chosen[-1]])


def test_runs_beyond_what_numpy_can_number() -> None:
    axis = {"linspace": (0.1, 0.9), "num": 1_000_000}
    found = grid(lr=axis, momentum=axis, start={"x": axis, "y": axis})
    assert found.n_runs == 10**24
    assert found.cell(10**24 - 1) == (999_999,) * 4
    assert found.run_of((999_999,) * 4) == 10**24 - 1


@given(st.integers(1, 300), st.integers(1, 400))
def test_blocks_cover_each_run_once(n_runs: int, block_runs: int) -> None:
    blocks = Blocks(n_runs, block_runs)
    runs = [run for block in range(len(blocks)) for run in blocks.runs(block)]
    assert runs == list(range(n_runs))
    assert all(len(blocks.runs(block)) == block_runs for block in range(len(blocks) - 1))
