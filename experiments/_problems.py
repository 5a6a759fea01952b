"""What the frameworks are given to walk, our own paths through it, and how far paths lie apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import fastmomentum as fm
from fastmomentum.objectives import Objective

Paths = NDArray[np.float64]

RULES: Final = ("momentum", "nesterov")
PRECISIONS: Final = ("float64", "float32")

SENSITIVITY: Final = 10.0
"""A cell is stable if a start moved by a little moves no point of its path by more times that."""

POLYNOMIALS: Final = (
    "mse",
    "rosenbrock",
    "quadratic",
    "beale",
    "booth",
    "himmelblau",
    "matyas",
    "three_hump_camel",
    "styblinski_tang",
    "goldstein_price",
)
"""Objectives of the random cells: a framework's scalars may enter these as they are."""


@dataclass(frozen=True)
class Cell:
    """One run: what is descended, how fast, from where."""

    objective: Objective
    lr: float
    momentum: float
    start: tuple[float, float]

    def loss(self, x: Any, y: Any, array: Callable[[Any], Any], mean: Callable[[Any], Any]) -> Any:
        """Build the loss from a framework's scalars; its own functions make arrays and means."""
        data = self.objective.observations()
        if data is None:
            return self.objective.value_at(x, y, self.objective.constants)
        return mean((x * array(data[0]) + y - array(data[1])) ** 2)


def ours(cells: Sequence[Cell], rule: str, steps: int) -> Paths:
    """Run the kernel.

    Parameters
    ----------
    cells : sequence of Cell
        What to run.
    rule : {"momentum", "nesterov"}
        How.
    steps : int
        Updates.

    Returns
    -------
    ndarray, shape (n_cells, steps + 1, 2)
        Every point of each path.
    """
    paths = []
    for cell in cells:
        experiment = fm.Experiment(
            objective=cell.objective,
            rule=rule,
            steps=steps,
            grid=fm.Grid(lr=cell.lr, momentum=cell.momentum, start=[cell.start]),
            record=fm.Record(every=1),
            stop=fm.Stop(bound=np.inf),
        )
        paths.append(fm.run(experiment, n_jobs=1).trajectory.values.reshape(-1, 2))
    return np.array(paths)


def line_cell() -> tuple[Cell, int]:
    """Give the document's linear regression and its steps; the slope starts in [-1, 1)."""
    x, y = fm.datasets.noisy_line(50, 5, 5, 10, 5, seed=0)
    return Cell(fm.MSE.from_arrays(x, y), 0.01, 0.9, (0.5, 0.0)), 500


def rosenbrock_cell() -> tuple[Cell, int]:
    """Give the document's walk on Rosenbrock's function and its steps."""
    return Cell(fm.Rosenbrock(), 1.5e-5, 0.9, (-5.0, -5.0)), 5000


RANDOM_STEPS: Final = 300


def random_cells(rule: str, each: int, seed: int) -> list[Cell]:
    """Draw stable cells, so many of each of `POLYNOMIALS`.

    The start is uniform in the objective's box, the momentum in [0.05, 0.95); the learning rate
    times the curvature at the start is log-uniform in [1e-3, 3). What is not stable is drawn again.
    """
    random = np.random.default_rng(seed)
    return [cell for made in _objectives(random) for cell in _stable(made, rule, each, random)]


def _objectives(random: np.random.Generator) -> Iterator[Objective]:
    for name in POLYNOMIALS:
        if name == "mse":
            x, y = fm.datasets.noisy_line(50, 5, 5, 10, 5, seed=int(random.integers(2**31)))
            yield fm.MSE.from_arrays(x, y)
        else:
            yield fm.OBJECTIVES[name]()


def _stable(
    objective: Objective, rule: str, each: int, random: np.random.Generator
) -> Iterator[Cell]:
    found = 0
    while found < each:
        start = random.uniform(*np.transpose(objective.box))
        curvature = np.linalg.norm(objective.hessian(*start), 2)
        cell = Cell(
            objective,
            lr=float(10 ** random.uniform(-3, np.log10(3)) / curvature),
            momentum=float(random.uniform(0.05, 0.95)),
            start=(float(start[0]), float(start[1])),
        )
        if sensitivity(cell, rule, RANDOM_STEPS) <= SENSITIVITY:
            found += 1
            yield cell


def sensitivity(cell: Cell, rule: str, steps: int) -> float:
    """How many times further apart than at first two paths get whose starts lie close; or inf."""
    apart = 1e-7 * np.hypot(*cell.start)
    moved = [
        Cell(cell.objective, cell.lr, cell.momentum, (cell.start[0] + dx, cell.start[1] + dy))
        for dx, dy in ((0.0, 0.0), (apart, 0.0), (0.0, apart))
    ]
    paths = ours(moved, rule, steps)
    if not np.isfinite(paths).all():
        return np.inf
    return float(np.linalg.norm(paths[1:] - paths[0], axis=-1).max() / apart)


def difference(paths: Paths, to: Paths) -> NDArray[np.float64]:
    """Largest difference of a coordinate along each path, as a part of the path's largest.

    Parameters
    ----------
    paths, to : ndarray, shape (n_cells, n_points, 2)
        What is compared; the scale is that of `to`.

    Returns
    -------
    ndarray, shape (n_cells,)
        ``max_t |w_t - to_t| / max_t |to_t|``, in the maximum norm.
    """
    return np.abs(paths - to).max(axis=(1, 2)) / np.abs(to).max(axis=(1, 2))
