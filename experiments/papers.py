"""Reproduce numbers of papers, and write the README's table of them.

    python experiments/papers.py [--readme README.md]

Each row is a paper, its setting, what is published, and what comes out here; under a minute in all.
"""

from __future__ import annotations

import _ending  # noqa: F401  (its import sets how the script ends)

import argparse
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from docs import table

import fastmomentum as fm
from fastmomentum import analysis, theory
from fastmomentum.analysis.sensitivity import measured
from fastmomentum.cli.exit_status import script


class Row(NamedTuple):
    """One number of a paper."""

    paper: str
    setting: str
    published: str
    ours: str


def cycle_of_three() -> Row:
    """The heavy ball's cycle on a function of three pieces."""
    grid = fm.Grid(lr=1 / 9, momentum=4 / 9, start=[(3.3, 0.0)])
    plan = fm.Experiment(objective="heavy_ball_cycle", rule="momentum", steps=3002, grid=grid)
    path = fm.replay(fm.run(plan, n_jobs=1)).trajectory.values[-3:, 0]
    away = np.abs(np.sort(path) - np.array([-2208, 792, 2592]) / 1225).max()
    points = ", ".join(f"{x:.6f}" for x in np.sort(path))
    return Row(
        "Lessard, Recht and Packard 2016",
        "heavy ball, curvatures 1 to 25, lr 1/9, momentum 4/9: its cycle",
        "-2208/1225, 792/1225, 2592/1225",
        f"{points}; at most {away:.0e} off",
    )


def cycles(cells: int = 60) -> list[Row]:
    """Where the heavy ball cycles, and where it is proved to converge."""
    lr, m = ((np.arange(cells) + 0.5) / cells * top for top in (4 / 25, 1.0))
    rates, momenta = (part.ravel() for part in np.meshgrid(lr, m))
    _, foretold, cycling = analysis.measured_cycles(rates, momenta, 1.0, 25.0)
    proved = momenta < theory.converging_momentum(rates, 1.0, 25.0)
    return [
        Row(
            "Goujaud, Taylor and Dieuleveut 2023",
            "cycles of 2 to 25 points, curvatures 1 to 25: the region's closed form",
            "cycles just inside",
            f"{np.sum(cycling == foretold):,} of {cycling.size:,} runs end so, "
            f"{np.sum(cycling & foretold):,} of them on a cycle",
        ),
        Row(
            "Ghadimi, Feyzmahdavian and Johansson 2015",
            "the same functions, below the line of global convergence",
            "no cycle",
            f"{np.sum(cycling & proved):,} cycles in {proved.sum():,} runs",
        ),
    ]


def final_state() -> Row:
    """The uncertainty exponent of a map of the circle and a line."""

    def ends(points: Any) -> Any:
        angle, x = points
        for _ in range(400):
            angle, x = (
                angle + 1.32 * np.sin(2 * angle) - 0.9 * np.sin(4 * angle) - x * np.sin(angle),
                -0.3 * np.cos(angle),
            )
        return (x > 0).astype(int)

    found = measured(ends, [(0, 2 * np.pi), (-0.5, 0.5)], scales=(1e-8, 1e-3), sample=8000)
    return Row(
        "Grebogi, McDonald, Ott and Yorke 1983",
        "their map: uncertainty exponent",
        "0.2",
        f"{found.exponent:.3f} ± {found.error:.3f}",
    )


def newton() -> list[Row]:
    """Basins of Newton's method: dimension, and entropy of the boundary."""
    side = np.linspace(-1, 1, 1024)
    z = side[:, None] + 1j * side
    for _ in range(40):
        z = z - (z * z * z - 1) / (3 * z * z)
    basins = np.rint(np.angle(z) / (2 * np.pi / 3)).astype(int) % 3
    found = analysis.boundary_dimension(basins, scales=(1, 64))
    entropy = analysis.basin_entropy(basins)
    edge = analysis.basin_entropy(np.abs(z) * 0 + side[:, None] > 0.3 * side + 0.1)
    return [
        Row(
            "Newton's method on z^3 - 1, as in the tests of ChaosTools.jl",
            "dimension of the boundary by box counting, in the square of side 2 around 0",
            "1.42",
            f"{found.dimension:.3f} ± {found.error:.3f}",
        ),
        Row(
            "Daza and others 2016",
            "boundary basin entropy of the same basins; of a straight edge",
            "above log 2 = 0.693 only if fractal",
            f"{entropy.boundary_entropy:.3f} ± {entropy.boundary_error:.3f}; "
            f"{edge.boundary_entropy:.3f} ± {edge.boundary_error:.3f}",
        ),
    ]


def cosine() -> Row:
    """Where the boundary over learning rates becomes fractal on a parabola with a cosine."""
    parts = (0.5, 0.9, 1.1, 2.0)
    said = []
    for part in parts:
        eps = part / (2 * np.pi**2)
        f = fm.Formula("x^2 + eps*cos(2*pi*x/lam) + y^2", eps=eps, lam=1.0)
        grid = fm.Grid(lr={"linspace": [1.0, 1.2], "num": 2**19 + 1}, start=[(4.3937, 0.0)])
        plan = fm.Experiment(
            objective=f, rule="sgd", steps=1500, grid=grid, stop=fm.Stop(bound=1e6)
        )
        ds = fm.run(plan).isel(start=0, momentum=0)
        found = analysis.boundary_dimension(ds.status == fm.Status.DIVERGED, over=("lr",))
        said.append(f"{found.dimension:.2f} ± {found.error:.2f}")
    return Row(
        "Liu 2024",
        "gradient descent on x^2 + eps cos(2 pi x/lambda): boundary over lr, start 4.3937",
        "fractal once eps/lambda^2 is above 1/(2 pi^2)",
        f"dimension {', '.join(said)} at {', '.join(map(str, parts))} of that",
    )


def logistic() -> Row:
    """The Lyapunov exponent of the logistic map, which gradient descent on a cubic is."""
    f = fm.Formula("x^2/2*(1 - r) + r*x^3/3 + y^2/2", r=4.0, minimisers=[(0.75, 0.0)])
    grid = fm.Grid(lr=1.0, start=[(0.3, 0.1)])
    plan = fm.Experiment(objective=f, rule="sgd", steps=20_000, grid=grid, stop=fm.Stop(bound=None))
    found = analysis.lyapunov_exponent(fm.run(plan, n_jobs=1))
    return Row(
        "Ulam and von Neumann 1947",
        "the logistic map at 4, as gradient descent on a cubic: Lyapunov exponent",
        "log 2 = 0.6931",
        f"{found.exponent:.4f} ± {found.error:.4f}",
    )


ROWS: Sequence[Callable[[], Row | list[Row]]] = (
    cycle_of_three,
    cycles,
    final_state,
    newton,
    cosine,
    logistic,
)


def main(words: Sequence[str]) -> None:
    """Reproduce, print, and write where it is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readme", type=Path, metavar="FILE", help="write the table into it")
    asked = parser.parse_args(words)
    rows: list[Row] = []
    for make in ROWS:
        made = make()
        for row in [made] if isinstance(made, Row) else made:
            print(" | ".join(row))
            rows.append(row)
    if asked.readme is None:
        return
    text = asked.readme.read_text(encoding="utf-8")
    written = table(("paper", "setting", "published", "here"), rows)
    pattern = re.compile(r"(<!-- papers -->\n).*?(\n<!-- /papers -->)", re.S)
    text = pattern.sub(lambda found: found[1] + written + found[2], text)
    asked.readme.write_text(text, encoding="utf-8")
    print(f"wrote {asked.readme}")


if __name__ == "__main__":
    script(main)
