"""Formulas: the grammar and its limits, derivatives, minimisers by search, tracing."""

from __future__ import annotations

import json
import math
import pickle
import time
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, example, given, reject
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.objectives import OBJECTIVES, Objective, searching
from fastmomentum.objectives.grammar import DEEPEST, parse
from fastmomentum.objectives.tokens import LONGEST, FormulaError
from fastmomentum.objectives.trees import MOST_PARTS, evaluate
from fastmomentum.reference import descend
from tests.helpers import LINE_X, LINE_Y, example_objectives
from tests.objectives.test_objectives import assert_near, random_points, slopes

LINE = " + ".join(f"({x:g}*x + y - {y:g})^2" for x, y in zip(LINE_X, LINE_Y, strict=True))
TEXTS: dict[str, tuple[str, dict[str, float]]] = {
    "mse": (f"({LINE})/4", {}),
    "rosenbrock": ("(a - x)^2 + b*(y - x^2)^2", {"a": 1.0, "b": 100.0}),
    "quadratic": ("(hxx*x^2 + hyy*y^2)/2", {"hxx": 1.0, "hyy": 10.0}),
    "beale": ("(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2", {}),
    "booth": ("(x + 2*y - 7)^2 + (2*x + y - 5)^2", {}),
    "himmelblau": ("(x^2 + y - 11)**2 + (x + y^2 - 7)**2", {}),
    "matyas": ("0.26*(x^2 + y^2) - 0.48*x*y", {}),
    "three_hump_camel": ("2*x^2 - 1.05*x^4 + x^6/6 + x*y + y^2", {}),
    "styblinski_tang": ("(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2", {}),
    "goldstein_price": (
        "(1 + (x + y + 1)^2*(19 - 14*x + 3*x^2 - 14*y + 6*x*y + 3*y^2))"
        "*(30 + (2*x - 3*y)^2*(18 - 32*x + 12*x^2 + 48*y - 36*x*y + 27*y^2))",
        {},
    ),
    "rastrigin": ("20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)", {}),
    "ackley": (
        "20 - 20*exp(-0.2*sqrt((x^2 + y^2)/2)) + e - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
        {},
    ),
    "levi13": (
        "sin(3*pi*x)^2 + (x - 1)^2*(1 + sin(3*pi*y)^2) + (y - 1)^2*(1 + sin(2*pi*y)^2)",
        {},
    ),
    "saddle": ("x^2 - y^2", {}),
    "monkey_saddle": ("x^3 - 3*x*y^2", {}),
    "heavy_ball_cycle": (
        "where(x < 1, 12.5*x^2, where(x < 2, x^2/2 + 24*x - 12, 12.5*x^2 - 24*x + 36)) + y^2/2",
        {},
    ),
}


def as_text(objective: Objective) -> fm.Formula:
    text, constants = TEXTS[objective.name]
    return fm.Formula(text, constants=constants, box=objective.box)


WITHOUT_TEXT = {"formula", "polygon_cycle"}
"""A distance to a polygon, as a formula with derivatives, is larger than formulas may be."""

BUILT_IN = [o for o in example_objectives() if o.name not in WITHOUT_TEXT]


def test_every_built_in_objective_is_there_as_a_text() -> None:
    assert TEXTS.keys() == OBJECTIVES.keys() - WITHOUT_TEXT


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda o: o.name)
def test_a_text_has_the_derivatives_of_the_built_in_objective(built_in: Objective) -> None:
    formula = as_text(built_in)
    x, y = random_points(built_in, seed=1)
    assert_near(formula.value(x, y), built_in.value(x, y), 1e-13)
    assert_near(formula.gradient(x, y), built_in.gradient(x, y), 1e-13)
    assert_near(formula.hessian(x, y), built_in.hessian(x, y), 1e-13)


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda o: o.name)
def test_a_text_takes_the_path_of_the_built_in_objective(built_in: Objective) -> None:
    formula = as_text(built_in)
    (x_low, x_high), (y_low, y_high) = built_in.box
    starts = np.array([[x_low, y_low], [x_high, y_low], [0.3 * x_high, 0.4 * y_high]])
    curvature = np.abs(built_in.hessian(*starts.T)).max(axis=(1, 2))
    given = ("momentum", 0.1 / curvature, 0.5, starts, 300)
    one, other = descend(built_in, *given, bound=None), descend(formula, *given, bound=None)
    finite = np.isfinite(one.trajectory)
    assert np.array_equal(finite, np.isfinite(other.trajectory))
    largest = np.where(finite, np.abs(one.trajectory), 0.0).max(axis=(-2, -1), keepdims=True)
    with np.errstate(invalid="ignore"):
        away = np.abs(one.trajectory - other.trajectory) / largest
    assert np.nanmax(away[:2]) <= 1e-12


