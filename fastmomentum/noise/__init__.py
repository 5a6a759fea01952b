"""Seeded noise: the same bits for any split, order or repetition of the runs.

Everything is a function of a key, the step and the coordinate (`threefry`); a key is made of the
seed and, where not all cells share their noise, of a run's settings, start and velocity (`keys`).
Kernels compile the plain functions of `threefry`, `keys`, `gaussian` and `rows` into their loops;
`batches` is for NumPy alone.
"""

from types import ModuleType
from typing import Final

from fastmomentum.noise import gaussian, keys, rows
from fastmomentum.noise import threefry as words
from fastmomentum.noise.batches import batch_rows as batch_rows
from fastmomentum.noise.batches import epoch_order as epoch_order
from fastmomentum.noise.gaussian import gaussian_pair as gaussian_pair
from fastmomentum.noise.gaussian import uniform as uniform
from fastmomentum.noise.keys import MOST_SEEDS as MOST_SEEDS
from fastmomentum.noise.keys import NOTHING as NOTHING
from fastmomentum.noise.keys import absorbed as absorbed
from fastmomentum.noise.keys import key_of as key_of
from fastmomentum.noise.rows import drawn_row as drawn_row
from fastmomentum.noise.rows import epoch_keys as epoch_keys
from fastmomentum.noise.rows import position_bits as position_bits
from fastmomentum.noise.rows import shuffled_row as shuffled_row
from fastmomentum.noise.threefry import threefry as threefry

MODULES: Final[tuple[ModuleType, ...]] = (words, keys, gaussian, rows)
"""Modules whose plain functions kernels compile."""

__all__ = [
    "MODULES",
    "MOST_SEEDS",
    "NOTHING",
    "absorbed",
    "batch_rows",
    "drawn_row",
    "epoch_keys",
    "epoch_order",
    "gaussian_pair",
    "key_of",
    "position_bits",
    "shuffled_row",
    "threefry",
    "uniform",
]
