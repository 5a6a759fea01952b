"""Data for regression: drawn, and read from CSV files as people have them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastmomentum as fm
from fastmomentum.datasets import load_csv, noisy_line
from fastmomentum.errors import InputError, MissingRowsWarning
from tests.helpers import needs

FINITE = st.floats(allow_nan=False, allow_infinity=False)


def test_noisy_line_draws_what_it_says() -> None:
    x, y = noisy_line(20_000, 5, 3, 10, noise_range=5, seed=1)
    assert x.shape == y.shape == (20_000,)
    # Standard errors are 3/sqrt(20000) = 0.021 and about 0.015; four of each.
    assert abs(x.mean() - 5) < 0.085
    assert abs(x.std() - 3) < 0.06
    noise = np.rint(y - 10 * x)
    assert y - 10 * x == pytest.approx(noise, abs=1e-12)
    assert sorted(set(noise.tolist())) == list(range(-5, 5))


def test_noisy_line_goes_by_its_seed() -> None:
    first, again, other = (noisy_line(10, 5, 5, 10, 5, seed=s) for s in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_noisy_line_without_noise_is_a_line() -> None:
    x, y = noisy_line(100, 5, 5, 10, noise_range=0)
    assert np.array_equal(y, 10 * x)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ((1, 5, 5, 10, 5), "num_points must be at least 2: got 1"),
        ((10**12, 5, 5, 10, 5), "num_points must be at most 10000000"),
        ((50, 5, -1, 10, 5), "x_range must be at least 0: got -1"),
        ((50, 5, 5, 10, -5), "noise_range must be at least 0: got -5"),
        ((50, 5, 5, 10, 2.5), "noise_range must be a whole number"),
        ((50, float("inf"), 5, 10, 5), "finite number: got inf"),
        ((50, 5, 5, 10, 5, -1), "seed must be at least 0: got -1"),
    ],
)
def test_noisy_line_refuses_nonsense(arguments: tuple[int, ...], text: str) -> None:
    with pytest.raises(InputError) as caught:
        noisy_line(*arguments)
    assert text in str(caught.value)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=20))
def test_numbers_come_back_from_a_file_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    path.write_text("y,x\n" + "".join(f"{y!r},{x!r}\n" for x, y in rows))
    x, y = load_csv(path, "x", "y")
    assert list(zip(x.tolist(), y.tolist(), strict=True)) == rows
    assert x.dtype == y.dtype == np.float64


@pytest.mark.parametrize(
    "content",
    [
        b"x,y\n1,2\n3,4\n",
        b"x,y\r\n1,2\r\n3,4\r\n",
        b"\xef\xbb\xbfx,y\n1,2\n3,4",
        b'"x", "y"\n"1", "2"\n3 ,\t4\n',
        b"name,y,note,x\nA,2,,1\nB,4,not a number,3\n",
        b"x,y\n\n1,2\n\n3,4\n\n",
        'x,y,größe\n1,2,"a ""b"", c\nd"\n3,4,\n'.encode(),
    ],
    ids=["plain", "CRLF", "BOM", "quoted", "other columns", "blank lines", "line in quotes"],
)
def test_forms_of_csv(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    x, y = load_csv(path, "x", "y")
    assert (x.tolist(), y.tolist()) == ([1.0, 3.0], [2.0, 4.0])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "is empty; its first line must name the columns"),
        (b"\xef\xbb\xbf", "is empty; its first line must name the columns"),
        (b"x,y\n", "has no line of numbers below its first; add some"),
        (b"x,z\n1,2\n", "has no column 'y'; known are x, z"),
        (b"x,yy\n1,2\n", "has no column 'y'; did you mean 'yy'?"),
        (b"x,y,x\n1,2,3\n", "has 2 columns 'x'; rename all but one"),
        (b"x,y\n1,2\n3,abc\n", ", line 3: y must be a finite number: got 'abc'; correct or drop"),
        (b"x,y\n1,2\n\n\n,4\n", ", line 5: x must be a finite number: it is blank"),
        (b"x,y\n1,nan\n", ", line 2: y must be a finite number: got 'nan'"),
        (b"x,y\n-inf,1\n", ", line 2: x must be a finite number: got '-inf'"),
        (b"x,y\n1e999,1\n", ", line 2: x must be a finite number: got '1e999'"),
        (b"x,y\n1_000,1\n", ", line 2: x must be a finite number: got '1_000'"),
        (b'x,y\n"3,5",1\n', ", line 2: x must be a finite number: got '3,5'"),
        (b"x,y\n1,2\n3,5,1\n", ", line 3 has 3 fields where the first line names 2; correct it"),
        (b"x,y\n1,2\n3\n", ", line 3 has 1 fields where the first line names 2; correct it"),
        (b"x,y\n1,2\n3,\xff\n", "is not UTF-8 text: got the byte 0xff"),
        (b"\x89HDF\r\n\x1a\n", "is an HDF5 file; read it in Python"),
        (b"x,y\n1," + b"2" * 200_000, "is not CSV: field larger than field limit"),
    ],
)
def test_bad_files(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_csv(path, "x", "y")
    message = str(caught.value)
    assert message.startswith(str(path))
    assert text in message
    assert "\n" not in message


@needs("os.mkfifo")
def test_a_pipe_is_no_csv_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError) as caught:
        load_csv(tmp_path / "pipe", "x", "y")
    said = f"{tmp_path / 'pipe'} is not a regular file; name a CSV file"
    assert said in str(caught.value)


def test_bad_paths(tmp_path: Path) -> None:
    for path, text in (
        (tmp_path / "none.csv", f"{tmp_path / 'none.csv'}: no such file; correct the path"),
        (tmp_path, f"{tmp_path} is a directory; name a CSV file"),
        (tmp_path / ("n" * 300), "cannot be read: File name too long"),
        ("a\0b", "'a\\x00b' is not a path: embedded null byte"),
    ):
        with pytest.raises(InputError) as caught:
            load_csv(path, "x", "y")
        assert text in str(caught.value)


FILES = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("name", "x", "y", "options"),
    [
        ("columns_of_blanks.data", 1, 2, {"header": False}),
        ("latin_1.csv", "gr\xf6\xdfe", "l\xe4nge", {"encoding": "latin-1"}),
        ("no_header.csv", 1, 2, {"header": False}),
        ("packed.csv.gz", "x", "y", {}),
        ("quoted_semicolons.csv", "fixed part", "total amount", {}),
        ("semicolon_decimal_comma.csv", "area", "price", {}),
        ("tabs.txt", "celsius", "fahrenheit", {}),
    ],
)
def test_one_table_in_many_files(name: str, x: str, y: str, options: dict[str, str]) -> None:
    xs, ys = load_csv(FILES / name, x, y, **options)  # type: ignore[arg-type]
    assert (xs[:3].tolist(), ys[:3].tolist()) == ([9.2, -3.51, 7.38], [49.42, 28.81, 48.66])
    assert xs.size == ys.size == 40


def test_files_with_more_in_them() -> None:
    assert load_csv(FILES / "index_column.csv", "budget", "sales")[0][0] == 69.2
    assert load_csv(FILES / "index_column.csv", 1, 3)[0][:3].tolist() == [1, 2, 3]
    assert load_csv(FILES / "thousands.csv", "year", "income")[1][:2].tolist() == [
        14275.36,
        16142.98,
    ]


def test_rows_left_out_are_counted() -> None:
    with pytest.warns(MissingRowsWarning, match=r"3 rows without a number .* 37 are read"):
        x, _ = load_csv(FILES / "missing.csv", "power", "economy", missing="drop")
    assert x.size == 37


@pytest.mark.parametrize(
    ("name", "x", "y", "text"),
    [
        ("no_header.csv", "x", "y", "all numbers; say header = false and x = 1, y = 2"),
        ("no_header.csv", 1, 2, "line 1 is all numbers where the columns are named"),
        ("latin_1.csv", "x", "y", 'say its encoding, such as encoding = "latin-1"'),
        ("missing.csv", "power", "economy", 'say missing = "drop"'),
        (
            "dates.csv",
            "month",
            "passengers",
            "line 2: month must be a finite number: got '1990-01'; a date is none",
        ),
        ("tabs.txt", 1, 3, "has no column 3"),
    ],
)
def test_what_is_in_doubt_is_refused(name: str, x: str, y: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        load_csv(FILES / name, x, y)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("content", "options", "wanted"),
    [
        (b"x;y\n1;2\n3;4\n", {}, [1, 3]),
        (b"x|y\n1|2\n3|4\n", {}, [1, 3]),
        (b"x y\r1 2\r3  4\r", {}, [1, 3]),
        ("x,y\r\n1,2\r\n3,4\r\n".encode("utf-16"), {}, [1, 3]),
        (b"# of 1990\nx,y\n1,2\n# later\n3,4\n", {}, [1, 3]),
        (b"x;y\n1.000,5;2\n", {"decimal": ",", "thousands": "."}, [1000.5]),
        (b'x,y\n"1,234",2\n', {"thousands": ","}, [1234]),
        (b'x,y\n"1,234",2\n', {"decimal": ","}, [1.234]),
        (b'x,y\n"1,234,567",2\n', {}, [1234567]),
        ("x,y\n\u22121.5,2\n".encode(), {}, [-1.5]),
        (b"sep=;\r\nx;y\r\n1,5;2\r\n", {}, [1.5]),
        (b"x;y\n1'234,5;2\n", {"decimal": ",", "thousands": "'"}, [1234.5]),
        ("x;y\n1\xa0234;2\n".encode(), {"thousands": "\xa0"}, [1234]),
    ],
)
def test_what_is_certain_is_found(
    tmp_path: Path, content: bytes, options: dict[str, str], wanted: list[float]
) -> None:
    path = tmp_path / "data.txt"
    path.write_bytes(content)
    assert load_csv(path, "x", "y", **options)[0].tolist() == wanted  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "options", "text"),
    [
        (b'x,y\n"1,234",2\n', {}, "'1,234' may have a decimal comma or thousands"),
        (b"x;y\n1,5;2.5\n", {}, "'1,5' and '2.5'; say decimal"),
        (b"1,5;2,5\n", {"header": False}, "say which, such as delimiter"),
        (b"x;y\n1.234,5;2\n", {}, 'got \'1.234,5\'; say decimal = "," and thousands = "."'),
        (b"x;y\n1 234,5;2\n", {}, 'say decimal = "," and thousands = " "'),
        (b"x;y\n1'234'567;2\n", {}, 'say thousands = "\'"'),
        (b"x,y\n10%,2\n", {}, "got '10%'; take the sign out of the column"),
        ("x,y\n\u20ac 10.5,2\n".encode(), {}, "take the sign out of the column"),
        (b"x,y\n01/02/2020 10:00,2\n", {}, "a date is none; add a column that counts"),
        (b"PK\x03\x04....", {}, "is a spreadsheet or an archive; save the table as CSV"),
        (b"sep=;\n", {}, "is empty; its first line must name the columns"),
        ("x,y\n1,2\n".encode("utf-16-le"), {}, "UTF-16 without a byte order mark"),
        (b"\x1f\x8b\x08", {}, "is damaged gzip"),
        (b"x,y\n1,2\n", {"encoding": "none such"}, "is not known; try 'latin-1'"),
        (b"x,y\n1,2\n", {"delimiter": ";;"}, "delimiter must be one character: got ';;'"),
        (b"x,y\n1,2\n", {"decimal": ",", "thousands": ","}, "decimal and thousands must differ"),
        (b"x,y\n1,2\n", {"missing": "zero"}, "missing must be 'drop', or left out"),
    ],
)
def test_doubts_and_bad_options(
    tmp_path: Path, content: bytes, options: dict[str, str], text: str
) -> None:
    path = tmp_path / "data.txt"
    path.write_bytes(content)
    x, y = (1, 2) if "header" in options else ("x", "y")
    with pytest.raises(InputError) as caught:
        load_csv(path, x, y, **options)  # type: ignore[arg-type]
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_table_in_an_experiment_says_how_it_is_written() -> None:
    path = str(FILES / "no_header.csv")
    mse = fm.MSE(data={"file": path, "header": False}, x=1, y=2)
    again = fm.MSE.model_validate(mse.model_dump())
    assert again == mse
    columns = load_csv(path, 1, 2, header=False)
    assert np.array_equal(mse.minimisers, fm.MSE.from_arrays(*columns).minimisers)
