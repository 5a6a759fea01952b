"""Figures of the drawing scripts: made, styled, saved."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib
import xarray as xr
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.errors import InputError
from fastmomentum.plots.pictures import LETTERS
from fastmomentum.plots.planes import described
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.store.files import in_words

PAGE_SIZE = (12.8, 7.2)
"""Inches of a report: a slide's shape."""

PAGE_POINTS = 301
"""Samples of its surface and contours along an axis."""


def field_of(
    ds: xr.Dataset, runs: Sequence[plots.Run], arguments: argparse.Namespace, points: int
) -> plots.Field:
    """Sample the objective over the window that was asked for, or that fits the runs."""
    objective = objective_of(ds)
    window = plots.window(objective, runs)
    if arguments.window:
        x_low, x_high, y_low, y_high = arguments.window
        if not (x_low < x_high and y_low < y_high):
            raise InputError(
                f"--window must be X0,X1,Y0,Y1 with X0 < X1, Y0 < Y1: got {arguments.window}"
            )
        window = (x_low, x_high), (y_low, y_high)
    return plots.sample(objective, window, points, arguments.scale)


def draw_report(
    ds: xr.Dataset,
    run: plots.Run,
    arguments: argparse.Namespace,
    frames: Sequence[int] | None = None,
    figure: Figure | None = None,
) -> plots.Report:
    """Draw all about one run, on a figure of its own unless one is given."""
    data = (ds["data_x"].values, ds["data_y"].values) if "data_x" in ds else None
    made = figure or Figure(figsize=PAGE_SIZE, layout="constrained")
    field = field_of(ds, [run], arguments, PAGE_POINTS)
    title = str(ds.attrs.get("title") or "")
    return plots.run_report(made, run, field, rule_of(ds), data, title, frames)


def figure(ds: xr.Dataset, height: float = 8.0) -> Figure:
    """Make an empty figure that names the experiment."""
    made = Figure(figsize=(10.0, height), layout="constrained")
    title = ds.attrs.get("title") or fm.experiment_of(ds).objective.words
    made.suptitle(fill(str(title), 75), parse_math=False)
    return made


def subtitle(ds: xr.Dataset) -> str:
    """Say what was descended, and how."""
    return described(ds)


def lines_of(*said: str) -> str:
    """Put what is said into lines that fit below a title."""
    return "\n".join(fill(line, LETTERS, break_long_words=False) for line in said if line)


def save(made: Figure, path: Path) -> None:
    """Write a figure."""
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with replacing(path) as partial:
        made.savefig(partial, metadata=undated.get(path.suffix.lower()))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write to; whoever looks sees the old file or the whole new one."""
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    with in_words(f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            partial.replace(path)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()
    print(f"wrote {path}")


def style(arguments: argparse.Namespace | None = None) -> Any:
    """Give the context in which figures are drawn: the house style, and what --style changes."""
    return matplotlib.rc_context(plots.STYLE | _style_of(getattr(arguments, "style", None)))


def _style_of(path: Path | None) -> dict[Any, Any]:
    if path is None:
        return {}
    if not path.is_file():
        raise InputError(f"--style: there is no file {path}")
    listening = _Listening()
    log = logging.getLogger("matplotlib")  # where an unknown name is told, and nowhere else
    log.addHandler(listening)
    try:
        settings = matplotlib.rc_params_from_file(path, True, use_default_template=False)
        wrong = listening.lines
    except ValueError as error:  # a UnicodeDecodeError is one
        wrong = [str(error)]
    finally:
        log.removeHandler(listening)
    if wrong:
        raise InputError(f"--style: {path}: {wrong[0]}")
    return {key: value for key, value in settings.items() if key != "backend"}


class _Listening(logging.Handler):
    """Keeps the first line of each message."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage().strip().splitlines()[0])
