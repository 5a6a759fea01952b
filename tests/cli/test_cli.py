"""The command: what it says, with which exit status it ends, and what it leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

import fastmomentum as fm
from fastmomentum.cli import app
from fastmomentum.errors import StorageError
from fastmomentum.execution import worker
from tests.helpers import kilobytes, needs, on_linux

FILE = """\
title = "Rosenbrock"
steps = 100

[objective]
name = "rosenbrock"

[rule]
name = "momentum"

[grid]
lr = [1e-4, 1e-3]
momentum = [0.0, 0.9]
start = [[-5.0, -5.0]]

[record]
every = 10

[stop]
targets = [1e-2, 1e-8]
"""
LINE = "{ num_points = 20, x_mid = 5, x_range = 5, y_weight = 10, noise_range = 5, seed = 0 }"
MSE = FILE.replace('"rosenbrock"', f'"mse"\ndata = {LINE}')
CSV = FILE.replace('"rosenbrock"', '"mse"\ndata = "data.csv"\nx = "u"\ny = "v"')
NUMBER = "must be a number, a list of numbers, or a table with linspace, logspace or arange: "
OBJECTIVES = ", ".join(fm.OBJECTIVES)


class Result:
    """What a command did."""

    def __init__(self, *arguments: str) -> None:
        done = CliRunner().invoke(app, list(arguments))
        assert done.exception is None or isinstance(done.exception, SystemExit)
        self.status, self.out, self.err = done.exit_code, done.stdout, done.stderr
        assert "Traceback" not in self.out + self.err
        assert "pydantic" not in self.out + self.err


def refused(status: int, message: str, *arguments: str) -> None:
    """Assert that a command ends so, says this and nothing else, and leaves all as it was."""
    before = files()
    done = Result(*arguments)
    assert (done.err, done.status, done.out) == (message + "\n", status, "")
    assert files() == before


def files() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test has its own folder, and x.toml in it."""
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text(FILE)
    before = signal.getsignal(signal.SIGTERM)
    yield
    assert signal.getsignal(signal.SIGTERM) is before


