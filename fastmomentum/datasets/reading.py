"""Read two columns of numbers from a table in a text file, as found in practice.

What the file makes certain is detected: delimiter, byte order mark, gzip, decimal comma, thousands.
What is ambiguous is refused, and the message names the option that settles it.
"""

from __future__ import annotations

import csv
import gzip
import math
import stat
import warnings
import zlib
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
from numpy.typing import NDArray

from fastmomentum.datasets.absent import is_missing
from fastmomentum.datasets.figures import Figures, advice
from fastmomentum.datasets.lines import opened, rows_in
from fastmomentum.errors import InputError, MissingRowsWarning
from fastmomentum.specification.paths import path_of
from fastmomentum.text import suggest

Column = NDArray[np.float64]


@dataclass(frozen=True)
class _Table:
    path: Path
    x: str | int
    y: str | int
    delimiter: str | None
    figures: Figures
    header: bool
    missing: str | None


def load_csv(
    path: str | Path,
    x: str | int,
    y: str | int,
    *,
    delimiter: str | None = None,
    decimal: str | None = None,
    thousands: str | None = None,
    header: bool = True,
    encoding: str | None = None,
    missing: Literal["drop"] | None = None,
) -> tuple[Column, Column]:
    """Read two columns of a table in a text file.

    Detected are the delimiter (comma, semicolon, tab, ``|``, blanks), UTF-8 and UTF-16 by their
    byte order marks, gzip, line endings, a decimal comma where the delimiter is a semicolon, and
    quoted thousands. Blank lines and lines that begin with ``#`` are skipped, unless that begins a
    spreadsheet's error, such as ``#N/A`` or ``#DIV/0!``, which is a missing number.

    Parameters
    ----------
    path : path
        The file.
    x, y : str or int
        Names of the columns, or their numbers from 1.
    delimiter, decimal, thousands : str, optional
        One character each, where they are not to be detected; a blank as delimiter stands for any
        number of blanks and tabs. Beside semicolons they have to be given if every number with a
        point is like 14.275, for that may be 14275.
    header : bool
        Whether the first line names the columns.
    encoding : str, optional
        As Python names it; UTF-8 by default.
    missing : {"drop"}, optional
        Leave out rows that lack a number, and warn how many; by default they are refused.

    Returns
    -------
    x, y : ndarray, shape (n_rows,)
        Finite numbers.

    Raises
    ------
    InputError
        The file, a column or a number is missing or makes no sense; the message names the line.

    Examples
    --------
    >>> load_csv("points.csv", "x", "y")  # doctest: +SKIP
    """
    path = path_of(path)
    for key, mark in (("delimiter", delimiter), ("decimal", decimal), ("thousands", thousands)):
        if mark is not None and (not isinstance(mark, str) or len(mark) != 1 or mark in '"\r\n'):
            raise InputError(f"{key} must be one character: got {mark!r:.40}")
    if missing not in (None, "drop"):
        raise InputError(f"missing must be 'drop', or left out: got {missing!r:.40}")
    for name in (x, y):
        if isinstance(name, bool) or not isinstance(name, str | int):
            raise InputError(f"a column is named by text or number: got {name!r:.40}")
        if isinstance(name, int) and name < 1:
            raise InputError(f"columns are numbered from 1: got {name}")
        if isinstance(name, str) and not header:
            raise InputError(
                f"without a header columns are numbered from 1: got {name!r:.40}; "
                "write x = 1, y = 2"
            )
    figures = Figures.of(decimal, thousands)
    if delimiter is not None and delimiter in (decimal, thousands):
        raise InputError(f"delimiter and marks in numbers must differ: got {delimiter!r} twice")
    table = _Table(path, x, y, delimiter, figures, header, missing)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{path} is a directory; name a CSV file")
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is not a regular file; name a CSV file")
        with opened(path, encoding) as file:
            return _read(file, table)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; correct the path or create it") from None
    except UnicodeDecodeError as error:
        told = "UTF-8" if encoding is None else encoding
        raise InputError(
            f"{path} is not {told} text: got the byte 0x{error.object[error.start]:02x}; "
            'name a CSV file, saved as UTF-8, or say its encoding, such as encoding = "latin-1"'
        ) from None
    except UnicodeError as error:
        raise InputError(f"{path} is not {encoding} text: {error}; say its encoding") from None
    except LookupError:
        raise InputError(f"encoding = {encoding!r:.40} is not known; try 'latin-1'") from None
    except csv.Error as error:
        raise InputError(f"{path} is not CSV: {error}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path} is damaged gzip: {error}; fetch it again") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a path that no file can have
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} is not a path: {error}") from None


