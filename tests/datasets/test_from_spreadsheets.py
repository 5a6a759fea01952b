"""Tables as spreadsheets leave them: error values, marks in numbers, and what is no text at all."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fastmomentum.datasets import load_csv
from fastmomentum.errors import InputError, MissingRowsWarning

ERRORS = ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NUM!", "#NAME?", "#NULL!")
ELSEWHERE = ("#NV", "#BEZUG!", "#VALEUR!", "#\u00bfNOMBRE?", "#\u00dcBERLAUF!", "#\u041d/\u0414")
ROWS = {"x": "{0}{1}2", "y": "2{1}{0}"}


def refused(path: Path, **options: str) -> str:
    with pytest.raises(InputError) as caught:
        load_csv(path, "x", "y", **options)  # type: ignore[arg-type]  # options by name
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    return str(caught.value)[len(str(path)) :]


@pytest.mark.parametrize("column", ["x", "y"])
@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
@pytest.mark.parametrize("error", [*ERRORS, *ELSEWHERE, "Err:502"])
def test_an_error_is_a_missing_number_in_either_column(
    tmp_path: Path, error: str, mark: str, column: str
) -> None:
    path = tmp_path / "data.csv"
    row = ROWS[column].format(error, mark)
    path.write_text(f"x{mark}y\n3{mark}4\n{row}\n6{mark}7\n", encoding="utf-8")
    assert refused(path) == (
        f", line 3: {column} must be a finite number: got {error!r}; "
        'correct or drop the line, or say missing = "drop"'
    )
    with pytest.warns(MissingRowsWarning, match="1 row without a number .* is left out, 2 are"):
        x, y = load_csv(path, "x", "y", missing="drop")
    assert (x.tolist(), y.tolist()) == ([3, 6], [4, 7])


@pytest.mark.parametrize("column", ["x", "y"])
def test_a_number_that_its_column_was_too_narrow_for_is_not_left_out(
    tmp_path: Path, column: str
) -> None:
    path = tmp_path / "data.csv"
    path.write_text("x,y\n" + ROWS[column].format("#####", ",") + "\n3,4\n")
    assert f"line 2: {column} must be a finite number: got '#####'; its col" in refused(path)
    assert "widen it there" in refused(path, missing="drop")


@pytest.mark.parametrize(
    "comment",
    ["#", "# N/A, 5", "#N/A means not available, or lost", "#x,y", "#####", "## a, b", "#Note!, 2"],
)
def test_comments_stay_comments(tmp_path: Path, comment: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"{comment}\nx,y\n{comment}\n1,2\n")
    assert load_csv(path, "x", "y")[0].tolist() == [1]


def test_errors_alone_are_rows_and_many_comments_are_no_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("#N/A,2\n#N/A,3\n")
    with pytest.raises(InputError, match="line 1: column 1 must be a finite number: got '#N/A'"):
        load_csv(path, 1, 2, header=False)
    path.write_text("# a comment\n" * 60 + "x;y\n1,5;2\n")
    assert load_csv(path, "x", "y")[0].tolist() == [1.5]


def zipped(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, "<row><cell>1</cell></row>" * 100)
    return file.getvalue()


def tarred(table: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        member = tarfile.TarInfo("data.csv")
        member.size = len(table)
        archive.addfile(member, io.BytesIO(table))
    return file.getvalue()


def saved_by_numpy() -> bytes:
    file = io.BytesIO()
    np.save(file, np.ones((3, 2)))
    return file.getvalue()


TABLE = b"x,y\n1,2\n" * 50
XLSX = zipped("[Content_Types].xml", "_rels/.rels", "xl/workbook.xml")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (XLSX, " is an Excel spreadsheet; open it and save the table as CSV"),
        (zipped("mimetype", "content.xml"), " is an OpenDocument spreadsheet; open it"),
        (zipped("data.csv"), " is a zip archive with 'data.csv' in it; unpack it"),
        (zipped()[:20], " is a spreadsheet or an archive; save the table as CSV"),
        (XLSX[:100], " is a spreadsheet or an archive; save the table as CSV"),
        (bz2.compress(TABLE), " is packed with bzip2; unpack it, or pack it with gzip, which is"),
        (lzma.compress(TABLE), " is packed with xz; unpack it, or pack it with gzip, which is"),
        (tarred(TABLE), " holds, packed with gzip, a tar archive; unpack it, and name the table"),
        (gzip.compress(gzip.compress(TABLE)), " holds, packed with gzip, another gzip file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, " is an .xls spreadsheet, or one with"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", " is a PDF document; copy the table out of it"),
        (b"PAR1\x15\x04\x15\x10PAR1", " is a Parquet file; read it in Python, and save the two"),
        (saved_by_numpy(), " is an array saved by NumPy; read it in Python"),
        (b"\n<!doctype HTML><p>1,2", " is a web page; fetch the table itself"),
    ],
    # Not the bytes, in which an archive has the time.
    ids=lambda value: value.strip() if isinstance(value, str) else "file",
)
@pytest.mark.parametrize("encoding", [None, "latin-1"])
def test_what_is_no_text_is_named(
    tmp_path: Path, content: bytes, text: str, encoding: str | None
) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    assert refused(path, **({"encoding": encoding} if encoding else {})).startswith(text)


def test_a_database_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    base = sqlite3.connect(path)
    base.execute("create table t (x real, y real)")
    base.commit()
    base.close()
    assert refused(path) == " is an SQLite database; export the two columns as CSV"


@pytest.mark.parametrize("name", ["PK", "BZh9", "PAR1", "FEA1", "CDF", "GIF8", "MATLAB", "ustar"])
def test_columns_may_have_the_names_of_other_kinds(tmp_path: Path, name: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"{name},y\n1,2\n")
    assert load_csv(path, name, "y")[0].tolist() == [1]


@pytest.mark.parametrize(
    "content",
    [
        "x;y\n2001;14.275\n2002;16.142\n",
        "x;y\n14.275;2001\n",
        "x;y\n7;1\n\u221214.275;2\n",
        "x;y\n14.275;16.142\n999.999;-1.000\n",
    ],
)
def test_three_decimals_beside_semicolons_may_be_thousands(tmp_path: Path, content: str) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content, encoding="utf-8")
    said = refused(path)
    assert said.startswith(": beside semicolons '")
    assert said.endswith(
        'may have a decimal point or thousands; say decimal = "." or thousands = "."'
    )
    decimals = np.array(load_csv(path, "x", "y", decimal="."))
    thousands = np.array(load_csv(path, "x", "y", thousands="."))
    assert np.array_equal(thousands, np.where(decimals % 1, np.rint(1000 * decimals), thousands))
    assert np.array_equal(thousands, load_csv(path, "x", "y", decimal=",", thousands="."))


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("x;y\n2001;14.275\n2002;16.14\n", [2001, 2002]),
        ("x;y\n14.275;0.125\n", [14.275]),
        ("x;y\n14.275;1234.500\n", [14.275]),
        ("x;y\n14.275;1.234e5\n", [14.275]),
        ("x,y\n14.275,16.142\n", [14.275]),
        ("x\ty\n14.275\t16.142\n", [14.275]),
        ("x;y\n14;16\n", [14]),
        ("x;y\n14,275;16\n", [14.275]),
    ],
)
def test_other_decimals_and_other_delimiters_leave_no_doubt(
    tmp_path: Path, content: str, wanted: list[float]
) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    assert load_csv(path, "x", "y")[0].tolist() == wanted


@pytest.mark.parametrize(
    ("content", "options", "text"),
    [
        ("x;y\n1.234.567;2\n", {}, "got '1.234.567'; say thousands = \".\""),
        ("x;y\n14.275;2\n", {"decimal": ","}, "got '14.275'; say thousands = \".\""),
        ("x;y\n14.27;2\n", {"decimal": ","}, "got '14.27'; correct or drop the line"),
        ("x;y\n1.234;2,5\n", {}, "with a comma and with a point, '2,5' and '1.234'"),
    ],
)
def test_points_that_are_thousands(
    tmp_path: Path, content: str, options: dict[str, str], text: str
) -> None:
    path = tmp_path / "data.csv"
    path.write_text(content)
    assert text in refused(path, **options)
