"""Check a results file against its checksums, and recompute what does not match."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fastmomentum.errors import FileError, InputError
from fastmomentum.experiment.arithmetic import other_arithmetic
from fastmomentum.experiment.describing import place_of
from fastmomentum.experiment.plan import Experiment
from fastmomentum.schema import stored_observations
from fastmomentum.specification.paths import path_of
from fastmomentum.store import files, locks, manifest
from fastmomentum.store.block_file import BlockFile
from fastmomentum.store.journal import DONE, MISSING, Journal, RunTotals
from fastmomentum.store.paths import existing, is_partial


@dataclass
class Verification:
    """The result of checking a file against its checksums.

    Attributes
    ----------
    path : Path
        The file.
    experiment : Experiment
        Its plan.
    n_blocks : int
        Blocks in total.
    missing : int
        Blocks that an unfinished file does not hold yet.
    damaged : list of range
        Numbers of the runs in the damaged blocks.
    closing : bool
        Whether the counts by status and the wall time are sound.
    data : bool
        Whether a regression's data are sound.
    repaired : bool
        Whether damaged blocks, counts and time were recomputed.
    doubtful : int
        Repaired blocks whose recorded checksum was that of neither the stored nor the new bytes.
    """

    path: Path
    experiment: Experiment
    n_blocks: int
    missing: int = 0
    damaged: list[range] = field(default_factory=list)
    closing: bool = True
    data: bool = True
    repaired: bool = False
    doubtful: int = 0

    @property
    def sound(self) -> bool:
        """Whether every checksum matched."""
        return not self.damaged and self.closing and self.data

    def lines(self) -> list[str]:
        """Put the findings into words, naming the damaged cells."""
        if self.sound:
            left = f"; {self.missing:,} are not done yet" if self.missing else ""
            sound = self.n_blocks - self.missing
            return [
                f"{self.path}: all {sound:,} blocks, labels and structures match their checksums"
                + left
            ]
        said = []
        if self.damaged:
            n = len(self.damaged)
            said.append(f"{self.path}: {n:,} of {self.n_blocks:,} blocks are damaged:")
            place = functools.partial(place_of, self.experiment.grid)
            said += [
                f"  runs {runs.start:,} to {runs.stop - 1:,}: from {place(runs.start)} to "
                f"{place(runs.stop - 1)}"
                for runs in self.damaged[:5]
            ]
            said += [f"  and {n - 5:,} more blocks"] if n > 5 else []
        if not self.closing:
            said.append(f"{self.path}: the counts by status or the wall time are damaged")
        if not self.data:
            said.append(f"{self.path}: data_x or data_y is damaged; restore them from a copy")
        if self.repaired:
            said.append("computed again, bit for bit, and synced")
        elif self.damaged or not self.closing:
            said.append("compute them again, and only them, with repair=True")
        if self.doubtful:
            said.append(
                f"of {self.doubtful:,} blocks the recorded checksum fits neither the old bytes nor "
                "the new: it was damaged too, or another machine computed them"
            )
        return said


def verify(path: str | Path, repair: bool = False) -> Verification:
    """Check every block of a results file, read from the disk itself, against its checksum.

    Parameters
    ----------
    path : path
        A results file, finished or not.
    repair : bool
        Whether to recompute the damaged blocks, and only those.

    Returns
    -------
    Verification
        What was found and done.

    Raises
    ------
    FileError
        The file is not ours, or its structure is damaged.
    InputError
        There is no such file; or the file to repair is unfinished, or from a version whose
        objective differs in the last digits.
    StorageError
        It cannot be read or written.

    Examples
    --------
    >>> import tempfile
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=10,
    ...     grid=fm.Grid(lr=[1e-4, 1e-3], momentum=[0.0, 0.9], start=[(-5, -5)]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fm.run(experiment, f"{folder}/out.h5").close()
    ...     fm.verify(f"{folder}/out.h5").sound
    True
    """
    path = existing(path_of(path))
    unfinished = is_partial(path)
    if repair and unfinished:
        raise InputError(f"{path} is not finished; run its experiment again, which repairs it too")
    contents = manifest.read(path)
    with contextlib.ExitStack() as stack:
        if repair:
            stack.callback(locks.Lock(path).release)
        sink = BlockFile.of(contents, writable=repair)
        said = Verification(path, contents.experiment, len(contents.blocks))
        with files.in_words(f"reading {path}"):
            bad = _read(sink, unfinished, said)
        other = other_arithmetic(contents.experiment, contents.attributes)
        if repair and bad and other:
            raise InputError(
                f"{path} was {other}: its damaged blocks ({len(bad):,}) cannot be repaired; repair "
                "it with that version, or run its experiment again with overwrite=True"
            )
        if repair and (bad or not said.closing):
            with files.in_words(f"repairing {path}"):
                _repair(sink, bad, said)
    return said


def _read(sink: BlockFile, unfinished: bool, said: Verification) -> list[int]:
    files.forget_cached(sink.descriptor)
    journal = Journal(sink)
    flags = journal.flags()
    states = set(np.unique(flags).tolist())
    missing = np.flatnonzero(flags == MISSING).tolist() if unfinished else []
    bad = list(journal.mismatched(tuple(states - {MISSING})))
    if not unfinished:
        bad = sorted({*bad, *np.flatnonzero(flags != DONE).tolist()})
        told = RunTotals.read(sink)
        counted = journal.count_statuses()
        said.closing = told is not None and (bool(bad) or np.array_equal(told.counts, counted))
    said.missing = len(missing)
    said.damaged = [sink.blocks.runs(block) for block in bad]
    said.data = _data_sound(sink)
    return bad


def _data_sound(sink: BlockFile) -> bool:
    digest = hashlib.sha256()
    data = [v for v in stored_observations(sink.experiment) if v.name in sink.offsets]
    for variable in data:
        start = sink.offsets[variable.name]
        for part in files.parts(sink.descriptor, start, start + variable.n_bytes):
            digest.update(part)
    statistics = getattr(sink.experiment.objective, "statistics", None)
    return not data or digest.hexdigest() == getattr(statistics, "sha256", None)


def _repair(sink: BlockFile, bad: list[int], said: Verification) -> None:
    from fastmomentum.execution.worker import (
        do_block,  # imports the kernels, which only a repair needs
    )

    journal = Journal(sink)
    told = journal.checksums()
    for block in bad:
        stored = sink.stored(block)
        _, checksum, _, _ = do_block(sink, block)
        said.doubtful += checksum not in (stored, int(told[block]))
        journal.enter(block, checksum)
    journal.confirm(bad)
    counts = journal.count_statuses()
    before = RunTotals.read(sink, counts)
    RunTotals(counts, before.seconds if before else float("nan")).write(sink)
    files.sync_data(sink.writing)
    said.repaired = True
    if not said.data:
        raise FileError("\n".join(said.lines()))