@pytest.mark.parametrize("built_in", BUILT_IN, ids=lambda o: o.name)
def test_the_search_finds_what_the_built_in_objective_names(built_in: Objective) -> None:
    formula = as_text(built_in)
    expected = built_in.minimisers
    order = np.lexsort(np.round(expected, 6).T[::-1])
    assert formula.minimisers.shape == expected.shape
    assert_near(formula.minimisers, expected[order], 1e-8) if len(expected) else None
    if built_in.f_min is None:
        assert formula.f_min is None
    else:
        assert formula.f_min == pytest.approx(built_in.f_min, rel=1e-12, abs=1e-12)


# The grammar.

EXAMPLES = {
    "1 + 2*3": 7.0,
    "2^3^2": 512.0,
    "2**-1": 0.5,
    "-2^2": -4.0,
    "(-2)^2": 4.0,
    "- -2": 2.0,
    "8/4/2": 1.0,
    "8/(4/2)": 4.0,
    "1 - 2 - 3": -4.0,
    "4^0.5": 2.0,
    "1e3 + .5 + 2.": 1002.5,
    "where(1 < 2 and not 2 < 1, 3, 4)": 3.0,
    "where(1 < 2 < 2, 3, 4)": 4.0,
    "where(1 == 1 or 1 != 1, 3, 4)": 3.0,
    "where(1 >= 2, 3, where(2 <= 1, 4, 5))": 5.0,
    "min(3, 1, 2) + max(3, 1, 2)": 4.0,
    "abs(-2) + sqrt(9)": 5.0,
    "\n1\t+\n1": 2.0,
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_a_text_means_what_it_means_in_mathematics(text: str) -> None:
    assert evaluate(parse(text, []), {}) == EXAMPLES[text]


def test_functions_and_numbers_mean_what_they_say() -> None:
    for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "tanh"):
        value = evaluate(parse(f"{name}(0.75)", []), {})
        assert value == pytest.approx(getattr(math, name)(0.75), rel=1e-15)
    assert evaluate(parse("pi + e", []), {}) == math.pi + math.e


