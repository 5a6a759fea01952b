"""Data for linear regression: drawn around a line, or read from a CSV file."""

from __future__ import annotations

import csv
import math
import stat
from array import array
from pathlib import Path
from typing import ClassVar, Final, TextIO

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from fastmomentum.errors import InputError
from fastmomentum.specification.base import Specification, Whole
from fastmomentum.specification.paths import path_of
from fastmomentum.text import suggest

Column = NDArray[np.float64]

MOST_POINTS: Final = 10_000_000
"""Points that may be drawn: they are held in memory."""


class NoisyLine(Specification):
    """A line through the origin with normal x and uniform integer noise.

    Parameters
    ----------
    num_points : int
        How many points, at least 2.
    x_mid, x_range : float
        Mean and standard deviation of x.
    y_weight : float
        Slope of the line.
    noise_range : int
        Integers in [-noise_range, noise_range) are added to y; 0 for none.
    seed : int
        The same seed gives the same points.

    Examples
    --------
    >>> line = NoisyLine(num_points=50, x_mid=5, x_range=5, y_weight=10, noise_range=5)
    >>> x, y = line.draw()
    >>> x.shape
    (50,)
    """

    another: ClassVar[str] = "draw the points yourself, and use fm.MSE.from_arrays"
    positional: ClassVar[bool] = True

    num_points: Whole = Field(ge=2, le=MOST_POINTS)
    x_mid: float
    x_range: float = Field(ge=0)
    y_weight: float
    noise_range: Whole = Field(ge=0, le=2**53)
    seed: Whole = Field(default=0, ge=0)

    def draw(self) -> tuple[Column, Column]:
        """Draw the points.

        Returns
        -------
        x, y : ndarray, shape (num_points,)
            Coordinates.
        """
        random = np.random.default_rng(self.seed)
        with np.errstate(over="ignore", invalid="ignore"):
            x = random.normal(self.x_mid, self.x_range, self.num_points)
            y = x * self.y_weight
        if self.noise_range:
            y += random.integers(-self.noise_range, self.noise_range, self.num_points)
        return x, y


def noisy_line(
    num_points: int,
    x_mid: float,
    x_range: float,
    y_weight: float,
    noise_range: int,
    seed: int = 0,
) -> tuple[Column, Column]:
    """Points around a line; see `NoisyLine` for the arguments.

    Returns
    -------
    x, y : ndarray, shape (num_points,)
        Coordinates.

    Raises
    ------
    InputError
        Where an argument makes no sense.

    Examples
    --------
    >>> x, y = noisy_line(50, 5, 5, 10, noise_range=0)
    >>> bool((y == 10 * x).all())
    True
    """
    return NoisyLine(
        num_points=num_points,
        x_mid=x_mid,
        x_range=x_range,
        y_weight=y_weight,
        noise_range=noise_range,
        seed=seed,
    ).draw()


def load_csv(path: str | Path, x: str, y: str) -> tuple[Column, Column]:
    """Two columns of a CSV file: UTF-8, commas, the names of the columns in the first line.

    Parameters
    ----------
    path : path
        The file.
    x, y : str
        Names of the columns.

    Returns
    -------
    x, y : ndarray, shape (n_rows,)
        Finite numbers.

    Raises
    ------
    InputError
        Where the file, a column or a number is missing or makes no sense; with the line.
    """
    path = path_of(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{path} is a directory; name a CSV file")
        if not stat.S_ISREG(mode):
            raise InputError(f"{path} is not a regular file; name a CSV file")
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read(file, path, x, y)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; correct the path or create it") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} is not UTF-8 text: got the byte 0x{error.object[error.start]:02x}; "
            "name a CSV file, saved as UTF-8"
        ) from None
    except csv.Error as error:
        raise InputError(f"{path} is not CSV: {error}") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a path that no file can have
        if isinstance(error, InputError):
            raise
        raise InputError(f"{str(path)!r} is not a path: {error}") from None


def _read(file: TextIO, path: Path, x: str, y: str) -> tuple[Column, Column]:
    lines = csv.reader(file, skipinitialspace=True)
    header = [name.strip() for name in next(lines, [])]
    if not header:
        raise InputError(f"{path} is empty; its first line must name the columns")
    for name in (x, y):
        if name not in header:
            raise InputError(f"{path} has no column '{name}'; {suggest(name, header)}")
        if header.count(name) > 1:
            raise InputError(
                f"{path} has {header.count(name)} columns '{name}'; rename all but one"
            )
    i, j = header.index(x), header.index(y)
    width = len(header)
    xs, ys = array("d"), array("d")
    add_x, add_y = xs.append, ys.append
    isfinite = math.isfinite
    for row in lines:
        if len(row) != width:
            if not row:
                continue  # a blank line
            raise InputError(
                f"{path}, line {lines.line_num} has {len(row)} fields where the first line "
                f"names {width}; correct it"
            )
        try:
            p, q = float(row[i]), float(row[j])
        except ValueError:
            raise _bad_number(row, i, j, lines.line_num, path, x, y) from None
        if not (isfinite(p) and isfinite(q)) or "_" in row[i] or "_" in row[j]:
            raise _bad_number(row, i, j, lines.line_num, path, x, y)
        add_x(p)
        add_y(q)
    if not xs:
        raise InputError(f"{path} has no line of numbers below its first; add some")
    return np.array(xs), np.array(ys)


def _bad_number(
    row: list[str], i: int, j: int, line: int, path: Path, x: str, y: str
) -> InputError:
    name, text = (x, row[i]) if not _is_number(row[i]) else (y, row[j])
    got = f"got {text[:40]!r}" if text.strip() else "it is blank"
    return InputError(
        f"{path}, line {line}: {name} must be a finite number: {got}; correct or drop the line"
    )


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and "_" not in text  # Python reads 1_000 as a number
    except ValueError:
        return False
