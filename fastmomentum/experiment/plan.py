"""The specification of an experiment: what is run, checked as a whole."""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, field_validator, model_validator

from fastmomentum.experiment.blocks import Blocks, runs_of_block
from fastmomentum.experiment.canonical import CanonicalForm
from fastmomentum.experiment.describing import summary_of
from fastmomentum.experiment.faults import grid_faults, record_faults, stop_faults
from fastmomentum.experiment.grid import Grid
from fastmomentum.experiment.labels import Label, labels_of_grid
from fastmomentum.experiment.named_axes import NAMED, axis_faults
from fastmomentum.experiment.narrowing import with_axes_in_order, with_meshes_in_order
from fastmomentum.experiment.outcome import Outcome, outcomes
from fastmomentum.experiment.randomness import Batch, BatchLike, Noise, NoiseLike, random_faults
from fastmomentum.experiment.recording import MOST_STEPS, Record
from fastmomentum.experiment.scheduling import schedule_faults
from fastmomentum.experiment.stopping import Stop
from fastmomentum.experiment.varying import Variants, variants_of
from fastmomentum.objectives import AnyObjective, Objective
from fastmomentum.rules import Rule
from fastmomentum.rules.base import Form
from fastmomentum.rules.choice import UpdateRule
from fastmomentum.schedules import Schedule
from fastmomentum.specification.base import Whole
from fastmomentum.specification.messages import faults
from fastmomentum.specification.spans import html_table, span


