"""Draw what batches do: how the loss falls, and where it stays, measured and by theory.

The results are of one experiment with batches of several sizes, along seeds and learning rates; to
the left are bands over the seeds at one learning rate, to the right the mean loss at the end.
"""

from __future__ import annotations

import _ending  # noqa: F401  (its import sets how the script ends)

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

import fastmomentum as fm
from fastmomentum.analysis.replaying_seeds import replay_seeds
from fastmomentum.cli.exit_status import script
from fastmomentum.cli.picture_arguments import SUFFIXES, parser
from fastmomentum.cli.picture_files import place_of, save
from fastmomentum.errors import InputError
from fastmomentum.plots import COLOURS, bands
from fastmomentum.plots.pages.page import Page, entitle, lines_of, new_page
from fastmomentum.plots.pages.settled import foretold
from fastmomentum.plots.planes import described
from fastmomentum.plots.style import number
from fastmomentum.plots.styles import drawn_in
from fastmomentum.theory import mean_square_radius, row_terms

LEFT = 0.01
"""Part of the loss at the end that may be left of the start, for a cell to count as settled."""


def main(words: Sequence[str]) -> None:
    """Read the results, measure, draw, save."""
    reading = parser(__doc__ or "")
    add = reading.add_argument
    add("others", type=Path, nargs="*", help="the same experiment with batches of other sizes")
    add("--lr", type=float, default=0.01, help="learning rate of the bands (0.01)")
    asked = reading.parse_args(list(words))
    path = place_of(asked.results, asked.output, "batches", SUFFIXES)
    found = [fm.open(file) for file in (asked.results, *asked.others)]
    with drawn_in(asked.style) as settings:
        page = draw(found, asked, settings)
        for line in page.said:
            print(line)
        save(page, path)
    print(f"wrote {path}")


def draw(found: list[xr.Dataset], asked: argparse.Namespace, settings: dict[Any, Any]) -> Page:
    """Draw both panels."""
    page = new_page(settings, asked.size, (15.0, 7.0))
    left, right = page.subplots(1, 2)
    quantiles, labels = [], []
    for ds in found:
        cell = replay_seeds(ds, lr=asked.lr)
        f_min = fm.experiment_of(ds).objective.f_min or 0.0
        quantiles.append(fm.analysis.over_seeds(cell)["loss_quantile"] - f_min)
        labels.append(_name(ds))
    drawn = bands(left, quantiles, labels)
    lr = number(cell["lr"].item())
    left.set(ylabel="f \N{MINUS SIGN} minimum", title=f"lr {lr}: median, quartiles, 5 to 95%")
    left.set_ylim(bottom=1e-7)
    ratios, errors = [], []
    for ds, label, colour in zip(found, labels, COLOURS, strict=False):
        measured = stationary(right, ds, label, colour)
        ratios.append(measured[0])
        errors.append(measured[1])
    ratio, error = np.concatenate(ratios), np.concatenate(errors)
    if not ratio.size:
        raise InputError("no cell of these results has settled: run them for longer")
    off = np.abs(ratio - 1.0)
    said = (
        f"measured over theory: median difference {np.median(off):.1%} in {ratio.size} settings, "
        f"{np.mean(off < 2.0 * error):.0%} within two standard errors "
        f"(median {np.median(error):.1%})"
    )
    page.said.append(said)
    right.set(xscale="log", yscale="log", xlabel="learning rate")
    right.set(ylabel="mean loss at the end \N{MINUS SIGN} minimum", title="where it stays")
    right.grid(color="#d0d0d0", linewidth=0.8)
    right.set_axisbelow(True)
    seeds = max(ds.sizes["seed"] for ds in found)
    what = described(found[0].isel(lr=0).drop_vars("lr").isel(start=0))
    entitle(page, found[0], asked.title, lines_of(f"{what}, {seeds:,} seeds", said))
    handles, names = right.get_legend_handles_labels()
    whole = [line for line in drawn.medians if "all" in str(line.get_label())]
    names += [str(line.get_label()) for line in whole]
    page.legend([*handles, *whole], names, loc="outside lower center", ncols=3)
    return page


def stationary(ax: Axes, ds: xr.Dataset, label: str, colour: str) -> tuple[np.ndarray, np.ndarray]:
    """Draw the mean loss at the end and theory's; give their ratios and standard errors.

    Both are drawn where the start is forgotten; beyond the stable region there is no mean to speak
    of, and its end is marked.
    """
    one = ds.isel(momentum=0, start=0)
    mse = one_objective(ds)
    f_min, found = mse.f_min or 0.0, fm.analysis.over_seeds(one)
    mean = found["final_loss_mean"].values - f_min
    error = found["final_loss_spread"].values / np.sqrt(one.sizes["seed"])
    lr, momentum = one["lr"].values, float(one["momentum"])
    plan = fm.experiment_of(ds)
    if plan.batch is None or plan.batch.draw != "replacement":
        return np.empty(0), np.empty(0)  # the full gradient settles at the minimum itself
    told = np.full(lr.size, np.nan)
    radius = mean_square_radius(plan.rule, lr, momentum, row_terms(mse).hessians, plan.batch.size)
    first = float(mse.value(float(one["start_a"]), float(one["start_b"]))) - f_min
    for i in np.flatnonzero(radius < 1.0):
        known = foretold(one.isel(lr=i), mse.minimisers[0])
        if known is not None:
            loss = 0.5 * float(np.trace(known.hessian @ known.covariance))
            told[i] = loss if first * radius[i] ** plan.steps < LEFT * loss else np.nan
    both = np.isfinite(told)
    style: dict[str, Any] = {"color": colour, "linestyle": "none", "marker": "o", "markersize": 5}
    ax.errorbar(lr[both], mean[both], 2 * error[both], **style, label=f"{label}, measured")
    ax.plot(lr, told, color=colour, linewidth=1.8, label=f"{label}, theory")
    if (radius >= 1.0).any():
        end = float(lr[radius >= 1.0].min())
        style = {"color": colour, "linestyle": (0, (1, 2)), "linewidth": 1.6}
        ax.axvline(end, **style, label=f"{label}: no mean from here on (theory)")
    return mean[both] / told[both], error[both] / told[both]


def one_objective(ds: xr.Dataset) -> fm.MSE:
    """Give the objective of results, with its rows."""
    from fastmomentum.results.dataset import runnable

    objective = runnable(ds).objective
    if not isinstance(objective, fm.MSE):
        raise InputError(f"batches are of the rows of an mse: got {objective.name}")
    return objective


def _name(ds: xr.Dataset) -> str:
    """The size of the batches in words."""
    plan = fm.experiment_of(ds)
    n_rows = plan.objective.n_rows
    if plan.batch is None or (plan.batch.draw == "shuffle" and plan.batch.size == n_rows):
        return f"all {n_rows:,} rows"
    return f"batch of {plan.batch.size:,}"


if __name__ == "__main__":
    script(main)
