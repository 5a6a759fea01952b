"""Digests of experiments as JSON: every objective, every rule, noise, batches, each once at least.

    python tests/arm/digests.py [PART N]

PART of N: only every N-th experiment, from that one on. It runs on any machine; `compare.py` asks
two and compares.
"""

from __future__ import annotations

import json
import sys

import numpy as np

import fastmomentum as fm
from fastmomentum.results.fingerprint import digest
from fastmomentum.rules import RULES


def experiments() -> dict[str, fm.Experiment]:
    """Each objective with one rule, the rules by turns; runs that converge, diverge and neither."""
    line = np.arange(50.0), np.arange(50.0) % 7 + 3 * np.arange(50.0)
    rules, made = sorted(RULES), {}
    for number in range(max(len(fm.OBJECTIVES), len(rules))):
        name = list(fm.OBJECTIVES)[number % len(fm.OBJECTIVES)]
        rule = rules[number % len(rules)]
        objective = fm.MSE.from_arrays(*line) if name == "mse" else fm.OBJECTIVES[name].example()
        moves = RULES[rule].uses_momentum
        targets = [1.0, 1e-3] if objective.f_min is not None else []
        made[f"{name}, {rule}"] = fm.Experiment(
            objective=objective,
            rule=rule,
            steps=300,
            grid=fm.Grid(
                lr=np.geomspace(1e-5, 1.0, 24),
                momentum=[0.0, 0.3, 0.9, 0.99] if moves else None,
                start=[(-1.2, 1.0), (0.3, -2.0)],
                velocity=[(0.0, 0.0), (0.5, -0.25)] if moves else None,
            ),
            record=fm.Record(every=50),
            # Every other one without: its kernel compiles in less time.
            stop=fm.Stop(targets=targets, bound=1e10) if number % 2 else fm.Stop(bound=False),
        )
    made["noise"] = fm.Experiment(
        objective=fm.Rosenbrock(),
        rule="momentum",
        steps=300,
        grid=fm.Grid(lr=np.geomspace(1e-4, 1e-2, 12), momentum=[0.5], start=[(-1.2, 1)], seed=5),
        noise={"gaussian": 0.5, "common": False},
    )
    made["batches"] = fm.Experiment(
        objective=fm.MSE.from_arrays(*line),
        rule="momentum",
        steps=300,
        grid=fm.Grid(lr=np.geomspace(1e-5, 1e-3, 200), momentum=[0.5], start=[(0, 1)], seed=[7]),
        noise={"gaussian": 0.5},
        batch={"size": 8},
    )
    return made


def main() -> None:
    part, parts = map(int, sys.argv[1:] or ("0", "1"))
    chosen = list(experiments().items())[part::parts]
    print(json.dumps({name: digest(fm.run(plan, n_jobs=1)) for name, plan in chosen}))


if __name__ == "__main__":
    main()
