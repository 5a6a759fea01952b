"""Digests: every objective, rule and schedule, restarts, noise and batches, each once.

    python tests/arm/digests.py

Reads names of `experiments` from its input, one a line, and answers each with a line of JSON, a
digest by name; to `curves` with those of all schedules. It runs on any machine; `compare.py` asks
two and compares.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import numpy as np

import fastmomentum as fm
from fastmomentum.results.fingerprint import digest
from fastmomentum.rules import RULES
from fastmomentum.schedules import Schedule

LR: dict[str, dict[str, Any]] = {
    "step": {"factor": 0.7, "every": 30},
    "multistep": {"factor": 0.3, "at": [10, 100, 350]},
    "exponential": {"factor": 0.5, "every": 70},
    "inverse": {"rate": 0.02, "power": 0.75},
    "linear": {"first": 0.1, "last": 1.5, "steps": 200},
    "cosine": {"steps": 300, "final": 0.1},
    "cosine_restarts": {"steps": 50, "growth": 2, "final": 0.05},
    "one_cycle": {"steps": 300, "peak": 0.25, "first": 0.1, "last": 0.01},
    "piecewise": {"at": [5, 300], "factors": [0.5, 0.1]},
}
MOMENTUM: dict[str, dict[str, Any]] = {
    "nesterov": {},
    "su_boyd_candes": {},
    "sutskever": {"most": 0.7},
    "demon": {"first": 0.9, "steps": 300},
    "one_cycle": {"steps": 300, "peak": 0.25, "high": 0.9, "low": 0.6},
    "linear": {"first": 0.5, "last": 0.9, "steps": 200},
}
"""Every schedule with its parameters."""
CURVES = "curves"
PLANNED = Schedule(
    lr=[{"kind": "linear", **LR["linear"]}, {"kind": "cosine", **LR["cosine"]}],
    momentum={"kind": "nesterov"},
)


def span(first: float, last: float, num: int) -> dict[str, Any]:
    """Learning rates that are the same on any machine: those of NumPy's geomspace are not."""
    return {"logspace": [first, last], "num": num}


def experiments() -> dict[str, fm.Experiment]:
    """Each objective with one rule, the rules by turns; runs that converge, diverge and neither.

    One has noise, one schedules and restarts, one batches: kernels take long to compile.
    """
    line = np.arange(50.0), np.arange(50.0) % 7 + 3 * np.arange(50.0)
    rules = sorted(RULES)
    made = {
        "batches": fm.Experiment(
            objective=fm.MSE.from_arrays(*line),
            rule="momentum",
            steps=300,
            grid=fm.Grid(lr=span(1e-5, 1e-3, 200), momentum=[0.5], start=[(0, 1)], seed=[7]),
            noise={"gaussian": 0.5},
            batch={"size": 8},
            stop=fm.Stop(bound=False),
        )
    }
    for number in range(max(len(fm.OBJECTIVES), len(rules))):
        name = list(fm.OBJECTIVES)[number % len(fm.OBJECTIVES)]
        rule = rules[number % len(rules)]
        objective = fm.MSE.from_arrays(*line) if name == "mse" else fm.OBJECTIVES[name].example()
        moves = RULES[rule].uses_momentum
        targets = [1.0, 1e-3] if objective.f_min is not None else []
        is_noisy, is_scheduled = name == "booth", name == "matyas" and rule == "nesterov"
        made[f"{name}, {rule}"] = fm.Experiment(
            objective=objective,
            rule=fm.UpdateRule(name=rule, restart="function" if is_scheduled else None),
            steps=300,
            grid=fm.Grid(
                lr=span(1e-5, 1.0, 24),
                momentum=[0.0, 0.3, 0.9, 0.99] if moves and not is_scheduled else None,
                start=[(-1.2, 1.0), (0.3, -2.0)],
                velocity=[(0.0, 0.0), (0.5, -0.25)] if moves else None,
                seed=[5] if is_noisy else None,
            ),
            noise={"gaussian": 0.5, "common": False} if is_noisy else None,
            schedule=PLANNED if is_scheduled else None,
            record=fm.Record(every=50),
            # Most without: their kernels compile in half the time.
            stop=fm.Stop(targets=targets, bound=1e10) if number % 6 == 1 else fm.Stop(bound=False),
        )
    return made


def curves() -> dict[str, str]:
    """Of each schedule, a digest of what it says of 5,000 updates."""
    found = {}
    for kind, parameters in LR.items():
        values = Schedule(lr={"kind": kind, **parameters}).lr_factors(0, 5000)
        found[f"factors of {kind}"] = hashlib.sha256(values.tobytes()).hexdigest()
    for kind, parameters in MOMENTUM.items():
        values = Schedule(momentum={"kind": kind, **parameters}).momenta(0, 5000)
        found[f"momenta of {kind}"] = hashlib.sha256(values.tobytes()).hexdigest()
    return found


def main() -> None:
    plans = experiments()
    for name in map(str.strip, sys.stdin):
        found = curves() if name == CURVES else {name: digest(fm.run(plans[name], n_jobs=1))}
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
