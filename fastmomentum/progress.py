"""How far a run is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fastmomentum.status import Status


@dataclass
class Progress:
    """How far a run is.

    Attributes
    ----------
    n_runs, kept_runs : int
        Runs in all, and those that an earlier run had done.
    done_runs : int
        Runs done by now, the kept among them.
    steps : int
        Updates made by now, the kept not among them.
    counts : ndarray, shape (4,)
        Runs done now, by status.
    seconds : float
        Since the start.
    """

    n_runs: int
    kept_runs: int
    done_runs: int
    steps: int = 0
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(Status), np.int64))
    seconds: float = 0.0


Watcher = Callable[[Progress], None]
