"""What a file holds besides the results: journal, totals of the runs, root attributes."""

from __future__ import annotations

from typing import Final

import numpy as np

from fastmomentum.experiment.plan import Experiment
from fastmomentum.provenance import provenance
from fastmomentum.schema import Variable, _flags
from fastmomentum.status import Status

FORMAT_VERSION: Final = "1"


CONVENTIONS: Final = "CF-1.11"


def journal(n_blocks: int) -> list[Variable]:
    """Which blocks are done, and their checksums."""
    checksum = "XXH3-64 of the block's number (8 bytes, little-endian) and of its bytes in "
    states = {
        "long_name": "state of the block of runs; written: stored, but not yet synced",
        "flag_values": np.array([0, 1, 2], "u1"),
        "flag_meanings": "missing done written",
    }
    return [
        Variable(
            "block_checksum",
            ("block",),
            (n_blocks,),
            "<u8",
            {"long_name": checksum + "the variables of the runs, in the order of the file"},
        ),
        Variable("block_done", ("block",), (n_blocks,), "|u1", states),
    ]


def closing() -> list[Variable]:
    """Totals that are known once the runs are done; provenance, not part of the results."""
    codes = np.array([int(status) for status in Status], "u1")
    seal = "XXH3-64 of runs_by_status and wall_time"
    return [
        Variable(
            "status_code",
            ("status_code",),
            codes.shape,
            "|u1",
            {"long_name": "how a run ended", **_flags()},
            codes,
        ),
        Variable(
            "runs_by_status",
            ("status_code",),
            codes.shape,
            "<i8",
            {"long_name": "number of runs that ended so", "units": "1"},
        ),
        Variable(
            "wall_time",
            (),
            (),
            "<f8",
            {"long_name": "time that the runs took, all sessions together", "units": "s"},
        ),
        Variable("closing_checksum", (), (), "<u8", {"long_name": seal}),
    ]


def attributes(experiment: Experiment, block_runs: int) -> dict[str, str | int]:
    """Attributes of the file as a whole.

    Parameters
    ----------
    experiment : Experiment
        The plan.
    block_runs : int
        Runs per block.

    Returns
    -------
    dict of str or int
        Attributes of the root.
    """
    return {
        "title": experiment.title,
        "Conventions": CONVENTIONS,
        "format_version": FORMAT_VERSION,
        "experiment": experiment.canonical,
        "experiment_sha256": experiment.sha256,
        "block_runs": block_runs,
        "arithmetic": experiment.objective.arithmetic,
        **provenance(),
    }
