"""Randomness of a run: noise on its gradients, and the rows of its batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, field_validator

from fastmomentum.experiment.grid import Grid
from fastmomentum.noise.gaussian import gaussian_pair
from fastmomentum.noise.rows import MOST_ROWS
from fastmomentum.objectives import Objective
from fastmomentum.objectives.operations import count_operations
from fastmomentum.specification.base import Specification, Whole
from fastmomentum.specification.messages import Fault
from fastmomentum.text import shown


class Noise(Specification):
    """Noise that is added to the gradient of each update.

    Parameters
    ----------
    gaussian : float
        Standard deviation of the noise on each component; at least 0.
    common : bool
        Whether all cells of a grid get the same noise for a seed, so that they differ only by their
        settings. If not, each cell has its own noise, which depends on the seed and on the run's
        settings, so a cell has the same noise in any grid.

    Examples
    --------
    >>> Noise(gaussian=0.1).common
    True
    """

    gaussian: float = Field(ge=0, examples=["gaussian = 0.1"])
    common: bool = True

    if TYPE_CHECKING:

        def __init__(self, *, gaussian: float, common: bool = True) -> None: ...

    @property
    def operations(self) -> int:
        """Operations to draw it, for one component."""
        return count_operations(gaussian_pair) // 2

    @property
    def words(self) -> str:
        """The noise in a few words.

        Examples
        --------
        >>> Noise(gaussian=0.1, common=False).words
        'gaussian, standard deviation 0.1, each run its own'
        """
        whose = "common to all runs of a seed" if self.common else "each run its own"
        return f"gaussian, standard deviation {self.gaussian:g}, {whose}"


class Batch(Specification):
    """Batches of rows for each update's gradient, for the objective mse.

    Parameters
    ----------
    size : int
        Rows of a batch, at most those of the data.
    draw : {"shuffle", "replacement"}
        ``shuffle``: each row once per epoch, in another order each; the last batch of an epoch has
        the remaining rows, and averages over these. ``replacement``: each row of each batch is
        drawn independently.

    Examples
    --------
    >>> Batch(size=32).draw
    'shuffle'
    """

    size: Whole = Field(ge=1, examples=["size = 32"])
    draw: Literal["shuffle", "replacement"] = "shuffle"

    if TYPE_CHECKING:

        def __init__(
            self, *, size: int, draw: Literal["shuffle", "replacement"] = "shuffle"
        ) -> None: ...

    @property
    def words(self) -> str:
        """The batches in a few words.

        Examples
        --------
        >>> Batch(size=32).words
        '32 rows, each row once an epoch'
        """
        how = {"shuffle": "each row once an epoch", "replacement": "each drawn by itself"}
        return f"{self.size:,} row{'s' * (self.size != 1)}, {how[self.draw]}"

    @field_validator("draw", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        if not isinstance(given, str):
            raise ValueError(f"must be 'shuffle' or 'replacement': got {shown(given)}")
        return given


NoiseLike = Noise | dict[str, Any]
BatchLike = Batch | dict[str, Any]


def random_faults(
    grid: Grid, objective: Objective, noise: Noise | None, batch: Batch | None
) -> Iterator[Fault]:
    """Faults of seeds, noise and batches.

    Parameters
    ----------
    grid, objective, noise, batch
        Parts of an experiment.

    Yields
    ------
    (str, str)
        Key and message.
    """
    if grid.seed is not None and noise is None and batch is None:
        yield (
            "grid.seed",
            f"must be left out, as nothing is random: got {shown(grid.seed)}; drop it, or add "
            "noise such as noise = { gaussian = 0.1 }",
        )
    if batch is None:
        return
    n_rows = objective.n_rows
    if n_rows is None:
        yield (
            "batch",
            f"must be left out, as {objective.name} is no sum over rows of data; drop it, take "
            "the objective mse, or add noise such as noise = { gaussian = 0.1 }",
        )
    elif batch.size > n_rows:
        yield "batch.size", f"must be at most {n_rows:,}, the rows of the data: got {batch.size:,}"
    elif n_rows > MOST_ROWS:
        yield "batch", f"may be drawn from {MOST_ROWS:,} rows at most: the data have {n_rows:,}"
