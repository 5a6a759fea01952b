"""The script that compares, with what is always there."""

from __future__ import annotations

import re
from pathlib import Path

import compare_frameworks
import pytest
from _frameworks import FRAMEWORKS, Framework

from fastmomentum.errors import InputError
from tests.founding import END


def test_tables_and_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figure = tmp_path / "figure.svg"
    compare_frameworks.main(["--frameworks", "numpy,numpy", "--cells", "1", "-o", str(figure)])
    told = capsys.readouterr().out
    rows = re.findall(r"NumPy classes +(heavy ball|Nesterov) +(float..) +(.*)", told)
    assert [row[:2] for row in rows] == [
        (rule, precision)
        for rule in ("heavy ball", "Nesterov")
        for precision in ("float64", "float32")
    ]
    for _, precision, numbers in rows:
        largest = [float(number) for number in numbers.split()[:3]]
        assert max(largest) < {"float64": 1e-14, "float32": 1e-4}[precision]
        assert precision == "float32" or largest[1] == 0  # the very path on Rosenbrock's function
    assert told.count(repr(END[0])) == told.count(repr(END[1])) == 2
    assert max(map(len, told.splitlines())) <= max(80, len(f"wrote {figure}"))
    assert "NumPy classes" in figure.read_text()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--frameworks", "numpi"], "no 'numpi'; known are numpy, tensorflow1, keras"),
        (["--cells", "0"], "--cells must be at least 1"),
        (["-o", "figure.gif"], "-o must end in .png, .svg, .pdf: got '.gif'"),
    ],
)
def test_what_makes_no_sense_is_a_line(words: list[str], text: str) -> None:
    with pytest.raises(InputError) as caught:
        compare_frameworks.main(words)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_framework_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    own = FRAMEWORKS["numpy"]
    absent = Framework("Absent", "absent.sgd", ("no_such_module",), own.walk)
    known = {"numpy": own, "present": own, "absent": absent}
    monkeypatch.setattr(compare_frameworks, "FRAMEWORKS", known)
    assert compare_frameworks.chosen(None) == (["numpy", "present"], ["Absent"])
    message = 'not installed: no_such_module; pip install "fastmomentum'
    with pytest.raises(InputError, match=re.escape(message)):
        compare_frameworks.chosen("numpy,absent")
    del known["present"]
    with pytest.raises(InputError, match=re.escape(message)):
        compare_frameworks.chosen(None)