REFUSED = {
    "9**9**9**9 + x": "column 7: a whole exponent may be 1,000 at most: got 3.8742e+08",
    "x^9^9^9": "column 5: a whole exponent may be 1,000 at most",
    "((x*2)^1000)^1000 + y": "column 3: its numbers become too large",
    "(" * 3000 + "x" + ")" * 3000: f"column {DEEPEST + 1}: nested more than {DEEPEST} deep",
    "-" * 3000 + "x": f"column {DEEPEST + 1}: nested more than {DEEPEST} deep",
    "sin(" * 1000 + "x" + ")" * 1000: f"column 204: nested more than {DEEPEST} deep",
    "x^" * 3000 + "2": f"nested more than {DEEPEST} deep",
    " + ".join(["x"] * 100_000): f"must have {LONGEST:,} characters at most: got 399,997",
    "*".join(f"(x+{i})" for i in range(300)): f"may have {MOST_PARTS:,} parts",
    "x.real": "column 2: '.' has no meaning here; allowed are numbers, variables",
    "x.__class__": "column 2: '.' has no meaning here",
    "sin(x)(y)": "column 7: expected an operator, got '('",
    "x(y)": "column 1: 'x' is not a function",
    "lambda: x": "column 7: ':' has no meaning here",
    "(lambda)(x)": "column 2: 'lambda' is not known",
    "[x for x in y]": "column 1: '[' has no meaning here",
    "(x for x in y)": "column 4: expected an operator, got 'for'",
    "f'{x}'": 'column 2: "\'" has no meaning here',
    "'x'": 'column 1: "\'" has no meaning here',
    "x if y else 1": "column 3: expected an operator, got 'if'",
    "x; y": "column 2: ';' has no meaning here",
    "x = 1": "column 3: '=' has no meaning here",
    "__import__(1)": "column 1: '__import__' is not known",
    "q + x": "column 1: 'q' is not known; known are x, y, pi, e, sin",
    "snh(x)": "column 1: 'snh' is not known; did you mean 'sin'?",
    "2x": "column 2: expected an operator, got 'x'; a product is written with *",
    "x y": "column 3: expected an operator, got 'y'",
    "x + ": "column 4: the formula ends where a number has to follow",
    "": "column 1: the formula ends where a number has to follow",
    "x + * y": "column 5: got '*', which cannot stand here",
    "(x": "column 1: this parenthesis is not closed; add )",
    "x)": "column 2: expected an operator, got ')'",
    "sin x": "column 5: the function sin needs its argument in parentheses, got 'x'; write sin(",
    "sin(x, y)": "column 1: sin takes 1 argument: got 2",
    "where(x, 1, 2)": "column 7: a number stands where a condition has to",
    "x < y": "column 3: a condition stands where a number has to",
    "(x < 1) + 1": "column 4: a condition stands where a number has to",
    "where(x and y, 1, 2)": "column 7: a number stands where a condition has to",
    "x + 1e400": "column 5: '1e400' is no number that float64 can hold",
    "x + 1e-400": "column 5: '1e-400' is no number that float64 can hold",
    "x + " + "1" * 50: "column 5: a number may have 40 characters at most",
    "x + 1/0": "column 6: this is inf, and must be a finite number",
    "x + log(-1)": "column 5: this is nan, and must be a finite number",
    "x + exp(exp(exp(9)))": "this is inf, and must be a finite number",
    "ä + x": "column 1: 'ä' has no meaning here",
    "(-2)^x": "column 2: only a positive number has a power that varies",
    "3 + 4": "must depend on x or y, and does not",
    "x - x": "must depend on x or y, and does not",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:20])
def test_what_is_no_formula_is_refused_with_the_column(text: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.Formula(text)
    assert REFUSED[text] in str(caught.value)
    assert str(caught.value).startswith("formula ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "*".join(f"sin(x*{i}+y)" for i in range(1, 40)),
        "sin(" * (DEEPEST - 2) + "x*y" + ")" * (DEEPEST - 2),
        " + ".join(f"{i}.5*sin({i}*x + y)" for i in range(1, 500)),
        "(" + " + ".join(["1e15*x"] * 300) + ")^500",
        "(x^1000)^1000",
        "max(" * 20 + "x" + ", y)" * 20,
        "max(" + ", ".join(f"x + {i}" for i in range(200)) + ")",
        "where(x < 1, " * 45 + "x" + ", y)" * 45,
        "1/(" * 20 + "x" + ")" * 20,
    ],
    ids=lambda text: text[:20],
)
def test_the_largest_formulas_are_refused_or_derived(text: str) -> None:
    begun = time.process_time()
    try:
        fm.Formula(text, minimisers=[])
    except fm.InputError as error:
        assert "formula " in str(error)  # noqa: PT017  (either is right)
    assert time.process_time() - begun < 60  # a guard against a hang, not a measurement


@given(
    st.text(st.characters(codec="utf-8"), max_size=60)
    | st.text("xy()+-*/^<>=., 0123e9", max_size=60)
)
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        tree = parse(text, ["x", "y"])
    except FormulaError as error:
        assert "column" in str(error)  # noqa: PT017  (either is right)
    else:
        assert not tree.is_condition


class Piece(NamedTuple):
    """A formula, and the formulas at whose zeros it changes from one branch to another."""

    text: str
    switches: tuple[str, ...] = ()


