"""Minima that are no points: a valley's floor is known, and an isolated minimum is none."""

from __future__ import annotations

import pytest

import fastmomentum as fm
from fastmomentum.objectives import OBJECTIVES, Quadratic

FLOORS = [
    "(x^2 + y^2 - 1)^2",
    "1e6*(x^2 + y^2 - 1)^2 + 1e4",
    "(x + y)^2",
    "x^2",
    "abs(x - 1/3)",
    "x^2*y^4",
    "(x*y - 1)^2",
    "where(x^2 + y^2 < 1, 0, x^2 + y^2 - 1)",
    "(x^2 + y^2 - 1)^2*((x - 3)^2 + y^2)",
]
POINTS = [
    "x^2 + y^2",
    "x^2 + 1e-3*y^2",
    "x^4 + y^4",
    "x^8 + y^8",
    "(x^2 - 1)^4 + y^2",
    "(1 - x)^2 + 100*(y - x^2)^2",
    "max(abs(x - 1), abs(y))",
    "abs(x) + 2*abs(y - 1)",
    "sin(x)^4 + sin(y)^4",
    "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
]


@pytest.mark.parametrize("text", FLOORS)
def test_a_valleys_floor_is_known_from_the_search_and_from_a_file(text: str) -> None:
    formula = fm.Formula(text)
    assert formula.has_valley_floor
    told = formula.model_dump()
    assert told["found"]
    again = fm.Formula.model_validate(told)
    assert again.given_minimisers is not None
    assert again.has_valley_floor


@pytest.mark.parametrize("text", POINTS)
def test_isolated_minima_are_no_floor_however_flat(text: str) -> None:
    formula = fm.Formula(text)
    assert len(formula.minimisers)
    assert not formula.has_valley_floor


def test_where_there_is_no_minimum_there_is_no_floor() -> None:
    assert not fm.Formula("x^3 - 3*x + y^2").has_valley_floor
    assert not fm.Formula("x").has_valley_floor


def test_minimisers_that_were_given_are_taken_for_all() -> None:
    assert not fm.Formula("(x^2 + y^2 - 1)^2", minimisers=[(1, 0)]).has_valley_floor


def test_it_goes_with_the_constants_and_with_the_box() -> None:
    ring = fm.Formula("(x^2 + y^2 - a)^2", a=1.0)
    assert ring.has_valley_floor
    assert not ring(a=0.0).has_valley_floor  # a point with no curvature at all
    wide = [(-1e3, 1e3), (-1e3, 1e3)]
    assert fm.Formula("(x^2 + y^2 - 1e5)^2", box=wide).has_valley_floor


def test_a_quadratic_is_a_trough_if_its_hessian_is_singular() -> None:
    assert Quadratic(1.0, 0.0, 0.0).has_valley_floor
    assert Quadratic(0.1, 0.1, 0.1).has_valley_floor
    assert not Quadratic(1.0, 0.0, 10.0).has_valley_floor
    assert not Quadratic(1.0, 2.0, 1.0).has_valley_floor  # a saddle has no minimum


def test_the_other_objectives_name_all_their_minimisers() -> None:
    assert not any(kind.example().has_valley_floor for kind in OBJECTIVES.values())


def test_what_is_stored_of_a_formula_stays_as_it_was() -> None:
    assert list(fm.Formula("x^2").model_dump()) == [
        "name", "formula", "constants", "variables", "box", "minimisers", "found",
    ]  # fmt: skip
