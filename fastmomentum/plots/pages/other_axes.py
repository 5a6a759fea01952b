"""Maps over other axes than learning rate and momentum, or one for each value of a third."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import xarray as xr
from matplotlib.patches import Patch

from fastmomentum.errors import InputError
from fastmomentum.plots.pages.choosing import start_names, start_of
from fastmomentum.plots.pages.page import Page, Size, entitle, finished, new_page
from fastmomentum.plots.phases import phase_map, steps_bar
from fastmomentum.plots.pictures import phase_panels
from fastmomentum.plots.planes import described
from fastmomentum.plots.room import legend_below
from fastmomentum.results.dataset import experiment_of
from fastmomentum.text import suggest


def checked(ds: xr.Dataset, free: Sequence[str]) -> xr.Dataset:
    """Refuse axes that are not in the grid; of settings that are not drawn take the first.

    Raises
    ------
    InputError
        One of the axes is not in the grid, or was given twice.
    """
    for name in free:
        if name not in ds.dims:
            known = list(experiment_of(ds).grid.axes)
            raise InputError(f"--x, --y, --over: {name} is no axis; {suggest(name, known)}")
    if len(set(free)) < len(free):
        raise InputError(f"--x, --y and --over must differ: got {', '.join(free)}")
    return ds.isel({k: 0 for k in ("lr", "momentum") if k in ds.dims and k not in free})


def other_axes(
    ds: xr.Dataset,
    results: xr.Dataset,
    axes: tuple[str, str, str | None],
    show: str,
    title: str | None,
    size: Size | None,
    settings: dict[Any, Any],
) -> Page:
    """Draw steps to the target, or ends, over other axes, or in small multiples."""
    x, y, over = axes
    if show == "status":
        results = results.drop_dims("target", errors="ignore")
    page = new_page(settings, size, (13.0, 9.0) if over else (10.0, 7.5))
    start = [] if {*axes} & {*start_names(ds), "start"} else [f"from {start_of(results)}"]
    said = ", ".join([described(results), *start])
    if over:
        drawn = phase_panels(page, results, over, x, y)
    else:
        drawn = [phase_map(ax := page.add_subplot(), results, x, y)]
        steps_bar(ax, drawn[0])
        page.notes += [drawn[0].note] if drawn[0].note else []
    page.said += page.notes
    entitle(page, ds, title, said, *page.notes)
    handles = {handle.get_label(): handle for one in drawn for handle in one.handles}
    if over:  # shares and best cells are each map's own
        handles = {
            str(key).partition(" (")[0]: one
            for key, one in handles.items()
            if isinstance(one, Patch)
        }
        for label, handle in handles.items():
            handle.set_label(label)
    legend_below(page, 2, handles=list(handles.values()))
    return finished(page)
