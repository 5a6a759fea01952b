"""The results of a run: their names, sizes and types, from which all bytes are counted."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from fastmomentum.experiment.recording import Record


class Outcome(NamedTuple):
    """One result of a run.

    Attributes
    ----------
    name : str
        Name of the variable.
    dims : tuple of str
        Its dimensions besides the grid's.
    shape : tuple of int
        Their sizes.
    dtype : str
        NumPy's type code, little-endian.
    """

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str

    @property
    def n_bytes(self) -> int:
        """Bytes per run."""
        return np.dtype(self.dtype).itemsize * math.prod(self.shape)


def outcomes(
    n_targets: int, record: Record | None, n_recorded: int, restarts: bool = False
) -> list[Outcome]:
    """Results of each run of an experiment.

    Parameters
    ----------
    n_targets : int
        How many targets it has.
    record : Record or None
        Which steps of the trajectory are stored.
    n_recorded : int
        How many steps are stored.
    restarts : bool
        Whether the rule restarts.

    Returns
    -------
    list of Outcome
        In the order in which a block's checksum covers them.

    Examples
    --------
    >>> sum(one.n_bytes for one in outcomes(0, None, 0))
    29
    """
    found = [Outcome("status", (), (), "|u1"), Outcome("n_steps", (), (), "<i4")]
    if n_targets:
        found.append(Outcome("hit_step", ("target",), (n_targets,), "<i4"))
    found.append(Outcome("final", ("parameter",), (2,), "<f8"))
    found.append(Outcome("final_loss", (), (), "<f8"))
    if restarts:
        found.append(Outcome("n_restarts", (), (), "<i4"))
    if record is not None:
        code = np.dtype(record.dtype).newbyteorder("<").str
        found.append(Outcome("trajectory", ("step", "parameter"), (n_recorded, 2), code))
    return found