# What the file may get wrong: a piece of it, what stands there instead, and what is said.
BAD_FILES = [
    # Misspelt keys, at every level.
    ("title", "titel", "titel: no such key; did you mean 'title'?"),
    ("steps", "stpes", "stpes: no such key; did you mean 'steps'?"),
    ("[grid]", "[gird]", "gird: no such key; did you mean 'grid'?"),
    ("[record]", "[records]", "records: no such key; did you mean 'record'?"),
    ('name = "ros', 'nmae = "ros', "objective.nmae: no such key; did you mean 'name'?"),
    ('"rosenbrock"', '"rosenbrock"\nc = 3', "objective.c: no such key; known are name, a, b"),
    ('name = "mom', 'naem = "mom', "rule.naem: no such key; did you mean 'name'?"),
    ("momentum =", "momentun =", "grid.momentun: no such key; did you mean 'momentum'?"),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.1, 0.2], nmu = 3 }",
        "grid.lr.nmu: no such key; did you mean 'num'?",
    ),
    (
        "[[-5.0, -5.0]]",
        "{ x = 1, y = { linspace = [0, 1], nun = 3 } }",
        "grid.start.y.nun: no such key; did you mean 'num'?",
    ),
    (
        "[[-5.0, -5.0]]",
        "{ x = 1, z = 1 }",
        "grid.start needs the axes x and y, which are the parameters of rosenbrock: "
        "got x and z; rename them",
    ),
    ("every", "evry", "record.evry: no such key; did you mean 'every'?"),
    ("targets", "target", "stop.target: no such key; did you mean 'targets'?"),
    # What is missing.
    ("steps = 100\n", "", "steps is missing; add it, such as steps = 5000"),
    (
        '[rule]\nname = "momentum"\n',
        "",
        'rule is missing; add it, such as rule = { name = "momentum" }',
    ),
    (
        'name = "rosenbrock"',
        "",
        'objective.name is missing; add it, such as name = "rosenbrock"',
    ),
    ("lr = [1e-4, 1e-3]", "", "grid.lr is missing; add it, such as lr = [0.001, 0.01]"),
    (
        "momentum = [0.0, 0.9]",
        "",
        "grid.momentum is missing; the rule momentum needs it, such as momentum = 0.9",
    ),
    (
        "start = [[-5.0, -5.0]]",
        "",
        "grid.start is missing; add it, such as start = [[-5.0, -5.0]]",
    ),
    ("every = 10", "", "record needs one of every, log and steps; add one, such as every = 10"),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.1, 0.2] }",
        "grid.lr needs num, the number of values, beside linspace; add it",
    ),
    # What must be a table, and is a list of tables.
    (
        "[record]",
        "[[record]]",
        "record must be a table with the keys every, log, steps, dtype: got [{ every = 10 }]; "
        "write [record], not [[record]]",
    ),
    (
        "[objective]",
        "[[objective]]",
        "objective must be a table with the key name: got [{ name = 'rosenbrock' }]; "
        "write [objective], not [[objective]]",
    ),
    (
        "[grid]",
        "[[grid]]",
        "grid must be a table with the keys lr, momentum, start, velocity, rule, objective, "
        "cells, seed: "
        "got [{ lr = [0.0001, 0.001], momentum = [0.0, 0.9], start = [...; "
        "write [grid], not [[grid]]",
    ),
    # Steps.
    ("100", "0", "steps must be at least 1: got 0"),
    ("100", "-1", "steps must be at least 1: got -1"),
    ("100", "2147483647", "steps must be at most 2147483646: got 2147483647"),
    ("100", "1.5", "steps must be a whole number: got 1.5"),
    ("100", "true", "steps must be a whole number: got true"),
    ("100", "nan", "steps must be a whole number: got nan"),
    ("100", "1979-05-27", "steps must be a whole number: got 1979-05-27"),
    ("100", '"100"', "steps must be a whole number: got '100'; write it without quotes"),
    ('"Rosenbrock"', "5", "title must be text, in quotes: got 5"),
    # Axes.
    ("[1e-4, 1e-3]", "nan", "grid.lr must be a finite number: got nan"),
    ("[1e-4, 1e-3]", "[0.1, nan]", "grid.lr must be a finite number: got nan (entry 1); drop it"),
    ("[1e-4, 1e-3]", "[0.1, 1e999]", "grid.lr must be a finite number: got inf (entry 1); drop it"),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [nan, 1.0], num = 3 }",
        "grid.lr.linspace must be a list of two finite numbers, the first and the last value: "
        "got [nan, 1.0]",
    ),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.1, 1.0], num = 3, include = [0.2, -inf] }",
        "grid.lr.include must be a finite number: got -inf (entry 1); drop it",
    ),
    ("[1e-4, 1e-3]", "[]", "grid.lr is empty; give at least one number"),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.1, 0.2], num = 0 }",
        "grid.lr.num must be at least 1: got 0",
    ),
    (
        "[1e-4, 1e-3]",
        "{ arange = [0.1, 0.1, 0.1] }",
        "grid.lr.arange is empty: a step of 0.1 leads nowhere from 0.1, the end: "
        "got [0.1, 0.1, 0.1]; move the end",
    ),
    (
        "[1e-4, 1e-3]",
        "[0.1, 0.2, 0.1]",
        "grid.lr has 0.1 more than once (entries 0 and 2); list each value once",
    ),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.1, 1.0], num = 3, include = [0.2, 0.2] }",
        "grid.lr.include has 0.2 more than once (entries 0 and 1); list each value once",
    ),
    ("[1e-4, 1e-3]", "0", "grid.lr must be positive: got 0.0"),
    ("[1e-4, 1e-3]", "[0.1, -0.1]", "grid.lr must be positive: got -0.1 (entry 1); drop it"),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.0, 1.0], num = 3 }",
        "grid.lr must be positive: got 0.0; raise the range's start",
    ),
    (
        "[1e-4, 1e-3]",
        "{ logspace = [-6, -3], num = 3 }",
        "grid.lr.logspace takes the first and the last value themselves, both positive, "
        "not exponents: got [-6.0, -3.0]",
    ),
    ("[1e-4, 1e-3]", "true", f"grid.lr {NUMBER}got true"),
    ("[1e-4, 1e-3]", '"0.1"', f"grid.lr {NUMBER}got '0.1'; write it without quotes"),
    ("[1e-4, 1e-3]", "1979-05-27", f"grid.lr {NUMBER}got 1979-05-27"),
    ("[1e-4, 1e-3]", "[true]", "grid.lr must be a number: got true (entry 0)"),
    ("[1e-4, 1e-3]", "[[0.1]]", "grid.lr must be a number: got [0.1] (entry 0)"),
    ("[1e-4, 1e-3]", "1" + "0" * 400, "grid.lr must be a finite number: got 1.00e+400"),
    (
        "[1e-4, 1e-3]",
        "{ linspace = [0.1, 0.2], num = 1_000_000_000_000 }",
        "grid.lr.num must be at most 1000000: got 1000000000000",
    ),
    ("[0.0, 0.9]", "1.2", "grid.momentum must lie in [0, 1): got 1.2"),
    (
        "[0.0, 0.9]",
        "[0.5, -0.5]",
        "grid.momentum must lie in [0, 1): got -0.5 (entry 1); drop it",
    ),
    (
        "[0.0, 0.9]",
        "{ linspace = [0, 1], num = 3 }",
        "grid.momentum must lie in [0, 1): got 1.0; lower the range's end",
    ),
    # Starts.
    (
        "[[-5.0, -5.0]]",
        "[1, 2]",
        "grid.start must be a list of points, or a table of the axes x and y: got [1, 2]; "
        "write [[1, 2]]",
    ),
    (
        "[[-5.0, -5.0]]",
        "[[1, 2, 3]]",
        "grid.start must hold points of two numbers: got [1, 2, 3] (entry 0)",
    ),
    (
        "[[-5.0, -5.0]]",
        "[[1, 2], [1, inf]]",
        "grid.start must be a finite number: got inf (entry 1); drop it",
    ),
    (
        "[[-5.0, -5.0]]",
        "[[1, 2], [1, 2]]",
        "grid.start has [1.0, 2.0] more than once (entries 0 and 1); list each point once",
    ),
    (
        "[[-5.0, -5.0]]",
        "{ x = [1, nan], y = 1 }",
        "grid.start.x must be a finite number: got nan (entry 1); drop it",
    ),
    (
        "[[-5.0, -5.0]]",
        "{ x = 1 }",
        "grid.start needs two axes, x and y (a and b for mse): got x",
    ),
    (
        "[[-5.0, -5.0]]",
        "{ a = 1, b = 1 }",
        "grid.start needs the axes x and y, which are the parameters of rosenbrock: "
        "got a and b; rename them",
    ),
    # Stop rules and records.
    ("[1e-2, 1e-8]", "[1e-2, 0.0]", "stop.targets must be positive: got 0.0 (entry 1); drop it"),
    (
        "[1e-2, 1e-8]",
        "[1e-8, 1e-2]",
        "stop.targets must decrease: got 0.01 after 1e-08 (entry 1); "
        "list the largest first, and each once",
    ),
    (
        "[1e-2, 1e-8]",
        "1e-2\nbound = 1e-3",
        "stop.bound must lie above the first target, where f = 0.01: got 0.001; raise it",
    ),
    (
        '"rosenbrock"',
        '"saddle"',
        "stop.targets must be left out, as saddle has no smallest value; drop them",
    ),
    (
        "every = 10",
        "steps = [0, 101]",
        "record.steps must lie in 0 to 100, the updates of a run: got 101 (entry 1); drop it",
    ),
    (
        "every = 10",
        "every = 10\nlog = 10",
        "record takes one of every, log and steps: got every and log; keep one",
    ),
    (
        "every = 10",
        'every = 1\ndtype = "f4"',
        "record.dtype must be 'float64' or 'float32': got 'f4'",
    ),
    # Objectives and rules.
    (
        '"rosenbrock"',
        '"rosenbrok"',
        "objective.name must name an objective: got 'rosenbrok'; did you mean 'rosenbrock'?",
    ),
    (
        '"rosenbrock"',
        '"xyz"',
        f"objective.name must name an objective: got 'xyz'; known are {OBJECTIVES}",
    ),
    (
        '"momentum"',
        '"nestrov"',
        "rule.name must name a rule: got 'nestrov'; did you mean 'nesterov'?",
    ),
    (
        '"momentum"',
        '"sgd"',
        "grid.momentum must be left out, as the rule sgd has none: got 0.9; "
        "drop it, or take the rule momentum",
    ),
    # No TOML.
    (
        "steps = 100",
        "steps = 100 5",
        "not valid TOML: expected newline or end of document after a statement "
        "(at line 2, column 13); correct it",
    ),
    ("100", "1" * 5000, "not valid TOML: a number has too many digits; correct it"),
    (
        "[[-5.0, -5.0]]",
        "[" * 5000 + "]" * 5000,
        "not valid TOML: too deeply nested; correct it",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "message"), BAD_FILES, ids=[message[:50] for *_, message in BAD_FILES]
)
def test_bad_files(old: str, new: str, message: str) -> None:
    assert old in FILE
    Path("x.toml").write_text(FILE.replace(old, new, 1))
    refused(2, f"x.toml: {message}", "plan", "x.toml")
    refused(2, f"x.toml: {message}", "run", "x.toml", "-o", "out.h5")