def _piece(template: str, *parts: Piece, switches: tuple[str, ...] = ()) -> Piece:
    """Put formulas into a larger one, whose own switches are templates as well."""
    texts = [part.text for part in parts]
    inner = [switch for part in parts for switch in part.switches]
    return Piece(template.format(*texts), (*inner, *(one.format(*texts) for one in switches)))


VARIABLES = st.sampled_from(["x", "y", "a", "1.5", "2", "pi", "0.25"]).map(Piece)


def _grown(inner: st.SearchStrategy[Piece]) -> st.SearchStrategy[Piece]:
    def made(template: str, parts: int, *switches: str) -> st.SearchStrategy[Piece]:
        return st.builds(partial(_piece, template, switches=switches), *[inner] * parts)

    return st.one_of(
        made("({} + {})", 2),
        made("({} - {})", 2),
        made("({} * {})", 2),
        made("({} / (2 + ({})^2))", 2),
        made("({})^2", 1),
        made("({})^3", 1),
        made("({})^4", 1),
        made("sqrt(1 + ({})^2)", 1),
        made("(1 + ({})^2)^1.3", 1),
        made("sin({})", 1),
        made("cos({})", 1),
        made("tanh({})", 1),
        made("exp(-({})^2)", 1),
        made("log(2 + abs({}))", 1, "{}"),
        made("where({0} < {1} or x > 3, {0}, {1})", 2, "{0} - {1}"),
        made("max({}, {}, -1)", 2, "{0} - {1}", "{0} + 1", "{1} + 1"),
    )


PIECES = st.recursive(VARIABLES, _grown, max_leaves=8)


FUNCTIONS_OF_MATH = ["sqrt", "sin", "cos", "tanh", "exp", "log"]


def python_value(text: str, x: float, y: float, a: float) -> float:
    """Value of a formula of these tests, by Python itself."""
    names: dict[str, Any] = {name: getattr(math, name) for name in FUNCTIONS_OF_MATH}
    names |= {"abs": abs, "max": max, "pi": math.pi, "x": x, "y": y, "a": a}
    names["where"] = lambda condition, yes, no: yes if condition else no
    try:
        return float(eval(text.replace("^", "**"), {"__builtins__": {}}, names))
    except OverflowError:
        reject()


def test_functions_of_what_cancels_are_computed() -> None:
    assert fm.Formula("exp(-(x - x)^2)*x + y^2").gradient(2.0, 1.0).tolist() == [1.0, 2.0]
    assert fm.Formula("sin(x - x + 1)*x + y").value(2.0, 0.0) == 2.0 * fm.elementary.sin(1.0)
    assert fm.Formula("log(2 + (x - x))*y + x^2").gradient(0.0, 1.0)[1] == fm.elementary.log(2.0)


@given(PIECES, st.floats(-2, 2), st.floats(-2, 2))
@example(Piece("log(2 + abs((y / (2 + (5^1.3)^2))))", ("y",)), 0.0, 0.0001220703125)
def test_derivatives_are_finite_differences(piece: Piece, x: float, y: float) -> None:
    formula = fm.Formula(f"{piece.text} + a*x + y", constants={"a": 0.5}, minimisers=[])
    h = 1e-4
    near = [(x + i * h, y + j * h) for i in (-3, 0, 3) for j in (-3, 0, 3)]

    def changes_branch(switch: str) -> bool:
        """Whether a switch may have a zero among the points that the differences look at."""
        values = [python_value(switch, *point, 0.5) for point in near]
        return min(map(abs, values)) <= max(values) - min(values)

    assume(not any(changes_branch(switch) for switch in piece.switches))
    hessian = formula.hessian(x, y)
    assume(np.isfinite(hessian).all() and np.abs(hessian).max() < 1e4)
    changed = max(np.abs(formula.hessian(*point) - hessian).max() for point in near)
    assume(changed < 0.05 * (1.0 + np.abs(hessian).max()))  # or differences this wide are coarse
    box = ((-0.5, 0.5), (-0.5, 0.5))
    here: Any = type("Here", (), {"box": box})
    scale = 1.0 + np.abs(hessian).max() + np.abs(formula.value(x, y))
    expected = python_value(piece.text, x, y, 0.5) + 0.5 * x + y
    assert abs(formula.value(x, y) - expected) <= 1e-12 * scale
    assert np.abs(formula.gradient(x, y) - slopes(formula.value, x, y, here)).max() <= 1e-5 * scale
    assert np.abs(hessian - slopes(formula.gradient, x, y, here)).max() <= 1e-4 * scale


