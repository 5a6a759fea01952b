"""The progress of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fastmomentum.status import Status


@dataclass
class Progress:
    """The progress of a run.

    Attributes
    ----------
    n_runs, kept_runs : int
        Runs in total, and those kept from an earlier, interrupted run.
    done_runs : int
        Runs done so far, kept ones included.
    steps : int
        Updates made so far, those of kept runs excluded.
    counts : ndarray, shape (4,)
        Runs done now, by status.
    seconds : float
        Time since the start.
    reused_runs : int
        Runs among these that were reused from older files.
    """

    n_runs: int
    kept_runs: int
    done_runs: int
    steps: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Status), np.int64))
    seconds: float = 0.0
    reused_runs: int = 0


Watcher = Callable[[Progress], None]