def test_an_empty_file() -> None:
    Path("x.toml").write_text("")
    refused(
        2,
        "x.toml: steps is missing; add it, such as steps = 5000\n"
        'x.toml: objective is missing; add it, such as objective = { name = "rosenbrock" }\n'
        'x.toml: rule is missing; add it, such as rule = { name = "momentum" }\n'
        "x.toml: grid is missing; add it, such as [grid] with lr, momentum and start",
        "run",
        "x.toml",
    )


def test_a_run_whose_record_is_larger_than_a_block_may_be() -> None:
    refused(
        2,
        "x.toml: record makes the trajectory of one run 1,526 MiB large, and it may be 256 MiB "
        "at most; record fewer steps, such as log = 1000",
        *("run", "x.toml", "--set", "steps=100_000_000", "--set", "record.every=1"),
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("num_points", "num_point", ".num_point: no such key; did you mean 'num_points'?"),
        ("num_points = 20, ", "", ".num_points is missing; add it"),
        ("20", "1", ".num_points must be at least 2: got 1"),
        ("20", "2.5", ".num_points must be a whole number: got 2.5"),
        ("20", "true", ".num_points must be a whole number: got true"),
        ("x_mid = 5", "x_mid = nan", ".x_mid must be a finite number: got nan"),
        (
            "x_mid = 5",
            'x_mid = "5"',
            ".x_mid must be a number: got '5'; write it without quotes",
        ),
        (
            "x_range = 5",
            "x_range = 0",
            " needs two points that differ in x, or no line is best: "
            "got 20 points, all with x = 5.0",
        ),
    ],
)
def test_bad_lines(old: str, new: str, message: str) -> None:
    Path("x.toml").write_text(MSE.replace(old, new, 1))
    refused(2, f"x.toml: objective.data{message}", "plan", "x.toml")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, ": no such file; correct the path or create it"),
        ("", " is empty; its first line must name the columns"),
        ("u,w\n1,2\n2,3\n", " has no column 'v'; known are u, w"),
        ("u,V\n1,2\n2,3\n", " has no column 'v'; did you mean 'V'?"),
        (
            "u,v\n1,2\nfoo,3\n",
            ", line 3: u must be a finite number: got 'foo'; correct or drop the line",
        ),
        (
            "u,v\n1,2\n2,nan\n",
            ", line 3: v must be a finite number: got 'nan'; correct or drop the line, or say "
            'missing = "drop"',
        ),
    ],
)
def test_bad_csv_files(data: str | None, message: str) -> None:
    Path("x.toml").write_text(CSV)
    if data is not None:
        Path("data.csv").write_text(data)
    where = Path("data.csv").absolute()
    refused(2, f"x.toml: objective.data {where}{message}", "plan", "x.toml")


