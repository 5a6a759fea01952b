"""How far the elementary functions are off: the tables in their docstrings.

Each function is compared with mpmath, of 200 bits, at random points of each range, at both ends of
it and, for the functions of angles, at the doubles that lie nearest to multiples of pi/2.

    python experiments/measure_elementary.py [POINTS]

Takes two minutes for the 20,000 points a range that the tables were made with.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import NDArray

from fastmomentum import elementary

Floats = NDArray[np.float64]

mpmath.mp.prec = 200


@dataclass(frozen=True)
class Range:
    """Where a function is measured.

    Attributes
    ----------
    words : str
        For the table.
    low, high : float
        Its ends.
    by_size : bool
        Whether points are spread evenly over the powers of 2, on both sides of 0 where low < 0.
    """

    words: str
    low: float
    high: float
    by_size: bool = False

    def points(self, n: int, seed: int) -> Floats:
        """Random points in it, and both ends."""
        rng = np.random.default_rng(seed)
        if self.by_size:
            smallest = max(self.low, 5e-324)
            x = np.exp2(rng.uniform(np.log2(smallest), np.log2(self.high), n))
            x = np.clip(x, smallest, self.high)
            x = x * rng.choice([-1.0, 1.0], n) if self.low < 0.0 else x
        else:
            x = rng.uniform(self.low, self.high, n)
        return np.concatenate([x, [self.low, self.high]])


@dataclass(frozen=True)
class Measured:
    """A function, what it should be, and where it is measured."""

    function: Callable[[Any], Any]
    exact: Callable[[Any], Any]
    ranges: tuple[Range, ...]
    by_angle: bool = False


MEASURED: dict[str, Measured] = {
    "sin": Measured(
        elementary.sin,
        mpmath.sin,
        (
            Range("up to pi", -3.2, 3.2),
            Range("up to 1e5", -1e5, 1e5),
            Range("up to 1e5, by size", -1.0, 1e5, True),
        ),
        True,
    ),
    "cos": Measured(
        elementary.cos,
        mpmath.cos,
        (
            Range("up to pi", -3.2, 3.2),
            Range("up to 1e5", -1e5, 1e5),
            Range("up to 1e5, by size", -1.0, 1e5, True),
        ),
        True,
    ),
    "tan": Measured(
        elementary.tan,
        mpmath.tan,
        (Range("up to pi", -3.2, 3.2), Range("up to 1e5", -1e5, 1e5)),
        True,
    ),
    "exp": Measured(
        elementary.exp,
        mpmath.exp,
        (
            Range("-1 to 1", -1.0, 1.0),
            Range("-708 to 709.7", -708.0, 709.7),
            Range("-745 to -708: subnormal", -745.0, -708.0),
        ),
    ),
    "decay": Measured(elementary.decay, lambda x: mpmath.exp(-x), (Range("0 to 708", 0.0, 708.0),)),
    "short_decay": Measured(
        elementary.short_decay, lambda x: mpmath.exp(-x), (Range("0 to 2", 0.0, 2.0),)
    ),
    "log": Measured(
        elementary.log,
        mpmath.log,
        (
            Range("0.5 to 2", 0.5, 2.0),
            Range("0 to 1.8e308, by size", 5e-324, 1.7e308, True),
        ),
    ),
    "tanh": Measured(
        elementary.tanh,
        mpmath.tanh,
        (
            Range("up to 1.5", -1.5, 1.5),
            Range("up to 25", -25.0, 25.0),
            Range("up to 25, by size", -1.0, 25.0, True),
        ),
    ),
    "sin_turns": Measured(
        elementary.sin_turns,
        lambda x: mpmath.sinpi(2 * x),
        (Range("up to half a turn", -0.5, 0.5), Range("up to 1e5 turns", -1e5, 1e5)),
    ),
    "cos_turns": Measured(
        elementary.cos_turns,
        lambda x: mpmath.cospi(2 * x),
        (Range("up to half a turn", -0.5, 0.5), Range("up to 1e5 turns", -1e5, 1e5)),
    ),
    "haversine_turns": Measured(
        elementary.haversine_turns,
        lambda x: mpmath.sinpi(x) ** 2,
        (Range("up to half a turn", -0.5, 0.5), Range("up to 1e5 turns", -1e5, 1e5)),
    ),
}


def units_off(value: float, exact: Any) -> float:
    """Error in units in the last place of the exact value (5e-324 for subnormal ones)."""
    if exact == 0:
        return 0.0 if value == 0.0 else float("inf")
    unit = mpmath.mpf(2) ** (max(mpmath.frexp(exact)[1] - 1, -1022) - 52)
    return float(abs(mpmath.mpf(value) - exact) / unit)


def largest_error(measured: Measured, x: Floats) -> tuple[float, float]:
    """The largest error at some points, in units in the last place, and where."""
    values = measured.function(x)
    pairs = zip(x.tolist(), values.tolist(), strict=True)
    errors = [units_off(value, measured.exact(mpmath.mpf(at))) for at, value in pairs]
    worst = int(np.argmax(errors))
    return errors[worst], float(x[worst])


def near_multiples(most: int, step: int = 1) -> Floats:
    """The doubles nearest to multiples of pi/2, where most digits cancel."""
    return np.array([float(k * mpmath.pi / 2) for k in range(1, most, step)])


def table(name: str, points: int) -> list[str]:
    """Lines of a docstring's table: a range, and the largest error in it."""
    measured = MEASURED[name]
    rows = [
        (where.words, *largest_error(measured, where.points(points, seed)))
        for seed, where in enumerate(measured.ranges)
    ]
    if measured.by_angle:
        x = near_multiples(63_662, max(1, 63_662 // points))
        rows.append(("nearest to multiples of pi/2", *largest_error(measured, x)))
    return [f"    {words:<30} {error:.2f}   at {x:.6g}" for words, error, x in rows]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("points", nargs="?", type=int, default=20_000, help="a range [20000]")
    words = parser.parse_args()
    for name in MEASURED:
        print(name, *table(name, words.points), sep="\n", flush=True)


if __name__ == "__main__":
    main()
