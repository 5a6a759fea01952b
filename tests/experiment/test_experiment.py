"""Experiments: what fits together, the canonical form, and reading files with keys set over."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.experiment.blocks import BLOCK_BYTES
from fastmomentum.experiment.recording import MOST_STEPS

LINE = {"num_points": 20, "x_mid": 5, "x_range": 5, "y_weight": 10, "noise_range": 5, "seed": 0}
BASE: dict[str, Any] = {
    "objective": {"name": "rosenbrock"},
    "rule": {"name": "momentum"},
    "steps": 100,
    "grid": {"lr": [0.1, 0.2], "momentum": 0.9, "start": [[1, 1]]},
}


def experiment(**changes: Any) -> fm.Experiment:
    return fm.Experiment(**(BASE | changes))


def refused(**changes: Any) -> str:
    with pytest.raises(fm.InputError) as caught:
        experiment(**changes)
    return str(caught.value)


def on(**changes: Any) -> dict[str, Any]:
    """The grid, changed."""
    return {"grid": BASE["grid"] | changes}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 0}, "steps must be at least 1: got 0"),
        ({"steps": MOST_STEPS + 1}, "steps must be at most 2147483646: got 2147483647"),
        ({"steps": 1.5}, "steps must be a whole number: got 1.5"),
        ({"steps": True}, "steps must be a whole number: got true"),
        ({"steps": "100"}, "steps must be a whole number: got '100'; write it without quotes"),
        ({"title": 5}, "title must be text, in quotes: got 5"),
        ({"title": "a\nb"}, r"title must be one line of text: got 'a\nb'"),
        ({"title": "a\0b"}, r"title must be one line of text: got 'a\x00b'"),
        (
            {"objective": fm.Rosenbrock},
            "objective must be an objective: got the class Rosenbrock; write Rosenbrock(...)",
        ),
        ({"objective": 5}, "objective must be a table with the key name: got 5"),
        ({"objective": {}}, 'objective.name is missing; add it, such as name = "rosenbrock"'),
        ({"objective": {"nmae": "booth"}}, "objective.nmae: no such key; did you mean 'name'?"),
        (
            {"objective": "rosenbrok"},
            "objective.name must name an objective: got 'rosenbrok'; did you mean 'rosenbrock'?",
        ),
        (
            {"rule": "nestrov"},
            "rule.name must name a rule: got 'nestrov'; did you mean 'nesterov'?",
        ),
        (
            {"rule": "zzz"},
            "rule.name must name a rule: got 'zzz'; known are sgd, momentum, nesterov, sutskever, "
            "pytorch, ema, qhm, adam, nadam, rmsprop, adagrad, lion",
        ),
        (
            {"rule": 5},
            "rule must be a table with the key name: got 5",
        ),
        ({"rule": {"name": 5}}, "rule.name must be text, in quotes: got 5"),
        (
            {"rule": "nesterov"} | on(momentum=None),
            "grid.momentum is missing; the rule nesterov needs it, such as momentum = 0.9",
        ),
        (
            {"rule": "sgd"} | on(momentum=[0.0, 0.5, 0.9]),
            "grid.momentum must be left out, as the rule sgd has none: got 0.5; "
            "drop it, or take the rule momentum",
        ),
        (
            on(start={"a": 1, "b": 1}),
            "grid.start needs the axes x and y, which are the parameters of rosenbrock: "
            "got a and b; rename them",
        ),
        (
            on(start={"x": 1, "z": 1}),
            "grid.start needs the axes x and y, which are the parameters of rosenbrock: "
            "got x and z; rename them",
        ),
        (
            {"objective": {"name": "mse", "data": LINE}} | on(start={"x": 1, "y": 1}),
            "grid.start needs the axes a and b, which are the parameters of mse: "
            "got x and y; rename them",
        ),
        (
            {"objective": "saddle", "stop": {"targets": 1e-8}},
            "stop.targets must be left out, as saddle has no smallest value; drop them",
        ),
        (
            {"stop": {"targets": [1.0, 0.1], "bound": 0.5}},
            "stop.bound must lie above the first target, where f = 1.0: got 0.5; raise it",
        ),
        (
            {"stop": {"bound": -1}},
            "stop.bound must lie above the minimum of rosenbrock, where f = 0.0: got -1.0; "
            "raise it",
        ),
        (
            {"stop": {"targets": [1.0], "bound": False}},
            "stop.targets are looked for only where bound is a number: got bound = false; "
            "give a bound, or drop the targets",
        ),
        ({"stop": {"bound": True}}, "stop.bound must be a number, or false for none: got true"),
        ({"stop": {"bound": math.nan}}, "stop.bound must be a number, or false for none: got nan"),
        ({"stop": {"bound": "1"}}, "stop.bound must be a number, or false for none: got '1'"),
        ({"stop": {"target": 1}}, "stop.target: no such key; did you mean 'targets'?"),
        ({"stop": {"targets": [0.0]}}, "stop.targets must be positive: got 0.0 (entry 0); drop it"),
        (
            {"stop": {"targets": [1e-8, 1e-2]}},
            "stop.targets must decrease: got 0.01 after 1e-08 (entry 1); "
            "list the largest first, and each once",
        ),
        (
            {"stop": {"targets": [1, math.nan]}},
            "stop.targets must be a finite number: got nan (entry 1); drop it",
        ),
        (
            {"stop": {"targets": "1e-8"}},
            "stop.targets must be a number or a list of numbers: got '1e-8'",
        ),
        (
            {"stop": {"targets": True}},
            "stop.targets must be a number or a list of numbers: got true",
        ),
        ({"stop": 1e-8}, "stop must be a table with the keys targets, bound: got 1e-08"),
        ({"record": 10}, "record must be a table with the keys every, log, steps, dtype: got 10"),
        ({"record": {}}, "record needs one of every, log and steps; add one, such as every = 10"),
        (
            {"record": {"every": 10, "log": 5}},
            "record takes one of every, log and steps: got every and log; keep one",
        ),
        ({"record": {"evry": 10}}, "record.evry: no such key; did you mean 'every'?"),
        ({"record": {"every": 0}}, "record.every must be at least 1: got 0"),
        (
            {"record": {"every": 10**30}},
            "record.every must be at most 2147483646: got 1.00e+30",
        ),
        ({"record": {"log": 1}}, "record.log must be at least 2: got 1"),
        ({"record": {"steps": 5}}, "record.steps must be a list: got 5; write [5]"),
        (
            {"record": {"steps": []}},
            "record.steps is empty; leave [record] out to store summaries only",
        ),
        (
            {"record": {"steps": [0, 5, 1, 5]}},
            "record.steps has 5 more than once (entries 1 and 3); list each step once",
        ),
        (
            {"record": {"steps": [0, 1.5]}},
            "record.steps must be a whole number: got 1.5 (entry 1)",
        ),
        (
            {"record": {"steps": [0, 101, 102]}},
            "record.steps must lie in 0 to 100, the updates of a run: got 101 (entry 1); drop it",
        ),
        (
            {"record": {"steps": [-1]}},
            "record.steps must lie in 0 to 100, the updates of a run: got -1 (entry 0); drop it",
        ),
        (
            {"record": {"steps": [10**30]}},
            "record.steps must lie in 0 to 100, the updates of a run: got 1.00e+30 (entry 0); "
            "drop it",
        ),
        (
            {"record": {"every": 1, "dtype": "float16"}},
            "record.dtype must be 'float64' or 'float32': got 'float16'",
        ),
        (
            {"steps": 2**31 - 2, "record": {"every": 1}},
            "record makes the trajectory of one run 32,768 MiB large, and it may be 256 MiB at "
            "most; record fewer steps, such as log = 1000",
        ),
        ({"recrod": {"every": 10}}, "recrod: no such key; did you mean 'record'?"),
        (
            {"grid": [BASE["grid"]]},
            "grid must be a table with the keys lr, momentum, start, velocity, rule, objective, "
            "cells, seed: got ",
        ),
    ],
)
def test_refused(changes: dict[str, Any], message: str) -> None:
    said = refused(**changes)
    assert said.startswith(message) if message.endswith("got ") else said == message


def test_more_runs_than_can_be_numbered() -> None:
    axis = {"linspace": [0.1, 0.2], "num": 10**6}
    said = refused(grid={"lr": axis, "momentum": axis, "start": {"x": axis, "y": axis}})
    assert said == "grid has 1.00e+24 runs, and may have 4.6e+18 at most; make an axis shorter"


def test_faults_that_do_not_hide_each_other_are_told_together() -> None:
    said = refused(
        rule="sgd", stop={"targets": [1.0], "bound": 0.5}, record={"steps": [101]}
    ).splitlines()
    assert [line.split()[0] for line in said] == ["grid.momentum", "stop.bound", "record.steps"]


def test_a_seasoned_users_python() -> None:
    found = fm.Experiment(
        objective="rosenbrock",
        rule=fm.RULES["nesterov"],
        steps=np.int64(100),
        grid=fm.Grid(lr=np.geomspace(1e-3, 1e-1, 3), momentum=0.9, start=np.array([[1, 2]])),
        record=fm.Record(steps=np.arange(0, 100, 10)),
        stop=fm.Stop(targets=1e-8, bound=math.inf),
    )
    assert found.objective == fm.Rosenbrock()
    assert found.rule.rule is fm.RULES["nesterov"]
    assert found.stop.targets == (1e-8,)
    assert found.stop.bound == np.finfo(float).max
    assert found.recorded.tolist() == [*range(0, 100, 10), 100]
    assert experiment(steps=1e2) == experiment()
    assert fm.Record(steps=range(3)).steps == (0, 1, 2)
    assert experiment(rule="sgd", **on(momentum=0.0)).grid.momenta.tolist() == [0.0]


@pytest.mark.parametrize(
    ("record", "recorded"),
    [
        (None, []),
        ({"every": 40}, [0, 40, 80, 100]),
        ({"every": 50}, [0, 50, 100]),
        ({"every": 1000}, [0, 100]),
        ({"log": 3}, [0, 1, 10, 100]),
        ({"log": 2}, [0, 1, 100]),
        ({"steps": [7, 3]}, [3, 7, 100]),
        ({"steps": [100]}, [100]),
    ],
)
def test_recorded_steps(record: Any, recorded: list[int]) -> None:
    found = experiment(record=record)
    assert found.recorded.tolist() == recorded
    assert found.recorded.dtype == np.int64
    if found.record is not None:
        assert found.record.count(100) >= len(recorded)


def test_blocks_suit_the_work_and_the_memory() -> None:
    assert experiment(steps=1).block_runs == 65_440
    assert experiment(steps=5000).block_runs == 40_000_000 // 5000 // 160 * 160
    assert experiment(steps=MOST_STEPS).block_runs == 160
    large = experiment(steps=1_000_000, record={"every": 1})
    assert large.bytes_per_run > BLOCK_BYTES
    assert large.block_runs == 1


CANONICAL = (
    '{"grid":{"lr":{"include":[1.5e-05],"logspace":[1e-06,0.001],"num":64},'
    '"momentum":{"include":[],"values":[0.0,0.9]},'
    '"start":{"x":{"include":[],"values":[-5.0]},"y":{"arange":[0.0,1.0,0.25],"include":[]}}},'
    '"objective":{"a":1.0,"b":100.0,"name":"rosenbrock"},"record":{"dtype":"float32","log":50},'
    '"rule":{"name":"momentum"},"steps":5000,"stop":{"bound":1e+20,"targets":[0.01,1e-08]},'
    '"title":"A \\u2192 B"}'
)
SHA256 = "3b5d2f3f0672bdd74c4a2e6aa2cf8cb0694592bcf1e6e6d79efcae146baa3e55"


def test_the_canonical_form_does_not_change() -> None:
    """Results files hold it, and are recognised by its hash: an old file must stay ours."""
    found = fm.Experiment(
        title="A \u2192 B",
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=5000,
        grid=fm.Grid(
            lr={"logspace": (1e-6, 1e-3), "num": 64, "include": [1.5e-5]},
            momentum=[0, 0.9],
            start={"x": -5, "y": {"arange": [0, 1, 0.25]}},
        ),
        record=fm.Record(log=50, dtype="float32"),
        stop=fm.Stop(targets=[1e-2, 1e-8]),
    )
    assert found.canonical == CANONICAL
    assert found.sha256 == SHA256 == hashlib.sha256(CANONICAL.encode()).hexdigest()
    assert fm.Experiment.from_canonical(CANONICAL) == found


NUMBERS = st.floats(1e-6, 0.9)
LISTS = st.lists(NUMBERS, min_size=1, max_size=5, unique=True)
AXES = st.one_of(
    NUMBERS,
    LISTS,
    st.fixed_dictionaries(
        {"linspace": st.just([0.1, 0.9]), "num": st.integers(1, 20)}, optional={"include": LISTS}
    ),
    st.fixed_dictionaries(
        {"logspace": st.just([1e-6, 0.9]), "num": st.integers(1, 20)}, optional={"include": LISTS}
    ),
    st.fixed_dictionaries(
        {"arange": st.tuples(st.just(0.1), st.floats(0.2, 0.99), st.floats(0.01, 0.9))}
    ),
)
COORDINATES = st.floats(-1e9, 1e9)
STEPS = 100
RECORDS = st.one_of(
    st.none(),
    st.builds(fm.Record, every=st.integers(1, 200), dtype=st.sampled_from(["float64", "float32"])),
    st.builds(fm.Record, log=st.integers(2, 50)),
    st.builds(
        fm.Record, steps=st.lists(st.integers(0, STEPS), min_size=1, max_size=9, unique=True)
    ),
)
TARGETS = st.lists(st.floats(1e-12, 1e3), max_size=4, unique=True).map(
    lambda targets: sorted(targets, reverse=True)
)
STOPS = st.one_of(
    st.just(fm.Stop(bound=None)),
    st.just(fm.Stop(bound=math.inf)),
    st.builds(fm.Stop, targets=TARGETS, bound=st.floats(1e9, 1e300)),
)
OBJECTIVES = st.one_of(
    st.sampled_from([fm.Booth(), fm.Ackley()]),
    st.builds(fm.Rosenbrock, a=st.floats(-9, 9), b=st.floats(0.1, 99)),
    st.just(fm.MSE(data=LINE)),  # type: ignore[arg-type]
)
TITLES = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=30)


@st.composite
def experiments(draw: st.DrawFn) -> fm.Experiment:
    objective, rule = draw(OBJECTIVES), draw(st.sampled_from(sorted(fm.RULES)))
    points = st.lists(st.tuples(COORDINATES, COORDINATES), min_size=1, max_size=4, unique=True)
    mesh = st.fixed_dictionaries(dict.fromkeys(objective.parameters, AXES))
    own = {p.name: draw(st.floats(0.01, 0.99)) for p in fm.RULES[rule].parameters}
    return fm.Experiment(
        title=draw(TITLES),
        objective=objective,
        rule={"name": rule, **own},
        steps=STEPS,
        grid=fm.Grid(
            lr=draw(AXES),
            momentum=draw(AXES) if fm.RULES[rule].uses_momentum else None,
            start=draw(points | mesh),
            velocity=draw(st.none() | points | mesh) if fm.RULES[rule].uses_momentum else None,
        ),
        record=draw(RECORDS),
        stop=draw(STOPS),
    )


def test_minus_zero_is_zero() -> None:
    def plan(zero: float) -> fm.Experiment:
        grid = fm.Grid(
            lr=0.1, momentum=[0.5], start=[(zero, 1.0)], velocity={"x": [zero, 1.0], "y": zero}
        )
        return fm.Experiment(objective="booth", rule="momentum", steps=5, grid=grid)

    assert plan(-0.0).sha256 == plan(0.0).sha256
    assert plan(np.float64(-0.0)).sha256 == plan(0.0).sha256  # type: ignore[arg-type]
    for axes in (plan(-0.0).grid.start_axes, plan(-0.0).grid.velocity_axes):
        assert not np.signbit(np.concatenate(axes)).any()


@given(experiments())
def test_the_canonical_form_reads_back(found: fm.Experiment) -> None:
    again = fm.Experiment.from_canonical(found.canonical)
    assert again == found
    assert again.canonical == found.canonical
    assert again.sha256 == found.sha256
    assert found.canonical.isascii()
    assert again.grid.shape == found.grid.shape
    for axes in ("start_axes", "velocity_axes"):
        for one, other in zip(getattr(again.grid, axes), getattr(found.grid, axes), strict=True):
            np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(again.grid.lr.points, found.grid.lr.points)
    np.testing.assert_array_equal(again.recorded, found.recorded)
    assert found.difference(again) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not the canonical form of an experiment: "),
        ("[" * 100_000, "not the canonical form of an experiment: "),
        ("[1]", "experiment must be a table with the keys title, steps, "),
        ("NaN", "experiment must be a table with the keys "),
        (
            '{"objective":{"name":"mse","data":"/etc/passwd","x":"x","y":"y"}}',
            "objective.statistics is missing; data are not read again",
        ),
        (
            CANONICAL.replace("1e+20", "NaN"),
            "stop.bound must be a number, or false for none: got nan",
        ),
        (
            CANONICAL.replace("-5.0", "1e999"),
            "grid.start.x must be a finite number: got inf (entry 0)",
        ),
    ],
)
def test_what_is_no_canonical_form(text: str, message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.Experiment.from_canonical(text)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"steps": 50}, "steps is 100 and not 50"),
        ({"objective": "booth"}, "objective.name is 'rosenbrock' and not 'booth'"),
        ({"objective": fm.Rosenbrock(a=2)}, "objective.a is 1.0 and not 2.0"),
        (on(lr=0.1), "grid.lr is [0.1, 0.2] and not [0.1]"),
        (on(lr=np.arange(1, 1000)), "grid.lr is [0.1, 0.2] and not [1.0, 2.0, 3.0, 4.0, 5.0"),
        ({"record": {"every": 5}}, "record.dtype is left out and not 'float64'"),
        ({"stop": {"bound": None}}, "stop.bound is 1e+20 and not false"),
        ({"title": "B"}, "title is '' and not 'B'"),
        ({}, ""),
    ],
)
def test_difference(changes: dict[str, Any], difference: str) -> None:
    assert experiment().difference(experiment(**changes)).startswith(difference)


def test_other_data_are_a_difference() -> None:
    one, other = (
        experiment(objective={"name": "mse", "data": LINE | {"seed": seed}}) for seed in (0, 1)
    )
    assert one.difference(other) == "objective.data.seed is 0 and not 1"
    x, y = np.arange(5.0), np.array([1.0, 2.0, 2.0, 5.0, 3.0])
    one, other = (experiment(objective=fm.MSE.from_arrays(x, y * k)) for k in (1, 2))
    assert one.difference(other) == "data differ"


FILE = """
steps = 100
[objective]
name = "rosenbrock"
a = 2.0
[rule]
name = "momentum"
[grid]
lr = { linspace = [0.1, 0.2], num = 3 }
momentum = 0.9
start = [[1, 1]]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "x.toml"
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ("overrides", "key", "value"),
    [
        (["steps=7"], "steps", 7),
        (["steps = 7"], "steps", 7),
        (["steps=1_000"], "steps", 1000),
        ("steps=7", "steps", 7),
        (["title=My run: 5 steps"], "title", "My run: 5 steps"),
        (['title="a = b"'], "title", "a = b"),
        (["title='5'"], "title", "5"),
        (["rule.name=nesterov"], "rule", {"name": "nesterov"}),
        (["rule=nesterov"], "rule", {"name": "nesterov"}),
        (["objective=booth"], "objective", {"name": "booth"}),
        (["objective.a=.5"], "objective", {"name": "rosenbrock", "a": 0.5, "b": 100.0}),
        (["record.every=10"], "record", {"every": 10, "dtype": "float64"}),
        (["record={ log = 5 }"], "record", {"log": 5, "dtype": "float64"}),
        (["stop.targets=[1e-2, 1e-8]"], "stop", {"targets": [1e-2, 1e-8], "bound": 1e20}),
        (["stop.bound=false"], "stop", {"targets": [], "bound": False}),
    ],
)
def test_overrides(file: Path, overrides: Any, key: str, value: Any) -> None:
    assert json.loads(fm.load(file, overrides).canonical)[key] == value