def test_a_csv_file_of_one_point() -> None:
    Path("x.toml").write_text(CSV)
    Path("data.csv").write_text("u,v\n1,2\n1,3\n")
    refused(
        2,
        "x.toml: objective.data needs two points that differ in x, or no line is best: "
        "got 2 points, all with x = 1.0",
        *("plan", "x.toml"),
    )


def test_files_that_cannot_be_read() -> None:
    Path("folder").mkdir()
    Path("latin.toml").write_bytes(b'title = "caf\xe9"\n')
    Path("loop.toml").symlink_to("loop.toml")
    for name, message in {
        "none.toml": "none.toml: no such file; correct the path or create it",
        "folder": "folder is a folder; name an experiment file in it",
        "": ". is a folder; name an experiment file in it",
        "latin.toml": "latin.toml: not UTF-8 text (byte 12); "
        "name an experiment file, saved as UTF-8",
        "loop.toml": "loop.toml: cannot be read: too many levels of symbolic links",
        "x.toml/y.toml": "x.toml/y.toml: cannot be read: not a directory",
    }.items():
        refused(2, message, "run", name)


@needs("/dev/zero")
def test_a_file_without_end() -> None:
    refused(
        2, "/dev/zero: larger than 64 MiB; an experiment file is short text", "run", "/dev/zero"
    )


def test_files_that_may_not_be_read() -> None:
    Path("x.toml").chmod(0)
    if os.access("x.toml", os.R_OK):
        pytest.skip("this user may read all")
    done = Result("run", "x.toml")
    assert (done.status, done.err) == (2, "x.toml: cannot be read: permission denied\n")
    Path("y.toml").write_text(FILE)
    done = Result("run", "y.toml", "-o", "x.toml")
    assert (done.status, done.err.startswith("x.toml: may not be read")) == (2, True)
    done = Result("info", "x.toml")
    assert (done.status, done.err.startswith("x.toml: may not be read")) == (2, True)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps", "--set takes KEY=VALUE, such as grid.lr.num=128: got 'steps'"),
        (
            "grid.lr.num=5",
            "--set grid.lr.num=5: grid.lr is no table in the file, but [0.0001, 0.001]; "
            "set grid.lr whole",
        ),
        ("grid.lrr=5", "x.toml: grid.lrr: no such key; did you mean 'lr'?"),
        (
            "grid.lr=[1,2",
            "--set grid.lr=[1,2: the value is not valid TOML: unclosed array; correct it",
        ),
        (
            "record.log=5",
            "x.toml: record takes one of every, log and steps: got every and log; keep one",
        ),
    ],
)
def test_bad_overrides(override: str, message: str) -> None:
    refused(2, message, "plan", "x.toml", "--set", override)


