"""The machine code of the kernels: inner loops made of packed instructions, the same bits on any.

A harmless-looking edit of an objective, a rule or the kernel can make LLVM give up vectorising,
which changes no result and costs ten times the speed. So the assembly itself is looked at.
"""

from __future__ import annotations

import contextlib
import math
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import pytest

import fastmomentum as fm
from fastmomentum import elementary
from fastmomentum.kernels import block, loop
from fastmomentum.objectives import Functions, Objective
from fastmomentum.rules import RULES, Rule
from fastmomentum.rules.base import Form, Update
from fastmomentum.schema import block_arrays
from tests.helpers import example_objectives


def flags() -> set[str]:
    """What the processor has, as Linux tells it of x86-64; elsewhere nothing is known."""
    with contextlib.suppress(OSError):
        told = Path("/proc/cpuinfo").read_text()
        if found := re.search(r"^flags.*: (.*)$", told, re.M):
            return set(found[1].split())
    return set()


FLAGS = flags()

WIDEST = "zmm" if "avx512f" in FLAGS else "ymm"

ARITHMETIC = re.compile(r"\sv?(?:add|sub|mul|div)(p|s)d\s(.*)")
STRANGERS = re.compile(r"\s(?:call|vfn?m(?:add|sub)|vinsert|vextract|vgather|vpgather|vmaskmov)")
LABEL = re.compile(r"(\.L\w+):")
JUMP = re.compile(r"\sj\w+\s+(\.L\w+)")

needs_avx2 = pytest.mark.skipif("avx2" not in FLAGS, reason="this system tells of no AVX2")


@dataclass(frozen=True)
class Loop:
    """What an innermost loop of machine code is made of.

    Attributes
    ----------
    packed, scalar : int
        Additions, multiplications and their like on whole vectors, and on single numbers.
    widest : bool
        Whether the packed ones are on the machine's widest vectors, all of them.
    strangers : int
        Calls, fused operations (which would change bits), vectors made or taken apart, and masked
        stores, which are slow on AMD's cores.
    """

    packed: int
    scalar: int
    widest: bool
    strangers: int


def innermost_loops(code: str, register: str = WIDEST) -> list[Loop]:
    """Loops without another inside, in AT&T syntax: from a label to a jump back to it."""
    lines = code.splitlines()
    labels = {found[1]: n for n, line in enumerate(lines) if (found := LABEL.match(line))}
    spans = {
        (labels[found[1]], n)
        for n, line in enumerate(lines)
        if (found := JUMP.match(line)) and labels.get(found[1], n) < n
    }
    return [
        _loop(lines[a : b + 1], register)
        for a, b in spans
        if not any(a <= c and d <= b and (a, b) != (c, d) for c, d in spans)
    ]


def _loop(body: list[str], register: str) -> Loop:
    found = [match for line in body if (match := ARITHMETIC.match(line))]
    packed = [match[2] for match in found if match[1] == "p"]
    widest = all(register in operands for operands in packed)
    strangers = sum(bool(STRANGERS.match(line)) for line in body)
    return Loop(len(packed), len(found) - len(packed), widest, strangers)


def is_vectorised(objective: Objective, rule: Rule, checked: bool) -> bool:
    """Whether the updates of a tile are packed arithmetic and nothing else.

    One loop is: the one over a tile. One more has arithmetic on single numbers, that of the last
    losses, once a run; a second such loop would be a fallback. With stop rules there may be more of
    them: what ends a round for one run alone.
    """
    loops = innermost_loops(assembly(objective, rule, checked))
    tiles = [loop for loop in loops if loop.packed]
    singles = [loop for loop in loops if loop.scalar]
    return (
        len(tiles) == 1
        and tiles[0].widest
        and not (tiles[0].scalar or tiles[0].strangers)
        and (checked or len(singles) <= 1)
    )


