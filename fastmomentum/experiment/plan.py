"""The specification of an experiment: checking it, and its canonical form."""

from __future__ import annotations

import functools
import hashlib
import json
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from fastmomentum.errors import InputError
from fastmomentum.experiment.blocks import Blocks
from fastmomentum.experiment.grid import Grid, Label
from fastmomentum.experiment.outcome import Outcome, outcomes
from fastmomentum.experiment.points import Mesh
from fastmomentum.experiment.recording import MOST_STEPS, Record
from fastmomentum.experiment.stopping import Stop
from fastmomentum.experiment.varying import Variants, axis_faults
from fastmomentum.objectives import OBJECTIVES, OWN_FUNCTION, AnyObjective, Objective
from fastmomentum.rules import Rule
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.specification.base import Specification, Whole
from fastmomentum.specification.messages import Fault, faults
from fastmomentum.specification.spans import html_table, span
from fastmomentum.text import shown

MOST_RUNS: Final = 2**62

BLOCK_UPDATES: Final = 40_000_000
"""Updates a block should hold: 20 to 40 ms of one core, so that handing it out costs nothing beside
it and that a few hundred blocks balance the cores."""
BLOCK_BYTES: Final = 4 * 2**20
"""Bytes a block should hold: it is in memory once for each job."""
BLOCK_BYTES_MOST: Final = 256 * 2**20
"""Bytes a block may hold, where one run alone is larger than `BLOCK_BYTES`."""
BLOCK_RUNS: Final = (160, 65_440)
"""Runs a block should hold: whole tiles of 32 and of 40 lanes; at most what stays in a core's
cache."""