def test_overrides() -> None:
    done = Result(
        *("plan", "x.toml", "--json", "--set", "steps = 7", "--set", "rule.name=nesterov"),
        *("--set", "grid.lr={ logspace = [1e-6, 1e-3], num = 9 }", "--set", "grid.lr.num=5"),
    )
    figures = json.loads(done.out)
    assert (done.status, done.err) == (0, "")
    assert (figures["steps"], figures["rule"], figures["shape"]["lr"]) == (7, "nesterov", 5)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--jobs", "0"), "--jobs must be 1 to 1024, or -1 for one per core: got 0"),
        (("--jobs", "-2"), "--jobs must be 1 to 1024, or -1 for one per core: got -2"),
        (("--jobs", "99999"), "--jobs must be 1 to 1024, or -1 for one per core: got 99999"),
        (("--jobs", "two"), "--jobs must be 1 to 1024, or -1 for one per core: got two"),
        (
            ("--backend", "thread"),
            "--backend: there is no backend 'thread'; did you mean 'threads'?",
        ),
    ],
)
def test_bad_options(option: tuple[str, str], message: str) -> None:
    refused(2, message, "run", "x.toml", *option)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run",), "Missing argument"),
        (("run", "x.toml", "y.toml"), "unexpected extra argument"),
        (("run", "x.toml", "--overwrit"), "--overwrite"),
        (("run", "x.toml", "--set"), "requires an argument"),
        (("rum", "x.toml"), "No such command 'rum'"),
        (("--verson",), "--version"),
        (("info",), "Missing argument"),
    ],
)
def test_usage(arguments: tuple[str, ...], message: str) -> None:
    done = Result(*arguments)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert len(done.err.splitlines()) <= 4


def test_help_and_version() -> None:
    assert Result("--version").out.startswith("fastmomentum ")
    for command in ((), ("run",), ("plan",), ("info",), ("verify",), ("zoom",)):
        done = Result(*command, "--help")
        assert done.status == 0
        assert "Usage" in done.out


# Results.


@pytest.fixture
def results() -> bytes:
    """The file out.h5, finished."""
    done = Result("run", "x.toml", "-o", "out.h5")
    assert (done.status, done.err) == (0, "")
    assert sorted(files()) == ["out.h5", "x.toml"]
    return Path("out.h5").read_bytes()


def test_run_twice(results: bytes) -> None:
    done = Result("run", "x.toml", "-o", "out.h5")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("out.h5: complete already; nothing to do\n")
    assert Path("out.h5").read_bytes() == results


@pytest.mark.parametrize(
    ("override", "difference"),
    [
        ("steps=50", "steps is 100 and not 50"),
        ("objective=booth", "objective.name is 'rosenbrock' and not 'booth'"),
        ("grid.lr=[1e-4]", "grid.lr is [0.0001, 0.001] and not [0.0001]"),
        ("stop.targets=1e-3", "stop.targets is [0.01, 1e-08] and not [0.001]"),
        ("record={log=5}", "record.every is 10 and not left out"),
    ],
)
def test_results_of_another_experiment(results: bytes, override: str, difference: str) -> None:
    refused(
        2,
        f"out.h5 holds results of another experiment, whose {difference}; "
        "choose another file, or replace it with --overwrite",
        *("run", "x.toml", "-o", "out.h5", "--set", override),
    )


def test_another_title_is_no_other_experiment(results: bytes) -> None:
    done = Result("run", "x.toml", "-o", "out.h5", "--set", "title=Other")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("out.h5: complete already; nothing to do\n")
    line = "  these results have the title 'Rosenbrock'; a new title alone is not a new experiment"
    assert line in done.out
    assert Path("out.h5").read_bytes() == results
    assert line not in Result("run", "x.toml", "-o", "out.h5").out


def test_results_without_a_title_say_so() -> None:
    untitled = Path("x.toml").read_text().replace('title = "Rosenbrock"\n', "")
    Path("untitled.toml").write_text(untitled)
    Result("run", "untitled.toml", "-o", "untitled.h5")
    done = Result("run", "x.toml", "-o", "untitled.h5")
    assert done.status == 0
    assert done.out.endswith(
        "  these results have no title; a new title alone is not a new experiment\n"
    )


def test_overwrite(results: bytes) -> None:
    options = ("-o", "out.h5", "--set", "steps=50", "--overwrite", "--quiet")
    done = Result("run", "x.toml", *options)
    assert (done.status, done.out, done.err) == (0, "", "")
    assert json.loads(Result("info", "out.h5", "--json").out)["steps"] == 50
    assert Path("out.h5").read_bytes() != results


