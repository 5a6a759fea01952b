"""Selections of results: labels go with them, and what cannot be meant is refused in a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import xarray as xr

import fastmomentum as fm
from fastmomentum import analysis
from fastmomentum.errors import InputError

VELOCITIES = [(0.0, 0.0), (0.1, -0.2), (-0.3, 0.4), (0.5, 0.5)]


def run(**grid: Any) -> xr.Dataset:
    settings: dict[str, Any] = {
        "lr": [1e-4, 1e-3],
        "momentum": [0.5, 0.9],
        "start": [(-1.2, 1.0), (0.0, 0.0), (2.0, 2.0)],
        "velocity": VELOCITIES,
    }
    plan = fm.Experiment(
        objective=fm.Rosenbrock(), rule="momentum", steps=50, grid=fm.Grid(**settings | grid)
    )
    return fm.run(plan)


@pytest.fixture(scope="module")
def ds() -> xr.Dataset:
    return run()


@pytest.mark.parametrize(
    ("gone", "name"),
    [
        ({"velocity": 2}, "velocity_x"),
        ({"start": 1}, "start_x"),
        ({"lr": 0}, "lr"),
        ({"momentum": 1}, "momentum"),
    ],
)
@pytest.mark.parametrize("ask", [fm.replay, analysis.classify, analysis.measured_rate])
def test_what_was_dropped_is_missed(
    ds: xr.Dataset, gone: dict[str, int], name: str, ask: Callable[..., Any]
) -> None:
    with pytest.raises(InputError) as caught:
        ask(ds.isel(gone, drop=True))
    assert str(caught.value) == f"{name} was dropped; select without drop=True"


def test_a_dropped_velocity_cannot_be_selected(ds: xr.Dataset) -> None:
    with pytest.raises(InputError, match="velocity_x was dropped"):
        fm.select_velocity(ds.isel(velocity=2, drop=True))
    with pytest.raises(InputError, match="velocity was dropped"):
        fm.select_velocity(ds.drop_vars("velocity"), 1)


def test_without_the_point_it_ended_at_a_cell_is_still_found(ds: xr.Dataset) -> None:
    cell = fm.select_cell(ds[["status"]], start=1, velocity=(0.5, 0.5))
    assert (int(cell.start), int(cell.velocity)) == (1, 3)


@pytest.mark.parametrize("kind", ["start", "velocity"])
def test_a_number_is_a_label_in_a_selection_too(ds: xr.Dataset, kind: str) -> None:
    some = ds.isel({kind: [1, 2]})
    assert int(fm.select_cell(some, **{kind: 1})[kind]) == 1
    assert int(fm.select_cell(some)[kind]) == 1
    one = ds.isel({kind: 2})
    again = fm.replay(one, 1e-3, 0.9, **{kind: 2})
    np.testing.assert_array_equal(again.final, fm.select_cell(ds, 1e-3, 0.9, **{kind: 2}).final)
    for chosen, said in ((some, "1, 2"), (one, "2")):
        with pytest.raises(InputError) as caught:
            fm.select_cell(chosen, **{kind: 0})
        assert str(caught.value) == f"{kind} must be a number of the selection, {said}: got 0"


def test_many_numbers_are_told_in_short() -> None:
    many = run(velocity=[(float(i), 0.0) for i in range(20)])
    with pytest.raises(InputError, match=r"selection, 1, 2, 3, \.\.\., 19: got 0"):
        fm.select_cell(many.isel(velocity=slice(1, None)), velocity=0)


POINT = "must be a whole number, or a point of two finite numbers: got "


@pytest.mark.parametrize("kind", ["start", "velocity"])
@pytest.mark.parametrize(
    "given",
    [1.5, "x", (1,), (1, 2, 3), (np.nan, 0), (0, np.inf), [[1], [1, 2]], True, ("a", "b"), [[1, 2]],
     {}, np.array([1.0])],
)  # fmt: skip
def test_no_start_or_velocity(ds: xr.Dataset, kind: str, given: Any) -> None:
    with pytest.raises(InputError) as caught:
        fm.select_cell(ds, **{kind: given})
    assert str(caught.value).startswith(f"{kind} {POINT}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["lr", "momentum"])
@pytest.mark.parametrize("given", ["x", np.nan, [0.1], (1, 2), None.__class__, np.inf])
def test_no_setting(ds: xr.Dataset, name: str, given: Any) -> None:
    with pytest.raises(InputError, match=f"{name} must be a number: got "):
        fm.select_cell(ds, **{name: given})


@pytest.mark.parametrize("given", [[0.1, -0.2], np.array([0.1, -0.2]), (np.float32(0.1), 0)])
def test_points_of_any_kind(ds: xr.Dataset, given: Any) -> None:
    assert int(fm.select_cell(ds, velocity=given).velocity) == (0 if given[1] == 0 else 1)
    assert int(fm.select_cell(ds, start=np.array([2, 2]), velocity=np.int64(3)).start) == 2
    assert float(fm.select_cell(ds, ds.lr[1], np.float32(0.9)).lr) == 1e-3


@pytest.mark.parametrize("start", [[(1.0, 2.0)], fm.Mesh(x=1.0, y=2.0)])
def test_the_only_one_is_number_0(start: Any) -> None:
    one = run(start=start, velocity=[(0.1, 0.2)])
    or_point = ", or a point" * isinstance(start, fm.Mesh)
    with pytest.raises(InputError, match=rf"^start must be 0, the only one{or_point}: got 7"):
        fm.select_cell(one, start=7)
    with pytest.raises(InputError, match=r"^velocity must be 0, the only one: got 3"):
        fm.select_velocity(one, 3)


def test_at_rest_of_any_kind() -> None:
    resting = run(velocity=None)
    assert fm.select_velocity(resting, np.zeros(2)) is resting
    with pytest.raises(InputError, match=r"all runs start at rest: got the velocity \(1.0, 0.0\)"):
        fm.select_velocity(resting, np.array([1, 0]))


def test_a_replay_keeps_its_labels(ds: xr.Dataset) -> None:
    again = fm.replay(ds, start=2, velocity=3)
    cell = fm.select_cell(ds, start=2, velocity=3)
    assert {name: again[name].item() for name in cell.coords if cell[name].ndim == 0} == {
        name: cell[name].item() for name in cell.coords if cell[name].ndim == 0
    }
    assert (again.start.item(), again.velocity.item()) == (2, 3)
    twice = fm.replay(again, start=2, velocity=3)
    xr.testing.assert_identical(twice.drop_attrs(deep=False), again.drop_attrs(deep=False))


def test_a_replay_from_a_mesh_has_no_number() -> None:
    mesh = run(start={"x": [-1, 1], "y": [0, 2]}, velocity={"x": [0.0, 0.5], "y": [0.0, 1.0]})
    again = fm.replay(mesh, 1e-3, 0.9, start=(1, 2), velocity=(0.5, 1.0))
    cell = fm.select_cell(mesh, 1e-3, 0.9, start=(1, 2), velocity=(0.5, 1.0))
    assert set(again.coords) == {*cell.coords, "step"}
    np.testing.assert_array_equal(again.final, cell.final)
    assert fm.select_cell(again, start=0, velocity=0).velocity_x == 0.5
