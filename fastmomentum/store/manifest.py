"""A results file's own table of contents: what it holds and where its bytes lie, sealed.

The manifest is a variable of the file like any other, and its last bytes. With it fastmomentum
reads a file without any HDF5 library, which would trust what the file says about itself: links to
other files, filters and their plugins, sizes. Here nothing is trusted: the manifest must match its
own checksum, the experiment its hash, every variable the experiment and the file's size; and all
bytes other than results (HDF5's structures, labels, attributes) must match the checksum taken when
they were laid out. So any flipped bit or edit in them is detected on opening.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from fastmomentum.errors import FileError, InputError
from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import Variable, coordinates, results, stored_observations
from fastmomentum.store import checksums, files
from fastmomentum.store.bookkeeping import FORMAT_VERSION, closing, journal
from fastmomentum.store.untrusted import (
    LONGEST_EXPERIMENT,
    Attributes,
    LackingError,
    checked_attributes,
    parsed_experiment,
    plain_json,
)
from fastmomentum.text import near_file, printable

LONGEST: Final = 3 * LONGEST_EXPERIMENT
"""Bytes of a manifest, at most; the experiment is in it with its quotes escaped."""
SLACK: Final = 2**20
"""Bytes of HDF5's own structures, at most, besides the attributes; about 20 kB are usual."""
TAIL: Final = 65_536
"""Bytes at the end of the file in which the manifest has to end."""
MOST_BLOCKS: Final = 50_000_000
"""Blocks of a file, at most: their states are held in memory."""
SUPERBLOCK: Final = (0, 48, "the superblock")
SIGNATURE: Final = b"\x89HDF\r\n\x1a\n"

EXPORTED: Final = b"\nfastmomentum-export\n"
"""The last bytes of a file that `export` wrote, which has no manifest."""
MARK: Final = b"\nfastmomentum-manifest "
TRAILER: Final = re.compile(MARK + rb"(\d{12}) ([0-9a-f]{32}) ([0-9a-f]{32})\n")
TRAILER_BYTES: Final = len(MARK) + 12 + 2 * 33 + 1


@dataclass(frozen=True)
class Contents:
    """What a file holds and where its bytes lie.

    Attributes
    ----------
    path : Path
        The file.
    size : int
        Its bytes.
    experiment : Experiment
        The plan that the file was laid out for.
    blocks : Blocks
        The runs, cut into blocks.
    offsets : dict of int
        Offset in the file of each variable.
    attributes : dict of str or int
        Attributes of the file as a whole.
    seal : (int, bytes)
        Offset and bytes of the manifest's checksum; different for every layout.
    """

    path: Path
    size: int
    experiment: Experiment
    blocks: Blocks
    offsets: dict[str, int]
    attributes: Attributes
    seal: tuple[int, bytes]


def text_of(attributes: Attributes, offsets: dict[str, int]) -> bytes:
    """The manifest as text, with room for its seal.

    Parameters
    ----------
    attributes : dict of str or int
        Attributes of the file as a whole.
    offsets : dict of int
        Offset of each variable.

    Returns
    -------
    bytes
        ASCII: JSON, then a line for its length and two checksums.
    """
    told = {"attributes": attributes, "offsets": offsets, "layout": uuid.uuid4().hex}
    text = json.dumps(told, separators=(",", ":"), allow_nan=False).encode()
    return text + MARK + b"%012d" % len(text) + b" " * 66 + b"\n"


def seal(descriptor: int, experiment: Experiment, blocks: Blocks, text: bytes, place: int) -> None:
    """Write the manifest, with the checksums of the file's structure and of itself.

    Parameters
    ----------
    descriptor : int
        The file, laid out.
    experiment : Experiment
        The plan.
    blocks : Blocks
        Its runs, cut into blocks.
    text : bytes
        From `text_of`.
    place : int
        Offset of the manifest.
    """
    offsets = json.loads(text[:-TRAILER_BYTES])["offsets"]
    taken = _spans(_written(experiment, blocks, offsets), offsets)
    taken.append((place, place + len(text), "the manifest"))
    sealed = text[:-66] + _digest(descriptor, _gaps(taken, files.size_of(descriptor))) + b" "
    sealed += checksums.wide([sealed]).encode() + b"\n"
    files.write_at(descriptor, sealed, place)


def read(path: Path) -> Contents:
    """Check that a file is ours and its structure intact, and find where its variables lie.

    Nothing is trusted before it is checked, and no results are read.

    Parameters
    ----------
    path : Path
        A results file, finished or partial.

    Returns
    -------
    Contents
        What the file holds and where.

    Raises
    ------
    FileError
        It is not ours, or damaged.
    InputError
        There is no such file, or it may not be read.
    """
    if not os.path.lexists(path) and (near := near_file(path, ".h5")):
        raise InputError(f"{path}: no such file; did you mean {near}?")
    with files.reading(path) as descriptor:
        try:
            return _checked(descriptor, path)
        except LackingError as error:
            raise FileError(f"{path}: {error}") from None
        except FileError as error:
            raise FileError(f"{path}: not a sound results file of fastmomentum: {error}") from None


def _require(condition: object, what: str) -> None:
    if not condition:
        raise FileError(what)


