"""The specification of an experiment: reading it, checking it, and its canonical form."""

from __future__ import annotations

import functools
import hashlib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator, model_validator

from fastmomentum.axis import geometric
from fastmomentum.errors import InputError
from fastmomentum.grid import Grid, Mesh
from fastmomentum.objectives import AnyObjective
from fastmomentum.rules import RULES, Rule
from fastmomentum.specification import Specification, explain, suggest

MOST_STEPS: Final = 2**31 - 2
MOST_RUNS: Final = 2**62
LARGEST: Final = float(np.finfo(np.float64).max)

BLOCK_UPDATES: Final = 40_000_000
"""Updates a block should hold: 20 to 40 ms of one core, so that handing it out costs nothing beside
it and that a few hundred blocks balance the cores."""
BLOCK_BYTES: Final = 16 * 2**20
"""Bytes a block should hold: it is in memory once for each job."""
BLOCK_BYTES_MOST: Final = 256 * 2**20
"""Bytes a block may hold, where one run alone is larger than `BLOCK_BYTES`."""
BLOCK_RUNS: Final = (32, 65_536)
"""Runs a block should hold: at least a tile of the kernel; at most what stays in a core's cache."""


class UpdateRule(Specification):
    """The update rule, by name."""

    name: str

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return {"name": given} if isinstance(given, str) else given

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name not in RULES:
            raise ValueError(f"must be a rule: no {name!r}; {suggest(name, RULES)}")
        return name

    @property
    def rule(self) -> Rule:
        """Entry of the registry."""
        return RULES[self.name]


