"""Results as tables, some rows at a time: one row per run, or per step of some runs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum.experiment.blocks import Box, cut
from fastmomentum.results.chosen import by_objective
from fastmomentum.results.dataset import experiment_of
from fastmomentum.results.selection import labels_of
from fastmomentum.status import Status
from fastmomentum.store.whole_file import replacing

ROWS_AT_ONCE: Final = 2**17
"""Rows in memory at a time."""

Columns = dict[str, NDArray[Any]]


class Table(Protocol):
    """Rows under named columns."""

    @property
    def rows(self) -> int:
        """Rows read so far."""

    def __iter__(self) -> Iterator[Columns]:
        """Columns, some rows at a time; the status as a number, see `Status`."""


class Summaries:
    """A row for each run: its settings and its results.

    Parameters
    ----------
    ds : xarray.Dataset
        Results, or a selection of them.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective="booth", rule="sgd", steps=10,
    ...     grid=fm.Grid(lr=[0.01, 0.02], start=[(1, 1)])))
    >>> [columns["lr"].tolist() for columns in Summaries(ds)]
    [[0.01, 0.02]]
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds, self.rows = ds, 0

    def __iter__(self) -> Iterator[Columns]:
        """Columns, some rows at a time."""
        ds, self.rows = self._ds, 0
        two = experiment_of(ds).objective.parameters
        for box in cut(ds.status.shape, ROWS_AT_ONCE):
            part = _part(ds, box)
            columns = _labels(ds, box)
            n = math.prod(part.status.shape)
            for name in ("status", "n_steps", "n_restarts"):
                if name in part:
                    columns[name] = part[name].values.ravel()
            if "hit_step" in part:
                hits = part.hit_step.transpose(..., "target").values.reshape(n, -1)
                for target, hit in zip(ds.target.values.tolist(), hits.T, strict=True):
                    columns[f"hit_step_{target!r}"] = hit
            if "final" in part:
                final = part.final.transpose(..., "parameter").values.reshape(n, 2)
                columns |= {f"final_{name}": final[:, k] for k, name in enumerate(two)}
            if "final_loss" in part:
                columns["final_loss"] = part.final_loss.values.ravel()
            self.rows += n
            yield columns


class Steps:
    """A row for each recorded step of each run, up to its end, with the loss.

    Parameters
    ----------
    ds : xarray.Dataset
        Results with trajectories, or a selection of them.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective="booth", rule="sgd", steps=2,
    ...     grid=fm.Grid(lr=[0.01, 0.02], start=[(1, 1)]), record=fm.Record(every=1)))
    >>> [columns["step"].tolist() for columns in Steps(ds)]
    [[0, 1, 2, 0, 1, 2]]
    """

    def __init__(self, ds: xr.Dataset) -> None:
        self._ds, self.rows = ds, 0

    def __iter__(self) -> Iterator[Columns]:
        """Columns, some rows at a time."""
        ds, self.rows = self._ds, 0
        two = experiment_of(ds).objective.parameters
        steps = ds.step.values
        for box in cut(ds.status.shape, max(1, ROWS_AT_ONCE // max(1, steps.size))):
            part = _part(ds, box)
            n = math.prod(part.status.shape)
            path = part.trajectory.transpose(*ds.status.dims, "step", "parameter").values
            path = path.reshape(n, steps.size, 2).astype(np.float64)
            losses = np.empty((n, steps.size))
            number = np.arange(n).reshape(part.status.shape)
            for at, objective in by_objective(part):
                those = number[tuple(at.get(dim, slice(None)) for dim in part.status.dims)].ravel()
                losses[those] = objective.value(*np.moveaxis(path[those], -1, 0))
            ran = steps <= part.n_steps.values.reshape(n, 1)
            columns = {
                name: np.repeat(values, ran.sum(axis=1))
                for name, values in _labels(ds, box, varying=True).items()
            }
            columns["step"] = np.broadcast_to(steps, ran.shape)[ran]
            columns |= {name: path[..., k][ran] for k, name in enumerate(two)}
            columns["loss"] = losses[ran]
            self.rows += int(ran.sum())
            yield columns


def _part(ds: xr.Dataset, box: Box) -> xr.Dataset:
    dims = dict(zip(ds.status.dims, box, strict=True))
    keep = [str(name) for name in ds.data_vars if set(dims) <= set(ds[name].dims)]
    return ds[keep].isel(dims)


def _labels(ds: xr.Dataset, box: Box, varying: bool = False) -> Columns:
    """Settings of the runs of a box; if wanted, only those that differ between runs."""
    plan, shape = experiment_of(ds), tuple(part.stop - part.start for part in box)
    names: list[str] = []
    for label in plan.labels:
        if label.name == "momentum" and plan.grid.momentum is None:
            continue
        if label.axis not in names and label.axis != label.name:
            names.append(label.axis)  # listed points: their number
        names.append(label.name)
    assert set(labels_of(ds)) <= {*names, "momentum"}
    found: Columns = {}
    for name in names:
        values = ds[name]
        if varying and not values.ndim:
            continue
        if values.ndim:
            axis = ds.status.dims.index(values.dims[0])
            part = values.values[box[axis]]
            spread = [-1 if k == axis else 1 for k in range(len(shape))]
            found[name] = np.broadcast_to(part.reshape(spread), shape).ravel()
        else:
            found[name] = np.broadcast_to(values.values, shape).ravel()
    return found


def write_csv(table: Table, path: Path) -> None:
    """Write a table as CSV: a line of names, then numbers with all their digits.

    Parameters
    ----------
    table : Table
        Is read once.
    path : Path
        The file; it is written whole or not at all.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        head = None
        for columns in table:
            if head is None:
                head = ",".join(columns)
                file.write(head + "\n")
            texts = [_texts(name, values) for name, values in columns.items()]
            if len(texts[0]):
                file.write("\n".join(map(",".join, zip(*texts, strict=True))))
                file.write("\n")


def _texts(name: str, values: NDArray[Any]) -> Sequence[str]:
    """Numbers as text; each value of an axis is converted only once."""
    if name == "status":
        words = [status.words for status in Status]
        return [words[code] for code in values.tolist()]
    if values.dtype.kind == "f" and values.size > 1000:
        bits = values.astype(np.float64).view(np.int64)
        if np.unique(bits[:: max(1, bits.size // 500)]).size < 250:  # few values, probably
            distinct, place = np.unique(bits, return_inverse=True)
            if distinct.size < bits.size // 4:
                written = np.array([*map(repr, distinct.view(np.float64).tolist())], dtype=object)
                texts: list[str] = written[place].tolist()
                return texts
    if values.dtype.kind in "iu" and values.size:
        low, high = int(values.min()), int(values.max())
        if high - low < values.size:  # steps: each number is converted only once
            known = np.array([*map(str, range(low, high + 1))], dtype=object)
            counted: list[str] = known[values.astype(np.int64) - low].tolist()
            return counted
    return [*map(repr, values.tolist())]
