"""Where runs go, and how near to it they are told to be."""

from __future__ import annotations

from typing import Any

import numpy as np

import fastmomentum as fm
from fastmomentum.analysis.attractors import Attractors, attractors
from fastmomentum.analysis.trajectories import over_trajectories


def ends_of(objective: Any, lr: float, start: tuple[float, float], steps: int) -> Attractors:
    ds = fm.run(
        fm.Experiment(
            objective=objective,
            rule="momentum",
            steps=steps,
            grid=fm.Grid(lr=[lr], momentum=[0.0], start=[start]),
            record=fm.Record(every=1),
        )
    )
    found: list[Attractors] = []

    def look(walks: Any) -> dict[str, Any]:
        found.append(attractors(walks))
        return {"x": found[-1].x}

    over_trajectories(ds, look)
    return found[0]


def test_a_minimum_that_attracts_is_near() -> None:
    at = ends_of(fm.Rosenbrock(), 1e-3, (0.9, 0.8), 2_000)
    assert at.is_near.all()
    assert (at.x[0], at.y[0]) == (1.0, 1.0)  # to the last bit, as the objective names it


def test_a_minimum_that_repels_under_the_settings_is_not() -> None:
    # The largest curvature at (1, 1) is 1001.6, so plain descent leaves it from lr 0.002 on.
    assert not ends_of(fm.Rosenbrock(), 2.1e-3, (1.0, 1.0 + 1e-9), 3).is_near.any()
    assert ends_of(fm.Rosenbrock(), 1.9e-3, (1.0, 1.0 + 1e-9), 3).is_near.all()


def test_far_out_it_is_too_early_to_say() -> None:
    # On x^4 Newton's step leaves two thirds of the distance; near 0 it leaves little.
    quartic = fm.Formula("x^2 + x^4 + y^2", minimisers=[(0, 0)])
    assert not ends_of(quartic, 1e-9, (5.0, 0.0), 3).is_near.any()
    assert ends_of(quartic, 1e-9, (0.1, 0.0), 3).is_near.all()


def test_where_rounding_begins_follows_condition_step_and_rate() -> None:
    plain = fm.Formula("(x - 1)^2/2 + (y - 1)^2/2", minimisers=[(1, 1)])
    stretched = fm.Formula("(x - 1)^2/2 + 1e-6*(y - 1)^2/2", minimisers=[(1, 1)])
    usual = ends_of(plain, 0.5, (2.0, 2.0), 100).floor[0]
    assert 2e-16 < usual < 1e-13
    # Curvatures 1 and 1e-6: the gradient's rounding moves the point of rest a million times as far.
    assert 1e5 < ends_of(stretched, 0.5, (2.0, 2.0), 100).floor[0] / usual < 1e8
    # Steps a million times as short are lost in w that much sooner.
    assert 1e5 < ends_of(plain, 5e-7, (2.0, 2.0), 100).floor[0] / usual < 1e8


def test_where_there_is_no_minimum_the_named_one_stands_and_is_not_near() -> None:
    saddle = fm.Formula("x^2 - y^2 + y^4/4", minimisers=[(0, 2**0.5), (0, -(2**0.5))])
    at = ends_of(saddle, 1e-3, (0.5, 0.0), 5)  # on the ridge, Newton finds the saddle
    assert not at.is_near.any()
    np.testing.assert_allclose([at.x[0], abs(at.y[0])], [0.0, 2**0.5])