def _read(file: TextIO, table: _Table) -> tuple[Column, Column]:
    path = table.path
    rows, delimiter = rows_in(file, path, table.delimiter, (table.x, table.y))
    width, i, j, head = 0, 0, 0, table.header
    figures = table.figures.beside(delimiter)
    xs, ys, dropped = array("d"), array("d"), 0
    quick, isfinite = figures.decimal is None and figures.thousands is None, math.isfinite
    for row in rows:
        if not row or row == [""]:
            continue  # a blank line
        if not width:
            width = len(row)
            i, j = (_place(name, row, table) for name in (table.x, table.y))
            if head:
                if all(figures.is_number(field) for field in row):
                    raise InputError(
                        f"{path}, line {rows.line_num} is all numbers where the columns are named; "
                        "put names there, or say header = false and x = 1, y = 2"
                    )
                continue
        if len(row) != width:
            what = "names" if head else "has"
            raise InputError(
                f"{path}, line {rows.line_num} has {len(row)} fields where the first line "
                f"{what} {width}; correct it"
            )
        if quick:
            try:
                p, q = float(row[i]), float(row[j])
            except ValueError:
                pass  # refused below, or read in another notation
            else:
                if isfinite(p) and isfinite(q) and "_" not in row[i] and "_" not in row[j]:
                    figures.see(row[i], row[j])
                    xs.append(p)
                    ys.append(q)
                    continue
        pair = []
        for name, text in ((table.x, row[i]), (table.y, row[j])):
            text = text.strip()
            if is_missing(text) and table.missing == "drop":
                break
            try:
                pair.append(figures.number(text))
            except ValueError as error:
                raise _bad_number(name, text, rows.line_num, path, str(error)) from None
            figures.see(text)
        else:
            xs.append(pair[0])
            ys.append(pair[1])
            continue
        dropped += 1
    if not xs:
        below = " below its first" if head else ""
        raise InputError(f"{path} has no line of numbers{below}; add some")
    figures.check(path)
    if dropped:
        rows, are = ("1 row", "is") if dropped == 1 else (f"{dropped:,} rows", "are")
        warnings.warn(
            f"{path}: {rows} without a number in x or y {are} left out, {len(xs):,} are read",
            MissingRowsWarning,
            stacklevel=3,
        )
    return np.array(xs), np.array(ys)


def _place(name: str | int, row: list[str], table: _Table) -> int:
    path = table.path
    if isinstance(name, int):
        if name > len(row):
            raise InputError(f"{path} has no column {name}; it has {len(row)}")
        return name - 1
    header = [field.strip() for field in row]
    if name not in header:
        if all(table.figures.is_number(field) for field in header):
            raise InputError(
                f"{path} has no column '{name}', its first line is all numbers; "
                "say header = false and x = 1, y = 2, or add a line of names"
            )
        raise InputError(f"{path} has no column '{name}'; {suggest(name, header)}")
    if header.count(name) > 1:
        raise InputError(f"{path} has {header.count(name)} columns '{name}'; rename all but one")
    return header.index(name)


def _bad_number(name: str | int, text: str, line: int, path: Path, why: str) -> InputError:
    column = name if isinstance(name, str) else f"column {name}"
    got = f"got {text[:40]!r}" if text else "it is blank"
    way = advice(text) or why or "correct or drop the line"
    if is_missing(text):
        way += ', or say missing = "drop"'
    return InputError(f"{path}, line {line}: {column} must be a finite number: {got}; {way}")
