"""A table's text: opening the file, finding its delimiter, and splitting its lines into fields."""

from __future__ import annotations

import csv
import gzip
import itertools
import re
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Final, TextIO

from fastmomentum.datasets.absent import TOO_NARROW, is_error
from fastmomentum.datasets.no_text import FIRST_BYTES, refuse_no_text
from fastmomentum.errors import InputError

DELIMITERS: Final = (",", ";", "\t", "|")
SAMPLE: Final = 50
"""Lines from which the delimiter is detected."""

SEPARATOR: Final = re.compile(r"sep=(.)\s*", re.IGNORECASE)
"""A first line in which spreadsheets name the delimiter."""


def opened(path: Path, encoding: str | None) -> TextIO:
    """Open a text file, unpacked if it is gzip; UTF-16 only with a byte order mark, else UTF-8.

    Raises
    ------
    InputError
        Its first bytes are those of a file that is no text.
    """
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with gzip.open(path) if packed else path.open("rb") as raw:
        start = raw.read(FIRST_BYTES)
    refuse_no_text(path, start, packed)
    if encoding is None:
        encoding = "utf-16" if start.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    binary = gzip.open(path) if packed else path.open("rb")  # noqa: SIM115  (closed by its wrapper)
    try:
        return TextIOWrapper(binary, encoding=encoding, newline="")
    except LookupError:
        binary.close()
        raise


def rows_in(
    file: TextIO, path: Path, delimiter: str | None, wanted: Sequence[str | int]
) -> tuple[Any, str]:
    """Split the lines of an open table into fields.

    Parameters
    ----------
    file : TextIO
        The table.
    path : Path
        Its name, for messages.
    delimiter : str or None
        None to detect it.
    wanted : sequence of str or int
        The columns that it has to separate: names in the first line, or numbers from 1.

    Returns
    -------
    rows : csv reader
        Lists of fields; `line_num` is the number of the line.
    delimiter : str
        The one in use.

    Raises
    ------
    InputError
        The file is empty or no text, or several delimiters are possible.
    """
    first = _first_lines(file)
    some = [line for line in first if line.strip()]
    told = [line for line in some if not line.startswith("#")] or [
        line for line in some if any(_is_row(line, mark) for mark in (*DELIMITERS, " "))
    ]
    if not told:
        raise InputError(f"{path} is empty; its first line must name the columns")
    if found := SEPARATOR.fullmatch(told[0]):
        first[first.index(told.pop(0))] = ""
        delimiter = delimiter or found[1]
        if not told:
            raise InputError(f"{path} is empty; its first line must name the columns")
    if any("\0" in line for line in told):
        raise InputError(
            f"{path} has zero bytes, so it is no text, or UTF-16 without a byte order mark; "
            'say encoding = "utf-16-le" or "utf-16-be"'
        )
    delimiter, quote = delimiter or _delimiter(told, path, wanted), '"'
    if delimiter == " " and '"' not in "".join(told):
        quote = "'"
    # A comment becomes a blank line, so that lines keep their numbers.
    lines = (
        "" if line.startswith("#") and not _is_row(line, delimiter) else line
        for line in itertools.chain(first, file)
    )
    return _rows(lines, delimiter, quote), delimiter


def _first_lines(file: TextIO) -> list[str]:
    """Lines up to `SAMPLE` of them that are neither blank nor begin with #."""
    first, count = [], 0
    for line in file:
        first.append(line)
        count += bool(line.strip()) and not line.startswith("#")
        if count == SAMPLE:
            break
    return first


def _is_row(line: str, delimiter: str) -> bool:
    """Whether a line that begins with # is no comment: its first field is a spreadsheet's error."""
    if delimiter == " ":
        return is_error(line.split(None, 1)[0])
    entry, mark, _ = line.partition(delimiter)
    return is_error(entry.strip()) or bool(mark and TOO_NARROW.fullmatch(entry.strip()))


def _rows(
    lines: Iterator[str], delimiter: str, quote: str
) -> Any:  # csv has no public name for its readers
    if delimiter == " ":
        lines = (line.strip().replace("\t", " ") for line in lines)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)


def _delimiter(lines: list[str], path: Path, wanted: Sequence[str | int]) -> str:
    """Detect the delimiter: the one that splits the first line into the requested columns."""
    fits, even = [], []
    for mark in (*DELIMITERS, " "):
        counts = [len(row) for row in _rows(iter(lines), mark, '"') if row]
        head = [field.strip() for field in next(_rows(iter(lines), mark, '"'))]
        known = all(name in head if isinstance(name, str) else name <= len(head) for name in wanted)
        if len(head) > 1 and known:
            fits.append(mark)
            if len(set(counts)) == 1:
                even.append(mark)
    clear = even or fits
    if len(clear) > 1 and " " in clear:
        clear.remove(" ")  # blanks may surround any other delimiter
    if len(clear) > 1:
        raise InputError(
            f"{path} may be read with {' or '.join(map(repr, clear))} between its columns; "
            'say which, such as delimiter = ";"'
        )
    if clear:
        return clear[0]
    # No name fits: any delimiter in the first line, so that the message lists the names there.
    return next((mark for mark in DELIMITERS if mark in lines[0]), ",")