class Record(Specification):
    """Which steps of a trajectory are stored; 0 and the last always are, except with `steps`.

    Parameters
    ----------
    every : int, optional
        Each so-manieth step.
    log : int, optional
        About so many steps, evenly spaced in the logarithm.
    steps : tuple of int, optional
        These steps, and the last.
    dtype : {"float64", "float32"}
        As what they are stored.
    """

    every: int | None = Field(None, ge=1)
    log: int | None = Field(None, ge=2, le=1_000_000)
    steps: tuple[int, ...] | None = None
    dtype: Literal["float64", "float32"] = "float64"

    @field_validator("steps", mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        return given.tolist() if isinstance(given, np.ndarray) else given

    @model_validator(mode="after")
    def _one_kind(self) -> Record:
        kinds = [k for k in ("every", "log", "steps") if getattr(self, k) is not None]
        if len(kinds) != 1:
            got = " and ".join(kinds) or "none"
            raise ValueError(f"needs one of every, log and steps: got {got}")
        if self.steps is not None:
            if not self.steps:
                raise ValueError("steps is empty; leave [record] out to store summaries only")
            if len(set(self.steps)) < len(self.steps):
                twice = next(s for s in self.steps if self.steps.count(s) > 1)
                raise ValueError(f"steps has {twice} more than once; list each step once")
        return self

    def count(self, steps: int) -> int:
        """How many steps are stored, at most, without laying them out."""
        if self.every is not None:
            return steps // self.every + 2
        return (self.log or len(self.steps or ())) + 2

    def recorded(self, steps: int) -> NDArray[np.int64]:
        """The stored steps, ascending, for runs of so many updates."""
        if self.every is not None:
            chosen = np.arange(0, steps + 1, self.every, dtype=np.int64)
        elif self.log is not None:
            chosen = np.rint(geometric(1.0, float(steps), self.log)).astype(np.int64)
            chosen = np.append(chosen, 0)
        else:
            chosen = np.array(self.steps, dtype=np.int64)
        return np.unique(np.append(chosen, steps))


class Stop(Specification):
    """When a run ends before its last update.

    Parameters
    ----------
    targets : tuple of float
        On f - f_min, positive and decreasing; a run stops as converged at the last.
    bound : float or None
        A run stops as diverged where f > bound or f is not finite. With None (in a file: false)
        f is not looked at on the way: each run takes all its updates.
    """

    targets: tuple[float, ...] = ()
    bound: float | None = Field(1e20, allow_inf_nan=True)

    @field_validator("targets", mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        if isinstance(given, int | float) and not isinstance(given, bool):
            return (given,)
        return given.tolist() if isinstance(given, np.ndarray) else given

    @field_validator("targets")
    @classmethod
    def _decreasing(cls, targets: tuple[float, ...]) -> tuple[float, ...]:
        for entry, target in enumerate(targets):
            if target <= 0:
                raise ValueError(f"must be positive: got {target!r} (entry {entry}); drop it")
            if entry and target >= targets[entry - 1]:
                raise ValueError(
                    f"must decrease: got {target!r} after {targets[entry - 1]!r} (entry {entry}); "
                    "list the largest first"
                )
        return targets

    @field_validator("bound", mode="before")
    @classmethod
    def _false_is_none(cls, bound: Any) -> Any:
        if bound is True:
            raise ValueError("must be a number, or false for no bound: got true")
        return None if bound is False else bound

    @field_validator("bound")
    @classmethod
    def _largest(cls, bound: float | None) -> float | None:
        if bound is None:
            return None
        if not bound > -LARGEST:
            raise ValueError(f"must be a number: got {bound!r}")
        return min(bound, LARGEST)  # f > inf never holds, and f = inf is not finite anyway

    @model_validator(mode="after")
    def _targets_need_looks(self) -> Stop:
        if self.bound is None and self.targets:
            raise ValueError("targets need a bound; give one, or leave the targets out")
        return self


class Experiment(Specification):
    """A grid of runs of one rule on one objective.

    Parameters
    ----------
    objective : Objective
        What is descended.
    rule : str
        How: "sgd", "momentum" or "nesterov".
    steps : int
        Updates a run, at most.
    grid : Grid
        Learning rates, momenta and start points.
    record : Record, optional
        Which steps of the trajectories are stored; without, summaries only.
    stop : Stop, optional
        When a run ends before.
    title : str
        A line that names the experiment.

    Raises
    ------
    InputError
        With a line for each thing that is wrong.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> experiment = fm.Experiment(objective=fm.Rosenbrock(), rule="momentum", steps=5000,
    ...     grid=fm.Grid(lr=[1e-4, 1e-3], momentum=[0.0, 0.9], start=[(-5, -5)]))
    >>> experiment.grid.n_runs
    4
    """

    title: str = ""
    steps: int = Field(ge=1, le=MOST_STEPS)
    objective: AnyObjective
    rule: UpdateRule
    grid: Grid
    record: Record | None = None
    stop: Stop = Stop()

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        self._check_grid()
        self._check_stop()
        self._check_record()
        return self

    def _check_grid(self) -> None:
        grid, rule = self.grid, self.rule.rule
        if rule.uses_momentum and grid.momentum is None:
            raise ValueError(f"grid.momentum is missing; the rule {rule.name} needs it")
        if not rule.uses_momentum and grid.momenta.any():
            raise ValueError(
                f"grid.momentum: the rule {rule.name} has none: got "
                f"{float(grid.momenta.max())!r}; leave it out, or take the rule momentum"
            )
        if isinstance(grid.start, Mesh) and grid.start.names != self.objective.parameters:
            raise ValueError(
                f"grid.start: the parameters of {self.objective.name} are "
                f"{' and '.join(self.objective.parameters)}: got {' and '.join(grid.start.names)}"
            )
        if grid.n_runs > MOST_RUNS:
            raise ValueError(
                f"grid has {grid.n_runs:,} runs; no more than {MOST_RUNS:,} can be numbered"
            )

    def _check_stop(self) -> None:
        f_min, stop = self.objective.f_min, self.stop
        if not stop.targets:
            return
        if f_min is None:
            raise ValueError(
                f"stop.targets: {self.objective.name} has no smallest value; leave them out"
            )
        assert stop.bound is not None  # Stop has seen to it
        if stop.bound <= f_min + stop.targets[0]:
            raise ValueError(
                f"stop.bound must lie above the first target, {f_min + stop.targets[0]!r}: "
                f"got {stop.bound!r}"
            )

    def _check_record(self) -> None:
        if self.record is None:
            return
        for step in self.record.steps or ():
            if not 0 <= step <= self.steps:
                raise ValueError(f"record.steps must lie in 0 to {self.steps}: got {step}; drop it")
        size = self.record.count(self.steps) * 2 * np.dtype(self.record.dtype).itemsize
        if size > BLOCK_BYTES_MOST:
            raise ValueError(
                f"record: the trajectory of one run would take {size / 2**20:,.0f} MiB, and may "
                f"take {BLOCK_BYTES_MOST // 2**20} MiB; record fewer steps, such as log = 1000"
            )

    @functools.cached_property
    def recorded(self) -> NDArray[np.int64]:
        """Recorded steps, shape (n_recorded,); empty where summaries only are stored."""
        if self.record is None:
            return np.empty(0, np.int64)
        return self.record.recorded(self.steps)

    @property
    def bytes_per_run(self) -> int:
        """Bytes that one run takes in the file."""
        summary = 1 + 4 + 4 * len(self.stop.targets) + 2 * 8 + 8
        if self.record is None:
            return summary
        return summary + self.recorded.size * 2 * np.dtype(self.record.dtype).itemsize

    @property
    def block_runs(self) -> int:
        """Runs a block, from the work and the bytes of one run; the number of jobs has no say."""
        low, high = BLOCK_RUNS
        by_work = min(max(BLOCK_UPDATES // self.steps, low), high)
        by_bytes = max(BLOCK_BYTES // self.bytes_per_run, 1)
        runs = min(by_work, by_bytes)
        return runs // low * low if runs >= low else runs

    @functools.cached_property
    def canonical(self) -> str:
        """The experiment as JSON with sorted keys; reading it back gives an equal experiment."""
        plain = self.model_dump(mode="json", exclude_none=True)
        if self.stop.bound is None:
            plain["stop"]["bound"] = False
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @classmethod
    def from_canonical(cls, text: str) -> Experiment:
        """Read the canonical form back."""
        try:
            return cls.parse(json.loads(text))
        except ValueError as error:
            raise InputError(f"not the canonical form of an experiment: {error}") from None


def load(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """Read an experiment file.

    Parameters
    ----------
    path : path
        A TOML file.
    overrides : sequence of str
        Such as ``"grid.lr.num=128"``: a key and a value in TOML's notation, set over the file's.

    Returns
    -------
    Experiment
        Checked.

    Raises
    ------
    InputError
        Where the file cannot be read, is no TOML, or describes no sensible experiment.
    """
    path = Path(path)
    try:
        tree = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text (byte {error.start}); save it as such") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None
    for override in overrides:
        _override(tree, override)
    try:
        return Experiment.model_validate(tree, context={"folder": path.parent})
    except ValidationError as error:
        lines = explain(error, Experiment).splitlines()
        raise InputError("\n".join(f"{path}: {line}" for line in lines)) from None


def _override(tree: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    keys = [part.strip() for part in key.split(".")]
    if not equals or not all(keys):
        raise InputError(f"--set takes KEY=VALUE, such as grid.lr.num=128: got {override!r}")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()  # a word without quotes
    for depth, part in enumerate(keys[:-1], start=1):
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise InputError(
                f"--set {override}: {'.'.join(keys[:depth])} is no table in the file; set it whole"
            )
    tree[keys[-1]] = value