def test_default_output() -> None:
    Path("folder").mkdir()
    Path("x.toml").rename("folder/y.toml")
    assert Result("run", "folder/y.toml").status == 0
    assert sorted(files()) == ["folder/y.toml", "y.h5"]


def test_outputs_that_cannot_be() -> None:
    Path("folder").mkdir()
    for name, status, message in [
        ("none/out.h5", 2, "none: no such folder; make it first, or choose another"),
        ("folder", 2, "folder is a folder; name a file in it, such as folder/out.h5"),
        ("", 2, ". is a folder; name a file in it, such as out.h5"),
    ]:
        refused(status, message, "run", "x.toml", "-o", name)


@needs("/proc")
def test_an_output_where_no_file_can_be() -> None:
    said = "locking /proc/out.h5: no file can be made there; choose another place"
    refused(4, said, "run", "x.toml", "-o", "/proc/out.h5")


def test_an_output_where_nothing_may_be_written() -> None:
    Path("folder").mkdir(mode=0o555)
    if os.access("folder", os.W_OK):
        pytest.skip("this user may write everywhere")
    refused(
        4,
        "locking folder/out.h5: permission denied; check the permissions, or choose another place",
        *("run", "x.toml", "-o", "folder/out.h5"),
    )


FOREIGN = {
    "text.h5": "it is no HDF5 file",
    "other.h5": "it was cut short, edited, or made elsewhere",
    "empty.h5": "it is empty",
    "pipe.h5": "is no regular file",
}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param(*one, marks=[needs("os.mkfifo")] if one[0] == "pipe.h5" else [])
        for one in FOREIGN.items()
    ],
)
def test_foreign_files(name: str, reason: str) -> None:
    Path("text.h5").write_text("hello\n")
    Path("empty.h5").write_bytes(b"")
    if name == "pipe.h5":
        os.mkfifo(name)
    with h5py.File("other.h5", "w") as file:
        file["numbers"] = np.arange(3)
    before = files()
    for command in (
        ("info", name),
        ("verify", name),
        ("verify", name, "--repair"),
        ("run", "x.toml", "-o", name),
        ("run", "x.toml", "-o", name, "--overwrite"),
    ):
        done = Result(*command)
        assert (done.status, done.out) == (3, "")
        assert done.err.startswith(name)
        assert reason in done.err
        assert len(done.err.splitlines()) == 1
        assert files() == before


@pytest.mark.parametrize("command", [("info",), ("verify",), ("verify", "--repair")])
def test_results_that_are_not_there(command: tuple[str, ...]) -> None:
    refused(2, "none.h5: no such file", command[0], "none.h5", *command[1:])
    refused(2, ". is a folder; name a results file", command[0], ".", *command[1:])


def test_the_experiment_file_as_output() -> None:
    done = Result("run", "x.toml", "-o", "x.toml", "--overwrite")
    assert done.status == 3
    assert Path("x.toml").read_text() == FILE


def test_a_grid_larger_than_the_free_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmomentum.store.files.free_bytes", lambda folder: 5000)
    before = files()
    done = Result("run", "x.toml", "-o", "out.h5")
    assert (done.status, done.out) == (4, "")
    assert re.fullmatch(
        r"out\.h5: 4 runs take [0-9.]+ kB, and 5 kB are free on that disk; "
        r"make the grid smaller, record less, or choose another disk\n",
        done.err,
    )
    assert files() == before
    assert "it does not fit" in Result("plan", "x.toml").out


HUGE = (
    *("--set", "grid.lr={ linspace = [0.1, 0.2], num = 1_000_000 }"),
    *("--set", "grid.momentum={ linspace = [0.1, 0.2], num = 1_000_000 }"),
    *("--set", "grid.start={ x = { arange = [0, 1000, 1] }, y = { arange = [0, 1000, 1] } }"),
)


def test_a_grid_of_a_quintillion_runs() -> None:
    done = Result("plan", "x.toml", *HUGE)
    assert (done.status, done.err) == (0, "")
    assert "1,000,000,000,000,000,000" in done.out
    assert "it does not fit" in done.out
    done = Result("run", "x.toml", *HUGE)
    assert (done.status, done.out) == (4, "")
    assert done.err.startswith("x.h5: 1,000,000,000,000,000,000 runs take 213,000 PB, and ")
    assert sorted(files()) == ["x.toml"]


def test_json(results: bytes) -> None:
    planned, held = (
        json.loads(Result(*command, "--json").out)
        for command in (
            ("plan", "x.toml"),
            ("info", "out.h5"),
        )
    )
    assert planned["sha256"] == held["sha256"] == fm.load("x.toml").sha256
    assert planned["runs"] == held["runs"] == sum(held["counts"].values()) == 4
    assert held["finished"]


