"""Where the runs of a noisy cell settle, over its seeds, beside what theory says."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from fastmomentum import theory as theories
from fastmomentum.errors import InputError
from fastmomentum.plots.arguments import RESULTS, takes
from fastmomentum.plots.clouds import cloud
from fastmomentum.plots.pages.choosing import At, has_theory
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.planes import departure, described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.style import grid_colour
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.batched import sees_all_rows
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.results.dataset import experiment_of, runnable
from fastmomentum.results.selection import Start, select_cell
from fastmomentum.status import Status

Floats = NDArray[np.float64]

UNCOVERED: Final = (
    'theory covers batches drawn with replacement: give batch.draw = "replacement" for its ellipse'
)
"""Of batches by "shuffle": what is said instead of a comparison."""


class Foretold(NamedTuple):
    """What theory says of a cell; see `foretold`."""

    covariance: Floats
    minimiser: Floats
    hessian: Floats


@takes(ds=RESULTS)
def stationary(
    ds: xr.Dataset,
    lr: float | None = None,
    momentum: float | None = None,
    start: Start | None = None,
    *,
    velocity: Start | None = None,
    at: At | None = None,
    theory: bool = True,
    title: str | None = None,
    size: Size | None = None,
    style: Style | None = None,
) -> Page:
    """Draw the last points of all seeds of a cell, with the ellipses of theory.

    Theory takes the objective for its quadratic near the minimiser; what is drawn of runs that have
    not settled yet is not what it speaks of. It covers batches drawn with replacement: those of a
    shuffled epoch depend on each other, and their noise nearly cancels over it.

    Parameters
    ----------
    ds : xarray.Dataset
        Results with seeds.
    lr, momentum, start, velocity, at
        Which cell; the first of each without.
    theory : bool
        Whether to draw what it says.
    title, size, style
        As for `pages.contour`.

    Returns
    -------
    Page
        A Figure of matplotlib that a notebook shows; `said` has lines about what was drawn.

    Raises
    ------
    InputError
        There are no seeds, or fewer than three of the cell's runs are left.

    Examples
    --------
    >>> import fastmomentum as fm
    >>> ds = fm.run(fm.Experiment(objective=fm.Quadratic(1.0, 0.0, 10.0), rule="momentum",
    ...     steps=500, grid=fm.Grid(lr=0.05, momentum=0.5, start=[(1, 1)], seed=200),
    ...     noise={"gaussian": 0.1}))
    >>> fm.plots.stationary(ds).said[-1].startswith("expected loss above the minimum")
    True
    """
    if "seed" not in ds.dims:
        raise InputError(
            "a cloud is drawn over seeds, and there are none: give the grid some, such as "
            "seed = 200"
        )
    cell = _seeds_of_cell(ds, lr, momentum, start, velocity, at)
    final = cell["final"].transpose("seed", "parameter").values
    stays = np.isfinite(final).all(axis=1) & (cell["status"].values != Status.DIVERGED)
    if stays.sum() < 3:
        raise InputError(
            f"{int(stays.sum())} of the cell's {stays.size:,} runs did not diverge: no cloud to "
            "draw"
        )
    final = final[stays]
    known = foretold(cell, final.mean(axis=0)) if theory else None
    with drawn_in(style) as settings:
        page = new_page(settings, size, (9.0, 8.0))
        page.said.append(
            f"cell {described(cell)}: {final.shape[0]:,} seeds"
            + f", {int((~stays).sum()):,} diverged" * bool((~stays).any())
        )
        notes = [] if known is None else _compared(final, known)
        if theory and has_theory(cell) and not _is_covered(cell):
            notes.append(UNCOVERED)
        met = int((cell["status"].values == Status.CONVERGED).sum())
        if known is not None and met:
            notes.append(
                f"{met:,} runs ended where they met the last target: their last points are no "
                "stationary ones, of which theory is; leave stop.targets out"
            )
        page.notes += notes
        page.said += notes
        what = lines_of(page, ", ".join(filter(None, [described(cell), departure(cell)])), *notes)
        ax = page.add_subplot(title=what)
        drawn = cloud(
            ax,
            final,
            None if known is None else known.covariance,
            None if known is None else known.minimiser,
        )
        parameters = objective_of(cell).parameters
        ax.set(xlabel=parameters[0], ylabel=parameters[1])
        ax.grid(color=grid_colour(ax.get_facecolor()), linewidth=0.8)
        ax.set_axisbelow(True)
        entitle(page, cell, title)
        legend_below(page, 2, handles=drawn.handles)
    return finished(page)


def _seeds_of_cell(
    ds: xr.Dataset,
    lr: float | None,
    momentum: float | None,
    start: Start | None,
    velocity: Start | None,
    at: At | None,
) -> xr.Dataset:
    """One cell, of all seeds."""
    if "seed" in (at or {}):
        raise InputError("--at seed: all seeds are drawn; leave it out")
    one = select_cell(ds, lr, momentum, start, velocity, at)
    where = {}
    for dim in ds.status.dims:
        if dim != "seed":
            where[dim] = int(np.flatnonzero(np.atleast_1d(ds[dim].values) == one[dim].item())[0])
    return ds.isel(where)


def foretold(cell: xr.Dataset, near: Floats) -> Foretold | None:
    """The covariance that theory predicts of a cell's last points about the nearest minimiser.

    Parameters
    ----------
    cell : xarray.Dataset
        One cell of results, of some seeds.
    near : ndarray, shape (2,)
        A point by which the minimiser is chosen.

    Returns
    -------
    Foretold or None
        None where there is no theory of the rule with its options or of the batches, no minimiser,
        or the cell is not stable.
    """
    plan, objective = runnable(cell), objective_of(cell)
    rule = rule_of(cell)
    if not _is_covered(cell):
        return None
    if not has_theory(cell) or not len(objective.minimisers) or rule.options or rule.restart:
        return None
    away = np.hypot(*(objective.minimisers - near).T)
    minimiser = objective.minimisers[int(away.argmin())]
    hessian = objective.hessian(*minimiser)
    given = rule, float(cell["lr"]), float(cell["momentum"])
    deviation = plan.noise.gaussian if plan.noise is not None else 0.0
    noise = deviation**2 * np.eye(2)
    if plan.batch is not None and plan.batch.draw == "replacement":
        rows = theories.row_terms(plan.objective)
        found = theories.batch_stationary_covariance(
            *given, *rows, plan.batch.size, noise_covariance=noise
        )
    else:
        found = theories.stationary_covariance(*given, hessian, noise)
    return None if np.isnan(found).any() else Foretold(found, minimiser, hessian)


def _is_covered(cell: xr.Dataset) -> bool:
    """Whether each update's gradient is independent of those before, given the point."""
    plan = experiment_of(cell)
    drawn = plan.batch is not None and plan.batch.draw == "replacement"
    return drawn or sees_all_rows(plan.objective, plan.batch)


def _compared(final: Floats, known: Foretold) -> list[str]:
    """How well the cloud agrees with theory, in two lines."""
    off = final - known.minimiser
    inside = np.einsum("ni,ij,nj->n", off, np.linalg.pinv(known.covariance), off)
    share = np.mean(inside <= -2.0 * np.log(0.05))
    measured = 0.5 * np.einsum("ni,ij,nj->n", off, known.hessian, off)
    told = 0.5 * float(np.trace(known.hessian @ known.covariance))
    error = measured.std(ddof=1) / np.sqrt(len(measured))
    return [
        f"{share:.1%} of the seeds lie within the ellipse of 95%",
        f"expected loss above the minimum {told:.4g}, measured {measured.mean():.4g} "
        f"\N{PLUS-MINUS SIGN} {error:.1g} (near the minimum, in the quadratic)",
    ]
