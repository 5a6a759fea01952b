"""What theory can say of a plan's batches: exact where rows are drawn independently.

An update on all rows is one under the full gradient. Batches by "shuffle" depend on each other over
an epoch, and theory of the full gradient is all there is of them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmomentum.errors import InputError
from fastmomentum.experiment.randomness import Batch
from fastmomentum.objectives import Objective
from fastmomentum.theory import row_terms

MOST_ROWS: Final = 2**20
"""Most rows whose Hessians are laid out: 32 MiB of them."""


class Drawn(NamedTuple):
    """Rows that are drawn independently of each other.

    Attributes
    ----------
    row_hessians : ndarray, shape (n, 2, 2)
        Of each row.
    size : int
        Rows of a batch.
    """

    row_hessians: NDArray[np.float64]
    size: int


def sees_all_rows(objective: Objective, batch: Batch | None) -> bool:
    """Whether each update is one under the full gradient.

    Examples
    --------
    >>> from fastmomentum.objectives import MSE
    >>> line = MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    >>> sees_all_rows(line, Batch(size=3)), sees_all_rows(line, Batch(size=2))
    (True, False)
    """
    return batch is None or (batch.draw == "shuffle" and batch.size == objective.n_rows)


def drawn_of(objective: Objective, batch: Batch | None) -> Drawn | None:
    """The rows of independent batches, for `fastmomentum.theory.mean_square_limit`.

    Parameters
    ----------
    objective : Objective
        Of the plan.
    batch : Batch, optional
        Of the plan.

    Returns
    -------
    Drawn or None
        None where there are no batches, an epoch's are not independent, the objective has lost its
        rows, or there are more than `MOST_ROWS` of them.

    Examples
    --------
    >>> from fastmomentum.objectives import MSE
    >>> line = MSE.from_arrays([0.0, 1.0, 2.0], [1.0, 3.0, 5.0])
    >>> drawn_of(line, Batch(size=2)) is None
    True
    >>> drawn_of(line, Batch(size=2, draw="replacement")).row_hessians.shape
    (3, 2, 2)
    """
    if batch is None or batch.draw != "replacement" or (objective.n_rows or 0) > MOST_ROWS:
        return None
    try:
        return Drawn(row_terms(objective).hessians, batch.size)
    except InputError:  # rebuilt from its statistics
        return None