def test_derivatives_at_kinks_are_those_of_the_branch_taken() -> None:
    at = (np.array([-1.0, 0.0, 1.0]), 0.0)
    assert fm.Formula("abs(x) + y^2").gradient(*at)[:, 0].tolist() == [-1.0, 0.0, 1.0]
    assert fm.Formula("max(x, 0) + y").gradient(*at)[:, 0].tolist() == [0.0, 1.0, 1.0]
    step = fm.Formula("where(x < 0, -2*x, 3*x) + y^2")
    assert step.gradient(*at)[:, 0].tolist() == [-2.0, 3.0, 3.0]
    assert step.hessian(*at)[:, 0, 0].tolist() == [0.0, 0.0, 0.0]
    assert fm.Formula("abs(x)*x + y^2").hessian(*at)[:, 0, 0].tolist() == [-2.0, 0.0, 2.0]


def test_powers() -> None:
    x = np.array([-2.0, -0.5, 0.0, 3.0])
    assert fm.Formula("x^7 + y").value(x, 0.0).tolist() == (x**7).tolist()
    cube = fm.Formula("x^3 + y")
    assert cube.gradient(x, 0.0)[:, 0].tolist() == (3 * x * x).tolist()
    with np.errstate(divide="ignore", invalid="ignore"):
        assert fm.Formula("x^-2 + y").value(x, 0.0).tolist() == (1 / (x * x)).tolist()
        half = fm.Formula("x^2.5 + y").value(x, 0.0)
        assert half[2:].tolist() == [0.0, 9.0 * np.sqrt(3.0)]
        assert np.isnan(half[:2]).all()
        other = fm.Formula("x^1.3 + y")
        assert other.value(3.0, 0.0) == pytest.approx(3.0**1.3, rel=1e-14)
        assert other.gradient(0.0, 0.0).tolist() == [0.0, 1.0]
    in_constants = fm.Formula("x^n + y", n=2.0)  # its value is written out: no exp and log
    assert in_constants.value(-3.0, 0.0) == 9.0
    assert in_constants(n=3.0).value(-3.0, 0.0) == -27.0
    assert fm.Formula("2^x + y").gradient(0.0, 0.0)[0] == pytest.approx(math.log(2), rel=1e-15)
    assert fm.Formula("e^x + y").value(1.0, 0.0) == pytest.approx(math.e, rel=1e-15)


def test_derivatives_keep_exact_numbers() -> None:
    camel = fm.Formula("x^6/6 - 1.05*x^4 + y")
    x = np.array([0.1, 1.7, -2.3])
    x2 = x * x
    expected = x2 * x2 * x - 4.2 * (x2 * x)
    assert np.abs(camel.gradient(x, 0.0)[:, 0] - expected).max() <= 1e-14


# Minimisers.


def minima(text: str, **given: Any) -> list[list[float]]:
    found: list[list[float]] = fm.Formula(text, **given).minimisers.round(7).tolist()
    return found


def test_minimisers_that_are_found() -> None:
    assert minima("abs(x) + 2*abs(y - 1)") == [[0.0, 1.0]]
    assert minima("x^4 + y^4") == [[0.0, 0.0]]
    assert minima("(x^2 - 1)^4 + y^2") == [[-1.0, 0.0], [1.0, 0.0]]
    assert minima("max(abs(x - 1), abs(y))") == [[1.0, 0.0]]
    assert minima("x - log(x) + y^2") == [[1.0, 0.0]]
    assert minima("(x - 5)^2 + y^2") == [[5.0, 0.0]]  # on the edge, and nothing lies lower
    assert minima("1e-12*((x - 1)^2 + y^2)") == [[1.0, 0.0]]
    assert minima("1e12*((x - 1)^2 + y^2) + 1e9") == [[1.0, 0.0]]
    assert len(minima("sin(x)*cos(y)")) == 6
    assert minima("(x - 2)^2*(x + 2)^2 + y^2 - 0.001*x") == [[2.0000312, 0.0]]  # not the other