def assembly(objective: Objective, rule: Rule, checked: bool, **more: object) -> str:
    """Machine code of a kernel, compiled anew: Numba keeps none for what comes from its cache.

    It is written to the cache all the same, for the tests that run it.
    """
    compiled = []

    def anew(functions: Functions, rows: loop.Rows, checked: bool) -> loop.Kernel:
        kernel = loop.compile_kernel.__wrapped__(functions, replace(rows, rule=rule), checked)
        kernel._cache.load_overload = lambda *_: None
        compiled.append(kernel)
        return compiled[0]

    experiment = fm.Experiment(
        objective=objective,
        rule=rule.name if rule.name in RULES else "momentum",
        steps=1,
        grid=fm.Grid(lr=0.1, momentum=0.5 if rule.uses_momentum else None, start=[(0.5, 0.5)]),
        stop=fm.Stop(bound=1e20 if checked else None),
        **more,  # type: ignore[arg-type]
    )
    with patch.object(block, "compile_kernel", anew):
        block.run_block(experiment, range(1), block_arrays(experiment, 1), 0)
    (kernel,) = compiled
    (code,) = kernel.inspect_asm().values()
    return str(code)


@needs_avx2
@pytest.mark.parametrize("objective", [*example_objectives()], ids=lambda objective: objective.name)
def test_every_objective_is_vectorised(objective: Objective) -> None:
    # With stop rules the loop holds value and gradient; without, it holds a part of that.
    assert is_vectorised(objective, RULES["momentum"], checked=True)


@needs_avx2
def test_noise_of_each_runs_own_is_vectorised() -> None:
    noise = {"gaussian": 0.1, "common": False}
    code = assembly(fm.Rosenbrock(), RULES["momentum"], checked=False, noise=noise)
    packed = [loop for loop in innermost_loops(code) if loop.packed]
    assert len(packed) == 2  # Gaussian numbers from words, and the update
    assert all(loop.widest and not (loop.scalar or loop.strangers) for loop in packed)
    words = re.findall(r"\svpaddd\s.*", code)
    assert sum(WIDEST in one for one in words) >= 20  # Threefry's rounds, a lane each 32 bits


TARGETS = {"haswell": "ymm", "skylake-avx512": "zmm"}
"""Processors to compile for, which need not be there, and their widest registers."""

FOR_OTHERS = """
import sys
from unittest.mock import patch
import numpy as np
from numba import njit, typeof
import fastmomentum as fm
from fastmomentum import elementary
from fastmomentum.kernels import block, loop as kernels
from fastmomentum.schema import block_arrays

array = typeof(np.empty(1))
for name in sys.argv[1:]:
    if name in fm.OBJECTIVES:
        experiment = fm.Experiment(objective=fm.OBJECTIVES[name](), rule="momentum", steps=1,
                                   grid=fm.Grid(lr=0.1, momentum=0.5, start=[(0.5, 0.5)]))
        made = []
        def anew(*key):
            made.append(njit(**kernels.OPTIONS)(kernels.compile_kernel.__wrapped__(*key).py_func))
            return lambda *arguments: made[0].compile(tuple(map(typeof, arguments)))
        with patch.object(block, "compile_kernel", anew):
            with patch.object(block, "compile_for", lambda *_: None):
                block.run_block(experiment, range(1), block_arrays(experiment, 1), 0)
        (loop,) = made
    else:
        function = getattr(elementary, name)
        @njit(**kernels.OPTIONS)
        def loop(x, out):
            kernels.widest_vectors()
            for i in range(x.size):
                out[i] = function(x[i])
        loop.compile((array, array))
    print("<<", name)
    print(*loop.inspect_asm().values())
"""