class Experiment(Specification):
    """A grid of runs of one rule on one objective.

    Parameters
    ----------
    objective : Objective
        What is descended.
    rule : str or UpdateRule
        How: "sgd", "momentum", "nesterov" or another of `fastmomentum.RULES`.
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

    title: str = Field(default="", max_length=1000)
    steps: Whole = Field(ge=1, le=MOST_STEPS, examples=["steps = 5000"])
    objective: AnyObjective = Field(examples=['objective = { name = "rosenbrock" }'])
    rule: UpdateRule = Field(examples=['rule = { name = "momentum" }'])
    grid: Grid = Field(examples=["[grid] with lr, momentum and start"])
    record: Record | None = None
    stop: Stop = Stop()

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            objective: Objective | str | Mapping[str, Any],
            rule: UpdateRule | Rule | str | Mapping[str, Any],
            steps: int,
            grid: Grid | Mapping[str, Any],
            record: Record | Mapping[str, Any] | None = None,
            stop: Stop | Mapping[str, Any] = ...,
            title: str = "",
        ) -> None: ...

    @field_validator("title")
    @classmethod
    def _one_line(cls, title: str) -> str:
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in title):
            raise ValueError(f"must be one line of text: got {title[:50]!r}")
        return title

    @field_validator("objective", mode="before")
    @classmethod
    def _table(cls, given: Any) -> Any:
        if isinstance(given, type):
            name = given.__name__
            raise ValueError(f"must be an objective: got the class {name}; write {name}(...)")
        if isinstance(given, Objective) and type(given) is not OBJECTIVES.get(given.name):
            kind = type(given).__name__
            raise ValueError(f"must be one of fm.OBJECTIVES: got the class {kind}; {OWN_FUNCTION}")
        if callable(given) and not isinstance(given, Objective):
            name = getattr(given, "__name__", type(given).__name__)
            raise ValueError(f"must be an objective: got the function {name}; {OWN_FUNCTION}")
        if isinstance(given, dict) and "formula" in given:
            return {"name": "formula", **given}  # what it is needs no saying
        return {"name": given} if isinstance(given, str) else given

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        found = list(axis_faults(self.grid, self.rule, self.objective))
        if not found:
            names = [parameter.name for parameter in self.rule.settable]
            grid = self.grid.with_axes_in_order(names, list(self.objective.named_constants))
            if grid is not self.grid:  # its order is the registry's, whatever the file's was
                self.__dict__["grid"] = grid
            found += self._stop_faults()
        found = [*self._grid_faults(), *found, *self._record_faults()]
        if found:
            raise faults(found)
        # In the canonical form, keys are sorted: the objective knows which parameter is the first.
        grid = self.grid.ordered(self.objective.parameters)
        object.__setattr__(self, "grid", grid)  # frozen for everyone else
        return self

    def _grid_faults(self) -> Iterator[Fault]:
        grid, rule = self.grid, self.rule.rule
        if rule.uses_momentum and grid.momentum is None:
            yield (
                "grid.momentum",
                f"is missing; the rule {rule.name} needs it, such as momentum = 0.9",
            )
        if not rule.uses_momentum and grid.momenta.any():
            got = shown(grid.momenta[grid.momenta > 0][0].item())
            yield (
                "grid.momentum",
                f"must be left out, for the rule {rule.name} has none: got {got}; "
                "drop it, or take the rule momentum",
            )
        if not rule.uses_momentum and any(axis.any() for axis in grid.velocity_axes):
            yield (
                "grid.velocity",
                f"must be left out, for the rule {rule.name} has none; "
                "drop it, or take the rule momentum",
            )
        for key, mesh in (("grid.start", grid.start), ("grid.velocity", grid.velocity)):
            if isinstance(mesh, Mesh) and set(mesh.names) != {*self.objective.parameters}:
                yield (
                    key,
                    f"needs the axes {' and '.join(self.objective.parameters)}, which are the "
                    f"parameters of {self.objective.words}: got {' and '.join(mesh.names)}; "
                    "rename them",
                )
        if grid.n_runs > MOST_RUNS:
            yield (
                "grid",
                f"has {shown(grid.n_runs)} runs, and may have {MOST_RUNS:.1e} at most; "
                "make an axis shorter",
            )

    def _stop_faults(self) -> Iterator[Fault]:
        stop = self.stop
        if not stop.targets and (stop.bound is None or self.objective.searches_minimisers):
            return
        f_min = self.variants.f_min
        without = np.flatnonzero(np.isnan(f_min))
        if without.size and stop.targets:
            name, constants = self.objective.name, self.variants[int(without[0])].named_constants
            at = ", ".join(f"{name} = {constants[name]:g}" for name in self.grid.objective or {})
            where = f" where {at}" if at else ""
            none = self.variants[int(without[0])].no_minimum
            said = none if not where else f"{name} has no smallest value{where}; drop them"
            yield "stop.targets", f"must be left out, for {said}"
        if without.size == f_min.size or stop.bound is None:
            return
        least = float(np.nanmax(f_min)) + max(stop.targets, default=0.0)
        if stop.bound <= least:
            what = "the first target" if stop.targets else f"the minimum of {self.objective.words}"
            yield (
                "stop.bound",
                f"must lie above {what}, where f = {least!r}: got {stop.bound!r}; raise it",
            )

    def _record_faults(self) -> Iterator[Fault]:
        if self.record is None:
            return
        for entry, step in enumerate(self.record.steps or ()):
            if not 0 <= step <= self.steps:
                yield (
                    "record.steps",
                    f"must lie in 0 to {self.steps}, the updates of a run: got {shown(step)} "
                    f"(entry {entry}); drop it",
                )
                break
        size = self.record.count(self.steps) * 2 * np.dtype(self.record.dtype).itemsize
        if size > BLOCK_BYTES_MOST:
            yield (
                "record",
                f"makes the trajectory of one run {size / 2**20:,.0f} MiB large, and it may be "
                f"{BLOCK_BYTES_MOST // 2**20} MiB at most; record fewer steps, such as log = 1000",
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
        return sum(one.n_bytes for one in self.outcomes)

    @functools.cached_property
    def outcomes(self) -> list[Outcome]:
        """What each run leaves; see `outcomes`."""
        return outcomes(
            len(self.stop.targets),
            self.record,
            self.recorded.size,
            restarts=self.rule.restart is not None,
        )

    @functools.cached_property
    def labels(self) -> list[Label]:
        """The numbers that say which run is which; see `Grid.labels`."""
        return self.grid.labels(self.objective.parameters)

    def with_grid(self, grid: Grid, record: Record | None = None) -> Experiment:
        """The same experiment over another grid: all else that it says stays.

        Parameters
        ----------
        grid : Grid
            The runs.
        record : Record, optional
            Which of their steps are stored; summaries only where left out.

        Returns
        -------
        Experiment
            Checked anew.

        Examples
        --------
        >>> import fastmomentum as fm
        >>> one = fm.Experiment(objective="booth", rule="sgd", steps=10, title="a bowl",
        ...     grid=fm.Grid(lr=0.01, start=[(1, 1)]))
        >>> other = one.with_grid(fm.Grid(lr=[0.01, 0.02], start=[(1, 1)]))
        >>> other.title, other.grid.n_runs
        ('a bowl', 2)
        """
        return self.model_copy(update={"grid": grid, "record": record})

    @functools.cached_property
    def variants(self) -> Variants:
        """The objectives of the grid: one for each combination of constants that are axes."""
        return Variants(self.objective, self.grid.objective or {})

    def by_objective(
        self, runs: NDArray[np.int64]
    ) -> Iterator[tuple[Objective, NDArray[np.bool_]]]:
        """The objectives of some runs.

        Parameters
        ----------
        runs : ndarray of int, shape (n,)
            Numbers of the runs.

        Yields
        ------
        (Objective, ndarray of bool, shape (n,))
            Each that there is, and which of the runs are on it.
        """
        number = self.grid.variants_of(runs)
        for k in np.unique(number).tolist():
            yield self.variants[k], number == k

    @functools.cached_property
    def levels(self) -> NDArray[np.float64]:
        """Largest f that meets each target, shape (n_variants, n_targets); one row for none."""
        if not self.stop.targets:
            return np.empty((1, 0))
        return np.stack([self.stop.levels(f_min) for f_min in self.variants.f_min.tolist()])

    @property
    def block_runs(self) -> int:
        """Runs a block, from the work and the bytes of one run; the number of jobs has no say."""
        low, high = BLOCK_RUNS
        by_work = min(max(BLOCK_UPDATES // self.steps, low), high)
        by_bytes = max(BLOCK_BYTES // self.bytes_per_run, 1)
        runs = min(by_work, by_bytes)
        return runs // low * low if runs >= low else runs

    def blocks(self, block_runs: int | None = None) -> Blocks:
        """Cut the runs into blocks.

        Parameters
        ----------
        block_runs : int, optional
            Runs a block, instead of `block_runs`.
        """
        runs = self.grid.n_runs
        return Blocks(runs, min(block_runs or self.block_runs, runs))

    @functools.cached_property
    def canonical(self) -> str:
        """The experiment as JSON with sorted keys; reading it back gives an equal experiment."""
        plain = self.model_dump(mode="json", exclude_none=True)
        if self.stop.bound is None:
            plain["stop"]["bound"] = False
        for name in self.grid.objective or {}:  # an axis has no value besides
            plain["objective"].pop(name, None)
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)

    @functools.cached_property
    def plan(self) -> dict[str, Any]:
        """What decides the runs, by dotted keys: without title, label and found minimisers.

        Another search may find the same minimisers with other last bits.
        """
        tree = json.loads(self.canonical)
        objective = tree["objective"]
        for one, key in ((tree, "title"), (objective, "label")):
            one.pop(key, None)
        if objective.pop("found", False):
            del objective["minimisers"]
        return dict(_leaves(tree))

    @functools.cached_property
    def sha256(self) -> str:
        """SHA-256 of the canonical form, in hexadecimal digits."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @property
    def summary(self) -> dict[str, str]:
        """The experiment in a few words a line, for people: what is descended, how, and where.

        Examples
        --------
        >>> import fastmomentum as fm
        >>> experiment = fm.Experiment(objective=fm.Rosenbrock(b=20), rule="sgd", steps=10,
        ...     grid=fm.Grid(lr=fm.Axis(linspace=(0.1, 0.2), num=101), start=[(1, 1)]))
        >>> experiment.summary["objective"], experiment.summary["runs"]
        ('rosenbrock, b = 20', '101 = 101 lr x 1 start')
        >>> experiment.summary["lr"]
        '101 from 0.1 to 0.2, evenly spaced'
        """
        rows = {"title": self.title} if self.title else {}
        rows["objective"] = ", ".join([self.objective.name, *self._settings()])
        rows["rule"] = self.rule.words
        rows |= self.grid.summary
        rows["updates"] = f"{self.steps:,} a run at most"
        if self.stop.targets:
            rows["targets"] = span(self.stop.targets)
        if self.recorded.size:
            rows["trajectories"] = f"{self.recorded.size:,} steps of each run"
        return rows

    def _settings(self) -> Iterator[str]:
        """Numbers of the objective that are not its usual ones."""
        for name, value in self.objective.__repr_args__():
            if isinstance(value, bool):
                yield f"{name} = {str(value).lower()}"
            elif isinstance(value, int | float):
                yield f"{name} = {value:.6g}"

    def _repr_html_(self) -> str:
        """For notebooks: a small table."""
        return html_table("fastmomentum.Experiment", self.summary)

    @classmethod
    def from_canonical(cls, text: str) -> Experiment:
        """Read the canonical form back."""
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"not the canonical form of an experiment: {error}") from None
        objective = tree.get("objective") if isinstance(tree, dict) else None
        if isinstance(objective, dict) and "data" in objective and "statistics" not in objective:
            raise InputError("objective.statistics is missing; data are not read again")
        return cls.parse(tree)

    def difference(self, other: Experiment) -> str:
        """The first key in which another experiment differs.

        Parameters
        ----------
        other : Experiment
            To compare with.

        Returns
        -------
        str
            The key, its value here and its value there; empty where there is none.

        Examples
        --------
        >>> import fastmomentum as fm
        >>> one = fm.Experiment(objective="booth", rule="sgd", steps=10,
        ...     grid=fm.Grid(lr=0.01, start=[(1, 1)]))
        >>> one.difference(one.model_copy(update={"steps": 20}))
        'steps is 10 and not 20'
        """
        here, there = self.plan, other.plan
        if here == there:
            here, there = (dict(_leaves(json.loads(e.canonical))) for e in (self, other))
        differing = [key for key in [*here, *there] if here.get(key) != there.get(key)]
        if not differing:
            return ""
        key = min(differing, key=lambda key: not key.endswith("name"))  # a name tells most
        if key.startswith("objective.statistics"):
            return "data are others"
        old, new = (shown(leaves[key]) if key in leaves else "left out" for leaves in (here, there))
        return f"{key.removesuffix('.values')} is {old} and not {new}"


def _leaves(tree: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted keys and values of a tree."""
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{key}.")
        else:
            yield above + key, value