@pytest.mark.parametrize(
    "text",
    [
        "x^3 - 3*x + y^2",  # a local minimum, and the edge lies lower
        "x^2 - y^2",
        "x^3 - 3*x*y^2",
        "x + y",
        "x*y",
        "(x - 6)^2 + y^2",  # outside
        "1/x + y^2",  # a pole
        "log(x^2 + y^2)",
        "exp(-x) + y^2",
        "-1/(x^2 + y^2)",
    ],
)
def test_where_there_is_no_minimum_none_is_found(text: str) -> None:
    formula = fm.Formula(text)
    assert formula.minimisers.shape == (0, 2)
    assert formula.f_min is None


def test_one_stands_for_a_valley() -> None:
    assert len(minima("(x + y)^2")) == 1
    assert len(minima("(x^2 + y^2 - 1)^2")) == 1


def test_the_search_is_the_same_each_time() -> None:
    formula = fm.Formula("(x^2 + y - 11)^2 + (x + y^2 - 7)^2")
    assert formula.minimisers.tobytes() == formula.model_copy(update={}).minimisers.tobytes()
    again = fm.Formula("(x^2 + y - 11)^2 + (x + y^2 - 7)^2").minimisers
    assert formula.minimisers.tobytes() == again.tobytes()


def test_minimisers_may_be_expressions_in_the_constants() -> None:
    valley = fm.Formula(
        "(a - x)^2 + b*(y - x^2)^2", a=1.5, b=10.0, minimisers=[("a", "a^2"), (0.5, "sqrt(b)/4")]
    )
    assert valley.minimisers.tolist() == [[1.5, 2.25], [0.5, math.sqrt(10.0) / 4]]
    assert valley.f_min == 0.0
    assert valley(a=2.0).minimisers[0].tolist() == [2.0, 4.0]


# The objective.


def test_constants_box_label_variables() -> None:
    one = fm.Formula("p*u^2 + v^2", constants={"p": 2}, variables=["u", "v"], label="bowl",
                     box={"u": [-1, 2], "v": [-3, 4]})  # fmt: skip
    other = fm.Formula("p*u^2 + v^2", p=np.float64(2), variables=("u", "v"),
                       box=((-1.0, 2.0), (-3.0, 4.0)))  # fmt: skip
    assert one == other
    assert hash(one) == hash(other)
    assert one.box == ((-1.0, 2.0), (-3.0, 4.0))
    assert (one.parameters, one.constants) == (("u", "v"), (2.0,))
    assert (one.words, other.words) == ("bowl", "p*u^2 + v^2")
    assert one != other(p=3)
    text = repr(one)
    assert text == (
        "Formula(formula='p*u^2 + v^2', constants={'p': 2.0}, box=((-1.0, 2.0), (-3.0, 4.0)), "
        "label='bowl', variables=('u', 'v'))"
    )
    assert eval(text, {"Formula": fm.Formula}) == one
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"minimizers": [(0, 0)]}, "as a constant must be; did you mean 'minimisers'?"),
        ({"a": 1.0, "constants": {"a": 2.0}}, "the constant a comes twice"),
        ({"q": 1.0}, "constants has q, which the formula does not; drop it"),
        ({"constants": {"box": 1.0}}, "constants has 'box', which means something else"),
        ({"constants": {"sin": 1.0}}, "constants has 'sin', which means something else"),
        ({"constants": {"x": 1.0}}, "constants has 'x', which is a variable"),
        ({"constants": {"é": 1.0}}, "constants has 'é', which must be made of letters"),
        ({"constants": {"a": "1"}}, "constants has a = '1', and must be a number"),
        ({"constants": {"a": math.inf}}, "constants has a = inf, and must be a finite number"),
        ({"constants": [1.0]}, "constants must be a table such as { a = 1.0 }: got [1.0]"),
        ({"box": {"x": [0, 1]}}, "box needs x and y, which are the variables"),
        ({"box": [[0, 1]]}, "box must be a table such as { x = [-2, 2], y = [-1, 3] }"),
        ({"box": [[1, 0], [0, 1]]}, "box must go from a lower to a higher number: got [1.0, 0.0]"),
        ({"minimisers": [[1]]}, "minimisers must be points of two numbers: got [1]"),
        ({"minimisers": [["q", 1]]}, "minimisers is refused at column 1: 'q' is not known"),
        ({"minimisers": [[0, "1/0"]]}, "minimisers has (0, inf), where the formula is no finite"),
        ({"variables": ["x"]}, 'variables must be two names, such as ["u", "v"]'),
        ({"variables": ["x", "x"]}, "variables must be two names that differ"),
        ({"label": "two\nlines"}, "label must be one line of text"),
        ({"formula": 3}, "formula must be text, in quotes: got 3"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.Formula(**{"formula": "x^2 + y^2", **given})
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("formula", "in_python", "in_a_file"),
    [
        ("a*x^2 + y^2", "max, where; if it is a constant, give it a value: a=1.0", "a"),
        ("ab*x^2 + y^2", "did you mean 'abs'? If it is a constant, give it a value: ab=1.0", "ab"),
        ("lambda*x", "if it is a constant, give it a value: constants={'lambda': 1.0}", "lambda"),
    ],
)
def test_a_name_that_is_not_known_may_be_a_constant(
    formula: str, in_python: str, in_a_file: str
) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.Formula(formula)
    assert str(caught.value).endswith(in_python)
    with pytest.raises(fm.InputError) as caught:
        fm.Formula.parse({"formula": formula})
    said = f"if it is a constant, give it a value: constants = {{ {in_a_file} = 1.0 }}"
    assert str(caught.value).lower().endswith(said)
    fm.Formula(formula, constants={in_a_file: 1.0})