def compiled_for(processor: str, *names: str) -> dict[str, str]:
    """Machine code for another processor, by objective (with stop rules) or elementary function."""
    said = subprocess.run(
        [sys.executable, "-c", FOR_OTHERS, *names],
        cwd=Path(fm.__file__).parents[1],
        env=os.environ | {"NUMBA_CPU_NAME": processor, "NUMBA_CPU_FEATURES": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    parts = (part.partition("\n") for part in said.split("<< ")[1:])
    return {name: code for name, _, code in parts}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="assembly of x86-64 is read")
@pytest.mark.parametrize("processor", TARGETS)
def test_elementary_functions_are_vectorised_in_avx2_and_avx512(processor: str) -> None:
    names = [name for name in elementary.__all__ if name not in ("select", "sqrt")]
    found = compiled_for(processor, *names, "ackley")
    assert list(found) == [*names, "ackley"]
    for name, code in found.items():
        loops = innermost_loops(code, TARGETS[processor])
        packed = [loop for loop in loops if loop.packed]
        assert packed, name
        assert all(loop.widest and not loop.strangers for loop in packed), name
        assert not any(loop.scalar for loop in packed), name
        if name == "ackley":
            assert len(packed) == 1, name


@needs_avx2
@pytest.mark.parametrize("name", [name for name in RULES if name != "momentum"])  # see above
def test_every_rule_is_vectorised(name: str) -> None:
    assert is_vectorised(fm.Rosenbrock(), RULES[name], checked=True)


@needs_avx2
def test_kernels_without_stop_rules_are_vectorised() -> None:
    assert is_vectorised(fm.Rosenbrock(), RULES["momentum"], checked=False)


Kept = tuple[float, ...]


def branching(
    w: float, states: Kept, g: float, lr: float, momentum: float, p: Kept, shared: Kept, t: float
) -> tuple[float, Kept]:
    """Momentum with a step that is halved until it is short: each run so many times of its own."""
    (v,) = states
    v = momentum * v - lr * g
    while v * v > 1.0:
        v = 0.5 * v
    return w + v, (v,)


def calling(
    w: float, states: Kept, g: float, lr: float, momentum: float, p: Kept, shared: Kept, t: float
) -> tuple[float, Kept]:
    """Momentum with a sine, for which there is no instruction."""
    (v,) = states
    v = momentum * v - lr * math.sin(g)
    return w + v, (v,)


@needs_avx2
@pytest.mark.parametrize("update", [branching, calling])
def test_what_cannot_be_vectorised_is_found_out(update: Update) -> None:
    assert not is_vectorised(
        fm.Rosenbrock(), Rule("broken", "", "", "", update, Form("broken")), checked=False
    )


BITS = """
import sys
import numpy as np
from numba import njit
import fastmomentum as fm
from fastmomentum import elementary
from fastmomentum.kernels import loop as kernels
x = np.linspace(0.0, 3.0, 20)
line = fm.MSE.from_arrays(x, 2 * x + np.sqrt(x))
for objective in (fm.Rosenbrock(), fm.Ackley(), line):
    for stop in (fm.Stop(bound=None), fm.Stop(targets=[1e-1, 1e-3], bound=1e6)):
        ds = fm.run(fm.Experiment(
            objective=objective, rule="momentum", steps=400, stop=stop,
            record=fm.Record(every=10),
            grid=fm.Grid(lr=np.geomspace(1e-5, 1e-1, 30), momentum=[0.0, 0.5, 0.9],
                         start=[(-1.2, 1.0), (0.5, 0.25)])))
        for name in ("status", "n_steps", "final", "final_loss", "trajectory"):
            sys.stdout.buffer.write(ds[name].values.tobytes())
x = np.random.default_rng(5).integers(0, 2**64, 2000, np.uint64).view(np.float64)
x = np.concatenate([x, np.linspace(-800.0, 800.0, 2000)])
for name in [name for name in elementary.__all__ if name != "select"]:
    function = getattr(elementary, name)
    @njit(**kernels.OPTIONS)
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])
    out = np.empty_like(x)
    loop(x, out)
    sys.stdout.buffer.write(np.where(np.isnan(out), np.nan, out).tobytes())
"""


def bits(**environment: str) -> bytes:
    """What a fresh process computes."""
    return subprocess.run(
        [sys.executable, "-c", BITS],
        cwd=Path(fm.__file__).parents[1],
        env=os.environ | environment,
        capture_output=True,
        check=True,
    ).stdout


@pytest.mark.slow
@needs_avx2
def test_an_older_machine_gives_the_same_bits() -> None:
    """Haswell's vectors have four lanes, and LLVM lays the loop out differently for them."""
    here, there = bits(), bits(NUMBA_CPU_NAME="haswell", NUMBA_CPU_FEATURES="")
    assert len(here) > 100_000
    assert here == there
