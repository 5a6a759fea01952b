"""Rows about arithmetic: the kernel against the hardware, against itself, against its peers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import fastmomentum as fm
from benchmarks import peers
from benchmarks.measuring import (
    Row,
    Samples,
    Setting,
    by_turns,
    flags,
    in_memory,
    median,
    seconds,
    spread,
    valley,
    whole_grid,
)

POINTS = 512
"""Learning rates, and momenta, of the phase diagram."""

PEAK = Path(__file__).parents[1] / "peak.c"
ROOTS = PEAK.with_name("roots.c")


def compiled_peak(folder: str, *options: str) -> Callable[[], float]:
    """Compile peak.c; what comes gives the rate of its best N: 10^6 updates a second."""
    program = str(Path(folder) / "peak")
    command = ["cc", "-O3", *(options or ("-march=native",)), "-ffp-contract=off"]
    subprocess.run([*command, str(PEAK), "-o", program], check=True)

    def lines(*words: str) -> list[list[str]]:
        said = subprocess.run([program, *words], capture_output=True, text=True, check=True)
        return [line.split() for line in said.stdout.splitlines()]

    best = max(lines() + lines(), key=lambda line: float(line[2]))[1]
    return lambda: float(lines(best)[0][2])


def compiled_roots(folder: str) -> Callable[[], float]:
    """Compile roots.c; what comes gives its rate: 10^6 updates a second."""
    program = str(Path(folder) / "roots")
    options = ("-O3", "-march=native", "-ffp-contract=off", "-fno-math-errno")
    subprocess.run(["cc", *options, str(ROOTS), "-o", program, "-lm"], check=True)

    def rate() -> float:
        said = subprocess.run([program], capture_output=True, text=True, check=True)
        return float(said.stdout)

    return rate


def peak(setting: Setting) -> Row:
    """One core against the same update written by hand in C."""
    kernel = whole_grid(valley(4000, 100_000))
    with tempfile.TemporaryDirectory() as folder:
        hand = compiled_peak(folder)
        samples = by_turns({"kernel": kernel, "peak.c": hand}, setting.repeats)
    ratio, figure = _ratio(samples, "kernel", "peak.c")
    what = "updates on one core, against `peak.c`, the same by hand in C"
    return Row("peak", what, "0.95 x", figure, ratio >= 0.95, samples)


def jobs(setting: Setting) -> Row:
    """Two jobs against one."""
    experiment = valley(40_000, 4_000 if setting.quick else 250_000)
    contenders = {"two jobs": in_memory(experiment, 2), "one job": in_memory(experiment, 1)}
    samples = by_turns(contenders, setting.repeats)
    ratio, figure = _ratio(samples, "two jobs", "one job")
    return Row("jobs", "two jobs against one", "1.9 x", figure, ratio >= 1.9, samples)


def jax(setting: Setting) -> Row:
    """Fixed-length runs against JAX."""
    what = "against JAX, `vmap` + `fori_loop`, at its best batch size"
    if not peers.has_jax():
        return Row("jax", what, "6 x", "not measured: JAX is not installed")
    sizes = [2**k for k in ((10, 13) if setting.quick else range(8, 19, 2))]
    best, tried = _best({size: peers.jax_fixed(size) for size in sizes})
    contenders = {"fastmomentum": _ours(setting), f"JAX, batches of {best}": peers.jax_fixed(best)}
    samples = by_turns(contenders, setting.repeats)
    ratio, figure = _ratio(samples, *samples)
    return Row("jax", what, "6 x", figure, ratio >= 6, samples, {"10^6 updates/s by size": tried})


def numpy(setting: Setting) -> Row:
    """Fixed-length runs against NumPy over a batch."""
    sizes = [2**k for k in ((10, 12) if setting.quick else range(8, 17))]
    best, tried = _best({size: peers.numpy_batch(size) for size in sizes})
    contenders = {
        "fastmomentum": _ours(setting),
        f"NumPy, batches of {best}": peers.numpy_batch(best),
    }
    samples = by_turns(contenders, setting.repeats)
    ratio, figure = _ratio(samples, *samples)
    what = "against NumPy over a batch at its best size, in place"
    notes = {"10^6 updates/s by size": tried}
    return Row("numpy", what, "20 x", figure, ratio >= 20, samples, notes)


def loop(setting: Setting) -> Row:
    """Fixed-length runs against the loop over `Momentum.update`, one run at a time."""
    contenders = {"fastmomentum": _ours(setting), "the loop": peers.founding_loop()}
    samples = by_turns(contenders, setting.repeats)
    ratio = median(samples["fastmomentum"]) / median(samples["the loop"])
    figure = f"{ratio:,.0f} x ({_rates(samples)} M updates/s)"
    what = "against the founding document's loop: NumPy, one run at a time"
    return Row("loop", what, "4,000 x", figure, ratio >= 4000, samples)


def phase(setting: Setting) -> Row:
    """The phase diagram with stop rules against JAX."""
    what = "phase diagram, 512 x 512 x 5,000, against JAX, `lax.map` over vmapped `while_loop`"
    points = 96 if setting.quick else POINTS
    experiment = diagram(points)
    fm.run(experiment)
    contenders: dict[str, Callable[[], float]] = {
        "fastmomentum": lambda: seconds(lambda: fm.run(experiment))
    }
    if not peers.has_jax():
        samples = by_turns(contenders, setting.repeats)
        figure = f"{median(samples['fastmomentum']):.2f} s; JAX is not installed"
        return Row("phase", what, "12 x", figure, None, samples)
    sizes = (1024,) if setting.quick else (64, 256, 1024, 4096)
    at = {size: peers.jax_diagram(experiment, size) for size in sizes}
    best, tried = _best({size: _inverse(call) for size, call in at.items()})
    contenders[f"JAX, batches of {best}"] = at[best]
    samples = by_turns(contenders, 2 if setting.quick else 3)
    ours, theirs = (median(times) for times in samples.values())
    figure = f"{theirs / ours:.1f} x ({ours:.2f} against {theirs:.2f} s)"
    notes = {"seconds by size": {size: 1 / rate for size, rate in tried.items()}}
    return Row("phase", what, "12 x", figure, theirs / ours >= 12, samples, notes)


def diagram(
    points: int, lr: tuple[float, float] = (1e-5, 1e-2), **changes: object
) -> fm.Experiment:
    """Points x points cells of Rosenbrock, 5,000 updates at most."""
    fields: dict[str, object] = {
        "objective": fm.Rosenbrock(),
        "rule": "momentum",
        "steps": 5000,
        "grid": fm.Grid(
            lr={"logspace": list(lr), "num": points},
            momentum={"linspace": [0.0, 0.999], "num": points},
            start=[(-1.2, 1.0)],
        ),
        "stop": fm.Stop(targets=[1e-8], bound=1e6),
    }
    return fm.Experiment(**(fields | changes))


def early(setting: Setting) -> Row:
    """The phase diagram, shifted so that half of it ends early, with and without stop rules."""
    points = 128 if setting.quick else POINTS
    asking = diagram(points, lr=(1e-5, 1.0))
    plain = diagram(points, lr=(1e-5, 1.0), stop=fm.Stop(bound=None))
    ended = float((fm.run(asking).status != fm.Status.MAX_STEPS).mean())
    fm.run(plain)
    contenders: dict[str, Callable[[], float]] = {
        "with stop rules": lambda: seconds(lambda: fm.run(asking, n_jobs=2)),
        "without": lambda: seconds(lambda: fm.run(plain, n_jobs=2)),
    }
    samples = by_turns(contenders, setting.repeats)
    ours, theirs = (median(times) for times in samples.values())
    figure = f"{theirs / ours:.2f} x ({ours:.3f} against {theirs:.3f} s; {ended:.0%} end early)"
    what = "phase diagram where half the cells end early: with stop rules against without"
    return Row("early", what, "faster", figure, ours < theirs, samples, {"ended early": ended})


def mse(setting: Setting) -> Row:
    """A line through few points and through many."""
    rng = np.random.default_rng(0)
    contenders = {}
    for points in (50, 500_000 if setting.quick else 5_000_000):
        x = rng.uniform(-1, 1, points)
        line = fm.MSE.from_arrays(x, 2 * x + 1 + rng.normal(size=points))
        contenders[f"{points:,} points"] = whole_grid(valley(4000, 20_000, objective=line))
    samples = by_turns(contenders, setting.repeats)
    few, many = (median(rates) for rates in samples.values())
    figure = f"{many / few:.2f} x ({_rates(samples)} M updates/s, one core)"
    what = f"mse update at {' and '.join(contenders)}"
    return Row("mse", what, "same", figure, abs(many / few - 1) < 0.05, samples)


def avx2(setting: Setting) -> Row:
    """The same kernels on an older machine's instructions, each in its own process."""
    what = "one core with AVX2 only, against `peak.c` with AVX2 only; bits as with all vectors"
    if "avx2" not in flags():
        return Row("avx2", what, "same bits", "not measured: this machine has no AVX2")
    steps = 2_000 if setting.quick else 20_000
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from benchmarks.measuring import valley, whole_grid\n"
        "rate = whole_grid(valley(4000, int(sys.argv[2])))\n"
        "print(max(rate() for _ in range(3)))"
    )
    older = os.environ | {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
    words = [sys.executable, "-c", code, str(Path(__file__).parents[1]), str(steps)]

    def kernel() -> float:
        said = subprocess.run(words, env=older, capture_output=True, text=True, check=True)
        return float(said.stdout)

    kernel()
    with tempfile.TemporaryDirectory() as folder:
        hand = compiled_peak(folder, "-march=haswell", "-mno-fma")
        samples = by_turns({"kernel": kernel, "peak.c": hand}, 2 if setting.quick else 5)
    _, figure = _ratio(samples, "kernel", "peak.c")
    return Row("avx2", what, "", figure + "; a test compares the bits", None, samples)


def objectives(setting: Setting) -> Iterator[tuple[str, float, float]]:
    """One core's rate for every objective, without and with stop rules."""
    for name, objective in fm.OBJECTIVES.items():
        x = np.linspace(-1, 1, 50)
        made = fm.MSE.from_arrays(x, 2 * x + 1) if name == "mse" else objective.example()
        steps = 200 if setting.quick else 4000
        rates = []
        for bound in (None, 1e300):
            rate = whole_grid(valley(4000, steps, objective=made, stop=fm.Stop(bound=bound)))
            rates.append(median([rate() for _ in range(3)]))
        yield name, rates[0], rates[1]


def rules(setting: Setting) -> dict[str, dict[str, list[float]]]:
    """One core's rates of every rule on Rosenbrock, by turns: without and with stop rules.

    Learning rates are such that no run ends early, whatever the rule. A quick check takes two.
    Beside them, by hand in C, a quotient and a root for each coordinate and nothing else: the least
    that Adam can take.
    """
    names = ("momentum", "adam") if setting.quick else tuple(fm.RULES)
    steps = 200 if setting.quick else 4000
    contenders = {}
    for name in names:
        momentum = 0.9 if fm.RULES[name].uses_momentum else None
        lr = {"logspace": [1e-6, 1e-4], "num": 4000}
        for kind, bound in (("plain", None), ("asking", 1e300)):
            experiment = valley(
                4000, steps, rule=name, stop=fm.Stop(bound=bound),
                grid=fm.Grid(lr=lr, momentum=momentum, start=[(-1.2, 1.0)]),
            )  # fmt: skip
            contenders[f"{name} {kind}"] = whole_grid(experiment)
    with tempfile.TemporaryDirectory() as folder:
        samples = by_turns(contenders | {"roots.c": compiled_roots(folder)}, setting.repeats)
    found = {
        name: {kind: samples[f"{name} {kind}"] for kind in ("plain", "asking")} for name in names
    }
    return found | {"roots.c": {"plain": samples["roots.c"]}}


def _ours(setting: Setting) -> Callable[[], float]:
    return in_memory(valley(40_000, 4_000 if setting.quick else 100_000), -1)


def _best(contenders: dict[int, Callable[[], float]]) -> tuple[int, dict[int, float]]:
    """The size with the highest rate, and all of them; the first call of each compiles."""
    tried = {}
    for size, rate in contenders.items():
        rate()
        tried[size] = rate()
    return max(tried, key=lambda size: tried[size]), tried


def _inverse(call: Callable[[], float]) -> Callable[[], float]:
    return lambda: 1 / call()


def _rates(samples: Samples) -> str:
    return " against ".join(
        f"{median(rates):,.{0 if median(rates) >= 10 else 2}f} {spread(rates)}"
        for rates in samples.values()
    )


def _ratio(samples: Samples, ours: str, theirs: str) -> tuple[float, str]:
    ratio = median(samples[ours]) / median(samples[theirs])
    pair = {name: samples[name] for name in (ours, theirs)}
    return ratio, f"{ratio:.{2 if ratio < 10 else 1}f} x ({_rates(pair)} M updates/s)"


ROWS: dict[str, Callable[[Setting], Row]] = {
    row.__name__: row for row in (peak, jobs, jax, numpy, loop, phase, early, mse, avx2)
}
