"""What a refinement did: how much of the full grid was run, and how much was missed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Refined:
    """What `refine` did.

    Attributes
    ----------
    path : Path
        The results file.
    shape : (int, int)
        Learning rates and momenta of the full grid at that resolution.
    of_map, computed : int
        Cells taken from the map, and further cells that were run.
    work : float
        Updates of all of these, relative to the full grid's, estimated from the map's mean run.
    seconds : float
        Time that it took; 0 if the file existed already.
    sample, missed : int
        Skipped cells that were run afterwards, and how many of these have another class than in
        the refined map.
    seed : int
        Seed of the sample.
    """

    path: Path
    shape: tuple[int, int]
    of_map: int
    computed: int
    work: float
    seconds: float
    sample: int
    missed: int
    seed: int

    @property
    def full(self) -> int:
        """Cells of the full grid."""
        return self.shape[0] * self.shape[1]

    @property
    def share(self) -> float:
        """Share of the full grid's cells that were run, the map included."""
        return (self.of_map + self.computed) / self.full

    @property
    def missed_between(self) -> tuple[float, float]:
        """Share of skipped cells that have another class: 95% interval by Wilson's score."""
        return wilson(self.missed, self.sample)

    def lines(self) -> list[str]:
        """The result in lines for people."""
        n, m = self.shape
        took = f" in {self.seconds:.1f} s" if self.seconds else ""
        said = [
            f"{self.computed:,} cells run{took}, {self.of_map:,} taken from the map: "
            f"{self.share:.2%} of the {self.full:,} runs of {n:,} x {m:,}, and {self.work:.2%} of "
            "their updates"
        ]
        if self.sample:
            low, high = self.missed_between
            said.append(
                f"of {self.sample:,} skipped cells (seed {self.seed}), {self.missed:,} are of "
                f"another class than drawn: {low:.2%} to {high:.2%} of all that were skipped"
            )
        return said


def wilson(count: int, of: int) -> tuple[float, float]:
    """The 95% interval of a share, by Wilson's score.

    Examples
    --------
    >>> [round(end, 4) for end in wilson(0, 1000)]
    [0.0, 0.0038]
    """
    if of == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share, wide = count / of, z * z / of
    middle = (share + wide / 2) / (1 + wide)
    half = z * np.sqrt(share * (1 - share) / of + wide / (4 * of)) / (1 + wide)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
