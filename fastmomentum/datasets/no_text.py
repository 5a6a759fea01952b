"""Files that are no text, known by their first bytes, and what to do with each kind."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final

from fastmomentum.errors import InputError

FIRST_BYTES: Final = 512
"""Bytes at a file's start that tell its kind."""

SAVE: Final = "open it and save the table as CSV"
READ: Final = "read it in Python, and save the two columns as CSV"
GZIP: Final = "unpack it, or pack it with gzip, which is read"
UNPACK: Final = "unpack it, and name the table that was in it"

KINDS: Final = tuple(
    (re.compile(start, re.DOTALL), what, todo)
    for start, what, todo in (
        (rb"\xd0\xcf\x11\xe0", "an .xls spreadsheet, or one with a password", SAVE),
        (rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", "packed with bzip2", GZIP),
        (rb"\xfd7zXZ\0", "packed with xz", GZIP),
        (rb"\x28\xb5\x2f\xfd", "packed with zstd", GZIP),
        (rb"\x1f\x9d", "packed with compress", GZIP),
        (rb"\x1f\x8b", "another gzip file", "unpack it once"),  # a single one is read
        (rb"\x04\x22\x4d\x18", "packed with lz4", GZIP),
        (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
        (rb"Rar!\x1a\x07", "a rar archive", UNPACK),
        (rb".{257}ustar(\0|  \0)", "a tar archive", UNPACK),
        (rb"%PDF-", "a PDF document", "copy the table out of it, and save it as CSV"),
        (rb"\x89HDF\r\n\x1a\n", "an HDF5 file", READ),
        (rb"CDF[\x01\x02\x05]", "a netCDF file", READ),
        (rb"SQLite format 3\0", "an SQLite database", "export the two columns as CSV"),
        (rb"ARROW1\0\0", "an Arrow file", READ),
        (rb"\x93NUMPY", "an array saved by NumPy", READ),
        (rb"MATLAB 5.0 MAT-file", "a MATLAB file", READ),
        (rb"\x80[\x02-\x05]", "a Python pickle", READ),
        (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a", "a picture", "name a CSV file"),
        (rb"(\xef\xbb\xbf)?\s*(?i:<!doctype html|<html)", "a web page", "fetch the table itself"),
    )
)
"""First bytes, what a file with them is, and what to do."""


def refuse_no_text(path: Path, start: bytes, packed: bool) -> None:
    """Refuse a file that is no table in text, by its first bytes.

    Parameters
    ----------
    path : Path
        The file.
    start : bytes
        Its first `FIRST_BYTES` bytes, unpacked.
    packed : bool
        Whether it was packed with gzip, so that only `start` can be judged.

    Raises
    ------
    InputError
        It is of a known kind; the message says which, and what to do.
    """
    inside = "holds, packed with gzip," if packed else "is"
    for kind, what, todo in KINDS:
        if kind.match(start):
            raise InputError(f"{path} {inside} {what}; {todo}")
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        what, todo = _zipped([] if packed else _members(path))
        raise InputError(f"{path} {inside} {what}; {todo}")
    for mark, what in ((b"PAR1", "a Parquet file"), (b"FEA1", "a Feather file")):
        if start.startswith(mark) and (packed or _ends_in(path, mark)):  # or a column's name
            raise InputError(f"{path} {inside} {what}; {READ}")


def _members(path: Path) -> list[str]:
    """Names of the files in a zip archive; none where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return []


def _zipped(members: list[str]) -> tuple[str, str]:
    """What a zip archive of these files is, and what to do with it."""
    if any(name.startswith("xl/") for name in members):
        return "an Excel spreadsheet", SAVE
    if "mimetype" in members and "content.xml" in members:
        return "an OpenDocument spreadsheet", SAVE
    if "Index/Document.iwa" in members:
        return "a spreadsheet of Numbers", "open it and export the table as CSV"
    if members and all(name.endswith(".npy") for name in members):
        return "arrays saved by NumPy", READ
    if members:
        return f"a zip archive with {members[0][:40]!r} in it", UNPACK
    return "a spreadsheet or an archive", "save the table as CSV"


def _ends_in(path: Path, end: bytes) -> bool:
    with path.open("rb") as file:
        file.seek(-len(end), 2)
        return file.read() == end
