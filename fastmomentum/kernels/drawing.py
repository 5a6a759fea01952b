"""What kernels draw at each step: noise, and the statistics of a batch's rows.

Numbers that all runs of a call share are drawn once per step, into a table for a round's steps; a
run's own numbers are drawn lane by lane, for some steps of a tile at a time. None of this is
compiled into kernels of deterministic runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from fastmomentum.kernels.drawing_batches import (
    SAMPLE,
    own_sample,
    sampler,
    shared_sample,
    shuffled,
    summed,
)
from fastmomentum.kernels.drawing_noise import adding, own_noise, shared_noise
from fastmomentum.kernels.tiles import Function, inlined, made_once
from fastmomentum.noise import epoch_keys, gaussian_pair
from fastmomentum.noise.gaussian import gaussian_of, random_words
from fastmomentum.noise.rows import drawn_row, scrambled

Whose = Literal["seed", "lane"]

TABLE_STEPS: Final = 32
"""Steps that a tile's own numbers are drawn for at once: their table fits into the core's cache."""


@dataclass(frozen=True)
class Draws:
    """What is drawn at each step.

    Parameters
    ----------
    noise : {"seed", "lane"}, optional
        Whether noise is added to gradients, and whose it is: shared by all runs of a call, which
        have one seed, or each lane's own.
    batch : {"seed", "lane"}, optional
        The same for batches.
    replacement : bool
        Whether each row of a batch is drawn independently.
    """

    noise: Whose | None = None
    batch: Whose | None = None
    replacement: bool = False

    @property
    def by_lane(self) -> bool:
        """Whether lanes have numbers of their own."""
        return "lane" in (self.noise, self.batch)

    @property
    def by_seed(self) -> bool:
        """Whether all runs of a call share numbers."""
        return "seed" in (self.noise, self.batch)

    @property
    def any(self) -> bool:
        """Whether anything is drawn."""
        return self.by_lane or self.by_seed

    @property
    def keys(self) -> int:
        """Rows of a tile that hold keys of lanes: two words each."""
        return 2 * (self.noise == "lane") + 2 * (self.batch == "lane")


NOTHING_DRAWN: Final = Draws()


class Drawer(NamedTuple):
    """Functions that a kernel draws with.

    Attributes
    ----------
    of_seed, of_lane : int
        Numbers per step in the tables.
    share : callable
        ``share(table, t, t_end, rows, random)``: draw the shared numbers.
    draw : callable
        ``draw(table, tile, t, t_end, rows, random)``: draw each lane's own numbers.
    at_step : callable
        ``at_step(table, k)``: the shared numbers at place k of their table, as a tuple.
    noise, sample : callable
        ``noise(shared, own, m, lane)``: a step's numbers as a tuple, from the shared ones and from
        place m of the lanes' table.
    """

    of_seed: int
    of_lane: int
    share: Function
    draw: Function
    at_step: Function
    noise: Function
    sample: Function


class Random(NamedTuple):
    """What a kernel needs for drawing, besides the keys of lanes.

    Attributes
    ----------
    deviation : float
        Standard deviation of the noise.
    noise_key, batch_key : ndarray of uint64, shape (2,)
        Keys of the shared seed.
    x, r : ndarray, shape (n_rows,)
        x and residual of each row; see `statistics.residuals`.
    scale : float
        See `statistics.sample_of`.
    size : int
        Rows of a batch.
    low, high : int
        From `position_bits`.
    """

    deviation: float
    noise_key: Any
    batch_key: Any
    x: Any
    r: Any
    scale: float
    size: int
    low: int
    high: int


def drawer(n: int, draws: Draws, first_key: int) -> Drawer:
    """Make the functions that a kernel draws with.

    Parameters
    ----------
    n : int
        Coordinates of a point.
    draws : Draws
        What is drawn.
    first_key : int
        Row of a tile with the first word of the lanes' keys.

    Returns
    -------
    Drawer
        Its functions do nothing where nothing is drawn.
    """
    of = {"seed": 0, "lane": 0}
    at = {}
    for name, whose, count in (("noise", draws.noise, n), ("sample", draws.batch, SAMPLE)):
        if whose is not None:
            at[name] = whose, of[whose]
            of[whose] += count
    noise_key = first_key
    batch_key = first_key + 2 * (draws.noise == "lane")
    shares, owns = [], []
    if draws.noise == "seed":
        shares.append(shared_noise(n, at["noise"][1]))
    if draws.noise == "lane":
        owns.append(own_noise(n, at["noise"][1], noise_key))
    if draws.batch == "seed":
        shares.append(shared_sample(at["sample"][1], draws.replacement))
    if draws.batch == "lane":
        owns.append(own_sample(at["sample"][1], batch_key, draws.replacement))
    return Drawer(
        of["seed"],
        of["lane"],
        _in_turn(shares, 5),
        _in_turn(owns, 6),
        _at_step(of["seed"]),
        _reading(n if draws.noise else 0, *at.get("noise", ("seed", 0))),
        _reading(SAMPLE if draws.batch else 0, *at.get("sample", ("seed", 0))),
    )


@made_once
def _in_turn(functions: list[Function], count: int) -> Function:
    """Call none, one or two functions of `count` arguments."""

    def five(a, b, c, d, e):  # type: ignore[no-untyped-def]
        return None

    def six(a, b, c, d, e, f):  # type: ignore[no-untyped-def]
        return None

    if not functions:
        return inlined(five if count == 5 else six)
    if len(functions) == 1:
        return functions[0]
    first, second = functions

    def both_five(a, b, c, d, e):  # type: ignore[no-untyped-def]
        first(a, b, c, d, e)
        second(a, b, c, d, e)

    def both_six(a, b, c, d, e, f):  # type: ignore[no-untyped-def]
        first(a, b, c, d, e, f)
        second(a, b, c, d, e, f)

    return inlined(both_five if count == 5 else both_six)


@made_once
def _at_step(count: int) -> Function:
    """``at_step(table, k)``: `count` numbers as a tuple, read outside the loop over lanes."""
    if not count:

        def nothing(table, k):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    before, last = _at_step(count - 1), count - 1

    def at_step(table, k):  # type: ignore[no-untyped-def]
        return (*before(table, k), table[last, k])

    return inlined(at_step)


@made_once
def _reading(count: int, whose: Whose, first: int) -> Function:
    """``read(shared, own, m, lane)``: `count` numbers of a step as a tuple."""
    if not count:

        def nothing(shared, own, m, lane):  # type: ignore[no-untyped-def]
            return ()

        return inlined(nothing)
    before, last = _reading(count - 1, whose, first), first + count - 1

    def of_seed(shared, own, m, lane):  # type: ignore[no-untyped-def]
        return (*before(shared, own, m, lane), shared[last])

    def of_lane(shared, own, m, lane):  # type: ignore[no-untyped-def]
        return (*before(shared, own, m, lane), own[last, m, lane])

    return inlined(of_seed if whose == "seed" else of_lane)


@made_once
def batch_sizer(draws: Draws) -> Function:
    """``size(random)``: rows of a batch; 0 without batches."""

    def none(random):  # type: ignore[no-untyped-def]
        return 0

    def size(random):  # type: ignore[no-untyped-def]
        return random.size

    return inlined(size if draws.batch else none)


DIGESTED: Final[tuple[Function, ...]] = (
    drawer,
    adding,
    gaussian_pair,
    gaussian_of,
    random_words,
    epoch_keys,
    scrambled,
    drawn_row,
    summed,
    shuffled,
    sampler,
)
"""Functions that are compiled into kernels from here."""