@pytest.mark.parametrize("formula", ["snh(x) + y", "label*x", "q" * 31 + "*x"])
def test_what_cannot_be_a_constant_is_not_said_to_be_one(formula: str) -> None:
    with pytest.raises(fm.InputError, match="is not known") as caught:
        fm.Formula(formula)
    assert "it is a constant" not in str(caught.value)


def test_targets_without_a_minimum_are_refused_with_the_way_out() -> None:
    def plan(**given: Any) -> fm.Experiment:
        return fm.Experiment(
            objective=fm.Formula("x^3 - 3*x + y^2", **given), rule="momentum", steps=10,
            grid=fm.Grid(lr=0.1, momentum=0.5, start=[(0.5, 0.5)]), stop=fm.Stop(targets=[0.1]),
        )  # fmt: skip

    with pytest.raises(fm.InputError) as caught:
        plan()
    assert str(caught.value) == (
        "stop.targets must be left out, as no minimum of x^3 - 3*x + y^2 was found in its box, x "
        "in [-5, 5] and y in [-5, 5]; give objective.minimisers, or a larger objective.box"
    )
    assert plan(minimisers=[(1, 0)]).objective.f_min == -2.0
    assert plan(box=((-1.9, 5), (-5, 5))).objective.f_min == -2.0


# Tracing.


def test_a_traced_function_is_a_formula() -> None:
    @fm.objective
    def hills(x, y, height=1.0):  # type: ignore[no-untyped-def]
        return height * (x**2 + 3 * y**2) * np.exp(1 - x**2 - y**2)

    assert hills.formula == "height * (x ^ 2 + 3 * y ^ 2) * exp(1 - x ^ 2 - y ^ 2)"
    assert hills.label == "hills"
    assert hills(height=2).constants == (2.0,)
    x, y = random_points(hills, seed=3)
    expected = 2.0 * (x**2 + 3 * y**2) * np.exp(1 - x**2 - y**2)
    assert_near(hills(height=2).value(x, y), expected, 1e-14)
    with pytest.raises(fm.InputError, match="deep is no constant of hills; known are height"):
        hills(deep=1.0)