def _checked(descriptor: int, path: Path) -> Contents:
    size = files.size_of(descriptor)
    start = files.read_at(descriptor, min(size, len(SIGNATURE)), 0)
    other = "it is no HDF5 file"
    if path.suffix == ".toml":
        other += f", but an experiment's; name its results, such as {path.with_suffix('.h5').name}"
    if path.suffix.lower() in (".csv", ".parquet"):
        other += (
            f", but a table: read it with pandas.read_{path.suffix[1:].lower()}, and name the "
            "results file here"
        )
    _require(start == SIGNATURE, other if size else "it is empty")
    tail_at = max(0, size - TAIL)
    tail = files.read_at(descriptor, size - tail_at, tail_at)
    found = TRAILER.match(tail, max(0, tail.rfind(MARK)))
    if found is None and tail.endswith(EXPORTED):
        raise LackingError(
            "a netCDF export, which keeps the experiment: in Python, "
            f'ds = xarray.open_dataset("{path.name}") is what fm.replay, fm.select_cell and '
            "fm.plots take; commands read the results file that it is from"
        )
    if found is None:
        raise FileError("no manifest is at its end; it was cut short, edited, or made elsewhere")
    length, end = int(found[1]), tail_at + found.end()
    place = end - TRAILER_BYTES - length
    _require(length <= LONGEST and place > 0, "its manifest has no sensible length")
    text = files.read_at(descriptor, end - place, place)
    _require(
        checksums.wide([text[:-33]]).encode() == found[3],
        "its manifest does not match its checksum",
    )
    attributes, offsets = _told(text[:length])
    experiment, blocks = _plan(attributes, size)

    written, labels = _written(experiment, blocks, offsets), _labels(experiment)
    names = {v.name for v in (*written, *labels)}
    odd = sorted(names ^ offsets.keys())
    _require(not odd, f"its variables are not those of the experiment ({len(odd)} differ)")
    taken = [*_spans(written, offsets), (place, end, "the manifest")]
    spans = sorted([SUPERBLOCK, *taken, *_spans(labels, offsets)])
    for (_, before_end, before), (after_start, _, after) in itertools.pairwise(spans):
        _require(before_end <= after_start, f"{before} and {after} overlap")
    _require(spans[-1][1] <= size, f"{spans[-1][2]} does not fit in it")
    gaps = _gaps(taken, size)
    most = SLACK + 2 * len(text) + sum(label.n_bytes for label in labels)
    between = sum(stop - start for start, stop in gaps)
    _require(between <= most, f"{between:,} bytes in it belong to nothing")
    _require(
        _digest(descriptor, gaps) == found[2],
        "HDF5's structures, the labels or the attributes do not match their checksum",
    )
    for label in labels:
        values = np.ascontiguousarray(label.values, label.dtype).tobytes()
        stored = files.read_at(descriptor, len(values), offsets[label.name])
        _require(stored == values, f"{label.name} does not match the experiment")
    return Contents(path, size, experiment, blocks, offsets, attributes, (end - 33, found[3]))


def _told(text: bytes) -> tuple[Attributes, dict[str, int]]:
    """Parse the manifest and check its form."""
    told = plain_json(text)
    _require(isinstance(told, dict) and told.keys() == {"attributes", "offsets", "layout"},
             "its manifest has other keys than ours")  # fmt: skip
    offsets = told["offsets"]
    _require(
        isinstance(offsets, dict) and all(type(o) is int and o >= 0 for o in offsets.values()),
        "its manifest has invalid offsets",
    )
    return checked_attributes(told["attributes"]), offsets


def _plan(attributes: Attributes, size: int) -> tuple[Experiment, Blocks]:
    for name in ("experiment", "experiment_sha256", "format_version", "block_runs"):
        _require(name in attributes, f"the attribute {name} is missing")
    version = attributes["format_version"]
    made_with = attributes.get("fastmomentum_version")
    if version != FORMAT_VERSION:
        raise LackingError(
            f"has the format {printable(repr(version))}, and this installation reads "
            f"{FORMAT_VERSION!r}; it was made with fastmomentum {printable(made_with or 'unknown')}"
        )
    text = str(attributes["experiment"])
    experiment = parsed_experiment(text, attributes["experiment_sha256"], size, made_with)
    block_runs, n_runs = attributes["block_runs"], experiment.grid.n_runs
    if not isinstance(block_runs, int) or not 0 < block_runs <= n_runs:
        raise FileError(f"its blocks cannot have {block_runs!r:.20} of {n_runs:,} runs")
    _require(n_runs <= MOST_BLOCKS * block_runs, "it has more blocks than any file of ours")
    _require(n_runs * experiment.bytes_per_run <= size, "it is too small for its experiment")
    return experiment, Blocks(n_runs, block_runs)


def _labels(experiment: Experiment) -> list[Variable]:
    """Variables whose values follow from the experiment; text is left to the checksum."""
    known = [*coordinates(experiment), *closing()]
    return [v for v in known if v.values is not None and v.dtype != "str"]


def _written(experiment: Experiment, blocks: Blocks, offsets: dict[str, int]) -> list[Variable]:
    """Variables whose bytes have checksums of their own."""
    late = [v for v in closing() if v.values is None]
    data = [v for v in stored_observations(experiment) if v.name in offsets]
    return [*results(experiment), *journal(len(blocks)), *late, *data]


Span = tuple[int, int, str]


def _spans(variables: Iterable[Variable], offsets: dict[str, int]) -> list[Span]:
    return [(offsets[v.name], offsets[v.name] + v.n_bytes, v.name) for v in variables]


def _gaps(taken: list[Span], size: int) -> list[tuple[int, int]]:
    """Ranges of a file between the spans."""
    edges = [(0, 0, ""), *sorted(taken), (size, size, "")]
    return [(a[1], b[0]) for a, b in itertools.pairwise(edges) if a[1] < b[0]]


def _digest(descriptor: int, spans: list[tuple[int, int]]) -> bytes:
    """Checksum of some ranges of a file."""
    parts = (part for span in spans for part in files.parts(descriptor, *span))
    return checksums.wide(parts).encode()
