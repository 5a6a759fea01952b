"""Batches of several sizes: how the loss falls and where it settles, with theory."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import NDArray

from fastmomentum.analysis import over_seeds
from fastmomentum.analysis.replaying_seeds import replay_seeds
from fastmomentum.errors import InputError
from fastmomentum.objectives import MSE
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.pages.choosing import At, chosen
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.pages.settled import foretold
from fastmomentum.plots.planes import described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.seed_bands import bands
from fastmomentum.plots.style import colours_on, grid_colour, number
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.batched import sees_all_rows
from fastmomentum.results.dataset import experiment_of, runnable
from fastmomentum.results.selection import Start
from fastmomentum.theory import mean_square_radius, row_terms

LEFT: Final = 0.01
"""Most of the loss at the end that may stem from the start in a cell that counts as settled."""


class Settled(NamedTuple):
    """Mean loss at the end over what theory says, of the settings that have settled."""

    ratio: NDArray[np.float64]
    error: NDArray[np.float64]


@takes(ds=RESULTS)
def batches(
    ds: xr.Dataset,
    *others: xr.Dataset,
    lr: float | None = None,
    velocity: Start | None = None,
    at: At | None = None,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw the effect of batches, of one size or several, on least squares.

    To the left how the loss falls at one learning rate, as bands over the seeds; to the right the
    mean loss at the end by learning rate, with theory's.

    Parameters
    ----------
    ds, *others : xarray.Dataset
        Results of one experiment with batches of several sizes, with seeds.
    lr : float, optional
        Learning rate of the bands; the first without.
    velocity, at
        As for `pages.contour`.
    title, size, style
        As for `pages.contour`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` compares measurement and theory.

    Raises
    ------
    InputError
        The objective has no rows, there are no seeds, or nothing has settled.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> line = fm.MSE.from_arrays([-1.0, 0.0, 1.0, 1.5], [1.0, 2.0, 2.0, 5.0])
    >>> ds = fm.run(fm.Experiment(objective=line, rule="momentum", steps=1000,
    ...     batch={"size": 1, "draw": "replacement"},
    ...     grid=fm.Grid(lr=[0.01, 0.02], momentum=0.5, start=[(0, 0)], seed=20)))
    >>> fm.plots.pages.batches(ds).said[0][:32]
    'measured over theory: median dif'
    """
    kept = [chosen(each, velocity, at, ("seed",)) for each in (ds, *others)]
    rows = [_rows_of(each) for each in kept]
    cells = [replay_seeds(each, lr=lr) for each in kept]
    labels = [_name(each) for each in kept]
    with drawn_in(style) as settings:
        page = new_page(settings, size, (15.0, 7.0))
        left, right = page.subplots(1, 2)
        curves = [
            over_seeds(cell)["loss_quantile"] - (mse.f_min or 0.0)
            for cell, mse in zip(cells, rows, strict=True)
        ]
        drawn = bands(left, curves, labels)
        rate = number(cells[0]["lr"].item())
        above = lines_of(page, f"lr {rate}: median, quartiles, 5 to 95%", panels=2)
        left.set(ylabel="f \N{MINUS SIGN} minimum", title=above)
        left.set_ylim(bottom=1e-7)
        known = colours_on(right.get_facecolor())
        found = [
            _stationary(right, each, mse, label, known[i % len(known)])
            for i, (each, mse, label) in enumerate(zip(kept, rows, labels, strict=True))
        ]
        page.said.append(_compared(found))
        right.set(xscale="log", yscale="log", xlabel="learning rate")
        right.set(ylabel="mean loss at the end \N{MINUS SIGN} minimum", title="where it stays")
        right.grid(color=grid_colour(right.get_facecolor()), linewidth=0.8)
        right.set_axisbelow(True)
        seeds = max(each.sizes["seed"] for each in kept)
        what = described(kept[0].isel(lr=0, start=0).drop_vars("lr"))
        entitle(page, kept[0], title, f"{what}, {seeds:,} seeds", *page.said)
        handles = right.get_legend_handles_labels()[0]
        whole = [line for line in drawn.medians if "all" in str(line.get_label())]
        legend_below(page, 3, handles=[*handles, *whole])
    return finished(page)


def _compared(found: list[Settled]) -> str:
    """Say how far measurement and theory differ."""
    ratio, error = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if not ratio.size:
        raise InputError(
            "theory covers batches drawn with replacement once the start is forgotten, and no cell "
            'of these results qualifies: give batch.draw = "replacement", or more steps'
        )
    off = np.abs(ratio - 1.0)
    return (
        f"measured over theory: median difference {np.median(off):.1%} in {ratio.size} settings, "
        f"{np.mean(off < 2.0 * error):.0%} within two standard errors "
        f"(median {np.median(error):.1%})"
    )


def _stationary(ax: Axes, ds: xr.Dataset, mse: MSE, label: str, colour: str) -> Settled:
    """Draw the mean loss at the end and theory's.

    Both are drawn where the start is forgotten; beyond the stable region there is no mean to speak
    of, and its end is marked.
    """
    plan = experiment_of(ds)
    if plan.batch is None or plan.batch.draw != "replacement":
        return Settled(np.empty(0), np.empty(0))  # the full gradient settles at the minimum itself
    one = ds.isel(momentum=0, start=0)
    f_min, found = mse.f_min or 0.0, over_seeds(one)
    mean = found["final_loss_mean"].values - f_min
    error = found["final_loss_spread"].values / np.sqrt(one.sizes["seed"])
    lr, momentum = one["lr"].values, float(one["momentum"])
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
    return Settled(mean[both] / told[both], error[both] / told[both])


def _rows_of(ds: xr.Dataset) -> MSE:
    """Give the objective of results, with its rows."""
    objective = runnable(ds).objective
    if not isinstance(objective, MSE):
        raise InputError(f"batches are drawn from the rows of an mse: got {objective.name}")
    return objective


def _name(ds: xr.Dataset) -> str:
    """The size of the batches in words."""
    plan = experiment_of(ds)
    if plan.batch is None or sees_all_rows(plan.objective, plan.batch):
        return f"all {plan.objective.n_rows:,} rows"
    return f"batch of {plan.batch.size:,}"
