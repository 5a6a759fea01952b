"""What the plotting scripts share: arguments, choosing cells, saving, errors in a line."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import Any, NoReturn

import matplotlib
import numpy as np
import xarray as xr
from matplotlib.figure import Figure

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.errors import FastmomentumError, InputError, StorageError

Start = int | tuple[float, float]

SUFFIXES = (".png", ".svg", ".pdf")
PAGE_SIZE = (12.8, 7.2)
"""Inches of a report: a slide's shape."""

PAGE_POINTS = 301
"""Samples of its surface and contours along an axis."""

MOST_POINTS = 20_000
"""Of a replayed path; a longer one is thinned."""

WHICH_CELLS = """\
Which runs are drawn: --lr, --momentum and --start may be given several times and are paired in
order (a single one goes with all of the others); the nearest cell of the grid is taken, and
printed. What is left out is chosen: the first start, and the lr and momentum of the best run
(soonest at the last target, else of the lowest loss). With neither lr nor momentum, several telling
runs are drawn: the best of all, the best with the lowest momentum, the best with a momentum near
0.9, and of those with the best one's momentum the one that diverges at the lowest lr; on a mesh of
starts, or where there is but one lr and momentum, the best, from up to four starts.
"""

WHICH_CELL = """\
Which run is drawn: the nearest cell of the grid to --lr, --momentum and --start is taken, and
printed. What is left out is chosen: the first start, and the lr and momentum of the best run
(soonest at the last target, else of the lowest loss). All of its steps are drawn: where the file
holds but some of them, or none, it is run again, which gives the same bits.
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(InputError.exit_status, f"{self.prog}: {message}; see --help\n")


def parser(
    description: str, epilog: str = "", suffixes: Sequence[str] = SUFFIXES
) -> argparse.ArgumentParser:
    """Make the parser of a script: the results file, -o and --style."""
    made = _Parser(
        description=description, epilog=epilog, formatter_class=argparse.RawTextHelpFormatter
    )
    made.add_argument("results", type=Path, help="a results file of fastmomentum's")
    made.add_argument(
        "-o", "--output", type=Path, metavar="OUT",
        help=f"a {_alternatives(suffixes)} file (default: {suffixes[0]}, beside the results)",
    )  # fmt: skip
    text = "a matplotlib style file, on top of the house style"
    made.add_argument("--style", type=Path, metavar="FILE", help=text)
    return made


def _alternatives(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def run_parser(description: str) -> argparse.ArgumentParser:
    """Make the parser of a script that draws chosen runs."""
    made = parser(description, WHICH_CELLS)
    add = made.add_argument
    add("--lr", type=float, action="append", help="learning rate")
    add("--momentum", type=float, action="append", help="momentum")
    add_start(made, action="append")
    add_field(made)
    add("--replay", action="store_true", help="run again to draw all steps, not the recorded ones")
    return made


def report_parser(description: str, suffixes: Sequence[str] = SUFFIXES) -> argparse.ArgumentParser:
    """Make the parser of a script that draws all about one run."""
    made = parser(description, WHICH_CELL, suffixes)
    made.add_argument("--lr", type=float, help="learning rate")
    made.add_argument("--momentum", type=float, help="momentum")
    add_start(made)
    add_field(made)
    return made


def add_field(to: argparse.ArgumentParser) -> None:
    """Add the arguments --window and --scale."""
    add = to.add_argument
    add("--window", type=_numbers(4), metavar="X0,X1,Y0,Y1", help="what to show of the plane")
    add("--scale", choices=("auto", "log", "linear"), default="auto", help="of the objective")


def add_start(to: argparse.ArgumentParser, **options: Any) -> None:
    """Add the argument --start."""
    text = "number of a start point (0 is the first), or a point X,Y"
    to.add_argument("--start", type=_start, metavar="START", help=text, **options)


def _numbers(count: int) -> Callable[[str], tuple[float, ...]]:
    def numbers(text: str) -> tuple[float, ...]:
        parts = tuple(float(part) for part in text.strip("()[]").split(","))
        if len(parts) != count or not np.isfinite(parts).all():
            raise ValueError
        return parts

    return numbers


def _start(text: str) -> Start:
    if "," not in text:
        return int(text)
    x, y = _numbers(2)(text)
    return x, y


def script(main: Callable[[Sequence[str]], None]) -> NoReturn:
    """Run a script; what goes wrong is a line on stderr and an exit status."""
    try:
        # argparse takes a value such as -5,-5 for an option, unless it is joined to its own.
        words: list[str] = []
        for word in sys.argv[1:]:
            joined = words and words[-1] in ("--start", "--window")
            words[-1:] = [f"{words[-1]}={word}"] if joined else [*words[-1:], word]
        main(words)
    except FastmomentumError as error:
        _leave(str(error), error.exit_status)
    except OSError as error:
        _leave(str(error), StorageError.exit_status)
    except KeyboardInterrupt:
        _leave("interrupted", 130)
    sys.exit(0)


def _leave(message: str, status: int) -> NoReturn:
    print(f"{Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(status)


@dataclass(frozen=True)
class Cell:
    """Which cell is asked for; None where the first will do."""

    lr: float | None
    momentum: float | None
    start: Start | None

    def of(self, ds: xr.Dataset) -> xr.Dataset:
        """Select the nearest cell of the grid."""
        return fm.select_cell(ds, self.lr, self.momentum, self.start)


def chosen_runs(ds: xr.Dataset, arguments: argparse.Namespace) -> list[plots.Run]:
    """Read the runs that are asked for, or telling ones; print a line for each."""
    runs = []
    for wanted in _cells(ds, arguments.lr, arguments.momentum, arguments.start):
        runs.append(_run(ds, wanted, arguments.replay))
    return runs


def whole_run(ds: xr.Dataset, arguments: argparse.Namespace) -> plots.Run:
    """Read all steps of the one run that is asked for, or of the best; print a line."""
    lr, momentum, start = (
        None if value is None else [value]
        for value in (arguments.lr, arguments.momentum, arguments.start)
    )
    wanted = _cells(ds, lr, momentum, start or [0])[0]
    cell = wanted.of(ds)
    every_step = np.arange(int(cell["n_steps"]) + 1)
    recorded = "trajectory" in cell and cell["trajectory"].dtype == np.float64
    whole = recorded and np.array_equal(cell["step"].values[: every_step.size], every_step)
    return _run(ds, wanted, replayed=not whole)


def _run(ds: xr.Dataset, wanted: Cell, replayed: bool) -> plots.Run:
    cell = wanted.of(ds)
    path = None
    if replayed or "trajectory" not in cell:
        every = max(1, int(cell["n_steps"]) // MOST_POINTS)
        path = fm.replay(ds, wanted.lr, wanted.momentum, wanted.start, every).trajectory
    run = plots.run_of(cell, path)
    print(
        f"cell lr={run.lr:.6g} momentum={run.momentum:.6g} "
        f"start=({run.start[0]:.6g}, {run.start[1]:.6g}): {run.status.name.lower()} "
        f"after {run.n_steps} step{'s' * (run.n_steps != 1)}, f = {run.final_loss:.3g}"
    )
    return run


def _cells(
    ds: xr.Dataset,
    lrs: list[float] | None,
    momenta: list[float] | None,
    starts: list[Start] | None,
) -> list[Cell]:
    several = ds.sizes["lr"] * ds.sizes["momentum"] > 1
    if lrs is None and momenta is None:
        starts = starts or _telling_starts(ds, several)
        if len(starts) == 1 and several:
            return [Cell(lr, momentum, starts[0]) for lr, momentum in _telling(ds, starts[0])]
    lists: list[list[Any]] = [lrs or [None], momenta or [None], starts or [None]]
    count = max(len(part) for part in lists)
    if any(len(part) not in (1, count) for part in lists):
        raise InputError(
            "--lr, --momentum and --start must be given equally often, or once: got "
            + ", ".join(str(len(part)) for part in lists)
        )
    asked = [Cell(*(part[i % len(part)] for part in lists)) for i in range(count)]
    return [_filled_in(ds, cell, asked[0].start) for cell in asked]


def _telling_starts(ds: xr.Dataset, several: bool) -> list[Start]:
    """Up to four starts that lie apart; one of a list, where lr and momentum vary."""
    if "start" in ds.dims:
        count = 1 if several else min(4, ds.sizes["start"])
        return [int(i) for i in np.linspace(0, ds.sizes["start"] - 1, count)]
    x, y = (ds[name].values for name in start_names(ds))
    quarters = [(a[a.size // 4], a[a.size * 3 // 4]) for a in (x, y)]
    return list(dict.fromkeys((float(a), float(b)) for a in quarters[0] for b in quarters[1]))


def _filled_in(ds: xr.Dataset, cell: Cell, start: Start | None) -> Cell:
    """Put the best lr and momentum where none was asked for."""
    if cell.lr is not None and cell.momentum is not None:
        return cell
    found = plane(ds, start)
    nearest = cell.of(ds)
    allowed = np.ones(found["status"].shape, bool)
    if cell.lr is not None:
        allowed &= (found["lr"].values == float(nearest["lr"]))[:, np.newaxis]
    if cell.momentum is not None:
        allowed &= found["momentum"].values == float(nearest["momentum"])
    # Where all diverged, the lowest learning rate and momentum did so the most gently.
    lr, momentum = _values(found, _best(found, allowed) or _first(allowed))
    return Cell(lr, momentum, cell.start)


SUMMARIES = ("status", "n_steps", "final_loss", "hit_step")


def plane(ds: xr.Dataset, start: Start | None, variables: Sequence[str] = SUMMARIES) -> xr.Dataset:
    """Select the summaries of one start over all learning rates and momenta."""
    point = fm.select_cell(ds, start=start)
    names = ["start"] if "start" in ds.dims else start_names(ds)
    where = {name: ds.get_index(name).get_loc(point[name].item()) for name in names}
    return ds[[name for name in variables if name in ds]].isel(where)


def nearest_target(results: xr.Dataset, target: float) -> xr.Dataset:
    """Keep one target alone."""
    if "target" not in results.dims:
        raise InputError("--target: the experiment has no target; leave it out")
    if not 0 < target < np.inf:
        raise InputError(f"--target must be positive: got {target}")
    away = np.abs(np.log(results["target"].values / target))
    return results.isel(target=[int(away.argmin())])


def start_names(ds: xr.Dataset) -> list[str]:
    """Name the coordinates of the starts."""
    return [f"start_{name}" for name in ds["parameter"].values]


def _telling(ds: xr.Dataset, start: Start) -> list[tuple[float, float]]:
    found = plane(ds, start).load()
    status = found["status"].values
    everywhere = np.ones(status.shape, bool)
    column = np.arange(status.shape[1])
    usual = np.abs(found["momentum"].values - 0.9).argmin()
    cells = [_best(found, everywhere)]
    cells += [_best(found, everywhere & (column == k)) for k in (0, usual)]
    diverged = status == fm.Status.DIVERGED
    if cells[0] is not None:
        diverged &= column == cells[0][1]
    if diverged.any():
        cells.append(_first(diverged))
    different = dict.fromkeys(cell for cell in cells if cell is not None)
    return [_values(found, cell) for cell in different or [(0, 0)]]


def _best(found: xr.Dataset, allowed: Any) -> tuple[int, int] | None:
    """Find the run that converged soonest, else the one with the lowest loss."""
    status = found["status"].values
    for code, score in ((fm.Status.CONVERGED, "n_steps"), (fm.Status.MAX_STEPS, "final_loss")):
        those = allowed & (status == code)
        if those.any():
            scores = np.where(those, found[score].values, np.inf)
            return _first(scores == scores.min())
    return None


def _first(where: Any) -> tuple[int, int]:
    i, j = np.argwhere(where)[0]
    return int(i), int(j)


def _values(found: xr.Dataset, cell: tuple[int, int]) -> tuple[float, float]:
    return float(found["lr"][cell[0]]), float(found["momentum"][cell[1]])


def output(arguments: argparse.Namespace, kind: str, suffixes: Sequence[str] = SUFFIXES) -> Path:
    """Choose where the picture goes, before any work is done."""
    path: Path | None = arguments.output
    if path is None:
        return Path(arguments.results).with_name(f"{arguments.results.stem}_{kind}{suffixes[0]}")
    if path.suffix.lower() not in suffixes:
        got = repr(path.suffix) if path.suffix else "no suffix"
        raise InputError(f"-o must end in {', '.join(suffixes)}: got {got} ({path})")
    return path


def field_of(
    ds: xr.Dataset, runs: Sequence[plots.Run], arguments: argparse.Namespace, points: int
) -> plots.Field:
    """Sample the objective over the window that was asked for, or that fits the runs."""
    objective = fm.experiment_of(ds).objective
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
    experiment = fm.experiment_of(ds)
    data = (ds["data_x"].values, ds["data_y"].values) if "data_x" in ds else None
    made = figure or Figure(figsize=PAGE_SIZE, layout="constrained")
    field = field_of(ds, [run], arguments, PAGE_POINTS)
    title = str(ds.attrs.get("title") or "")
    return plots.run_report(made, run, field, experiment.rule.name, data, title, frames)


def figure(ds: xr.Dataset, height: float = 8.0) -> Figure:
    """Make an empty figure that names the experiment."""
    made = Figure(figsize=(10.0, height), layout="constrained")
    title = ds.attrs.get("title") or fm.experiment_of(ds).objective.name
    made.suptitle(fill(str(title), 75), parse_math=False)
    return made


def subtitle(ds: xr.Dataset) -> str:
    """Say what was descended, and how."""
    experiment = fm.experiment_of(ds)
    return f"objective {experiment.objective.name}, rule {experiment.rule.name}"


def save(made: Figure, path: Path) -> None:
    """Write a figure."""
    undated = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with replacing(path) as partial:
        made.savefig(partial, metadata=undated.get(path.suffix.lower()))


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a file to write to; whoever looks sees the old file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
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
