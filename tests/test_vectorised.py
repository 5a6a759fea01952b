"""The machine code of the kernels: inner loops made of packed instructions, the same bits on any.

A harmless-looking edit of an objective, a rule or the kernel can make LLVM give up vectorising,
which changes no result and costs ten times the speed. So the assembly itself is looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import fastmomentum as fm
from fastmomentum.kernels import assembly
from fastmomentum.objectives import Objective
from fastmomentum.rules import RULES, Rule
from tests.helpers import example_objectives

FLAGS = set(re.findall(r"^flags.*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)[0].split())
EXACT = [objective for objective in example_objectives() if not objective.elementary]

pytestmark = pytest.mark.skipif(
    "avx2" not in FLAGS, reason="the names of registers below are AVX's"
)

ARITHMETIC = re.compile(r"\sv?(?:add|sub|mul|div)(p|s)d\s(.*)")
LABEL = re.compile(r"(\.L\w+):")
JUMP = re.compile(r"\sj\w+\s+(\.L\w+)")


@dataclass(frozen=True)
class Loop:
    """An innermost loop of some machine code.

    Attributes
    ----------
    packed, scalar : int
        Additions, multiplications and their like on whole vectors, and on single numbers.
    widest : bool
        Whether all of the packed ones fill the machine's widest vectors.
    """

    packed: int
    scalar: int
    widest: bool


def innermost_loops(assembly: str) -> list[Loop]:
    """Loops without another inside, in AT&T syntax: from a label to a jump back to it."""
    lines = assembly.splitlines()
    labels = {found[1]: n for n, line in enumerate(lines) if (found := LABEL.match(line))}
    spans = {
        (labels[found[1]], n)
        for n, line in enumerate(lines)
        if (found := JUMP.match(line)) and labels.get(found[1], n) < n
    }
    inner = [
        (a, b)
        for a, b in spans
        if not any(a <= c and d <= b and (a, b) != (c, d) for c, d in spans)
    ]
    return [_loop(lines[a : b + 1]) for a, b in inner]


def _loop(body: list[str]) -> Loop:
    found = [match for line in body if (match := ARITHMETIC.match(line))]
    packed = [match[2] for match in found if match[1] == "p"]
    register = "zmm" if "avx512f" in FLAGS else "ymm"
    widest = all(register in operands for operands in packed)
    return Loop(len(packed), len(found) - len(packed), widest)


def is_vectorised(objective: type[Objective], rule: Rule, checked: bool) -> bool:
    """Whether updates of a tile are whole vectors, and updates of single runs are not for tiles.

    The loop over a tile is the innermost one with packed arithmetic. Single runs are walked in one
    loop, only with stop rules: when a target on the way is met. Anything else is a fallback.
    """
    loops = innermost_loops(assembly(objective, rule, checked))
    tiles = [loop for loop in loops if loop.packed >= 4]
    singles = [loop for loop in loops if loop.scalar >= 4]
    whole = bool(tiles) and all(loop.widest and not loop.scalar for loop in tiles)
    return whole and len(singles) <= (1 if checked else 0)


@pytest.mark.parametrize("checked", [False, True])
@pytest.mark.parametrize("objective", EXACT, ids=lambda objective: objective.name)
def test_the_loop_over_a_tile_is_vectorised(objective: Objective, checked: bool) -> None:
    assert is_vectorised(type(objective), RULES["momentum"], checked)


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.name != "momentum"])
def test_so_it_is_for_the_other_rules(rule: Rule) -> None:
    assert is_vectorised(fm.Rosenbrock, rule, False)


def stubborn(w: float, v: float, g: float, lr: float, momentum: float) -> tuple[float, float]:
    """Momentum whose steps are halved until they are short: each run a number of times of its own."""
    v = momentum * v - lr * g
    while v * v > 1.0:
        v = 0.5 * v
    return w + v, v


def searching(w: float, v: float, g: float, lr: float, momentum: float) -> tuple[float, float]:
    """Momentum with a remainder, for which there is no vector instruction."""
    v = momentum * v - lr * g
    return w + v, v % 1.0


@pytest.mark.parametrize("update", [stubborn, searching])
def test_a_rule_that_cannot_be_vectorised_is_found_out(update: Callable[..., object]) -> None:
    assert not is_vectorised(fm.Rosenbrock, Rule("broken", update, True, ""), False)


BITS = """
import sys
import numpy as np
import fastmomentum as fm
from tests.helpers import example_objectives
for objective in example_objectives():
    if objective.elementary:
        continue
    (x_low, x_high), (y_low, y_high) = objective.box
    starts = np.random.default_rng(3).uniform((x_low, y_low), (x_high, y_high), (7, 2))
    ds = fm.run(fm.Experiment(
        objective=objective, rule="nesterov", steps=150,
        grid=fm.Grid(lr=np.geomspace(1e-5, 1e-1, 5), momentum=[0.0, 0.5, 0.9], start=starts),
        record=fm.Record(every=10), stop=fm.Stop(bound=None if len(sys.argv) > 1 else 1e6)))
    for name in ("status", "n_steps", "final", "final_loss", "trajectory"):
        sys.stdout.buffer.write(ds[name].values.tobytes())
"""


def bits(*words: str, **environment: str) -> bytes:
    """What a fresh process computes."""
    root = str(Path(__file__).parents[1])
    made = subprocess.run(
        [sys.executable, "-c", BITS, *words],
        cwd=root,
        env={**os.environ, "PYTHONPATH": root, **environment},
        capture_output=True,
        check=True,
    )
    return made.stdout