def test_verify(results: bytes) -> None:
    done = Result("verify", "out.h5")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("out.h5: all 1 blocks")
    with h5py.File("out.h5") as file:
        where = file["final_loss"].id.get_offset()
    with Path("out.h5").open("r+b") as raw:
        raw.seek(where)
        raw.write(b"\x01\x02\x03")
    done = Result("verify", "out.h5")
    assert (done.status, done.out) == (3, "")
    assert done.err.startswith("out.h5: 1 of 1 blocks are damaged")
    assert "--repair" in done.err
    done = Result("verify", "out.h5", "--repair")
    assert (done.status, done.err) == (0, "")
    assert "computed again" in done.out
    assert Result("verify", "out.h5").status == 0
    assert sorted(files()) == ["out.h5", "x.toml"]


def test_interrupted_and_gone_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmomentum.experiment.blocks.BLOCK_RUNS", (1, 1))
    real = worker.do_block
    blocks = []

    def interrupted(*arguments: Any) -> Any:
        if len(blocks) == 2:
            raise KeyboardInterrupt
        blocks.append(arguments)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("fastmomentum.execution.worker.do_block", interrupted)
        done = Result("run", "x.toml", "--jobs", "1")
    assert (done.status, done.out) == (130, "")
    assert done.err == (
        "interrupted; 2 of 4 blocks are done and kept in x.h5.partial: "
        "run the same again to resume\n"
    )
    assert "not finished: 2 of 4 blocks done; run it again to resume" in Result("info", "x.h5").out
    refused(
        2,
        "x.h5.partial is not finished: 2 of 4 blocks are done; run its experiment again "
        "(in Python, allow_partial=True opens it as it is)",
        *("zoom", "x.h5", "--lr", "1e-4:1e-3", "--momentum", "0:0.9"),
    )
    assert sorted(files()) == ["x.h5.partial", "x.toml"]
    done = Result("run", "x.toml")
    assert done.status == 0
    assert done.out.startswith("x.h5: resuming; 2 of 4 blocks are done, 2 are left\n")
    assert sorted(files()) == ["x.h5", "x.toml"]


def stop_by_signal(*_: object, **__: object) -> None:
    signal.raise_signal(signal.SIGTERM)  # os.kill would end the process on Windows


def fail(error: BaseException) -> Any:
    def failing(*_: object, **__: object) -> None:
        raise error

    return failing


def fail_twice(first: BaseException, second: BaseException) -> Any:
    """As cleaning up does, which fails in turn."""

    def failing(*_: object, **__: object) -> None:
        try:
            raise first
        finally:
            raise second

    return failing


@pytest.mark.parametrize(
    ("action", "status", "message"),
    [
        (fail(KeyboardInterrupt()), 130, "interrupted\n"),
        (stop_by_signal, 130, "interrupted\n"),
        (
            fail(MemoryError()),
            4,
            "not enough memory; run fewer jobs, or record fewer steps\n",
        ),
        (
            fail_twice(RuntimeError("can't start new thread"), AttributeError("terminate")),
            4,
            "not enough memory or threads: can't start new thread; run fewer jobs with --jobs\n",
        ),
        (fail(OSError(5, "Input/output error", "a.h5")), 4, "a.h5: input/output error\n"),
        (fail(StorageError("no disk")), 4, "no disk\n"),
        (
            fail(ZeroDivisionError("by zero")),
            1,
            "fastmomentum has a fault: ZeroDivisionError: by zero\n"
            "set FASTMOMENTUM_TRACEBACK=1 to see where, and please report it\n",
        ),
    ],
)
def test_what_may_happen_meanwhile(
    action: Any, status: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastmomentum.execution.runner.run_to_file", action)
    done = Result("run", "x.toml")
    assert (done.status, done.err, done.out) == (status, message, "")


def test_a_fault_shows_its_traceback_where_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastmomentum.execution.runner.run_to_file", fail(ZeroDivisionError()))
    monkeypatch.setenv("FASTMOMENTUM_TRACEBACK", "1")
    done = CliRunner().invoke(app, ["run", "x.toml"])
    assert isinstance(done.exception, ZeroDivisionError)


# The same through a process of its own.


def process(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fastmomentum", *arguments]
    return subprocess.run(command, text=True, stderr=subprocess.PIPE, check=False, **options)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (
            ("run", "x.toml", "--set", "grid.momentum=1.2"),
            2,
            "x.toml: grid.momentum must lie in [0, 1): got 1.2\n",
        ),
        (("info", "none.h5"), 2, "none.h5: no such file\n"),
    ],
)
def test_exit_status_of_the_process(arguments: tuple[str, ...], status: int, message: str) -> None:
    done = process(*arguments, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr, done.stdout) == (status, message, "")


