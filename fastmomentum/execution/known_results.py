"""Storing results that are known already, as the run of their experiment would have."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import Interrupted
from fastmomentum.experiment.plan import Experiment
from fastmomentum.status import Status
from fastmomentum.store.file_store import FileStore


def store_known(
    experiment: Experiment,
    path: Path,
    variables: Mapping[str, NDArray[Any]],
    seconds: float,
    overwrite: bool = False,
) -> None:
    """Write known results to a file that is like any other: journalled, checked, resumable.

    Parameters
    ----------
    experiment : Experiment
        Their plan.
    path : Path
        The results file.
    variables : mapping of ndarray
        By name, the run as first axis.
    seconds : float
        Time that the runs took.
    overwrite : bool
        Whether other results at `path` may be replaced.

    Raises
    ------
    InputError, StorageError, FileError
        As of `run`.
    Interrupted
        Ctrl-C.
    """
    try:
        store = FileStore.open(path, experiment, overwrite=overwrite)
        if store is None:
            return
        with store:
            counts = np.zeros(len(Status), np.int64)
            for block in list(store.missing()):
                runs = store.blocks.runs(block)
                arrays = store.sink.arrays(block)
                for name, values in arrays.items():
                    values[...] = variables[name][runs.start : runs.stop]
                counts += np.bincount(arrays["status"], minlength=len(Status))
                store.enter(block, store.sink.put(block, arrays))
            store.finish(counts, seconds)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted while writing {path}: run the same again") from None
