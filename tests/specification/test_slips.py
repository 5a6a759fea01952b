"""What people mistype, in files and commands: a line that says what to write instead."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import fastmomentum as fm
from fastmomentum.datasets import load_csv
from fastmomentum.specification.slips import slip_in_line
from tests.storing import command, finish, grid_of_runs

TOML = """\
steps = 100
title = "a"
objective.name = "rosenbrock"
rule.name = "momentum"
[grid]
lr = 1e-3
momentum = 0.9
start = [[0.0, 0.0]]
"""

LINES = [
    ("lr = .001", "write 0.001"),
    ("lr = -.5e-3", "write -0.5e-3"),
    ("lr = [0.1, .2]", "write 0.2"),
    ("lr\t=\t.1", "write 0.1"),
    ("lr = 5.", "write 5.0"),
    ("lr = 1.e-3", "write 1.0e-3"),
    ("lr = 007", "write 7"),
    ("lr = 90%", "write 0.9"),
    ("lr = 12.5 %  # of it", "write 0.125"),
    ("lr = 1,5", "write 1.5, or [1, 5] for two"),
    ("lr = 0,001", "write 0.001"),
    ("lr = 10^-3", "write 1e-3"),
    ("lr = 2*10**-3", "write 2e-3"),
    ("lr = 1/4", "write 0.25"),
    ("lr = { logspace = [1e-5 1e-2], num = 5 }", "write 1e-5, 1e-2"),
    ("lr = \u22121", "write the minus sign -"),
    ("lr = Inf", "write inf"),
    ("lr = NaN", "write a finite number"),
    ("a = True", "write true"),
    ("a = False  # not", "write false"),
    ("a = None", "leave the key out; None is not known"),
    ("a = nesterov", 'write "nesterov", in quotes'),
    ("a = \u201cnesterov\u201d", 'write straight quotes, "'),
    ("a = 'nesterov", "close the quotes"),
    ('a = "nesterov', "close the quotes"),
    ("a = 'nesterov\"", "close the quotes"),
    ("a = 5;", "drop the ; at the end"),
    ("a = 5,", "drop the , at the end"),
    ("a = { every: 5 }", "write = between key and value, not :"),
    ('a = { "every": 5 }', "write = between key and value, not :"),
    ("steps 100", "write steps = 100"),
    ("steps: 100", "write steps = 100"),
    ("steps == 100", "write steps = 100"),
    ("steps =", "write a value after steps ="),
    ("steps", "write steps = and its value"),
    ("[grid", "write [grid]"),
    ("grid]", "write [grid]"),
    ("// a remark", "begin comments with #"),
]


@pytest.mark.parametrize(("line", "advice"), LINES)
def test_a_line_that_toml_does_not_know(line: str, advice: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    for text in (f"{line}\n", f"{line}\n# more\n", f"a0 = 1\n{line}"):
        path.write_text(text)
        with pytest.raises(fm.InputError) as caught:
            fm.load(path)
        said = str(caught.value)
        assert "\n" not in said
        assert said.endswith(f"; {advice}"), said


@pytest.mark.parametrize(
    "line",
    ["lr = 1e-3", "lr = -0.5", "a = 'x'", "a = true  # True", "a\t=\t[1,\t2]", 'a = "90% of .5"'],
)
def test_what_toml_knows_is_no_slip(line: str) -> None:
    assert tomllib.loads(line)
    assert slip_in_line(line) is None


@pytest.mark.parametrize("line", ["1" * 10**6, "a = " + "1" * 10**6, "a = [" + "1 " * 10**6])
def test_a_long_line_is_not_searched(line: str) -> None:
    """It would take days."""
    assert slip_in_line(line) is None


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        ("lr = 2\n", "the key is there twice: keep one"),
        ("[grid]\n", "grid is there twice: keep one"),
    ],
)
def test_twice(more: str, advice: str, tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(TOML + more)
    with pytest.raises(fm.InputError, match=f"; {advice}$"):
        fm.load(path)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("valley.toml").write_text(TOML)
    return tmp_path


OVERRIDES = [
    ("grid.momentum=90%", "; write 0.9"),
    ("grid.momentum=0,9", "; write 0.9, or [0, 9] for two"),
    ("grid.lr=[.1, .2]", "; write 0.1"),
    ("grid.lr=1/4", "; write 0.25"),
    ("steps='90%'", "steps must be a whole number: got '90%'; write 0.9, without quotes"),
    ("lr=0.1", "valley.toml: lr: no such key; did you mean 'grid.lr'?"),
    ("momentum=0.5", "momentum: no such key; did you mean 'grid.momentum'?"),
    ("grid.steps=7", "grid.steps: no such key; did you mean 'steps'?"),
    ("rule.targets=[1]", "rule.targets: no such key; did you mean 'stop.targets'?"),
    ("every=7", "every: no such key; did you mean 'record.every'?"),
    ("stpes=7", "stpes: no such key; did you mean 'steps'?"),
]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("override", "message"), OVERRIDES)
def test_overrides(override: str, message: str) -> None:
    status, said = command("plan", "valley.toml", "--set", override)
    assert status == 2
    assert message in said
    assert len(said.splitlines()) == 1


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["run", "plan"])
def test_an_override_in_two_words(name: str) -> None:
    status, said = command(name, "valley.toml", "--set", "grid.lr.num", "400")
    assert status == 2
    assert said == ("--set takes KEY=VALUE: got 'grid.lr.num'; did you mean grid.lr.num=400?\n")
    assert command("plan", "valley.toml", "--set", "steps=5", "--json")[0] == 0


@pytest.mark.usefixtures("folder")
def test_the_other_kind_of_file() -> None:
    finish(Path("valley.h5"), grid_of_runs())
    for name in ("run", "plan"):
        status, said = command(name, "valley.h5")
        assert status == 2
        assert said.startswith(
            "valley.h5 is a results file; name an experiment file, such as valley.toml (info "
        )
    for name in ("info", "verify"):
        status, said = command(name, "valley.toml")
        assert status == 3
        assert (
            "it is no HDF5 file, but an experiment's; name its results, such as valley.h5" in said
        )


@pytest.mark.usefixtures("folder")
def test_a_name_that_is_nearly_right() -> None:
    finish(Path("valley.h5"), grid_of_runs())
    for wrong in ("valley", "vally.toml", "valley.tml"):
        assert command("plan", wrong) == (2, f"{wrong}: no such file; did you mean valley.toml?\n")
    for wrong in ("valley", "vally.h5", "valley.hdf"):
        assert command("info", wrong) == (2, f"{wrong}: no such file; did you mean valley.h5?\n")
    status, said = command("plan", "another.toml")
    assert (status, said) == (2, "another.toml: no such file; correct the path or create it\n")


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["out.csv", "out.png", "out.TXT", "out.toml"])
def test_results_are_hdf5(name: str) -> None:
    status, said = command("run", "valley.toml", "-o", name)
    assert status == 2
    assert said.splitlines()[-1] == (
        f"{name}: results are HDF5, not {name[3:]}; name a file such as out.h5"
    )
    with pytest.raises(fm.InputError, match="results are HDF5"):
        fm.run(grid_of_runs(), name)
    assert not Path(name).exists()


def test_escape_codes_in_a_header_are_written_out(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a\x1b[31m,b\n1,2\n")
    with pytest.raises(fm.InputError) as caught:
        load_csv(path, "u", "b")
    assert str(caught.value).endswith(r"known are a\x1b[31m, b")


@pytest.mark.usefixtures("folder")
def test_no_message_of_the_command_acts_on_the_terminal() -> None:
    for words in (("plan", "a\x1b[31m.toml"), ("info", "a\x1b[31m.h5"), ("plan", "b\x07.toml")):
        said = command(*words)[1]
        assert re.fullmatch(r"[ab]\\x\w\w.*", said.strip())
        assert said.replace("\n", "").isprintable()


def test_one_word_for_a_status() -> None:
    assert [status.words for status in fm.Status] == [
        "not run",
        "converged",
        "diverged",
        "out of steps",
    ]