def test_run_without_a_file() -> None:
    done = process("run", stdout=subprocess.PIPE)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Missing argument" in done.stderr
    assert len(done.stderr.splitlines()) <= 4


MEASURED = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "fastmomentum", *sys.argv[1:]])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(done.returncode)
"""
"""Runs the command; a small process of its own, since a child counts its parent's memory, too."""


@needs("resource")
def test_a_plan_of_a_billion_runs_takes_little_memory() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c", MEASURED, "plan", "x.toml", "--json"),
            *("--set", "grid.lr={ logspace = [1e-6, 1e-3], num = 10_000 }"),
            *("--set", "grid.momentum={ linspace = [0, 0.99], num = 10_000 }"),
            *("--set", "grid.start={ x = { arange = [0, 10, 1] }, y = 1 }"),
        ],
        text=True,
        capture_output=True,
        check=True,
    )
    assert kilobytes(done.stderr) < 300_000
    figures = json.loads(done.stdout)
    assert figures["runs"] == 10**9
    assert figures["shape"] == {"lr": 10_000, "momentum": 10_000, "start_x": 10, "start_y": 1}
    assert figures["bytes"] > 10**9 * 33
    assert figures["estimated_seconds"] > 0


@needs("/dev/full")
def test_output_that_cannot_be_written() -> None:
    with Path("/dev/full").open("w") as full:
        done = process("plan", "x.toml", stdout=full)
    assert (done.returncode, done.stderr) == (4, "standard output: no space left on device\n")


def test_output_that_nobody_reads() -> None:
    read, write = os.pipe()
    os.close(read)
    done = process("plan", "x.toml", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


def test_words_that_the_terminal_has_not() -> None:
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = process(
        *("plan", "x.toml", "--set", 'title="caf\u00e9"'), stdout=subprocess.PIPE, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(r"caf\xe9: momentum on rosenbrock")


@on_linux  # elsewhere each name is text
def test_a_name_that_is_no_text() -> None:
    name = os.fsdecode(b"caf\xe9.toml")
    Path("x.toml").rename(name)
    done = process("run", name, "-o", "out.h5", stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")
    with h5py.File("out.h5") as file:
        assert rb"caf\udce9.toml" in file.attrs["command_line"]
    done = process("run", "x.toml", stdout=subprocess.PIPE)
    assert done.stderr == "x.toml: no such file; correct the path or create it\n"


def value_options() -> Iterator[tuple[tuple[str, ...], str]]:
    """Every registered command, with each of its options that takes one value."""

    def leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from leaves(inner, (*words, name))
        if command.context_settings.get("allow_extra_args"):  # has a parser of its own behind it
            yield words, "--title"
        for option in command.params:
            is_value = option.param_type_name == "option" and not option.is_flag
            if is_value and not option.multiple:
                yield words, option.opts[0]

    return leaves(typer.main.get_command(app), ())


@pytest.mark.parametrize(
    ("command", "option"),
    [pytest.param(*one, id=" ".join([*one[0], one[1]])) for one in value_options()],
)
def test_an_option_of_which_one_counts_is_refused_twice(
    command: tuple[str, ...], option: str
) -> None:
    message = f"{option} was given twice; leave one out"
    done = Result(*command, "x.toml", option, "no value", option, "nor this")
    assert (done.err.strip().removesuffix("; see --help"), done.status) == (message, 2)
    assert done.out == ""
    assert list(files()) == ["x.toml"]


def test_every_command_is_asked() -> None:
    asked = {command[0] for command, _ in value_options()}
    commands = set(typer.main.get_command(app).commands)
    assert commands - asked == {"plan", "info", "verify"}  # these have switches and --set alone


@pytest.mark.parametrize("command", ["run", "plan", "compare"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("steps=5", "steps=6"), "--set names steps twice; leave one out"),
        (("grid.lr.num=5", "grid . lr.num=5"), "--set names grid.lr.num twice; leave one out"),
        (
            ("grid.lr.num=5", "grid.lr=0.1"),
            "--set grid.lr undoes --set grid.lr.num before it; leave one out, or swap them",
        ),
    ],
)
def test_a_key_is_set_once(command: str, given: tuple[str, str], message: str) -> None:
    Path("x.toml").write_text(FILE.replace("[1e-4, 1e-3]", "{ linspace = [0.1, 0.2], num = 3 }"))
    refused(2, message, command, "x.toml", *(word for one in given for word in ("--set", one)))


def test_options_of_which_all_count_and_switches_are_taken_twice() -> None:
    Path("x.toml").write_text(FILE)
    twice = ("--set", "steps=7", "--set", "record.every=7", "--json", "--json")
    done = Result("plan", "x.toml", *twice)
    assert (done.status, done.err) == (0, "")
    assert json.loads(done.out)["steps"] == 7