def test_overrides_reach_into_axes(file: Path) -> None:
    found = fm.load(file, ["grid.lr.num=5", "grid.lr.include=[0.15]", "grid.momentum=[0, 0.5]"])
    assert found.grid.shape == (6, 2, 1)
    assert fm.load(str(file)).grid.shape == (3, 1, 1)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("", "--set takes KEY=VALUE, such as grid.lr.num=128: got ''"),
        ("steps", "--set takes KEY=VALUE, such as grid.lr.num=128: got 'steps'"),
        ("steps=", "--set takes KEY=VALUE, such as grid.lr.num=128: got 'steps='"),
        ("=5", "--set takes KEY=VALUE, such as grid.lr.num=128: got '=5'"),
        ("grid..lr=5", "--set takes KEY=VALUE, such as grid.lr.num=128: got 'grid..lr=5'"),
        (
            "grid.lr=[1,2",
            "--set grid.lr=[1,2: the value is not valid TOML: unclosed array; correct it",
        ),
        (
            "steps=5=6",
            "--set steps=5=6: the value is not valid TOML: expected newline or end of document "
            "after a statement; correct it",
        ),
        (
            'steps=5\ntitle="x"',
            '--set steps=5 title="x": the value is not valid TOML: more than one line; correct it',
        ),
        (
            "steps=" + "1" * 5000,
            "the value is not valid TOML: a number has too many digits; correct it",
        ),
        (
            "grid.momentum.num=5",
            "--set grid.momentum.num=5: grid.momentum is no table in the file, but 0.9; "
            "set grid.momentum whole",
        ),
        ("grid.lr.nmu=5", "x.toml: grid.lr.nmu: no such key; did you mean 'num'?"),
        ("gird.lr.num=5", "x.toml: gird: no such key; did you mean 'grid'?"),
        ("steps=many", "x.toml: steps must be a whole number: got 'many'"),
        ("objective.name=booth", "x.toml: objective.a: no such key; known are name"),
    ],
)
def test_bad_overrides(file: Path, override: str, message: str) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.load(file, [override])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("u,v\n1,2\n2,4\n")
    text = FILE.replace(
        'name = "rosenbrock"\na = 2.0', 'name = "mse"\ndata = "data.csv"\nx = "u"\ny = "v"'
    )
    (tmp_path / "x.toml").write_text(text)
    found = fm.load(tmp_path / "x.toml")
    assert found.objective.minimisers.tolist() == [[2.0, 0.0]]
    assert fm.Experiment.from_canonical(found.canonical) == found


def test_every_line_of_a_message_begins_with_the_files_name(file: Path) -> None:
    with pytest.raises(fm.InputError) as caught:
        fm.load(file, ["steps=0", "grid.lr=-1", "objective.c=1"])
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"{file}: ") for line in lines)


def test_windows_texts_are_read(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_bytes(b"\xef\xbb\xbf" + FILE.replace("\n", "\r\n").encode())
    assert fm.load(path).steps == 100


def test_a_path_that_no_file_can_have() -> None:
    with pytest.raises(fm.InputError, match="is not a path"):
        fm.load("a\0b")