class Experiment(CanonicalForm):
    """A grid of runs of one rule on one objective.

    Parameters
    ----------
    objective : Objective
        The function to minimise.
    rule : str or UpdateRule
        The update rule: "sgd", "momentum", "nesterov" or another of `fastmomentum.RULES`.
    steps : int
        Updates per run, at most.
    grid : Grid
        Learning rates, momenta and start points.
    record : Record, optional
        Which steps of the trajectories are stored; without, only summaries.
    stop : Stop, optional
        When a run ends early.
    noise : Noise or mapping, optional
        Noise on gradients, such as ``{"gaussian": 0.1}``. The loss, which decides when a run stops
        and which is stored, has no noise.
    batch : Batch or mapping, optional
        For mse: the batches of rows for gradients, such as ``{"size": 32}``.
    schedule : Schedule, optional
        What changes from update to update, for all runs alike.
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
    noise: Noise | None = None
    batch: Batch | None = None
    schedule: Schedule | None = None

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
            noise: NoiseLike | None = None,
            batch: BatchLike | None = None,
            schedule: Schedule | Mapping[str, Any] | None = None,
            title: str = "",
        ) -> None: ...

    @field_validator("title")
    @classmethod
    def _one_line(cls, title: str) -> str:
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in title):
            raise ValueError(f"must be one line of text: got {title[:50]!r}")
        return title

    @model_validator(mode="after")
    def _consistent(self) -> Experiment:
        found = list(axis_faults(self.grid.named, self.parts))
        if not found:
            grid = with_axes_in_order(self.grid, self.parts)
            if grid is not self.grid:  # the registry's order, whatever the file's is
                self.__dict__["grid"] = grid
            varying = list(self.grid.objective or {})
            found += stop_faults(self.stop, self.objective, self.variants, varying)
        found += random_faults(self.grid, self.objective, self.noise, self.batch)
        found = [
            *grid_faults(self.grid, self.rule.rule, self.objective, self.schedule),
            *schedule_faults(self.schedule, self.rule, self.grid),
            *found,
            *record_faults(self.record, self.steps),
        ]
        if found:
            raise faults(found)
        # The canonical form sorts keys, so the order of parameters comes from the objective.
        grid = with_meshes_in_order(self.grid, self.objective.parameters)
        object.__setattr__(self, "grid", grid)  # frozen for everyone else
        return self

    @property
    def parts(self) -> dict[str, Any]:
        """The parts whose numbers may be axes; see `named_axes.NAMED`."""
        return {kind: getattr(self, kind) for kind in NAMED}

    @property
    def has_momentum_schedule(self) -> bool:
        """Whether the momentum comes from a schedule, and not from the grid."""
        return self.schedule is not None and self.schedule.momentum is not None

    @property
    def form(self) -> Form | None:
        """The rule's form in theory; None where there is no theory, as with a schedule."""
        return None if self.schedule is not None else self.rule.form

    @functools.cached_property
    def recorded(self) -> NDArray[np.int64]:
        """Recorded steps, shape (n_recorded,); empty where only summaries are stored."""
        if self.record is None:
            return np.empty(0, np.int64)
        return self.record.recorded(self.steps)

    @property
    def bytes_per_run(self) -> int:
        """Bytes that one run takes in the file."""
        return sum(one.n_bytes for one in self.outcomes)

    @functools.cached_property
    def outcomes(self) -> list[Outcome]:
        """Results of each run; see `outcomes`."""
        return outcomes(
            len(self.stop.targets),
            self.record,
            self.recorded.size,
            restarts=self.rule.restart is not None,
        )

    @functools.cached_property
    def labels(self) -> list[Label]:
        """The numbers that identify a run; see `labels_of_grid`."""
        return labels_of_grid(self.grid, self.objective.parameters)

    def with_grid(self, grid: Grid, record: Record | None = None) -> Experiment:
        """The same experiment over another grid; everything else is kept.

        Parameters
        ----------
        grid : Grid
            The runs.
        record : Record, optional
            Which of their steps are stored; by default only summaries.

        Returns
        -------
        Experiment
            A new, checked one.

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

    def with_observations(self, x: ArrayLike, y: ArrayLike) -> Experiment:
        """The same experiment with the data of its objective, which batches are drawn from.

        Parameters
        ----------
        x, y : array_like, shape (n,)
            As stored in a results file.

        Returns
        -------
        Experiment
            Of the same plan.

        Raises
        ------
        InputError
            They are not the data of the plan.
        """
        return self.model_copy(update={"objective": self.objective.with_observations(x, y)})

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
            Each objective that occurs, and which of the runs use it.
        """
        number = variants_of(self.grid, runs)
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
        """Runs per block, from the work and the bytes of a run, whatever the number of workers."""
        return runs_of_block(self.steps, self.bytes_per_run)

    def blocks(self, block_runs: int | None = None) -> Blocks:
        """Cut the runs into blocks.

        Parameters
        ----------
        block_runs : int, optional
            Runs per block, instead of the property `block_runs`.
        """
        runs = self.grid.n_runs
        return Blocks(runs, min(block_runs or self.block_runs, runs))

    def _tree(self) -> dict[str, Any]:
        plain = super()._tree()
        if self.stop.bound is None:
            plain["stop"]["bound"] = False
        if self.schedule is not None:
            plain["schedule"] = self.schedule.plain()
        for kind, axes in self.grid.named.items():
            for name in axes:  # an axis has no single value
                plain[kind].pop(name, None)
        return plain

    @property
    def summary(self) -> dict[str, str]:
        """The experiment for people, in a few words per line: objective, rule and grid.

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
        rows["objective"] = self.objective.words
        rows["rule"] = self.rule.words
        if self.schedule is not None:
            rows["schedule"] = self.schedule.words
        rows |= summary_of(self.grid)
        rows |= self.random_words
        rows["updates"] = f"{self.steps:,} a run at most"
        if self.stop.targets:
            rows["targets"] = span(self.stop.targets)
        if self.recorded.size:
            rows["trajectories"] = f"{self.recorded.size:,} steps of each run"
        return rows

    @property
    def random_words(self) -> dict[str, str]:
        """What is random, in a few words: noise, batches."""
        parts = {"noise": self.noise, "batch": self.batch}
        return {name: part.words for name, part in parts.items() if part is not None}

    def _repr_html_(self) -> str:
        """For notebooks: a small table."""
        return html_table("fastmomentum.Experiment", self.summary)
