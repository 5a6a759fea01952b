"""Pages over all seeds: maps of what they have in common, and bands of their losses."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import xarray as xr

from fastmomentum import theory as theories
from fastmomentum.analysis import over_seeds
from fastmomentum.analysis.replaying_seeds import replay_seeds
from fastmomentum.errors import InputError
from fastmomentum.objectives import Objective
from fastmomentum.plots.boundaries import theory_lines_of
from fastmomentum.plots.pages.choosing import (
    SUMMARIES,
    At,
    at_target,
    chosen,
    has_theory,
    plane,
    start_of,
)
from fastmomentum.plots.pages.other_axes import checked
from fastmomentum.plots.pages.page import Page, Size, Style, entitle, finished, lines_of, new_page
from fastmomentum.plots.planes import chosen_words, described
from fastmomentum.plots.room import legend_below
from fastmomentum.plots.seed_bands import bands
from fastmomentum.plots.seed_maps import Measure, seed_map
from fastmomentum.plots.styles import drawn_in
from fastmomentum.results.batched import sees_all_rows
from fastmomentum.results.chosen import objective_of, rule_of
from fastmomentum.results.dataset import experiment_of, runnable
from fastmomentum.results.selection import Start

Look = tuple[str | None, Size | None, Style | None]
"""Title, size and style of a page."""

MOST_SEEDS: Final = 2000
"""Most seeds whose losses are drawn: they are replayed, and bands of more look the same."""


def require_seeds(ds: xr.Dataset) -> None:
    """Refuse results without seeds."""
    if "seed" not in ds.dims:
        raise InputError("there are no seeds to go over: give the grid some, such as seed = 16")


def over_all_seeds(
    ds: xr.Dataset,
    start: Start | None,
    velocity: Start | None,
    at: At | None,
    axes: tuple[str, str],
    measure: Measure,
    target: float | None,
    theory: bool,
    look: Look,
) -> Page:
    """Map the mean loss at the end, or the share of seeds that met a target; see `pages.phase`."""
    require_seeds(ds)
    if "seed" in (at or {}):
        raise InputError("--at seed: --seeds goes over all of them; leave one out")
    free = [*axes, "seed"]
    one = chosen(ds, velocity, at, free)
    results = at_target(plane(checked(one, free), start, SUMMARIES, free), target)
    title, size, style = look
    found = over_seeds(results)
    if "target" in found.dims:
        found = found.isel(target=-1)
    with drawn_in(style) as settings:
        page = new_page(settings, size, (10.0, 7.5))
        ax = page.add_subplot()
        drawn = seed_map(ax, found, measure, *axes)
        handles: list[Any] = list(drawn.legend)
        objective = objective_of(results)
        told = theory and axes == ("lr", "momentum") and has_theory(results)
        if told and len(objective.minimisers):
            lines = theory_lines_of(ax, results)
            handles += lines.seen
            page.notes += [lines.outside] if lines.outside else []
        said = f"{described(results)}, from {start_of(results)}, {ds.sizes['seed']:,} seeds"
        page.said += [said, *page.notes]
        ax.set_title(lines_of(page, said, *page.notes))
        entitle(page, one, title)
        if handles:
            legend_below(page, 2, handles=handles)
    return finished(page)


def loss_bands(
    ds: xr.Dataset,
    cells: tuple[list[Any] | None, list[Any] | None, list[Any] | None],
    velocity: Start | None,
    at: At | None,
    theory: bool,
    look: Look,
) -> Page:
    """Draw the losses of some cells over all seeds; see `pages.loss`."""
    require_seeds(ds)
    if "seed" in (at or {}):
        raise InputError("--at seed: --bands goes over all of them; leave one out")
    lists = [part or [None] for part in cells]
    count = max(len(part) for part in lists)
    if any(len(part) not in (1, count) for part in lists):
        raise InputError(
            "--lr, --momentum and --start must be given equally often, or once: got "
            + ", ".join(str(len(part)) for part in lists)
        )
    title, size, style = look
    quantiles, labels, means, said = [], [], [], []
    one = ds
    for i in range(count):
        asked = [part[i % len(part)] for part in lists]
        one = replay_seeds(ds, asked[0], asked[1], asked[2], velocity, at, MOST_SEEDS)
        objective = objective_of(one)
        lowest = objective.f_min or 0.0
        quantiles.append(over_seeds(one)["loss_quantile"] - lowest)
        labels.append(_label(one, varying=count > 1))
        said.append(f"cell {labels[-1]}: {one.sizes['seed']:,} seeds")
        if theory:
            means += _expected(one, objective)
    left = ds.sizes["seed"] - one.sizes["seed"]
    notes = [f"of {ds.sizes['seed']:,} seeds the first {MOST_SEEDS:,}"] if left else []
    with drawn_in(style) as settings:
        page = new_page(settings, size, (10.0, 7.5))
        page.notes += notes
        page.said += [*said, *notes]
        ax = page.add_subplot()
        drawn = bands(ax, quantiles, labels, means)
        ax.set(ylabel="f \N{MINUS SIGN} minimum" if objective_of(one).f_min is not None else "f")
        what = f"objective {objective_of(one).words}, rule {experiment_of(one).rule.words}"
        words = ", ".join(experiment_of(one).random_words.values())
        about = f"median, quartiles and 5 to 95% of {one.sizes['seed']:,} seeds"
        ax.set_title(lines_of(page, f"{what}: {words}", about, *notes))
        entitle(page, ds, title)
        legend_below(page, handles=[*drawn.medians, *drawn.means[:1]])
    return finished(page)


def _label(cell: xr.Dataset, varying: bool) -> str:
    """A cell in words."""
    return ", ".join([*chosen_words(cell), *([f"from {start_of(cell)}"] if varying else [])])


def _expected(cell: xr.Dataset, objective: Objective) -> list[tuple[Any, Any]]:
    """Steps and expected losses of a cell, where theory is exact."""
    plan = experiment_of(cell)
    drawn = plan.batch is not None and plan.batch.draw == "replacement"
    exact = (drawn or sees_all_rows(objective, plan.batch)) and plan.grid.velocity is None
    plain = not rule_of(cell).options and plan.rule.restart is None
    if not (exact and plain and has_theory(cell) and _is_quadratic(objective)):
        return []
    minimiser = objective.minimisers[0]
    start = np.array([cell[f"start_{name}"].item() for name in objective.parameters]) - minimiser
    given = rule_of(cell), float(cell["lr"]), float(cell["momentum"])
    noise = (0.0 if plan.noise is None else plan.noise.gaussian**2) * np.eye(2)
    if drawn and plan.batch is not None:
        rows = theories.row_terms(runnable(cell).objective)
        size = plan.batch.size
        losses = theories.batch_expected_loss(*given, *rows, size, start, plan.steps, noise)
    else:
        hessian = objective.hessian(*minimiser)
        losses = theories.expected_loss(*given, hessian, noise, start, plan.steps)
    steps = np.arange(plan.steps + 1.0)
    few = np.unique(np.geomspace(1, plan.steps, 600).astype(int))
    return [(steps[few], losses[few])]


def _is_quadratic(objective: Objective) -> bool:
    """Whether the Hessian is the same in all corners of the box, and at the one minimiser."""
    if len(objective.minimisers) != 1:
        return False
    (left, right), (low, high) = objective.box
    x, y = np.array([left, right, left, right, 0.3 * left]), np.array([low, low, high, high, low])
    here = objective.hessian(x, y)
    return bool(np.allclose(here, objective.hessian(*objective.minimisers[0]), rtol=1e-12))
