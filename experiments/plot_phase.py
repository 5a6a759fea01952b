"""Map the steps to a target over learning rate and momentum, for one start.

Where the experiment has no target, the map shows how the runs ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from _common import (
    add_start,
    figure,
    output,
    parser,
    plane,
    save,
    script,
    start_names,
    style,
    subtitle,
)

import fastmomentum as fm
from fastmomentum import plots
from fastmomentum.errors import InputError


def main(words: Sequence[str]) -> None:
    """Read the results, draw, save."""
    reading = parser(__doc__ or "")
    add_start(reading)
    reading.add_argument("--target", type=float, help="one of the targets (default: the last)")
    arguments = reading.parse_args(words)
    path = output(arguments, "phase")
    with fm.open(arguments.results) as ds, style(arguments):
        results = plane(ds, arguments.start)
        made = figure(ds, height=7.5)
        ax = made.add_subplot()
        if arguments.target is not None:
            results = nearest_target(results, arguments.target)
        drawn = plots.phase_map(ax, results)
        plots.steps_bar(ax, drawn)
        start = (f"{results[name].item():.3g}" for name in start_names(ds))
        ax.set_title(f"{subtitle(ds)}, from ({', '.join(start)})")
        handles = [*drawn.legend, *([drawn.best] if drawn.best else [])]
        made.legend(handles=handles, loc="outside lower center", ncols=3)
        save(made, path)


def nearest_target(results: xr.Dataset, target: float) -> xr.Dataset:
    """Keep one target alone."""
    if "target" not in results.dims:
        raise InputError("--target: the experiment has no target; leave it out")
    if not 0 < target < np.inf:
        raise InputError(f"--target must be positive: got {target}")
    away = np.abs(np.log(results["target"].values / target))
    return results.isel(target=[int(away.argmin())])


if __name__ == "__main__":
    script(main)