def _loop(x: Any, y: Any) -> Any:
    total = 0.0
    for k in range(1, 6):
        total = total + np.sin(k * x - y / k) ** 2 / k - (-x) ** 2
    return total


FUNCTIONS: list[Any] = [
    lambda x, y: x - (y - x) - (x - y) / (x / 2 / (y * 3)) * (2 - x),
    lambda x, y: -(x**2) + (-x) ** 2 - (-(x * y)) ** 3 + 2.0**-x + (x**2) ** 1.5 + y,
    lambda x, y: np.where((x < 0) & ~(y >= 1) | (x == y), x * y, np.minimum(x, y) + 1e-5),
    lambda x, y: abs(x - y) + np.abs(x) + np.maximum(x, 0.5) + np.hypot(x, y) + np.square(y),
    lambda x, y: np.cosh(x / 3) - np.sinh(y / 3) + np.clip(x, -1, 1) * np.sign(y) + np.tanh(x),
    lambda x, y: (
        np.float64(2.0) * x + np.float64(3.0) ** y / np.sqrt(1 + x * x) + np.log(2 + y * y)
    ),
    lambda x, y: np.where(np.logical_or(x > 1, y != 0.5), x, -y) + np.cos(x) * np.tan(y / 9),
    _loop,
]


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_traced_function_does_what_the_function_does(function: Any) -> None:
    formula = fm.objective(function)
    random = np.random.default_rng(4)
    x, y = random.uniform(-3, 3, (2, 200))
    assert_near(formula.value(x, y), function(x, y), 1e-13)


def _branches(x: Any, y: Any) -> Any:
    return x if x > 0 else y


def _chains(x: Any, y: Any) -> Any:
    return np.where(0 < x < 1, x, y)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (_branches, "write np.where(condition, then, otherwise)"),
        (_chains, "write np.where(condition, then, otherwise)"),
        (lambda x, y: max(x, y), "write np.where(condition, then, otherwise)"),
        (lambda x, y: math.sin(x) + y, "np.sin and not math.sin"),
        (lambda x, y: x // 2 + y, "no int, round, // or %"),
        (lambda x, y: np.arctan2(x, y), "np.arctan2 cannot be traced; known are np.where"),
        (lambda x, y: np.mean(x) + y, "cannot be traced"),
        (lambda x, y: x + np.array([1.0, 2.0]) * y, "made of single numbers: got ndarray"),
        (lambda x, y: x + np.inf * y, "made of finite numbers: got inf"),
        (lambda x, y: "x + y", "made of single numbers: got str"),
        (lambda x: x, "must have two parameters at least: got 1"),
        (lambda x, y, a: x, "must have two parameters without defaults"),
        (lambda x, y=1: x, "must have two parameters without defaults"),
        (lambda *x: x, "must have two parameters without defaults"),
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_way_out(function: Any, message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.objective(function)
    assert message in str(caught.value)


def test_a_function_that_grows_without_end_is_refused_at_once() -> None:
    def grows(x: Any, y: Any) -> Any:
        for _ in range(100):
            x = x * x + y
        return x

    with pytest.raises(fm.InputError, match="a formula of more than 10,000 characters"):
        fm.objective(grows)


def test_the_decorator_takes_what_a_formula_takes() -> None:
    @fm.objective(box=((-1, 1), (-2, 2)), label="a bowl", minimisers=[(0, 0)])
    def bowl(u, v):  # type: ignore[no-untyped-def]
        return u * u + v * v

    assert bowl.box == ((-1.0, 1.0), (-2.0, 2.0))
    assert (bowl.words, bowl.parameters) == ("a bowl", ("u", "v"))
    assert json.dumps(bowl.model_dump(mode="json")).count("found") == 0


def test_starts_lie_all_over_the_box() -> None:
    def flat(x: Any, y: Any) -> Any:
        return 0.0 * x

    box = ((-1.0, 3.0), (10.0, 12.0))
    starts = searching._starts(
        searching.Landscape(flat, lambda x, y: (x, y), lambda x, y: (x, y, x), box)
    )
    parts, _, _ = np.histogram2d(*starts, bins=8, range=box)
    assert parts.min() >= 8  # 16 on average
